"""What must not go into production does not start, and says what to set instead."""

import ast
import os
import re
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from django.conf import settings

from tests.own_server import OwnServer

SAFE = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "kZ3r8Qe1Vb6mT0yWc5Hx7Jd2Lf9Ng4Pa-Us_Ri.Oo,Ek+Ym=Tq8",
    "JWT_SECRET_KEY": "9pLw2Xs7Bv4Nc6Mz1Kj8Hg3Fd5Sa0QeTyUi",
    "ALLOWED_HOSTS": "orders.example.com",
    "CORS_ORIGINS": "https://tablet.example.com",
    "DATABASE_URL": "sqlite:///:memory:",
}


def manage(*args, **environment):
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", *args], cwd=settings.BASE_DIR, env=kept | environment, capture_output=True, text=True, timeout=60
    )


def setting(name, **environment) -> str:
    done = manage("shell", "-v0", "-c", f"from django.conf import settings; print(settings.{name})", **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.removesuffix("\n")


def test_a_page_that_may_read_the_api_may_not_send_the_admins_forms():
    assert setting("CSRF_TRUSTED_ORIGINS", **SAFE) == "[]"


def test_safe_production_settings_pass_the_deployment_check():
    done = manage("check", "--deploy", "--fail-level", "WARNING", **SAFE)
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"SECRET_KEY": ""}, "E011"),
        ({"SECRET_KEY": "short"}, "E011"),
        ({"SECRET_KEY": settings.INSECURE_SECRET_KEY}, "E011"),
        ({"JWT_SECRET_KEY": ""}, "E012"),
        ({"JWT_SECRET_KEY": SAFE["SECRET_KEY"]}, "E013"),
        ({"ALLOWED_HOSTS": ""}, "E014"),
        ({"ALLOWED_HOSTS": "*"}, "E014"),
        ({"ALLOWED_HOSTS": "https://orders.example.com"}, "E014"),
        ({"ALLOWED_HOSTS": "orders.example.com:443"}, "E014"),
        ({"ALLOWED_HOSTS": "orders.example.com/"}, "E014"),
        ({"CORS_ORIGINS": "*"}, "E015"),
        ({"CORS_ORIGINS": "https://tablet.example.com/page"}, "E015"),
        ({"CORS_ORIGINS": "http://tablet.example.com"}, "E015"),
        ({"CORS_ORIGINS": "https://*.example.com"}, "E015"),
        ({"DATABASE_URL": ""}, "E016"),
        ({"DATABASE_URL": "postgres://tableorder@db.example.com/tableorder"}, "E017"),
        ({"LOG_LEVEL": "DEBUG"}, "E018"),
        ({"LOG_LEVEL": "verbose"}, "E021"),
        ({"JWT_ALGORITHM": "none"}, "E003"),
        ({"JWT_ALGORITHM": "RS256"}, "E007"),
        ({"JWT_EXPIRE_HOURS": "100000"}, "E004"),
        ({"JWT_EXPIRE_HOURS": "0"}, "E004"),
        ({"SESSION_EXPIRE_HOURS": "-1"}, "E022"),
        ({"SESSION_EXPIRE_HOURS": "99999999"}, "E022"),
        ({"HISTORY_RETENTION_MONTHS": "99999"}, "E006"),
        ({"JOURNAL_RETENTION_DAYS": "9999999"}, "E006"),
        ({"TABLET_REFRESH_DAYS": "9999999"}, "E006"),
        ({"REDIS_URL": "cache.example.com:6379"}, "E019"),
        ({"RABBITMQ_URL": "bus.example.com:5672"}, "E020"),
        ({"RABBITMQ_URL": "amqp://user:password@bus.example.com:port//"}, "E020"),
        ({"AWS_S3_ENDPOINT_URL": "minio.example.com:9000", "S3_BUCKET_NAME": "table-order-images-prod"}, "E023"),
        ({"AWS_LOGS_ENDPOINT_URL": "logs.example.com"}, "E023"),
        ({"AWS_REGION": "Asia Pacific (Seoul)"}, "E024"),
        ({"S3_BUCKET_NAME": "s3://table-order-images-prod"}, "E025"),
        ({"ENVIRONMENT": "prodution"}, "E001"),
        ({"SERVE": "everything"}, "E002"),
    ],
    ids=lambda value: value if isinstance(value, str) else "=".join(next(iter(value.items()))),
)
def test_an_unsafe_setting_refuses_to_start_with_a_hint(change, code):
    done = manage("check", **(SAFE | change))
    assert done.returncode != 0
    assert f"tableorder.{code}" in done.stderr
    assert "HINT" in done.stderr


MAY_BE_ZERO = ["RATE_LIMIT_PER_MINUTE", "ORDER_RATE_PER_MINUTE", "LOGIN_RATE_PER_MINUTE", "TRUSTED_PROXIES"]
HOURS = ["SESSION_EXPIRE_HOURS", "SESSION_LAST_ORDER_TIMEOUT_HOURS"]
ABOVE_ZERO = ["HISTORY_RETENTION_MONTHS", "JOURNAL_RETENTION_DAYS", "TABLET_REFRESH_DAYS", "DATABASE_POOL_SIZE", "WEB_CONCURRENCY"]
ABOVE_ZERO += ["DATABASE_CONNECTION_LIMIT"]


