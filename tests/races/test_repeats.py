"""The same order twice at once."""

from unittest import mock

from django.db import OperationalError, transaction

from menus.models import Item
from orders.models import Order, OrderLine
from sessions_app.models import TableSession
from stores import journal
from stores.models import Counters
from tests.threads import at_once, begin, connections_for, is_waiting, stopped_before
from tests.world import events_of, make_item, order_for, problem, tablet_of

from .scene import ORDERS, orders_from, statuses


def test_the_same_key_from_many_threads_is_one_order(ours):
    token, body = tablet_of(ours.table).token, order_for(ours.item, quantity=2)
    with connections_for(16):
        answers = [answer for (answer,) in at_once(*[lambda: orders_from(token, (body, "tap-0001"))] * 16)]
    assert statuses(answers) == {201: 1, 200: 15}
    assert len({answer.content for answer in answers}) == 1
    assert all((answer.status_code == 200) == (answer.get("Idempotent-Replayed") == "true") for answer in answers)
    assert Order.objects.count() == 1
    assert OrderLine.objects.count() == 1
    assert TableSession.objects.get().total == 24000
    assert events_of(ours, "session.started", "order.placed") == ["session.started", "order.placed"]


def test_repeats_of_the_order_that_takes_the_last_portion_are_not_sold_out(ours):
    item = make_item(ours, stock=1)
    token = tablet_of(ours.table).token
    with connections_for(8):
        answers = [answer for (answer,) in at_once(*[lambda: orders_from(token, (order_for(item), "tap-0001"))] * 8)]
    assert statuses(answers) == {201: 1, 200: 7}
    assert Item.objects.get(pk=item.pk).stock == 0


def test_a_repeat_waits_for_the_first_and_gets_its_order(ours):
    body, tablet, again = order_for(ours.item), tablet_of(ours.table), tablet_of(ours.table)
    with stopped_before(journal, "record") as stop:
        first = begin(tablet.post, ORDERS, body, key="tap-0001")
        stop.wait_until_reached()
        second = begin(again.post, ORDERS, body, key="tap-0001")
        assert is_waiting(second)
        stop.let_go()
        assert (first.result().status_code, second.result().status_code) == (201, 200)
    assert first.result().json() == second.result().json()


def test_a_repeat_of_an_order_that_is_refused_meanwhile_is_tried_on_its_own(ours):
    """The first fails at its very end, as when its worker dies; the second does not wait for ever and orders."""
    body, tablet, again = order_for(ours.item), tablet_of(ours.table), tablet_of(ours.table)
    failing_once = mock.patch.object(journal, "record", wraps=journal.record, side_effect=[OperationalError("gone"), mock.DEFAULT])
    with failing_once, stopped_before(journal, "record") as stop:
        first = begin(tablet.post, ORDERS, body, key="tap-0001")
        stop.wait_until_reached()
        second = begin(again.post, ORDERS, body, key="tap-0001")
        assert is_waiting(second)
        stop.let_go()
        problem(first.result(), 503, "SERVICE_UNAVAILABLE")
        assert second.result().status_code == 201
    assert Order.objects.count() == 1
    assert events_of(ours, "session.started", "order.placed") == ["session.started", "order.placed"]


def test_the_same_key_from_two_tables_is_one_order_and_one_refusal(ours):
    """The second has written its order when it finds that the key is taken."""
    body, tables = order_for(ours.item), [tablet_of(table) for table in ours.tables[:2]]
    with transaction.atomic():
        Counters.objects.select_for_update().get(store=ours.store)
        asked = [begin(tablet.post, ORDERS, body, key="tap-0001") for tablet in tables]
        assert all(is_waiting(each) for each in asked)
    [winner] = [table for table, each in zip(ours.tables, asked, strict=False) if each.result().status_code == 201]
    [loser] = [each.result() for each in asked if each.result().status_code != 201]
    problem(loser, 422, "IDEMPOTENCY_KEY_REUSED")
    assert Order.objects.get().table == winner
    assert TableSession.objects.count() == 1
