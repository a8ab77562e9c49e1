"""What guests and staff notice when Redis freezes, dies or is emptied.

    python -m tests.faults.redis

30 tablets order every 1.5 s, 10 boards listen, two workers on PostgreSQL (a database of its own beside the one that
DATABASE_URL names) and a Redis of its own. Takes about 90 s, prints figures, exits with 1 if a promise is broken.
On a machine that is busy with other things the p95 says more about those.
"""

# ruff: noqa: T201  a program that prints

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg

from tests.own_redis import OwnRedis, free_port

ROOT = Path(__file__).resolve().parent.parent.parent
SERVER = os.environ.get("DATABASE_URL") or "postgres://postgres@127.0.0.1:5432/postgres"
DATABASE = f"fault_redis_{os.getpid()}"

TABLETS, BOARDS = 30, 10
EVERY = 1.5  # seconds between two orders of a tablet
WARM_UP, NO_FAULT, FROZEN, DEAD, AFTERWARDS, EMPTIED = 4, 15, 10, 8, 8, 8  # seconds
PATIENCE = 20  # seconds for the program to start, and for a request
LATE = 2.0  # seconds that a board may be behind
SLOWER = 2.0  # times the p95 without a fault
ACCEPTED = 0.99


@dataclass
class Phase:
    name: str
    orders: list = field(default_factory=list)  # (status or None, seconds, order id or None, when answered)


class Record:
    """Everything that tablets and boards saw."""

    def __init__(self):
        self.phases = [Phase("warm-up")]
        self.seen = [{} for _ in range(BOARDS)]  # for each board {order id: when}
        self.numbers = [[] for _ in range(BOARDS)]
        self.stopping = False

    def lateness(self, phase: Phase) -> list[float]:
        """Seconds from the guest's answer to each board; infinite for an order that a board never showed."""
        return [max(0.0, seen.get(order, float("inf")) - at) for _, _, order, at in phase.orders if order for seen in self.seen]


# --- The program ------------------------------------------------------------------------------------------------


@contextmanager
def own_database():
    with psycopg.connect(SERVER, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {DATABASE}")
        try:
            yield urlsplit(SERVER)._replace(path=f"/{DATABASE}").geturl()
        finally:
            server.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


def make_cast() -> tuple[str, list[str], list[str]]:
    """(a dish, the tokens of the tablets, a token for each board)."""
    import django
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    call_command("migrate", verbosity=0)
    from tests.world import make_world, staff_of, tablet_of

    world = make_world("fault", tables=TABLETS)
    tablets = [tablet_of(table).token for table in world.tables]
    boards = [staff_of(world.store, world.manager).token for _ in range(BOARDS)]
    connection.close()
    connection.close_pool()
    return str(world.item.pk), tablets, boards


@contextmanager
def serving(port: int, log):
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py"]
    environment = os.environ | {"BIND": f"127.0.0.1:{port}", "WEB_CONCURRENCY": "2", "SERVE": "all"}
    program = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        give_up_at = time.monotonic() + PATIENCE
        while True:
            with suppress(httpx.TransportError):
                if httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200:
                    break
            assert time.monotonic() < give_up_at and program.poll() is None, "the program did not start"
            time.sleep(0.1)
        yield
    finally:
        program.terminate()
        program.wait(PATIENCE)


# --- Tablets and boards -----------------------------------------------------------------------------------------


async def tablet(client, token, number, item, record: Record):
    """Orders again and again. An order that is not taken is counted and not repeated."""
    body = {"lines": [{"item": item, "quantity": 1, "options": []}]}
    due = time.monotonic() + EVERY * number / TABLETS
    for count in range(10_000):
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        if record.stopping:
            return
        phase, began, status, order = record.phases[-1], time.monotonic(), None, None
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"fault-{number:03}-{count:05}"}
        with suppress(httpx.TransportError):
            answer = await client.post("/api/v1/tablet/orders", json=body, headers=headers)
            status = answer.status_code
            order = answer.json()["id"] if status == 201 else None
        now = time.monotonic()
        phase.orders.append((status, now - began, order, now))
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


