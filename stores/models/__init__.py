"""Who there is (stores, people, tables) and what happened (the store's journal, the audit)."""

from .audit import AuditEntry
from .journal import Counters, Event, RelayCursor, SetAsideEvent
from .logins import LoginAttempts, StaffToken, TabletLogin
from .people import Membership, MembershipQuerySet, User, UserManager
from .places import TABLE_PASSWORD, Store, StoreQuerySet, Table, TableQuerySet, validate_timezone

__all__ = [
    "TABLE_PASSWORD",
    "AuditEntry",
    "Counters",
    "Event",
    "LoginAttempts",
    "Membership",
    "MembershipQuerySet",
    "RelayCursor",
    "SetAsideEvent",
    "StaffToken",
    "Store",
    "StoreQuerySet",
    "Table",
    "TableQuerySet",
    "TabletLogin",
    "User",
    "UserManager",
    "validate_timezone",
]
