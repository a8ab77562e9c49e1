"""What the environment says."""

import math

import environ
from django.core.exceptions import ImproperlyConfigured


class Environment(environ.FileAwareEnv):
    """NAME_FILE is read where NAME is asked for: secrets mounted as files. An empty value is none.

    A value is taken as it is. django-environ would read `$x` as the value of x, though a secret may begin so, and `1O` as 1.
    """

    def get_value(self, var, cast=None, default=environ.Env.NOTSET, parse_default=False):
        try:
            value = self.ENVIRON.get(var, "").rstrip("\r\n")  # with which a file ends
        except (OSError, UnicodeDecodeError) as error:
            raise ImproperlyConfigured(f"{var}_FILE can't be read: {error}") from error
        if not value:
            return default
        if cast not in (int, float):
            return self.parse_value(value, cast)
        try:
            number = cast(value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):  # nor are `nan` and `inf`, which Python takes
            raise ImproperlyConfigured(f"{var} is {value!r}: not a number, or not a whole one")
        return number
