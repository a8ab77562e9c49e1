"""The staff's board of 100 open orders: in a new store, and in one with 100,000 orders of history."""

from collections import defaultdict
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from threading import Event, Thread
from uuid import UUID

from django.db import connection

from orders.services import place_order
from stores import journal

from . import history
from .cast import manager_token, open_store
from .figures import Promise, Report, Spread
from .layout import WORKERS
from .load import repeat
from .scene import Scene

PATHS = {"board": "/api/v1/staff/board", "list of orders": "/api/v1/staff/orders", "history": "/api/v1/staff/history"}
CLIENTS, TABLES, OPEN, HISTORY = 16, 50, 100, 100_000
EVENTS = 2  # a second
A_PAGE = 200  # orders of history, so that both stores' pages are full


def measure(scene: Scene) -> list[Report]:
    past = HISTORY // 10 if scene.quick else HISTORY
    new, old = "new store", f"store with {past:,} orders"
    stores = {new: busy_store("new", past=A_PAGE), old: busy_store("old", past=past)}
    questions = {f"{name}, {age}": (path, store) for name, path in PATHS.items() for age, store in stores.items()}
    api, figures, events = scene.program.api, defaultdict(lambda: defaultdict(list)), f"board, {EVENTS} events a second"
    for _ in range(scene.rounds):
        for name, (path, store) in (questions | {events: (PATHS["board"], stores[new])}).items():
            headers, found = {"Authorization": f"Bearer {store.manager}"}, figures[name]
            with happening(store.id) if name == events else nullcontext(), scene.cost_of(api) as cost:
                answers = repeat(api.address + path, headers, clients=CLIENTS, seconds=scene.seconds / 2)
            found["requests/s"].append(answers.rate)
            found["p99 ms"].append(answers.p99)
            found["Python ms"].append(1000 * cost.python / answers.count)
            found["PostgreSQL ms"].append(1000 * cost.database / answers.count)
        scene.say("board: a round")
    rows = {name: {measure: Spread(values) for measure, values in found.items()} for name, found in figures.items()}
    says = (
        f"{OPEN} open orders of three lines on {TABLES} tables, {CLIENTS} clients, {WORKERS} workers. A board may be kept while "
        f"nothing happens; with {EVENTS} events a second in its store it can't be for long. "
        "The lists are first pages, of 50 orders or 50 settled bills."
    )
    promises = [
        Promise(f"Board of {OPEN} open orders", rows[f"board, {new}"]["requests/s"], at_least=600, unit="/s"),
        Promise(f"Board of {OPEN} open orders, {EVENTS} events a second", rows[events]["requests/s"], at_least=600, unit="/s"),
        Promise(f"Board after {past:,} orders, share of its rate before", share(rows, "board", old, new), at_least=0.8),
        Promise(f"List of orders after {past:,}, likewise", share(rows, "list of orders", old, new), at_least=0.8),
        Promise(f"History after {past:,} orders, likewise", share(rows, "history", old, new), at_least=0.8),
    ]
    return [Report("Board and lists", says, rows, promises)]


def share(rows, name: str, one: str, other: str) -> Spread:
    rates = (rows[f"{name}, {age}"]["requests/s"].values for age in (one, other))
    return Spread([ours / theirs for ours, theirs in zip(*rates, strict=True)])


@dataclass(frozen=True)
class Store:
    id: UUID
    manager: str  # token


def busy_store(code: str, *, past: int) -> Store:
    """With open orders on all of its tables, and with so many that are history."""
    world, tablets = open_store(code, tables=TABLES)  # an order each
    for number in range(OPEN - TABLES):
        tablet = tablets[number % TABLES]
        place_order(tablet.table, asked=tablet.asked, key=f"the-second-of-{tablet.table.number}")
    history.fill([world.store.pk], orders=past)
    return Store(world.store.pk, manager_token(world))


@contextmanager
def happening(store_id: UUID):
    """Events in this store meanwhile, so many a second."""
    enough = Event()

    def happen():
        while not enough.wait(1 / EVENTS):
            journal.menu_changed(store_id)
        connection.close()

    thread = Thread(target=happen)
    thread.start()
    try:
        yield
    finally:
        enough.set()
        thread.join()
