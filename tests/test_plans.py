"""PostgreSQL finds what a request asks for by an index, however long the store's past is."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from benchmarks import history
from tests.world import line, make_choice, new_key, tablet_of

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's EXPLAIN"),
]

PAST = 100_000  # orders: reading all of them is never the better plan
LONG = {"orders_order", "orders_orderline", "orders_orderlineoption", "sessions_app_tablesession", "stores_event"}


@pytest.fixture
def old_store(ours):
    """Open for years, and with guests at each table."""
    ours.option = make_choice(ours.item)[0]
    for table in ours.tables:
        answer = tablet_of(table).post("tablet/orders", {"lines": lines_of(ours)}, key=new_key())
        assert answer.status_code == 201
    history.fill([ours.store.pk], orders=PAST)
    return ours


def lines_of(world):
    return [line(world.item, 1, world.option), line(world.items[1])]


def scans(plan: dict):
    """(how, which table) of every part of the plan that reads one."""
    if "Relation Name" in plan:
        yield plan["Node Type"], plan["Relation Name"]
    for part in plan.get("Plans", []):
        yield from scans(part)


def read_whole(statements) -> list:
    """Of the long tables, those that one of the statements reads from beginning to end."""
    found = []
    for statement in statements:
        sql = statement["sql"]
        if sql.startswith(("SELECT", "WITH", "UPDATE", "INSERT")):
            with connection.cursor() as cursor:
                cursor.execute("EXPLAIN (FORMAT JSON) " + sql.replace("%", "%%"))
                told = cursor.fetchone()[0]
            plan = (json.loads(told) if isinstance(told, str) else told)[0]["Plan"]
            found += [(table, sql) for how, table in scans(plan) if how == "Seq Scan" and table in LONG]
    return found


def test_the_control_a_search_without_an_index_is_seen(old_store):
    with CaptureQueriesContext(connection) as statements, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM orders_order WHERE note = 'no such note'")
    assert [table for table, _ in read_whole(statements)] == ["orders_order"]


def test_staff_lists_use_indexes(old_store, manager):
    table = old_store.table.pk
    paths = ["staff/board", "staff/orders", "staff/orders?status=pending", f"staff/orders?table={table}", "staff/tables"]
    paths += ["staff/history", f"staff/tables/{table}/history", "staff/history?from=2020-01-01&to=2040-01-01"]
    for path in paths:
        with CaptureQueriesContext(connection) as statements:
            answer = manager.get(path)
        assert answer.status_code == 200, answer.content
        assert read_whole(statements) == [], path
        if cursor := answer.json().get("next"):
            with CaptureQueriesContext(connection) as statements:
                manager.get(f"{path}{'&' if '?' in path else '?'}cursor={cursor}")
            assert read_whole(statements) == [], f"{path}, the next page"


def test_an_order_and_its_repeat_use_indexes(old_store, tablet):
    lines, key = lines_of(old_store), new_key()
    for status in (201, 200):
        with CaptureQueriesContext(connection) as statements:
            assert tablet.post("tablet/orders", {"lines": lines}, key=key).status_code == status
        assert read_whole(statements) == []
    with CaptureQueriesContext(connection) as statements:
        tablet.get("tablet/session")
    assert read_whole(statements) == []
