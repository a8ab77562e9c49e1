"""Two machines' worth of processes behind Nginx: `python -m tests.deploy.machines_drill` as root, half a minute.

A board listens at one while orders go to both; one is killed in the middle (-9). The guest sends again with the same key,
the board comes back with Last-Event-ID: every order that was answered is on the board, each once. On a machine of its own
(own_machine.py), with a PostgreSQL and a Redis.
"""

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

from tests.deploy import own_machine
from tests.own_postgresql import OwnPostgreSQL
from tests.own_redis import OwnRedis

ROOT = Path(__file__).resolve().parents[2]
ONE, TWO = 8001, 8002
ORDERS, KILL_AFTER = 60, 20


def ask(method, path, body=None, token=None, **headers):
    headers |= {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    connection = http.client.HTTPConnection("127.0.0.1", 80, timeout=10)
    connection.request(method, f"/api/v1/{path}", None if body is None else json.dumps(body), headers)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read() or b"null")


class Board(threading.Thread):
    """Follows the store's events through Nginx and resumes after the last it has seen."""

    def __init__(self, token):
        super().__init__(daemon=True)
        self.token, self.last, self.numbers, self.placed, self.connections, self.at = token, None, [], [], 0, {}

    def run(self):
        while True:
            headers = {"Authorization": f"Bearer {self.token}"} | ({"Last-Event-ID": self.last} if self.last else {})
            try:
                connection = http.client.HTTPConnection("127.0.0.1", 80, timeout=40)
                connection.request("GET", "/api/v1/staff/events", headers=headers)
                stream = connection.getresponse()
                self.connections += stream.status == 200
                event = {}
                while line := stream.readline():
                    name, _, value = line.decode().rstrip("\n").partition(": ")
                    if name in ("id", "event", "data"):
                        event[name] = value
                    elif not name and event.get("id"):
                        self.last = event["id"]
                        self.numbers.append(int(event["id"]))
                        if event["event"] == "order.placed":
                            order = json.loads(event["data"])["data"]["id"]
                            self.placed.append(order)
                            self.at[order] = time.monotonic()
                        event = {}
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.5)


def start(port):
    values = {
        "BIND": f"127.0.0.1:{port}",
        "SERVE": "all",
        "RATE_LIMIT_PER_MINUTE": "0",
        "ORDER_RATE_PER_MINUTE": "0",
    }
    command = [f"{sys.prefix}/bin/gunicorn", "-c", "gunicorn.conf.py"]
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | values, stdout=subprocess.DEVNULL, start_new_session=True)


def main():
    own_machine.enter("tests.deploy.machines_drill")
    with OwnPostgreSQL(slots=60) as postgresql, OwnRedis() as redis:
        os.environ |= {"DATABASE_URL": postgresql.url, "REDIS_URL": redis.url, "RABBITMQ_URL": ""}
        for command in ("migrate", "demo"):
            subprocess.run([sys.executable, "manage.py", command], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        drill()


def drill():
    Path("/etc/nginx/sites-enabled/default").unlink(missing_ok=True)
    shutil.copytree(ROOT / "deploy/nginx/table-order", "/etc/nginx/table-order")
    shutil.copy(ROOT / "deploy/nginx/behind-balancer.conf", "/etc/nginx/conf.d")
    # What the load balancer does: two machines, and one that does not answer is left out for a while.
    both = f"server 127.0.0.1:{ONE} max_fails=1 fail_timeout=2s; server 127.0.0.1:{TWO} max_fails=1 fail_timeout=2s; keepalive 8;"
    upstreams = f"upstream table_order_api {{ {both} }} upstream table_order_streams {{ {both} }}"
    Path("/etc/nginx/table-order/upstreams.conf").write_text(upstreams)
    machines = [start(ONE), start(TWO)]
    nginx = subprocess.Popen(["nginx", "-g", "daemon off;"])
    try:
        time.sleep(10)
        _, tablet = ask("POST", "tablet/login", {"store": "hanok", "table": "2", "password": "hanok-1234"})
        _, staff = ask("POST", "staff/login", {"store": "hanok", "username": "hanok-manager", "password": "demo-seoul-77"})
        _, menu = ask("GET", "tablet/menu", token=tablet["access"])
        item = next(i for c in menu["categories"] for i in c["items"] if not i["option_groups"] and i["stock"] is None)
        board = Board(staff["access"])
        board.start()
        time.sleep(2)
        answered, again, delays = [], 0, []
        for number in range(ORDERS):
            if number == KILL_AFTER:
                os.killpg(machines[0].pid, signal.SIGKILL)
            key = uuid.uuid4().hex
            while True:
                try:
                    status, order = ask(
                        "POST",
                        "tablet/orders",
                        {"lines": [{"item": item["id"], "quantity": 1}]},
                        tablet["access"],
                        **{"Idempotency-Key": key},
                    )
                except (OSError, http.client.HTTPException):
                    status = 0
                if status in (200, 201):
                    break
                again += 1
                time.sleep(0.5)
            answered.append(order["id"])
            delays.append((order["id"], time.monotonic()))
            time.sleep(0.1)
        time.sleep(5)
        missing = [order for order in answered if order not in board.placed]
        gaps = [b for a, b in zip(board.numbers, board.numbers[1:], strict=False) if b != a + 1]
        late = sorted(board.at[order] - then for order, then in delays if order in board.at)
        print(f"{len(answered)} orders answered, sent again {again} times; the board connected {board.connections} times")
        print(
            f"missing on the board {len(missing)}, seen twice {len(board.placed) - len(set(board.placed))}, gaps or repeats of numbers {len(gaps)}"
        )
        print(
            f"after the answer, the board had it within {late[len(late) // 2]:.2f} s (median), {late[-1]:.2f} s (the one of the killed machine)"
        )
        assert not missing and not gaps and len(board.placed) == len(set(board.placed))
    finally:
        nginx.terminate()
        for machine in machines:
            if machine.poll() is None:
                machine.terminate()
            machine.wait()
        nginx.wait()


if __name__ == "__main__":
    main()
