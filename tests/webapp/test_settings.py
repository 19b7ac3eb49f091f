"""Settings: what each variable takes, and what happens when it takes something else."""

import os
import stat
import subprocess
import sys
from multiprocessing import get_context

import pytest

from tests.processes import BIN, NO_QUOTAS, ROOT, free_port
from webapp.dev import __main__ as dev
from webapp.lib.quota_variables import DEFAULTS, UNLIMITED, Most, Quota
from webapp.settings import Settings, SettingsError


@pytest.fixture
def read(tmp_path):
    """A function that reads the settings of an environment with its data under tmp_path."""
    return lambda **env: Settings.from_env({"DATA_DIR": str(tmp_path)} | env)


KEY = "a secret of thirty-two characters"
DEPLOYED = {"SECRET_KEY": KEY, "DATABASE_URL": "postgres://u:p@db.example/errand"}
BAD = [
    ("PORT", "http"),
    ("PORT", "0"),
    ("PORT", "65536"),
    ("PORT", "-1"),
    ("PORT", "5000.5"),
    ("PORT", "٥٠٠٠"),
    ("MAIL_PORT", "smtp"),
    ("WORKER_CONCURRENCY", "0"),
    ("WORKER_CONCURRENCY", "many"),
    ("WEB_CONCURRENCY", "0"),
    ("TASK_TIMEOUT_SECONDS", "0"),
    ("TASK_TIMEOUT_SECONDS", "never"),
    ("WORKER_MEMORY_MB", "64"),
    ("WORKER_MEMORY_MB", "-1"),
    ("MAX_UPLOAD_MB", "0"),
    ("MAX_UPLOAD_MB", "ten"),
    ("MAIL_DAILY_LIMIT", "-1"),
    ("MAIL_DAILY_LIMIT", "all"),
    ("ALLOW_GUESTS", "maybe"),
    ("MAIL_USE_TLS", "2"),
    ("MAIL_USE_SSL", "tls"),
    ("LOG_LEVEL", "LOUD"),
    ("LOG_FORMAT", "xml"),
    ("TRUSTED_PROXIES", "-1"),
    ("TRUSTED_PROXIES", "all"),
    ("BASE_URL", "errand.example"),
    ("BASE_URL", "ftp://errand.example"),
    ("BASE_URL", "https://"),
    ("BASE_URL", "https://errand example"),
    ("BASE_URL", "https://errand.example/?from=mail"),
    ("BASE_URL", "https://errand.example/#top"),
    ("BASE_URL", "https://ann:hunter2@errand.example"),
    ("DATABASE_URL", "errand.db"),
    ("DATABASE_URL", "mongodb://db.example/errand"),
    ("DATABASE_URL", "sqlite://errand.db"),
    ("DATABASE_URL", "sqlite:///"),
    ("DATABASE_URL", "sqlite:errand.db"),
    ("DATABASE_URL", "postgres://db.example/errand?nothing_of_the_kind=1"),
    ("REDIS_URL", "localhost:6379"),
    ("REDIS_URL", "http://redis.example"),
    ("REDIS_URL", "redis://redis.example?nothing_of_the_kind=1"),
    ("REDIS_URL", "rediss://redis.example?ssl_cert_reqs=perhaps"),
    ("REDIS_URL", "redis://redis.example?socket_timeout=long"),
    ("REDIS_URL", "redis://redis.example/zero?db=zero"),
    ("DATA_DIR", "/proc/nowhere"),
    ("DATA_DIR", "~nobody-of-that-name/errand"),
    ("SECRET_KEY", "x"),
    ("SECRET_KEY", "fifteen letters"),
    ("MAIL_DEFAULT_SENDER", "notanaddress"),
    ("MAIL_DEFAULT_SENDER", "Errand <errand at example.com>"),
    ("MAIL_DEFAULT_SENDER", "errand@example.com\r\nBcc: eve@example.com"),
    ("MAIL_DEFAULT_SENDER", "Errand <errånd@example.com>"),
    ("APP_NAME", "Acme <b>"),
    ("APP_NAME", "Acme\r\nBcc: eve@example.com"),
    ("APP_NAME", "A" * 41),
    ("MAIL_SERVER", "smtp://mail.example"),
    ("MAIL_SERVER", "mail example"),
    ("HSTS_SUBDOMAINS", "all"),
    ("ADMINS", "ops"),
    ("ADMINS", "ops@example.com;ann@example.com"),
    ("ADMINS", "Ann <ann@example.com>"),
    ("ADMINS", ",".join(f"ops{number}@example.com" for number in range(11))),
    ("SENTRY_DSN", "sentry.example/1"),
    ("SENTRY_DSN", "https://sentry.example/1"),
    ("SENTRY_DSN", "https://hunter2@sentry.example/project"),
    ("PORT", "9" * 5000),
]


