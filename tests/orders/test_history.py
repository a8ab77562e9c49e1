"""The bills of the past."""

from datetime import datetime, timedelta

import pytest

from stores.models import Store, Table
from tests.world import make_world, place, problem, staff_of


@pytest.fixture
def past(ours, manager, clock):
    """past(moment, table): a party that orders and is completed then; its session's id."""

    def have(moment, table=None, *items):
        table = table or ours.table
        clock.set(moment)
        order = place(table, *(items or [ours.item]))
        assert manager.post(f"staff/tables/{table.pk}/complete", {"force": True}).status_code == 200
        return order["session"]

    return have


def listed(staff, query="", path="staff/history") -> list[str]:
    answer = staff.get(f"{path}{query}")
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["results"]]


def test_a_completed_bill_has_all_that_it_was(manager, ours, clock):
    clock.set("2026-11-20T19:00:00+09:00")
    first = place(ours.table, ours.item, quantity=2)
    clock.advance(minutes=30)
    second = place(ours.table, ours.items[1])
    clock.advance(minutes=30)
    manager.post(f"staff/tables/{ours.table.pk}/complete", {"force": True})
    answer = manager.get("staff/history").json()
    assert answer == {
        "results": [
            {
                "id": first["session"],
                "table": {"id": str(ours.table.pk), "number": "1"},
                "started_at": "2026-11-20T10:00:00+00:00",
                "completed_at": "2026-11-20T11:00:00+00:00",
                "total": 33000,
                "orders": [second, first],
            }
        ],
        "next": None,
    }


def test_only_what_is_completed_is_history(manager, ours, clock):
    place(ours.table, ours.item)
    clock.advance(hours=3)
    place(ours.table, ours.item)  # an unsettled bill and a party beside it
    assert listed(manager) == []


def test_history_is_newest_first_by_its_completion(manager, ours, past, clock):
    clock.set("2026-11-20T18:00:00+09:00")
    longest = place(ours.tables[1], ours.item)["session"]
    first = past("2026-11-20T19:00:00+09:00")
    second = past("2026-11-20T20:00:00+09:00")
    clock.advance(minutes=1)
    manager.post(f"staff/tables/{ours.tables[1].pk}/complete", {"force": True, "session": longest})
    assert listed(manager) == [longest, second, first]


def test_a_table_s_history_is_of_that_table(manager, ours, past):
    first = past("2026-11-20T19:00:00+09:00", ours.tables[0])
    second = past("2026-11-20T20:00:00+09:00", ours.tables[1])
    assert listed(manager) == [second, first]
    assert listed(manager, path=f"staff/tables/{ours.tables[0].pk}/history") == [first]
    assert listed(manager, path=f"staff/tables/{ours.tables[1].pk}/history") == [second]


def test_dates_are_business_dates_in_the_store_s_zone_both_included(manager, past):
    last_of_the_19th = past("2026-11-20T04:59:59.999999+09:00")
    first_of_the_20th = past("2026-11-20T05:00:00+09:00")
    last_of_the_20th = past("2026-11-21T04:59:59.999999+09:00")
    first_of_the_21st = past("2026-11-21T05:00:00+09:00")
    the_20th = [last_of_the_20th, first_of_the_20th]
    assert listed(manager, "?from=2026-11-20&to=2026-11-20") == the_20th
    assert listed(manager, "?from=2026-11-20") == [first_of_the_21st, *the_20th]
    assert listed(manager, "?to=2026-11-20") == [*the_20th, last_of_the_19th]
    assert listed(manager, "?from=2026-11-19&to=2026-11-21") == [first_of_the_21st, *the_20th, last_of_the_19th]
    assert listed(manager, "?from=2026-11-22") == listed(manager, "?to=2026-11-18") == []


def test_it_is_the_day_of_completion_that_counts(manager, ours, clock):
    clock.set("2026-11-20T23:00:00+09:00")
    session = place(ours.table, ours.item)["session"]
    clock.set("2026-11-22T10:00:00+09:00")
    manager.post(f"staff/tables/{ours.table.pk}/complete", {"force": True})
    assert listed(manager, "?from=2026-11-20&to=2026-11-21") == []
    assert listed(manager, "?from=2026-11-22&to=2026-11-22") == [session]


