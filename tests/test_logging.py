"""The lines of the log: what they tell, what they keep to themselves, and that none gets lost on its way."""

import contextlib
import json
import logging
import socket
import subprocess
import sys
import time

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tableorder import metrics, middleware
from tableorder.logging import JSONLines, LogFile, OnlyExceptions, WithoutRequest, about, of_request, redacted
from tests.own_server import OwnServer
from tests.world import new_key, order_for, problem

log = logging.getLogger("tests")


@pytest.fixture
def said(capsys, monkeypatch):
    """The lines that went to stdout, as what they tell."""
    monkeypatch.setattr(middleware, "SLOW", 60)  # a busy machine is no warning

    def read():
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    read()
    return read


# --- A request --------------------------------------------------------------------------------------------------


def test_a_request_is_one_line(tablet, ours, said):
    with CaptureQueriesContext(connection) as asked:
        answer = tablet.post("tablet/orders", order_for(ours.item, note="no onions"), key=new_key())
    (line,) = said()
    assert line.pop("time").endswith("+00:00") and line.pop("pid") and line.pop("ms") > 0
    assert line == {
        "level": "INFO",
        "logger": "tableorder.middleware",
        "message": "POST /api/v1/tablet/orders 201",
        "request_id": answer["X-Request-ID"],
        "store": "ours",
        "table": "1",
        "method": "POST",
        "route": "/api/v1/tablet/orders",
        "status": 201,
        "queries": len(asked.captured_queries),
    }


def test_the_route_is_the_pattern_and_staff_stand_there_by_their_ids(manager, ours, said):
    manager.patch(f"staff/tables/{ours.table.pk}", {"number": "9"})
    (line,) = said()
    assert line["route"] == "/api/v1/staff/tables/<uuid:table_id>"
    assert line["user"] == str(ours.manager.pk) and "table" not in line
    assert str(ours.table.pk) not in json.dumps(line) and "ours-manager" not in json.dumps(line)


def test_a_person_at_the_admin_is_told_too(ours, said):
    desk = Client()
    desk.force_login(ours.owner)
    desk.get("/admin/")
    assert said()[-1]["user"] == str(ours.owner.pk)


def test_what_leads_nowhere_is_not_quoted(client, said):
    client.get("/api/v1/secret-place/?token=12345678")
    (line,) = said()
    assert (line["route"], line["status"]) == ("unmatched", 404)
    assert "secret-place" not in json.dumps(line) and "12345678" not in json.dumps(line)


def test_health_and_files_are_quiet(client, db, said):
    assert client.get("/health").status_code == client.get("/metrics").status_code == 200
    assert client.get("/static/admin/css/base.css").status_code == 200
    assert not said()


def test_a_slow_request_is_a_warning(client, said, monkeypatch):
    for slow in (60, 0):
        monkeypatch.setattr(middleware, "SLOW", slow)
        client.get("/api/schema/")
    assert [line["level"] for line in said()] == ["INFO", "WARNING"]


def test_database_trouble_is_an_error_and_all_lines_of_the_request_carry_its_id(tablet, said, monkeypatch):
    monkeypatch.setattr("orders.services.place_order", fails(OperationalError("the server closed the connection")))
    answer = tablet.post("tablet/orders", {"lines": []}, key=new_key())
    problem(answer, 503, "SERVICE_UNAVAILABLE")
    trouble, request = said()
    assert (trouble["level"], request["level"]) == ("WARNING", "ERROR")
    assert "the server closed the connection" in trouble["exception"]
    assert trouble["request_id"] == request["request_id"] == answer["X-Request-ID"]
    assert trouble["store"] == "ours" and trouble["table"] == "1"


def test_an_unexpected_error_is_told_once_with_its_traceback(tablet, said, monkeypatch):
    monkeypatch.setattr("orders.services.place_order", fails(RuntimeError("what was that")))
    problem(tablet.post("tablet/orders", {"lines": []}, key=new_key()), 500, "INTERNAL_ERROR")
    error, request = said()
    assert error["level"] == request["level"] == "ERROR"
    assert "Traceback" in error["exception"] and "what was that" in error["exception"]


def test_an_unexpected_error_outside_the_api_is_told_too(ours, said, monkeypatch):
    monkeypatch.setattr("django.contrib.admin.sites.AdminSite.each_context", fails(RuntimeError("what was that")))
    desk = Client(raise_request_exception=False)
    desk.force_login(ours.owner)
    assert desk.get("/admin/?q=private").status_code == 500
    error, request = said()
    assert error["message"] == "unexpected error" and "what was that" in error["exception"]
    assert request["status"] == 500 and "private" not in json.dumps([error, request])


def fails(error):
    def call(*args, **kwargs):
        raise error

    return call


def test_facts_end_with_their_request(said):
    with of_request({"request_id": "abcdefgh"}):
        about(store="ours")
        log.warning("inside")
    about(store="nobody")
    log.warning("outside")
    inside, outside = said()
    assert inside["store"] == "ours" and inside["request_id"] == "abcdefgh"
    assert "store" not in outside and "request_id" not in outside


