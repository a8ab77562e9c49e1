"""A migration runs while the program serves, at one machine only, and may be killed half-way."""

import threading

import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader

from config.management.commands.migrate import LOCK
from tests.threads import PATIENCE, begin
from tests.world import line, new_key, problem, tablet_of

pytestmark = pytest.mark.django_db(transaction=True)
on_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="only there statements are prepared, and indexes made beside them"
)


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


@on_postgresql
def test_a_statement_from_before_a_migration_costs_one_503(ours, wider_numbers):
    tablet = tablet_of(ours.table)
    for _ in range(8):  # often enough to be prepared
        assert tablet.get("tablet/menu").status_code == 200
    wider_numbers()
    assert problem(tablet.get("tablet/menu"), 503, "SERVICE_UNAVAILABLE")
    assert tablet.get("tablet/menu").status_code == 200


@on_postgresql
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
    assert "orders_order_session_id_f018568b" not in indexes()["orders_order"]


def apply(app, name):
    loader = MigrationLoader(connection)
    migration = loader.get_migration(app, name)
    with connection.schema_editor(atomic=migration.atomic) as editor:
        migration.apply(loader.project_state((app, name), at_end=False), editor)


@pytest.mark.parametrize(
    ("app", "name"),
    [("orders", "0002_fewer_indexes"), ("sessions_app", "0002_fewer_indexes"), ("stores", "0003_event_store_without_index")],
)
def test_a_migration_that_was_killed_can_run_again(app, name):
    """All it did was done, but for the note that it was."""
    before = indexes()
    apply(app, name)
    assert indexes() == before


def test_the_counters_keep_the_table_that_the_release_before_reads():
    said = call_command("sqlmigrate", "stores", "0008").splitlines()
    assert {line for line in said if not line.startswith("--")} <= {"BEGIN;", "COMMIT;"}


@on_postgresql
def test_an_index_whose_making_was_killed_is_made_anew():
    with connection.cursor() as cursor:
        cursor.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'sessions_by_state'::regclass")
        apply("sessions_app", "0002_fewer_indexes")
        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = 'sessions_by_state'::regclass")
        assert cursor.fetchone() == (True,)


@pytest.mark.skipif(connection.vendor not in LOCK, reason="SQLite is one machine's")
def test_two_machines_migrate_one_after_the_other(capsys):
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute(LOCK[connection.vendor])
    second = begin(call_command, "migrate", verbosity=0)
    with pytest.raises(TimeoutError):
        second.result(1.5)
    other.connection.close()  # killed, and its lock goes with it
    second.result(PATIENCE)
    assert "waiting for another migration" in capsys.readouterr().err


@pytest.mark.skipif(connection.vendor != "mysql", reason="the others tell all names apart")
def test_a_database_that_takes_names_for_each_other_is_warned_of_by_migrate(capsys):
    name = connection.ops.quote_name(connection.settings_dict["NAME"])
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER DATABASE {name} COLLATE utf8mb4_general_ci")
        call_command("migrate", verbosity=0, skip_checks=False)
        assert "tableorder.W002" in capsys.readouterr().err
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER DATABASE {name} COLLATE utf8mb4_bin")
    call_command("migrate", verbosity=0, skip_checks=False)
    assert "tableorder.W002" not in capsys.readouterr().err


def foreign_keys() -> set:
    with connection.cursor() as cursor:
        cursor.execute("SELECT oid, conname FROM pg_constraint WHERE contype = 'f' AND conrelid = 'orders_order'::regclass")
        return set(cursor.fetchall())


def indexes() -> dict[str, set]:
    with connection.cursor() as cursor:
        return {
            table: set(connection.introspection.get_constraints(cursor, table)) for table in connection.introspection.table_names(cursor)
        }
