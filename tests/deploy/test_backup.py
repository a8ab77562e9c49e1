"""deploy/backup on a real PostgreSQL: fill, back up, restore elsewhere, and every invariant holds."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from tests.world import make_world, place

BACKUP = Path(__file__).resolve().parents[2] / "deploy/backup"


@pytest.fixture
def empty_database(transactional_db):
    """(the URL of the tests' database, the URL of an empty one)."""
    if connection.vendor != "postgresql" or not shutil.which("pg_dump"):
        pytest.skip("needs PostgreSQL in DATABASE_URL, and pg_dump")
    own = connection.settings_dict
    server = f"postgres://{own['USER']}:{own['PASSWORD']}@{own['HOST']}:{own['PORT']}"
    name = f"{own['NAME']}_restored"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        admin.execute(f'DROP DATABASE IF EXISTS "{name}"')
        admin.execute(f'CREATE DATABASE "{name}"')
        yield f"{server}/{own['NAME']}", f"{server}/{name}"
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def backup(*arguments, **variables):
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "REDIS_URL": "", "RABBITMQ_URL": ""} | variables
    return subprocess.run([BACKUP, *map(str, arguments)], env=environment, capture_output=True, text=True, check=False)


def test_what_was_dumped_comes_back_sound_and_whole(empty_database, tmp_path):
    full, empty = empty_database
    world = make_world("ours")
    for _ in range(3):
        place(world.table, world.item)
    dumped = backup("dump", tmp_path, DATABASE_URL=full)
    assert dumped.returncode == 0, dumped.stderr
    restored = backup("restore", dumped.stdout.strip(), empty)
    assert restored.returncode == 0, restored.stdout + restored.stderr
    assert "3 orders" in restored.stdout and "All is well" in restored.stdout
    again = backup("restore", dumped.stdout.strip(), empty)
    assert again.returncode != 0 and "not empty" in again.stderr


def test_only_so_many_dumps_are_kept(empty_database, tmp_path):
    for day in range(1, 4):
        (tmp_path / f"table-order-2020010{day}T000000Z.dump").touch()
    assert backup("dump", tmp_path, DATABASE_URL=empty_database[0], KEEP="2").returncode == 0
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 2 and names[0].startswith("table-order-20200103")
