"""The only writers of orders.

Every change takes its locks in one order: the table's row (so that all that concerns one party happens one after
the other), then items by id, last the store's counter row. The table is always locked, not its session: that is
one rule for orders, cancellations, calls and completion, and a table has few writers at a time.
"""

import hashlib
import uuid
from dataclasses import asdict, dataclass
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Case, F, FilteredRelation, OuterRef, Q, Subquery, When
from django.utils import timezone

from menus.models import Item
from sessions_app.models import TableSession
from sessions_app.payloads import session_payload
from sessions_app.services import mark_expired, session_event
from stores import journal
from stores.journal import NewEvent
from stores.models import Store, Table
from tableorder import json, metrics
from tableorder.transactions import whole

from .errors import EmptyOrder, IdempotencyKeyReused, PriceChanged, SessionChanged, SoldOut
from .menu import offered_items
from .models import Order, OrderLine, OrderLineOption
from .payloads import order_payload, quote_payload
from .pricing import NewLine, PricedLine, asked_quantities, price

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
        content = asdict(self) | {"table": table.pk, "session": "not said" if self.session is NOT_SAID else self.session}
        return hashlib.sha256(json.dumps(_plain(content)).encode()).hexdigest()


def _plain(value):
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    return str(value) if isinstance(value, uuid.UUID) else value


def quote(store: Store, *, lines: tuple[NewLine, ...]) -> list[PricedLine]:
    """What these lines would cost now. Stores nothing."""
    if not lines:
        raise EmptyOrder()
    return price(lines, offered_items(store, {line.item for line in lines}))


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
        first = Order.objects.in_store(table.store).filter(idempotency_key=digest).first()
        if first is None:
            raise
        return _replay(first, fingerprint), False


@whole
def _place(table, asked, digest, fingerprint):
    store = table.store
    Table.objects.in_store(store).lock(table.pk)
    session, first = _party_and_first_order(table, digest)
    if first is not None:
        return _replay(first, fingerprint), False
    now = timezone.now()
    events = []
    if session is not None and session.has_run_out(now):
        events.append(mark_expired(session))
        session = None
    _refuse_another_party(asked, session)

    priced = quote(store, lines=asked.lines)
    total = sum(line.total for line in priced)
    if asked.expected_total is not None and asked.expected_total != total:
        raise PriceChanged(**quote_payload(priced))
    took_stock = _take_stock(priced)

    is_first = session is None
    if is_first:
        session = TableSession(store=store, table=table, started_at=now, last_order_at=now)
    session.last_order_at = max(session.last_order_at, now)  # the clock of another machine may be a little ahead
    session.total += total
    session.save(force_insert=is_first, update_fields=None if is_first else ["last_order_at", "total"])
    order = Order(
        store=store,
        table=table,
        session=session,
        idempotency_key=digest,
        fingerprint=fingerprint,
        total=total,
        currency=store.currency,
        note=asked.note,
        placed_at=now,
    )
    order.save(force_insert=True)
    lines = _write_lines(order, priced, took_stock)

    # From here on other orders of this store wait.
    taken = journal.turn(
        store.pk,
        events=len(events) + is_first + 1 + bool(took_stock),
        order_day=business_day(store, now),
        menu_changed=bool(took_stock),
    )
    order.business_day, order.number = taken.order_day, taken.order_number
    order.save(update_fields=["business_day", "number"])
    payload = order_payload(order, lines)
    if is_first:
        events.append(session_event("session.started", session))
    events.append(NewEvent("order.placed", payload, table.pk))
    if took_stock:
        events.append(NewEvent("menu.changed", {"version": taken.menu_version}))
    journal.write(store.pk, taken, *events)
    transaction.on_commit(metrics.orders.inc, robust=True)
    return payload, True


def _party_and_first_order(table, digest):
    """(the table's active session or None, the order that this key already placed or None), in one statement.

    Read after the lock, in a statement of its own: one that waits for a lock sees the other rows as they were
    before it waited.
    """
    fields = ["id", "state", "started_at", "last_order_at", "completed_at", "total"]
    first = Order.objects.filter(store=OuterRef("store"), idempotency_key=digest).order_by()
    *party, first_id = (
        Table.objects.filter(pk=table.pk)
        .order_by()
        .annotate(party=FilteredRelation("sessions", condition=Q(sessions__state=TableSession.State.ACTIVE)))
        .values_list(*(f"party__{field}" for field in fields), Subquery(first.values("pk")))
        .get()
    )
    session = None
    if party[0] is not None:
        session = TableSession.from_db(None, fields, party)
        session.store, session.table = table.store, table
    return session, first_id and Order.objects.get(pk=first_id)


def _replay(first, fingerprint):
    if first.fingerprint != fingerprint:
        raise IdempotencyKeyReused()
    return order_payload(Order.objects.with_lines().get(pk=first.pk))


def _refuse_another_party(asked, session):
    """An order left in a queue by one party must not land on the bill of the next."""
    if asked.session is not NOT_SAID and asked.session != (session and session.pk):
        raise SessionChanged(session=session and session_payload(session))


def _take_stock(priced) -> set[uuid.UUID]:
    """Takes the portions of counted items and returns those items. Raises SoldOut.

    The rows are locked in the order of their ids: two orders with the same items the other way round would
    otherwise wait for each other.
    """
    asked = asked_quantities(priced)
    counted = [line.item.id for line in priced if line.item.stock is not None]
    if not counted:
        return set()
    rows = Item.objects.filter(pk__in=counted, stock__isnull=False).order_by("pk").select_for_update()
    stock = {item.pk: item.stock for item in rows.only("stock")}
    short = [id for id, left in stock.items() if left < asked[id]]
    if short:
        raise SoldOut(
            lines=[
                {"line": position, "item": str(line.item.id), "name": line.item.name, "available": stock[line.item.id], "options": []}
                for position, line in enumerate(priced)
                if line.item.id in short
            ]
        )
    add_to_stock({id: -asked[id] for id in stock})
    return set(stock)


def add_to_stock(portions: dict[uuid.UUID, int]):
    """One statement for all of them; the rows must be locked already."""
    if portions:
        change = Case(*(When(pk=id, then=F("stock") + count) for id, count in portions.items()))
        Item.objects.filter(pk__in=portions, stock__isnull=False).update(stock=change)


def _write_lines(order, priced, took_stock):
    lines = [
        OrderLine(
            order=order,
            position=position,
            item_id=line.item.id,
            name=line.item.name,
            unit_price=line.unit_price,
            quantity=line.quantity,
            note=line.note,
            took_stock=line.item.id in took_stock,
        )
        for position, line in enumerate(priced)
    ]
    chosen = [
        [OrderLineOption(line=line, option_id=option.id, name=option.name, price_delta=option.price_delta) for option in source.options]
        for line, source in zip(lines, priced, strict=True)
    ]
    OrderLine.objects.bulk_create(lines)
    OrderLineOption.objects.bulk_create([option for options in chosen for option in options])
    return list(zip(lines, chosen, strict=True))


def business_day(store: Store, at):
    """The day an order counts to: what comes before the store's first hour belongs to the evening before."""
    return (at.astimezone(store.zone).replace(tzinfo=None) - timedelta(hours=store.day_starts_at)).date()
