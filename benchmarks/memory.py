"""The memory of the whole layout after 100,000 orders, and whether it goes on growing."""

import time

from . import acknowledged
from .figures import Promise, Report, Spread
from .load import ask
from .processes import memory
from .scene import Scene

ORDERS, CLIENTS, STEP = 100_000, 50, 10  # STEP: seconds
PATIENCE = 120  # seconds for as many as are missing; a slow machine makes it fewer, and says so


def measure(scene: Scene) -> list[Report]:
    grown = []
    give_up_at = time.monotonic() + (1 if scene.quick else PATIENCE)
    while True:
        grown.append((scene.orders, sum(resident for resident, _ in held(scene).values())))
        if scene.orders >= ORDERS or time.monotonic() > give_up_at:
            break
        order(scene)
    rows = {name: {"resident MB": Spread([rss]), "proportional MB": Spread([pss])} for name, (rss, pss) in held(scene).items()}
    rows["all"] = {measure: Spread([sum(row[measure].median for row in rows.values())]) for measure in ("resident MB", "proportional MB")}
    half_way = (grown[0][0] + scene.orders) / 2
    since = next(resident for orders, resident in grown if orders >= half_way)
    promises = [
        Promise(f"Memory of the whole layout after {scene.orders:,} orders", rows["all"]["resident MB"], at_most=450, unit="MB"),
        Promise("... times that after half of the last of them", Spread([grown[-1][1] / since]), at_most=1.05),
    ]
    if scene.soak:
        rows["all, minute by minute"] = {"resident MB": (minutes := soak(scene))}
        stays = Spread([minutes.values[-1] / minutes.values[1]])
        promises.append(Promise(f"... and after {scene.soak} minutes of orders, times that after one", stays, at_most=1.02))
    says = (
        f"Masters, two API workers, the streams' process{'' if scene.program.relay else ' (no relay: RABBITMQ_URL is not set)'}; after "
        f"{scene.orders:,} orders. Resident counts a page that processes share for each of them, proportional by its part."
    )
    return [Report("Memory", says, rows, promises)]


def held(scene: Scene) -> dict[str, tuple[float, float]]:
    """{service: (resident, proportional) MB of its processes}"""
    names = {"API": scene.program.api, "streams": scene.program.streams, "relay": scene.program.relay}
    return {name: memory(service.pids) for name, service in names.items() if service}


def order(scene: Scene):
    before = acknowledged.count_of_orders()
    tablets = [tablet for place in scene.places.values() for tablet in place]
    answers = ask(scene.program.api.address, [tablet.request for tablet in tablets], clients=CLIENTS, seconds=STEP)
    orders = answers.only(201)
    acknowledged.verify(before=before, acknowledged=orders, stores={tablet.table.store_id for tablet in tablets})
    scene.orders += orders
    scene.say(f"memory: {scene.orders:,} orders")


def soak(scene: Scene) -> Spread:
    """What is resident after each minute of orders, from the beginning on."""
    found = [sum(resident for resident, _ in held(scene).values())]
    for _ in range(scene.soak):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            order(scene)
        found.append(sum(resident for resident, _ in held(scene).values()))
    return Spread(found)
