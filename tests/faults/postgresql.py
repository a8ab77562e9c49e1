"""What guests notice when PostgreSQL dies, refuses to write or has no place left: 503 for a moment, and nothing lost.

    python -m tests.faults.postgresql

20 tablets order, and ask again with the same key until they have a final answer; two workers, a PostgreSQL of its own.
Then 300 open streams beside 20 orders a second, with 40 connections in all. Takes about two minutes, prints figures,
exits with 1 if a promise is broken.
"""

import asyncio
import itertools
import os
import statistics
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

import httpx

from tests.faults.verdict import verdict
from tests.own_postgresql import SLOTS, OwnPostgreSQL
from tests.server import serving

TABLETS = 20
EVERY = 0.5  # seconds between two orders of a tablet
LONGEST = 5.0  # seconds for any answer
BACK_WITHIN = 10.0  # seconds from the end of a fault to the first order
STREAMS, CONNECTIONS = 300, 20
RATE = 20  # orders a second beside the streams
DELIVERED, ORDERED = 1.0, 0.3  # seconds, p95

keys = itertools.count(1)


@dataclass
class Phase:
    name: str
    began: float = field(default_factory=time.monotonic)
    statuses: Counter = field(default_factory=Counter)
    longest: float = 0.0
    placed_at: list = field(default_factory=list)


class Record:
    def __init__(self):
        self.phases: list[Phase] = []
        self.orders: dict[str, set] = {}  # {key: the orders that were acknowledged for it}
        self.stopping = False

    def phase(self, name):
        self.phases.append(Phase(name))


async def guest(client, token, item, record: Record):
    body = {"lines": [{"item": item, "quantity": 1}]}
    while not record.stopping:
        key = f"postgresql-{next(keys):08}"
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
        while True:
            began, phase = time.monotonic(), record.phases[-1]
            try:
                answer = await client.post("/api/v1/tablet/orders", json=body, headers=headers)
                status = answer.status_code
            except httpx.TransportError as error:
                status = type(error).__name__
            now = time.monotonic()
            phase.statuses[status] += 1
            phase.longest = max(phase.longest, now - began)
            if status in (200, 201):
                record.orders.setdefault(key, set()).add(answer.json()["id"])
                phase.placed_at.append(now)
                break
            await asyncio.sleep(0.3)
        await asyncio.sleep(EVERY)


async def faults(server: OwnPostgreSQL, url, tokens, item, record: Record):
    async with httpx.AsyncClient(base_url=url, timeout=20, limits=httpx.Limits(max_connections=TABLETS)) as client:
        record.phase("no fault")
        ordering = [asyncio.create_task(guest(client, token, item, record)) for token in tokens]
        await asyncio.sleep(5)
        record.phase("stopped for 3 s")
        await asyncio.to_thread(server.stop)
        await asyncio.sleep(3)
        await asyncio.to_thread(server.start)
        record.phase("... afterwards")
        await asyncio.sleep(8)
        record.phase("read-only for 6 s")
        await asyncio.to_thread(server.read_only, True)
        await asyncio.sleep(6)
        await asyncio.to_thread(server.read_only, False)
        record.phase("... afterwards")
        await asyncio.sleep(6)
        record.phase("full for 10 s")
        await asyncio.to_thread(server.fill, 10)
        record.phase("... afterwards")
        await asyncio.sleep(8)
        record.stopping = True
        await asyncio.gather(*ordering)


def make_cast(tables: int):
    import django
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    call_command("migrate", verbosity=0)
    from tests.world import make_world, staff_of, tablet_of

    worlds = [make_world(f"fault-{number}", tables=tables) for number in range(6)]
    tokens = [[tablet_of(table).token for table in world.tables] for world in worlds]
    boards = [staff_of(world.store, world.manager).token for world in worlds for _ in range(10)]  # with two tablets a table: 50 a store
    connection.close()
    connection.close_pool()
    return worlds, tokens, boards


