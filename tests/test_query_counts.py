"""How many SQL statements the API takes: the same number however much there is.

BEGIN and COMMIT are left out: only some drivers tell Django of them. The order runs without a test's transaction
around it, in which its own would be a savepoint.
"""

from contextlib import contextmanager
from datetime import timedelta
from unittest import mock

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from menus.models import Category, Item, ItemOptionGroup
from orders import board
from sessions_app.models import ServiceCall, TableSession
from stores.models import Counters, Table
from stores.services import create_table
from tableorder import round_trips
from tests.world import TABLE_PASSWORD, line, make_choice, make_item, new_key, place, tablet_of

# MySQL and MariaDB have no UPDATE ... RETURNING: there the counter row is read again after it was changed.
ONE_MORE = int(connection.vendor == "mysql")
# PostgreSQL takes several writes in one statement.
AS_ONE = connection.vendor == "postgresql"

# The first is always who calls, with store and counters.
# A list of orders takes three: orders with their tables, their lines, the lines' options.
STATEMENTS = {
    # caller; lock the table; party and key; menu; lock stock (on MySQL options too); take it, session; counter;
    # order, lines, options, events
    "POST tablet/orders": 8 if AS_ONE else 12 + 2 * ONE_MORE,
    # Once after a party has run out: it is marked on the way.
    "POST tablet/orders as the next party": 9 if AS_ONE else 13 + 2 * ONE_MORE,
    # caller; lock the table; party and key; menu; that order (3)
    "POST tablet/orders again": 7,
    "POST tablet/quote": 2,  # caller; menu
    "GET tablet/session": 5,  # caller; session; orders (3)
    "GET tablet/menu": 2,  # caller; menu. It is kept, so the next one in this process takes 1.
    "GET tablet/menu again": 1,
    "GET tablet/menu unchanged": 1,  # 304
    # caller; lock the table; a call of that kind; the call; counter, event
    "POST tablet/calls": 6 + ONE_MORE,
    # caller; order; lock the table; the order (3); its lines, itself; audit; counter, event
    "PATCH staff/orders/{id}": 11 + ONE_MORE,
    "PATCH staff/orders/{id}/lines/{line}": 11 + ONE_MORE,
    # likewise, and the cancellations; lock stock, give it back; the session
    "POST staff/orders/{id}/cancel": 15 + ONE_MORE,
    # caller; table; store; lock the table; session; orders (3) and their tables; session; calls, another party; audit; counter, event
    "POST staff/tables/{id}/complete": 15 + ONE_MORE,
    "POST staff/calls/{id}/resolve": 7 + ONE_MORE,  # caller; call; lock the table; the call; itself; counter, event
    "GET staff/board": 7,  # caller; sessions; orders (3); calls; tables
    "GET staff/board unchanged": 1,  # it is kept until something happens in the store
    "GET staff/orders": 4,  # caller; orders (3)
    "GET staff/orders/{id}": 4,
    "GET staff/history": 5,  # caller; sessions; orders (3)
    "GET staff/tables": 2,  # caller; tables
    "GET staff/items": 4,  # caller; items with their categories; choices with their groups; options
    "GET staff/categories": 2,  # caller; categories
    "GET staff/option-groups": 3,  # caller; groups; options
}


@contextmanager
def statements(what):
    """What happens inside takes exactly as many statements as this should."""
    with CaptureQueriesContext(connection) as captured:
        yield
    made = [query["sql"] for query in captured if not query["sql"].startswith(("BEGIN", "COMMIT"))]
    assert len(made) == STATEMENTS[what], "\n".join([what, *made])


def ask(caller, what):
    method, path = what.split()[:2]
    with statements(what):
        answer = caller.request(method, path)
    assert answer.status_code == 200, answer.content
    return answer.json()


def counted_dishes(world, count) -> list[dict]:
    """As many lines, each of another counted dish with two options."""
    lines = []
    for _ in range(count):
        item = make_item(world, stock=100)
        lines.append(line(item, 2, *make_choice(item, max=2)))
    return lines


@pytest.mark.django_db(transaction=True)
def test_an_order_takes_the_same_number_for_1_5_and_50_lines(ours):
    for table in ours.tables:  # the first order of a party, and the next ones
        tablet = tablet_of(table)
        for count in (1, 5, 50, 1):
            lines, key = counted_dishes(ours, count), new_key()
            with statements("POST tablet/quote"):
                assert tablet.post("tablet/quote", {"lines": lines}).status_code == 200
            with statements("POST tablet/orders"):
                assert tablet.post("tablet/orders", {"lines": lines}, key=key).status_code == 201
            with statements("POST tablet/orders again"):
                assert tablet.post("tablet/orders", {"lines": lines}, key=key).status_code == 200
        long_ago = timezone.now() - timedelta(hours=3)
        TableSession.objects.update(started_at=long_ago, last_order_at=long_ago)
        with statements("POST tablet/orders as the next party"):
            assert tablet.post("tablet/orders", {"lines": lines}, key=new_key()).status_code == 201


