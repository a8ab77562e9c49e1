"""deploy/backup on a real PostgreSQL: fill, back up, destroy, restore, and every invariant holds; a bill that was
tampered with is found."""

import os
import subprocess
import sys
import uuid
from pathlib import Path

import psycopg
import pytest

from tests.deploy.programs import manage, slow
from tests.own_postgresql import PROGRAMS, OwnPostgreSQL
from tests.server import ROOT, serving

pytestmark = slow
ORDERS = 12


@pytest.fixture
def postgresql():
    if not PROGRAMS:
        pytest.skip("needs Debian's postgresql")
    with OwnPostgreSQL() as server:
        yield server


def backup(*arguments, **variables):
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "REDIS_URL": "", "RABBITMQ_URL": ""} | variables
    return subprocess.run([ROOT / "deploy/backup", *map(str, arguments)], env=environment, capture_output=True, text=True, check=False)


def an_evening(database: str):
    """Parties order, one thing is cancelled, a table pays: as staff and guests do it."""
    assert manage(database, "migrate").returncode == 0 and manage(database, "demo").returncode == 0
    with serving(database) as server:
        signed_in = server.client().post("tablet/login", json={"store": "hanok", "table": "1", "password": "hanok-1234"}).json()
        tablet = server.client(signed_in["access"])
        signed_in = (
            server.client().post("staff/login", json={"store": "hanok", "username": "hanok-manager", "password": "demo-seoul-77"}).json()
        )
        staff = server.client(signed_in["access"])
        items = [item for category in tablet.get("tablet/menu").json()["categories"] for item in category["items"]]
        item = next(item for item in items if not item["option_groups"] and item["stock"] is None)
        for _ in range(ORDERS):
            body = {"lines": [{"item": item["id"], "quantity": 2}]}
            order = tablet.post("tablet/orders", json=body, headers={"Idempotency-Key": uuid.uuid4().hex}).raise_for_status().json()
        path = f"staff/orders/{order['id']}/cancel"
        staff.post(path, json={"reason": "spilt", "version": order["version"]}).raise_for_status()
        staff.post(f"staff/tables/{order['table']['id']}/complete", json={"force": True}).raise_for_status()


def test_what_was_destroyed_comes_back_sound_and_whole_and_tampering_is_found(postgresql, tmp_path):
    an_evening(postgresql.url)
    dumped = backup("dump", tmp_path, DATABASE_URL=postgresql.url)
    assert dumped.returncode == 0, dumped.stderr

    with postgresql.superuser() as server:
        server.execute("DROP DATABASE tableorder WITH (FORCE)")
        assert manage(postgresql.url, "verify_data").returncode != 0, "there is nothing to verify"
        server.execute("CREATE DATABASE tableorder OWNER tableorder")
    restored = backup("restore", dumped.stdout.strip(), DATABASE_URL=postgresql.url)
    assert restored.returncode == 0, restored.stdout + restored.stderr
    print(restored.stdout)
    with psycopg.connect(postgresql.url) as database:  # what tablets and Redis keep is of none of these
        assert database.execute("SELECT min(menu_version) > 1000000 FROM stores_journal").fetchone()[0]
    assert f" {ORDERS} orders" in restored.stdout and "All is well" in restored.stdout
    again = backup("restore", dumped.stdout.strip(), DATABASE_URL=postgresql.url)
    assert again.returncode != 0 and "not empty" in again.stderr

    for tampering, sentence in (
        ("UPDATE orders_order SET total = total + 1 WHERE number = 3", "An order's total is the sum of its live lines."),
        ("DELETE FROM stores_event WHERE number = 20", "The journal has every event from where it was purged to its last number."),
        ("UPDATE orders_order SET number = 99 WHERE number = 7", "Order numbers count from 1 without a gap."),
    ):
        with psycopg.connect(postgresql.url) as database:
            assert database.execute(tampering).rowcount, tampering
        looked = manage(postgresql.url, "verify_data")
        assert looked.returncode == 1 and f"BROKEN {sentence}" in looked.stdout, (tampering, looked.stdout, looked.stderr)


def test_only_so_many_dumps_are_kept(postgresql, tmp_path):
    for day in range(1, 4):
        (tmp_path / f"table-order-2020010{day}T000000Z.dump").touch()
    dumped = backup("dump", tmp_path, DATABASE_URL=postgresql.url, KEEP="2")
    assert dumped.returncode == 0, dumped.stderr
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 2 and names[0].startswith("table-order-20200103")
