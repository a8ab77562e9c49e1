"""The statements of a real order as a script for pgbench: so the limit follows when the program's statements change.

What an order makes anew (ids, keys) is made anew by the script; what the database gave (numbers) is taken from the
answer; which table it is comes from a list. Everything else is said as the program said it.
"""

import datetime
import re
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

CONTROL = ("SAVEPOINT", "RELEASE SAVEPOINT")
# Where the store's counters stand while we look: high enough to be recognised where they are used later.
EVENTS, ORDERS = 7_000_000, 6_000_000
CHANGING = re.compile(
    r"(?P<id>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})|(?P<digest>[0-9a-f]{64})|\b(?P<number>\d{7})\b"
)


@dataclass(frozen=True)
class Statement:
    sql: str
    params: tuple
    answer: dict[str, str]  # the first row that it gave back


def statements_of(write: Callable, *, store_id) -> list[Statement]:
    """What `write` says to the database, one by one and not in its round trips. It is rolled back."""
    seen = []

    def note(execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        if not sql.startswith(CONTROL):
            seen.append(Statement(sql, tuple(params or ()), _first_row(context["cursor"])))
        return result

    with transaction.atomic():
        with connection.cursor() as cursor:
            counters = "UPDATE stores_journal SET last_number = %s, last_order_number = %s WHERE store_id = %s"
            cursor.execute(counters, [EVENTS, ORDERS, store_id])
        with CaptureQueriesContext(connection), connection.execute_wrapper(note):  # captured, they go one by one
            write()
        transaction.set_rollback(True)
    return seen


def _first_row(cursor) -> dict[str, str]:
    """Without taking it from the program, which has not read it yet."""
    answer = cursor.cursor.pgresult
    if not answer.ntuples:
        return {}
    row = {answer.fname(column).decode(): answer.get_value(0, column) for column in range(answer.nfields)}
    return {name: value.decode() for name, value in row.items() if value is not None}


class Script:
    """Those statements in pgbench's language. `known`: {value: name of the variable that says it}."""

    def __init__(self, statements: Iterable[Statement], known: dict[str, str]):
        self._known, self._fresh, self._given, self.lines = known, {}, {}, []
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
        counted = {value: name for name, value in statement.answer.items() if value.isdigit() and int(value) > min(EVENTS, ORDERS)}
        self._given |= counted
        self.lines.append(" ".join(sql.split()) + (" \\gset" if counted else ";"))

    def _value(self, value) -> str:
        match value:
            case None:
                return "NULL"
            case bool():
                return str(value).upper()
            case int() if str(value) in self._given:
                return f":{self._given[str(value)]}::bigint"
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
            if new := self._anew(found):
                parts += [_literal(value[end : found.start()]), new]
                end = found.end()
        return f"({' || '.join([*parts, _literal(value[end:])])})"

    def _anew(self, found: re.Match) -> str | None:
        match found.lastgroup:
            case "id":
                return f"{self._id(found[0])}::text"
            case "digest":
                return f"repeat({self._hex(found[0])}, 2)"
            case "number" if found[0] in self._given:
                return f":{self._given[found[0]]}::text"


def _literal(value) -> str:
    """pgbench would take a colon, also one in quotes, for the begin of a variable."""
    text = str(value).replace("\\", "\\\\").replace("'", "\\'").replace(":", "\\x3a").replace("\n", "\\n")
    return f"E'{text}'"