@pytest.mark.parametrize(("name", "value"), BAD)
def test_bad_value_is_reported_in_one_line_with_its_variable(read, name, value):
    with pytest.raises(SettingsError) as refused:
        read(**{"SECRET_KEY": KEY, name: value})
    [problem] = refused.value.problems
    assert problem.startswith(name)
    assert len(problem.splitlines()) == 1
    assert len(problem) < 200


CONTRADICTIONS = {
    "MAIL_USE_TLS": {"MAIL_SERVER": "mail.example", "MAIL_USE_TLS": "1", "MAIL_USE_SSL": "1"},
    "MAIL_USERNAME": {"MAIL_SERVER": "mail.example", "MAIL_USERNAME": "ann", "MAIL_USE_TLS": "1"},
    "MAIL_USERNAME and": {"MAIL_SERVER": "mail.example", "MAIL_PASSWORD": "hunter2"},
    "MAIL_USERNAME is set, but": {
        "MAIL_USERNAME": "ann",
        "MAIL_PASSWORD": "hunter2",
        "MAIL_USE_TLS": "1",
    },
    "MAIL_USERNAME needs": {"MAIL_SERVER": "mail.example", "MAIL_USERNAME": "ann", "MAIL_PASSWORD": "hunter2"},
    "ARTIFACT_DAYS": {"ARTIFACT_DAYS": "30", "RETENTION_DAYS": "1"},
    "TASK_SWEEP_SECONDS": {"TASK_LEASE_SECONDS": "2", "TASK_SWEEP_SECONDS": "3600"},
    "TASK_SWEEP_SECONDS must": {"TASK_SWEEP_SECONDS": "3600"},
    "ARTIFACT_DAYS must": {"ARTIFACT_DAYS": "60"},
    "DEV_MAILBOX": {"DEV_MAILBOX": "1", "BASE_URL": "https://errand.example"},
    "DEV_MAILBOX shows": {"DEV_MAILBOX": "1", "DATABASE_URL": "postgres://db.example/e", "SECRET_KEY": "k" * 32},
}


@pytest.mark.parametrize("words", CONTRADICTIONS)
def test_contradicting_settings_are_reported(read, words):
    with pytest.raises(SettingsError) as refused:
        read(**CONTRADICTIONS[words])
    [problem] = refused.value.problems
    assert problem.startswith(words)
    assert "hunter2" not in problem


def test_admins_are_addresses_each_once_and_without_a_mail_server_a_warning_says_so(read):
    settings = read(ADMINS=" ann@example.com, bob@example.com,,ann@example.com", DEV_MAILBOX="0")
    assert settings.admins == ("ann@example.com", "bob@example.com")
    [warning] = settings.warnings
    assert "ADMINS" in warning
    dsn = "https://key@sentry.example/errand/1"
    assert read(SENTRY_DSN=dsn, ADMINS="ann@example.com", DEV_MAILBOX="0").warnings == []
    assert read(SENTRY_DSN=dsn).sentry_dsn == dsn


def test_mail_comes_from_the_name_of_the_site(read):
    assert read().mail_default_sender == "Errand <errand@localhost>"
    assert read(APP_NAME="Pulse, by Köhler & Co").mail_default_sender == '"Pulse, by Köhler & Co" <errand@localhost>'


