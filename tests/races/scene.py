"""What the races have in common."""

from collections import Counter

import pytest
from django.db import connection

from stores.models import Table
from stores.services import create_table
from tests.world import TABLE_PASSWORD, Caller

ORDERS = "tablet/orders"

# SQLite has no row locks: BEGIN IMMEDIATE lets one writer in at a time, so a program without our locks is safe there too.
needs_row_locks = pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite lets one writer in at a time anyway")


def orders_from(token: str, *bodies_and_keys):
    """A tablet that sends these orders one after the other; its answers."""
    tablet = Caller(token)
    return [tablet.post(ORDERS, body, key=key) for body, key in bodies_and_keys]


def statuses(answers) -> Counter:
    return Counter(answer.status_code for answer in answers)


def make_tables(world, count: int) -> list[Table]:
    """So many tables, the world's own among them."""
    while len(world.tables) < count:
        world.tables.append(create_table(world.store, number=str(len(world.tables) + 1), password=TABLE_PASSWORD))
    return world.tables[:count]
