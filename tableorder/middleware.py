"""What every answer carries, and what is written and counted about every request."""

import logging
import re
import time
import uuid

from django.conf import settings
from django.db import connection
from django.urls import resolve
from django.utils import translation
from django.utils.cache import patch_vary_headers

from . import metrics
from .addresses import client_address
from .logging import of_request

log = logging.getLogger(__name__)

SLOW = 0.5  # seconds; what is slower is a warning
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
OPERATIONS = {"/health", "/health/ready", "/metrics"}
CLIENT_LEFT = 499  # as Nginx has it: no answer, nobody is there to take it

_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def request_id_from(value: str | None) -> str:
    """The caller's own id if it is 8-64 of `A-Za-z0-9._-`, else a new one."""
    return value if value and _ACCEPTABLE_ID.fullmatch(value) else uuid.uuid4().hex


class RequestEnvelope:
    """Gives the request its id and the answer `X-Request-ID` and `X-Process-Time` (milliseconds); tells of both."""

    def __init__(self, get_response):
        self.get_response = get_response
        metrics.look_at_the_process()  # a worker that has not been asked anything yet is there too

    def __call__(self, request):
        started = time.perf_counter()
        request.request_id = request_id_from(request.headers.get("X-Request-ID"))
        request.client_address = client_address(request.META.get("REMOTE_ADDR"), request.headers.get("X-Forwarded-For"))
        facts, statements, status = {"request_id": request.request_id}, Statements(), CLIENT_LEFT
        with of_request(facts):
            try:
                with connection.execute_wrapper(statements):
                    response = self.get_response(request)
                status = response.status_code
            except Exception:
                status = 500
                raise
            finally:
                seconds = time.perf_counter() - started
                user = getattr(request, "_cached_user", None)  # who came with a cookie, if anybody has asked for them
                if user is not None and user.is_authenticated:
                    facts["user"] = str(user.pk)
                facts["queries"] = statements.count
                answered(facts, request.method, route_of(request), status, seconds)
            response["X-Request-ID"] = request.request_id
            response["X-Process-Time"] = f"{seconds * 1000:.1f}"
        return response


class Language:
    """The caller's language, as Django's LocaleMiddleware finds it; that also looks for one in the address, where we have none."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.LANGUAGE_CODE = translation.get_language_from_request(request)
        translation.activate(request.LANGUAGE_CODE)
        response = self.get_response(request)
        patch_vary_headers(response, ["Accept-Language"])
        response.headers.setdefault("Content-Language", translation.get_language())
        return response


class Operations:
    """What machines ask, answered before everything else.

    A load balancer and a Prometheus call us by our address, which is not one of ALLOWED_HOSTS.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.path_info not in OPERATIONS:
            return self.get_response(request)
        request.resolver_match = resolve(request.path_info)
        return request.resolver_match.func(request)


class Statements:
    """Counts the SQL statements of one request."""

    def __init__(self):
        self.count = 0

    def __call__(self, execute, sql, params, many, context):
        self.count += 1
        return execute(sql, params, many, context)


def route_of(request) -> str:
    """The pattern of the address: ids would make every request one of its own."""
    if request.resolver_match:
        return f"/{request.resolver_match.route}"
    return settings.STATIC_URL if request.path_info.startswith(settings.STATIC_URL) else "unmatched"


def answered(facts: dict, method: str, route: str, status: int, seconds: float):
    """Writes the line about a request and counts it. `facts`: those of the context that it is called in."""
    method = method if method in METHODS else "OTHER"
    metrics.request_answered(method, route, status, seconds)
    if status >= 500:
        level = logging.ERROR
    elif route in settings.QUIET_ROUTES:
        level = logging.DEBUG
    else:
        level = logging.WARNING if seconds > SLOW else logging.INFO
    if log.isEnabledFor(level):
        facts |= {"method": method, "route": route, "status": status, "ms": round(seconds * 1000, 1)}
        log.log(level, "%s %s %s", method, route, status)
