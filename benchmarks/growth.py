"""How each cost grows: the same requests at 10, 100 and 1,000 stores, each of them with 1,000 orders of history.

Three databases and three APIs side by side, measured in turn. Then the largest is purged (benchmarks/purge.py).
"""

import math
import tempfile
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

from tests.own_postgresql import own_database

from . import acknowledged, history, purge
from .cast import Request
from .chain import Chain, open_chain
from .database import migrate, name_of, working_in
from .figures import Promise, Report, Spread
from .layout import api_of
from .load import ask
from .scene import Scene

SIZES, QUICK_SIZES = (10, 100, 1000), (10, 100)
HISTORY = 1000  # orders of each store
CLIENTS = 16
PATHS = {"menu": "/api/v1/tablet/menu", "history": "/api/v1/staff/history?limit=10"}
BOARD = "/api/v1/staff/board"
# A board is asked after an order, for until then it is kept; and before all else, while every store has as few to show.
KINDS = ("order and board", "order", *PATHS)


def measure(scene: Scene) -> list[Report]:
    sizes = QUICK_SIZES if scene.quick else SIZES
    figures = defaultdict(lambda: defaultdict(list))
    with ExitStack() as stack:
        chains = open_chains(stack, sizes, scene)
        for name in KINDS:
            for number in range(1 + math.ceil(scene.rounds / 2)):
                for size, chain in chains.items():
                    found = ask_chain(scene, chain, name)
                    if number:  # not the first: there a thousand menus are made, and none is made twice
                        for what, value in found.items():
                            figures[f"{name}, {what}"][f"{size:,} stores"].append(value)
            scene.say(f"growth: {name}")
        purged = purge.measure(scene, chains[sizes[-1]])
    rows = {name: {size: Spread(values) for size, values in found.items()} for name, found in figures.items()}
    few, many = (f"{sizes[number]:,} stores" for number in (0, -1))
    for row in rows.values():
        row["grows"] = Spread([after / before for before, after in zip(row[few].values, row[many].values, strict=True)])
    logarithmic = math.log(sizes[-1] * HISTORY) / math.log(sizes[0] * HISTORY)
    promises = [
        Promise(f"CPU of {name} at {many}, times that at {few}", rows[f"{name}, CPU ms"]["grows"], at_most=logarithmic) for name in KINDS
    ]
    says = (
        f"{HISTORY:,} orders of history in each store, so {sizes[-1] * HISTORY:,} in the largest database; {CLIENTS} clients, each "
        "store in turn, boards at ten of them. CPU is that of the workers and of PostgreSQL together, a request; it may grow as the "
        "logarithm of the number of orders does."
    )
    return [Report("Growth", says, rows, promises), purged]


def open_chains(stack: ExitStack, sizes, scene: Scene) -> dict[int, Chain]:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    blank, chains = stack.enter_context(own_database("blank")), {}
    with working_in(blank):
        migrate()
    for size in sizes:
        database = stack.enter_context(own_database(f"chain_{size}", like=name_of(blank)))
        with working_in(database):
            branches = open_chain(size)
            history.fill([branch.store.pk for branch in branches], orders=HISTORY)
        (folder / str(size)).mkdir()
        chains[size] = Chain(database, stack.enter_context(api_of(folder / str(size), database)), branches)
        scene.say(f"growth: {size} stores with {size * HISTORY:,} orders are there")
    return chains


def requests(chain: Chain, name: str) -> list[Request]:
    if name == "order":
        return [branch.tablet.request for branch in chain.branches]
    if name == "order and board":
        ten = chain.branches[: SIZES[0]]
        return [request for branch in ten for request in (branch.tablet.request, Request("GET", BOARD, branch.manager))]
    return [Request("GET", PATHS[name], branch.tablet.token if name == "menu" else branch.manager) for branch in chain.branches]


def ask_chain(scene: Scene, chain: Chain, name: str) -> dict[str, float]:
    with working_in(chain.database):
        before = acknowledged.count_of_orders()
        with scene.cost_of(chain.api) as cost:
            answers = ask(chain.api.address, requests(chain, name), clients=CLIENTS, seconds=scene.seconds / 2)
        orders = answers.among(200, 201)[201]
        assert bool(orders) == name.startswith("order"), answers.statuses
        if orders:
            acknowledged.verify(before=before, acknowledged=orders, stores=chain.looked_at)
    return {"CPU ms": 1000 * cost.all / (orders or len(answers.latencies)), "p50 ms": answers.p50}
