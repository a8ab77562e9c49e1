"""A table asks for somebody."""

import pytest

from sessions_app.models import ServiceCall
from tests.snapshot import nothing_stored
from tests.world import events_of, place, problem, staff_of, tablet_of


def call(tablet, kind="help") -> dict:
    answer = tablet.post("tablet/calls", {"kind": kind})
    assert answer.status_code == 201, answer.content
    return answer.json()


def resolve(staff, id):
    return staff.post(f"staff/calls/{id}/resolve")


def open_kinds(manager) -> list[str]:
    return [row["kind"] for table in manager.get("staff/board").json()["tables"] for row in table["calls"]]


@pytest.mark.parametrize("kind", ["help", "water", "cutlery", "bill"])
def test_a_call_is_stored_told_and_shown(tablet, manager, ours, kind, clock):
    made = call(tablet, kind)
    assert made == {
        "id": made["id"],
        "kind": kind,
        "table": {"id": str(ours.table.pk), "number": "1"},
        "state": "open",
        "opened_at": made["opened_at"],
        "resolved_at": None,
    }
    assert ServiceCall.objects.in_store(ours.store).get().kind == kind
    assert events_of(ours)[-1] == "call.opened"
    assert open_kinds(manager) == [kind]


def test_a_second_tap_is_the_same_call(tablet, ours):
    first = call(tablet)
    with nothing_stored():
        again = tablet.post("tablet/calls", {"kind": "help"})
    assert (again.status_code, again.json()) == (200, first)


def test_other_kinds_and_other_tables_are_other_calls(tablet, manager, ours):
    call(tablet, "help")
    call(tablet, "water")
    call(tablet_of(ours.tables[1]), "help")
    assert sorted(open_kinds(manager)) == ["help", "help", "water"]


def test_somebody_takes_a_call_once(tablet, manager, owner, ours, clock):
    made = call(tablet)
    clock.advance(minutes=1)
    answer = resolve(manager, made["id"])
    assert answer.status_code == 200
    assert answer.json() == made | {"state": "resolved", "resolved_at": clock.now.isoformat()}
    assert events_of(ours)[-1] == "call.resolved"
    assert open_kinds(manager) == []
    assert ServiceCall.objects.get().resolved_by == ours.manager
    with nothing_stored():
        again = resolve(owner, made["id"])
    assert (again.status_code, again.json()) == (200, answer.json())


def test_after_it_was_taken_the_same_kind_is_a_new_call(tablet, manager):
    first = call(tablet)
    resolve(manager, first["id"])
    assert call(tablet)["id"] != first["id"]


def test_completing_the_party_resolves_its_calls(tablet, manager, ours):
    place(ours.table, ours.item)
    resolve(manager, call(tablet, "cutlery")["id"])
    call(tablet, "bill")
    call(tablet, "water")
    call(tablet_of(ours.tables[1]), "help")
    before = events_of(ours)
    manager.post(f"staff/tables/{ours.table.pk}/complete", {"force": True})
    assert open_kinds(manager) == ["help"]
    assert events_of(ours)[len(before) :] == ["call.resolved", "call.resolved", "session.completed"]


def test_settling_an_old_bill_leaves_the_calls_of_the_party_that_is_there(tablet, manager, ours, clock):
    old = place(ours.table, ours.item)["session"]
    clock.advance(hours=3)
    place(ours.table, ours.item)
    call(tablet, "water")
    manager.post(f"staff/tables/{ours.table.pk}/complete", {"force": True, "session": old})
    assert open_kinds(manager) == ["water"]


@pytest.mark.parametrize("noticed", [False, True])
def test_settling_an_old_bill_with_nobody_there_resolves_the_calls(tablet, manager, ours, clock, noticed):
    place(ours.table, ours.item)
    call(tablet, "bill")
    clock.advance(hours=3)
    if noticed:
        assert tablet.get("tablet/session").json()["session"] is None
    manager.post(f"staff/tables/{ours.table.pk}/complete", {"force": True})
    assert open_kinds(manager) == []


def test_a_call_of_no_known_kind_is_refused(tablet):
    kinds = (
        {},
        {"kind": ""},
        {"kind": "police"},
        {"kind": "HELP"},
        {"kind": None},
        {"kind": 1},
        {"kind": ["help"]},
        {"kind": "help", "note": "x"},
    )
    with nothing_stored():
        for asked in kinds:
            problem(tablet.post("tablet/calls", asked), 400, "VALIDATION")


def test_another_store_s_call_is_absent(tablet, theirs):
    made, their_owner = call(tablet), staff_of(theirs.store, theirs.owner)
    with nothing_stored():
        problem(resolve(their_owner, made["id"]), 404, "NOT_FOUND")
        problem(resolve(their_owner, "00000000-0000-4000-8000-000000000000"), 404, "NOT_FOUND")


def test_tablets_call_and_staff_resolve(tablet, manager, anyone):
    made = call(tablet)
    with nothing_stored():
        problem(resolve(tablet, made["id"]), 403, "FORBIDDEN")
        problem(manager.post("tablet/calls", {"kind": "help"}), 403, "FORBIDDEN")
        problem(anyone.post("tablet/calls", {"kind": "help"}), 401, "NOT_AUTHENTICATED")
        problem(resolve(anyone, made["id"]), 401, "NOT_AUTHENTICATED")


def test_resolving_takes_nothing_but_the_call(tablet, manager):
    made = call(tablet)
    with nothing_stored():
        problem(manager.post(f"staff/calls/{made['id']}/resolve", {"note": "x"}), 400, "VALIDATION")
    assert manager.post(f"staff/calls/{made['id']}/resolve", {}).status_code == 200
