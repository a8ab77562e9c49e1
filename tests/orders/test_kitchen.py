"""Staff move orders through the kitchen."""

from itertools import pairwise

import pytest

from orders.models import Order, OrderLine, Status
from stores.models import AuditEntry, Event
from tests.snapshot import nothing_stored
from tests.world import line, make_item, make_world, new_key, place, problem, staff_of, tablet_of

FOUR = ["pending", "preparing", "ready", "served"]
THREE = ["pending", "preparing", "served"]
STATES = [*FOUR, "cancelled"]


def url(order, line=None):
    return f"staff/orders/{order['id']}" + (f"/lines/{line['id']}" if line else "")


def move(staff, order, status, line=None) -> dict:
    """The order after it (or one of its lines) was moved on, from the version that `order` has."""
    answer = staff.patch(url(order, line), {"status": status, "version": order["version"]})
    assert answer.status_code == 200, answer.content
    return answer.json()


def order_of_lines(world, *quantities) -> dict:
    """An order with a line for each quantity."""
    items = [make_item(world, price=1000) for _ in quantities]
    body = {"lines": [line(item, quantity) for item, quantity in zip(items, quantities, strict=True)]}
    return tablet_of(world.table).post("tablet/orders", body, key=new_key()).json()


def put_in_state(order, state):
    """As if the kitchen had got there."""
    Order.objects.filter(pk=order["id"]).update(status=state)
    for row in OrderLine.objects.filter(order=order["id"]):
        row.status, row.cancelled_quantity = state, row.quantity if state == "cancelled" else 0
        row.save()


@pytest.mark.parametrize(("steps", "states"), [(4, FOUR), (3, THREE)])
def test_an_order_goes_through_all_steps_of_its_store(db, steps, states):
    world = make_world("aurora", steps=steps)
    order = place(world.table, world.item)
    for status in states[1:]:
        moved = move(staff_of(world.store, world.manager), order, status)
        assert (moved["status"], [row["status"] for row in moved["lines"]]) == (status, [status])
        assert moved["version"] == order["version"] + 1
        order = moved
    assert order["total"] == 12000


@pytest.mark.parametrize("of_a_line", [False, True])
@pytest.mark.parametrize(("steps", "states"), [(4, FOUR), (3, THREE)])
def test_nothing_goes_back_and_nothing_is_skipped(db, steps, states, of_a_line):
    world = make_world("aurora", steps=steps)
    manager = staff_of(world.store, world.manager)
    order = place(world.table, world.item)
    legal = set(pairwise(states)) | ({("ready", "served")} if steps == 3 else set())  # left over from when it had four
    for state in STATES:
        for wanted in STATES:
            put_in_state(order, state)
            asked = {"status": wanted, "version": Order.objects.get(pk=order["id"]).version}
            answer = manager.patch(url(order, order["lines"][0] if of_a_line else None), asked)
            if (state, wanted) in legal:
                assert answer.status_code == 200, (state, wanted)
                assert answer.json()["version"] == asked["version"] + 1
            elif state == wanted:
                assert answer.status_code == 200, (state, wanted)
                assert answer.json()["version"] == asked["version"]
            else:
                body = problem(answer, 409, "ILLEGAL_TRANSITION")
                assert body["current"]["status"] == state
                assert body["current"] == manager.get(url(order)).json()


def test_an_order_is_as_far_as_the_last_of_its_live_lines(manager, ours, owner):
    order = order_of_lines(ours, 1, 1, 1)
    drinks, soup, rice = order["lines"]
    for status in FOUR[1:]:
        order = move(manager, order, status, drinks)
        assert order["status"] == "pending"
    order = move(manager, order, "preparing", soup)
    order = move(manager, order, "preparing", rice)
    assert order["status"] == "preparing"
    order = move(manager, order, "ready", soup)
    assert order["status"] == "preparing"
    order = owner.post(
        url(order) + "/cancel", {"reason": "no rice", "version": order["version"], "lines": [{"line": rice["id"], "quantity": 1}]}
    ).json()
    assert order["status"] == "ready"
    assert move(manager, order, "served", soup)["status"] == "served"


def test_moving_an_order_takes_along_only_the_lines_that_are_behind(manager, ours):
    order = order_of_lines(ours, 1, 1, 1, 1)
    first, second, third, fourth = order["lines"]
    order = move(manager, order, "preparing", first)
    order = move(manager, order, "ready", first)
    order = move(manager, order, "preparing", fourth)
    order = manager.post(
        url(order) + "/cancel", {"reason": "x", "version": order["version"], "lines": [{"line": third["id"], "quantity": 1}]}
    ).json()
    order = move(manager, order, "preparing")
    assert [row["status"] for row in order["lines"]] == ["ready", "preparing", "cancelled", "preparing"]


def test_an_order_is_not_moved_at_all_if_one_of_its_lines_would_skip_a_step(manager, ours):
    order = order_of_lines(ours, 1, 1)
    order = move(manager, order, "preparing", order["lines"][0])
    with nothing_stored():
        problem(manager.patch(url(order), {"status": "ready", "version": order["version"]}), 409, "ILLEGAL_TRANSITION")


def test_a_stale_version_is_refused_with_what_is_current(manager, ours):
    order = place(ours.table, ours.item)
    now = move(manager, order, "preparing")
    for address in (url(order), url(order, order["lines"][0])):
        for version in (order["version"], now["version"] + 1, 0, -1, 2**31, 10**400):
            with nothing_stored():
                body = problem(manager.patch(address, {"status": "ready", "version": version}), 409, "VERSION_CONFLICT")
            assert body["current"] == now


