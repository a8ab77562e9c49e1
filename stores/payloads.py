"""What stores, tables and people look like on the wire: in answers and in the journal."""

from .models import Membership, Store, Table


def store_payload(store: Store) -> dict:
    return {
        "id": str(store.pk),
        "code": store.code,
        "name": store.name,
        "currency": store.currency,
        "timezone": store.timezone,
        "steps": store.steps,
    }


def table_payload(table: Table) -> dict:
    return {"id": str(table.pk), "number": table.number, "is_active": table.is_active, "version": table.version}


def table_reference(table: Table) -> dict:
    """How other objects name their table."""
    return {"id": str(table.pk), "number": table.number}


def staff_payload(membership: Membership) -> dict:
    user = membership.user
    return {"id": str(user.pk), "username": user.username, "name": user.name, "role": membership.role}


def moment(at) -> str | None:
    """ISO 8601 with offset."""
    return at.isoformat() if at else None
