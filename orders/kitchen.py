"""What staff do with orders: move them through the kitchen, cancel, complete a table."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from sessions_app.models import ServiceCall, TableSession
from sessions_app.services import close_call, session_event
from stores import audit, journal
from stores.journal import NewEvent
from stores.models import Table, User
from tableorder import metrics
from tableorder.errors import Absent, Forbidden, Malformed
from tableorder.transactions import whole

from .errors import IllegalTransition, NoActiveSession, OrdersUnfinished, VersionConflict
from .models import FINISHED, NEXT, PROGRESS, Cancellation, Order, OrderLine, Status
from .payloads import order_payload, unfinished_payload
from .stock import give_back


@dataclass(frozen=True)
class CancelledLine:
    """So many of a line to be cancelled."""

    line: uuid.UUID
    quantity: int


@whole
def move_order(order: Order, *, status: str, version: int | None, actor: User | None) -> Order:
    """Moves all live lines that are not that far yet. Raises VersionConflict, IllegalTransition."""
    order = _locked(order)
    if order.status == status:
        return order
    _require_version(order, version)
    behind = [line for line in order.lines.all() if _is_behind(line, status)]
    if not behind or any(_next(order, line) != status for line in behind):
        raise IllegalTransition(current=order_payload(order))
    return _move(order, behind, status, actor)


@whole
def move_line(order: Order, *, line_id: uuid.UUID, status: str, version: int | None, actor: User | None) -> Order:
    """Moves one line a step. Raises Absent, VersionConflict, IllegalTransition."""
    order = _locked(order)
    line = next((line for line in order.lines.all() if line.pk == line_id), None)
    if line is None:
        raise Absent()
    if line.status == status:
        return order
    _require_version(order, version)
    if _next(order, line) != status:
        raise IllegalTransition(current=order_payload(order))
    return _move(order, [line], status, actor)


def _is_behind(line, status):
    return line.status in PROGRESS and status in PROGRESS and PROGRESS.index(line.status) < PROGRESS.index(status)


def _next(order, line):
    """The state that may follow; none once the session is completed: that bill is history."""
    if order.session.state == TableSession.State.COMPLETED:
        return None
    return NEXT[order.store.steps].get(line.status)


def _move(order, lines, status, actor):
    for line in lines:
        line.status = status
    OrderLine.objects.bulk_update(lines, ["status"])
    _save(order)
    audit.note(order.store, f"order.{status}", order.order_number, actor=actor, order=str(order.pk), lines=[str(line.pk) for line in lines])
    journal.record(order.store_id, _event("order.changed", order))
    return order


@whole
def cancel_order(
    order: Order,
    *,
    reason: str,
    version: int | None,
    lines: Sequence[CancelledLine] | None = None,
    actor: User | None,
    is_owner: bool,
) -> Order:
    """Cancels all that is live, or so many of some lines; portions go back to the stock once.

    What is ready or served only an owner may cancel. Raises Absent, Malformed, Forbidden, VersionConflict,
    IllegalTransition (less is left of a line, or the bill is history). What is cancelled already stays as it is.
    """
    order = _locked(order)
    by_id = {line.pk: line for line in order.lines.all()}
    if lines is None:
        lines = [CancelledLine(line.pk, line.live_quantity) for line in by_id.values() if line.live_quantity]
    if any(asked.line not in by_id for asked in lines):
        raise Absent()
    if all(by_id[asked.line].status == Status.CANCELLED for asked in lines):
        return order
    _require_version(order, version)
    if not is_owner and any(by_id[asked.line].status in (Status.READY, Status.SERVED) for asked in lines):
        raise Forbidden(_("Only an owner may cancel what is ready or served."))
    if order.session.state == TableSession.State.COMPLETED or any(asked.quantity > by_id[asked.line].live_quantity for asked in lines):
        raise IllegalTransition(current=order_payload(order))

    was = order.total
    now = timezone.now()
    portions: dict[uuid.UUID, int] = {}
    for asked in lines:
        line = by_id[asked.line]
        line.cancelled_quantity += asked.quantity
        if not line.live_quantity:
            line.status = Status.CANCELLED
        if line.took_stock:
            portions[line.item_id] = portions.get(line.item_id, 0) + asked.quantity
    OrderLine.objects.bulk_update([by_id[asked.line] for asked in lines], ["cancelled_quantity", "status"])
    Cancellation.objects.bulk_create(
        Cancellation(line=by_id[asked.line], quantity=asked.quantity, reason=reason, cancelled_by=actor, cancelled_at=now)
        for asked in lines
    )
    stock_changed = give_back(portions)
    _save(order)
    order.session.total -= was - order.total
    order.session.save(update_fields=["total"])
    audit.note(
        order.store,
        "order.cancelled",
        order.order_number,
        actor=actor,
        order=str(order.pk),
        amount=was - order.total,
        dishes=[f"{by_id[asked.line].name} × {asked.quantity}" for asked in lines],
        reason=reason,
        lines=[{"line": str(asked.line), "quantity": asked.quantity} for asked in lines],
    )
    type = "order.cancelled" if order.status == Status.CANCELLED else "order.changed"
    events = [_event(type, order)]
    if stock_changed:
        events.append(journal.MENU_CHANGED)
    journal.record(order.store_id, *events)
    transaction.on_commit(partial(metrics.order_lines_cancelled.inc, len(lines)), robust=True)
    return order


@dataclass(frozen=True)
class Completion:
    session: TableSession
    orders: list[Order]
    unfinished: list[OrderLine]


@whole
def complete_session(table: Table, *, session_id: uuid.UUID | None = None, force: bool = False, actor: User | None) -> Completion:
    """The party has paid and left: its bill becomes history, its open calls are resolved.

    Without `session_id`: the active session, else the oldest unsettled one. Raises Absent, NoActiveSession, and
    OrdersUnfinished unless `force`d. A session that is completed stays as it is.
    """
    table = Table.objects.in_store(table.store).lock(table.pk)
    session = _session_to_complete(table, session_id)
    orders = list(Order.objects.filter(session=session).with_lines().newest_first())
    unfinished = [line for order in orders for line in order.lines.all() if line.status not in FINISHED]
    if session.state == TableSession.State.COMPLETED:
        return Completion(session, orders, unfinished)
    if unfinished and not force:
        raise OrdersUnfinished(lines=[unfinished_payload(line) for line in unfinished])
    at_the_table = session.state == TableSession.State.ACTIVE
    session.state = TableSession.State.COMPLETED
    session.completed_at = timezone.now()
    session.completed_by = actor
    session.save(update_fields=["state", "completed_at", "completed_by"])
    calls = ServiceCall.objects.open().filter(table=table).select_related("table").order_by("opened_at")
    if TableSession.objects.active_at(table).exists():
        calls = []  # they are the present party's; settling an old bill beside it leaves them alone
    events = [close_call(call, actor=actor) for call in calls]
    audit.note(
        table.store,
        "session.completed",
        table.number,
        actor=actor,
        session=str(session.pk),
        total=session.total,
        unfinished=len(unfinished),
    )
    journal.record(table.store_id, *events, session_event("session.completed", session, for_tablet=at_the_table))
    return Completion(session, orders, unfinished)


def _session_to_complete(table, session_id):
    sessions = TableSession.objects.filter(table=table).select_related("store")
    if session_id is not None:
        return sessions.in_store(table.store).get_or_absent(session_id)
    session = sessions.active_at(table).first()
    if session is None or session.has_run_out(timezone.now()):
        session = sessions.on_the_board().order_by("started_at", "id").first()
    if session is None:
        raise NoActiveSession()
    return session


def _locked(order: Order) -> Order:
    """The order as it is now, with its lines, under its table's lock."""
    Table.objects.in_store(order.store_id).lock(order.table_id)
    return Order.objects.with_lines().select_related("table", "store", "session").get(pk=order.pk)


def _require_version(order, version):
    if version is None:
        raise Malformed(errors=[{"pointer": "/version", "code": "REQUIRED", "detail": _("This field is required.")}])
    if version != order.version:
        raise VersionConflict(current=order_payload(order))


def _event(type, order) -> NewEvent:
    """The tablet doesn't hear of what an earlier party has left unsettled: another may sit there now."""
    return NewEvent(type, order_payload(order), order.table_id, for_tablet=order.session.takes_orders(timezone.now()))


def _save(order):
    """Writes what follows from the lines: the order's state and total, and that it has changed."""
    lines = order.lines.all()
    live = [PROGRESS.index(line.status) for line in lines if line.status != Status.CANCELLED]
    order.status = PROGRESS[min(live)] if live else Status.CANCELLED
    order.total = sum(line.total for line in lines)
    order.version += 1
    order.save(update_fields=["status", "total", "version"])
