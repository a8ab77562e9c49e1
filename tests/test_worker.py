"""How gunicorn's workers share what comes."""

import os
import signal
import socket
from collections import Counter
from http.client import HTTPResponse
from statistics import median

import pytest

from tests.own_server import OwnServer

CLIENTS, ROUNDS = 60, 60
ASKED = b"GET /api/v1/tablet/menu HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def test_connections_that_come_together_are_shared_by_the_workers(tmp_path):
    """Without ApiWorker one of two takes 38 of 60, and now and then all. The median: on a busy machine a round may mean little."""
    with OwnServer(tmp_path, SERVE="api", WEB_CONCURRENCY="2") as server:
        server.until(lambda: len(who_answers(server)) == 2)  # both have begun
        shares = [who_answers(server) for _ in range(ROUNDS)]
    assert {sum(share.values()) for share in shares} == {CLIENTS}
    assert median(max(share.values()) for share in shares) <= 34, shares


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


def who_answers(server) -> Counter:
    """{process id of a worker: how many of the clients that connected all at once}"""
    before = len(answers(server))
    clients = [socket.create_connection(("127.0.0.1", server.port), timeout=30) for _ in range(CLIENTS)]
    for client in clients:
        client.sendall(ASKED)
    for client in clients:
        assert client.recv(4096).startswith(b"HTTP/1.1 401")
        client.close()
    server.until(lambda: len(answers(server)) == before + CLIENTS)
    return Counter(line["pid"] for line in answers(server)[before:])


def answers(server) -> list[dict]:
    return [line for line in server.lines() if line.get("route") == "/api/v1/tablet/menu"]


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
