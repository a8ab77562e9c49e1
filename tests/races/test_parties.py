"""A table's party comes, goes and orders at the same moment."""

from orders import services
from orders.models import Order
from sessions_app.models import ServiceCall, TableSession
from stores import audit
from tests.threads import at_once, begin, connections_for, is_waiting, stopped_before
from tests.world import Caller, events_of, new_key, order_for, place, problem, staff_of, tablet_of

from .scene import ORDERS, needs_row_locks, orders_from, statuses


def test_first_orders_of_a_table_at_once_begin_one_session(ours):
    token = tablet_of(ours.table).token
    with connections_for(8):
        answers = at_once(*[lambda: Caller(token).post(ORDERS, order_for(ours.item), key=new_key())] * 8)
    assert statuses(answers) == {201: 8}
    assert len({answer.json()["session"] for answer in answers}) == 1
    assert TableSession.objects.get().total == 8 * 12000
    assert events_of(ours, "session.started") == ["session.started"]


@needs_row_locks
def test_control_without_the_lock_only_one_first_order_gets_through(ours, without_the_lock):
    here, there = tablet_of(ours.table), tablet_of(ours.table)
    with stopped_before(services, "lock_stock") as stop:
        first = begin(here.post, ORDERS, order_for(ours.item), key=new_key())
        stop.wait_until_reached()
        assert there.post(ORDERS, order_for(ours.item), key=new_key()).status_code == 201
        stop.let_go()
        assert first.result().status_code == 500  # only the database's own constraint keeps it to one session
    assert TableSession.objects.count() == 1


def test_an_order_that_was_first_is_on_the_bill_that_is_completed(ours):
    place(ours.table, ours.item)
    tablet, manager = tablet_of(ours.table), staff_of(ours.store, ours.manager)
    with stopped_before(services, "lock_stock") as stop:
        ordering = begin(tablet.post, ORDERS, order_for(ours.items[1]), key=new_key())
        stop.wait_until_reached()
        completing = begin(manager.post, f"staff/tables/{ours.table.pk}/complete", {"force": True})
        assert is_waiting(completing)
        stop.let_go()
        order, done = ordering.result().json(), completing.result().json()
    assert order["session"] == done["session"]["id"]
    assert order["id"] in [row["id"] for row in done["orders"]]
    assert done["total"] == 21000
    assert tablet.get("tablet/session").json()["session"] is None


def test_an_order_that_was_second_begins_a_new_bill(ours):
    first = place(ours.table, ours.item)
    tablet, manager = tablet_of(ours.table), staff_of(ours.store, ours.manager)
    with stopped_before(audit, "note") as stop:
        completing = begin(manager.post, f"staff/tables/{ours.table.pk}/complete", {"force": True})
        stop.wait_until_reached()
        ordering = begin(tablet.post, ORDERS, order_for(ours.items[1]), key=new_key())
        assert is_waiting(ordering)
        stop.let_go()
        order, done = ordering.result().json(), completing.result().json()
    assert (done["session"]["id"], done["total"]) == (first["session"], 12000)
    assert order["session"] != first["session"]
    party = tablet.get("tablet/session").json()
    assert (party["session"]["id"], party["total"]) == (order["session"], 9000)


def test_an_order_of_the_party_that_has_just_left_is_refused(ours):
    first = place(ours.table, ours.item)
    tablet, manager = tablet_of(ours.table), staff_of(ours.store, ours.manager)
    with stopped_before(audit, "note") as stop:
        completing = begin(manager.post, f"staff/tables/{ours.table.pk}/complete", {"force": True})
        stop.wait_until_reached()
        ordering = begin(tablet.post, ORDERS, order_for(ours.item, session=first["session"]), key=new_key())
        stop.let_go()
        assert problem(ordering.result(), 409, "SESSION_CHANGED")["session"] is None
        assert completing.result().status_code == 200
    assert Order.objects.count() == 1


@needs_row_locks
def test_control_without_the_lock_the_order_is_lost_on_a_bill_that_is_closed(ours, without_the_lock):
    place(ours.table, ours.item)
    tablet, manager = tablet_of(ours.table), staff_of(ours.store, ours.manager)
    with stopped_before(services, "lock_stock") as stop:
        ordering = begin(tablet.post, ORDERS, order_for(ours.items[1]), key=new_key())
        stop.wait_until_reached()
        done = manager.post(f"staff/tables/{ours.table.pk}/complete", {"force": True}).json()
        stop.let_go()
        order = ordering.result().json()
    assert order["session"] == done["session"]["id"]
    assert order["id"] not in [row["id"] for row in done["orders"]]
    assert TableSession.objects.get().state == "completed"


def test_orders_while_the_table_is_completed_again_and_again_are_all_on_one_bill(ours, deadlocks):
    tokens, manager = [tablet_of(ours.table).token for _ in range(3)], staff_of(ours.store, ours.manager)

    def complete():
        return [manager.post(f"staff/tables/{ours.table.pk}/complete", {"force": True}) for _ in range(12)]

    with connections_for(4):
        orders = [lambda token=token: orders_from(token, *[(order_for(ours.item), new_key()) for _ in range(8)]) for token in tokens]
        *answers, completions = at_once(*orders, complete)
    placed = [answer.json() for some in answers for answer in some]
    assert {answer.status_code for some in answers for answer in some} == {201}
    assert set(statuses(completions)) <= {200, 409}
    assert {answer.json()["code"] for answer in completions if answer.status_code == 409} <= {"NO_ACTIVE_SESSION"}
    # What staff were told at the table is what the guests were told, and nothing came to a bill afterwards.
    billed = {answer.json()["session"]["id"]: answer.json() for answer in completions if answer.status_code == 200}
    for session, bill in billed.items():
        assert {row["id"] for row in bill["orders"]} == {order["id"] for order in placed if order["session"] == session}
        assert bill["total"] == sum(order["total"] for order in placed if order["session"] == session)
    assert sum(TableSession.objects.values_list("total", flat=True)) == 24 * 12000
    assert TableSession.objects.active().count() == len({order["session"] for order in placed} - set(billed))
    assert not deadlocks


def test_the_same_call_twice_at_once_is_one_call(ours):
    token = tablet_of(ours.table).token
    with connections_for(8):
        answers = at_once(*[lambda: Caller(token).post("tablet/calls", {"kind": "bill"})] * 8)
    assert statuses(answers) == {201: 1, 200: 7}
    assert ServiceCall.objects.count() == 1
    assert events_of(ours, "call.opened") == ["call.opened"]
