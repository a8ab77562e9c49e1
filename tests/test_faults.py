"""What guests notice when workers die, when the program is reloaded or stopped: nothing is lost, nothing is doubled.

The real program, on the database that the tests run on.
"""

import itertools
import json
import logging
import random
import threading
import time
from collections import Counter, defaultdict
from urllib.parse import urlsplit

import httpx
import pytest
from django.conf import settings
from django.db import connection

from orders.models import Order
from sessions_app.models import TableSession
from stores.models import Counters, Event
from stores.services import create_table
from tests.server import Listener, Server, serving
from tests.threads import begin
from tests.world import TABLE_PASSWORD, make_world, order_for, staff_of, tablet_of

GUESTS = 50
KILLS = 5
BETWEEN = 25  # orders at least, so that there is something to lose
FINAL = {200, 201}  # the answers that a client does not ask again after; all orders here are good ones
AGAIN = {503}

keys = itertools.count(1)
log_figures = logging.getLogger(__name__).info  # `pytest --log-cli-level=INFO` shows them


@pytest.fixture
def ours(transactional_db):
    return make_world("ours")


@pytest.fixture
def database_url():
    """The tests' own database, as the program is told of it."""
    configured, used = settings.DATABASES["default"], connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{used['NAME']}"
    scheme = {"postgresql": "postgres", "mysql": "mysql"}[connection.vendor]
    address = f"{configured['USER']}:{configured['PASSWORD']}@{configured['HOST']}:{configured['PORT']}"
    return urlsplit(f"{scheme}://{address}")._replace(path=f"/{used['NAME']}").geturl()


class Guest:
    """A tablet that asks again with the same key until it has a final answer, over one connection while that lives."""

    def __init__(self, server: Server, token: str, item):
        self.client, self.body = server.client(token), order_for(item)
        self.answers: dict[str, list[str]] = {}  # {key: the orders that its final answers named}
        self.seen = Counter()  # every status, and every broken connection

    def order(self, enough: threading.Event):
        while not (enough.is_set() and self.answers):
            key = f"fault-{next(keys):08}"
            self.answers[key] = [self.ask(key).json()["id"]]
        self.answers[key].append(self.ask(key).json()["id"])  # what was answered once is answered the same again
        self.client.close()

    def ask(self, key) -> httpx.Response:
        give_up_at = time.monotonic() + 60
        while time.monotonic() < give_up_at:
            try:
                answer = self.client.post("tablet/orders", json=self.body, headers={"Idempotency-Key": key})
            except httpx.TransportError as error:
                self.seen[type(error).__name__] += 1
                time.sleep(0.05)
                continue
            self.seen[answer.status_code] += 1
            if answer.status_code in FINAL:
                return answer
            assert answer.status_code in AGAIN, answer.text
            time.sleep(0.1)
        raise AssertionError(f"{key} has no final answer")


def kill_workers(server: Server, guests: list[Guest], chance: random.Random):
    """One at a time, at odd moments, with orders under way."""
    for _ in range(KILLS):
        before, give_up_at = orders_of(guests), time.monotonic() + 3
        while orders_of(guests) < before + BETWEEN and time.monotonic() < give_up_at:
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.1))
        for worker in chance.sample(server.workers(), 1):
            server.kill(worker)


def orders_of(guests) -> int:
    return sum(len(guest.answers) for guest in guests)


