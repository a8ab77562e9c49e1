"""What must be true of the stored data, whatever has happened: written with every change, looked up here.

Each check is one statement for a handful of stores, and finds only what is broken: it sees one moment of the
database, so it raises no false alarm while the restaurant is open, and never holds a big table in memory.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db.models import BigIntegerField, Case, Count, F, IntegerField, Max, Min, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone

from sessions_app.models import TableSession
from stores.models import Counters, Event, Store

from .models import PROGRESS, Order, OrderLine, Status, order_number
from .retention import months_before

STORES_AT_ONCE = 20


@dataclass(frozen=True)
class Invariant:
    """A sentence that must hold, and how to find what breaks it: one line of text for each offender."""

    sentence: str
    find: Callable[[Sequence], Iterator[str]]  # takes ids of a handful of stores

    def offenders(self, stores: Sequence) -> Iterator[str]:
        """In any number of stores, given by their ids."""
        for start in range(0, len(stores), STORES_AT_ONCE):
            yield from self.find(stores[start : start + STORES_AT_ONCE])


def _each(rows: QuerySet) -> Iterator[dict]:
    # chunk_size also bounds what MySQL's and SQLite's drivers hold at once
    return rows.iterator(chunk_size=1000)


def _name(row, prefix="") -> str:
    day, number = row[f"{prefix}business_day"], row[f"{prefix}number"]
    name = row[f"{prefix}pk"] if number is None else order_number(day, number)
    return f"{row[f'{prefix}store__code']} order {name}"


ORDER_NAME = ["pk", "store__code", "business_day", "number"]

# --- Bills ------------------------------------------------------------------------------------------------------


def _order_totals(stores):
    price = Cast("lines__unit_price", BigIntegerField())  # PostgreSQL would multiply in 32 bits
    live = (F("lines__quantity") - F("lines__cancelled_quantity")) * price
    found = Order.objects.filter(store__in=stores).order_by().values(*ORDER_NAME, "total")
    for row in _each(found.annotate(real=Coalesce(Sum(live, output_field=BigIntegerField()), 0)).exclude(total=F("real"))):
        yield f"{_name(row)}: total {row['total']}, its lines come to {int(row['real'])}"


def _session_totals(stores):
    found = TableSession.objects.filter(store__in=stores).order_by().values("pk", "store__code", "table__number", "total")
    for row in _each(found.annotate(real=Coalesce(Sum("orders__total"), 0)).exclude(total=F("real"))):
        name = f"{row['store__code']} table {row['table__number']}, session {row['pk']}"
        yield f"{name}: total {row['total']}, its orders come to {int(row['real'])}"


def _cancellations(stores):
    names = ["order__pk", "order__store__code", "order__business_day", "order__number"]
    found = OrderLine.objects.filter(order__store__in=stores).order_by().values(*names, "position", "cancelled_quantity")
    for row in _each(found.annotate(real=Coalesce(Sum("cancellations__quantity"), 0)).exclude(cancelled_quantity=F("real"))):
        place = f"{_name(row, 'order__')}, line at {row['position']}"
        yield f"{place}: {row['cancelled_quantity']} cancelled, the audit has {int(row['real'])}"


# --- States -----------------------------------------------------------------------------------------------------


def _rank(field):
    """How far the kitchen is; cancelled comes last, so that the lowest rank of all lines is the order's."""
    steps = [When(**{field: status}, then=Value(place)) for place, status in enumerate(PROGRESS)]
    return Case(*steps, default=Value(len(PROGRESS)), output_field=IntegerField())


def _order_states(stores):
    found = Order.objects.filter(store__in=stores).order_by().values(*ORDER_NAME, "status").annotate(mine=_rank("status"))
    for row in _each(found.annotate(lowest=Min(_rank("lines__status"))).exclude(mine=F("lowest"))):
        expected = [*PROGRESS, Status.CANCELLED][row["lowest"]].value
        yield f"{_name(row)}: {row['status']}, its lines say {expected}"


def _active_sessions(stores):
    found = TableSession.objects.active().filter(store__in=stores).order_by().values("table", "store__code", "table__number")
    for row in _each(found.annotate(times=Count("pk")).filter(times__gt=1)):
        yield f"{row['store__code']} table {row['table__number']}: {row['times']} active sessions"


def _one_store(stores):
    found = Order.objects.filter(store__in=stores).order_by()
    strangers = ~Q(store=F("table__store")) | ~Q(store=F("session__store")) | ~Q(table=F("session__table"))
    for row in _each(found.filter(strangers).values(*ORDER_NAME)):
        yield f"{_name(row)}: its table or its session is another's"


# --- Numbers ----------------------------------------------------------------------------------------------------


