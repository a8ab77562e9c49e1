"""Migrations' operations on indexes of tables that orders are being written to: on PostgreSQL they let these go on.

A migration that uses them sets `atomic = False`.
"""

from contextlib import contextmanager
from functools import partial

from django.db import migrations, models


class WhileServing:
    """Beside an operation of Django that adds or removes an index."""

    atomic = False

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        with _concurrently(schema_editor):
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        with _concurrently(schema_editor):
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
def _concurrently(schema_editor):
    """Indexes come and go CONCURRENTLY, which waits for whoever is reading, as a backup does for minutes."""
    if schema_editor.connection.vendor != "postgresql":
        yield
        return
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        (before,) = cursor.fetchone()
        cursor.execute("SET lock_timeout = 0")
        schema_editor.add_index = partial(type(schema_editor).add_index, schema_editor, concurrently=True)
        schema_editor.remove_index = partial(type(schema_editor).remove_index, schema_editor, concurrently=True)
        try:
            yield
        finally:
            del schema_editor.add_index, schema_editor.remove_index
            cursor.execute(f"SET lock_timeout = '{before}'")