def judged_faults(record: Record) -> list[str]:
    from orders.models import Order

    broken = []
    for before, phase in itertools.pairwise(record.phases):
        shown = ", ".join(f"{status}: {count}" for status, count in sorted(phase.statuses.items(), key=str))
        back = (min(phase.placed_at) - phase.began) if phase.placed_at else None
        print(
            f"{phase.name:18} longest {phase.longest:4.1f} s   {shown}"
            + (f"   first order after {back:.1f} s" if "after" in phase.name else "")
        )
        if set(phase.statuses) - {200, 201, 503}:
            broken.append(f"{phase.name}: other answers than 503: {shown}")
        if phase.longest > LONGEST:
            broken.append(f"{phase.name}: an answer took {phase.longest:.1f} s")
        if "after" in phase.name and (back is None or back > BACK_WITHIN):
            broken.append(f"{before.name}: no order within {BACK_WITHIN:.0f} s afterwards")
    acknowledged = [order for orders in record.orders.values() for order in orders]
    stored = {str(pk) for pk in Order.objects.values_list("pk", flat=True)}
    print(f"{len(acknowledged)} orders acknowledged, {len(stored)} stored")
    if any(len(orders) > 1 for orders in record.orders.values()) or set(acknowledged) != stored or len(acknowledged) != len(stored):
        broken.append("acknowledged orders and stored orders are not the same")
    return broken


async def listen(client, token, path, heard, opened):
    with suppress(asyncio.CancelledError):
        async with client.stream("GET", path, headers={"Authorization": f"Bearer {token}"}) as stream:
            assert stream.status_code == 200, stream.status_code
            opened.append(token)
            order = None
            async for line in stream.aiter_lines():
                if line.startswith("event: "):
                    order = line == "event: order.placed"
                elif order and line.startswith("data: "):
                    heard.append((line.split('"id":"', 1)[1][:36], time.monotonic()))


async def many_streams(server: OwnPostgreSQL, url, worlds, tokens, boards):
    """(seconds of orders, seconds of deliveries, most connections)."""
    heard, opened, placed, taken, connections = [], [], {}, [], []
    async with httpx.AsyncClient(base_url=url, timeout=30, limits=httpx.Limits(max_connections=STREAMS + 40)) as client:
        paths = [(token, "/api/v1/staff/events") for token in boards]
        tablets = [token for store in tokens for token in store]
        paths += [(token, "/api/v1/tablet/events") for token in (tablets * 4)[: STREAMS - len(paths)]]
        listening = [asyncio.create_task(listen(client, token, path, heard, opened)) for token, path in paths]
        while len(opened) < STREAMS:
            await asyncio.sleep(0.1)
            assert not any(task.done() for task in listening), "a stream was refused"
        began = time.monotonic()
        while time.monotonic() < began + 15:
            number = len(taken)
            world = number % len(worlds)
            headers = {"Authorization": f"Bearer {tokens[world][number % len(tokens[world])]}", "Idempotency-Key": f"stream-{number:08}"}
            at = time.monotonic()
            answer = await client.post(
                "/api/v1/tablet/orders", json={"lines": [{"item": str(worlds[world].item.pk), "quantity": 1}]}, headers=headers
            )
            answer.raise_for_status()
            taken.append(time.monotonic() - at)
            placed[answer.json()["id"]] = time.monotonic()
            if number % RATE == 0:
                connections.append(await asyncio.to_thread(server.connections))
            await asyncio.sleep(max(0.0, began + (number + 1) / RATE - time.monotonic()))
        await asyncio.sleep(2)
        for task in listening:
            task.cancel()
    return taken, [max(0.0, at - placed[order]) for order, at in heard if order in placed], max(connections)


def p95(values) -> float:
    return statistics.quantiles(values, n=20)[-1]


def main() -> int:
    with OwnPostgreSQL() as server:
        os.environ |= {"DATABASE_URL": server.url, "DJANGO_SETTINGS_MODULE": "config.settings", "LOG_LEVEL": "CRITICAL"}
        worlds, tokens, boards = make_cast(TABLETS)
        record = Record()
        with serving(server.url, workers=2) as program:
            asyncio.run(faults(server, program.url, tokens[0], str(worlds[0].item.pk), record))
            broken = judged_faults(record)
            taken, delivered, most = asyncio.run(many_streams(server, program.url, worlds, tokens, boards))
        print(
            f"{STREAMS} streams, {len(taken)} orders, {len(delivered)} deliveries: order p95 {1000 * p95(taken):.0f} ms,"
            f" delivery p95 {1000 * p95(delivered):.0f} ms, {most} of {SLOTS} connections"
        )
        if p95(taken) > ORDERED or p95(delivered) > DELIVERED or most > CONNECTIONS:
            broken.append("too slow or too many connections beside the streams")
    return verdict("PostgreSQL", broken)


if __name__ == "__main__":
    sys.exit(main())
