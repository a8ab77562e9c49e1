"""How gunicorn's workers share what comes."""

import contextlib
import json
import os
import selectors
import signal
import socket
import time
from http.client import HTTPResponse
from types import SimpleNamespace

import pytest
from gunicorn.config import Config

from config.api_worker import ApiWorker
from config.worker import ARRIVE
from tests.own_server import OwnServer

ASKED = b"GET /api/v1/tablet/menu HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.fixture
def worker(monkeypatch):
    """One that has just begun to listen, at a time that stands still, and serves nobody."""
    listener = socket.create_server(("127.0.0.1", 0))
    worker = ApiWorker(1, os.getpid(), [listener], SimpleNamespace(), 30, Config(), SimpleNamespace())
    worker.poller = selectors.DefaultSelector()
    worker.now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: worker.now)
    monkeypatch.setattr(worker, "enqueue_req", lambda connection: connection.sock.close())
    worker.set_accept_enabled(True)
    yield worker
    worker.poller.close()
    listener.close()


def is_listening(worker) -> bool:
    """After what its loop does each time: it wants to, unless it is full."""
    worker.set_accept_enabled(True)
    return bool(worker.poller.get_map())


@pytest.mark.parametrize(("connections", "milliseconds"), [(0, 0.2), (4, 1.0), (500, 2.0)])
def test_who_has_taken_a_connection_leaves_the_next_to_those_who_have_fewer(worker, connections, milliseconds):
    """Else whoever is quickest takes all that come together: of ten clients one worker of two had seven, and sometimes all."""
    worker.nr_conns = connections
    assert is_listening(worker)
    with socket.create_connection(worker.sockets[0].getsockname()):
        worker.accept(worker.sockets[0])
    assert worker.nr_conns == connections + 1 and not is_listening(worker)
    worker.now += (milliseconds - 0.01) / 1000
    assert not is_listening(worker)
    worker.now += 0.02 / 1000
    assert is_listening(worker)


def test_a_worker_that_looks_away_does_not_sleep_longer_than_that(worker, monkeypatch):
    slept = []
    monkeypatch.setattr(worker.poller, "select", lambda timeout: slept.append(round(timeout, 6)) or [])
    worker.wait_for_and_dispatch_events(1.0)
    with socket.create_connection(worker.sockets[0].getsockname()):
        worker.accept(worker.sockets[0])
    worker.wait_for_and_dispatch_events(1.0)
    assert slept == [1.0, 0.0002]


CORES = sorted(os.sched_getaffinity(0))


def cores_of(server) -> list[list[int]]:
    return sorted(sorted(os.sched_getaffinity(worker)) for worker in server.workers())


@pytest.mark.skipif(len(CORES) < 2, reason="there is one core only")
def test_each_core_has_its_workers_also_after_one_was_killed_and_after_a_reload(tmp_path):
    with OwnServer(tmp_path, SERVE="api", WEB_CONCURRENCY=str(len(CORES) + 1)) as server:
        expected = sorted([[core] for core in CORES] + [[CORES[0]]])
        server.until(lambda: cores_of(server) == expected)
        for worker in list(server.workers())[:2]:
            os.kill(worker, signal.SIGKILL)
            server.until(lambda gone=worker: gone not in server.workers() and cores_of(server) == expected)
        before = server.workers()
        server.process.send_signal(signal.SIGHUP)
        server.until(lambda: not before & server.workers() and len(server.workers()) == len(expected))
        server.until(lambda: set(map(tuple, cores_of(server))) == {(core,) for core in CORES})


@pytest.mark.parametrize("serve", [{"SERVE": "api", "WEB_CONCURRENCY": "1"}, {"SERVE": "all", "WEB_CONCURRENCY": str(len(CORES))}])
def test_a_worker_alone_and_streams_run_where_there_is_room(tmp_path, serve):
    with OwnServer(tmp_path, **serve) as server:
        server.until(lambda: cores_of(server) == [CORES] * int(serve["WEB_CONCURRENCY"]))


