"""Named refusals: what the product says when it does not do what was asked.

A service raises one of these; nothing it did stays. Which HTTP status a kind gets is written in
`tableorder/api.py` and nowhere else. An app names its own refusals by subclassing a kind:

    class SoldOut(Conflict):
        code = "SOLD_OUT"
        detail = _("Something in this order has just sold out.")
"""

from django.utils.translation import gettext_lazy as _


class Refusal(Exception):
    """Something was refused. `code` is stable and for programs, `detail` is a sentence for people."""

    code = "REFUSED"
    detail = _("This can't be done.")

    def __init__(self, detail=None, *, errors=None, retry_after=None, **facts):
        """`errors`: [{pointer, code, detail}]. `retry_after`: seconds. `facts`: what the case needs, as JSON."""
        self.detail = detail or self.detail
        self.errors = errors
        self.retry_after = retry_after
        self.facts = facts
        super().__init__(self.code)


class Malformed(Refusal):
    code = "VALIDATION"
    detail = _("Some of what was sent is not valid.")


class Unauthenticated(Refusal):
    code = "NOT_AUTHENTICATED"
    detail = _("Please sign in first.")


class Forbidden(Refusal):
    code = "FORBIDDEN"
    detail = _("This is not allowed for you.")


class StalePage(Forbidden):
    code = "STALE_PAGE"
    detail = _(
        "You have signed in anew since this page was opened, or the browser keeps no cookies. "
        "Nothing was changed. Please reload the page and try again."
    )


class Absent(Refusal):
    """It does not exist, or it belongs to another store: from outside both look the same."""

    code = "NOT_FOUND"
    detail = _("There is no such thing here.")


class Conflict(Refusal):
    code = "CONFLICT"
    detail = _("This conflicts with the present state.")


class TooLarge(Refusal):
    code = "TOO_LARGE"
    detail = _("What was sent is too large.")


class UnsupportedMedia(Refusal):
    code = "UNSUPPORTED_MEDIA_TYPE"
    detail = _("This kind of content is not accepted here.")


class Mismatch(Refusal):
    code = "MISMATCH"
    detail = _("This was asked before with another content.")


class TooMany(Refusal):
    """Give `retry_after`, the seconds until it makes sense to try again."""

    code = "RATE_LIMITED"
    detail = _("Too many requests. Please wait a moment.")


class Unavailable(Refusal):
    code = "SERVICE_UNAVAILABLE"
    detail = _("The service is not available for a moment. Please try again.")


class MalformedJSON(Malformed):
    code = "MALFORMED_JSON"
    detail = _("The body is not valid JSON.")


class MethodNotAllowed(Refusal):
    code = "METHOD_NOT_ALLOWED"
    detail = _("This address does not take that method.")


class TokenInvalid(Unauthenticated):
    code = "TOKEN_INVALID"
    detail = _("This sign-in is no longer valid. Please sign in again.")