@pytest.mark.skipif(not AS_ONE, reason="only with PostgreSQL several statements travel together")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("stock", "trips"), [(None, 3), (10, 4)])
def test_an_order_takes_three_round_trips_and_one_more_for_counted_dishes(ours, tablet, stock, trips):
    """Who calls; BEGIN, table, party, menu; (stock;) the counter and all rows, COMMIT."""
    asked = {"lines": [line(make_item(ours, stock=stock))]}
    alone = mock.patch.object(connection.Database.Cursor, "execute", side_effect=AssertionError)
    with mock.patch.object(round_trips, "ask", wraps=round_trips.ask) as ask, alone:
        assert tablet.post("tablet/orders", asked, key=new_key()).status_code == 201
    assert ask.call_count == trips


def make_busy_tables(world, count):
    """As many tables more, each with a party, an unsettled bill, a completed one and a call."""
    option = make_choice(world.item)[0]
    for _ in range(count):
        table = create_table(world.store, number=f"{world.store.tables.count() + 1}", password=TABLE_PASSWORD)
        tablet, sessions = tablet_of(table), TableSession.objects.filter(table=table)
        for after in ({"state": "completed", "completed_at": timezone.now()}, {"state": "expired"}, {}):
            body = {"lines": [line(world.item, 1, option), line(world.items[1])]}
            assert tablet.post("tablet/orders", body, key=new_key()).status_code == 201
            if after:
                sessions.active().update(**after)
        ServiceCall.objects.create(store=world.store, table=table, kind="help")


def test_the_board_orders_history_and_tables_take_the_same_number_for_1_and_50_tables(ours, manager, monkeypatch):
    monkeypatch.setattr(board, "KEPT_FOR", 10**12)  # or it might end just between two looks
    Table.objects.in_store(ours.store).delete()
    sizes = []
    for count in (1, 49):
        make_busy_tables(ours, count)
        shown = ask(manager, "GET staff/board")
        assert all(table["orders"] and table["unsettled"] and table["calls"] for table in shown["tables"])
        assert ask(manager, "GET staff/board unchanged") == shown
        ask(manager, "GET staff/orders")
        ask(manager, "GET staff/tables")
        history = ask(manager, "GET staff/history")
        sizes.append((len(shown["tables"]), len(history["results"])))
    assert sizes == [(1, 1), (50, 50)]
    with statements("GET staff/orders/{id}"):
        manager.get(f"staff/orders/{shown['tables'][-1]['orders'][0]['id']}")


@pytest.mark.django_db(transaction=True)
def test_the_kitchen_takes_the_same_number_for_1_and_50_lines(ours, manager, tablet):
    def act(what, path, body):
        with statements(what):
            answer = manager.request(what.split()[0], path, body)
        assert answer.status_code == 200, answer.content
        return answer.json()

    for count in (1, 50):
        order = tablet.post("tablet/orders", {"lines": counted_dishes(ours, count)}, key=new_key()).json()
        path = f"staff/orders/{order['id']}"
        order = act("PATCH staff/orders/{id}", path, {"status": "preparing", "version": order["version"]})
        line_path = f"{path}/lines/{order['lines'][0]['id']}"
        order = act("PATCH staff/orders/{id}/lines/{line}", line_path, {"status": "ready", "version": order["version"]})
        order = tablet.post("tablet/orders", {"lines": counted_dishes(ours, count)}, key=new_key()).json()
        act("POST staff/orders/{id}/cancel", f"staff/orders/{order['id']}/cancel", {"reason": "burnt", "version": 1})
        with statements("POST tablet/calls"):
            call = tablet.post("tablet/calls", {"kind": "water"}).json()
        act("POST staff/calls/{id}/resolve", f"staff/calls/{call['id']}/resolve", None)
        act("POST staff/tables/{id}/complete", f"staff/tables/{ours.table.pk}/complete", {"force": True})


def test_the_own_bill_takes_the_same_number_for_1_and_20_orders(ours, tablet):
    for count in (1, 19):
        for _ in range(count):
            place(ours.table, ours.item)
        ask(tablet, "GET tablet/session")
    assert tablet.get("tablet/session").json()["total"] == 20 * 12000


def test_the_menu_takes_two_at_most_and_one_if_it_is_known(ours, tablet):
    for count in (1, 30):
        make_menu(ours, count)
        ask(tablet, "GET tablet/menu")
        ask(tablet, "GET tablet/menu again")
        known = tablet.get("tablet/menu")["ETag"]
        with statements("GET tablet/menu unchanged"):
            assert tablet.get("tablet/menu", if_none_match=known).status_code == 304


def make_menu(world, count):
    """As many dishes more, each in a category of its own and with two choices."""
    for number in range(count):
        category = Category.objects.create(store=world.store, name=f"{count}-{number}")
        item = Item.objects.create(store=world.store, category=category, name="dish", price=100)
        make_choice(item)
        shared = make_choice(world.item)[0].group
        ItemOptionGroup.objects.create(item=item, group=shared)
    Counters.objects.filter(store=world.store).update(menu_version=1000 + count)


def test_the_owner_s_lists_take_the_same_number_for_1_and_30_dishes(ours, manager):
    sizes = []
    for count in (1, 29):
        make_menu(ours, count)
        sizes.append([len(ask(manager, f"GET staff/{name}")["results"]) for name in ("items", "categories", "option-groups")])
    assert sizes[0][0] < sizes[1][0] > 30
    assert sizes[0][1] < sizes[1][1] > 30
