"""What guests and staff notice when the program is reloaded: nothing.

    python -m tests.faults.reload

40 tablets of two stores order and read their bill, 100 boards listen, two workers serve all of it on PostgreSQL (a
database of its own beside the one that DATABASE_URL names) with a Redis of its own. Five times in 60 s the master gets
SIGHUP, as `deploy/release` sends it. At the end every board must show what a fresh snapshot shows. Takes about 80 s,
prints figures, exits with 1 if a promise is broken.
"""

import asyncio
import json
import logging
import os
import statistics
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

import httpx

from tests.board_client import BoardClient, comparable
from tests.faults.verdict import verdict
from tests.own_postgresql import own_database
from tests.own_redis import OwnRedis
from tests.server import serving

STORES, TABLETS, BOARDS = 2, 40, 100  # at most 50 boards a store, 4 a token
EVERY = 2.0  # seconds between two requests of a tablet
RELOADS, APART = 5, 12.0  # seconds
SETTLE = 3.0  # seconds
PATIENCE = 30  # seconds for a request
RECONNECT = 0.2  # seconds; the stream asks for 2, this is to be a hard client


@dataclass
class Record:
    statuses: Counter = field(default_factory=Counter)
    quiet: list = field(default_factory=list)  # seconds of requests before the first reload
    taken: list = field(default_factory=list)  # and since
    endings: int = 0  # streams that ended and were opened again
    reloading: bool = False
    stopping: bool = False


def make_cast():
    import django
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    django.setup()
    logging.getLogger("httpx").setLevel("WARNING")
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    call_command("migrate", verbosity=0)
    from tests.world import make_world, staff_of, tablet_of

    worlds = [make_world(f"reload-{number}", tables=TABLETS // STORES) for number in range(STORES)]
    tablets = [(tablet_of(table).token, str(world.item.pk)) for world in worlds for table in world.tables]
    boards = [staff_of(world.store, world.manager).token for world in worlds for _ in range(BOARDS // STORES)]
    connection.close()
    connection.close_pool()
    return tablets, boards


async def tablet(client, token, item, start: float, record: Record):
    """An order, then the bill, and so on. What fails is counted and not repeated."""
    body, due = {"lines": [{"item": item, "quantity": 1}]}, time.monotonic() + EVERY * start
    for number in range(10**6):
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        if record.stopping:
            return
        due, began, taken = due + EVERY, time.monotonic(), record.taken if record.reloading else record.quiet
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"reload-{number:06}-{token[-6:]}"}
        try:
            if number % 2:
                answer = await client.get("/api/v1/tablet/session", headers=headers)
            else:
                answer = await client.post("/api/v1/tablet/orders", json=body, headers=headers)
            record.statuses[answer.status_code] += 1
        except httpx.TransportError as error:
            record.statuses[type(error).__name__] += 1
        taken.append(time.monotonic() - began)


class Board:
    """A board that connects again whenever its stream ends, from where it was."""

    def __init__(self, client, token, record: Record):
        self._client, self._record = client, record
        self._headers = {"Authorization": f"Bearer {token}"}
        self._address = client.base_url.host, client.base_url.port
        self.state: BoardClient | None = None

    async def fresh(self) -> dict:
        answer = await self._client.get("/api/v1/staff/board", headers=self._headers)
        answer.raise_for_status()
        return answer.json()

    async def run(self):
        self.state = BoardClient(await self.fresh())
        while not self._record.stopping:
            # By hand: httpx takes more time for a hundred streams than the program does.
            reader, writer = await asyncio.open_connection(*self._address)
            request = f"GET /api/v1/staff/events?after={self.state.cursor} HTTP/1.0\r\nHost: {self._address[0]}\r\nAuthorization: {self._headers['Authorization']}\r\n\r\n"
            writer.write(request.encode())
            assert b" 200 " in await reader.readline(), "a stream was refused"
            while line := await reader.readline():
                assert line != b"event: reset\n", "the journal went on without it"
                if line.startswith(b"data: "):
                    self.state.hear(json.loads(line.removeprefix(b"data: ")))
            writer.close()
            self._record.endings += 1
            await asyncio.sleep(RECONNECT)


async def play(server, tablets, tokens, record: Record) -> list[str]:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE, limits=limits) as client:
        boards = [Board(client, token, record) for token in tokens]
        watching = [asyncio.create_task(board.run()) for board in boards]
        while not all(board.state for board in boards):
            await asyncio.sleep(0.1)
        ordering = [asyncio.create_task(tablet(client, *who, number / TABLETS, record)) for number, who in enumerate(tablets)]
        await asyncio.sleep(APART)
        record.reloading = True
        for _ in range(RELOADS):
            server.reload()
            await asyncio.sleep(APART)
        record.stopping = True
        await asyncio.gather(*ordering)
        await asyncio.sleep(SETTLE)
        broken = [f"a board broke off: {task.exception()!r}" for task in watching if task.done() and task.exception()]
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
        fresh = {store: comparable(await boards[store].fresh()) for store in (0, BOARDS - 1)}
        for number, board in enumerate(boards):
            if board.state.shown() != fresh[0 if number < BOARDS // STORES else BOARDS - 1]:
                broken.append(f"board {number} is not what a fresh snapshot shows")
        return broken


def main() -> int:
    record = Record()
    with own_database() as database, OwnRedis() as redis:
        os.environ |= {"DATABASE_URL": database, "DJANGO_SETTINGS_MODULE": "config.settings", "REDIS_URL": "", "RABBITMQ_URL": ""}
        tablets, boards = make_cast()
        with serving(database, workers=2, REDIS_URL=redis.url, LOG_LEVEL="CRITICAL") as server:
            broken = asyncio.run(play(server, tablets, boards, record))
            after = len(server.workers())
    p95 = {name: 1000 * statistics.quantiles(taken, n=20)[-1] for name, taken in (("before", record.quiet), ("since", record.taken))}
    statuses = ", ".join(f"{status}: {count}" for status, count in sorted(record.statuses.items(), key=str))
    print(f"{RELOADS} reloads, {len(boards)} boards, {record.endings} streams ended and came back; requests {statuses}")
    print(f"p95 {p95['before']:.0f} ms before the first, {p95['since']:.0f} ms since; longest {max(record.taken):.1f} s; {after} workers")
    if set(record.statuses) - {200, 201}:
        broken.append(f"requests failed: {statuses}")
    if record.endings < RELOADS * len(boards) * 0.9:
        broken.append("hardly any stream ended: was it reloaded at all?")
    return verdict("Reload", broken)


if __name__ == "__main__":
    sys.exit(main())
