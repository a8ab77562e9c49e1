"""A guest orders."""

import json

import pytest

from menus.models import Item
from orders.models import Order
from orders.pricing import NewLine
from orders.services import NewOrder, place_order
from stores.models import Counters, Event, Table
from tableorder.errors import Absent
from tests.world import events_of, line, make_choice, make_item, new_key, order_for, place, problem, staff_of, tablet_of

ORDERS = "tablet/orders"


def test_an_order_is_priced_numbered_and_in_the_journal(tablet, ours):
    large = make_choice(ours.item)[1]
    answer = tablet.post(ORDERS, {"lines": [line(ours.item, 2, large, note="no egg"), line(ours.items[1])], "note": "hurry"}, key=new_key())
    assert answer.status_code == 201
    order = answer.json()
    assert order["total"] == 2 * (12000 + 2000) + 9000
    assert order["number"] == 1
    assert order["order_number"].endswith("-0001")
    assert order["currency"] == "KRW"
    assert order["status"] == "pending"
    assert order["note"] == "hurry"
    assert [(row["name"], row["quantity"], row["unit_price"], row["total"]) for row in order["lines"]] == [
        (ours.item.name, 2, 14000, 28000),
        (ours.items[1].name, 1, 9000, 9000),
    ]
    assert order["lines"][0]["options"] == [{"id": str(large.pk), "name": "large", "price_delta": 2000}]
    assert events_of(ours)[-2:] == ["session.started", "order.placed"]


@pytest.mark.parametrize("last", [1, 8, 9, 98, 99, 998, 999, 9998, 9999, 123_456])
def test_the_journal_says_of_an_order_what_its_guest_was_told(tablet, ours, last):
    """Its numbers come from the counter row, as the database writes them: as Python does, whatever else stands there."""
    item = make_item(ours, stock=5)
    tablet.post(ORDERS, order_for(ours.item), key=new_key())
    Counters.objects.filter(store=ours.store).update(last_order_number=last, menu_version=10 * last + 1)
    asked = {"lines": [line(item, 1, note='"number" \\"1\\" 100 % {number} 김치')], "note": "'; -- \\u0001"}
    told = tablet.post(ORDERS, asked, key=new_key()).json()
    placed, changed = Event.objects.in_store(ours.store).order_by("-number")[:2][::-1]
    assert told["order_number"] == f"{Order.objects.get(pk=told['id']).business_day:%Y%m%d}-{last + 1:04d}"
    assert tablet.get("tablet/session").json()["orders"][0] == told
    body = json.loads(placed.body)
    assert (body["number"], body["type"], body["data"]) == (placed.number, "order.placed", told)
    body = json.loads(changed.body)
    assert (body["number"], body["type"], body["data"]) == (placed.number + 1, "menu.changed", {"version": 10 * last + 2})


