"""A migration runs while the program serves: connections have prepared statements for the schema before it."""

import threading

import pytest
from django.core.management import call_command
from django.db import connection, connections

from tests.world import line, new_key, problem, tablet_of

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="only there statements are prepared"),
]


@pytest.fixture
def wider_numbers():
    """Something like AlterField."""

    def alter(type):
        # From elsewhere, as `migrate` does it: a connection forgets what it has prepared when it alters something itself.
        with connections.create_connection("default").temporary_connection() as cursor:
            cursor.execute(f"ALTER TABLE stores_table ALTER number TYPE {type}")

    yield lambda: alter("text")
    alter("varchar(20)")
    connection.connection.close()  # with what it has prepared for the wider ones, or the next test would come upon it
    connection.close()


def test_a_statement_from_before_a_migration_costs_one_503(ours, wider_numbers):
    tablet = tablet_of(ours.table)
    for _ in range(8):  # often enough to be prepared
        assert tablet.get("tablet/menu").status_code == 200
    wider_numbers()
    assert problem(tablet.get("tablet/menu"), 503, "SERVICE_UNAVAILABLE")
    assert tablet.get("tablet/menu").status_code == 200


def test_indexes_come_and_go_while_orders_are_placed(ours):
    """Not behind the back of somebody who is writing, and without a key being checked anew."""
    tablet, keys = tablet_of(ours.table), foreign_keys()

    def place_orders():
        while migrating:
            answers.append(tablet.post("tablet/orders", {"lines": [line(ours.item)]}, key=new_key()).status_code)
        connection.close()

    for name in ("0001", "0002"):
        answers, migrating = [], [True]
        guest = threading.Thread(target=place_orders)
        guest.start()
        try:
            call_command("migrate", "orders", name, verbosity=0)
        finally:
            migrating.clear()
            guest.join()
        assert set(answers) == {201}
    assert foreign_keys() == keys
    assert "orders_order_session_id_f018568b" not in indexes()


def foreign_keys() -> set:
    with connection.cursor() as cursor:
        cursor.execute("SELECT oid, conname FROM pg_constraint WHERE contype = 'f' AND conrelid = 'orders_order'::regclass")
        return set(cursor.fetchall())


def indexes() -> set:
    with connection.cursor() as cursor:
        return set(connection.introspection.get_constraints(cursor, "orders_order"))