def _first_whole_day(now: datetime) -> date:
    """From this business day on no order can have been purged.

    `purge_history` removes sessions that were completed before the end of retention, and an order is never placed
    after its session's completion. Two days for time zones, and for stores that moved their clock.
    """
    return months_before(now, settings.HISTORY_RETENTION_MONTHS).date() + timedelta(days=2)


def _repeated_numbers(stores):
    found = Order.objects.filter(store__in=stores).order_by()
    for row in _each(found.filter(Q(number=None) | Q(business_day=None)).values(*ORDER_NAME)):
        yield f"{_name(row)}: has no number"
    days = found.filter(number__isnull=False).values("store__code", "business_day", "number")
    for row in _each(days.annotate(times=Count("pk")).filter(times__gt=1)):
        yield f"{_name(row)}: given {row['times']} times"


def _missing_numbers(stores):
    days = Order.objects.filter(store__in=stores, business_day__gte=_first_whole_day(timezone.now())).order_by()
    days = days.values("store", "store__code", "business_day")
    days = days.annotate(times=Count("number", distinct=True), first=Min("number"), last=Max("number"))
    for row in _each(days.exclude(first=1, times=F("last"))):
        given = Order.objects.filter(store=row["store"], business_day=row["business_day"]).order_by("number")
        gap = _first_gap(given.values_list("number", flat=True), 1)
        yield f"{row['store__code']} {row['business_day']:%Y%m%d}: {row['times']} orders up to number {row['last']}, {gap:04d} is missing"


def _counters(stores):
    """An order number behind the counter belongs to an order that was acknowledged and is gone."""
    for store in Store.objects.filter(pk__in=stores, counters=None):
        yield f"{store.code}: has no counter row"
    today = Order.objects.filter(store=OuterRef("pk")).order_by()
    highest = today.filter(business_day=OuterRef("order_day")).values("store").annotate(highest=Max("number")).values("highest")
    latest = today.values("store").annotate(latest=Max("business_day")).values("latest")
    found = Counters.objects.filter(pk__in=stores).order_by().annotate(highest=Coalesce(Subquery(highest), 0), latest=Subquery(latest))
    lost = Q(order_day__gte=_first_whole_day(timezone.now()), last_order_number__gt=F("highest"))
    behind = Q(highest__gt=F("last_order_number")) | Q(latest__gt=F("order_day")) | Q(latest__isnull=False, order_day=None)
    ahead = Q(relay_cursor__number__gt=F("last_number"))
    columns = ["store__code", "order_day", "last_order_number", "highest", "latest", "last_number", "relay_cursor__number"]
    for row in _each(found.filter(lost | behind | ahead).values(*columns)):
        counter = f"the counter is at {row['last_order_number']} of {row['order_day']}, the event at {row['last_number']}"
        orders = f"orders go up to {row['highest']} of that day, the latest day is {row['latest']}"
        yield f"{row['store__code']}: {counter}; {orders}, the relay is at {row['relay_cursor__number']}"


def _journals(stores):
    """One that lies before `purged_number` is only late in going."""
    kept = Q(store__events__number__gt=F("purged_number"))
    found = Counters.objects.filter(pk__in=stores).order_by().values("pk", "store__code", "purged_number", "last_number")
    found = found.annotate(times=Count("store__events__number", filter=kept), last=Coalesce(Max("store__events__number"), 0))
    for row in _each(found.filter(~Q(times=F("last_number") - F("purged_number")) | Q(last__gt=F("last_number")))):
        first = row["purged_number"] + 1
        numbers = Event.objects.filter(store=row["pk"], number__gte=first).order_by("number")
        gap = _first_gap(numbers.values_list("number", flat=True), first)
        wrong = f"{gap} is missing" if gap <= row["last_number"] else f"there are events up to {row['last']}"
        yield f"{row['store__code']}: {row['times']} events where {first} to {row['last_number']} should be; {wrong}"


def _first_gap(numbers, first: int) -> int:
    """The first number from `first` on that isn't there; one after the last if none is missing."""
    expected = first
    for number in numbers.iterator(chunk_size=1000):
        if number > expected:
            break
        expected = number + 1
    return expected


INVARIANTS = [
    Invariant("An order's total is the sum of its live lines.", _order_totals),
    Invariant("An order is as far as the least advanced of its live lines.", _order_states),
    Invariant("A session's total is the sum of its orders.", _session_totals),
    Invariant("What is cancelled of a line is what its cancellations say.", _cancellations),
    Invariant("No order number is given twice in a store and business day.", _repeated_numbers),
    Invariant("Order numbers count from 1 without a gap.", _missing_numbers),
    Invariant("The counters stand where the last order does, and nothing is ahead of them.", _counters),
    Invariant("The journal has every event from where it was purged to its last number.", _journals),
    Invariant("A table has one active session at most.", _active_sessions),
    Invariant("An order, its table and its session are of one store.", _one_store),
]
