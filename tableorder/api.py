"""The manners of the API, in one place: strict JSON in, problem+json for every refusal (RFC 9457)."""

import functools
import logging

from django.conf import settings
from django.core import exceptions as django_exceptions
from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError, connection
from django.http import Http404, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from rest_framework import exceptions as drf_exceptions
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.settings import api_settings

from . import errors, json
from .transactions import lost_reference

log = logging.getLogger(__name__)

PROBLEM = "application/problem+json"
RETRY_AFTER = 2  # seconds; long enough for a failover to get on, short enough for a guest to wait

# What PostgreSQL tells of itself, which Django takes for mistakes of ours.
NOT_NOW = {
    "25006": "database is read-only",  # it fails over: it answers SELECT and refuses to write
    # idle_in_transaction_session_timeout: this process stood still within a transaction (no CPU, a paused machine).
    "25P03": "database has ended a transaction that stood still",
}

# PostgreSQL's feature_not_supported: a migration has changed what a statement returns that this connection has prepared.
STALE_PLAN = "0A000"

# Which HTTP status a kind of refusal gets.
STATUS = {
    errors.Malformed: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.Absent: 404,
    errors.MethodNotAllowed: 405,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.UnsupportedMedia: 415,
    errors.Mismatch: 422,
    errors.TooMany: 429,
    errors.Unavailable: 503,
}

TITLES = {
    400: _("Invalid request"),
    401: _("Not signed in"),
    403: _("Not allowed"),
    404: _("Not found"),
    405: _("Method not allowed"),
    409: _("Conflict"),
    413: _("Too large"),
    415: _("Unsupported content"),
    422: _("Key already used"),
    429: _("Too many requests"),
    500: _("Internal error"),
    503: _("Not available"),
}


# Of Django REST framework, where half of the Korean is English: named here, it is translated with ours, which come first.
SAID_ANEW = (gettext_noop("This field may not be blank."),)


class InternalError(errors.Refusal):
    code = "INTERNAL_ERROR"
    detail = _("Something went wrong on our side.")


def status_of(refusal) -> int:
    """The HTTP status of a refusal or of its class."""
    kinds = (refusal if isinstance(refusal, type) else type(refusal)).__mro__
    return next((STATUS[kind] for kind in kinds if kind in STATUS), 500)


def problem(refusal: errors.Refusal, request_id: str) -> dict:
    """The body of a refusal."""
    status = status_of(refusal)
    body = {
        "type": f"urn:tableorder:problem:{refusal.code.lower().replace('_', '-')}",
        "title": str(TITLES[status]),
        "status": status,
        "detail": str(refusal.detail),
        "code": refusal.code,
        "request_id": request_id,
    }
    if refusal.errors:
        body["errors"] = refusal.errors
    return body | refusal.facts


def problem_headers(refusal: errors.Refusal) -> dict:
    status = status_of(refusal)
    headers = {"Cache-Control": "no-store"}
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="tableorder"'
    if status in (429, 503):
        headers["Retry-After"] = str(max(1, round(refusal.retry_after or RETRY_AFTER)))
    return headers


def problem_response(request, refusal: errors.Refusal) -> HttpResponse:
    """The refusal as a plain Django response, inside DRF and outside."""
    return HttpResponse(
        json.dumps(problem(refusal, getattr(request, "request_id", ""))),
        status=status_of(refusal),
        content_type=PROBLEM,
        headers=problem_headers(refusal),
    )


def only_read(view):
    """A plain view that takes GET and HEAD, and refuses everything else as the API does."""

    @functools.wraps(view)
    def checked(request):
        if request.method in ("GET", "HEAD"):
            return view(request)
        answer = problem_response(request, errors.MethodNotAllowed())
        answer["Allow"] = "GET, HEAD"
        return answer

    return checked


def translate(error: BaseException) -> errors.Refusal:
    """Any exception as the refusal it means to the caller."""
    match error:
        case errors.Refusal():
            return error
        case drf_exceptions.ValidationError():
            return errors.Malformed(errors=list(_field_errors(error.detail)))
        case django_exceptions.RequestDataTooBig():
            return errors.TooLarge()
        case drf_exceptions.ParseError() | django_exceptions.BadRequest() | django_exceptions.SuspiciousOperation():
            return errors.Malformed()
        case drf_exceptions.NotAuthenticated() | drf_exceptions.AuthenticationFailed():
            return errors.Unauthenticated()
        case drf_exceptions.PermissionDenied() | django_exceptions.PermissionDenied():
            return errors.Forbidden()
        case Http404() | drf_exceptions.NotFound():
            return errors.Absent()
        case drf_exceptions.MethodNotAllowed():
            return errors.MethodNotAllowed()
        case drf_exceptions.UnsupportedMediaType():
            return errors.UnsupportedMedia()
        case drf_exceptions.Throttled():
            return errors.TooMany(retry_after=error.wait)
        case OperationalError() | InterfaceError():
            log.warning("database trouble", exc_info=error)
            return errors.Unavailable()
        case IntegrityError() if lost_reference(error):
            log.warning("something was deleted while this referred to it", exc_info=error)
            return errors.Unavailable()  # asked again, it is found to be gone
        case DatabaseError() if why := NOT_NOW.get(getattr(error.__cause__, "sqlstate", None)):
            log.warning(why, exc_info=error)
            return errors.Unavailable()
        case DatabaseError() if getattr(error.__cause__, "sqlstate", None) == STALE_PLAN and connection.connection is not None:
            log.warning("a connection is older than the schema", exc_info=error)
            connection.connection.close()  # so that the pool makes another one of it
            connection.close()
            return errors.Unavailable()
    log.error("unexpected error", exc_info=error)
    return InternalError()


