"""The statements of a real order for pgbench and for a bare view: so the limits follow when the program's statements change.

What an order makes anew (ids, keys) is made anew by both; pgbench's script has a list of who sits where. Everything else
is said as the program said it.
"""

import datetime
import itertools
import json
import re
import uuid
from collections.abc import Callable, Iterable
from typing import NamedTuple

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from stores.auth import caller_of

CONTROL = ("SAVEPOINT", "RELEASE SAVEPOINT")
CHANGING = re.compile(r"(?P<id>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})|(?P<digest>[0-9a-f]{64})")


class Statement(NamedTuple):
    sql: str
    params: tuple


def statements_of(write: Callable) -> list[Statement]:
    """What `write` says to the database, one by one and not in its round trips. It is rolled back."""
    seen = []

    def note(execute, sql, params, many, context):
        if not sql.startswith(CONTROL):
            seen.append(Statement(sql, tuple(params or ())))
        return execute(sql, params, many, context)

    with transaction.atomic():
        with CaptureQueriesContext(connection), connection.execute_wrapper(note):  # captured, they go one by one
            write()
        transaction.set_rollback(True)
    return seen


def in_trips(token: str, write: Callable | None = None) -> tuple[str, list[str]]:
    """What a request says: who calls; what `write` reads; what it writes. As JSON, with the ids and digests that are new each time."""
    first, second = (_in_trips(token, write) for _ in range(2))
    constant = {found[0] for found in CHANGING.finditer(second)}
    return first, sorted({found[0] for found in CHANGING.finditer(first)} - constant)


def _in_trips(token, write):
    trips = [statements_of(lambda: caller_of(token))]
    if write:
        reads = lambda statement: statement.sql.startswith("SELECT")  # noqa: E731
        trips += [list(trip) for _, trip in itertools.groupby(statements_of(write), reads)]
    return json.dumps(trips, default=str)


class Script:
    """Those statements in pgbench's language. `known`: {value: name of the variable that says it}."""

    def __init__(self, statements: Iterable[Statement], known: dict[str, str]):
        self._known, self._fresh, self.lines = known, {}, []
        for statement in statements:
            self._say(statement)

    def __str__(self):
        anew = [f"\\set {name} random(100000000000000000, 999999999999999999)" for name in self._fresh.values()]
        return "\n".join([*anew, "BEGIN;", *self.lines, "COMMIT;"]) + "\n"

    def _say(self, statement):
        pieces = statement.sql.split("%s")
        assert len(pieces) == len(statement.params) + 1, statement.sql
        said = [piece.replace("%%", "%") for piece in pieces]
        sql = said[0] + "".join(self._value(value) + piece for value, piece in zip(statement.params, said[1:], strict=True))
        self.lines.append(" ".join(sql.split()) + ";")

    def _value(self, value) -> str:
        match value:
            case None:
                return "NULL"
            case bool():
                return str(value).upper()
            case int():
                return str(value)
            case datetime.datetime():
                is_now = abs(timezone.now() - value) < datetime.timedelta(minutes=1)
                return "now()" if is_now else f"{_literal(value)}::timestamptz"
            case datetime.date():
                return f"{_literal(value)}::date"
            case uuid.UUID():
                return self._id(str(value))
            case str():
                return self._text(value)
        return _literal(value)

    def _id(self, value: str) -> str:
        return f":{self._known[value]}::uuid" if value in self._known else f"{self._hex(value)}::uuid"

    def _hex(self, value: str) -> str:
        """32 hexadecimal digits, new with each transaction and the same wherever this value is said."""
        name = self._fresh.setdefault(value, f"fresh{len(self._fresh)}")
        return f"lpad(:{name}::text, 32, '0')"

    def _text(self, value: str) -> str:
        """With what changes in it made anew too."""
        parts, end = [], 0
        for found in CHANGING.finditer(value):
            new = f"{self._id(found[0])}::text" if found["id"] else f"repeat({self._hex(found[0])}, 2)"
            parts += [_literal(value[end : found.start()]), new]
            end = found.end()
        return f"({' || '.join([*parts, _literal(value[end:])])})"


def _literal(value) -> str:
    """pgbench would take a colon, also one in quotes, for the begin of a variable."""
    text = str(value).replace("\\", "\\\\").replace("'", "\\'").replace(":", "\\x3a").replace("\n", "\\n")
    return f"E'{text}'"
