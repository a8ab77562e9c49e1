"""Two people at two boards."""

import pytest

from menus.models import Item
from orders import kitchen
from sessions_app.models import TableSession
from stores import audit
from tests.threads import at_once, begin, connections_for, is_waiting, stopped_before
from tests.world import Caller, events_of, make_item, place, problem, staff_of

from .scene import needs_row_locks, statuses


def test_two_boards_that_move_the_same_line_move_it_once(ours):
    order = place(ours.table, ours.item)
    tokens = [staff_of(ours.store, person).token for person in (ours.owner, ours.manager)]
    path, body = f"staff/orders/{order['id']}/lines/{order['lines'][0]['id']}", {"status": "preparing", "version": order["version"]}
    with connections_for(8):
        answers = at_once(*[lambda token=token: Caller(token).patch(path, body) for token in tokens * 4])
    assert statuses(answers) == {200: 8}
    assert {(answer.json()["version"], answer.json()["status"]) for answer in answers} == {(2, "preparing")}
    assert events_of(ours, "order.changed") == ["order.changed"]


@pytest.mark.parametrize("first", ["move", "cancel"])
def test_moving_and_cancelling_at_once_is_one_after_the_other(ours, first):
    order = place(ours.table, ours.item)
    manager, owner = staff_of(ours.store, ours.manager), staff_of(ours.store, ours.owner)
    calls = {
        "move": lambda: manager.patch(f"staff/orders/{order['id']}", {"status": "preparing", "version": order["version"]}),
        "cancel": lambda: owner.post(f"staff/orders/{order['id']}/cancel", {"reason": "left", "version": order["version"]}),
    }
    with stopped_before(audit, "note") as stop:
        winner = begin(calls.pop(first))
        stop.wait_until_reached()
        loser = begin(*calls.values())
        assert is_waiting(loser)
        stop.let_go()
        assert winner.result().status_code == 200
        current = problem(loser.result(), 409, "VERSION_CONFLICT")["current"]
    assert current == winner.result().json()
    assert TableSession.objects.get().total == (12000 if first == "move" else 0)


@needs_row_locks
def test_control_without_the_lock_one_of_two_changes_is_overwritten(ours, without_the_lock):
    order = place(ours.table, ours.item)
    manager, owner = staff_of(ours.store, ours.manager), staff_of(ours.store, ours.owner)
    with stopped_before(kitchen, "_require_version") as stop:
        moving = begin(manager.patch, f"staff/orders/{order['id']}", {"status": "preparing", "version": order["version"]})
        stop.wait_until_reached()
        cancelled = owner.post(f"staff/orders/{order['id']}/cancel", {"reason": "left", "version": order["version"]}).json()
        stop.let_go()
        moving.exception()
    # Either the cancelled order comes back to life, or the line's own constraint stops the kitchen with an error.
    moved = moving.result()
    assert moved.status_code == 500 or (moved.status_code, moved.json()["version"]) == (200, cancelled["version"])


def test_cancelling_twice_at_once_gives_the_stock_back_once(ours):
    item = make_item(ours, stock=3)
    order = place(ours.table, item, quantity=2)
    token, body = staff_of(ours.store, ours.manager).token, {"reason": "dropped", "version": order["version"]}
    with connections_for(8):
        answers = at_once(*[lambda: Caller(token).post(f"staff/orders/{order['id']}/cancel", body)] * 8)
    assert statuses(answers) == {200: 8}
    assert {answer.json()["version"] for answer in answers} == {2}
    assert Item.objects.get(pk=item.pk).stock == 3
    assert events_of(ours, "order.cancelled") == ["order.cancelled"]
    assert TableSession.objects.get().total == 0


def test_cancelling_one_of_two_twice_at_once_cancels_one(ours):
    item = make_item(ours, stock=3)
    order = place(ours.table, item, quantity=2)
    token = staff_of(ours.store, ours.manager).token
    body = {"reason": "dropped", "version": order["version"], "lines": [{"line": order["lines"][0]["id"], "quantity": 1}]}
    with connections_for(8):
        answers = at_once(*[lambda: Caller(token).post(f"staff/orders/{order['id']}/cancel", body)] * 8)
    assert statuses(answers) == {200: 1, 409: 7}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"VERSION_CONFLICT"}
    assert Item.objects.get(pk=item.pk).stock == 2
    assert TableSession.objects.get().total == 10000
