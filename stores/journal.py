"""The store's journal: events numbered 1..N without a hole, in the order of the commits.

`record` is the last thing a transaction does. It takes the lock of the store's counter row, which is held only
until the commit that follows: taken first it would let one order at a time through a store.
"""

import datetime
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection, transaction
from django.utils import timezone

from tableorder import json
from tableorder.statements import Bound, as_one, insert, together

from . import wakeup
from .models import Event, Journal


@dataclass(frozen=True)
class NewEvent:
    type: str
    data: dict
    table_id: uuid.UUID | None = None


@dataclass(frozen=True)
class Turn:
    """What one turn of the counter row gave."""

    last_number: int
    order_day: datetime.date | None
    order_number: int
    menu_version: int


def turn(store_id, *before: Bound, events: int, order_day: datetime.date | None = None, menu_changed: bool = False) -> Turn:
    """Takes the next `events` numbers, an order number if it is for an order, and a menu version if that changed.

    `before`: what is to be written first, in the same round trip.

    An order number counts from 1 each business day. A day never goes back: if a store moves its clock, the
    numbers of the later day go on, so that none is given twice.
    """
    day = "CASE WHEN order_day IS NULL OR order_day < %s THEN %s ELSE order_day END" if order_day else "order_day"
    number = "CASE WHEN order_day IS NULL OR order_day < %s THEN 1 ELSE last_order_number + 1 END" if order_day else "last_order_number"
    returning = "last_number, order_day, last_order_number, menu_version"
    # MySQL works assignments off from left to right with the new values: order_day must come after its readers.
    update = (
        f"UPDATE stores_journal SET last_number = last_number + %s, menu_version = menu_version + %s, "
        f"last_order_number = {number}, order_day = {day} WHERE store_id = %s"
    )
    key = Journal._meta.pk.get_db_prep_value(store_id, connection)
    params = [events, int(menu_changed), *[order_day] * (3 if order_day else 0), key]
    if connection.vendor == "mysql":  # no UPDATE ... RETURNING; the row is ours until the commit
        taking = [Bound(update, params), Bound(f"SELECT {returning} FROM stores_journal WHERE store_id = %s", [key])]
    else:
        taking = [Bound(f"{update} RETURNING {returning}", params)]
    *_, [row] = together(*before, *taking)
    last_number, day, order_number, menu_version = row
    return Turn(last_number, Journal._meta.get_field("order_day").to_python(day), order_number, menu_version)


def write(store_id, taken: Turn, *events: NewEvent, beside: Iterable[Bound | None] = (), commit: bool = False):
    """Writes the events under the numbers of a turn that was taken for exactly so many, and `beside` with them.

    With `commit` this must be the last that the transaction says: it may end with it.
    """
    at = timezone.now()
    first = taken.last_number - len(events) + 1
    rows = [
        Event(
            store_id=store_id,
            number=number,
            type=event.type,
            table_id=event.table_id,
            at=at,
            body=json.dumps(
                {
                    "number": number,
                    "type": event.type,
                    "store": str(store_id),
                    "table": str(event.table_id) if event.table_id else None,
                    "at": at.isoformat(),
                    "data": event.data,
                }
            ),
        )
        for number, event in enumerate(events, start=first)
    ]
    together(*as_one(*beside, insert(*rows)), commit=commit)
    transaction.on_commit(lambda: wakeup.announce(store_id))


def record(store_id, *events: NewEvent):
    """Writes what happened, in the transaction in which it happened, as its last step."""
    write(store_id, turn(store_id, events=len(events)), *events)


def menu_changed(store_id):
    """The menu has a new version: tablets read it again."""
    taken = turn(store_id, events=1, menu_changed=True)
    write(store_id, taken, NewEvent("menu.changed", {"version": taken.menu_version}))
