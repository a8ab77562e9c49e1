"""What the board shows: every table with its party, its unsettled bills and its calls.

A fixed number of statements, however many tables there are.
"""

from collections import defaultdict
from threading import Lock

from cachetools import LRUCache, cached
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from sessions_app.models import ServiceCall, TableSession
from sessions_app.payloads import call_payload, session_payload
from sessions_app.services import expire_session
from stores.models import Store, Table
from stores.payloads import table_payload
from tableorder import json

from .models import Order
from .payloads import order_payloads, orders_by_session

KEPT_FOR = 30  # seconds, should a database be put back from a backup and count its events anew
KEPT = 8_000_000  # bytes of boards; one with 100 open orders has 100,000


def rendered_board(store: Store) -> bytes:
    """The board as JSON, rendered once: whatever changes it is an event, but for the end of a session by the clock."""
    now = timezone.now()
    board, holds_until = _rendered(store, store.mark, store.counters.last_number, now.timestamp() // KEPT_FOR)
    return board if holds_until is None or now < holds_until else _render(store)[0]


@cached(LRUCache(maxsize=KEPT, getsizeof=lambda kept: len(kept[0])), lock=Lock())
def _rendered(store, mark, number, time_slot):
    return _render(store)


def _render(store):
    on_board = _sessions(store)
    ends = [session.expires_at for session in on_board if session.state == TableSession.State.ACTIVE and session.expires_at]
    return json.dumps(board_payload(store, on_board)), min(ends, default=None)


def board_payload(store: Store, on_board: list[TableSession]) -> dict:
    """`store` carries its counters as they were before anything here is read: the snapshot is never older than its cursor."""
    sessions = defaultdict(list)
    for session in on_board:
        sessions[session.table_id].append(session)
    orders = orders_by_session(on_board)
    calls = defaultdict(list)
    for call in ServiceCall.objects.in_store(store).open().select_related("table").order_by("opened_at", "id"):
        calls[call.table_id].append(call_payload(call))
    return {
        "cursor": store.counters.last_number,
        "tables": [_table(table, sessions[table.pk], orders, calls[table.pk]) for table in _tables(store)],
    }


def party_payload(table: Table, session: TableSession | None) -> dict:
    """The present party at a table, for its own tablet."""
    orders = Order.objects.filter(session=session).newest_first().as_rows() if session else []
    return _bill(session, order_payloads(orders)) | {"cursor": table.store.counters.last_number}


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


def _table(table, sessions, orders, calls):
    active = next((session for session in sessions if session.state == TableSession.State.ACTIVE), None)
    unsettled = [session for session in sessions if session.state == TableSession.State.EXPIRED]
    # With its version: events tell about the table too, and one that was switched off goes when its last bill is settled.
    return (
        table_payload(table)
        | _bill(active, orders[str(active.pk)] if active else [])
        | {"unsettled": [_bill(session, orders[str(session.pk)]) for session in unsettled], "calls": calls}
    )


def _bill(session, orders):
    # Not the session's own total: it was read a moment before the orders.
    return {"session": session and session_payload(session), "orders": orders, "total": sum(order["total"] for order in orders)}
