"""Statements of the ORM whose SQL is made once, for the few that every request or every order runs.

Building a queryset and compiling it takes Python 0.3-1 ms, and the database runs it in 0.1 (`python -m
benchmarks.profile`). What a statement says is still said by a queryset, for every database alike:

    dishes = Select(lambda: Item.objects.filter(store=Given("store", UUIDField()), sold_out=False).values_list("name"))
    dishes.rows(store=store.pk)
"""

from collections.abc import Callable, Sequence
from functools import cache
from itertools import chain
from operator import attrgetter
from typing import NamedTuple

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import (
    AutoField,
    BooleanField,
    CharField,
    DateField,
    DateTimeField,
    Expression,
    Field,
    IntegerField,
    Model,
    QuerySet,
    TextField,
    UUIDField,
)
from django.db.models.sql import UpdateQuery


class Given(Expression):
    """A value that the statement is given each time it runs; with `index`, one of several under that name."""

    def __init__(self, name: str, output_field: Field, index: int | None = None):
        super().__init__(output_field=output_field)
        self.name, self.index = name, index

    @classmethod
    def each(cls, name: str, output_field: Field, count: int) -> list["Given"]:
        return [cls(name, output_field, index) for index in range(count)]

    def as_sql(self, compiler, connection):
        return "%s", [self]

    def of(self, values, connection):
        value = values[self.name]
        return self.output_field.get_db_prep_value(value if self.index is None else value[self.index], connection)


class Bound(NamedTuple):
    """A statement with its values."""

    sql: str
    params: list


class _Statement:
    def __init__(self, build: Callable):
        self._build = build  # not called here: this runs while models are being loaded
        self._sql = None

    def given(self, **values) -> Bound:
        connection = connections[DEFAULT_DB_ALIAS]
        if self._sql is None:
            sql, self._params = self._compile(connection)
            self._sql = sql  # last: another thread may be looking
        return Bound(self._sql, [param.of(values, connection) if isinstance(param, Given) else param for param in self._params])


def execute(sql: str, params: Sequence):
    """The cursor, to read from at once: it is the same for all statements of a connection.

    A new one costs as much as the statement does.
    """
    cursor = _cursor()
    cursor.execute(sql, params)
    return cursor


def _cursor():
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.queries_logged:
        return connection.cursor()
    of, cursor = connection.__dict__.get("_cursor_of_statements", (None, None))
    if of is None or of is not connection.connection:
        cursor = connection.cursor()
        connection._cursor_of_statements = connection.connection, cursor
    return cursor


# --- Reading ----------------------------------------------------------------------------------------------------


class Select(_Statement):
    """`build` returns a `values_list()`."""

    _build: Callable[[], QuerySet]

    def _compile(self, connection):
        self._compiler = self._build().query.get_compiler(connection=connection)
        made = self._compiler.as_sql()
        self._converters = self._compiler.get_converters([column for column, _, _ in self._compiler.select])
        return made

    def rows(self, **values) -> list[Sequence]:
        rows = execute(*self.given(**values)).fetchall()
        return list(self._compiler.apply_converters(rows, self._converters)) if self._converters else rows


def columns(model: type[Model], prefix: str = "") -> list[str]:
    """All of a model's, for `values_list()`."""
    return [prefix + name for name in _names(model)]


@cache
def _names(model):
    return [field.attname for field in model._meta.concrete_fields]


def read(row: Sequence, *models: type[Model]) -> list[Model]:
    """The instances whose `columns` stand one after the other in the row."""
    found, start = [], 0
    for model in models:
        names = _names(model)
        found.append(model.from_db(DEFAULT_DB_ALIAS, names, row[start : start + len(names)]))
        start += len(names)
    return found


# --- Writing ----------------------------------------------------------------------------------------------------


class Update(_Statement):
    """`build` returns a queryset, and the new values of its rows as `update()` takes them."""

    _build: Callable[[], tuple[QuerySet, dict]]

    def _compile(self, connection):
        rows, changes = self._build()
        query = rows.order_by().query.chain(UpdateQuery)
        query.add_update_values(changes)
        return query.get_compiler(connection=connection).as_sql()


def insert(*rows: Model) -> Bound | None:
    """New rows of one model. A key that the database gives stays unknown.

    TypeError for a model with a field whose value is not written as it is: a JSON document, a file, an `auto_now`.
    """
    if not rows:
        return None
    connection = connections[DEFAULT_DB_ALIAS]
    as_arrays = connection.vendor == "postgresql"
    sql, values_of, fields = _insert(type(rows[0]), 0 if as_arrays else len(rows))
    for row in rows:
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS
    if as_arrays:
        return Bound(sql, [_array(column) for column in zip(*map(values_of, rows), strict=True)])
    values = (zip(fields, values_of(row), strict=True) for row in rows)
    return Bound(sql, [field.get_db_prep_save(value, connection) for field, value in chain.from_iterable(values)])


def _array(values) -> str:
    """As PostgreSQL reads one. The driver would look into each value first, which takes longer than the statement."""
    return "{" + ",".join(map(_element, values)) + "}"


def _element(value) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        value = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{value}"'


_WRITTEN_AS_THEY_ARE = (BooleanField, CharField, DateField, DateTimeField, IntegerField, TextField, UUIDField)


@cache
def _insert(model, count):
    """(SQL, a row's values, the fields they belong to) for so many rows; for 0, of as many as the arrays hold.

    As arrays the text is the same for any number of rows, so PostgreSQL has it prepared already.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    quote = connection.ops.quote_name
    fields = [field for field in model._meta.local_concrete_fields if not (field.generated or isinstance(field, AutoField))]
    for field in fields:
        kind = field.target_field if field.remote_field else field
        if not isinstance(kind, _WRITTEN_AS_THEY_ARE) or getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
            raise TypeError(f"{field}: insert() writes values as they are")
    if count:
        values = "VALUES " + ", ".join([f"({', '.join(['%s'] * len(fields))})"] * count)
    else:
        types = [field.rel_db_type(connection).partition("(")[0] for field in fields]  # a cast to varchar(100) would cut
        values = f"SELECT * FROM unnest({', '.join(f'%s::{type}[]' for type in types)})"
    names = ", ".join(quote(field.column) for field in fields)
    sql = f"INSERT INTO {quote(model._meta.db_table)} ({names}) {values}"
    return sql, attrgetter(*(field.attname for field in fields)), fields


def write(*statements: Bound | None):
    """Runs them, none of which may depend on another: on PostgreSQL as one, which saves round trips."""
    wanted = [statement for statement in statements if statement]
    if len(wanted) > 1 and connections[DEFAULT_DB_ALIAS].vendor == "postgresql":
        *others, last = [sql for sql, _ in wanted]
        with_others = ", ".join(f"_{number} AS ({sql})" for number, sql in enumerate(others))
        wanted = [Bound(f"WITH {with_others} {last}", list(chain.from_iterable(params for _, params in wanted)))]
    for statement in wanted:
        execute(*statement)