@pytest.mark.parametrize(
    ("zone", "cut_off", "day", "begins", "ends"),
    [
        ("America/New_York", 5, "2026-03-07", "2026-03-07T10:00:00+00:00", "2026-03-08T09:00:00+00:00"),  # the clock jumps at 2 on the 8th
        ("America/New_York", 5, "2026-10-31", "2026-10-31T09:00:00+00:00", "2026-11-01T10:00:00+00:00"),  # and back on November 1st
        ("America/New_York", 2, "2026-03-08", "2026-03-08T07:00:00+00:00", "2026-03-09T06:00:00+00:00"),  # an hour that isn't there
        ("America/New_York", 1, "2026-11-01", "2026-11-01T05:00:00+00:00", "2026-11-02T06:00:00+00:00"),  # an hour that is there twice
        ("Asia/Kathmandu", 0, "2026-11-20", "2026-11-19T18:15:00+00:00", "2026-11-20T18:15:00+00:00"),
        ("Pacific/Kiritimati", 23, "2026-11-20", "2026-11-20T09:00:00+00:00", "2026-11-21T09:00:00+00:00"),
    ],
)
def test_a_business_day_of_history_follows_the_store_s_clock(ours, manager, clock, zone, cut_off, day, begins, ends):
    Store.objects.filter(pk=ours.store.pk).update(timezone=zone, day_starts_at=cut_off)
    first, after = datetime.fromisoformat(begins), datetime.fromisoformat(ends)
    sessions = {}
    for moment in (first - timedelta(seconds=1), first, after - timedelta(seconds=1), after):
        clock.now = moment
        order = place(ours.table, ours.item)
        sessions[order["session"]] = order["order_number"].split("-")[0]
        manager.post(f"staff/tables/{ours.table.pk}/complete", {"force": True})
    inside = list(sessions)[1:3]
    assert sorted(listed(manager, f"?from={day}&to={day}")) == sorted(inside)
    assert {sessions[id] for id in inside} == {day.replace("-", "")}  # the orders' own day is the same
    assert [list(sessions.values()).count(day.replace("-", ""))] == [2]


@pytest.mark.parametrize("path", ["staff/history", "staff/tables/{table}/history"])
def test_dates_out_of_order_are_not_valid(manager, ours, path):
    path = path.format(table=ours.table.pk)
    body = problem(manager.get(f"{path}?from=2026-11-21&to=2026-11-20"), 400, "VALIDATION")
    assert body["errors"][0]["pointer"] == "?to"


NO_DATE = [
    *("", "today", "20261120", "2026-11-2", "2026-02-30", "2026-13-01", "2026-W47-5", "2026-11-20T00:00", "20-11-2026", "+002026-11"),
    *("0000-00-00", "10000-01-01", "2026-11-20%00", "%00", "2026-11-1x", "٢٠٢٦-١١-٢٠", "-026-11-20", "1e9"),
]


def test_a_bad_date_is_not_valid(manager):
    for date in NO_DATE:
        for name in ("from", "to"):
            body = problem(manager.get(f"staff/history?{name}={date}"), 400, "VALIDATION")
            assert body["errors"][0]["pointer"] == f"?{name}"


def test_the_ends_of_the_calendar_are_dates_too(manager, past):
    bill = past("2026-11-20T12:00:00+09:00")

    def found(**dates):
        answer = manager.get("staff/history?" + "&".join(f"{name}={date}" for name, date in dates.items()))
        return [row["id"] for row in answer.json()["results"]]

    assert found(**{"from": "0001-01-01", "to": "9999-12-31"}) == found(**{"from": "1970-01-01"}) == [bill]
    assert found(**{"from": "9999-12-31"}) == found(to="0001-01-01") == []


def test_history_comes_in_pages(manager, past):
    sessions = [past(f"2026-11-20T{hour}:00:00+09:00") for hour in range(10, 15)]
    seen, query = [], "?limit=2"
    while query:
        answer = manager.get(f"staff/history{query}").json()
        seen.append([row["id"] for row in answer["results"]])
        query = answer["next"] and f"?limit=2&cursor={answer['next']}"
    newest = sessions[::-1]
    assert seen == [newest[:2], newest[2:4], newest[4:]]


def test_a_bill_of_nothing_is_history_too(owner, ours):
    order = place(ours.table, ours.item)
    owner.post(f"staff/orders/{order['id']}/cancel", {"reason": "left", "version": 1})
    owner.post(f"staff/tables/{ours.table.pk}/complete")
    (bill,) = owner.get("staff/history").json()["results"]
    assert (bill["total"], bill["orders"][0]["status"]) == (0, "cancelled")


def test_history_stays_when_its_table_is_switched_off(manager, ours, past):
    session = past("2026-11-20T10:00:00+09:00")
    Table.objects.in_store(ours.store).update(is_active=False)
    assert listed(manager) == listed(manager, path=f"staff/tables/{ours.table.pk}/history") == [session]


def test_another_store_s_history_is_theirs(manager, ours):
    theirs = make_world("theirs")
    their_manager = staff_of(theirs.store, theirs.manager)
    place(theirs.table, theirs.item)
    their_manager.post(f"staff/tables/{theirs.table.pk}/complete", {"force": True})
    assert len(listed(their_manager)) == 1
    assert listed(manager) == []
    problem(manager.get(f"staff/tables/{theirs.table.pk}/history"), 404, "NOT_FOUND")
    problem(manager.get("staff/tables/00000000-0000-4000-8000-000000000000/history"), 404, "NOT_FOUND")


def test_history_is_for_staff(tablet, anyone):
    problem(tablet.get("staff/history"), 403, "FORBIDDEN")
    problem(anyone.get("staff/history"), 401, "NOT_AUTHENTICATED")
