"""Migrations' operations on indexes of tables that orders are being written to: on PostgreSQL they let these go on.

A migration that uses them sets `atomic = False`. Killed half-way it can run again: what is done stays done.
"""

from contextlib import contextmanager

from django.db import migrations, models


class WhileServing:
    """Beside an operation of Django that adds or removes an index."""

    atomic = False

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        with _in_small_steps(schema_editor):
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        with _in_small_steps(schema_editor):
            super().database_backwards(app_label, schema_editor, from_state, to_state)


class AddIndex(WhileServing, migrations.AddIndex):
    """Django's, while the program serves."""


class RemoveIndex(WhileServing, migrations.RemoveIndex):
    """Django's, while the program serves."""


class _DropKeyIndex(migrations.AlterField):
    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor != "mysql":  # InnoDB has dropped its own index as soon as there was the other one
            schema_editor.remove_index(*self._index(app_label, from_state, schema_editor))

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor != "mysql":
            schema_editor.add_index(*self._index(app_label, to_state, schema_editor))

    def _index(self, app_label, state, schema_editor):
        """(the model, the index as it stands in the database, where Django has given it its name)"""
        model = state.apps.get_model(app_label, self.model_name)
        column = model._meta.get_field(self.name).column
        name = schema_editor._create_index_name(model._meta.db_table, [column], suffix="")
        return model, models.Index(fields=[self.name], name=name)


class DropKeyIndex(WhileServing, _DropKeyIndex):
    """A foreign key gets `db_index=False`: another index begins with it.

    AlterField would also drop the key's constraint and check every row anew, with the table locked.
    """


@contextmanager
def _in_small_steps(schema_editor):
    """Indexes come and go one by one, each only if it isn't so already; on PostgreSQL CONCURRENTLY."""
    connection, editor = schema_editor.connection, type(schema_editor)
    concurrently = {"concurrently": True} if connection.vendor == "postgresql" else {}

    def is_there(model, index):
        with connection.cursor() as cursor:
            return index.name in connection.introspection.get_constraints(cursor, model._meta.db_table)

    def add_index(model, index):
        if concurrently:
            remove_index(model, index)  # what was interrupted is there by its name, and is used by no query
        if not is_there(model, index):
            editor.add_index(schema_editor, model, index, **concurrently)

    def remove_index(model, index):
        if is_there(model, index):
            editor.remove_index(schema_editor, model, index, **concurrently)

    schema_editor.add_index, schema_editor.remove_index = add_index, remove_index
    try:
        with _patience(connection):
            yield
    finally:
        del schema_editor.add_index, schema_editor.remove_index


@contextmanager
def _patience(connection):
    """CONCURRENTLY waits for whoever is reading, as a backup does for minutes."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        (before,) = cursor.fetchone()
        cursor.execute("SET lock_timeout = 0")
        try:
            yield
        finally:
            cursor.execute(f"SET lock_timeout = '{before}'")
