"""What every answer carries."""

import re
import time
import uuid

from .addresses import client_address

_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def request_id_from(value: str | None) -> str:
    """The caller's own id if it is 8-64 of `A-Za-z0-9._-`, else a new one."""
    return value if value and _ACCEPTABLE_ID.fullmatch(value) else uuid.uuid4().hex


class RequestEnvelope:
    """Gives the request its id and the answer `X-Request-ID` and `X-Process-Time` (milliseconds)."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        started = time.perf_counter()
        request.request_id = request_id_from(request.headers.get("X-Request-ID"))
        request.client_address = client_address(request.META.get("REMOTE_ADDR"), request.headers.get("X-Forwarded-For"))
        response = self.get_response(request)
        response["X-Request-ID"] = request.request_id
        response["X-Process-Time"] = f"{(time.perf_counter() - started) * 1000:.1f}"
        return response