def test_no_order_is_lost_or_doubled_while_workers_are_killed(ours, database_url):
    tables = [*ours.tables, *(create_table(ours.store, number=str(number), password=TABLE_PASSWORD) for number in range(3, GUESTS + 1))]
    tokens = [tablet_of(table).token for table in tables]
    connection.close()
    with serving(database_url, workers=3) as server:
        guests, enough = [Guest(server, token, ours.item) for token in tokens], threading.Event()
        ordering = [begin(guest.order, enough) for guest in guests]
        kill_workers(server, guests, random.Random(7))
        enough.set()
        for future in ordering:
            future.result(60)
        log = server.log
    seen = sum((guest.seen for guest in guests), Counter())
    acknowledged = {key: answers for guest in guests for key, answers in guest.answers.items()}
    log_figures(f"{len(acknowledged)} orders, {KILLS} workers killed, {dict(seen)}")
    assert set(seen) - FINAL - AGAIN, "no request was cut off: this proved nothing"
    for key, answers in acknowledged.items():
        assert len(set(answers)) == 1, key
    placed = [answers[0] for answers in acknowledged.values()]
    assert len(set(placed)) == len(placed)
    assert {str(pk) for pk in Order.objects.values_list("pk", flat=True)} == set(placed)
    assert sorted(Order.objects.values_list("number", flat=True)) == list(range(1, len(placed) + 1))
    assert sum(TableSession.objects.values_list("total", flat=True)) == 12000 * len(placed)
    assert TableSession.objects.count() == GUESTS
    told = [json.loads(body) for body in Event.objects.in_store(ours.store).order_by("number").values_list("body", flat=True)]
    assert [event["number"] for event in told] == list(range(1, Counters.objects.get(store=ours.store).last_number + 1))
    assert sorted(event["data"]["id"] for event in told if event["type"] == "order.placed") == sorted(placed)
    assert "database is locked" not in log
    assert "unexpected error" not in log
    if connection.vendor == "sqlite":
        assert not seen[503]


def test_a_reload_under_load_fails_no_request(ours, database_url):
    tokens, stop, failures, seconds = [tablet_of(table).token for table in ours.tables], threading.Event(), [], defaultdict(list)

    def use(token, turn):
        with server.client(token) as tablet:
            while not stop.is_set():
                began, order = time.monotonic(), {"json": order_for(ours.item), "headers": {"Idempotency-Key": f"reload-{next(keys):08}"}}
                try:
                    answer = tablet.post("tablet/orders", **order) if turn % 2 else tablet.get("tablet/session")
                    answer.raise_for_status()
                    seconds[turn].append(time.monotonic() - began)
                except httpx.HTTPError as error:
                    failures.append(repr(error))
                time.sleep(0.02)

    connection.close()
    with serving(database_url, workers=2) as server:
        using = [begin(use, tokens[turn % 2], turn) for turn in range(8)]
        for _ in range(2):
            before = set(server.workers())
            time.sleep(1)
            server.reload()
            until = time.monotonic() + 15
            while before & set(server.workers()) and time.monotonic() < until:
                time.sleep(0.1)
            assert not before & set(server.workers()), "the old workers are still there"
        time.sleep(1)
        stop.set()
        for future in using:
            future.result(30)
    assert not failures
    log_figures(f"{sum(map(len, seconds.values()))} requests, the longest took {max(map(max, seconds.values())):.1f} s")
    assert len(seconds) == 8
    assert Order.objects.count() == sum(len(seconds[turn]) for turn in range(1, 8, 2))


def test_it_stops_within_ten_seconds_with_streams_open(ours, database_url):
    token = staff_of(ours.store, ours.manager).token
    tablet = tablet_of(ours.table).token
    connection.close()
    with serving(database_url) as server:
        listeners = [Listener(server, token) for _ in range(4)] + [Listener(server, tablet, "tablet/events")]
        took = server.stop()
        assert took < 10
        assert all(listener.ended() for listener in listeners)
        assert server.process.returncode == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_an_order_is_on_the_board_within_two_seconds(ours, database_url, workers):
    board, tablet = staff_of(ours.store, ours.manager).token, tablet_of(ours.table).token
    connection.close()
    with serving(database_url, workers=workers) as server, server.client(tablet) as guest:
        listeners = [Listener(server, board) for _ in range(3)]
        delays = []
        for _ in range(6):
            answer = guest.post("tablet/orders", json=order_for(ours.item), headers={"Idempotency-Key": f"delay-{next(keys):08}"})
            assert answer.status_code == 201
            answered = time.monotonic()
            delays += [listener.when(answer.json()["id"]) - answered for listener in listeners]
        assert max(delays) < 2
        for listener in listeners:
            assert listener.numbers == list(range(listener.numbers[0], listener.numbers[0] + len(listener.numbers)))
            listener.close()
