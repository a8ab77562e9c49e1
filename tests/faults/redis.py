"""What guests and staff notice when Redis freezes, dies or is emptied.

    python -m tests.faults.redis

30 tablets order every 2 s at a program with two workers, 10 boards listen to it; its Redis is broken. Another one on
the same PostgreSQL (a database of its own beside the one that DATABASE_URL names) has a healthy Redis and 10 tablets:
so one sees what the machine was busy with anyway. Takes about 100 s, prints figures, exits with 1 if a promise is broken.
"""

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.faults.verdict import verdict
from tests.own_postgresql import own_database
from tests.own_redis import OwnRedis
from tests.own_server import OwnServer

TABLETS, BOARDS, OTHERS = 30, 10, 10
EVERY = 2.0  # seconds between two orders of a tablet
WARM_UP, NO_FAULT, FROZEN, DEAD, AFTERWARDS, EMPTIED = 5, 15, 10, 8, 10, 10  # seconds
PATIENCE = 20  # seconds for a request
ACCEPTED = 0.99
LATE = 2.0  # seconds that a board may be behind
SLOWER = 2.0  # times the p95 without the fault


@dataclass
class Phase:
    name: str
    orders: list = field(default_factory=list)  # (status or None, seconds, order id or None, when answered)
    others: list = field(default_factory=list)  # the same of the program whose Redis is well


class Record:
    """Everything that tablets and boards saw."""

    def __init__(self):
        self.phases = [Phase("warm-up")]
        self.seen = [{} for _ in range(BOARDS)]  # for each board {order id: when}
        self.numbers = [[] for _ in range(BOARDS)]
        self.stopping = False

    def begin(self, name: str):
        self.phases.append(Phase(name))

    def lateness(self, phase: Phase) -> list[float]:
        """Seconds from the guest's answer to each board; infinite for an order that a board never showed."""
        return [max(0.0, seen.get(order, float("inf")) - at) for _, _, order, at in phase.orders if order for seen in self.seen]


@dataclass
class Cast:
    item: str
    tablets: list[str]  # tokens
    boards: list[str]
    other_item: str
    others: list[str]


def make_cast() -> Cast:
    import django
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    call_command("migrate", verbosity=0)
    from tests.world import make_world, staff_of, tablet_of

    ours, others = make_world("ours", tables=TABLETS), make_world("others", tables=OTHERS)
    cast = Cast(
        item=str(ours.item.pk),
        tablets=[tablet_of(table).token for table in ours.tables],
        boards=[staff_of(ours.store, ours.manager).token for _ in range(BOARDS)],
        other_item=str(others.item.pk),
        others=[tablet_of(table).token for table in others.tables],
    )
    connection.close()
    connection.close_pool()
    return cast


# --- Tablets and boards -----------------------------------------------------------------------------------------


async def tablet(client, token, item, start: float, record: Record, answers):
    """Orders again and again. An order that is not taken is counted and not repeated."""
    body = {"lines": [{"item": item, "quantity": 1, "options": []}]}
    due = time.monotonic() + EVERY * start
    while True:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        if record.stopping:
            return
        phase, began, status, order = record.phases[-1], time.monotonic(), None, None
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"fault-{token[-6:]}-{began:.6f}"}
        with suppress(httpx.TransportError):
            answer = await client.post("/api/v1/tablet/orders", json=body, headers=headers)
            status = answer.status_code
            order = answer.json()["id"] if status == 201 else None
        now = time.monotonic()
        answers(phase).append((status, now - began, order, now))
        due = max(due + EVERY, now)


async def board(client, token, index, record: Record):
    async with client.stream("GET", "/api/v1/staff/events", headers={"Authorization": f"Bearer {token}"}) as stream:
        assert stream.status_code == 200, stream.status_code
        async for line in stream.aiter_lines():
            if line.startswith("data: "):
                event = json.loads(line.removeprefix("data: "))
                record.numbers[index].append(event["number"])
                if event["type"] == "order.placed":
                    record.seen[index][event["data"]["id"]] = time.monotonic()


async def play(redis: OwnRedis, address: str, other_address: str, cast: Cast, record: Record):
    async with (
        httpx.AsyncClient(base_url=address, timeout=PATIENCE, limits=httpx.Limits()) as client,
        httpx.AsyncClient(base_url=other_address, timeout=PATIENCE, limits=httpx.Limits()) as other,
    ):
        watching = [asyncio.create_task(board(client, token, index, record)) for index, token in enumerate(cast.boards)]
        await asyncio.sleep(1)
        ordering = [
            asyncio.create_task(tablet(client, token, cast.item, number / TABLETS, record, lambda phase: phase.orders))
            for number, token in enumerate(cast.tablets)
        ]
        ordering += [
            asyncio.create_task(tablet(other, token, cast.other_item, number / OTHERS, record, lambda phase: phase.others))
            for number, token in enumerate(cast.others)
        ]
        await asyncio.sleep(WARM_UP)
        await break_it(redis, record)
        record.stopping = True
        await asyncio.gather(*ordering)
        await asyncio.sleep(LATE + 0.5)
        for task in watching:
            assert not task.done(), "a board was cut off"
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)


