# make run    sets everything up and starts Errand at http://127.0.0.1:5000
# make demo   fills it with a small world to look at: people, posts, messages, mails, tasks in every state
# make test   sets everything up and runs every test
# make check  lints and type-checks
# make bench  prints the benchmark tables

VENV := .venv
PYTHON ?= python3
BIN := $(VENV)/bin
# Twice the cores: most tests wait for processes, servers and browsers, and not for themselves.
TEST_PROCESSES ?= $(shell echo $$(( 2 * $$(getconf _NPROCESSORS_ONLN) )))

.PHONY: run demo test check bench clean

run: $(VENV)/.run
	@exec $(BIN)/python -m webapp.dev

demo: $(VENV)/.run
	@exec $(BIN)/python -m webapp.dev.demo

test: $(VENV)/.dev
	@exec $(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(VENV)/.dev
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

bench: $(VENV)/.dev
	@exec $(BIN)/python -m tests.benchmarks $(ARGS)

clean:
	rm -rf $(VENV)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Errand needs Python 3.11 or newer; name one like this: make run PYTHON=python3.12")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.txt | $(BIN)/python
	@echo "Installing what requirements.txt names; this takes a minute, once …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt requirements.txt | $(BIN)/python
	@echo "Installing what requirements-dev.txt names; this takes a minute, once …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/.run
