"""A party at a table: begins with its first order, runs out by two clocks, ends when staff complete it."""

import uuid
from io import StringIO

import pytest
from django.core.management import call_command

from orders.models import Order
from sessions_app.models import TableSession
from sessions_app.services import expire_session
from stores.models import AuditEntry, Event
from tests.orders.test_kitchen import put_in_state
from tests.snapshot import nothing_stored
from tests.world import events_of, new_key, order_for, place, problem, staff_of, tablet_of

ORDERS = "tablet/orders"


def complete(staff, table, **asked):
    return staff.post(f"staff/tables/{table.pk}/complete", asked)


def state_of(id) -> str:
    return TableSession.objects.get(pk=id).state


# --- Beginning --------------------------------------------------------------------------------------------------


def test_looking_begins_no_session(tablet, manager, ours):
    with nothing_stored():
        assert tablet.get("tablet/session").json() == {"session": None, "orders": [], "total": 0, "cursor": 2}
        manager.get("staff/board")
        tablet.post("tablet/quote", {"lines": [{"item": str(ours.item.pk), "quantity": 1}]})


def test_a_call_begins_no_session(tablet, ours):
    tablet.post("tablet/calls", {"kind": "help"})
    assert tablet.get("tablet/session").json()["session"] is None


def test_the_first_order_begins_one_and_the_next_joins_it(tablet, ours, clock):
    begun = clock.now
    first = tablet.post(ORDERS, order_for(ours.item), key=new_key()).json()
    clock.advance(minutes=10)
    second = tablet.post(ORDERS, order_for(ours.items[1]), key=new_key()).json()
    bill = tablet.get("tablet/session").json()
    assert bill["session"] == {
        "id": first["session"],
        "state": "active",
        "started_at": begun.isoformat(),
        "expires_at": bill["session"]["expires_at"],
        "completed_at": None,
        "ordering_open": True,
    }
    assert bill["orders"] == [second, first]
    assert bill["total"] == 21000
    assert events_of(ours).count("session.started") == 1


def test_each_table_has_its_own_party(ours):
    assert place(ours.tables[0], ours.item)["session"] != place(ours.tables[1], ours.item)["session"]
    assert tablet_of(ours.tables[1]).get("tablet/session").json()["total"] == 12000


def test_a_refused_order_begins_no_session(tablet, ours):
    with nothing_stored():
        problem(tablet.post(ORDERS, order_for(ours.item, expected_total=1), key=new_key()), 409, "PRICE_CHANGED")


# --- The two clocks ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since_start", "since_order", "runs_out_after"),
    [(16, 2, 2), (1, 2, 1), (0, 2, 2), (16, 0, 16), (0.5, 0, 0.5), (16, 0.25, 0.25), (0, 0, None)],
)
def test_a_session_runs_out_by_the_earlier_of_two_clocks(tablet, ours, settings, clock, since_start, since_order, runs_out_after):
    settings.SESSION_EXPIRE_HOURS, settings.SESSION_LAST_ORDER_TIMEOUT_HOURS = since_start, since_order
    place(ours.table, ours.item)
    begun = clock.now
    expires_at = tablet.get("tablet/session").json()["session"]["expires_at"]
    if runs_out_after is None:
        assert expires_at is None
        clock.advance(days=365)
        assert tablet.get("tablet/session").json()["session"]["ordering_open"]
        return
    clock.advance(hours=runs_out_after)
    assert expires_at == clock.now.isoformat()
    clock.advance(microseconds=-1)
    assert tablet.get("tablet/session").json()["session"]["started_at"] == begun.isoformat()
    clock.advance(microseconds=1)
    assert tablet.get("tablet/session").json()["session"] is None


def test_an_order_winds_up_the_second_clock_but_not_the_first(ours, tablet, settings, clock):
    settings.SESSION_EXPIRE_HOURS, settings.SESSION_LAST_ORDER_TIMEOUT_HOURS = 5, 2
    first = place(ours.table, ours.item)
    for _ in range(3):
        clock.advance(minutes=90)
        assert place(ours.table, ours.item)["session"] == first["session"]
    clock.advance(minutes=30)
    assert place(ours.table, ours.item)["session"] != first["session"]


