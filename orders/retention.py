"""What is removed when it is old enough. An unsettled bill never is."""

import calendar
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db.models import Max, QuerySet

from sessions_app.models import ServiceCall, TableSession
from stores.models import AuditEntry, Counters, Event, LoginAttempts, StaffToken, TabletLogin
from stores.relay import relayed
from tableorder.transactions import whole

from .models import Cancellation, Order, OrderLine, OrderLineOption

# Rows a transaction: short enough that no order waits for it noticeably.
BATCH = 500
SESSION_BATCH = 50

# An address that has signed in stays known for so long: longer than a season's closing.
KNOWN_ADDRESS = timedelta(days=180)


@dataclass(frozen=True)
class Old:
    """Some rows that are past their time, and how a batch of them goes."""

    name: str
    rows: QuerySet
    remove: Callable[[list], None]
    batch: int = BATCH

    def purge(self) -> Iterator[int]:
        """Removes all of them, a batch a transaction; yields how many each took.

        Once through the table by its key: a search from its beginning would pass by everything that is gone or stays,
        with every batch anew. Several machines do so in the same minutes of the night, and may wait for each other.
        """
        ids = self._after(None)
        while ids:
            whole(self.remove)(ids)
            yield len(ids)
            ids = self._after(ids[-1])

    def _after(self, last) -> list:
        rows = self.rows if last is None else self.rows.filter(pk__gt=last)
        return list(rows.order_by("pk").values_list("pk", flat=True)[: self.batch])


def months_before(now: datetime, months: int) -> datetime:
    """The same day of an earlier month, or its last day."""
    years, month = divmod(now.year * 12 + now.month - 1 - months, 12)
    return now.replace(year=years, month=month + 1, day=min(now.day, calendar.monthrange(years, month + 1)[1]))


def what_is_old(now: datetime) -> list[Old]:
    """Everything that may go, children before parents."""
    history_end = months_before(now, settings.HISTORY_RETENTION_MONTHS)
    journal_end = now - timedelta(days=settings.JOURNAL_RETENTION_DAYS)
    attempts = LoginAttempts.objects
    return [
        Old(
            "sessions with their orders",
            TableSession.objects.completed().filter(completed_at__lt=history_end),
            _remove_sessions,
            SESSION_BATCH,
        ),
        _old("service calls", ServiceCall.objects.filter(state=ServiceCall.State.RESOLVED, resolved_at__lt=history_end)),
        _old("audit entries", AuditEntry.objects.filter(at__lt=history_end)),
        # By their ids, which within a store come as their numbers do: both are given under the lock of its journal.
        Old("events", relayed(Event.objects.filter(at__lt=journal_end)), _remove_events),
        _old("admin log entries", LogEntry.objects.filter(action_time__lt=history_end)),
        _old("browsers' sessions", Session.objects.filter(expire_date__lt=now)),
        _old("staff tokens", StaffToken.objects.filter(expires_at__lt=now)),
        _old("tablet logins", TabletLogin.objects.filter(expires_at__lt=now)),
        _old("failed sign-ins", attempts.filter(last_at__lt=now - timedelta(days=1), succeeded_at=None)),
        _old("known addresses", attempts.filter(last_at__lt=now - KNOWN_ADDRESS)),
    ]


def _old(name, rows):
    return Old(name, rows, lambda ids: rows.filter(pk__in=ids).delete())  # that are still old: one may have been used meanwhile


def _remove_sessions(ids):
    # One statement a table. Left to Django's cascade every row would be fetched first.
    orders = Order.objects.filter(session__in=ids)
    lines = OrderLine.objects.filter(order__session__in=ids)
    for rows in (
        OrderLineOption.objects.filter(line__order__session__in=ids),
        Cancellation.objects.filter(line__order__session__in=ids),
        lines,
        orders,
        TableSession.objects.filter(pk__in=ids),
    ):
        rows.order_by()._raw_delete(rows.db)


def _remove_events(ids):
    """A store's events go from the oldest on, and the journal says up to where before they do.

    Otherwise a stream that resumes there would take the gap for silence instead of a reset.
    """
    events = Event.objects.filter(pk__in=ids)
    for store_id, last in sorted(events.order_by().values_list("store").annotate(Max("number"))):  # in one order, as everywhere
        Counters.objects.filter(pk=store_id, purged_number__lt=last).update(purged_number=last)
    events.delete()
