"""The last portions."""

import time

from django.db import OperationalError, connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from menus.models import Item
from orders.models import Order
from sessions_app.models import TableSession
from tableorder import transactions
from tests.threads import at_once, connections_for
from tests.world import make_item, new_key, order_for, tablet_of

from .scene import ORDERS, make_tables, needs_row_locks, orders_from, statuses


def test_the_last_five_portions_have_five_winners(ours, deadlocks):
    item = make_item(ours, stock=5)
    with connections_for(20):
        tokens = [tablet_of(table).token for table in make_tables(ours, 20)]
        rounds = [[(order_for(item), new_key()) for _ in range(10)] for _ in tokens]
        calls = [lambda token=token, asked=asked: orders_from(token, *asked) for token, asked in zip(tokens, rounds, strict=True)]
        answers = [answer for some in at_once(*calls) for answer in some]
    assert statuses(answers) == {201: 5, 409: 195}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"SOLD_OUT"}
    assert Order.objects.count() == 5
    assert Item.objects.get(pk=item.pk).stock == 0
    assert sum(TableSession.objects.values_list("total", flat=True)) == 50000
    assert not deadlocks


def test_control_reading_and_then_writing_sells_the_last_portion_twice(ours):
    item = make_item(ours, stock=1)

    def take():
        stock = Item.objects.get(pk=item.pk).stock
        time.sleep(0.2)
        if stock > 0:
            Item.objects.filter(pk=item.pk).update(stock=stock - 1)
        return stock > 0

    assert at_once(take, take) == [True, True]


def test_the_same_dishes_in_opposite_order_never_deadlock(ours, deadlocks):
    first, second = sorted((make_item(ours, stock=1000), make_item(ours, stock=1000)), key=lambda item: item.pk)
    with connections_for(8):
        tokens = [tablet_of(table).token for table in make_tables(ours, 8)]
        rounds = [
            [(order_for(*((first, second) if (turn + row) % 2 else (second, first))), new_key()) for row in range(8)]
            for turn in range(len(tokens))
        ]
        calls = [lambda token=token, asked=asked: orders_from(token, *asked) for token, asked in zip(tokens, rounds, strict=True)]
        answers = [answer for some in at_once(*calls) for answer in some]
    assert statuses(answers) == {201: 64}
    assert set(Item.objects.filter(pk__in=[first.pk, second.pk]).values_list("stock", flat=True)) == {936}
    assert not deadlocks


@needs_row_locks
def test_control_stock_taken_in_the_order_of_the_lines_deadlocks(ours):
    items = make_item(ours, stock=1000), make_item(ours, stock=1000)

    def take(*items):
        try:
            with transaction.atomic():
                for item in items:
                    Item.objects.filter(pk=item.pk).update(stock=F("stock") - 1)
                    time.sleep(0.2)
        except OperationalError as error:
            if not transactions.wants_retry(error):
                raise
            return False
        return True

    assert sorted(at_once(lambda: take(*items), lambda: take(*reversed(items)))) == [False, True]


@needs_row_locks
def test_an_order_locks_its_table_first_then_its_items_by_id_then_the_counter(ours):
    items = [make_item(ours, stock=9) for _ in range(3)]
    tablet = tablet_of(ours.table)
    with CaptureQueriesContext(connection) as statements:
        assert tablet.post(ORDERS, order_for(*items), key=new_key()).status_code == 201
    sql = [statement["sql"].replace("`", '"') for statement in statements]
    locks = [text for text in sql if " FOR " in text and "UPDATE" in text.rpartition(" FOR ")[2]]
    assert [text.partition(' FROM "')[2].partition('"')[0] for text in locks] == ["stores_table", "menus_item"]
    assert locks[1].startswith('SELECT "menus_item"."id"') and " ORDER BY 1 ASC FOR " in locks[1]
    counter = next(place for place, text in enumerate(sql) if text.startswith("UPDATE stores_journal"))
    assert counter > sql.index(locks[1])
    after = [text for text in sql[counter + 1 :] if not text.startswith(("SELECT order_day", "COMMIT"))]
    assert after and all(text.startswith(("INSERT INTO", "WITH _0 AS (INSERT INTO")) for text in after)