@pytest.mark.parametrize("clocks", [(16, 2), (2, 16)])
@pytest.mark.parametrize("notice", ["the tablet", "the board", "an order", "the command"])
def test_a_session_that_has_run_out_is_noticed_by_whoever_comes_first(ours, tablet, manager, settings, clock, notice, clocks):
    settings.SESSION_EXPIRE_HOURS, settings.SESSION_LAST_ORDER_TIMEOUT_HOURS = clocks
    order = place(ours.table, ours.item)
    clock.advance(hours=2)
    cursor = Event.objects.in_store(ours.store).count()
    for _ in range(2):  # the second time there is nothing to notice
        match notice:
            case "the tablet":
                assert tablet.get("tablet/session").json()["session"] is None
            case "the board":
                assert manager.get("staff/board").json()["tables"][0]["session"] is None
            case "an order":
                tablet.post(ORDERS, order_for(ours.item), key="tap-0001")
            case "the command":
                expire_sessions()
    assert state_of(order["session"]) == "expired"
    started = ["session.started", "order.placed"] if notice == "an order" else []
    assert events_of(ours, after=cursor) == ["session.expired", *started]


@pytest.mark.parametrize(("meanwhile", "state"), [("completed", "completed"), ("noticed", "expired"), ("ordered in", "active")])
def test_what_has_happened_since_somebody_saw_a_party_run_out_counts(ours, tablet, manager, clock, meanwhile, state):
    """It was looked at without the table's lock."""
    place(ours.table, ours.item)
    seen = TableSession.objects.get()
    clock.advance(hours=1)
    if meanwhile == "ordered in":
        place(ours.table, ours.item)
    clock.advance(hours=1)
    assert seen.has_run_out(clock.now)
    if meanwhile == "completed":
        assert complete(manager, ours.table, force=True).status_code == 200
    if meanwhile == "noticed":
        tablet.get("tablet/session")
    with nothing_stored():
        assert expire_session(seen).state == state


def expire_sessions() -> str:
    call_command("expire_sessions", stdout=(said := StringIO()))
    return said.getvalue()


def test_the_command_marks_what_has_run_out_and_nothing_else(ours, theirs, clock):
    old = [place(world.table, world.item)["session"] for world in (ours, theirs)]
    clock.advance(hours=1)
    young = place(ours.tables[1], ours.item)["session"]
    clock.advance(hours=1)
    assert expire_sessions() == "2 sessions expired\n"
    assert [state_of(id) for id in (*old, young)] == ["expired", "expired", "active"]
    with nothing_stored():
        assert expire_sessions() == "0 sessions expired\n"


def test_what_never_runs_out_is_left_alone_by_the_command(ours, settings, clock):
    settings.SESSION_EXPIRE_HOURS = settings.SESSION_LAST_ORDER_TIMEOUT_HOURS = 0
    place(ours.table, ours.item)
    clock.advance(days=400)
    with nothing_stored():
        expire_sessions()


# --- Unsettled --------------------------------------------------------------------------------------------------


def test_an_expired_session_is_gone_for_the_tablet_but_its_bill_stays(ours, tablet, manager, clock):
    order = place(ours.table, ours.item)
    clock.advance(hours=3)
    shown = tablet.get("tablet/session").json()
    assert (shown["session"], shown["orders"], shown["total"]) == (None, [], 0)
    table = manager.get("staff/board").json()["tables"][0]
    assert (table["session"], table["orders"], table["total"]) == (None, [], 0)
    (bill,) = table["unsettled"]
    assert bill["total"] == 12000
    assert bill["orders"] == [order]
    assert bill["session"] | {"id": None} == bill["session"] | {
        "id": None,
        "state": "expired",
        "completed_at": None,
        "ordering_open": False,
    }
    assert manager.get("staff/history").json()["results"] == []


def test_the_next_order_begins_a_new_session_beside_it(ours, tablet, manager, clock):
    old = place(ours.table, ours.item)
    clock.advance(hours=3)
    new = place(ours.table, ours.items[1])
    assert new["session"] != old["session"]
    assert tablet.get("tablet/session").json()["orders"] == [new]
    table = manager.get("staff/board").json()["tables"][0]
    assert (table["orders"], table["total"]) == ([new], 9000)
    assert [row["orders"] for row in table["unsettled"]] == [[old]]


def test_an_unpaid_bill_never_vanishes_by_itself(ours, manager, clock):
    place(ours.table, ours.item)
    clock.advance(days=1000)
    expire_sessions()
    assert manager.get("staff/board").json()["tables"][0]["unsettled"][0]["total"] == 12000


# --- Completing -------------------------------------------------------------------------------------------------


