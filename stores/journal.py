"""The store's journal: events numbered 1..N without a hole, in the order of the commits.

`record` is the last thing a transaction does. It takes the lock of the store's counter row, which is held only
until the commit that follows: taken first it would let one order at a time through a store.

What only that row knows (the next numbers) stands in events as a mark, and the database puts the number in. So the
lock is never held while Python computes or a word is under way: all is said in one round trip.
"""

import datetime
import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from tableorder import json
from tableorder.statements import Bound, as_one, database, insert, new, together

from . import wakeup
from .models import Counters, Event


def _placeholder(name: str) -> str:
    """What the INSERT of an event replaces. Random for each process, so no guest's text can contain it."""
    return f"{name}-{secrets.token_hex(8)}"


# In the data of an event: what the counter row gives with it.
MENU_VERSION, ORDER_NUMBER, ORDER_DAY, ZEROS = _placeholder("version"), _placeholder("number"), _placeholder("day"), _placeholder("zeros")
ORDER = {"number": ORDER_NUMBER, "order_number": f"{ORDER_DAY}-{ZEROS}{ORDER_NUMBER}"}  # as orders/models.py writes them
_EVENT_NUMBER = _placeholder("event")


@dataclass(frozen=True)
class NewEvent:
    """`for_tablet`: whether the table's own tablet hears of it too, or staff alone."""

    type: str
    data: dict
    table_id: uuid.UUID | None = None
    for_tablet: bool = True


MENU_CHANGED = NewEvent("menu.changed", {"version": MENU_VERSION})  # whoever records it gives the menu its next version


class Numbers(NamedTuple):
    """The last that an order of this store has got."""

    order_day: datetime.date | None
    order_number: int


def record(
    store_id,
    *events: NewEvent,
    before: Iterable[Bound] = (),
    beside: Iterable[Bound | None] = (),
    order_day: datetime.date | None = None,
    commit: bool = False,
) -> Numbers:
    """Writes what happened, in the transaction in which it happened, as its last step: `before`, then the counter row,
    then `beside`, which may look at that row, with the events.

    With `order_day` an order number is taken too. It counts from 1 each business day. A day never goes back: if a store
    moves its clock, the numbers of the later day go on, so that none is given twice. With `commit` nothing may be said in
    this transaction after it: it may end with it.
    """
    taking = [*before, *_taking(store_id, len(events), order_day, MENU_CHANGED in events)]
    answers = together(*taking, *as_one(*beside, _rows(store_id, events)), commit=commit)
    transaction.on_commit(lambda: wakeup.announce(store_id))
    [(day, number)] = answers[len(taking) - 1]
    return Numbers(Counters._meta.get_field("order_day").to_python(day), number)


def hold_commits(store_id):
    """Takes the counter row before the end: from here on nothing of this store commits but what we do.

    For a change of a column of a unique index, in a row that orders refer to: right before it and after every other lock.
    PostgreSQL then locks that row against foreign keys too. An order checks its own in its COMMIT, holding the counter
    row: it would wait there for us, and `record` for it.
    """
    together(*_taking(store_id, 0, None, False))


def menu_changed(store_id):
    """The menu has a new version: tablets read it again."""
    record(store_id, MENU_CHANGED)


def counter(store_id) -> Bound:
    """The counter row, as a `source` for the new row of an order (tableorder/statements.py)."""
    return Bound("stores_journal WHERE stores_journal.store_id = %s", [_key(store_id)])


DAY, NUMBER = "stores_journal.order_day", "stores_journal.last_order_number"  # what that order finds there


def _key(store_id):
    return Counters._meta.pk.get_db_prep_value(store_id, database())


def _taking(store_id, events, order_day, menu_changed) -> list[Bound]:
    """Takes the numbers; the last statement answers with the row."""
    day = "CASE WHEN order_day IS NULL OR order_day < %s THEN %s ELSE order_day END" if order_day else "order_day"
    number = "CASE WHEN order_day IS NULL OR order_day < %s THEN 1 ELSE last_order_number + 1 END" if order_day else "last_order_number"
    returning = "order_day, last_order_number"
    # MySQL works assignments off from left to right with the new values: order_day must come after its readers.
    update = (
        f"UPDATE stores_journal SET last_number = last_number + %s, menu_version = menu_version + %s, "
        f"last_order_number = {number}, order_day = {day} WHERE store_id = %s"
    )
    params = [events, int(menu_changed), *[order_day] * (3 if order_day else 0), _key(store_id)]
    if database().vendor == "mysql":  # no UPDATE ... RETURNING; the row is ours until the commit
        return [Bound(update, params), Bound(f"SELECT {returning} FROM stores_journal WHERE store_id = %s", [_key(store_id)])]
    return [Bound(f"{update} RETURNING {returning}", params)]


# What stands where a mark stood. CHAR, because only that is a text on every database.
_PUT_IN = {
    f'"{_EVENT_NUMBER}"': "CAST(stores_journal.last_number - {number} AS CHAR(20))",
    f'"{MENU_VERSION}"': "CAST(stores_journal.menu_version AS CHAR(20))",
    f'"{ORDER_NUMBER}"': f"CAST({NUMBER} AS CHAR(20))",
    ORDER_DAY: f"COALESCE(REPLACE(CAST({DAY} AS CHAR(10)), '-', ''), '')",
    ZEROS: f"CASE WHEN {NUMBER} < 10 THEN '000' WHEN {NUMBER} < 100 THEN '00' WHEN {NUMBER} < 1000 THEN '0' ELSE '' END",
    ORDER_NUMBER: f"CAST({NUMBER} AS CHAR(20))",
}
_BODY = reduce(lambda body, put: "REPLACE({}, '{}', {})".format(body, *put), _PUT_IN.items(), "{body}")


def _rows(store_id, events) -> Bound:
    """The events, numbered from the last one back."""
    at = timezone.now()
    rows = [
        new(
            Event,
            store_id=store_id,
            number=back,
            type=event.type,
            table_id=event.table_id if event.for_tablet else None,
            at=at,
            body=_body(store_id, event, at),
        )
        for back, event in zip(reversed(range(len(events))), events, strict=True)
    ]
    return insert(Event, *rows, source=counter(store_id), number="stores_journal.last_number - {number}", body=_BODY)


def _body(store_id, event, at) -> str:
    return json.dumps(
        {
            "number": _EVENT_NUMBER,
            "type": event.type,
            "store": str(store_id),
            "table": str(event.table_id) if event.table_id else None,
            "at": at.isoformat(),
            "data": event.data,
        }
    ).decode()
