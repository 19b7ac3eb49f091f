"""The release: one name for all that fragments are made of, which tells a browser that what it has is out of date."""

import dataclasses
import zoneinfo
from pathlib import Path

import pytest

from tests.browsing import browse
from webapp.dev.factories import make_user
from webapp.settings import Settings
from webapp.web import release
from webapp.web.release import NOT_SHOWN, OF_A_PROCESS, SECRETS, release_name

SETTINGS = Settings(secret_key="a secret of a test", data_dir=Path("/data"), database_url="sqlite:///a.db")
NAMES = [field.name for field in dataclasses.fields(Settings)]


def _other(value: object) -> object:
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case _:
            return f"{value or ''} of another"


@pytest.mark.parametrize("name", [name for name in NAMES if name not in NOT_SHOWN])
def test_a_setting_that_a_page_may_show_is_part_of_it(name):
    other = dataclasses.replace(SETTINGS, **{name: _other(getattr(SETTINGS, name))})
    assert release_name(other) != release_name(SETTINGS)


@pytest.mark.parametrize("name", sorted(NOT_SHOWN - {"secret_key"}))
def test_what_may_differ_between_processes_and_what_is_secret_is_not(name):
    other = dataclasses.replace(SETTINGS, **{name: _other(getattr(SETTINGS, name))})
    assert release_name(other) == release_name(SETTINGS)


def test_a_setting_that_sounds_secret_is_one():
    sounding = {name for name in NAMES if any(word in name for word in ("secret", "password", "token", "dsn", "_url"))}
    assert sounding - {"base_url"} <= SECRETS
    assert set(NAMES) >= SECRETS | OF_A_PROCESS


def test_who_does_not_have_the_secret_key_learns_nothing_by_trying_settings():
    other = dataclasses.replace(SETTINGS, secret_key="another secret of a test")
    assert release_name(other) != release_name(SETTINGS)


def test_another_version_of_a_library_makes_another(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(tmp_path)
    names = [release_name(SETTINGS)]
    for version in ("98.0", "99.0"):
        for path in tmp_path.iterdir():
            path.rmdir()
        (tmp_path / f"jinja2-{version}.dist-info").mkdir()
        release._libraries.cache_clear()
        names.append(release_name(SETTINGS))
    release._libraries.cache_clear()
    assert len(set(names)) == 3


@pytest.mark.parametrize("name", ["tzdata.zi", "Berlin"])
def test_other_rules_of_time_zones_make_another(monkeypatch, tmp_path, name):
    monkeypatch.setattr(zoneinfo, "TZPATH", (str(tmp_path),))
    names = set()
    for rules in ("# version 2026a", "# version 2026b"):
        (tmp_path / name).write_text(rules)
        release._time_zones.cache_clear()
        names.add(release_name(SETTINGS))
    release._time_zones.cache_clear()
    assert len(names) == 2


def test_files_are_read_once(monkeypatch):
    name = release_name(SETTINGS)

    def read(path: Path) -> bytes:
        raise AssertionError(f"{path} was read already")

    monkeypatch.setattr(Path, "read_bytes", read)
    assert release_name(SETTINGS) == name


def test_a_browser_is_given_a_fragment_anew_when_it_has_changed(app):
    assert app.config["RELEASE"] == release_name(app.config["SETTINGS"])
    ann = browse(app, make_user())
    tag = {"If-None-Match": ann.get("/live").headers["ETag"]}
    assert ann.get("/live", headers=tag).status_code == 304
    app.config["RELEASE"] = release_name(dataclasses.replace(app.config["SETTINGS"], max_upload=1024))
    assert ann.get("/live", headers=tag).status_code == 200
