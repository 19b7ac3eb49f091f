"""Cookies, proxies, hosts and HTTPS."""

import pytest
from flask import request

from tests.browsing import browse
from webapp.dev.factories import (
    make_user,
)


def _cookie(answer) -> str:
    [cookie] = answer.headers.getlist("Set-Cookie")
    return cookie


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(visitor):
    cookie = _cookie(visitor.submit("/guest"))
    assert cookie.startswith("errand=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def test_the_cookie_demands_https_where_the_site_has_it(make_app):
    visitor = browse(make_app(base_url="https://errand.example"))
    cookie = _cookie(visitor.get("/login", base_url="https://errand.example"))
    assert cookie.startswith("__Host-errand=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


# Hosts and HTTPS

HERE = "https://errand.example"
PROBES = ["/healthz", "/readyz"]


@pytest.mark.parametrize(
    "host", ["attacker.example", "errand.example.attacker.example", "errand.example:99@x", "[", ""]
)
def test_a_site_is_itself_under_its_own_name_only(make_app, host):
    visitor = browse(make_app(base_url=HERE))
    for path in ("/", "/login", "/live", "/static/app.css", "/nowhere"):
        answer = visitor.get(path, base_url=HERE, headers={"Host": host})
        assert answer.status_code in {400, 421}, path
    for path in PROBES:
        assert visitor.get(path, base_url=HERE, headers={"Host": host or "10.0.0.1"}).status_code == 200


def test_another_host_is_told_where_the_site_is(make_app):
    answer = browse(make_app(base_url=HERE)).get("/login", base_url="https://old.example")
    assert answer.status_code == 421
    assert "This site is at https://errand.example." in answer.words


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:5000", "[::1]:5000", "LOCALHOST", "errand.localhost"])
def test_a_site_on_this_machine_is_found_under_each_of_its_names(app, host):
    assert browse(app).get("/login", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["attacker.example", "localhost.attacker.example", "127.0.0.1.attacker.example"])
def test_a_site_on_this_machine_cannot_be_read_under_a_name_that_is_bound_to_it(app, host):
    assert browse(app).get("/mailbox", headers={"Host": host}).status_code == 421


def test_where_nobody_says_its_name_a_site_has_any(make_app):
    assert browse(make_app(base_url="")).get("/login", headers={"Host": "errand.example"}).status_code == 200


def test_who_comes_by_http_is_led_to_https(make_app):
    visitor = browse(make_app(base_url=HERE))
    answer = visitor.get("/login?next=/tasks", base_url="http://errand.example")
    assert (answer.status_code, answer.location) == (308, "https://errand.example/login?next=/tasks")
    assert "Strict-Transport-Security" not in answer.headers, "nobody who listens to HTTP may believe this"
    for path in PROBES:
        assert visitor.get(path, base_url="http://10.0.0.7:8000").status_code == 200


def test_who_has_come_by_https_to_a_proxy_that_is_not_trusted_is_not_led_there_forever(make_app):
    there = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
    assert (
        browse(make_app(base_url=HERE)).get("/login", base_url="http://errand.example", headers=there).status_code
        == 200
    )


@pytest.mark.parametrize(
    ("told", "policy"), [(False, "max-age=31536000"), (True, "max-age=31536000; includeSubDomains")]
)
def test_other_names_of_the_domain_demand_https_only_where_that_is_said(make_app, told, policy):
    answer = browse(make_app(base_url=HERE, hsts_subdomains=told)).get("/login", base_url=HERE)
    assert answer.headers["Strict-Transport-Security"] == policy


def test_a_proxy_that_is_not_trusted_is_told_in_the_log_once(app, caplog):
    for _ in range(3):
        browse(app).get("/login", headers={"X-Forwarded-For": "203.0.113.7"})
    [record] = [record for record in caplog.records if "TRUSTED_PROXIES" in record.getMessage()]
    assert record.levelname == "WARNING"


def test_a_forged_cookie_is_nobodys(visitor, ann):
    visitor.set_cookie("errand", ann.get_cookie("errand").value[:-2] + "xx")
    assert visitor.get("/tasks").status_code == 303


FORWARDED = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}


def _seen_by_the_app(app) -> list:
    seen = []
    app.before_request(lambda: seen.append((request.remote_addr, request.scheme, request.host)))
    return seen


def test_nobody_is_believed_about_where_a_request_came_from(app):
    seen = _seen_by_the_app(app)
    answer = browse(app).get("/login", headers=FORWARDED)
    assert seen == [("127.0.0.1", "http", "localhost")]
    assert "Strict-Transport-Security" not in answer.headers


def test_a_trusted_proxy_is_believed_about_the_address_and_the_scheme_but_not_the_host(make_app):
    app = make_app(trusted_proxies=1)
    seen = _seen_by_the_app(app)
    answer = browse(app).get("/login", headers=FORWARDED | {"X-Forwarded-For": "198.51.100.1, 203.0.113.7"})
    assert seen == [("203.0.113.7", "https", "localhost")]
    assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]
    assert "Strict-Transport-Security" not in browse(app).get("/login").headers


def test_guesses_from_behind_a_forged_address_are_counted_together(app):
    make_user("ann")
    browser = browse(app)
    token = browser.token()
    answers = [
        browser.post(
            "/login",
            data={"csrf_token": token, "username": "ann", "password": "x"},
            headers={"X-Forwarded-For": f"203.0.113.{n}"},
        ).status_code
        for n in range(11)
    ]
    assert answers[-1] == 429
