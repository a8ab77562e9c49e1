"""Gunicorn's worker by threads, for the API. In a module of its own, for that of the ASGI worker imports uvicorn."""

import time

from gunicorn import util
from gunicorn.http.errors import InvalidResponseHeader, InvalidResponseHeaderName, ParseException
from gunicorn.workers.gthread import ThreadWorker

PATIENCE = 5.0  # seconds for what nobody has read
UNREAD = 8 * 1024 * 1024  # bytes; more than Nginx lets through
LOOKS_AWAY, AT_MOST = 0.0002, 0.002  # seconds, for each connection that a worker has; so it takes 500 a second, however many it has


class ApiWorker(ThreadWorker):
    """Gunicorn's threads, but a worker that has many connections leaves a new one to those with fewer.

    A connection wakes all workers, and the quickest takes all that come together. A proxy keeps them, so they
    would stay there: ten clients were served by one of two workers while the other slept.
    """

    _back_at = 0.0

    def init_process(self):
        # Else a method of gunicorn's looks up each of the twenty settings that a request asks for.
        vars(self.cfg).update({name: setting.get() for name, setting in self.cfg.settings.items()})
        super().init_process()

    def accept(self, listener):
        super().accept(listener)
        self._back_at = time.monotonic() + min(LOOKS_AWAY * self.nr_conns, AT_MOST)
        self.set_accept_enabled(False)

    def set_accept_enabled(self, enabled):
        super().set_accept_enabled(enabled and time.monotonic() >= self._back_at)

    def wait_for_and_dispatch_events(self, timeout):
        away = self._back_at - time.monotonic()
        super().wait_for_and_dispatch_events(min(timeout, away) if away > 0 else timeout)

    def handle_request(self, req, conn):
        if getattr(req.body.reader, "length", 0) > UNREAD:  # one in chunks says none
            req.force_close()  # and the answer says so: it will not be read to its end
        return super().handle_request(req, conn)

    def handle_error(self, req, client, addr, exc):
        """As every refusal of ours is told. Gunicorn's is a page of HTML."""
        ours = isinstance(exc, InvalidResponseHeader | InvalidResponseHeaderName)  # not the client's
        if ours or not isinstance(exc, ParseException):
            return super().handle_error(req, client, addr, exc)
        from config import unreadable  # not at the top: only a worker may load it

        self.log.warning("Invalid HTTP request received.")  # as uvicorn says it, without the address and what was asked
        try:
            util.write_nonblock(client, unreadable.refusal("Invalid HTTP request received."))
        except OSError:
            self.log.debug("The client has gone before it was refused.")

    def _keepalive_after(self, conn, keepalive):
        """What has been answered unread (a picture, when its owner has been signed out) is read to its end.

        Of more than 64 KB gunicorn alone hangs up: on the proxy that still sends it, or on the next request in its connection.
        Also before it is closed: a client that still sends would find it broken and not read the answer.
        """
        return conn.parser.finish_body(deadline=time.monotonic() + PATIENCE, max_bytes=UNREAD) and keepalive
