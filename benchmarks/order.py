"""Orders of three lines, at one store and at fifty, beside pgbench that says the same statements."""

from collections import defaultdict

from . import acknowledged
from .cast import Tablet
from .figures import Promise, Report, Spread
from .load import ask
from .pgbench import Limit
from .scene import Scene

CLIENTS = (10, 50)


def measure(scene: Scene) -> list[Report]:
    figures = defaultdict(lambda: defaultdict(list))
    for number in range(scene.rounds):
        for place, tablets in scene.places.items():
            for clients in CLIENTS:
                found = figures[f"{clients} clients, {place}"]
                for name, value in (_ours(scene, tablets, clients) | _limit(scene, scene.limit, place, clients)).items():
                    found[name].append(value)
                found["share"].append(found["orders/s"][-1] / found["pgbench/s"][-1])
        scene.say(f"order: round {number + 1} of {scene.rounds}")
    return [_report(figures, scene.limit)]


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


def _limit(scene: Scene, limit: Limit, place: str, clients: int) -> dict[str, float]:
    with scene.cost_of(scene.program.api) as cost:  # of which only PostgreSQL has anything to do
        done = limit.run(clients=clients, seconds=scene.seconds, first=scene.first_place(place), places=len(scene.places[place]))
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
        "copy of the same database; the program takes two trips."
    )
    return Report("Order", says, rows, promises)
