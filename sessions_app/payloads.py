"""What sessions and calls look like on the wire: in answers and in the journal."""

from django.utils import timezone

from stores.payloads import moment, table_reference

from .models import ServiceCall, TableSession


def session_payload(session: TableSession) -> dict:
    return {
        "id": str(session.pk),
        "state": session.state,
        "started_at": moment(session.started_at),
        "expires_at": moment(session.expires_at),
        "completed_at": moment(session.completed_at),
        "ordering_open": session.takes_orders(timezone.now()),
    }


def call_payload(call: ServiceCall) -> dict:
    return {
        "id": str(call.pk),
        "kind": call.kind,
        "table": table_reference(call.table),
        "state": call.state,
        "opened_at": moment(call.opened_at),
        "resolved_at": moment(call.resolved_at),
    }