async def break_it(redis: OwnRedis, record: Record):
    record.begin("no fault")
    await asyncio.sleep(NO_FAULT)
    record.begin(f"frozen for {FROZEN} s")
    redis.freeze()
    await asyncio.sleep(FROZEN)
    redis.thaw()
    record.begin("... afterwards")
    await asyncio.sleep(AFTERWARDS)
    record.begin(f"dead for {DEAD} s")
    await asyncio.to_thread(redis.kill)
    await asyncio.sleep(DEAD)
    record.begin("... restarted")
    await asyncio.to_thread(redis.start)
    await asyncio.sleep(AFTERWARDS)
    record.begin(f"emptied {EMPTIED} times")
    for _ in range(EMPTIED):
        await asyncio.to_thread(redis.client.flushall)
        await asyncio.sleep(1)


# --- Figures ----------------------------------------------------------------------------------------------------


def p95(orders) -> float:
    return statistics.quantiles([seconds for _, seconds, _, _ in orders], n=20)[-1]


def judged(record: Record) -> list[str]:
    """Prints the figures; what was promised and is not so.

    The p95 without the fault is that before it, or that of the others at the same time, whichever is more.
    """
    broken = []
    print(f"{'':20} orders  2xx %  p50 ms  p95 ms  max ms  others' p95  times  board p50 ms  board max ms")
    phases = record.phases[1:]
    for phase in phases:
        accepted = sum(1 for status, *_ in phase.orders if status == 201) / len(phase.orders)
        taken = [seconds for _, seconds, _, _ in phase.orders]
        late = record.lateness(phase)
        slower = p95(phase.orders) / max(p95(phases[0].orders), p95(phase.others))
        times = "".join(f"{1000 * value:8.0f}" for value in (statistics.median(taken), p95(phase.orders), max(taken)))
        boards = f"{1000 * statistics.median(late):14.0f}{1000 * max(late):14.0f}"
        print(f"{phase.name:20}{len(taken):7}{100 * accepted:7.1f}{times}{1000 * p95(phase.others):13.0f}{slower:7.2f}{boards}")
        if accepted < ACCEPTED:
            broken.append(f"{phase.name}: {100 * accepted:.1f} % of the orders were taken")
        if slower > SLOWER:
            broken.append(f"{phase.name}: p95 is {slower:.1f} times that without the fault")
        if max(late) > LATE:
            broken.append(f"{phase.name}: a board was {max(late):.1f} s late")
    if any(not numbers or numbers != list(range(numbers[0], numbers[-1] + 1)) for numbers in record.numbers):
        broken.append("a board lost an event or got one twice")
    return broken


def main() -> int:
    record = Record()
    limits = ("RATE_LIMIT_PER_MINUTE", "ORDER_RATE_PER_MINUTE", "LOGIN_RATE_PER_MINUTE")
    with own_database() as database, OwnRedis() as redis, OwnRedis() as healthy, tempfile.TemporaryDirectory() as folder:
        common = {
            "DATABASE_URL": database,
            "SECRET_KEY": "only-for-this-one-run-" + "0" * 32,
            "WEB_CONCURRENCY": "2",
            "LOG_LEVEL": "WARNING",
            **dict.fromkeys(limits, "1000000"),  # counted with each request, and never reached
        }
        os.environ |= common | {"DJANGO_SETTINGS_MODULE": "config.settings", "REDIS_URL": "", "RABBITMQ_URL": ""}
        cast = make_cast()
        for name in ("ours", "others"):
            (Path(folder) / name).mkdir()
        with (
            OwnServer(Path(folder) / "ours", **common, REDIS_URL=redis.url) as ours,
            OwnServer(Path(folder) / "others", **common, REDIS_URL=healthy.url) as others,
        ):
            asyncio.run(play(redis, ours.address, others.address, cast, record))
            ours.stop()
            others.stop()
        broken = judged(record)
    return verdict("Redis", broken, "(at least 99 % taken, p95 at most twice, boards at most 2 s late)")


if __name__ == "__main__":
    sys.exit(main())
