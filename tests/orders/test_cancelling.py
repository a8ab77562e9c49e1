"""Staff cancel an order, a line or part of a line."""

import pytest

from menus.models import Item
from orders.models import Cancellation, Order
from sessions_app.models import TableSession
from stores.models import AuditEntry
from tests.snapshot import nothing_stored
from tests.world import events_of, make_item, make_world, place, problem, staff_of, tablet_of

from .test_kitchen import move, order_of_lines, put_in_state, url


def cancel(staff, order, *parts, **more):
    """The answer; `parts`: (line, quantity), none for all."""
    lines = {"lines": [{"line": line["id"], "quantity": quantity} for line, quantity in parts]} if parts else {}
    return staff.post(url(order) + "/cancel", {"reason": "sent back", "version": order["version"]} | lines | more)


def stock_of(item) -> int:
    return Item.objects.get(pk=item.pk).stock


def test_part_of_a_line_is_cancelled_and_the_bill_follows_at_once(manager, tablet, ours):
    order = order_of_lines(ours, 5, 1)
    answer = cancel(manager, order, (order["lines"][0], 3))
    assert answer.status_code == 200
    now = answer.json()
    assert now["total"] == 3000
    assert now["version"] == 2
    assert [(row["quantity"], row["cancelled_quantity"], row["total"], row["status"]) for row in now["lines"]] == [
        (5, 3, 2000, "pending"),
        (1, 0, 1000, "pending"),
    ]
    assert tablet.get("tablet/session").json()["total"] == 3000
    assert manager.get("staff/board").json()["tables"][0]["total"] == 3000
    assert manager.get(url(order)).json() == now
    assert events_of(ours)[-1] == "order.changed"


def test_a_line_with_nothing_left_is_cancelled_and_so_is_an_order_without_live_lines(manager, ours):
    order = order_of_lines(ours, 2, 1)
    now = cancel(manager, order, (order["lines"][0], 1)).json()
    now = cancel(manager, now, (order["lines"][0], 1)).json()
    assert [row["status"] for row in now["lines"]] == ["cancelled", "pending"]
    assert now["status"] == "pending"
    now = cancel(manager, now, (order["lines"][1], 1)).json()
    assert now["status"] == "cancelled"
    assert now["total"] == 0
    assert events_of(ours)[-1] == "order.cancelled"


def test_a_whole_order_is_cancelled_but_its_rows_stay(manager, tablet, ours):
    order = order_of_lines(ours, 2, 3, 1)
    half, whole, gone = order["lines"]
    cancel(manager, order, (half, 1), (gone, 1))
    now = cancel(manager, order | {"version": 2}).json()
    assert (now["status"], now["total"]) == ("cancelled", 0)
    assert [row["cancelled_quantity"] for row in now["lines"]] == [2, 3, 1]
    shown = tablet.get("tablet/session").json()
    assert shown["total"] == 0
    assert [row["status"] for row in shown["orders"]] == ["cancelled"]
    assert list(Cancellation.objects.order_by("id").values_list("quantity", "reason", "cancelled_by")) == [
        (quantity, "sent back", ours.manager.pk) for quantity in (1, 1, 1, 3)
    ]
    entries = AuditEntry.objects.in_store(ours.store).filter(action="order.cancelled", actor=ours.manager).order_by("id")
    assert [entry.details for entry in entries] == [
        {
            "order": order["id"],
            "amount": sum(line["unit_price"] * quantity for line, quantity in parts),
            "dishes": [f"{line['name']} × {quantity}" for line, quantity in parts],
            "reason": "sent back",
            "lines": [{"line": line["id"], "quantity": quantity} for line, quantity in parts],
        }
        for parts in ([(half, 1), (gone, 1)], [(half, 1), (whole, 3)])
    ]


def test_a_cancelled_order_is_cancelled_again_without_anything_happening(manager, ours):
    order = place(ours.table, make_item(ours, stock=5))
    now = cancel(manager, order).json()
    for version in ({}, {"version": 1}, {"version": 99}, {"version": 0}, {"version": 2**31}):
        with nothing_stored():
            answer = manager.post(url(order) + "/cancel", {"reason": "again"} | version)
        assert (answer.status_code, answer.json()) == (200, now)


def test_so_is_a_cancelled_line_also_by_a_manager_who_may_not_cancel_the_others(manager, owner, ours):
    order = order_of_lines(ours, 3, 1)
    gone, other = order["lines"]
    cancel(manager, order, (gone, 3))
    now = owner.patch(url(order), {"status": "preparing", "version": 2}).json()
    now = owner.patch(url(order), {"status": "ready", "version": 3}).json()
    for staff in (manager, owner):
        with nothing_stored():
            answer = cancel(staff, order, (gone, 3))
        assert (answer.status_code, answer.json()) == (200, now)
    with nothing_stored():
        problem(cancel(owner, now, (gone, 1), (other, 1)), 409, "ILLEGAL_TRANSITION")


