"""Several statements in one round trip do what they would do one after the other."""

import datetime
import time
import uuid
from contextlib import contextmanager
from unittest import mock

import psycopg
import pytest
from django.db import DataError, IntegrityError, OperationalError, connection, transaction
from django.db.utils import ProgrammingError

from menus.models import Item
from stores.models import Event
from tableorder import patience, round_trips
from tableorder.statements import Bound, insert, together
from tests.threads import at_once, begin, is_waiting

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL takes several statements at once"),
]


def event(world, number) -> Event:
    return Event(store=world.store, number=number, type="test", at=world.store.created_at, body="{}")


def price(item) -> Bound:
    return Bound("SELECT price FROM menus_item WHERE id = %s", [item.pk])


def new_price(item, amount) -> Bound:
    return Bound("UPDATE menus_item SET price = %s WHERE id = %s", [amount, item.pk])


@contextmanager
def undone():
    """A transaction that is rolled back at its end."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def prepared() -> int:
    [[(count,)]] = together(Bound("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s", ["SELECT price%"]))
    return count


def test_each_gives_its_own_rows_in_their_order(ours):
    one, many, none, changed, again = together(
        price(ours.item),
        Bound("SELECT number FROM generate_series(1, %s) AS number", [3]),
        Bound("SELECT 1 WHERE %s", [False]),
        new_price(ours.item, 4321),
        price(ours.item),
    )
    assert (one, many, none, changed, again) == ([(12000,)], [(1,), (2,), (3,)], [], [], [(4321,)])


VALUES = {
    "text": [None, "", "김치 'n' 100% %s $1"],
    "boolean": [True, False],
    "bigint": [0, 7, -(2**40)],
    "uuid": [uuid.UUID(int=7)],
    "date": [datetime.date(2026, 2, 28)],
    "timestamptz": [
        datetime.datetime(2026, 2, 28, 23, 59, 1, microsecond, tzinfo=datetime.UTC) for microsecond in (0, 5, 120_000, 999_999)
    ],
}


@pytest.mark.parametrize("kind", VALUES)
def test_values_come_back_as_they_went(kind, db):
    for value in VALUES[kind] * 7:  # the server plans the first five times anew
        assert together(Bound(f"SELECT %s::{kind}, '100 %%'", [value])) == [[(value, "100 %")]]


def test_outside_a_transaction_they_are_committed(ours):
    together(new_price(ours.item, 1))
    assert Item.objects.get(pk=ours.item.pk).price == 1


def test_inside_a_transaction_they_are_part_of_it(ours):
    with undone():
        together(new_price(ours.item, 1))
        assert connection.connection.info.transaction_status.name == "INTRANS"
    assert Item.objects.get(pk=ours.item.pk).price == 12000


def seen_by_others(item) -> int:
    [amount] = at_once(lambda: Item.objects.get(pk=item.pk).price)
    return amount


def test_with_commit_the_transaction_ends_with_them(ours):
    done = mock.Mock()
    with transaction.atomic():
        transaction.on_commit(done)
        together(new_price(ours.item, 1), commit=True)
        assert seen_by_others(ours.item) == 1
        assert not done.called
    assert done.called


def test_within_another_transaction_they_leave_the_commit_to_it(ours):
    with undone():
        with transaction.atomic():
            together(new_price(ours.item, 1), commit=True)
        assert seen_by_others(ours.item) == 12000
    assert Item.objects.get(pk=ours.item.pk).price == 12000


def test_what_is_to_be_rolled_back_is_not_committed(ours):
    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(transaction.TransactionManagementError):
            together(new_price(ours.item, 1), commit=True)
    assert Item.objects.get(pk=ours.item.pk).price == 12000


def test_what_fails_stops_those_after_it_and_undoes_those_before_it(ours):
    together(insert(Event, event(ours, 1000)))
    for within in (transaction.atomic, mock.MagicMock):
        with pytest.raises(IntegrityError), within():
            together(insert(Event, event(ours, 1001)), insert(Event, event(ours, 1000)), new_price(ours.item, 1), commit=True)
        assert not Event.objects.filter(number=1001).exists()
        assert together(price(ours.item)) == [[(12000,)]]


def test_errors_are_those_that_django_gives(ours):
    for statement, error in {
        Bound("SELECT nothing", ()): ProgrammingError,
        Bound("SELECT 1 / %s", (0,)): DataError,
        Bound("SELECT %s::int", ("x",)): DataError,
        Bound("SELECT %s", ("\0",)): DataError,
    }.items():
        with pytest.raises(error):
            together(statement)
    assert together(price(ours.item)) == [[(12000,)]]


def test_a_statement_that_follows_a_lock_sees_what_was_committed_while_it_waited(ours):
    lock = Bound("SELECT id FROM stores_table WHERE id = %s FOR UPDATE", [ours.table.pk])

    def read():
        with transaction.atomic():
            return together(lock, price(ours.item))[1]

    with transaction.atomic():
        together(lock)
        reader = begin(read)
        assert is_waiting(reader)
        together(new_price(ours.item, 1))
    assert reader.result() == [(1,)]


def test_a_statement_is_prepared_once_and_again_when_the_driver_has_forgotten(ours, theirs):
    connection.close()
    for item in (ours.item, theirs.item):
        assert together(price(item), price(item)) == [[(12000,)]] * 2
        assert prepared() == 1
    with undone():  # with a rollback psycopg forgets all of them
        together(price(ours.item))
    assert prepared() == 0
    assert together(price(ours.item)) == [[(12000,)]]
    assert prepared() == 1


def test_what_the_driver_has_no_room_for_the_server_forgets_too(ours, monkeypatch):
    connection.close()
    connection.close_pool()  # those in it have statements prepared
    connection.ensure_connection()
    monkeypatch.setattr(connection.connection, "prepared_max", 3)
    for number in range(9):
        together(Bound(f"SELECT price, {number} FROM menus_item WHERE id = %s", [ours.item.pk]))
    assert 0 < prepared() <= 3


def test_one_that_could_not_be_prepared_is_tried_again(ours):
    later = Bound("SELECT * FROM made_later", [])
    with pytest.raises(ProgrammingError):
        together(later)
    with transaction.atomic():
        together(Bound("CREATE TABLE made_later AS SELECT 5 AS five", []))
        assert together(later) == [[(5,)]]
        together(Bound("DROP TABLE made_later", []))


def test_one_that_was_not_run_because_of_the_one_before_is_not_taken_for_prepared(db):
    """Also if psycopg has seen it outside of a trip."""
    for sql, seen in {"SELECT 1 + %s": False, "SELECT 2 + %s": True}.items():
        if seen:
            with connection.cursor() as cursor:
                cursor.execute(sql, [1])
        with pytest.raises(DataError):
            together(Bound("SELECT 1 / %s", (0,)), Bound(sql, [1]))
        assert together(Bound(sql, [1]))


def test_one_that_is_not_sent_because_of_the_next_is_not_taken_for_prepared(ours):
    connection.close()
    with pytest.raises(DataError):
        together(price(ours.item), Bound("SELECT %s", ["\0"]))
    assert together(price(ours.item)) == [[(12000,)]]


def test_a_connection_that_the_server_ends_is_an_operational_error_and_given_up(ours):
    mine = connection.connection.info.backend_pid

    def end_it():
        together(Bound("SELECT pg_terminate_backend(%s)", [mine]))

    at_once(end_it)
    with pytest.raises(OperationalError), transaction.atomic():
        together(Bound("SELECT pg_sleep(%s)", [5]))
    connection.close()
    assert together(price(ours.item)) == [[(12000,)]]


def test_a_connection_that_is_interrupted_is_not_used_again(ours):
    driver = connection.connection
    with mock.patch.object(round_trips, "_trip", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        together(price(ours.item))
    assert driver.closed
    connection.close()
    assert together(price(ours.item)) == [[(12000,)]]


def test_who_looks_at_statements_sees_each(ours):
    seen = []

    def look(execute, sql, params, many, context):
        seen.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(look):
        together(price(ours.item), new_price(ours.item, 1))
    assert seen == [tuple(price(ours.item)[:2]), tuple(new_price(ours.item, 1)[:2])]


@pytest.mark.parametrize("ask", [lambda driver, sql: driver.execute(sql), lambda driver, sql: round_trips.ask(driver, [(sql, ())])])
def test_a_server_that_does_not_answer_is_given_up(ask, settings, monkeypatch):
    """It may stand still, and then ends nothing itself."""
    settings.DATABASE_STATEMENT_TIMEOUT = 0.1
    monkeypatch.setattr(patience, "GRACE", 0.1)
    with patience.PatientConnection.connect(**connection.get_connection_params()) as driver:
        began = time.monotonic()
        with pytest.raises(psycopg.OperationalError, match="does not answer"):
            ask(driver, "SELECT pg_sleep(5)")
        assert time.monotonic() - began < 3
        assert driver.closed
