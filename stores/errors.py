from django.utils.translation import gettext_lazy as _

from tableorder.errors import Conflict, TooMany, Unauthenticated


class InvalidCredentials(Unauthenticated):
    """The same for every cause: a guess learns nothing from it."""

    code = "INVALID_CREDENTIALS"
    detail = _("Store, name or password is not right.")


class LoginLocked(TooMany):
    code = "LOGIN_LOCKED"
    detail = _("Too many failed attempts. Please try again later.")


class TooManyStreams(TooMany):
    code = "TOO_MANY_STREAMS"
    detail = _("Too many live connections are open.")


class TableExists(Conflict):
    code = "TABLE_EXISTS"
    detail = _("This store has a table with that number.")
