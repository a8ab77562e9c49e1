"""Lists come in pages: limits, cursors, and rows that come and go meanwhile."""

import base64
import json
import re

import pytest

from sessions_app.models import TableSession
from stores.models import Table
from tests.routes import furnish, offered, with_own_ids
from tests.world import place, problem


def lists():
    """Every GET that the document says comes in pages."""
    return [route for route, method in offered() if method == "GET" and "limit" in parameters_of(route)]


def parameters_of(route) -> list[str]:
    return [parameter["name"] for parameter in route.operation("GET").get("parameters", [])]


def cursor_of(*values) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def test_there_are_lists():
    assert {route.path for route in lists()} >= {"staff/orders", "staff/tables", "staff/items", "staff/history"}


NO_LIMIT = ["0", "-1", "101", "x", "", "1.0", "1e1", " 5", "%2B5", "٣", "0x10", "%00", "9" * 5000, "000000001000", "0000000001000"]


def test_a_bad_limit_is_not_valid_anywhere(ours, owner):
    furnish(ours)
    for route in lists():
        for limit in NO_LIMIT:
            body = problem(owner.get(f"{with_own_ids(route, ours)}?limit={limit}"), 400, "VALIDATION")
            assert [error["pointer"] for error in body["errors"]] == ["?limit"]


ID = "00000000-0000-4000-8000-000000000000"
SIZES = (2, 3, 4)  # how many values the cursors of our lists hold
FROM_NOWHERE = [
    *("x", "1", "%00", "💥", "=", "====", "e30", "bnVsbA", "A" * 5000, cursor_of(), cursor_of(1), cursor_of(ID), cursor_of(*[ID] * 5)),
    *(cursor_of(*[value] * size) for size in SIZES for value in (5, -5, "", None, True, 1.5, 2**40, [], {}, "\x00", "\ud800", "💥" * 300)),
    *(cursor_of(*[value] * (size - 1), ID) for size in SIZES for value in (5, -5, "\ud800", ID, "9" * 30, "2026-13-01", "12:00")),
    *(cursor_of(moment, ID) for moment in ("9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2026-11-20", "2026-11-20T12:00:00")),
    *(
        base64.b64encode(text).decode()
        for text in (b"[" * 3000, b"\xff\xfe", b'["a"', b"[NaN, NaN]", b"[1e999, 1]", b'{"a": 1, "b": 2}', b'"ab"')
    ),
]


def test_a_cursor_from_nowhere_is_never_an_accident(ours, owner):
    """Refused, or at worst a place in the list."""
    furnish(ours)
    owner.post(f"staff/tables/{ours.table.pk}/complete", {"force": True})
    for route in lists():
        for cursor in FROM_NOWHERE:
            answer = owner.get(f"{with_own_ids(route, ours)}?cursor={cursor}")
            if answer.status_code != 200:
                body = problem(answer, 400, "VALIDATION")
                assert [error["pointer"] for error in body["errors"]] == ["?cursor"]


def test_a_cursor_from_nowhere_is_not_valid(owner):
    for path in ("staff/orders", "staff/history"):
        for cursor in (
            "x",
            "nowhere",
            "e30",
            "bnVsbA",
            cursor_of(),
            cursor_of("x", "y"),
            cursor_of(5, 5),
            cursor_of("2026-11-20T12:00:00+00:00"),
        ):
            problem(owner.get(f"{path}?cursor={cursor}"), 400, "VALIDATION")


def make_tables(world, count, prefix="T"):
    Table.objects.bulk_create(Table(store=world.store, number=f"{prefix}{number:03d}") for number in range(count))


def test_a_list_has_fifty_by_default_and_a_hundred_at_most(ours, owner):
    make_tables(ours, 118)
    assert len(owner.get("staff/tables").json()["results"]) == 50
    page = owner.get("staff/tables?limit=100").json()
    assert len(page["results"]) == 100
    rest = owner.get(f"staff/tables?limit=100&cursor={page['next']}").json()
    assert (len(rest["results"]), rest["next"]) == (20, None)


@pytest.mark.parametrize(("count", "limit"), [(0, 2), (2, 4), (2, 2), (3, 1), (5, 3)])
def test_pages_are_the_list_in_pieces(ours, owner, count, limit):
    """Nothing is missing or doubled where a page ends, also when the last page is full."""
    make_tables(ours, count)
    whole = owner.get("staff/tables").json()["results"]
    seen, sizes, query = [], [], f"?limit={limit}"
    while query:
        page = owner.get(f"staff/tables{query}").json()
        seen += page["results"]
        sizes.append(len(page["results"]))
        query = page["next"] and f"?limit={limit}&cursor={page['next']}"
    assert seen == whole
    assert all(size == limit for size in sizes[:-1])
    assert sizes[-1] > 0


def test_rows_that_come_between_two_pages_neither_repeat_nor_hide_others(ours, owner, clock):
    def order():
        clock.advance(seconds=1)
        return place(ours.table, ours.item)["number"]

    numbers = [order() for _ in range(5)]
    first = owner.get("staff/orders?limit=2").json()
    new = [order() for _ in range(3)]
    rest = owner.get(f"staff/orders?limit=100&cursor={first['next']}").json()
    assert [row["number"] for row in first["results"] + rest["results"]] == numbers[::-1]
    assert [row["number"] for row in owner.get("staff/orders").json()["results"]] == (numbers + new)[::-1]


def test_rows_that_go_between_two_pages_hide_no_others(ours, owner):
    make_tables(ours, 6)
    whole = [row["number"] for row in owner.get("staff/tables").json()["results"]]
    first = owner.get("staff/tables?limit=3").json()
    Table.objects.filter(number__in=whole[1:3]).delete()  # also the very row that the cursor names
    rest = owner.get(f"staff/tables?limit=3&cursor={first['next']}").json()["results"]
    assert [row["number"] for row in rest] == whole[3:6]


def test_rows_of_the_same_moment_are_paged_by_their_ids(ours, owner, clock):
    for _ in range(5):
        place(ours.table, ours.item)
    TableSession.objects.update(started_at=clock.now)
    seen, query = [], "?limit=2"
    while query:
        page = owner.get(f"staff/orders{query}").json()
        seen += [row["number"] for row in page["results"]]
        query = page["next"] and f"?limit=2&cursor={page['next']}"
    assert sorted(seen) == [1, 2, 3, 4, 5]


def test_a_filter_goes_with_its_pages(ours, owner, clock):
    for table in (0, 1, 0, 1, 0):
        place(ours.tables[table], ours.item)
        clock.advance(seconds=1)
    query = f"staff/orders?table={ours.tables[0].pk}&limit=2"
    first = owner.get(query).json()
    rest = owner.get(f"{query}&cursor={first['next']}").json()
    assert [row["number"] for row in first["results"] + rest["results"]] == [5, 3, 1]
    assert rest["next"] is None


def test_a_cursor_is_fit_for_an_address(ours, owner):
    make_tables(ours, 3, prefix="창가 ~?/+&# ")
    query = "?limit=1"
    for _ in range(5):
        page = owner.get(f"staff/tables{query}").json()
        query = f"?limit=1&cursor={page['next']}"
        assert page["next"] is None or re.fullmatch(r"[A-Za-z0-9_-]+", page["next"])
    assert page["next"] is None
