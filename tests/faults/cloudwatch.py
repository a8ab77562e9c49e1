"""What guests notice of CloudWatch Logs when it hangs, refuses or answers 500: nothing.

    python -m tests.faults.cloudwatch

Two workers on SQLite; six tablets order and read, ten requests a second each; a CloudWatch of its own. Takes about
two minutes, prints figures, exits with 1 if a promise is broken.
"""

import asyncio
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.own_cloudwatch import GROUP, KEYS, OwnCloudWatch, badly_behaved
from tests.own_server import ROOT, OwnServer

CLIENTS = 6
EVERY = 0.1  # seconds between two requests of a client
WARM_UP, MEASURED = 2, 12  # seconds
SLOWER = 1.2  # times the p95 without CloudWatch,
NOISE = 0.010  # or so many seconds more: two busy cores are not quieter than that
LONGER = 2.0  # seconds more to start or to stop

UNLIMITED = dict.fromkeys(("RATE_LIMIT_PER_MINUTE", "ORDER_RATE_PER_MINUTE", "LOGIN_RATE_PER_MINUTE"), "0")


@dataclass
class Figures:
    start: float  # seconds
    taken: list[float]
    failed: int
    dropped: float
    stop: float

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.taken, n=20)[-1]


@contextlib.contextmanager
def nothing():
    yield None


@contextlib.contextmanager
def working():
    with OwnCloudWatch() as cloud:
        cloud.empty()
        yield cloud.endpoint


WAYS = {
    "without it": nothing,
    "it works": working,
    "it hangs": lambda: badly_behaved("hangs"),
    "it refuses": lambda: badly_behaved("refuses"),
    "it answers 500": lambda: badly_behaved("fails"),
    "without it, again": nothing,
}


def furnish(server: OwnServer) -> dict:
    """The demo data, in the server's database."""
    for command in (["migrate", "-v0"], ["demo", "--json"]):
        done = subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=server.environment, check=True, capture_output=True)
    return json.loads(done.stdout)["stores"][0]


def measure(endpoint: str | None) -> Figures:
    target = {"CLOUDWATCH_LOG_GROUP": GROUP, "AWS_LOGS_ENDPOINT_URL": endpoint} if endpoint else {}
    with tempfile.TemporaryDirectory() as folder:
        server = OwnServer(Path(folder), SERVE="api", WEB_CONCURRENCY="2", **UNLIMITED, **KEYS, **target)
        store = furnish(server)
        began = time.monotonic()
        with server:
            start = time.monotonic() - began
            taken, failed = asyncio.run(play(server.port, store))
            found = server.metrics()
            dropped = found["tableorder_log_lines_dropped_total{sink=cloudwatch}"]
            return Figures(start, taken, failed, dropped, server.stop())


async def play(port, store) -> tuple[list[float], int]:
    taken, failed = [], 0

    async def tablet(client, number):
        nonlocal failed
        login = {"store": store["code"], "table": store["tables"][number]["number"], "password": store["tables"][number]["password"]}
        access = (await client.post("tablet/login", json=login)).json()["access"]
        headers = {"Authorization": f"Bearer {access}"}
        categories = (await client.get("tablet/menu", headers=headers)).json()["categories"]
        plain = (item for category in categories for item in category["items"] if not any(group["min"] for group in item["option_groups"]))
        item = next(item for item in plain if not item["sold_out"] and item["stock"] is None)
        body = {"lines": [{"item": item["id"], "quantity": 1, "options": []}]}
        due = time.monotonic() + EVERY * number / CLIENTS
        first, last = due + WARM_UP, due + WARM_UP + MEASURED
        count = 0
        while due < last:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            count, began = count + 1, time.monotonic()
            match count % 3:
                case 0:
                    answer = await client.post(
                        "tablet/orders", json=body, headers=headers | {"Idempotency-Key": f"fault-{number}-{count:06}"}
                    )
                case 1:
                    answer = await client.post("tablet/quote", json=body, headers=headers)
                case 2:
                    answer = await client.get("tablet/session", headers=headers)
            if began > first:
                taken.append(time.monotonic() - began)
                failed += answer.status_code >= 400
            due = max(due + EVERY, time.monotonic() - EVERY)

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/api/v1/", timeout=30) as client:
        await asyncio.gather(*(tablet(client, number) for number in range(CLIENTS)))
    return taken, failed


def judged(figures: dict[str, Figures]) -> list[str]:
    """Prints the figures; what was promised and is not so."""
    broken = []
    print(f"{'':20} start s  requests  failed  p50 ms  p95 ms  max ms  lines dropped  stop s")
    without = [found for way, found in figures.items() if way.startswith("without")]
    start, p95, stop = (max(getattr(found, name) for found in without) for name in ("start", "p95", "stop"))
    for way, found in figures.items():
        times = "".join(f"{1000 * value:8.1f}" for value in (statistics.median(found.taken), found.p95, max(found.taken)))
        print(f"{way:20}{found.start:8.1f}{len(found.taken):10}{found.failed:8}{times}{found.dropped:15.0f}{found.stop:8.1f}")
        if found.failed:
            broken.append(f"{way}: {found.failed} requests failed")
        if found.start > start + LONGER:
            broken.append(f"{way}: started in {found.start:.1f} s")
        if found.p95 > max(SLOWER * p95, p95 + NOISE):
            broken.append(f"{way}: p95 is {1000 * found.p95:.0f} ms")
        if found.stop > stop + LONGER:
            broken.append(f"{way}: stopped in {found.stop:.1f} s")
    return broken


def main() -> int:
    figures = {}
    for way, endpoint in WAYS.items():
        with endpoint() as address:
            figures[way] = measure(address)
    broken = judged(figures)
    for line in broken:
        print("BROKEN:", line)
    print("CloudWatch:", "broken" if broken else "kept", "(start and stop at most 2 s longer, p95 at most 1.2 times or 10 ms more)")
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main())
