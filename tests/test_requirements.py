"""What is installed: each package pinned with its hashes, and production with nothing that only development needs."""

import json
import re
from importlib.metadata import distribution

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests import audit
from tests.processes import ROOT

FILES = ("requirements", "requirements-run", "requirements-dev")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}\b")


def _named(file: str) -> list[Requirement]:
    """What an .in file names itself."""
    lines = (line.partition(" #")[0].strip() for line in (ROOT / f"{file}.in").read_text().splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-r "))]


def _pinned(file: str) -> dict[str, list[tuple[Requirement, int]]]:
    """What a .txt file pins, by name: each requirement, of which one is for this machine, and its number of hashes."""
    text = re.sub(r"^ *#.*\n", "", (ROOT / f"{file}.txt").read_text(), flags=re.MULTILINE).replace("\\\n", "")
    pinned: dict[str, list[tuple[Requirement, int]]] = {}
    for line in text.splitlines():
        requirement = Requirement(line.partition("--hash")[0])
        pinned.setdefault(canonicalize_name(requirement.name), []).append((requirement, len(HASH.findall(line))))
    return pinned


def _version_here(pinned: dict[str, list[tuple[Requirement, int]]], name: str) -> str:
    """The version that this machine installs; empty where it installs none."""
    here = [each for each, _ in pinned.get(canonicalize_name(name), []) if not each.marker or each.marker.evaluate()]
    return str(here[0].specifier).removeprefix("==") if here else ""


@pytest.mark.parametrize("file", FILES)
def test_everything_is_pinned_to_a_version_with_its_hashes(file):
    for name, requirements in _pinned(file).items():
        for requirement, hashes in requirements:
            assert re.fullmatch("==[^,]+", str(requirement.specifier)), name
            assert hashes, name


@pytest.mark.parametrize("file", FILES)
def test_what_is_named_is_pinned_to_that_very_version(file):
    pinned = _pinned(file)
    for requirement in _named(file):
        assert f"=={_version_here(pinned, requirement.name)}" == str(requirement.specifier), "run `make lock`"


@pytest.mark.parametrize("file", FILES)
def test_all_that_comes_along_is_pinned_too(file):
    pinned = _pinned(file)
    wanted, seen = _named("requirements"), set()
    wanted += [each for other in FILES[1 : FILES.index(file) + 1] for each in _named(other)]
    while wanted:
        requirement = wanted.pop()
        if str(requirement) in seen:
            continue
        seen.add(str(requirement))
        version = _version_here(pinned, requirement.name)
        assert version, f"{requirement} is not in {file}.txt: run `make lock`"
        assert requirement.specifier.contains(version, prereleases=True), requirement
        wanted += _brought_by(requirement)
    assert len(seen) > len(_named(file))


def _brought_by(requirement: Requirement) -> list[Requirement]:
    """What a package needs on this machine, with the extras that are asked for."""
    needs = [Requirement(text) for text in distribution(requirement.name).requires or ()]
    extras = requirement.extras or {""}
    return [each for each in needs if not each.marker or any(each.marker.evaluate({"extra": e}) for e in extras)]


def test_the_three_files_agree():
    *_, most = pins = [_pinned(file) for file in FILES]
    for some in pins:
        for name, requirements in some.items():
            assert [str(each) for each, _ in requirements] == [str(each) for each, _ in most[name]], "run `make lock`"


def test_this_environment_has_what_is_pinned():
    pinned = _pinned("requirements-dev")
    for name in pinned:
        if (version := _version_here(pinned, name)) and name != "pip":  # which anybody may renew
            assert distribution(name).version == version


def test_production_installs_nothing_that_only_development_needs():
    only = {canonicalize_name(each.name) for file in FILES[1:] for each in _named(file)} - {"packaging"}
    assert {"honcho", "aiosmtpd", "pytest", "uv"} < only
    assert not only & set(_pinned("requirements"))


def test_no_host_of_a_registry_is_in_what_is_pinned():
    assert not [file for file in FILES if re.search(r"https?://|--index|--find", (ROOT / f"{file}.txt").read_text())]


# `make audit`

FLASK = {"name": "flask", "version": "3.1.3", "vulns": []}
HOLE = {"id": "PYSEC-1", "fix_versions": ["3.1.4"]}


@pytest.mark.parametrize(
    ("packages", "said", "is_wrong"),
    [
        ([FLASK], "Packages looked at: 1. Known holes: 0.", False),
        ([FLASK | {"vulns": [HOLE]}], "flask 3.1.3: PYSEC-1, mended in 3.1.4", True),
        ([{"name": "flask", "skip_reason": "not found"}], "does not reach PyPI", False),
        ([FLASK, {"name": "ours", "skip_reason": "not found"}], "does not know them: ours", False),
    ],
)
def test_an_audit_fails_for_a_known_hole_and_says_where_it_could_not_look(
    monkeypatch, capsys, packages, said, is_wrong
):
    monkeypatch.setattr(audit, "COMMAND", ["echo", json.dumps({"dependencies": packages})])
    assert bool(audit.main()) == is_wrong
    assert said in capsys.readouterr().out


def test_an_audit_without_an_answer_is_skipped_with_its_reason(monkeypatch, capsys):
    monkeypatch.setattr(audit, "COMMAND", ["sh", "-c", "echo no network >&2; exit 1"])
    assert audit.main() is None
    assert "no network" in capsys.readouterr().out
