"""What guests notice of CloudWatch Logs when it hangs, refuses or answers 500: nothing.

    python -m tests.faults.cloudwatch

Two servers at a time, one with CloudWatch and one without, so that a busy machine is as busy for both; each on a
SQLite of its own. Tablets order and read at both in turn. Takes about two minutes, prints figures, exits with 1 if a
promise is broken.
"""

import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.bad_ports import badly_behaved
from tests.faults.verdict import verdict
from tests.own_cloudwatch import GROUP, KEYS, OwnCloudWatch
from tests.own_server import ROOT, OwnServer

CLIENTS = 4
EVERY = 0.1  # seconds between two requests of a client
WARM_UP, MEASURED = 2, 15  # seconds
SLOWER = 1.2  # times the p95 without CloudWatch,
NOISE = 0.010  # or so many seconds more: two cores are not quieter than that
LONGER = 2.0  # seconds more to start or to stop

UNLIMITED = dict.fromkeys(("RATE_LIMIT_PER_MINUTE", "ORDER_RATE_PER_MINUTE", "LOGIN_RATE_PER_MINUTE"), "0")


@dataclass
class Figures:
    start: float  # seconds
    taken: list[float] = field(default_factory=list)
    failed: int = 0
    dropped: float = 0
    stop: float = 0

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.taken, n=20)[-1]


@contextlib.contextmanager
def working():
    with OwnCloudWatch() as cloud:
        cloud.empty()
        yield cloud.endpoint, None


WAYS = {
    "it works": working,
    "it hangs": lambda: badly_behaved("hangs"),
    "it refuses": lambda: badly_behaved("refuses"),
    "it answers 500": lambda: badly_behaved("fails"),
}


def furnish(server: OwnServer) -> dict:
    """The demo data, in the server's database."""
    for command in (["migrate", "-v0"], ["demo", "--json"]):
        done = subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=server.environment, check=True, capture_output=True)
    return json.loads(done.stdout)["stores"][0]


@contextlib.contextmanager
def serving(**target):
    """(a server, its store, how long it took to start)"""
    with tempfile.TemporaryDirectory() as folder:
        server = OwnServer(Path(folder), SERVE="api", **UNLIMITED, **KEYS, **target)
        store = furnish(server)
        began = time.monotonic()
        with server:
            yield server, store, time.monotonic() - began


def measure(endpoint: str) -> tuple[Figures, Figures]:
    """Without and with CloudWatch at this endpoint, at the same time."""
    target = {"CLOUDWATCH_LOG_GROUP": GROUP, "AWS_LOGS_ENDPOINT_URL": endpoint}
    with serving() as (plain, _, plain_start), serving(**target) as (other, store, other_start):
        figures = Figures(plain_start), Figures(other_start)
        asyncio.run(play([plain.port, other.port], store, figures))
        for server, found in zip((plain, other), figures, strict=True):
            found.dropped = server.metrics()["tableorder_log_lines_dropped_total{sink=cloudwatch}"]
            found.stop = server.stop()
        return figures


async def play(ports, store, figures):
    """Both stores are the same: demo data has the same ids and passwords everywhere."""

    async def tablet(number):
        clients = [httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/api/v1/", timeout=30) for port in ports]
        for client in clients:
            login = {"store": store["code"], "table": store["tables"][number]["number"], "password": store["tables"][number]["password"]}
            client.headers["Authorization"] = f"Bearer {(await client.post('tablet/login', json=login)).json()['access']}"
        categories = (await clients[0].get("tablet/menu")).json()["categories"]
        plain = (item for category in categories for item in category["items"] if not any(group["min"] for group in item["option_groups"]))
        item = next(item for item in plain if not item["sold_out"] and item["stock"] is None)
        body = {"lines": [{"item": item["id"], "quantity": 1, "options": []}]}
        began = due = time.monotonic() + EVERY * number / CLIENTS
        count = 0
        while due < began + WARM_UP + MEASURED:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            which, count = count % 2, count + 1
            client, asked_at = clients[which], time.monotonic()
            match count // 2 % 3:
                case 0:
                    answer = await client.post("tablet/orders", json=body, headers={"Idempotency-Key": f"fault-{number}-{count:06}"})
                case 1:
                    answer = await client.post("tablet/quote", json=body)
                case 2:
                    answer = await client.get("tablet/session")
            if asked_at > began + WARM_UP:
                figures[which].taken.append(time.monotonic() - asked_at)
                figures[which].failed += answer.status_code >= 400
            due = max(due + EVERY, time.monotonic() - EVERY)
        for client in clients:
            await client.aclose()

    await asyncio.gather(*(tablet(number) for number in range(CLIENTS)))


def judged(way: str, without: Figures, found: Figures) -> list[str]:
    """Prints the figures; what was promised and is not so."""
    for name, figures in (("without CloudWatch", without), (way, found)):
        times = "".join(f"{1000 * value:8.1f}" for value in (statistics.median(figures.taken), figures.p95, max(figures.taken)))
        print(f"{name:20}{figures.start:8.1f}{len(figures.taken):10}{figures.failed:8}{times}{figures.dropped:15.0f}{figures.stop:8.1f}")
    broken = []
    if found.failed:
        broken.append(f"{way}: {found.failed} requests failed")
    if found.p95 > max(SLOWER * without.p95, without.p95 + NOISE):
        broken.append(f"{way}: p95 is {1000 * found.p95:.0f} ms, {1000 * without.p95:.0f} ms without it")
    for what, took, usual in (("start", found.start, without.start), ("stop", found.stop, without.stop)):
        if took > usual + LONGER:
            broken += [f"{way}: {what} took {took:.1f} s, {usual:.1f} s without it"]
    return broken


def main() -> int:
    broken = []
    print(f"{'':20} start s  requests  failed  p50 ms  p95 ms  max ms  lines dropped  stop s")
    for way, endpoint in WAYS.items():
        with endpoint() as (address, _):
            broken += judged(way, *measure(address))
    return verdict("CloudWatch", broken, "(start and stop at most 2 s longer, p95 at most 1.2 times or 10 ms more)")


if __name__ == "__main__":
    sys.exit(main())
