"""What the board shows: every table with its party, its unsettled bills and its calls.

A fixed number of statements, however many tables there are.
"""

from collections import defaultdict

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from sessions_app.models import ServiceCall, TableSession
from sessions_app.payloads import call_payload, session_payload
from sessions_app.services import expire_session
from stores.models import Store, Table
from stores.payloads import table_payload

from .models import Order
from .payloads import order_payload


def board_payload(store: Store) -> dict:
    """`store` carries its journal as it was before anything here is read: the snapshot is never older than its cursor."""
    sessions = defaultdict(list)
    for session in _sessions(store):
        sessions[session.table_id].append(session)
    orders = _orders_by_session(store)
    calls = defaultdict(list)
    for call in ServiceCall.objects.in_store(store).open().select_related("table").order_by("opened_at", "id"):
        calls[call.table_id].append(call_payload(call))
    return {
        "cursor": store.journal.last_number,
        "tables": [_table(table, sessions[table.pk], orders, calls[table.pk]) for table in _tables(store)],
    }


def party_payload(table: Table, session: TableSession | None) -> dict:
    """The present party at a table, for its own tablet."""
    orders = Order.objects.filter(session=session).with_lines().newest_first() if session else []
    return {
        "session": session and session_payload(session),
        "orders": [order_payload(order) for order in orders],
        "total": session.total if session else 0,
        "cursor": table.store.journal.last_number,
    }


def _tables(store):
    """Those in use, and those that were switched off with a bill or a call still open."""
    bills = TableSession.objects.on_the_board().filter(table=OuterRef("pk"))
    calls = ServiceCall.objects.open().filter(table=OuterRef("pk"))
    return Table.objects.in_store(store).filter(Q(is_active=True) | Q(Exists(bills)) | Q(Exists(calls))).in_reading_order()


def _sessions(store):
    """One that has run out since anybody looked is marked now: on the board it is unsettled."""
    sessions = list(TableSession.objects.in_store(store).on_the_board().order_by("started_at", "id"))
    now = timezone.now()
    return [expire_session(session) if session.has_run_out(now) else session for session in sessions]


def _orders_by_session(store):
    found = defaultdict(list)
    on_board = [TableSession.State.ACTIVE, TableSession.State.EXPIRED]
    for order in Order.objects.in_store(store).filter(session__state__in=on_board).with_lines().newest_first():
        found[order.session_id].append(order_payload(order))
    return found


def _table(table, sessions, orders, calls):
    active = next((session for session in sessions if session.state == TableSession.State.ACTIVE), None)
    # With its version: events tell about the table too, and one that was switched off goes when its last bill is settled.
    return table_payload(table) | {
        "session": active and session_payload(active),
        "total": active.total if active else 0,
        "orders": orders[active.pk] if active else [],
        "unsettled": [
            {"session": session_payload(session), "total": session.total, "orders": orders[session.pk]}
            for session in sessions
            if session.state == TableSession.State.EXPIRED
        ],
        "calls": calls,
    }