def test_no_more_can_be_cancelled_than_is_left(owner, ours):
    order = order_of_lines(ours, 3, 1)
    now = cancel(owner, order, (order["lines"][0], 2)).json()
    for parts in ([(order["lines"][0], 2)], [(order["lines"][1], 1), (order["lines"][0], 99)]):
        with nothing_stored():
            body = problem(cancel(owner, now, *parts), 409, "ILLEGAL_TRANSITION")
        assert body["current"] == now


def test_a_cancellation_needs_the_present_version(manager, ours):
    order = order_of_lines(ours, 3)
    now = cancel(manager, order, (order["lines"][0], 1)).json()
    with nothing_stored():
        body = problem(cancel(manager, order, (order["lines"][0], 1)), 409, "VERSION_CONFLICT")
        problem(manager.post(url(order) + "/cancel", {"reason": "x"}), 400, "VALIDATION")
        problem(cancel(manager, order), 409, "VERSION_CONFLICT")
    assert body["current"] == now


@pytest.mark.parametrize("of_a_line", [True, False])
@pytest.mark.parametrize(("state", "may_manager"), [("pending", True), ("preparing", True), ("ready", False), ("served", False)])
def test_what_is_ready_or_served_only_an_owner_cancels(manager, owner, ours, state, may_manager, of_a_line):
    order = place(ours.table, ours.item, quantity=2)
    put_in_state(order, state)
    parts = [(order["lines"][0], 1)] if of_a_line else []
    if may_manager:
        answer = cancel(manager, order, *parts)
    else:
        with nothing_stored():
            problem(cancel(manager, order, *parts), 403, "FORBIDDEN")
        answer = cancel(owner, order, *parts)
    assert answer.status_code == 200
    assert answer.json()["total"] == (12000 if of_a_line else 0)
    assert answer.json()["status"] == (state if of_a_line else "cancelled")


def test_a_manager_cancels_the_pending_line_of_an_order_that_is_half_served(manager, ours):
    order = order_of_lines(ours, 1, 1)
    drinks, soup = order["lines"]
    for status in ("preparing", "ready", "served"):
        order = move(manager, order, status, drinks)
    with nothing_stored():
        problem(cancel(manager, order), 403, "FORBIDDEN")
        problem(cancel(manager, order, (soup, 1), (drinks, 1)), 403, "FORBIDDEN")
    now = cancel(manager, order, (soup, 1)).json()
    assert [row["status"] for row in now["lines"]] == ["served", "cancelled"]
    assert now["status"] == "served"


MALFORMED = [
    {"reason": None},
    {"reason": ""},
    {"reason": "  \n "},
    {"reason": "x" * 201},
    {"reason": 7},
    {"reason": ["x"]},
    {"reason": "bell \x07"},
    {"lines": []},
    {"lines": None},
    {"lines": {}},
    {"lines": ["all"]},
    {"lines": [{"line": "1", "quantity": 1}]},
    {"force": True},
    {"version": "1"},
    {"version": 1.0},
]


def test_a_malformed_cancellation_is_refused(owner, ours):
    order = place(ours.table, ours.item)
    with nothing_stored():
        for asked in MALFORMED:
            problem(owner.post(url(order) + "/cancel", {"reason": "x", "version": 1} | asked), 400, "VALIDATION")


def test_a_cancellation_needs_a_reason(owner, ours):
    order = place(ours.table, ours.item)
    with nothing_stored():
        body = problem(owner.post(url(order) + "/cancel", {"version": 1}), 400, "VALIDATION")
    assert [error["pointer"] for error in body["errors"]] == ["/reason"]


def test_a_cancelled_quantity_is_a_whole_number_from_1_to_99(owner, ours):
    order = place(ours.table, ours.item, quantity=2)
    with nothing_stored():
        for quantity in (0, -1, 100, 1.0, "1", True, None, [1]):
            problem(cancel(owner, order, (order["lines"][0], quantity)), 400, "VALIDATION")


def test_a_line_is_named_once(owner, ours):
    order = place(ours.table, ours.item, quantity=2)
    with nothing_stored():
        problem(cancel(owner, order, (order["lines"][0], 1), (order["lines"][0], 1)), 400, "VALIDATION")