def test_a_change_needs_a_version(manager, ours):
    order = place(ours.table, ours.item)
    for address in (url(order), url(order, order["lines"][0])):
        with nothing_stored():
            body = problem(manager.patch(address, {"status": "preparing"}), 400, "VALIDATION")
        assert body["errors"][0]["pointer"] == "/version"


def test_the_state_an_object_already_has_is_fine_whatever_the_version(manager, ours):
    order = move(manager, place(ours.table, ours.item), "preparing")
    with nothing_stored():
        for version in ({}, {"version": 1}, {"version": 99}, {"version": 0}, {"version": 2**31}):
            for address in (url(order), url(order, order["lines"][0])):
                answer = manager.patch(address, {"status": "preparing"} | version)
                assert (answer.status_code, answer.json()) == (200, order)


def test_a_line_s_move_makes_a_new_version_of_its_order(manager, ours):
    order = order_of_lines(ours, 1, 1)
    moved = move(manager, order, "preparing", order["lines"][1])
    assert moved["version"] == 2
    problem(manager.patch(url(order), {"status": "preparing", "version": 1}), 409, "VERSION_CONFLICT")


def test_an_unknown_line_or_order_is_absent(manager, ours, theirs):
    order, other = place(ours.table, ours.item), place(ours.table, ours.item)
    foreign = place(theirs.table, theirs.item)
    asked = {"status": "preparing", "version": 1}
    for address in (url(order, other["lines"][0]), url(order, foreign["lines"][0]), url(foreign, foreign["lines"][0]), url(foreign)):
        with nothing_stored():
            problem(manager.patch(address, asked), 404, "NOT_FOUND")


def test_a_completed_bill_is_history_and_does_not_move(owner, ours):
    order = place(ours.table, ours.item)
    assert owner.post(f"staff/tables/{ours.table.pk}/complete", {"force": True}).status_code == 200
    for address in (url(order), url(order, order["lines"][0])):
        with nothing_stored():
            body = problem(owner.patch(address, {"status": "preparing", "version": 1}), 409, "ILLEGAL_TRANSITION")
        assert body["current"] == order


def test_a_tablet_moves_nothing(tablet, ours):
    order = place(ours.table, ours.item)
    with nothing_stored():
        problem(tablet.patch(url(order), {"status": "preparing", "version": 1}), 403, "FORBIDDEN")


def test_each_move_is_told_once_and_written_down(manager, ours):
    order = order_of_lines(ours, 1, 1)
    moved = move(manager, order, "preparing")
    told = Event.objects.in_store(ours.store).order_by("-number").first()
    assert told.type == "order.changed"
    assert told.table_id == ours.table.pk
    assert f'"version":{moved["version"]}' in told.body
    assert Event.objects.in_store(ours.store).filter(type="order.changed").count() == 1
    entry = AuditEntry.objects.in_store(ours.store).order_by("-id").first()
    assert (entry.action, entry.subject, entry.actor) == ("order.preparing", order["order_number"], ours.manager)
    assert entry.details == {"order": order["id"], "lines": [line["id"] for line in order["lines"]]}


def test_an_unknown_state_is_not_valid(manager, ours):
    order = place(ours.table, ours.item)
    with nothing_stored():
        for status in ("", "done", "PREPARING", None, 1, ["preparing"], {"is": "preparing"}):
            for address in (url(order), url(order, order["lines"][0])):
                problem(manager.patch(address, {"status": status, "version": 1}), 400, "VALIDATION")


def test_a_version_is_an_integer(manager, ours):
    order = place(ours.table, ours.item)
    with nothing_stored():
        for version in ("1", 1.0, True, None):
            problem(manager.patch(url(order), {"status": "preparing", "version": version}), 400, "VALIDATION")


def test_orders_are_listed_newest_first_and_filtered(manager, ours, theirs, clock):
    placed = []
    for table in (ours.tables[0], ours.tables[1], ours.tables[0]):
        placed.append(place(table, ours.item))
        clock.advance(seconds=1)
    foreign = place(theirs.table, theirs.item)
    move(manager, placed[0], "preparing")

    def listed(query=""):
        return [row["number"] for row in manager.get(f"staff/orders{query}").json()["results"]]

    assert listed() == [3, 2, 1]
    assert listed(f"?table={ours.tables[0].pk}") == [3, 1]
    assert listed("?status=pending") == [3, 2]
    assert listed(f"?session={placed[1]['session']}") == [2]
    assert listed(f"?table={ours.tables[0].pk}&status=preparing") == [1]
    assert listed("?status=cancelled") == []
    assert listed(f"?table={theirs.table.pk}") == listed(f"?session={foreign['session']}") == []
    assert manager.get(url(placed[1])).json() == placed[1]


def test_a_filter_with_a_bad_value_is_not_valid(manager):
    for query in ("status=done", "status=", "table=1", "table=", "session=none", "session=%00", f"table={'1' * 33}"):
        body = problem(manager.get(f"staff/orders?{query}"), 400, "VALIDATION")
        assert body["errors"][0]["pointer"] == f"?{query.split('=')[0]}"


def test_every_state_is_one_of_five():
    assert sorted(Status.values) == sorted(STATES)