def test_a_double_tap_orders_once(tablet, ours):
    asked = order_for(ours.item)
    first, second = (tablet.post(ORDERS, asked, key="tap-0001") for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert second["Idempotent-Replayed"] == "true"
    assert first.json() == second.json()
    assert Order.objects.count() == 1


def test_a_key_is_good_for_one_content_and_one_table(tablet, ours):
    tablet.post(ORDERS, order_for(ours.item), key="tap-0001")
    problem(tablet.post(ORDERS, order_for(ours.items[1]), key="tap-0001"), 422, "IDEMPOTENCY_KEY_REUSED")
    problem(tablet_of(ours.tables[1]).post(ORDERS, order_for(ours.item), key="tap-0001"), 422, "IDEMPOTENCY_KEY_REUSED")
    assert Order.objects.count() == 1


def test_a_refused_order_leaves_its_key_free(tablet, ours):
    problem(tablet.post(ORDERS, order_for(ours.item, expected_total=1), key="tap-0001"), 409, "PRICE_CHANGED")
    assert tablet.post(ORDERS, order_for(ours.item, expected_total=12000), key="tap-0001").status_code == 201


def test_another_store_may_use_the_same_key(tablet, ours, theirs):
    assert tablet.post(ORDERS, order_for(ours.item), key="tap-0001").status_code == 201
    assert tablet_of(theirs.table).post(ORDERS, order_for(theirs.item), key="tap-0001").status_code == 201
    assert Order.objects.in_store(theirs.store).get().number == 1


@pytest.mark.parametrize("key", [None, "", "short", "x" * 129, "tab\tinside", "한글키입니다다다"])
def test_an_order_needs_a_proper_key(tablet, ours, key):
    answer = tablet.post(ORDERS, order_for(ours.item), **({} if key is None else {"idempotency_key": key}))
    problem(answer, 400, "IDEMPOTENCY_KEY_REQUIRED")
    assert not Order.objects.exists()


@pytest.mark.parametrize("expected", [0, 11000])
def test_a_changed_price_is_told_and_nothing_is_stored(tablet, ours, expected):
    body = problem(tablet.post(ORDERS, order_for(ours.item, expected_total=expected), key=new_key()), 409, "PRICE_CHANGED")
    assert body["total"] == 12000
    assert body["lines"][0] == {"item": str(ours.item.pk), "quantity": 1, "options": [], "unit_price": 12000, "total": 12000}
    assert not Order.objects.exists()


def test_sold_out_is_told_with_its_lines(tablet, ours):
    Item.objects.filter(pk=ours.item.pk).update(sold_out=True)
    body = problem(tablet.post(ORDERS, order_for(ours.items[1], ours.item), key=new_key()), 409, "SOLD_OUT")
    assert [(row["line"], row["item"]) for row in body["lines"]] == [(1, str(ours.item.pk))]
    assert not Order.objects.exists()


def test_a_sold_out_option_can_not_be_taken(tablet, ours):
    regular, large = make_choice(ours.item, max=2)
    type(large).objects.filter(pk=large.pk).update(sold_out=True)
    body = problem(tablet.post(ORDERS, {"lines": [line(ours.item, 1, regular, large)]}, key=new_key()), 409, "SOLD_OUT")
    assert body["lines"][0]["options"] == [str(large.pk)]
    assert tablet.post(ORDERS, {"lines": [line(ours.item, 1, regular)]}, key=new_key()).status_code == 201


def test_stock_counts_down_over_all_lines_and_never_below_zero(tablet, ours):
    item = make_item(ours, stock=3)
    problem(tablet.post(ORDERS, {"lines": [line(item, 2), line(item, 2)]}, key=new_key()), 409, "SOLD_OUT")
    assert tablet.post(ORDERS, {"lines": [line(item, 2), line(item, 1)]}, key=new_key()).status_code == 201
    problem(tablet.post(ORDERS, order_for(item), key=new_key()), 409, "SOLD_OUT")
    assert Item.objects.get(pk=item.pk).stock == 0


def test_order_numbers_count_from_one_per_store(ours, theirs):
    assert [place(table, ours.item)["number"] for table in (ours.tables[0], ours.tables[1], ours.tables[0])] == [1, 2, 3]
    assert place(theirs.table, theirs.item)["number"] == 1


def test_a_quote_costs_what_the_order_will(tablet, ours):
    options = make_choice(ours.item, options=[("large", 2000)])
    lines = [line(ours.item, 3, *options)]
    quote = tablet.post("tablet/quote", {"lines": lines})
    assert quote.status_code == 200
    assert quote.json()["total"] == 42000
    assert not Order.objects.exists()
    assert tablet.post(ORDERS, {"lines": lines, "expected_total": 42000}, key=new_key()).json()["total"] == 42000


def test_a_name_and_a_price_stay_as_they_were_when_ordered(ours):
    order = place(ours.table, ours.item)
    Item.objects.filter(pk=ours.item.pk).update(name="renamed", price=1)
    again = staff_of(ours.store, ours.manager).get(f"staff/orders/{order['id']}").json()
    assert again["lines"][0]["name"] == ours.item.name
    assert again["total"] == 12000


def test_a_table_that_is_gone_takes_no_order(ours):
    """Nobody may delete one that has orders; one that has none can go between the look at the token and the lock."""
    gone = ours.tables[1]
    Table.objects.filter(pk=gone.pk).delete()
    with pytest.raises(Absent):
        place_order(gone, asked=NewOrder(lines=(NewLine(ours.item.pk, 1),)), key=new_key())