def test_a_completed_party_is_history_and_the_tablet_shows_zero(ours, tablet, manager, clock):
    order = place(ours.table, ours.item)
    put_in_state(order, "served")
    clock.advance(minutes=30)
    answer = complete(manager, ours.table)
    assert answer.status_code == 200
    done = answer.json()
    assert done["session"]["id"] == order["session"]
    assert done["session"]["state"] == "completed"
    assert done["session"]["completed_at"] == clock.now.isoformat()
    assert done["session"]["ordering_open"] is False
    assert (done["total"], done["unfinished"]) == (12000, [])
    assert [row["id"] for row in done["orders"]] == [order["id"]]
    shown = tablet.get("tablet/session").json()
    assert (shown["session"], shown["orders"], shown["total"]) == (None, [], 0)
    assert events_of(ours)[-1] == "session.completed"
    assert TableSession.objects.get().completed_by == ours.manager
    entry = AuditEntry.objects.in_store(ours.store).get(action="session.completed")
    assert (entry.actor, entry.details) == (ours.manager, {"session": order["session"], "total": 12000, "unfinished": 0})


def test_the_next_party_starts_clean(ours, tablet, manager):
    old = place(ours.table, ours.item)
    complete(manager, ours.table, force=True)
    new = place(ours.table, ours.items[1])
    assert new["session"] != old["session"]
    assert tablet.get("tablet/session").json()["orders"] == [new]


def test_nobody_at_the_table_is_told_and_a_second_tap_too(ours, manager):
    with nothing_stored():
        problem(complete(manager, ours.table), 409, "NO_ACTIVE_SESSION")
    place(ours.table, ours.item)
    assert complete(manager, ours.table, force=True).status_code == 200
    with nothing_stored():
        problem(complete(manager, ours.table, force=True), 409, "NO_ACTIVE_SESSION")


def test_unfinished_lines_stop_a_completion_unless_it_is_forced(ours, manager):
    served, cooking = place(ours.table, ours.item), place(ours.table, ours.items[1], quantity=3)
    put_in_state(served, "served")
    line = cooking["lines"][0]
    manager.post(f"staff/orders/{cooking['id']}/cancel", {"reason": "x", "version": 1, "lines": [{"line": line["id"], "quantity": 1}]})
    with nothing_stored():
        body = problem(complete(manager, ours.table), 409, "ORDERS_UNFINISHED")
    assert body["lines"] == [{"order": cooking["id"], "line": line["id"], "name": line["name"], "quantity": 2, "status": "pending"}]
    done = complete(manager, ours.table, force=True).json()
    assert done["unfinished"] == [line["id"]]
    assert done["total"] == 12000 + 18000


@pytest.mark.parametrize("state", ["served", "cancelled"])
def test_what_is_served_or_cancelled_is_finished(ours, manager, state):
    put_in_state(place(ours.table, ours.item), state)
    assert complete(manager, ours.table).status_code == 200


@pytest.mark.parametrize("state", ["pending", "preparing", "ready"])
def test_what_is_not_served_is_unfinished(ours, manager, state):
    put_in_state(place(ours.table, ours.item), state)
    body = problem(complete(manager, ours.table), 409, "ORDERS_UNFINISHED")
    assert [line["status"] for line in body["lines"]] == [state]


def test_the_present_party_is_completed_first_and_then_the_oldest_unsettled_bill(ours, manager, clock):
    sessions = []
    for _ in range(3):
        sessions.append(place(ours.table, ours.item)["session"])
        clock.advance(hours=3)
    sessions.append(place(ours.table, ours.item)["session"])
    assert [complete(manager, ours.table, force=True).json()["session"]["id"] for _ in range(4)] == [sessions[3], *sessions[:3]]
    problem(complete(manager, ours.table, force=True), 409, "NO_ACTIVE_SESSION")


def test_a_party_that_has_run_out_unnoticed_is_not_the_present_one(ours, manager, clock):
    first = place(ours.table, ours.item)["session"]
    clock.advance(hours=3)
    second = place(ours.table, ours.item)["session"]
    clock.advance(hours=3)
    assert [complete(manager, ours.table, force=True).json()["session"]["id"] for _ in range(2)] == [first, second]


def test_one_session_can_be_completed_by_its_id(ours, manager, tablet, clock):
    old = place(ours.table, ours.item)
    clock.advance(hours=3)
    new = place(ours.table, ours.item)
    done = complete(manager, ours.table, session=old["session"], force=True).json()
    assert done["session"]["id"] == old["session"]
    assert tablet.get("tablet/session").json()["orders"] == [new]
    with nothing_stored():
        again = complete(manager, ours.table, session=old["session"], force=True)
    assert (again.status_code, again.json()) == (200, done)


def test_a_session_of_another_table_or_store_is_absent(ours, theirs, manager):
    place(ours.table, ours.item)
    elsewhere = [place(ours.tables[1], ours.item)["session"], place(theirs.table, theirs.item)["session"], str(uuid.uuid4())]
    for session in elsewhere:
        with nothing_stored():
            problem(complete(manager, ours.table, session=session, force=True), 404, "NOT_FOUND")
    with nothing_stored():
        problem(complete(manager, theirs.table, force=True), 404, "NOT_FOUND")


