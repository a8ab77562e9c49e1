"""How long an order takes to the board's stream.

    python -m benchmarks.stream_delay

The real program on a fresh SQLite file with the demo's store, once in the default set-up (one worker, as `make run`)
and once with two, where the order mostly arrives at another worker than the one that has the stream. Four boards
listen; a guest orders now and then. Takes about a minute.
"""

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

from tests.server import ROOT, Listener, serving

ORDERS = 50
BOARDS = 4  # as many streams as one token may have
PAUSE = (0.05, 0.4)  # seconds between two orders


def furnish(database_url: str) -> dict:
    """The demo's first store, as `demo --json` describes it."""
    environment = os.environ | {"DATABASE_URL": database_url, "LOG_LEVEL": "WARNING"}
    for command in (["migrate", "--verbosity", "0"], ["demo", "--json"]):
        done = subprocess.run(
            [sys.executable, "manage.py", *command], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
        )
    return json.loads(done.stdout)["stores"][0]


def delays(store: dict, database_url: str, workers: int) -> tuple[list[float], list[float]]:
    """Seconds (until the guest's answer, from there until each board has it) of each order."""
    chance, person, table = random.Random(1), store["staff"][0], store["tables"][0]
    dish = next(item for item in store["items"] if not item["option_groups"] and not item["sold_out"] and item["stock"] is None)
    body = {"lines": [{"item": dish["id"], "quantity": 1, "options": []}]}
    with serving(database_url, workers=workers) as server, server.client() as anybody:
        signed_in = anybody.post(
            "staff/login", json={"store": store["code"], "username": person["username"], "password": person["password"]}
        )
        tablet = anybody.post("tablet/login", json={"store": store["code"], "table": table["number"], "password": table["password"]})
        boards = [Listener(server, signed_in.json()["access"]) for _ in range(BOARDS)]
        answered, seen = [], []
        for _ in range(ORDERS):
            time.sleep(chance.uniform(*PAUSE))
            with server.client(tablet.json()["access"]) as guest:  # a connection of its own: any worker may get it
                began = time.monotonic()
                order = guest.post("tablet/orders", json=body, headers={"Idempotency-Key": str(uuid.uuid4())}).raise_for_status().json()
            now = time.monotonic()
            answered.append(now - began)
            seen += [max(0.0, board.when(order["id"]) - now) for board in boards]
        for board in boards:
            board.close()
    return answered, seen


def main():
    print(f"{'':24}{'order p50':>11}{'p95 ms':>9}{'board p50':>11}{'p95 ms':>9}{'max ms':>9}   (board: after the guest's answer)")
    for name, workers in [("default, one worker", 1), ("two workers", 2)]:
        with tempfile.TemporaryDirectory() as folder:
            database_url = f"sqlite:///{Path(folder) / 'delay.sqlite3'}"
            answered, seen = delays(furnish(database_url), database_url, workers)
        figures = [statistics.median(answered), p95(answered), statistics.median(seen), p95(seen), max(seen)]
        print(f"{name:24}{''.join(f'{1000 * value:{width}.0f}' for value, width in zip(figures, (11, 9, 11, 9, 9), strict=True))}")


def p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


if __name__ == "__main__":
    main()
