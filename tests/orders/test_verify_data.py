"""`verify_data` finds what is broken and names it, and finds nothing in what the program itself wrote."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from menus.models import MAX_PRICE
from orders.invariants import INVARIANTS
from orders.kitchen import complete_session
from orders.models import Cancellation, Order, OrderLine
from sessions_app.models import TableSession
from stores.models import Counters, Event, RelayCursor
from tests.world import line, make_choice, new_key, place, staff_of, tablet_of


def verify() -> str:
    out = io.StringIO()
    call_command("verify_data", stdout=out, no_color=True)
    return out.getvalue()


def broken() -> str:
    """What it prints, after it has failed; exactly one check must have."""
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 of"):
        call_command("verify_data", stdout=out, no_color=True)
    printed = out.getvalue()
    assert printed.count("BROKEN") == 1, printed
    return printed[printed.index("BROKEN") :]


@pytest.fixture
def evening(ours, theirs):
    """Two stores with orders, a partial and a whole cancellation, and a party that has left."""
    first = place(ours.table, ours.item, quantity=3)
    place(ours.table, ours.items[1])
    gone = place(ours.tables[1], ours.item)
    place(theirs.table, theirs.item)
    boss = staff_of(ours.store, ours.owner)
    line = first["lines"][0]["id"]
    boss.post(f"staff/orders/{first['id']}/cancel", {"reason": "dropped", "version": 1, "lines": [{"line": line, "quantity": 1}]})
    boss.post(f"staff/orders/{gone['id']}/cancel", {"reason": "left", "version": 1})
    complete_session(ours.tables[1], force=True, actor=ours.owner)
    return Order.objects.get(pk=first["id"])


def test_what_the_program_wrote_is_sound(evening):
    printed = verify()
    assert printed.count("ok ") == len(INVARIANTS)
    assert "2 stores" in printed and "4 orders" in printed and "All is well" in printed


def test_the_dearest_line_that_there_can_be_is_sound(ours):
    ours.item.price = MAX_PRICE
    ours.item.save()
    dear = [make_choice(ours.item, options=[("saffron", MAX_PRICE)])[0] for _ in range(2)]
    answer = tablet_of(ours.table).post("tablet/orders", {"lines": [line(ours.item, 99, *dear)]}, key=new_key())
    assert answer.json()["total"] == 99 * 3 * MAX_PRICE > 2**31
    assert "All is well" in verify()


def test_an_empty_database_is_sound(db):
    assert "0 orders" in verify()


def test_it_asks_as_often_for_many_orders_as_for_few(evening, ours, django_assert_num_queries):
    asked = 5 + 1 + len(INVARIANTS) + 2  # sizes; stores; one a check, two for numbers and for counters
    with django_assert_num_queries(asked):
        verify()
    for _ in range(3):
        place(ours.table, ours.item)
    with django_assert_num_queries(asked):
        verify()


def test_every_store_is_looked_at_when_there_are_many(evening, theirs, monkeypatch):
    monkeypatch.setattr("orders.invariants.STORES_AT_ONCE", 1)
    wrong = Order.objects.get(store=theirs.store)
    Order.objects.filter(pk=wrong.pk).update(status="ready")
    assert f"theirs order {wrong.order_number}: ready, its lines say pending" in broken()


def test_a_wrong_total_of_an_order(evening):
    Order.objects.filter(pk=evening.pk).update(total=1)
    TableSession.objects.filter(pk=evening.session_id).update(total=9001)  # so that the bill agrees with the order
    assert f"ours order {evening.order_number}: total 1, its lines come to 24000" in broken()


def test_a_wrong_state_of_an_order(evening):
    Order.objects.filter(pk=evening.pk).update(status="cancelled")
    assert f"ours order {evening.order_number}: cancelled, its lines say pending" in broken()


def test_a_wrong_total_of_a_session(evening):
    TableSession.objects.filter(pk=evening.session_id).update(total=5)
    assert f"session {evening.session_id}: total 5, its orders come to 33000" in broken()


def test_a_cancellation_that_is_gone(evening):
    Cancellation.objects.filter(line__order=evening).delete()
    position = evening.lines.get().position
    assert f"ours order {evening.order_number}, line at {position}: 1 cancelled, the audit has 0" in broken()


def test_an_order_without_a_number(evening):
    Order.objects.filter(pk=evening.pk).update(number=None, business_day=None)
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("verify_data", stdout=out, no_color=True)
    assert f"ours order {evening.pk}: has no number" in out.getvalue()


@pytest.fixture
def without():
    """Takes a constraint away for this test, as a table restored without its indexes has none."""
    if connection.vendor != "postgresql":
        pytest.skip("needs a database that changes its schema inside a transaction (set DATABASE_URL to a PostgreSQL)")

    def remove(model, name):
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(f'ALTER TABLE {model._meta.db_table} DROP CONSTRAINT "{name}"')

    return remove


def test_a_number_that_was_given_twice(evening, without):
    without(Order, "one_order_per_store_day_and_number")
    Order.objects.filter(store=evening.store, number=2).update(number=1)
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("verify_data", stdout=out, no_color=True)
    assert f"ours order {evening.order_number}: given 2 times" in out.getvalue()


def test_two_parties_at_a_table(evening, without):
    without(TableSession, "one_active_session_per_table")
    TableSession.objects.create(store=evening.store, table=evening.table)
    assert f"ours table {evening.table.number}: 2 active sessions" in broken()


def test_a_gap_between_order_numbers(evening):
    second = Order.objects.get(store=evening.store, number=2)
    TableSession.objects.filter(pk=second.session_id).update(total=evening.total)
    OrderLine.objects.filter(order=second).delete()
    second.delete()
    assert f"ours {evening.business_day:%Y%m%d}: 2 orders up to number 3, 0002 is missing" in broken()


def test_a_gap_before_the_end_of_retention_is_what_purging_leaves(evening, settings):
    long_ago = timezone.now() - timedelta(days=200)
    Order.objects.filter(store=evening.store).update(business_day=long_ago.date())
    Counters.objects.filter(store=evening.store).update(order_day=long_ago.date())
    second = Order.objects.get(store=evening.store, number=2)
    TableSession.objects.filter(pk=second.session_id).update(total=evening.total)
    second.delete()
    assert "All is well" in verify()


def test_an_order_that_the_counter_has_given_and_nobody_has(evening):
    Counters.objects.filter(store=evening.store).update(last_order_number=4)
    assert "ours: the counter is at 4" in broken()


def test_a_counter_that_would_give_a_number_again(evening):
    Counters.objects.filter(store=evening.store).update(last_order_number=2)
    assert "ours: the counter is at 2" in broken()


def test_a_counter_of_an_earlier_day(evening):
    yesterday = evening.business_day - timedelta(days=1)
    Counters.objects.filter(store=evening.store).update(order_day=yesterday, last_order_number=0)
    assert f"the latest day is {evening.business_day}" in broken()


def test_a_relay_that_is_ahead_of_the_journal(evening):
    counters = Counters.objects.get(store=evening.store)
    RelayCursor.objects.create(journal=counters, number=counters.last_number + 1)
    assert f"the relay is at {counters.last_number + 1}" in broken()


def test_an_event_that_is_gone(evening):
    Event.objects.get(store=evening.store, number=3).delete()
    assert "3 is missing" in broken()


def test_an_event_behind_the_counter(evening):
    last = Counters.objects.get(store=evening.store).last_number
    Counters.objects.filter(store=evening.store).update(last_number=last - 1)
    assert f"there are events up to {last}" in broken()


def test_events_that_were_purged_are_not_missing(evening):
    Event.objects.filter(store=evening.store, number__lte=2).update(at=timezone.now() - timedelta(days=8))
    call_command("purge_history", stdout=io.StringIO())
    assert "All is well" in verify()


def test_an_order_of_another_store_s_table(evening, theirs):
    Order.objects.filter(pk=evening.pk).update(table=theirs.table)
    assert f"ours order {evening.order_number}: its table or its session is another's" in broken()


def test_so_many_are_named_and_the_rest_counted(evening, monkeypatch):
    monkeypatch.setattr("orders.management.commands.verify_data.NAMED", 1)
    Order.objects.update(status="served")
    assert "and 3 more" in broken()
