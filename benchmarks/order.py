"""Orders of three lines, at one store and at fifty, beside a bare view and pgbench that say the same statements."""

import tempfile
import uuid
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from orders.services import place_order

from . import acknowledged
from .cast import Tablet
from .figures import Promise, Report, Spread
from .layout import WebService, bare
from .load import ask
from .pgbench import Limit
from .scene import Scene
from .statements import in_trips

CLIENTS = (10, 50)


def measure(scene: Scene) -> list[Report]:
    figures = defaultdict(lambda: defaultdict(list))
    said = {tablet.token: in_trips(tablet.token, _order_of(tablet)) for tablets in scene.places.values() for tablet in tablets}
    with tempfile.TemporaryDirectory() as folder, bare(Path(folder), said=said, database=scene.limit.database)[0] as view:
        for number in range(scene.rounds):
            for place, tablets in scene.places.items():
                for clients in CLIENTS:
                    found = figures[f"{clients} clients, {place}"]
                    measured = _ours(scene, tablets, clients) | _bare(scene, view, tablets, clients) | _limit(scene, place, clients)
                    for name, value in measured.items():
                        found[name].append(value)
                    found["share"].append(found["orders/s"][-1] / found["pgbench/s"][-1])
            scene.say(f"order: round {number + 1} of {scene.rounds}")
    return [_report(figures, scene.limit)]


def _order_of(tablet: Tablet):
    return lambda: place_order(tablet.table, asked=tablet.asked, key=uuid.uuid4().hex)


def _ours(scene: Scene, tablets: list[Tablet], clients: int) -> dict[str, float]:
    api, before = scene.program.api, acknowledged.count_of_orders()
    with scene.cost_of(api) as cost:
        answers = ask(api.address, [tablet.request for tablet in tablets], clients=clients, seconds=scene.seconds)
    orders = answers.only(201)
    acknowledged.verify(before=before, acknowledged=orders, stores={tablet.table.store_id for tablet in tablets})
    scene.orders += orders
    return {
        "orders/s": answers.rate,
        "p50 ms": answers.p50,
        "p95 ms": answers.p95,
        "Python ms": 1000 * cost.python / orders,
        "PostgreSQL ms": 1000 * cost.database / orders,
    }


def _bare(scene: Scene, view: WebService, tablets: list[Tablet], clients: int) -> dict[str, float]:
    before, requests = scene.limit.written(), [replace(tablet.request, path="/said") for tablet in tablets]
    with scene.cost_of(view) as cost:
        answers = ask(view.address, requests, clients=clients, seconds=scene.seconds)
    said = answers.only(200)
    scene.limit.verify(said, before=before)
    return {"bare view/s": answers.rate, "bare view: Python ms": 1000 * cost.python / said}


def _limit(scene: Scene, place: str, clients: int) -> dict[str, float]:
    with scene.cost_of(scene.program.api) as cost:  # of which only PostgreSQL has anything to do
        done = scene.limit.run(clients=clients, seconds=scene.seconds, first=scene.first_place(place), places=len(scene.places[place]))
    return {"pgbench/s": done.rate, "pgbench p95 ms": done.p95, "pgbench: PostgreSQL ms": 1000 * cost.database / done.count}


def _report(figures, limit: Limit) -> Report:
    rows = {name: {measure: Spread(values) for measure, values in found.items()} for name, found in figures.items()}
    promises = []
    for name, row in rows.items():
        promises.append(Promise(f"Orders as a share of pgbench's rate, {name}", row["share"], at_least=0.5))
        promises.append(Promise(f"Python CPU an order, {name}", row["Python ms"], at_most=2.0, unit="ms"))
        if name.startswith("50 "):
            promises.append(Promise(f"p95 of an order, {name}", row["p95 ms"], at_most=100, unit="ms"))
    says = (
        f"Three lines, one with an option. CPU is that of the two workers and of all of PostgreSQL, an order. pgbench (`-M prepared`) "
        f"says the {len(limit.statements)} statements of an order's transaction, as captured from one, each in a trip of its own, to a "
        "copy of the same database; the program takes two trips. A bare Django view says them to that copy in three, the first of which "
        "finds the caller, and does nothing else: it knows beforehand what to write, and answers nothing."
    )
    return Report("Order", says, rows, promises)