def exception_handler(error, context):
    """DRF's hook: every error of every view leaves through here."""
    return problem_response(context["request"], translate(error))


def _field_errors(detail, pointer=""):
    """DRF's nested error lists as a flat list of JSON pointers (RFC 6901)."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            here = pointer if name == api_settings.NON_FIELD_ERRORS_KEY else f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}"
            yield from _field_errors(inner, here)
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            if isinstance(inner, dict | list):
                yield from _field_errors(inner, f"{pointer}/{index}")
            else:
                yield from _field_errors(inner, pointer)
    else:
        code = getattr(detail, "code", None) or "invalid"
        yield {"pointer": pointer, "code": code.upper(), "detail": str(detail)}


class ChunkedRequest(Request):
    """DRF's request, for which a body that comes in chunks (RFC 9112, 7.1) is one too.

    Such a body says no length beforehand, and DRF takes that for no body at all: a table would be completed
    without the `session` that was asked for.
    """

    def _load_stream(self):
        super()._load_stream()
        if self._stream is None and self.META.get("HTTP_TRANSFER_ENCODING"):
            environ = getattr(self._request, "environ", None)  # only under WSGI; there the server undoes the chunks
            stream = environ["wsgi.input"] if environ else self._request._stream
            if first := _read(stream, 1):  # else there is none, which many an action asks for
                self._stream = _Begun(first, stream)


class _Begun:
    """A body of which the first byte has been read already."""

    def __init__(self, first: bytes, rest):
        self._first, self._rest = first, rest

    def read(self, size: int) -> bytes:
        first, self._first = self._first, b""
        return first + self._rest.read(size - len(first))


class StrictJSONParser(BaseParser):
    """A JSON body of at most 64 KB. Nothing else is accepted."""

    media_type = "application/json"

    def parse(self, stream, media_type=None, parser_context=None):
        raw = read_body(parser_context["request"], stream, limit=json.MAX_BYTES)
        return json.loads(raw)


def read_body(request, stream, *, limit: int) -> bytes:
    """The body, or TooLarge, or Malformed if it ends too soon; one that says it is too large is not read at all."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdigit() and int(length) > limit:
        raise errors.TooLarge()
    raw = _read(stream, limit + 1)
    if len(raw) > limit:
        raise errors.TooLarge()
    return raw


def _read(stream, size):
    try:
        return stream.read(size)
    except Exception as error:  # broken off, or in broken chunks; each server has errors of its own for it
        raise errors.Malformed() from error


class JSONRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data, accepted_media_type=None, renderer_context=None):
        return b"" if data is None else json.dumps(data)


class AlwaysJSON(BaseContentNegotiation):
    """The API speaks JSON whatever `Accept` says, so that no client ever gets HTML from it."""

    def select_parser(self, request, parsers):
        content_type = (request.content_type or "").split(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == content_type), None)

    def select_renderer(self, request, renderers, format_suffix=None):
        return renderers[0], renderers[0].media_type


def _handler(refusal):
    """A Django error handler."""

    def handle(request, exception=None):
        return refused(request, translate(exception) if exception else refusal())

    return handle


def refused(request, refusal: errors.Refusal) -> HttpResponse:
    """The refusal as whoever asks can read it: a page for browsers, which ask for one; problem+json else, and always under /api/."""
    if f"{request.path}/".startswith(settings.API_PREFIX) or "text/html" not in request.headers.get("Accept", ""):
        return problem_response(request, refusal)
    status = status_of(refusal)
    said = {"title": TITLES[status], "detail": refusal.detail, "at_the_admin": request.path.startswith("/admin/")}
    # Without the request, whose person may be what could not be read.
    return HttpResponse(render_to_string("refused.html", said), status=status)


def bad_request(request, exception=None):
    if isinstance(exception, django_exceptions.DisallowedHost):
        log.info("Host: none of ALLOWED_HOSTS")  # which one, the caller has chosen
    return _handler(errors.Malformed)(request, exception)


forbidden = _handler(errors.Forbidden)
not_found = _handler(errors.Absent)
server_error = _handler(InternalError)


def stale_page(request, reason=""):
    """Django's CSRF_FAILURE_VIEW: mostly somebody who has signed in anew in another tab."""
    kind = reason.partition(" - ")[0]  # the rest quotes the request
    log.info("CSRF: %s (TRUSTED_PROXIES is %d; all proxies in front must be counted)", kind, settings.TRUSTED_PROXIES)
    return forbidden(request, errors.StalePage())
