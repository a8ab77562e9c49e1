"""Parties and their calls. A session begins in `orders/services.py`, with an order, and is completed in `orders/kitchen.py`."""

from django.utils import timezone

from stores import journal
from stores.models import Table, User
from tableorder.transactions import whole

from .models import ServiceCall, TableSession
from .payloads import call_payload, session_payload


@whole
def expire_session(session: TableSession) -> TableSession:
    """Marks a session that has run out: no more orders, unsettled on the board until staff complete it.

    Does nothing if meanwhile it has been completed, expired or ordered in.
    """
    Table.objects.lock(session.table_id)
    session = TableSession.objects.select_related("table", "store").get(pk=session.pk)
    if session.has_run_out(timezone.now()):
        journal.record(session.store_id, mark_expired(session))
    return session


def mark_expired(session: TableSession) -> journal.NewEvent:
    """Part of a change that holds the table's lock and records the event that this returns."""
    session.state = TableSession.State.EXPIRED
    session.save(update_fields=["state"])
    return session_event("session.expired", session)


def session_event(type: str, session: TableSession, *, for_tablet: bool = True) -> journal.NewEvent:
    return journal.NewEvent(type, session_payload(session) | {"total": session.total}, session.table_id, for_tablet)


def expire_run_out_sessions() -> int:
    """Marks all sessions that have run out, each in its own transaction. Returns how many."""
    run_out = list(TableSession.objects.run_out(timezone.now()))
    return sum(expire_session(session).state == TableSession.State.EXPIRED for session in run_out)


def active_session(table: Table) -> TableSession | None:
    """The session that takes this table's orders now; one that has run out is marked on the way."""
    session = TableSession.objects.active_at(table).first()
    if session is not None and session.has_run_out(timezone.now()):
        expire_session(session)
        return None
    return session


@whole
def open_call(table: Table, *, kind: str) -> tuple[ServiceCall, bool]:
    """(the call, whether it is new): one that is still open is not doubled by a second tap."""
    table = Table.objects.in_store(table.store).lock(table.pk)
    call = ServiceCall.objects.open().filter(table=table, kind=kind).first()
    if call is not None:
        call.table = table
        return call, False
    call = ServiceCall.objects.create(store_id=table.store_id, table=table, kind=kind)
    journal.record(table.store_id, call_event("call.opened", call))
    return call, True


@whole
def resolve_call(call: ServiceCall, *, actor: User | None) -> ServiceCall:
    """Somebody has taken it. A call that is resolved stays as it is."""
    table = Table.objects.in_store(call.store_id).lock(call.table_id)
    call = ServiceCall.objects.get(pk=call.pk)
    call.table = table
    if call.state == ServiceCall.State.OPEN:
        journal.record(call.store_id, close_call(call, actor=actor))
    return call


def close_call(call: ServiceCall, *, actor: User | None) -> journal.NewEvent:
    """Part of a change that holds the table's lock and records the event that this returns."""
    call.state = ServiceCall.State.RESOLVED
    call.resolved_at = timezone.now()
    call.resolved_by = actor
    call.save(update_fields=["state", "resolved_at", "resolved_by"])
    return call_event("call.resolved", call)


def call_event(type: str, call: ServiceCall) -> journal.NewEvent:
    return journal.NewEvent(type, call_payload(call), table_id=call.table_id)
