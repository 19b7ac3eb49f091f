"""Where the web process listens, and who can connect by that."""

import runpy
import socket
import sys

import pytest
from gunicorn.app.wsgiapp import WSGIApplication

from tests.processes import ROOT, Site, is_answering, until
from webapp.lib import containers
from webapp.settings import Settings
from webapp.web import bind_address


@pytest.fixture
def configured(monkeypatch, tmp_path):
    """A function of variables, and of what files of containers are there, that returns what gunicorn is to bind."""

    def configured(*boxes, **variables: str) -> list[str]:
        monkeypatch.setattr(containers, "MARKERS", boxes)
        for name, value in ({"DATA_DIR": str(tmp_path)} | variables).items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(ROOT / "gunicorn.conf.py"))["bind"]

    return configured


def test_a_machine_of_ones_own_lets_nobody_in_from_outside(configured):
    assert configured("/nowhere") == ["127.0.0.1:5000"]
    assert configured("/nowhere", PORT="8123") == ["127.0.0.1:8123"]


@pytest.mark.parametrize("variables", [{"DYNO": "web.1"}, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, {}])
def test_a_dyno_and_a_container_let_in_whoever_reaches_them(configured, tmp_path, variables):
    [address] = configured(*(() if variables else [tmp_path]), PORT="8123", **variables)
    assert address in {"[::]:8123", "0.0.0.0:8123"}


class _WithoutIpv6:
    def __init__(self, family):
        raise OSError(97, "Address family not supported by protocol")


class _KeptApart(socket.socket):
    def bind(self, address):
        self.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        super().bind(address)


@pytest.mark.parametrize(
    ("kind", "expected"), [(_WithoutIpv6, ["0.0.0.0:5000"]), (_KeptApart, ["0.0.0.0:5000", "[::]:5000"])]
)
def test_ipv6_may_be_off_or_apart(monkeypatch, tmp_path, kind, expected):
    settings = Settings(secret_key="-", data_dir=tmp_path, database_url="sqlite:///-", listen_everywhere=True)
    if kind is _KeptApart and not socket.has_ipv6:
        expected = expected[:1]
    monkeypatch.setattr(bind_address.socket, "socket", kind)
    assert bind_address.addresses(settings) == expected


def test_gunicorn_takes_both_kinds_of_addresses_and_says_who_can_connect(tmp_path):
    site = Site(tmp_path, DYNO="web.1", TRUSTED_PROXIES="0")
    del site.env["GUNICORN_CMD_ARGS"]
    web = site.start_web()
    try:
        assert is_answering(site.port)
        if "[::]" in web.output():
            with socket.create_connection(("::1", site.port), 5):
                pass
        until(lambda: "Everybody who reaches this dyno or container can connect" in web.output())
    finally:
        site.close()


def test_gunicorn_can_be_told_otherwise(monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", ["gunicorn", "webapp.wsgi:app"])
    for name, value in {"DATA_DIR": str(tmp_path), "DYNO": "web.1", "GUNICORN_CMD_ARGS": "--bind unix:x"}.items():
        monkeypatch.setenv(name, value)
    cfg = WSGIApplication().cfg
    assert cfg.bind == ["unix:x"]
    assert cfg.keepalive > 90, "or Heroku's router may use what is just being closed"
