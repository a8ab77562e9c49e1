"""Statements of the ORM whose SQL is made once, for the few that every request or every order runs.

Building a queryset and compiling it takes Python 0.3-1 ms, and the database runs it in 0.1 (`python -m
benchmarks.profile`). What a statement says is still said by a queryset, for every database alike:

    dishes = Select(lambda: Item.objects.filter(store=Given("store", UUIDField()), sold_out=False).values_list("name"))
    dishes.rows(store=store.pk)
"""

from collections.abc import Callable, Sequence
from functools import cache, partial
from itertools import chain
from operator import attrgetter
from string import Formatter
from types import SimpleNamespace
from typing import NamedTuple

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
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
    converted: Callable[[list], list] | None = None  # its rows, as the ORM would give them


def database() -> BaseDatabaseWrapper:
    """A connection by which values are written as the database wants them.

    MySQL's is asked for its version, and must be the thread's own, which takes a while to find. PostgreSQL's is asked
    nothing: there all threads have the same one.
    """
    return _postgresql() or connections[DEFAULT_DB_ALIAS]


@cache
def _postgresql() -> BaseDatabaseWrapper | None:
    connection = connections[DEFAULT_DB_ALIAS]
    return connection if connection.vendor == "postgresql" else None


class _Statement:
    def __init__(self, build: Callable):
        self._build = build  # not called here: this runs while models are being loaded
        self._sql = self._converted = None

    def given(self, **values) -> Bound:
        if self._sql is None:
            sql, self._params = self._compile(connections[DEFAULT_DB_ALIAS])  # this thread's: to lock, it must be in a transaction
            self._sql = sql  # last: another thread may be looking
        written_for = database()
        params = [param.of(values, written_for) if isinstance(param, Given) else param for param in self._params]
        return Bound(self._sql, params, self._converted)


def together(*statements: Bound, commit: bool = False) -> list[list[Sequence]]:
    """The rows of each, one statement after the other.

    On PostgreSQL it is one round trip. With `commit` that ends the transaction too, unless it is within another one;
    elsewhere, and always if something fails, the transaction ends where it is left.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.vendor == "postgresql" and not connection.queries_logged:  # who logs them wants each with its time
        answers = _in_one_trip(connection, statements, commit=commit and len(connection.atomic_blocks) == 1)
    else:
        answers = [_alone(connection, statement) for statement in statements]
    return [list(each.converted(rows)) if each.converted else rows for each, rows in zip(statements, answers, strict=True)]


def _in_one_trip(connection, statements, *, commit):
    """What Django does around each of its own statements, and then what its driver does for all of them."""
    from . import round_trips  # not at the top: only PostgreSQL has this driver

    connection.ensure_connection()
    connection.validate_no_broken_transaction()
    sent = []
    execute = lambda sql, params, many, context: sent.append((sql, params))  # noqa: E731
    for wrapper in reversed(connection.execute_wrappers):
        execute = partial(wrapper, execute)
    for statement in statements:
        execute(statement.sql, statement.params, False, {"connection": connection, "cursor": None})
    with connection.wrap_database_errors:
        return round_trips.ask(connection.connection, sent, commit=commit)


def _alone(connection, statement):
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, statement.params)
        return cursor.fetchall() if cursor.description else []


# --- Reading ----------------------------------------------------------------------------------------------------


class Select(_Statement):
    """`build` returns a `values_list()`."""

    _build: Callable[[], QuerySet]

    def _compile(self, connection):
        compiler = self._build().query.get_compiler(connection=connection)
        made = compiler.as_sql()
        converters = compiler.get_converters([column for column, _, _ in compiler.select])
        self._converted = partial(compiler.apply_converters, converters=converters) if converters else None
        return made

    def rows(self, **values) -> list[Sequence]:
        return together(self.given(**values))[0]


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


def new(model: type[Model], **values) -> SimpleNamespace:
    """What `insert` makes a row of: the model's defaults, and these. An instance would take Django eight times as long."""
    constants, made = _defaults(model)
    row = SimpleNamespace(**constants)
    row.__dict__.update(values)
    for name, make in made:
        if name not in values:
            setattr(row, name, make())
    return row


@cache
def _defaults(model):
    """({column: default}, [(column, what makes its default)])"""
    made = {field.attname: field.default for field in _written(model) if field.has_default() and callable(field.default)}
    constants = {field.attname: field.get_default() for field in _written(model) if field.has_default() or field.null}
    return {name: value for name, value in constants.items() if name not in made}, list(made.items())


