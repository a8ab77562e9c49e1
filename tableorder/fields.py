"""Input fields that take a value only in its own JSON type.

DRF's fields are made for HTML forms: 1.0 and "1" pass as integers, 7 as a string, "yes" as a boolean. An API
that is stored in money terms says no instead.
"""

import uuid

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers


class Strict(serializers.Serializer):
    """An input serializer: fields it doesn't know are refused, never ignored."""

    def to_internal_value(self, data):
        if isinstance(data, dict):
            unknown = [name for name in data if name not in self.fields]
            if unknown:
                raise serializers.ValidationError(
                    {name: [serializers.ErrorDetail(_("This field is not known."), code="unknown")] for name in unknown}
                )
        return super().to_internal_value(data)


class Nothing(Strict):
    """For an action that needs no more than its address: no body, or an empty object."""


class Integer(serializers.IntegerField):
    def to_internal_value(self, data):
        if type(data) is not int:  # bool is an int in Python, and not a number on the wire
            self.fail("invalid")
        return data


class Boolean(serializers.BooleanField):
    def to_internal_value(self, data):
        if data is None and self.allow_null:
            return None
        if type(data) is not bool:
            self.fail("invalid", input=data)
        return data


class Text(serializers.CharField):
    """One line or several, trimmed. Control characters other than tab and line breaks are refused."""

    def to_internal_value(self, data):
        if type(data) is not str:
            self.fail("invalid")
        if any(ord(letter) < 32 and letter not in "\t\n\r" for letter in data):
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
