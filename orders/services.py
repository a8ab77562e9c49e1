"""How an order is placed. What staff do with it afterwards: `kitchen.py`.

Every change of orders takes its locks in one order: the table's row (so that all that concerns one party happens one
after the other), then the items with a stock by id, on MySQL then what else the order names of the menu (a change that
takes all dishes by id may cross these two, and one of them is tried again), last the store's counter row. The table is
always locked, not its session: that is one rule for orders, cancellations, calls and completion, and a table has few
writers at a time.
"""

import hashlib
import uuid
from dataclasses import dataclass

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from sessions_app.models import TableSession
from sessions_app.payloads import session_payload
from sessions_app.services import mark_expired, session_event
from stores import journal
from stores.journal import NewEvent
from stores.models import Store, Table
from tableorder import json, metrics
from tableorder.errors import Absent
from tableorder.statements import as_one, insert, new, together
from tableorder.transactions import whole

from . import statements
from .errors import EmptyOrder, IdempotencyKeyReused, PriceChanged, SessionChanged
from .menu import hold, offer, offered
from .models import Order, OrderLine, OrderLineOption
from .payloads import numbers, order_payload, placed_payload, quote_payload
from .pricing import NewLine, PricedLine, price
from .stock import lock_stock, taking

NOT_SAID = object()  # `session` may be null, which means "none yet", or not be said at all


@dataclass(frozen=True)
class NewOrder:
    """What a tablet asks for."""

    lines: tuple[NewLine, ...]
    note: str = ""
    expected_total: int | None = None
    session: uuid.UUID | None | object = NOT_SAID

    def fingerprint(self, table: Table) -> str:
        """The same for the same content from the same table, and only then."""
        session = "not said" if self.session is NOT_SAID else self.session
        lines = [[line.item, line.quantity, line.options, line.note] for line in self.lines]
        content = [table.pk, session, self.expected_total, self.note, lines]
        return hashlib.sha256(json.dumps(content)).hexdigest()


def quote(store: Store, *, lines: tuple[NewLine, ...]) -> list[PricedLine]:
    """What these lines would cost now. Stores nothing."""
    if not lines:
        raise EmptyOrder()
    [rows] = together(offer(store, {line.item for line in lines}))
    return price(lines, offered(rows))


def place_order(table: Table, *, asked: NewOrder, key: str) -> tuple[dict, bool]:
    """(the Order's payload, whether it is new). The key makes a repeated call the same order.

    Raises what `pricing.price` raises, SessionChanged, PriceChanged, and IdempotencyKeyReused. Nothing is stored
    then, and the key stays free.
    """
    if not asked.lines:
        raise EmptyOrder()
    digest = hashlib.sha256(key.encode()).hexdigest()
    fingerprint = asked.fingerprint(table)
    try:
        return _place(table, asked, digest, fingerprint)
    except IntegrityError:
        # The same key from another table at the same moment: it does not wait for our table's lock, the unique
        # constraint stopped it, and by now the winner can be seen.
        first = Order.objects.in_store(table.store).with_lines().filter(idempotency_key=digest).first()
        if first is None:
            raise
        return _replay(first, fingerprint), False


@whole
def _place(table, asked, digest, fingerprint):
    store = table.store
    # In one round trip, but not in one statement: one that waits for a lock sees other rows as they were before it waited.
    locked, parties, menu = together(
        statements.locked_table.given(store=store.pk, table=table.pk),
        statements.party.given(table=table.pk, key=digest),
        offer(store, {line.item for line in asked.lines}),
    )
    if not locked:
        raise Absent()
    session, first = _party_and_first_order(table, *parties)
    if first is not None:
        return _replay(first, fingerprint), False
    now = timezone.now()
    events = []
    if session is not None and session.has_run_out(now):
        events.append(mark_expired(session))
        session = None
    _refuse_another_party(asked, session)

    priced = price(asked.lines, offered(menu))
    total = sum(line.total for line in priced)
    if asked.expected_total is not None and asked.expected_total != total:
        raise PriceChanged(**quote_payload(priced))
    taken_stock = lock_stock(priced)
    hold(priced, locked=taken_stock)

    is_first = session is None
    if is_first:
        session = TableSession(store=store, table=table, started_at=now, last_order_at=now)
    session.last_order_at = max(session.last_order_at, now)  # the clock of another machine may be a little ahead
    session.total += total
    order = new(
        Order,
        store_id=store.pk,
        table_id=table.pk,
        session_id=session.pk,
        idempotency_key=digest,
        fingerprint=fingerprint,
        total=total,
        currency=store.currency,
        note=asked.note,
        placed_at=now,
    )
    lines = _lines(order, priced, taken_stock)
    if is_first:
        bill = insert(TableSession, session)
        events.append(session_event("session.started", session))
    else:
        bill = statements.bill.given(session=session.pk, last_order_at=session.last_order_at, total=session.total)
    placed = placed_payload(order, table, lines)
    events.append(NewEvent("order.placed", placed | journal.ORDER, table.pk))
    if taken_stock:
        events.append(journal.MENU_CHANGED)
    transaction.on_commit(metrics.orders.inc, robust=True)
    given = journal.record(
        store.pk,
        *events,
        before=as_one(taking(taken_stock), bill),
        # After the counter row, so that the order has its number: to change a number that stands in an index is to write
        # the whole row again, into each of its seven indexes.
        beside=[
            insert(Order, order, source=journal.counter(store.pk), business_day=journal.DAY, number=journal.NUMBER),
            insert(OrderLine, *(line for line, _ in lines)),
            insert(OrderLineOption, *(option for _, options in lines for option in options)),
        ],
        order_day=store.business_day(now),
        commit=True,
    )
    return placed | numbers(*given), True


def _party_and_first_order(table, row):
    """(the table's active session or None, the order that this key already placed or None)"""
    *party, first_id = row
    session = None
    if party[0] is not None:
        session = TableSession.from_db(connection.alias, statements.PARTY, party)
        session.store, session.table = table.store, table
    return session, first_id and Order.objects.with_lines().get(pk=first_id)


def _replay(first, fingerprint):
    if first.fingerprint != fingerprint:
        raise IdempotencyKeyReused()
    return order_payload(first)


def _refuse_another_party(asked, session):
    """An order left in a queue by one party must not land on the bill of the next."""
    if asked.session is not NOT_SAID and asked.session != (session and session.pk):
        raise SessionChanged(session=session and session_payload(session))


def _lines(order, priced, taken_stock):
    """[(line, its options)], not yet written."""
    lines = []
    for position, asked in enumerate(priced):
        line = new(
            OrderLine,
            order_id=order.id,
            position=position,
            item_id=asked.item.id,
            name=asked.item.name,
            unit_price=asked.unit_price,
            quantity=asked.quantity,
            note=asked.note,
            took_stock=asked.item.id in taken_stock,
        )
        chosen = [
            new(OrderLineOption, line_id=line.id, option_id=option.id, name=option.name, price_delta=option.price_delta)
            for option in asked.options
        ]
        lines.append((line, chosen))
    return lines