# --- Nothing secret ---------------------------------------------------------------------------------------------

TOKEN = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    "text",
    [
        "password=canary",
        "wrong password='canary and more' given",
        '{"store": "ours", "password": "canary and more"}',
        r'body: "{\"password\": \"can\\\"ary\"}" canary',
        "{'password': ['first', 'canary']}",
        'b\'{"refresh_token":"canary"}\'',
        "table_password: canary",
        "PGPASSWORD=canary psql",
        "Authorization: Bearer canary",
        "Bearer canary",
        "proxy-authorization: Basic canary",
        "Cookie: theme=dark; sessionid=canary",
        "X-CSRFToken: canary",
        "Key (token)=(canary) already exists.",
        "DETAIL:  Failing row contains (1, 12, canary, t).",
        "could not connect to postgres://tableorder:ca:na@ry/canary@db/orders",
        "amqp://guest:canary@mq:5672//",
        "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----",
        "hash pbkdf2_sha256$600000$canary$canary=",
        "aws_secret_access_key=canary",
        TOKEN.replace("c2ln", "canary"),
        f"token {TOKEN.replace('c2ln', 'canary')} is expired",
    ],
)
def test_what_looks_like_a_secret_is_taken_out(text):
    assert "canary" not in redacted(text)


@pytest.mark.parametrize(
    "text",
    [
        "GET /api/v1/staff/orders/<uuid:order_id> 200",
        "events 4 to 7 of store 6f0c are missing",
        "rest_framework_simplejwt.exceptions.TokenError: Token is expired",
        "could not connect to http://127.0.0.1:8000/health",
        'duplicate key value violates unique constraint "one_table_per_store_and_number"\nDETAIL:  Key (number)=(7) already exists.',
    ],
)
def test_what_is_no_secret_stays(text):
    assert redacted(text) == text


def line_of(*args, formatter=None, **kwargs) -> dict:
    record = logging.LogRecord("tests", logging.INFO, __file__, 1, *args, **kwargs)
    return json.loads((formatter or JSONLines()).format(record))


def test_exceptions_are_cleaned_like_everything_else():
    try:
        raise ValueError("password=canary") from KeyError(TOKEN)
    except ValueError:
        line = line_of("%s", ("Bearer canary",), sys.exc_info())
    assert "canary" not in json.dumps(line) and TOKEN not in json.dumps(line)
    assert "ValueError" in line["exception"] and "KeyError" in line["exception"]


def test_values_that_must_not_appear_do_not_whatever_stands_around_them():
    formatter = JSONLines(secrets=["the-signing-key", "", "short"])
    assert line_of("it is the-signing-key, really short", (), None, formatter=formatter)["message"] == "it is [redacted], really short"


def test_what_somebody_attaches_to_a_record_is_not_written(said):
    log.warning("attached", extra={"request": "canary", "body": "canary"})
    assert "canary" not in json.dumps(said())


def test_a_text_without_end_is_cut_and_keeps_its_end():
    message = line_of("a" * 100_000 + "the end", (), None)["message"]
    assert len(message) < 3_000 and message.endswith("the end")


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "secret",
        "token=",
        "eyJ",
        "://a:",
        "basic ",
        "basic\t",
        "-----BEGIN ",
        "a-",
        "password ",
        "\\",
        '"token',
        "pbkdf2_",
        "$",
        "md5$",
    ],
)
def test_a_text_made_to_take_long_does_not(piece):
    began = time.process_time()
    line_of(piece * 50_000, (), None)
    line_of("secret $ :// " + piece * 50_000 + " secret", (), None)
    assert time.process_time() - began < 1


def test_a_line_is_a_line_whatever_is_in_it():
    assert line_of("one\ntwo\u2028\ud800 김치", (), None)["message"] == "one\ntwo\u2028\ud800 김치"
    assert line_of("%s and %s", ("one",), None)["message"].startswith("%s and %s")


def test_servers_do_not_quote_requests():
    record = logging.LogRecord(
        "gunicorn.error", logging.WARNING, "", 1, "Invalid request from ip=1.2.3.4: Invalid HTTP Header: 'canary'", (), None
    )
    assert WithoutRequest().filter(record) and record.getMessage() == "Invalid request from ip=1.2.3.4"
    record = logging.LogRecord("gunicorn.error", logging.ERROR, "", 1, "Error handling request %s %s", ("GET", "/?canary"), None)
    assert WithoutRequest().filter(record) and record.getMessage() == "Error handling request"
    assert not OnlyExceptions().filter(logging.LogRecord("django.request", logging.ERROR, "", 1, "Not Found: %s", ("/canary",), None))


# --- The file ---------------------------------------------------------------------------------------------------

PROCESSES, LINES = 3, 3_000

