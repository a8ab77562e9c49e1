"""Lists in pages: `{"results": [...], "next": "<cursor or null>"}`.

A cursor is the place after the last row shown (its sort values), not an offset: rows that come or go
meanwhile neither repeat nor hide others, and page 1,000 costs what page 1 costs.
"""

import base64
import datetime
import json
import uuid
from operator import attrgetter

from django.core.exceptions import ValidationError
from django.db.models import IntegerField, Q
from django.utils.translation import gettext as _

from .errors import Malformed

DEFAULT_LIMIT = 50
MAX_LIMIT = 100


def invalid_parameter(name: str, detail: str) -> Malformed:
    """The refusal of a query parameter with a bad value."""
    return Malformed(errors=[{"pointer": f"?{name}", "code": "INVALID", "detail": detail}])


def id_in(params, name: str) -> uuid.UUID:
    """The id that a query parameter names; refused as above if it is none."""
    try:
        return uuid.UUID(params.get(name, ""))
    except ValueError as error:
        raise invalid_parameter(name, _("An id.")) from error


def page(queryset, params, *, by, descending=False):
    """(rows, next cursor) of `queryset` sorted `by` these fields; the last of them must be unique."""
    limit = _limit(params.get("limit"))
    sign = "-" if descending else ""
    queryset = queryset.order_by(*(sign + field for field in by))
    if params.get("cursor"):
        queryset = queryset.filter(_after(_decode(params["cursor"], queryset, by), by, descending))
    rows = list(queryset[: limit + 1])
    more = len(rows) > limit
    rows = rows[:limit]
    return rows, _encode(rows[-1], by) if more else None


def _limit(asked):
    if asked is None:
        return DEFAULT_LIMIT
    if not (asked.isascii() and asked.isdigit() and len(asked) <= 9 and 1 <= int(asked) <= MAX_LIMIT):
        raise invalid_parameter("limit", _("A whole number from 1 to %d.") % MAX_LIMIT)
    return int(asked)


def _after(values, by, descending):
    """(a, b) > (x, y), written so that every database uses its index on the first field."""
    beyond = "lt" if descending else "gt"
    condition = Q()
    for position in reversed(range(len(by))):
        field, value = by[position], values[position]
        condition = Q(**{f"{field}__{beyond}": value}) | (Q(**{field: value}) & condition if condition else Q())
    return condition


def _encode(row, by):
    values = [attrgetter(field.replace("__", "."))(row) for field in by]
    plain = [value if isinstance(value, int) else value.isoformat() if hasattr(value, "isoformat") else str(value) for value in values]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def _decode(cursor, queryset, by):
    try:
        values = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        if not isinstance(values, list) or len(values) != len(by):
            raise ValueError(cursor)
        return [_parse(value, queryset, field) for value, field in zip(values, by, strict=True)]
    except (ValueError, TypeError, OverflowError, UnicodeError, RecursionError, ValidationError) as error:
        raise invalid_parameter("cursor", _("This cursor did not come from this list.")) from error


def _parse(value, queryset, path):
    """The value as the sorted field has it; a cursor is text from outside and may hold anything."""
    field = _field(queryset, path)
    if isinstance(field, IntegerField):
        if type(value) is not int or abs(value) >= 2**31:
            raise ValueError(value)
        return value
    if not isinstance(value, str) or "\x00" in value or len(value) > 200:
        raise ValueError(value)
    value.encode()  # half a character fails here and not in the database
    found = field.to_python(value)
    if isinstance(found, datetime.datetime):
        if found.tzinfo is None:
            raise ValueError(value)
        return found.astimezone(datetime.UTC)  # OverflowError at the ends of time
    return found


def _field(queryset, path):
    if path in queryset.query.annotations:
        return queryset.query.annotations[path].output_field
    model = queryset.model
    *parents, name = path.split("__")
    for parent in parents:
        model = model._meta.get_field(parent).related_model
    return model._meta.get_field(name)
