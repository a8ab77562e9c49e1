"""Input fields that take a value only in its own JSON type.

DRF's fields are made for HTML forms: 1.0 and "1" pass as integers, 7 as a string, "yes" as a boolean. An API
that is stored in money terms says no instead.
"""

import re
import uuid
from functools import cached_property
from itertools import islice

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.fields import SkipField, empty

# So many wrong things of one kind are named, and the rest is not looked at: 60 KB of `{}` would cost seconds of CPU and an
# answer of megabytes.
MOST_ERRORS = 20


class Strict(serializers.Serializer):
    """Fields it doesn't know are refused, never ignored."""

    # DRF's own way also reads HTML forms and fields by other names. A body here is JSON, and without that takes half as long.

    @cached_property
    def _taken(self):
        """(name, field, what else is asked of its value) of each."""
        return [(name, field, getattr(self, f"validate_{name}", None)) for name, field in self.fields.items()]

    def to_internal_value(self, data):
        if not isinstance(data, dict):
            return super().to_internal_value(data)  # which refuses it
        unknown = islice((name for name in data if name not in self.fields), MOST_ERRORS)
        errors = {name: [serializers.ErrorDetail(_("This field is not known."), code="unknown")] for name in unknown}
        if errors:
            raise serializers.ValidationError(errors)
        taken = {}
        for name, field, check in self._taken:
            try:
                value = field.run_validation(data.get(name, empty))
                taken[name] = check(value) if check else value
            except serializers.ValidationError as error:
                errors[name] = error.detail
            except SkipField:
                continue  # it may be left out, and was
        if errors:
            raise serializers.ValidationError(errors)
        return taken


class Nothing(Strict):
    """For an action that needs no more than its address: no body, or an empty object."""


class Many(serializers.ListField):
    def run_child_validation(self, data):
        taken, errors = [], {}
        for place, value in enumerate(data):
            try:
                taken.append(self.child.run_validation(value))
            except serializers.ValidationError as error:
                errors[place] = error.detail
                if len(errors) == MOST_ERRORS:
                    break
        if errors:
            raise serializers.ValidationError(errors)
        return taken


class Integer(serializers.IntegerField):
    def to_internal_value(self, data):
        if type(data) is not int:  # bool is an int in Python, and not a number on the wire
            self.fail("invalid")
        return data


class Boolean(serializers.BooleanField):
    def to_internal_value(self, data):
        if type(data) is not bool:
            self.fail("invalid", input=data)
        return data


CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # all but tab and line breaks


class Text(serializers.CharField):
    """One line or several, trimmed. Control characters other than tab and line breaks are refused."""

    def to_internal_value(self, data):
        if type(data) is not str or CONTROL.search(data):
            self.fail("invalid")
        return super().to_internal_value(data)


class Secret(serializers.CharField):
    """A password or a token: taken as it is, never trimmed."""

    def __init__(self, **kwargs):
        super().__init__(trim_whitespace=False, **kwargs)

    def to_internal_value(self, data):
        if type(data) is not str:
            self.fail("invalid")
        return data


class Id(serializers.UUIDField):
    """A public id in its one canonical form."""

    def to_internal_value(self, data):
        try:
            found = uuid.UUID(data) if type(data) is str else None
        except ValueError:
            found = None
        if found is None or str(found) != data.lower():
            self.fail("invalid", value=data)
        return found
