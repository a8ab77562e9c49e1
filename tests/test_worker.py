"""How gunicorn's workers share what comes."""

import socket
from collections import Counter

from tests.own_server import OwnServer

CLIENTS, ROUNDS = 10, 8
ASKED = b"GET /api/v1/tablet/menu HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def test_connections_that_come_together_are_shared_by_the_workers(tmp_path):
    """Without ApiWorker one of two takes seven of ten, and sometimes all."""
    with OwnServer(tmp_path, SERVE="api", WEB_CONCURRENCY="2") as server:
        server.until(lambda: server.metrics()["tableorder_workers"] == 2)
        shares = [who_answers(server) for _ in range(ROUNDS)]
    assert [sum(share.values()) for share in shares] == [CLIENTS] * ROUNDS
    assert sum(max(share.values()) for share in shares) <= 0.65 * CLIENTS * ROUNDS, shares


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
