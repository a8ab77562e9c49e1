"""Unique among some of the rows only, in a way that every database holds."""

from django.db import models
from django.db.models import Case, Value, When


def marker_while(**condition) -> models.GeneratedField:
    """1 while the condition holds, else NULL: NULLs never collide, so a unique constraint over it holds for those rows.

    A conditional unique constraint would say the same, but MySQL creates none.
    """
    return models.GeneratedField(
        expression=Case(When(**condition, then=Value(1)), default=Value(None)),
        output_field=models.PositiveSmallIntegerField(null=True),
        db_persist=True,
    )
