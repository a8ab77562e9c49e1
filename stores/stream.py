"""The live stream: `GET /api/v1/staff/events` and `/api/v1/tablet/events`, beside Django.

A bare ASGI application and not a Django view, because Django gives every ASGI request a thread that lives as
long as the response, and a stream's response lives all day. Here a stream is a coroutine and a queue; who is
calling is asked in a thread that is given back at once.
"""

import asyncio
import logging
import time
from io import BytesIO

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from tableorder import sse
from tableorder.api import problem_response, translate
from tableorder.errors import Malformed, MethodNotAllowed
from tableorder.logging import of_request
from tableorder.middleware import answered, request_id_from
from tableorder.paging import invalid_parameter
from tableorder.utf8 import ASGIRequestInUTF8

from . import wakeup
from .api.endpoint import Role, facts_of
from .models import Counters
from .stream_callers import Caller, caller_of_stream
from .stream_hub import Hub, Listener, in_database

log = logging.getLogger(__name__)

PATHS = {"/api/v1/staff/events": Role.MANAGER, "/api/v1/tablet/events": Role.TABLET}

LAST_NUMBER = 2**53  # what every client's JSON can hold
GOODBYE = 2.0  # seconds that an ending stream has for its last bytes

hub = Hub()
wakeup.listen(hub.wake)


async def application(scope, receive, send):
    """One stream, from the request to its end."""
    exchange = Exchange(scope, send)
    try:
        if scope["method"] != "GET":
            raise MethodNotAllowed()
        caller, after, reset = await in_database(exchange.admit, PATHS[scope["path"]])
        listener = hub.join(caller, after=after, reset=reset)
    except Exception as error:
        await exchange.refuse(error)
        return
    try:
        await exchange.stream(listener, receive)
    finally:
        hub.leave(listener)


async def refuse(scope, send, error: Exception, answer=problem_response):
    """For what doesn't come as far as Django. `answer` makes a response of the request and the refusal."""
    await Exchange(scope, send).refuse(error, answer)


class Exchange:
    """One request and its answer, with the manners that the API has everywhere."""

    def __init__(self, scope, send):
        self._started = time.perf_counter()
        self._send = send
        try:
            self.request = ASGIRequestInUTF8(scope, BytesIO())
        except UnicodeDecodeError:  # a query string that is no text has nothing in it for us
            self.request = ASGIRequestInUTF8({**scope, "query_string": b""}, BytesIO())
        self.request.request_id = request_id_from(self.request.headers.get("X-Request-ID"))
        self._facts = {"request_id": self.request.request_id}
        self._language = translation.get_language_from_request(self.request)

    def admit(self, role: Role) -> tuple[Caller, int, bool]:
        """(the caller, the number after which to begin, whether there is a hole before it). Queries."""
        with translation.override(self._language):
            self.request.get_host()  # refused unless it is one of ALLOWED_HOSTS; everywhere else Django asks
            caller = caller_of_stream(self.request, role)
            self._facts |= facts_of(caller)
            return caller, *starting_point(self.request, caller.store.counters)

    async def refuse(self, error: Exception, answer=problem_response):
        with translation.override(self._language):
            answer = answer(self.request, translate(error))
        headers = dict(answer.headers) | {"Content-Length": str(len(answer.content))}
        if isinstance(error, MethodNotAllowed):
            headers["Allow"] = "GET, OPTIONS"
        await self._begin(answer.status_code, headers)
        await self._send({"type": "http.response.body", "body": answer.content})

    async def stream(self, listener: Listener, receive):
        """Sends until the listener is ended or its client has gone, whichever comes first."""
        # X-Accel-Buffering: Nginx would otherwise keep the events until it has some kilobytes of them.
        await self._begin(200, {"Content-Type": sse.CONTENT_TYPE, "Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        sending = asyncio.create_task(self._send_all(listener))
        leaving = asyncio.create_task(_disconnected(receive))
        try:
            await asyncio.wait([sending, leaving, listener.ended], return_when=asyncio.FIRST_COMPLETED)
            if not leaving.done():
                # A client that has stopped reading would hold up the end for ever.
                await asyncio.wait([sending, leaving], timeout=GOODBYE, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sending.cancel()
            leaving.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)

    async def _send_all(self, listener):
        try:
            async for chunk in listener.chunks():
                await self._send({"type": "http.response.body", "body": chunk, "more_body": True})
        except Exception as error:  # its client comes back and goes on from where it was
            log.warning("a stream is ended early", exc_info=error)
        await self._send({"type": "http.response.body", "body": b""})

    async def _begin(self, status: int, headers: dict[str, str]):
        seconds = time.perf_counter() - self._started
        with of_request(self._facts):
            answered(self._facts, self.request.method, self.request.path if self.request.path in PATHS else "unmatched", status, seconds)
        headers |= {
            "X-Request-ID": self.request.request_id,
            "X-Process-Time": f"{seconds * 1000:.1f}",
            "X-Content-Type-Options": "nosniff",
            "Vary": "Origin, Accept-Language, Cookie",
        }
        origin = self.request.headers.get("Origin")
        if origin in settings.CORS_ALLOWED_ORIGINS:
            headers["Access-Control-Allow-Origin"] = origin
            headers["Access-Control-Expose-Headers"] = ", ".join(settings.CORS_EXPOSE_HEADERS)
        await self._send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()],
            }
        )


async def _disconnected(receive):
    while (await receive())["type"] != "http.disconnect":
        pass


def starting_point(request, counters: Counters) -> tuple[int, bool]:
    """(the number after which to begin, whether what the caller had is too far from there: a reset).

    `Last-Event-ID` comes from a client that resumes by itself, so it wins over the address it first asked for.
    """
    asked = request.headers.get("Last-Event-ID") or request.GET.get("after")
    if asked is None:
        return counters.last_number, False
    if not (asked.isascii() and asked.isdigit() and len(asked) <= 16 and int(asked) <= LAST_NUMBER):
        if request.headers.get("Last-Event-ID"):
            raise Malformed(errors=[{"pointer": "Last-Event-ID", "code": "INVALID", "detail": _("A whole number from 0 to 2^53.")}])
        raise invalid_parameter("after", _("A whole number from 0 to 2^53."))
    after = int(asked)
    if counters.purged_number <= after <= counters.last_number:
        return after, False
    return counters.last_number, True
