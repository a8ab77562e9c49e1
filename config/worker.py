"""Gunicorn's worker for ASGI, so that it stops without breaking what is under way, and keeps no more than it needs."""

import asyncio
import os
import signal
import sys

from gunicorn.arbiter import Arbiter
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import Server
from uvicorn_worker import UvicornWorker

QUIET = 1.0  # seconds for requests that were sent before their client could know that this worker is stopping
NOTIFY = 2  # seconds between two signs of life
FINISH = 5  # seconds for answers under way; with QUIET less than gunicorn's graceful_timeout
LONGEST_HEAD = 64 * 1024  # bytes of a request's line and headers; Nginx lets half of that through
ARRIVE = 15  # seconds for a head, and between two parts of a body; as in deploy/nginx/


class BoundedRequest(HttpToolsProtocol):
    """Gives up a request that does not end. Uvicorn would keep all that comes of it, and wait for the rest for ever; gunicorn's
    limits are not asked here."""

    _head: int | None = None  # bytes of the one that is arriving
    _given_up = None  # the timer of the one that is arriving

    def connection_made(self, transport):
        super().connection_made(transport)
        self._wait_for_more()

    def connection_lost(self, exc):
        self._given_up.cancel()
        super().connection_lost(exc)

    def _wait_for_more(self):
        if self._given_up:
            self._given_up.cancel()
        self._given_up = self.loop.call_later(ARRIVE, self.transport.close)

    def data_received(self, data):
        arriving = self._head is not None
        super().data_received(data)
        if arriving and self._head is not None and not self.transport.is_closing():
            self._head += len(data)
            if self._head > LONGEST_HEAD:
                self.send_400_response("The head of this request is too long.")

    def on_message_begin(self):
        self._head = 0
        self._wait_for_more()
        super().on_message_begin()

    def on_header(self, name, value):
        # What stands around a value is none of it (RFC 9110, 5.5); only what stands before it has been taken off.
        super().on_header(name, value.strip(b" \t"))

    def on_headers_complete(self):
        self._head = None
        self._wait_for_more()
        super().on_headers_complete()

    def on_body(self, body):
        self._wait_for_more()
        super().on_body(body)

    def on_message_complete(self):
        self._given_up.cancel()
        super().on_message_complete()

    def send_400_response(self, msg):
        """As every refusal of ours is told. Uvicorn's is a line of text."""
        from config import unreadable  # not at the top: only a worker may load it

        self.transport.write(unreadable.refusal(msg))
        self.transport.close()


class GracefulServer(Server):
    def stop(self):
        self.should_exit = True

    async def shutdown(self, sockets=None):
        """Streams end, connections that come from now on are other workers', each open one gets a last answer.

        Uvicorn alone would wait for streams until it is killed, and close idle connections at once, also those
        on which a request is just arriving: with every reload some of them would fail.
        """
        from stores.stream import hub  # not at the top: only a worker may load Django

        for server in self.servers:
            server.close()
        self.server_state.default_headers = [*self.server_state.default_headers, (b"connection", b"close")]
        hub.close()
        await asyncio.sleep(QUIET)
        await super().shutdown(sockets)


class StreamWorker(UvicornWorker):
    CONFIG_KWARGS = {
        "loop": "uvloop",
        "http": BoundedRequest,
        "ws": "none",
        "lifespan": "on",
        # TRUSTED_PROXIES says whose word on addresses to believe (tableorder/addresses.py). Uvicorn would believe
        # anything that comes from 127.0.0.1, and forged addresses would pass the limits of logins.
        "proxy_headers": False,
        "server_header": False,
        "timeout_graceful_shutdown": FINISH,
        "timeout_notify": NOTIFY,
    }

    async def _serve(self):
        self.config.app = self.wsgi
        self.server = GracefulServer(config=self.config)
        # Gunicorn's signal when it gets SIGINT itself; uvicorn-worker's own handler does not end the server.
        asyncio.get_running_loop().add_signal_handler(signal.SIGQUIT, self.server.stop)
        await self.server.serve(sockets=self.sockets)
        if not self.server.started:
            sys.exit(Arbiter.WORKER_BOOT_ERROR)

    async def callback_notify(self):
        """Tells the master that this worker is alive, and looks whether the master is.

        A master that was killed leaves its workers behind: they would keep the port, and with it the next one out.
        """
        await super().callback_notify()
        if os.getppid() != self.ppid:
            self.server.stop()