def test_a_scheme_in_capitals_is_the_same(read):
    settings = read(BASE_URL="HTTPS://errand.example/")
    assert (settings.base_url, settings.secure) == ("https://errand.example", True)


def test_log_format_is_a_word_in_any_case_and_heroku_says_the_time_itself(read):
    assert (read().log_format, read(LOG_FORMAT="JSON", LOG_LEVEL="debug").log_format) == ("text", "json")
    assert (read().log_times, read(DYNO="web.1").log_times) == (True, False)


def test_files_are_kept_no_longer_than_their_tasks(read):
    assert read(RETENTION_DAYS="1").artifact_days == 1
    assert read().artifact_days == 7


MISSPELT = {
    "TASK_LEASE_SECOND": "TASK_LEASE_SECONDS",
    "MAIL_SEVER": "MAIL_SERVER",
    "DATABSE_URL": "DATABASE_URL",
    "WORKER_CONCURENCY": "WORKER_CONCURRENCY",
    "TRUSTED_PROXY": "TRUSTED_PROXIES",
}


def test_a_quota_is_set_for_accounts_and_for_guests_and_none_is_unlimited(read):
    quotas = read(QUOTA_STORAGE_MB="7", GUEST_QUOTA_STORAGE_MB="0").quotas
    assert (quotas[Quota.STORAGE], quotas[Quota.POSTS]) == (Most(7_000_000, None), DEFAULTS[Quota.POSTS])
    assert read(**NO_QUOTAS).quotas == UNLIMITED


@pytest.mark.parametrize(("name", "meant"), MISSPELT.items())
def test_misspelled_setting_is_reported(read, name, meant):
    with pytest.raises(SettingsError, match=rf"^{name} is not a setting: did you mean {meant}\?$"):
        read(**{name: "1"})


def test_unrelated_variables_are_ignored(read):
    others = (
        "HOST",
        "PORTS",
        "MAIL",
        "TASK_ID",
        "MAILTO",
        "REDIS_HOST",
        "DATABASE_NAME",
        "LOG_FILE",
        "LOGLEVEL",
        "SECRET_KEYS_DIR",
    )
    read(REDIS_URL="redis://localhost", REDIS_URI="redis://localhost", SECRET_KEY=KEY, **dict.fromkeys(others, "x"))


def test_all_problems_are_reported_at_once(read):
    with pytest.raises(SettingsError) as refused:
        read(PORT="http", SECRET_KEY="x", MAIL_SEVER="mail.example", TASK_SWEEP_SECONDS="-1", BASE_URL="here")
    named = [problem.split()[0] for problem in refused.value.problems]
    assert sorted(named) == ["BASE_URL", "MAIL_SEVER", "PORT", "SECRET_KEY", "TASK_SWEEP_SECONDS"]
    assert [line.split()[0] for line in refused.value.report.splitlines()] == ["errand:"] * 5


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL"])
@pytest.mark.parametrize("password", ["hunter2", "hunter2/x", "hunter2?x", "hunter2#x", "hunter2[", "hunter2\u2100"])
def test_bad_url_is_reported_without_its_password(read, name, password):
    scheme = "http" if password == "hunter2" else "postgres" if name == "DATABASE_URL" else "redis"
    with pytest.raises(SettingsError) as refused:
        read(**{"SECRET_KEY": KEY, name: f"{scheme}://user:{password}@host.example/0"})
    [problem] = refused.value.problems
    assert "hunter2" not in problem


def test_without_any_variable_everything_is_embedded(read, tmp_path):
    settings = read()
    assert settings.database_url == f"sqlite:///{tmp_path / 'errand.db'}"
    assert settings.redis_url is None
    assert (settings.port, settings.base_url) == (5000, "http://127.0.0.1:5000")
    assert (settings.mailbox, settings.mail_server) == (True, "127.0.0.1")
    assert (settings.allow_guests, settings.secure, settings.trusted_proxies) == (True, False, 0)


