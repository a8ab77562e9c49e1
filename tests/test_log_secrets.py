"""Secrets with a mark on them go through every door, well-formed and malformed, past code that fails; then we look
for the marks in everything that the log has written, to every sink."""

import asyncio
import itertools
import json
import logging.config
import re
import uuid

import pytest
from django.conf import settings
from django.core.signing import Signer
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import override_settings

from stores import auth
from stores.api import endpoint
from tableorder import api, cloudwatch
from tableorder.logging import configuration
from tests.own_cloudwatch import GROUP, KEYS, REGION, OwnCloudWatch
from tests.routes import METHODS, PARAMETER, Bodies, furnish, id_of, routes, views_below
from tests.stores import stream_client
from tests.world import API, PASSWORD, Caller, staff_of, tablet_of

MARK = "kanarienvogel"  # in no word of ours
SECRETS = {name: f"{MARK}-{name}-{uuid.uuid4().hex}" for name in ("password", "query", "header", "cookie", "body", "file", "key")}

log = logging.getLogger("tests")


@pytest.fixture(scope="module")
def cloud():
    with OwnCloudWatch() as cloud:
        yield cloud


@pytest.fixture
def sinks(tmp_path, cloud, monkeypatch, capsys):
    """All three of them, as the settings would set them up; what each one got."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(cloudwatch, "SEND_EVERY", 0.2)
    cloud.empty()
    path = tmp_path / "app.log"
    target = {"group": GROUP, "region": REGION, "endpoint": cloud.endpoint}
    import config.asgi  # noqa: F401  the streams' program; it sets the log up as it is loaded, so not after this

    # DEBUG, which production refuses: not even that may tell.
    logging.config.dictConfig(configuration(level="DEBUG", file=str(path), cloudwatch=target, secrets=[SECRETS["key"]]))
    # What the libraries of the test say about its own work is not ours.
    for name in ("asyncio", "werkzeug", "faker", "PIL"):
        logging.getLogger(name).setLevel("WARNING")

    def read() -> dict[str, list[str]]:
        log.info("that was all")
        return {
            "cloudwatch": cloud.wait_for("that was all"),
            "stdout": capsys.readouterr().out.splitlines(),
            "file": path.read_text().splitlines(),
        }

    yield read
    logging.config.dictConfig(settings.LOGGING)


def test_no_secret_reaches_a_sink(ours, sinks, monkeypatch, transactional_db):
    furnish(ours)
    holders = {"staff": staff_of(ours.store, ours.owner).token, "tablet": tablet_of(ours.table).token}
    secrets = [MARK, PASSWORD, *holders.values(), *knock_everywhere(ours, holders)]
    secrets += fail_with_them_in_hand(ours, holders, monkeypatch)
    asyncio.run(listen(holders))
    found = sinks()

    assert len(found["file"]) > 500, "the control: hardly anything was written"
    assert sorted(found["file"]) == sorted(found["cloudwatch"]) == sorted(line for line in found["stdout"] if line.startswith("{"))
    for line in found["file"]:
        told = json.loads(line)
        # Of a token the middle says whose it is, and the end makes it one.
        for secret in secrets:
            for part in [secret, *secret.split(".")[1:]]:
                assert part not in line, (part, told)


def test_the_control_a_secret_in_a_plain_text_would_be_found(sinks):
    log.info("nothing looks secret about %s", SECRETS["body"])
    for lines in sinks().values():
        assert any(SECRETS["body"] in line for line in lines)


# --- Every door -------------------------------------------------------------------------------------------------


def knock_everywhere(ours, holders) -> list[str]:
    """All methods at all addresses, with secrets wherever a request has room for them. Returns the tokens it was given."""
    refresh = log_in("tablet", table="1", password="2580", store="ours")["refresh"]
    given = [refresh, log_in("tablet", table="1", password=SECRETS["password"], store="ours").get("access", MARK)]
    for route in routes():
        path = route.at(**{name: id_of(ours.store, name) for name in route.parameters})
        holder = holders["tablet" if route.path.startswith("tablet/") else "staff"]
        for method in METHODS:
            if path == "staff/logout" and method == "POST":
                continue
            body, _ = Bodies(route, method).make(lambda number: ours.store)
            contents = list(bodies(marked(body, refresh)))[: None if method in ("POST", "PUT", "PATCH") else 1]
            for content, token in zip(contents, itertools.cycle([holder, SECRETS["header"], f"{holder[:-4]}aaaa"])):
                knock(method, API + path, content, token)
                knock(method, API + path, content, holder)
    for path in views_below("admin/"):
        for method in ("GET", "POST"):
            knock(method, "/" + some_address(path), form(), "", client=visitor(ours))
    for path in ("/", f"/nowhere/{'x' * 20}", "/api/docs/", "/tablet/", "/media/a.jpg", "/static/x.css", "/metrics", "/health/ready"):
        knock("GET", path, b"", holders["staff"])
    return given


def knock(method, path, content, token, client=None):
    client = client or Client(raise_request_exception=False)
    client.cookies["theme"] = SECRETS["cookie"]
    headers = {"authorization": f"Bearer {token}", "x-note": SECRETS["header"], "idempotency-key": uuid.uuid4().hex}
    kind = "application/x-www-form-urlencoded" if content.startswith(b"csrf") else "application/json"
    query = f"token={SECRETS['query']}&access={token}&cursor={SECRETS['query']}"
    client.generic(method, f"{path}?{query}", content, content_type=kind, headers=headers)


def marked(value, refresh, name=""):
    """The body with secrets for its texts."""
    if isinstance(value, dict):
        return {key: marked(inner, refresh, key) for key, inner in value.items()} | {SECRETS["body"]: SECRETS["body"]}
    if isinstance(value, list):
        return [marked(inner, refresh, name) for inner in value]
    if name == "refresh":
        return refresh
    return (
        SECRETS["password" if name == "password" else "body"][:90] if value == "text" else str(value) if isinstance(value, bytes) else value
    )


def bodies(body):
    text = json.dumps(body)
    yield text.encode()
    yield text[:-2].encode()
    yield text.encode("utf-16")
    yield (text * (1 + 70_000 // len(text))).encode()
    yield b'{"password": "' + SECRETS["password"].encode() + b'", "password": "\xff\x00"}'
    yield f'{{"password": ["{SECRETS["password"]}", {{"token": "{SECRETS["body"]}"}}], "store": {"[" * 30}'.encode()


def form() -> bytes:
    names = ("csrfmiddlewaretoken", "username", "password", "password1", "password2", "new_password", "q", "note", "name", "number", "file")
    return "&".join(f"{name}={SECRETS['password']}" for name in names).encode()


def visitor(ours):
    client = Client(raise_request_exception=False)
    client.force_login(ours.owner)
    return client


def some_address(path) -> str:
    """An address that the pattern leads to, as far as a guess takes one."""
    path = re.sub(r"\(\?P<\w+>([\w|]+)?[^)]*\)", lambda found: (found[1] or "stores").split("|")[0], path)
    path = PARAMETER.sub(lambda found: str(uuid.uuid4()) if found[1] == "uuid" else f"1-{SECRETS['query']}", path)
    return re.sub(r"[\^$\\?]", "", path)


def log_in(who, **body) -> dict:
    return Caller().post(f"{who}/login", body).json()


# --- Code that fails with secrets in its hands --------------------------------------------------------------------


def fail_with_them_in_hand(ours, holders, monkeypatch) -> list[str]:
    signed = Signer().sign(SECRETS["cookie"])

    def quoting_the_body(self, stream, media_type=None, parser_context=None):
        raise RuntimeError(f"can't read {stream.read()!r}")

    def quoting_the_token(token):
        raise ValueError(f"no caller for {token}; Authorization: Bearer {token}")

    def quoting_the_database(execute, sql, params, many, context):
        raise OperationalError(
            f'connection to "postgres://tableorder:{SECRETS["password"]}@db/orders" failed: password="{SECRETS["password"]}"\n'
            f"DETAIL:  Failing row contains (1, {SECRETS['body']}, pbkdf2_sha256$1${SECRETS['password']}$x)."
        )

    def quoting_the_key(*args, **kwargs):
        raise KeyError(SECRETS["key"], {"password": SECRETS["password"]}, f"Cookie: sessionid={signed}")

    login = {"store": "ours", "username": "ours-owner", "password": SECRETS["password"]}
    for caller in (Caller(), Caller(holders["staff"])):
        for owner, name, failing in (
            (api.StrictJSONParser, "parse", quoting_the_body),
            (endpoint, "caller_of", quoting_the_token),
            (auth, "subject_of", quoting_the_key),
        ):
            with monkeypatch.context() as patch:
                patch.setattr(owner, name, failing)
                assert caller.post("staff/login", login).status_code >= 400
                caller.post("staff/tables", {"number": "7", "password": SECRETS["password"]})
        with connection.execute_wrapper(quoting_the_database):
            assert caller.post("staff/login", login).status_code == 503
    with monkeypatch.context() as patch, override_settings(ALLOWED_HOSTS=["orders.example.com"]):
        patch.setattr("stores.admin_login.LoginForm.clean", quoting_the_key)
        client = Client(raise_request_exception=False, headers={"host": f"{MARK}.example.com"})
        client.get(f"/admin/login/?next={SECRETS['query']}")
        client = Client(raise_request_exception=False, headers={"host": "orders.example.com", "referer": f"https://x/?{SECRETS['query']}"})
        assert client.post("/admin/login/", {"password": SECRETS["password"]}).status_code == 500
        Client(enforce_csrf_checks=True, headers={"host": "orders.example.com"}).post("/admin/", {"password": SECRETS["password"]})
    return [signed]


async def listen(holders):
    for path in (stream_client.STAFF, stream_client.TABLET):
        for token in (SECRETS["header"], f"{holders['staff'][:-4]}aaaa"):
            client = stream_client.Client(
                path, f"after={SECRETS['query']}&token={token}", authorization=f"Bearer {token}", cookie=f"sessionid={SECRETS['cookie']}"
            )
            await client.answer()
            await client.task
            assert client.status == 401
