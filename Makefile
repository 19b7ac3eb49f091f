# make run     sets everything up and starts Errand at http://127.0.0.1:5000
# make demo    fills it with a small world to look at: people, posts, messages, mails, tasks in every state
# make demo-code  prints the code by which whoever has a role there signs in at this moment
# make dev     as make run, and starts web and worker anew when code or a template is saved
# make shell   opens a Python shell on the same database, with the models at hand; ARGS=ann makes Ann `user`
# make test    sets everything up and runs every test, or those that ARGS names: make test ARGS=tests/test_docs.py
# make check   lints and type-checks
# make format  formats the code, and mends what the linter can
# make bench   prints the benchmark tables
# make lock    pins anew what the .in files name and all that comes with it; the newest of that with ARGS=--upgrade
# make audit   looks for known holes in what production installs
# make sbom    writes what production installs to sbom.cdx.json, as CycloneDX
# make clean   removes what make has installed, and no data

VENV := .venv
PYTHON ?= python3
BIN := $(VENV)/bin
# For every system and every Python from 3.11 on, with the hashes that pip then demands.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make lock"
# Twice the cores: most tests wait for processes, servers and browsers, and not for themselves.
TEST_PROCESSES ?= $(shell echo $$(( 2 * $$(getconf _NPROCESSORS_ONLN) )))

.PHONY: run demo demo-code dev shell test check format bench lock audit sbom clean

run: $(VENV)/.run
	@exec $(BIN)/python -m webapp.dev

demo: $(VENV)/.run
	@exec $(BIN)/python -m webapp.dev.demo

demo-code: $(VENV)/.run
	@exec $(BIN)/python -m webapp.dev.demo.code

dev: $(VENV)/.dev
	@exec $(BIN)/python -m webapp.dev --reload

shell: $(VENV)/.run
	@exec $(BIN)/python -m webapp.dev.shell $(ARGS)

test: $(VENV)/.dev
	@exec $(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(VENV)/.dev
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

format: $(VENV)/.dev
	@$(BIN)/ruff check --quiet --fix-only . && $(BIN)/ruff format .

bench: $(VENV)/.dev
	@exec $(BIN)/python -m tests.benchmarks $(ARGS)

# Each keeps to the versions of the one before.
lock: $(VENV)/.dev
	@$(LOCK) $(ARGS) --output-file requirements.txt requirements.in
	@$(LOCK) $(ARGS) --constraints requirements.txt --output-file requirements-run.txt requirements-run.in
	@$(LOCK) $(ARGS) --constraints requirements-run.txt --output-file requirements-dev.txt requirements-dev.in

audit: $(VENV)/.dev
	@$(BIN)/python -m tests.audit

sbom: $(VENV)/.dev
	@$(BIN)/cyclonedx-py requirements --output-reproducible --output-file sbom.cdx.json requirements.txt

clean:
	rm -rf $(VENV)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Errand needs Python 3.11 or newer; name one like this: make run PYTHON=python3.12")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements-run.txt | $(BIN)/python
	@echo "Installing what requirements-run.txt names; this takes a minute, once …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-run.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt | $(BIN)/python
	@echo "Installing what requirements-dev.txt names; this takes a minute, once …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@ $(VENV)/.run