def test_an_empty_variable_counts_as_unset(read):
    names = {name for name, _ in BAD} - {"DATA_DIR"}
    assert read(**dict.fromkeys(names, "")) == read()
    assert read(**dict.fromkeys(names, "  ")) == read()


@pytest.mark.parametrize("value", ["0", "false", "No", "OFF"])
def test_a_switch_can_be_off(read, value):
    assert read(ALLOW_GUESTS=value).allow_guests is False


@pytest.mark.parametrize("url", ["redis://localhost:6379/0", "rediss://:p@redis.example:6380"])
def test_redis_with_or_without_tls(read, url):
    settings = read(SECRET_KEY=KEY, REDIS_URL=url)
    assert settings.redis_url.startswith(url)
    assert settings.redis_url == url, "certificates are verified"


def test_herokus_redis_has_a_certificate_that_nobody_can_verify(read):
    url = "rediss://:p@redis.example:6380"
    assert read(SECRET_KEY=KEY, REDIS_URL=url, DYNO="web.1").redis_url == f"{url}?ssl_cert_reqs=none"
    url += "?ssl_cert_reqs=required"
    assert read(SECRET_KEY=KEY, REDIS_URL=url, DYNO="web.1").redis_url == url


@pytest.mark.parametrize(
    "url",
    [
        "postgres://user:p%40ss@db.example:5432/errand",
        "postgresql://user:p%40ss@db.example:5432/errand",
        "sqlite:////srv/errand/errand.db",
        "sqlite:///errand.db",
    ],
)
def test_database_addresses_work_as_they_are_given(read, url):
    assert read(SECRET_KEY=KEY, DATABASE_URL=url).database_url == url


def test_postgres_as_heroku_spells_it_reaches_a_real_server(make_app, postgres_url):
    app = make_app(database_url=postgres_url.replace("postgresql://", "postgres://"))
    assert app.test_client().get("/readyz").status_code == 200


# The secret


@pytest.mark.parametrize("variable", [{"REDIS_URL": "redis://localhost"}, {"DATABASE_URL": "postgres://localhost/e"}])
def test_a_deployed_site_demands_a_secret_key(read, variable):
    with pytest.raises(SettingsError, match="SECRET_KEY must be set"):
        read(**variable)
    assert read(SECRET_KEY=KEY, **variable).secret_key == KEY


def test_a_site_on_its_own_finds_its_secret_again(read, tmp_path):
    key = read().secret_key
    assert len(key) == 64
    assert read().secret_key == key
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


def _key(folder: str) -> str:
    return Settings.from_env({"DATA_DIR": folder}).secret_key


def test_processes_that_start_at_once_have_the_same_secret(tmp_path):
    with get_context("spawn").Pool(4) as pool:
        assert len(set(pool.map(_key, [str(tmp_path)] * 16))) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


# Proxies, addresses, mail


def test_heroku_has_one_router_before_every_dyno(read):
    assert read(DYNO="web.1", **DEPLOYED).trusted_proxies == 1
    assert read(**DEPLOYED).trusted_proxies == 0
    assert read(DYNO="web.1", TRUSTED_PROXIES="2", **DEPLOYED).trusted_proxies == 2


def test_cookies_demand_https_where_people_come_by_https(read):
    assert read(DYNO="web.1", **DEPLOYED).secure
    assert read(BASE_URL="https://errand.example").secure
    assert not read(BASE_URL="http://errand.example").secure
    assert not read(**DEPLOYED).secure


def test_the_mailbox_is_there_only_where_no_mail_server_is_set(read):
    assert read().mailbox
    assert not read(MAIL_SERVER="mail.example").mailbox
    deployed = read(**DEPLOYED)
    assert (deployed.mailbox, deployed.mail_server) == (False, None)
    reached = read(BASE_URL="https://errand.example")
    assert (reached.mailbox, reached.mail_server) == (False, None), "everybody could read everybody's mail"