def insert(model: type[Model], *rows, source: Bound | None = None, **found: str) -> Bound | None:
    """These rows, new; anything with the names of the columns will do. A key that the database gives stays unknown.

    `found`: columns that the database works out, {column: SQL}, in which `{name}` is what the row says for that column.
    `source`: another table for it to look at, with what chooses one row of it.

    TypeError for a model with a field whose value is not written as it is: a JSON document, a file, an `auto_now`.
    """
    if not rows:
        return None
    as_arrays = _postgresql()
    write = _insert(model, 0 if as_arrays else len(rows), source and source.sql, tuple(found.items()))
    given = source.params if source else []
    if as_arrays:
        columns = zip(*map(write.values, rows), strict=True)
        return Bound(write.sql, [*[array(column) for array, column in zip(write.arrays, columns, strict=True)], *given])
    written_for, params = database(), []
    for row in rows:
        params += [field.get_db_prep_save(value, written_for) for field, value in zip(write.fields, write.values(row), strict=True)]
        params += given
    return Bound(write.sql, params)


class _Insert(NamedTuple):
    sql: str
    fields: list[Field]  # those of the values
    values: Callable  # a row's
    arrays: list[Callable]  # how PostgreSQL reads those of all rows


@cache
def _insert(model, count, source, found) -> _Insert:
    """For so many rows; for 0, of as many as the arrays hold.

    As arrays the text is the same for any number of rows, so PostgreSQL has it prepared already.
    """
    connection = database()
    quote = connection.ops.quote_name
    fields = {field.attname: field for field in _written(model)}
    terms = {name: dict(found).get(name, f"{{{name}}}") for name in fields}
    named = [name for term in terms.values() for _, name, _, _ in Formatter().parse(term) if name]
    if not count:
        named = list(dict.fromkeys(named))
        given = {name: f"given.{quote(fields[name].column)}" for name in named}
        types = [fields[name].rel_db_type(connection).partition("(")[0] for name in named]  # a cast to varchar(100) would cut
        arrays = ", ".join(f"%s::{type}[]" for type in types)
        columns = ", ".join(quote(fields[name].column) for name in named)
        rows = _picked(terms, given, f"unnest({arrays}) AS given ({columns})", source)
    elif source:
        rows = " UNION ALL ".join([_picked(terms, dict.fromkeys(named, "%s"), source)] * count)
    else:  # SQLite takes 500 terms of a UNION, and any number of these
        row = f"({_filled(terms, dict.fromkeys(named, '%s'))})"
        rows = f"VALUES {', '.join([row] * count)}"
    names = ", ".join(quote(field.column) for field in fields.values())
    kinds = [fields[name] for name in named]
    arrays = [_texts if isinstance(_target(field), CharField | TextField) else _plain for field in kinds]
    return _Insert(f"INSERT INTO {quote(model._meta.db_table)} ({names}) {rows}", kinds, attrgetter(*named), arrays)


def _picked(terms, given, *sources):
    """A SELECT of the columns."""
    tables = ", ".join(filter(None, sources))
    return f"SELECT {_filled(terms, given)}" + (f" FROM {tables}" if tables else "")


def _filled(terms, given):
    return ", ".join(term.format(**given) for term in terms.values())


_WRITTEN_AS_THEY_ARE = (BooleanField, CharField, DateField, DateTimeField, IntegerField, TextField, UUIDField)


@cache
def _written(model) -> list[Field]:
    fields = [field for field in model._meta.local_concrete_fields if not (field.generated or isinstance(field, AutoField))]
    for field in fields:
        kind = _target(field)
        if not isinstance(kind, _WRITTEN_AS_THEY_ARE) or getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
            raise TypeError(f"{field}: insert() writes values as they are")
    return fields


def _target(field):
    return field.target_field if field.remote_field else field


# As PostgreSQL reads an array. The driver would look into each value first, which takes longer than the statement.


def _plain(values) -> str:
    """Of what needs no quotes: numbers, ids, times."""
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


def _texts(values) -> str:
    return "{" + ",".join(["NULL" if value is None else _quoted(value) for value in values]) + "}"


def _quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def as_one(*statements: Bound | None) -> list[Bound]:
    """Those that there are, none of which may depend on another: on PostgreSQL a single one, which takes less time."""
    wanted = [statement for statement in statements if statement]
    if len(wanted) < 2 or not _postgresql():
        return wanted
    *others, last = [statement.sql for statement in wanted]
    with_others = ", ".join(f"_{number} AS ({sql})" for number, sql in enumerate(others))
    return [Bound(f"WITH {with_others} {last}", list(chain.from_iterable(statement.params for statement in wanted)))]