def test_what_a_zero_switches_off_may_be_zero_and_nothing_else():
    assert manage("check", **(SAFE | dict.fromkeys(MAY_BE_ZERO + HOURS, "0"))).returncode == 0
    done = manage("check", **(SAFE | dict.fromkeys(MAY_BE_ZERO + HOURS, "-1") | dict.fromkeys(ABOVE_ZERO, "0")))
    assert done.returncode != 0
    assert set(re.findall(r"tableorder.E005\) (\w+) is negative", done.stderr)) == set(MAY_BE_ZERO)
    assert set(re.findall(r"tableorder.E022\) (\w+) is -1", done.stderr)) == set(HOURS)
    assert set(re.findall(r"tableorder.E006\) (\w+) is 0", done.stderr)) == set(ABOVE_ZERO)


def test_a_server_without_workers_does_not_listen():
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py"]
    environment = {"PATH": os.environ["PATH"], "WEB_CONCURRENCY": "0", "BIND": "127.0.0.1:0"}
    done = subprocess.run(command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, timeout=20)
    assert done.returncode != 0 and "WEB_CONCURRENCY=0" in done.stderr


@pytest.mark.parametrize("server", ["config.wsgi", "config.asgi"])
def test_the_server_refuses_too(server):
    done = subprocess.run(
        [sys.executable, "-c", f"import {server}"],
        cwd=settings.BASE_DIR,
        env={"PATH": os.environ["PATH"]} | SAFE | {"ALLOWED_HOSTS": "*"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0
    assert "tableorder.E014" in done.stderr


def test_production_has_its_pages_also_before_their_files_are_collected(tmp_path):
    environment = SAFE | {"ALLOWED_HOSTS": "127.0.0.1", "DATABASE_URL": f"sqlite:///{tmp_path / 'server.sqlite3'}"}
    assert manage("migrate", "-v0", **environment).returncode == 0
    with OwnServer(tmp_path, **environment) as server:
        page = server.get("/admin/login/")
        found = re.findall(r'"(/static/[^"]+\.(?:css|js))"', page)
        assert found
        assert all(server.get(path) for path in found)


def test_the_relay_refuses_too():
    """It looks at less than other commands do when they start."""
    done = manage("relay_events", **(SAFE | {"ALLOWED_HOSTS": "*"}))
    assert done.returncode != 0
    assert "tableorder.E014" in done.stderr


@pytest.mark.parametrize("name", ["JWT_EXPIRE_HOURS", "JWT_EXPIRATION_HOURS"])
def test_the_older_name_of_a_variable_is_accepted(name):
    assert setting("JWT_EXPIRE_HOURS", **{name: "1.5"}) == "1.5"


def test_a_secret_may_come_from_a_file(tmp_path):
    (tmp_path / "key").write_text(SAFE["JWT_SECRET_KEY"])
    environment = SAFE | {"JWT_SECRET_KEY_FILE": str(tmp_path / "key")}
    del environment["JWT_SECRET_KEY"]
    assert manage("check", **environment).returncode == 0
    (tmp_path / "key").unlink()
    done = manage("check", **environment)
    assert done.returncode != 0 and "JWT_SECRET_KEY_FILE can't be read" in done.stderr


def test_a_secret_is_taken_as_it_is(tmp_path):
    secret = " $ECRET_KEY-and-more-of-it-0123456789-abc "
    assert setting("JWT_SECRET_KEY", JWT_SECRET_KEY=secret) == secret
    (tmp_path / "key").write_text(f"{secret}\n")  # as an editor and `echo` write it
    assert setting("JWT_SECRET_KEY", JWT_SECRET_KEY_FILE=str(tmp_path / "key")) == secret


def test_an_empty_value_is_none():
    names = ["JWT_SECRET_KEY", "RATE_LIMIT_PER_MINUTE", "SESSION_EXPIRE_HOURS", "TRUSTED_PROXIES", "LOG_LEVEL", "SERVE", "ALLOWED_HOSTS"]
    for name in names:
        assert setting(name, **dict.fromkeys(names, "")) == setting(name)


def test_lists_may_have_spaces():
    assert setting("ALLOWED_HOSTS", ALLOWED_HOSTS="a.example, b.example") == "['a.example', 'b.example']"
    assert (
        setting("CORS_ALLOWED_ORIGINS", CORS_ORIGINS="https://a.example/, https://b.example, ")
        == "['https://a.example', 'https://b.example']"
    )
    assert (
        setting("CORS_ALLOWED_ORIGINS", CORS_ORIGINS="https://a.example, https://b.example/")
        == "['https://a.example', 'https://b.example']"
    )


@pytest.mark.parametrize(("name", "value"), [("RATE_LIMIT_PER_MINUTE", "1O0"), ("JWT_EXPIRE_HOURS", "many"), ("JWT_EXPIRE_HOURS", "nan")])
def test_what_is_no_number_is_named(name, value):
    done = manage("check", **{name: value})
    assert done.returncode != 0
    assert f"ImproperlyConfigured: {name} is '{value}'" in done.stderr


@pytest.mark.parametrize("url", ["nonsense", "postgresql+asyncpg://user:hidden@db/name", "oracle://user:hidden@db/name"])
def test_a_database_of_another_kind_is_refused_without_its_password(url):
    done = manage("check", DATABASE_URL=url)
    assert done.returncode != 0
    assert "DATABASE_URL can't be read" in done.stderr
    assert "hidden" not in done.stderr


def write_keys(folder, size=2048):
    key = rsa.generate_private_key(public_exponent=65537, key_size=size)
    private, public = folder / "private.pem", folder / "public.pem"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    private.chmod(0o600)
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return {"JWT_ALGORITHM": "RS256", "JWT_PRIVATE_KEY_PATH": str(private), "JWT_PUBLIC_KEY_PATH": str(public)}


def test_rs256_signs_with_a_key_pair(tmp_path):
    code = (
        "from stores.auth import TabletAccess; import jwt; token = str(TabletAccess());"
        "print(jwt.get_unverified_header(token)['alg'], TabletAccess(token).payload['aud'])"
    )
    done = manage("shell", "-v0", "-c", code, **(SAFE | write_keys(tmp_path)))
    assert done.stdout.split() == ["RS256", "tableorder"], done.stderr


def test_a_private_key_that_everybody_may_read_is_refused(tmp_path):
    keys = write_keys(tmp_path)
    (tmp_path / "private.pem").chmod(0o644)
    assert "tableorder.E010" in manage("check", **(SAFE | keys)).stderr


def test_a_short_key_is_refused(tmp_path):
    assert "tableorder.E009" in manage("check", **(SAFE | write_keys(tmp_path, size=1024))).stderr


def test_keys_that_do_not_belong_together_are_refused(tmp_path):
    keys = write_keys(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    keys["JWT_PUBLIC_KEY_PATH"] = write_keys(other)["JWT_PUBLIC_KEY_PATH"]
    assert "tableorder.E008" in manage("check", **(SAFE | keys)).stderr


def test_too_many_connections_for_the_database_are_told():
    crowded = {"DATABASE_URL": "postgres://u:p@127.0.0.1/x", "WEB_CONCURRENCY": "4", "DATABASE_POOL_SIZE": "10"}
    done = manage("check", "--fail-level", "WARNING", **(SAFE | crowded))
    assert done.returncode != 0
    assert "tableorder.W001" in done.stderr
    assert "41 database connections" in done.stderr
    beside_streams = crowded | {"SERVE": "api", "WEB_CONCURRENCY": "3", "DATABASE_POOL_SIZE": "4"}
    done = manage("check", "--fail-level", "WARNING", **(SAFE | beside_streams))
    assert "17 database connections" in done.stderr, "the streams' unit has a pool too"


@pytest.mark.parametrize(("serve", "workers"), [("all", 7), ("api", 3)])
def test_as_it_comes_a_pool_fits_beside_the_others(serve, workers):
    many = {"DATABASE_URL": "postgres://u:p@127.0.0.1/x", "SERVE": serve, "WEB_CONCURRENCY": str(workers)}
    assert "tableorder.W001" not in manage("check", **(SAFE | many)).stderr


def test_the_example_can_be_taken_as_it_is():
    """Every line of it, as `.env`, systemd and containers read it, is what there is without it."""
    example = (settings.BASE_DIR / ".env.example").read_text()
    lines = dict(re.findall(r"^#?([A-Z0-9_]+)=(.*)$", example, re.MULTILINE))
    code = f"from django.conf import settings as s; print({{name: getattr(s, name) for name in {[*lines]} if hasattr(s, name)}})"
    otherwise = {"DATABASE_STATEMENT_TIMEOUT": "4"}  # manage.py has a default of its own
    without, taken = (ast.literal_eval(manage("shell", "-v0", "-c", code, **given).stdout) for given in (otherwise, lines))
    assert taken.pop("MEDIA_ROOT") == os.path.basename(without.pop("MEDIA_ROOT"))
    assert taken == without
    assert not manage("check", **lines).returncode


def test_options_in_the_database_url_are_kept():
    code = "from django.conf import settings; print(settings.DATABASES['default']['OPTIONS']['sslmode'])"
    done = manage("shell", "-v0", "-c", code, **(SAFE | {"DATABASE_URL": "postgres://u:p@127.0.0.1/x?sslmode=verify-full"}))
    assert done.stdout.strip() == "verify-full", done.stderr


def test_a_command_says_in_a_sentence_that_the_database_is_away(tmp_path):
    """Not in a hundred lines: it runs every minute, and somebody gets the mail."""
    place = {"DATABASE_URL": f"sqlite:///{tmp_path}/empty.sqlite3"}  # as good as away: there is no table
    done = manage("expire_sessions", **place)
    assert done.returncode == 1
    assert done.stderr == "The database: no such table: sessions_app_tablesession\n"
    assert "Traceback" in manage("expire_sessions", "--traceback", **place).stderr