async def play(server: OwnRedis, port: int, item, tablets, boards, record: Record):
    async def phase(name, seconds):
        record.phases.append(Phase(name))
        await asyncio.sleep(seconds)

    many = httpx.Limits(max_connections=TABLETS + BOARDS)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE, limits=many) as client:
        watching = [asyncio.create_task(board(client, token, index, record)) for index, token in enumerate(boards)]
        await asyncio.sleep(1)
        ordering = [asyncio.create_task(tablet(client, token, number, item, record)) for number, token in enumerate(tablets)]
        await asyncio.sleep(WARM_UP)

        await phase("no fault", NO_FAULT)
        server.freeze()
        await phase(f"frozen for {FROZEN} s", FROZEN)
        server.thaw()
        await phase("... afterwards", AFTERWARDS)
        await asyncio.to_thread(server.kill)
        await phase(f"dead for {DEAD} s", DEAD)
        await asyncio.to_thread(server.start)
        await phase("... restarted", AFTERWARDS)
        record.phases.append(Phase(f"emptied {EMPTIED} times"))
        for _ in range(EMPTIED):
            await asyncio.to_thread(server.client.flushall)
            await asyncio.sleep(1)
        await phase("no fault, again", AFTERWARDS)

        record.stopping = True
        await asyncio.gather(*ordering)
        await asyncio.sleep(LATE + 0.5)
        for task in watching:
            assert not task.done(), "a board was cut off"
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)


# --- Figures ----------------------------------------------------------------------------------------------------


def p95(values) -> float:
    return statistics.quantiles(values, n=20)[-1]


def judged(record: Record) -> list[str]:
    """Prints the figures; what was promised and is not so."""
    broken = []
    print(f"{'':20} orders   2xx %  p50 ms  p95 ms  max ms  p95 x  board p50 ms  board max ms")
    phases = record.phases[1:]
    baseline = p95([seconds for _, seconds, _, _ in phases[0].orders])
    for phase in phases:
        taken = [seconds for _, seconds, _, _ in phase.orders]
        accepted = sum(1 for status, *_ in phase.orders if status == 201) / len(taken)
        late = record.lateness(phase)
        slower = p95(taken) / baseline
        times = "".join(f"{1000 * value:8.0f}" for value in (statistics.median(taken), p95(taken), max(taken)))
        boards = f"{1000 * statistics.median(late):14.0f}{1000 * max(late):14.0f}"
        print(f"{phase.name:20}{len(taken):7}{100 * accepted:8.1f}{times}{slower:7.2f}{boards}")
        if accepted < ACCEPTED:
            broken.append(f"{phase.name}: {100 * accepted:.1f} % of the orders were taken")
        if slower > SLOWER:
            broken.append(f"{phase.name}: p95 is {slower:.1f} times that without a fault")
        if max(late) > LATE:
            broken.append(f"{phase.name}: a board was {max(late):.1f} s late")
    if any(not numbers or numbers != list(range(numbers[0], numbers[-1] + 1)) for numbers in record.numbers):
        broken.append("a board lost an event or got one twice")
    return broken


def main() -> int:
    port, record = free_port(), Record()
    with own_database() as database, OwnRedis() as server, tempfile.TemporaryFile("w+") as log:
        no_limit = "1000000"  # counted with each request, and never reached
        os.environ |= {
            "DATABASE_URL": database,
            "REDIS_URL": server.url,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "LOG_LEVEL": "WARNING",
            **dict.fromkeys(("RATE_LIMIT_PER_MINUTE", "ORDER_RATE_PER_MINUTE", "LOGIN_RATE_PER_MINUTE"), no_limit),
        }
        item, tablets, boards = make_cast()
        with serving(port, log):
            asyncio.run(play(server, port, item, tablets, boards, record))
        broken = judged(record)
        if broken:
            log.seek(0)
            print(*log.readlines()[-40:], sep="", file=sys.stderr)
    for line in broken:
        print("BROKEN:", line)
    print("Redis:", "broken" if broken else "kept", "(at least 99 % taken, p95 at most twice, boards at most 2 s late)")
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main())