def test_what_is_answered_unread_does_not_cost_the_next_request_its_connection(tmp_path):
    """A proxy sends others' requests through it, and a POST only once."""
    picture = b"POST /api/v1/tablet/menu HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 6291456\r\n\r\n" + bytes(6 * 1024 * 1024)
    with OwnServer(tmp_path, SERVE="api") as server, socket.create_connection(("127.0.0.1", server.port), timeout=30) as proxy:
        for asked in (picture, ASKED) * 3:
            proxy.sendall(asked)
            answer = HTTPResponse(proxy)
            answer.begin()
            assert (answer.status, bool(answer.read())) == (401, True)


def test_a_body_that_is_not_read_to_its_end_ends_the_connection_and_the_answer_says_so(tmp_path):
    head = b"POST /api/v1/tablet/menu HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9437184\r\n\r\n"
    with OwnServer(tmp_path, SERVE="api") as server, socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
        client.sendall(head + bytes(9 * 1024 * 1024))
        answer = HTTPResponse(client)
        answer.begin()
        assert (answer.status, answer.headers["Connection"]) == (401, "close")


@pytest.mark.parametrize("serve", ["api", "all"])
def test_a_body_in_broken_chunks_is_malformed(tmp_path, serve):
    head = b"POST /api/v1/tablet/login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    with OwnServer(tmp_path, SERVE=serve) as server:
        for chunks in (b"zz\r\n{}\r\n0\r\n\r\n", b"2\r\n{}0\r\n\r\n", b"-2\r\n{}\r\n0\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
                client.sendall(head + chunks)
                answer = HTTPResponse(client)
                answer.begin()
                assert answer.status == 400, chunks
        assert "ok" in server.get("/health")


@pytest.mark.parametrize("serve", ["api", "all"])
@pytest.mark.parametrize(
    "sent",
    [
        b"NONSENSE\r\n\r\n",
        b"POST /api/v1/tablet/login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: many\r\n\r\n",
        b"GET /api/v1/tablet/menu?" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    ],
    ids=["no request", "no length", "no end"],
)
def test_what_is_no_http_is_refused_as_everything_else_is(tmp_path, serve, sent):
    with OwnServer(tmp_path, SERVE=serve) as server, socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
        client.sendall(sent)
        answer = HTTPResponse(client)
        answer.begin()
        assert (answer.status, answer.headers["Content-Type"]) == (400, "application/problem+json")
        told = json.loads(answer.read())
        assert (told["status"], told["request_id"]) == (400, answer.headers["X-Request-ID"])
        assert "ok" in server.get("/health")


@pytest.mark.parametrize("serve", ["api", "all"])
def test_blanks_around_a_header_are_none_of_it(tmp_path, serve):
    """Else an order that came again with a blank behind its key would be another order."""
    head = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Request-ID: \t tap-0001\t \r\n\r\n"
    with OwnServer(tmp_path, SERVE=serve) as server, socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
        client.sendall(head)
        answer = HTTPResponse(client)
        answer.begin()
        assert (answer.status, answer.headers["X-Request-ID"]) == (200, "tap-0001")


@pytest.mark.parametrize("serve", ["all", "streams"])
def test_a_request_that_does_not_go_on_is_given_up(tmp_path, serve):
    """Each would keep a connection for ever, of which a process has so many."""
    host = b"Host: 127.0.0.1\r\n"
    begun = {
        "nothing": b"",
        "half a head": b"GET /health HTTP/1.1\r\n" + host,
        "half a body": b"POST /api/v1/tablet/login HTTP/1.1\r\n" + host + b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
        "half of the next": b"GET /health HTTP/1.1\r\n" + host + b"\r\nGET /health",
    }
    with OwnServer(tmp_path, SERVE=serve) as server, contextlib.ExitStack() as stack:
        clients = {what: stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=ARRIVE + 15)) for what in begun}
        for what, client in clients.items():
            client.sendall(begun[what])
        for client in clients.values():
            while client.recv(10_000):
                pass  # it hangs up, or this times out
        assert "ok" in server.get("/health")