WRITER = """
import logging, sys
from logging.handlers import RotatingFileHandler
from tableorder.logging import JSONLines, LogFile
logging.raiseExceptions = False
path, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
handler = {handler}
handler.setFormatter(JSONLines())
log = logging.getLogger("writer")
log.setLevel("INFO")
log.addHandler(handler)
print("ready", flush=True)
sys.stdin.readline()
for number in range(count):
    log.info("%s-%s %s", name, number, "x" * (number % 200))
"""
OURS = "LogFile(path, max_bytes=20_000, kept=1_000)"
THEIRS = "RotatingFileHandler(path, maxBytes=20_000, backupCount=1_000)"


def written_by_several(folder, handler) -> list[str]:
    """What is in all files after several processes have written at once."""
    command = [sys.executable, "-c", WRITER.format(handler=handler), str(folder / "app.log")]
    writers = [
        subprocess.Popen(
            [*command, str(number), str(LINES)], cwd=settings.BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for number in range(PROCESSES)
    ]
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate(timeout=60)
        assert writer.returncode == 0
    return [line for file in folder.iterdir() for line in file.read_text().splitlines()]


def test_no_line_is_lost_when_the_file_is_turned_over_under_several_processes(tmp_path):
    lines = written_by_several(tmp_path, OURS)
    messages = [json.loads(line)["message"].split()[0] for line in lines]
    assert len(messages) == PROCESSES * LINES
    assert set(messages) == {f"{process}-{number}" for process in range(PROCESSES) for number in range(LINES)}
    assert len(list(tmp_path.iterdir())) > 10, "it was hardly ever turned over"


def test_the_control_the_handler_of_the_library_loses_lines_then(tmp_path):
    assert len(written_by_several(tmp_path, THEIRS)) < PROCESSES * LINES


def test_only_so_many_files_are_kept(tmp_path):
    handler = LogFile(tmp_path / "app.log", max_bytes=100, kept=2)
    for number in range(9):
        handler.emit(logging.LogRecord("tests", logging.INFO, "", 1, f"{number} {'x' * 80}", (), None))
    handler.close()
    kept = {file.name: file.read_text()[0] for file in tmp_path.iterdir()}
    assert kept == {"app.log": "8", "app.log.1": "7", "app.log.2": "6"}


def test_it_gets_on_with_logrotate(tmp_path):
    handler = LogFile(tmp_path / "app.log")
    for number in range(2):
        handler.emit(logging.LogRecord("tests", logging.INFO, "", 1, str(number), (), None))
        (tmp_path / "app.log").rename(tmp_path / f"moved.{number}")
    handler.close()
    assert [(tmp_path / f"moved.{number}").read_text() for number in range(2)] == ["0\n", "1\n"]


def test_a_file_that_cannot_be_written_costs_lines_and_one_complaint(tmp_path, said):
    before = lost("file")
    handler = LogFile(tmp_path / "later" / "app.log")
    handler.setFormatter(JSONLines())
    logging.getLogger("tableorder").addHandler(handler)  # where the complaint about it goes too
    try:
        for number in range(5):
            handler.handle(logging.LogRecord("tests", logging.INFO, "", 1, str(number), (), None))
        assert lost("file") == before + 6
        (complaint,) = said()
        assert complaint["level"] == "ERROR" and "later" in complaint["message"]
        (tmp_path / "later").mkdir()
        handler.handle(logging.LogRecord("tests", logging.INFO, "", 1, "here again", (), None))
    finally:
        logging.getLogger("tableorder").removeHandler(handler)
        handler.close()
    assert "here again" in (tmp_path / "later" / "app.log").read_text()


# --- A real server ------------------------------------------------------------------------------------------------

UNREADABLE = [
    b"GET /?token=canary HTTP/9.9\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nCanary canary\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nAuthoriz(ation: canary\r\n\r\n",
    b"canary\r\n\r\n",
    b"GET /canary?token=canary HTTP/1.1\r\nHost: x\r\nAuthorization: canary\r\nConnection: close\r\n\r\n",
]


@pytest.mark.parametrize("serve", ["all", "api", "streams"])
def test_the_server_speaks_in_lines_too_and_quotes_no_request(tmp_path, serve):
    with OwnServer(tmp_path, SERVE=serve, LOG_FILE=str(tmp_path / "app.log")) as server:
        for request in UNREADABLE:
            with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
                client.sendall(request)
                with contextlib.suppress(ConnectionError):
                    assert client.recv(1000).startswith(b"HTTP/1.1 4")
        server.stop()
        told = server.lines()
    assert {"gunicorn.error", "tableorder.middleware"} <= {line["logger"] for line in told}
    assert "canary" not in json.dumps(told).lower()
    written = (tmp_path / "app.log").read_text().splitlines()
    assert [json.loads(line) for line in written] == [line for line in told if line in map(json.loads, written)]
    assert any("404" in line for line in written)


def lost(sink) -> float:
    return metrics.log_lines_dropped.labels(sink)._value.get()
