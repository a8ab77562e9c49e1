"""Completed sessions: the bills of the past."""

from datetime import date, timedelta

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from sessions_app.models import TableSession
from stores.models import Store
from stores.payloads import moment, table_reference
from tableorder.paging import invalid_parameter, page

from .payloads import orders_by_session

EARLIEST, LATEST = date(2000, 1, 1), date(9000, 1, 1)  # at the very ends of the calendar a day has no moment in UTC


def history_page(store: Store, params, *, table=None) -> dict:
    """A page of completed sessions, newest first, of one table or all; `from` and `to` are business dates."""
    sessions = TableSession.objects.in_store(store).completed().select_related("table")
    if table is not None:
        sessions = sessions.filter(table=table)
    first, last = _date(params, "from"), _date(params, "to")
    if first and last and last < first:
        raise invalid_parameter("to", _("The end lies before the beginning."))
    rows, cursor = page(completed_between(sessions, store, first, last), params, by=["completed_at", "id"], descending=True)
    orders = orders_by_session(rows)
    return {"results": [_entry(session, orders[str(session.pk)]) for session in rows], "next": cursor}


def _date(params, name):
    if name not in params:
        return None
    day = day_from(params[name])
    if day is None:
        raise invalid_parameter(name, _("A date like 2026-11-20."))
    return day


def day_from(text: str) -> date | None:
    """None for what is no date like 2026-11-20. One before or after all that may be stored is the first or the last of these."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return min(max(day, EARLIEST), LATEST) if str(day) == text else None  # Python also reads 20261120 and 2026-W47-5


def completed_between(sessions: QuerySet, store: Store, first: date | None, last: date | None) -> QuerySet:
    """Those completed from one business day to another, both included; None for no end."""
    return sessions.filter(**_bounds(store, first, last))


def completed_between_in_each(sessions: QuerySet, stores: QuerySet, first: date | None, last: date | None) -> QuerySet:
    """The same among the sessions of several stores: each counts to the business day of its own store."""
    if not (first or last):
        return sessions
    among, bounds = Q(pk__in=[]), []
    # Of a thousand stores nearly all have the same clock: a term for each store would be a query of a thousand terms.
    for zone, hour in stores.order_by().values_list("timezone", "day_starts_at").distinct():
        bounds.append(_bounds(Store(timezone=zone, day_starts_at=hour), first, last))
        among |= Q(store__timezone=zone, store__day_starts_at=hour, **bounds[-1])
    # Once more from the earliest to the latest of these moments: the index of the history can't be asked by an OR.
    widest = {name: extreme(each[name] for each in bounds) for name, extreme in _ENDS.items() if any(name in each for each in bounds)}
    return sessions.filter(among, **widest)


_ENDS = {"completed_at__gte": min, "completed_at__lt": max}


def _bounds(store, first, last):
    """As a filter's terms: the moments that the first business day begins at, and the one after the last."""
    begin = {"completed_at__gte": store.beginning_of(first)} if first else {}
    return begin | ({"completed_at__lt": store.beginning_of(last + timedelta(days=1))} if last else {})


def _entry(session, orders):
    return {
        "id": str(session.pk),
        "table": table_reference(session.table),
        "started_at": moment(session.started_at),
        "completed_at": moment(session.completed_at),
        "total": session.total,
        "orders": orders,
    }