def test_a_line_of_another_order_is_absent(owner, ours, theirs):
    order, other, foreign = place(ours.table, ours.item), place(ours.table, ours.item), place(theirs.table, theirs.item)
    for line in (other["lines"][0], foreign["lines"][0]):
        with nothing_stored():
            problem(cancel(owner, order, (line, 1)), 404, "NOT_FOUND")
            problem(cancel(owner, order, (order["lines"][0], 1), (line, 1)), 404, "NOT_FOUND")
    with nothing_stored():
        problem(cancel(owner, foreign), 404, "NOT_FOUND")


def test_a_completed_bill_is_not_cancelled(owner, ours):
    order = place(ours.table, ours.item)
    owner.post(f"staff/tables/{ours.table.pk}/complete", {"force": True})
    with nothing_stored():
        problem(cancel(owner, order), 409, "ILLEGAL_TRANSITION")
        problem(cancel(owner, order, (order["lines"][0], 1)), 409, "ILLEGAL_TRANSITION")


def test_an_unsettled_bill_can_still_be_corrected(manager, ours):
    order = place(ours.table, ours.item, quantity=2)
    TableSession.objects.update(state="expired")
    now = cancel(manager, order, (order["lines"][0], 1)).json()
    assert now["total"] == 12000
    assert move(manager, now, "preparing")["status"] == "preparing"
    assert manager.get("staff/board").json()["tables"][0]["unsettled"][0]["total"] == 12000


# --- Stock ------------------------------------------------------------------------------------------------------


def test_cancelled_portions_go_back_to_the_stock_exactly_once(manager, owner, ours):
    item = make_item(ours, stock=5)
    order = place(ours.table, item, quantity=3)
    assert stock_of(item) == 2
    now = cancel(manager, order, (order["lines"][0], 2)).json()
    assert stock_of(item) == 4
    problem(cancel(manager, order, (order["lines"][0], 2)), 409, "VERSION_CONFLICT")  # the second tap
    now = cancel(owner, now).json()
    assert stock_of(item) == 5
    cancel(owner, now)
    assert cancel(owner, now, (order["lines"][0], 1)).json() == now
    assert stock_of(item) == 5


def test_the_same_dish_on_two_lines_goes_back_whole(manager, ours):
    item = make_item(ours, stock=9)
    order = place(ours.table, item, item, quantity=2)
    assert stock_of(item) == 5
    assert cancel(manager, order).status_code == 200
    assert stock_of(item) == 9


def test_given_back_portions_are_a_change_of_the_menu_told_once(manager, ours):
    items = [make_item(ours, stock=5) for _ in range(2)]
    order = place(ours.table, *items)
    before, version = events_of(ours), ours.store.counters.menu_version
    cancel(manager, order)
    assert events_of(ours)[len(before) :] == ["order.cancelled", "menu.changed"]
    ours.store.counters.refresh_from_db()
    assert ours.store.counters.menu_version == version + 2  # the order, the cancellation


def test_what_never_took_from_the_stock_gives_nothing_back(manager, ours):
    item = make_item(ours)
    order = place(ours.table, item, quantity=3)
    Item.objects.filter(pk=item.pk).update(stock=7)  # counted only since then
    before = events_of(ours)
    cancel(manager, order)
    assert stock_of(item) == 7
    assert events_of(ours)[len(before) :] == ["order.cancelled"]


def test_what_is_no_longer_counted_takes_nothing_back(manager, ours):
    item = make_item(ours, stock=5)
    order = place(ours.table, item)
    Item.objects.filter(pk=item.pk).update(stock=None)
    before = events_of(ours)
    assert cancel(manager, order).status_code == 200
    assert stock_of(item) is None
    assert events_of(ours)[len(before) :] == ["order.cancelled"]


def test_the_last_portion_can_be_ordered_again_after_it_was_cancelled(manager, ours):
    item = make_item(ours, stock=1)
    order = place(ours.table, item)
    problem(
        tablet_of(ours.tables[1]).post("tablet/orders", {"lines": [{"item": str(item.pk), "quantity": 1}]}, key="tap-0001"), 409, "SOLD_OUT"
    )
    cancel(manager, order)
    place(ours.tables[1], item)
    assert stock_of(item) == 0


def test_another_store_s_stock_and_bills_stay(db):
    aurora, borealis = make_world("aurora"), make_world("borealis")
    items = [make_item(world, stock=5) for world in (aurora, borealis)]
    orders = [place(world.table, item) for world, item in zip((aurora, borealis), items, strict=True)]
    cancel(staff_of(aurora.store, aurora.owner), orders[0])
    assert [stock_of(item) for item in items] == [5, 4]
    assert Order.objects.get(pk=orders[1]["id"]).status == "pending"