def test_a_malformed_completion_is_refused(ours, manager):
    place(ours.table, ours.item)
    with nothing_stored():
        for asked in ({"force": "yes"}, {"force": 1}, {"force": None}, {"session": None}, {"session": "x"}, {"sesion": 1}):
            problem(complete(manager, ours.table, **asked), 400, "VALIDATION")


def test_completing_needs_no_body(ours, manager):
    put_in_state(place(ours.table, ours.item), "served")
    assert manager.post(f"staff/tables/{ours.table.pk}/complete").status_code == 200


def test_a_tablet_completes_nothing(ours, tablet):
    place(ours.table, ours.item)
    with nothing_stored():
        problem(complete(tablet, ours.table, force=True), 403, "FORBIDDEN")


def test_an_order_does_not_come_back_when_the_bill_is_completed(ours, manager):
    """History keeps what it was, whatever comes after."""
    place(ours.table, ours.item)
    complete(manager, ours.table, force=True)
    before = manager.get("staff/history").content
    place(ours.table, ours.item)
    assert manager.get("staff/history").content == before


# --- Whose order is it? -----------------------------------------------------------------------------------------


def test_an_order_for_the_party_that_the_tablet_believes_in_is_taken(ours, tablet):
    first = tablet.post(ORDERS, order_for(ours.item, session=None), key=new_key())
    assert first.status_code == 201
    assert tablet.post(ORDERS, order_for(ours.item, session=first.json()["session"]), key=new_key()).status_code == 201


def test_an_order_left_behind_by_another_party_is_refused(ours, tablet, manager, clock):
    def refused(session):
        with nothing_stored():
            return problem(tablet.post(ORDERS, order_for(ours.item, session=session), key=new_key()), 409, "SESSION_CHANGED")["session"]

    assert refused(str(uuid.uuid4())) is None  # nobody is here
    first = place(ours.table, ours.item)["session"]
    current = tablet.get("tablet/session").json()["session"]
    assert refused(None) == current  # believed to be the first
    assert refused(str(uuid.uuid4())) == current
    assert refused(place(ours.tables[1], ours.item)["session"]) == current
    complete(manager, ours.table, force=True)
    assert refused(first) is None  # meanwhile completed
    second = place(ours.table, ours.item)["session"]
    assert refused(first) == tablet.get("tablet/session").json()["session"]  # meanwhile others are here
    clock.advance(hours=3)
    assert refused(second) is None  # meanwhile run out, whoever notices
    tablet.get("tablet/session")
    assert refused(second) is None


def test_a_queued_order_without_a_party_is_taken_after_the_old_one_has_run_out(ours, tablet, clock):
    old = place(ours.table, ours.item)["session"]
    clock.advance(hours=3)
    answer = tablet.post(ORDERS, order_for(ours.item, session=None), key=new_key())
    assert answer.status_code == 201
    assert answer.json()["session"] != old
    assert state_of(old) == "expired"


def test_a_repeat_is_the_same_order_though_the_party_has_changed_since(ours, tablet, manager):
    asked = order_for(ours.item, session=None)
    first = tablet.post(ORDERS, asked, key="tap-0001").json()
    again = tablet.post(ORDERS, asked, key="tap-0001")
    assert (again.status_code, again.json()) == (200, first)
    complete(manager, ours.table, force=True)
    again = tablet.post(ORDERS, asked, key="tap-0001")
    assert (again.status_code, again.json()) == (200, first)
    assert Order.objects.count() == 1


def test_a_session_is_an_id_or_null(ours, tablet):
    with nothing_stored():
        for session in ("", "none", 0, False, [], {}):
            problem(tablet.post(ORDERS, order_for(ours.item, session=session), key=new_key()), 400, "VALIDATION")


# --- Clocks that disagree ---------------------------------------------------------------------------------------


def test_an_order_by_a_machine_whose_clock_is_a_little_behind_is_taken(ours, tablet, clock):
    first = place(ours.table, ours.item)["session"]
    clock.advance(seconds=-2)
    answer = tablet.post(ORDERS, order_for(ours.item), key=new_key())
    assert answer.status_code == 201
    assert answer.json()["session"] == first


def test_a_manager_and_an_owner_complete_alike(ours, owner, manager):
    for staff in (owner, manager, staff_of(ours.store, ours.owner)):
        place(ours.table, ours.item)
        assert complete(staff, ours.table, force=True).status_code == 200
