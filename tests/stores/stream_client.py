"""A client of the live streams that drives the ASGI application as a server does, in the test's event loop."""

import asyncio
import json
from contextlib import asynccontextmanager

from django.db import transaction

from stores import journal
from stores.models import Counters

STAFF, TABLET = "/api/v1/staff/events", "/api/v1/tablet/events"
PATIENCE = 30  # seconds until a test gives up


def program():
    """What a server calls. Not imported before the tests have their own database: it may look at the one it finds."""
    from config import asgi

    return asgi.application


class Client:
    """One request and what comes back."""

    def __init__(self, path, query="", method="GET", **headers):
        self.scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode("latin-1"),
            "headers": [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()],
            "client": ("127.0.0.1", 50000),
            "server": ("testserver", 80),
            "scheme": "http",
        }
        self.status = self.headers = None
        self.finished = False  # the response is complete
        self.reading = asyncio.Event()  # unset: what is sent piles up, as with a client that has stopped reading
        self.reading.set()
        self._asked, self._gone = False, asyncio.Event()
        self._received, self._sent = b"", asyncio.Event()
        self.task = asyncio.create_task(program()(self.scope, self._receive, self._send))

    async def _receive(self):
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message):
        await self.reading.wait()
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self._received += message.get("body", b"")
            self.finished = not message.get("more_body", False)
        self._sent.set()

    async def until(self, condition):
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._sent.clear()
                await self._sent.wait()

    async def opened(self):
        await self.until(lambda: b": open\n\n" in self._received or self.finished)
        assert self.status == 200, self._received
        return self

    async def answer(self):
        """The body of an answer that is not a stream."""
        return json.loads(await self.text())

    async def text(self) -> str:
        """The same of a page."""
        await self.until(lambda: self.finished)
        return self._received.decode()

    def frames(self) -> list[str]:
        return self._received.decode().split("\n\n")[:-1]

    def events(self) -> list[tuple[int, str, dict]]:
        """(id, event, data) of each event so far."""
        events = []
        for frame in self.frames():
            fields = dict(line.split(": ", 1) for line in frame.split("\n"))
            if "event" in fields:
                events.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
        return events

    def numbers(self) -> list[int]:
        return [number for number, _, _ in self.events()]

    async def got(self, count) -> list[int]:
        """The numbers of the events, once there are so many."""
        await self.until(lambda: len(self.events()) >= count)
        return self.numbers()

    async def has_ended(self) -> bool:
        await self.until(lambda: self.finished)
        await asyncio.wait_for(self.task, PATIENCE)
        return True

    async def leave(self):
        self._gone.set()
        await asyncio.wait_for(self.task, PATIENCE)


@asynccontextmanager
async def listening(path, token=None, query="", **headers):
    if token:
        headers["authorization"] = f"Bearer {token}"
    client = Client(path, query, **headers)
    try:
        yield await client.opened()
    finally:
        await client.leave()


async def refusal(status, code, path, query="", **headers) -> Client:
    client = Client(path, query, **headers)
    body = await client.answer()
    assert (client.status, body["code"]) == (status, code), body
    assert client.headers["content-type"] == "application/problem+json"
    assert body["request_id"] == client.headers["x-request-id"]
    assert float(client.headers["x-process-time"]) >= 0
    client.body = body
    return client


# --- What happens in the store: to be called in a thread of its own, by `in_database` ---------------------------


def write(store, count=1, type="order.placed", table=None, **data):
    for _ in range(count):
        with transaction.atomic():
            journal.record(store.pk, journal.NewEvent(type, data, table_id=table and table.pk))


def last_number(store) -> int:
    return Counters.objects.get(pk=store.pk).last_number