def test_stored_files_are_private_to_the_user(tmp_path):
    folder = tmp_path / "data"
    Settings.from_env({"DATA_DIR": str(folder)})
    (folder / "errand.db").touch(0o644)
    (folder / "errand.db").chmod(0o644)
    (folder / "mail").mkdir()
    (folder / "mail").chmod(0o755)
    Settings.from_env({"DATA_DIR": str(folder)})
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / "mail")} == {0o700}
    assert stat.S_IMODE((folder / "errand.db").stat().st_mode) == 0o600
    (folder / "new").touch()
    assert stat.S_IMODE((folder / "new").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("variables", "port"), [({}, 587), ({"MAIL_USE_SSL": "1"}, 465), ({"MAIL_PORT": "2525"}, 2525)]
)
def test_the_mail_port_follows_from_how_the_line_is_encrypted(read, variables, port):
    assert read(MAIL_SERVER="mail.example", **variables).mail_port == port


def test_mail_is_encrypted_one_way_or_the_other(read):
    with pytest.raises(SettingsError, match="MAIL_USE_TLS and MAIL_USE_SSL"):
        read(MAIL_SERVER="mail.example", MAIL_USE_TLS="1", MAIL_USE_SSL="1")


def test_unencrypted_mail_is_a_warning(read):
    assert "MAIL_USE_TLS" in read(MAIL_SERVER="mail.example").warnings[0]
    assert not read(MAIL_SERVER="mail.example", MAIL_USE_TLS="1").warnings
    assert not read(MAIL_SERVER="localhost").warnings
    assert not read().warnings


# Starting with a bad value

COMMANDS = {
    "web": [BIN / "gunicorn", "webapp.wsgi:app"],
    "worker": [sys.executable, "-m", "tasks.worker"],
    "dev": [sys.executable, "-m", "webapp.dev"],
    "mailbox": [sys.executable, "-m", "webapp.dev.mailbox"],
    "migrate": [BIN / "flask", "--app", "webapp.wsgi", "migrate"],
}
STARTS = [(command, "SECRET_KEY", {"REDIS_URL": "redis://localhost:1"}) for command in COMMANDS] + [
    ("dev", "WEB_CONCURRENCY", {"WEB_CONCURRENCY": "many"}),
    ("dev", "PORT", {"PORT": "70000"}),
    ("dev", "BASE_URL", {"BASE_URL": "ftp://errand.example"}),
    ("dev", "Redis does not answer", {"REDIS_URL": "redis://127.0.0.1:1", "SECRET_KEY": KEY}),
]


@pytest.mark.parametrize(("command", "words", "variables"), STARTS, ids=[f"{start[0]}-{start[1]}" for start in STARTS])
def test_nothing_starts_with_a_bad_value(tmp_path, command, words, variables):
    env = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path), "PORT": str(free_port())} | variables
    done = subprocess.run(COMMANDS[command], cwd=ROOT, env=env, capture_output=True, text=True, timeout=30)
    assert done.returncode > 0
    assert "Traceback" not in done.stdout + done.stderr
    assert [words in line for line in done.stderr.splitlines() if line] == [True], done.stderr


def test_make_run_for_a_site_that_others_reach_has_no_mailbox(monkeypatch):
    monkeypatch.delenv("DEV_MAILBOX", raising=False)
    for url, has_mailbox in (("https://errand.example", False), ("http://[", False), ("http://localhost:1", True)):
        monkeypatch.setenv("BASE_URL", url)
        assert ("DEV_MAILBOX" in dev.environment()) == has_mailbox


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_tells_all_that_is_wrong(tmp_path, command):
    wrong = {"WORKER_CONCURRENCY": "many", "SECRET_KEY": "x", "MAIL_SEVER": "mail.example"}
    wrong |= {"DATABASE_URL": "mongodb://db.example", "PORT": "http"}
    env = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path)} | wrong
    done = subprocess.run(COMMANDS[command], cwd=ROOT, env=env, capture_output=True, text=True, timeout=30)
    assert done.returncode > 0
    assert sorted(line.split()[:2] for line in done.stderr.splitlines()) == [
        ["errand:", name] for name in sorted(wrong)
    ]
