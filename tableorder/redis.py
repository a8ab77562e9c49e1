"""Redis, the helper that may fail: everything asked of it has an answer without it.

Nothing here waits longer than TIMEOUT for it or lets an error of it through, and when it fails it isn't asked for a
while (a circuit breaker; Nygard, Release It!, chapter 5). Whether it is back is found out by a thread.

What matters is how many requests wait while it hangs: with 5 % of them, the p95 is the timeout. Measured, of the
calls within 10 s from its freezing, at 15 a second in a process: 5.6 % waited when it took three timeouts to open
the breaker, 4.1 % with one, 1.8 % since no call joins another that has been waiting for STALLED.
"""

import contextlib
import functools
import logging
import random
import threading
import time
from collections.abc import Callable

from django.conf import settings

log = logging.getLogger(__name__)

TIMEOUT = 0.3  # seconds for a connection to come about, and for an answer; one timeout opens the breaker
STALLED = 0.1  # seconds that a call has been waiting; then no other one begins to wait beside it
FAILURES = 3  # failures in a row that open the breaker too: those that cost no time
PAUSE = 2.0  # seconds until somebody looks whether it is back
READY_LIMIT = 1.0  # seconds that /health/ready has for it, with looking up its name

QUIET = 5.0  # seconds without a message until a subscription asks whether it is still there
LOST = 15.0  # ... and without an answer, until it begins anew
FIRST_RECONNECT, LAST_RECONNECT = 0.25, 5.0  # seconds between attempts, doubling

CLOSED, HALF_OPEN, OPEN, OFF = "closed", "half_open", "open", "off"


def is_on() -> bool:
    return bool(settings.REDIS_URL)


def ask(command: Callable):
    """What `command(client)` returns, or None if Redis is off, doesn't answer or refuses."""
    return _server(settings.REDIS_URL).ask(command) if is_on() else None


def begin(*words) -> "Question | None":
    """Sends a command; what comes back is read by `answer()`, so that meanwhile something else can be waited for."""
    return _server(settings.REDIS_URL).begin(*words) if is_on() else None


def follow(channel: str, heard: Callable[[str | None], None]):
    """Calls `heard(message)` with what is published there, for ever; never returns.

    `heard(None)` with every new connection: what was published before it is not known.
    """
    _server(settings.REDIS_URL).follow(channel, heard)


def reachable() -> bool:
    """Does it answer right now, whatever the breaker says? Takes 1 s at most."""
    return _server(settings.REDIS_URL).reachable()


def state() -> str:
    """Of the breaker: closed (Redis is asked), open (it isn't), half_open (being tried), or off."""
    return _server(settings.REDIS_URL).breaker.state if is_on() else OFF


class Breaker:
    """Counts failures in a row. Thread-safe."""

    def __init__(self):
        self.state = CLOSED
        self._failures = 0
        self._try_at = 0.0
        self._lock = threading.Lock()

    def succeeded(self):
        if self._failures:  # asked without the lock: this is the way of nearly every call
            with self._lock:
                if self.state == CLOSED:  # an answer that was under way when it opened proves nothing
                    self._failures = 0

    def failed(self, *, at_once: bool = False) -> bool:
        """True if this failure opened it."""
        with self._lock:
            self._failures = FAILURES if at_once else self._failures + 1
            if self.state != CLOSED or self._failures < FAILURES:
                return False
            self.state = OPEN
            self._try_at = time.monotonic() + PAUSE
            return True

    def wants_trial(self) -> bool:
        """True for one caller each time the pause is over; that one must try and say `tried`."""
        with self._lock:
            if self.state == CLOSED or time.monotonic() < self._try_at:
                return False
            self.state = HALF_OPEN
            self._try_at = time.monotonic() + PAUSE  # in case the one that tries never comes back
            return True

    def tried(self, success: bool):
        with self._lock:
            self.state = CLOSED if success else OPEN
            self._failures = 0
            self._try_at = time.monotonic() + PAUSE


class Question:
    """A command under way. `answer()` must be called, once: it gives the connection back."""

    def __init__(self, server: "Server", connection):
        self._server, self._connection = server, connection

    def answer(self):
        """What `ask` would return."""
        return self._server.answer(self._connection)


class Server:
    """One Redis, with one pool of connections and one breaker for the whole process."""

    def __init__(self, url: str):
        import redis  # not at the top: 10 MB that a process without REDIS_URL has no need of
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        self.breaker = Breaker()
        self._waiting: list[float] = []  # since when calls under way have been waiting, the longest first
        self._lock = threading.Lock()
        self._trouble = (redis.RedisError, OSError)
        self._timeout = redis.TimeoutError
        self._unknown_script = redis.exceptions.NoScriptError
        # No retries: a timeout repeated is a longer timeout. RESP2, and no word about the driver: the handshake
        # of RESP3 would be two more answers to wait for with every new connection.
        self._client = redis.Redis.from_url(
            url,
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
            driver_info=None,
        )

    def ask(self, command):
        return self._waited_for(lambda: command(self._client)) if self._may_be_asked() else None

    def begin(self, *words):
        connection = self._waited_for(lambda: self._sent(words), is_answer=False) if self._may_be_asked() else None
        return Question(self, connection) if connection else None

    def answer(self, connection):
        if self._may_be_asked():
            return self._waited_for(lambda: self._received(connection))
        connection.disconnect()  # it has begun to hang since
        self._client.connection_pool.release(connection)
        return None

    def _may_be_asked(self) -> bool:
        if self.breaker.state == CLOSED:
            longest = self._waiting[:1]
            return not longest or time.monotonic() - longest[0] <= STALLED
        if self.breaker.wants_trial():
            with contextlib.suppress(RuntimeError):  # no more threads, or the process is ending: the next one tries
                self._in_a_thread(self._try)
        return False

    def _waited_for(self, call, *, is_answer: bool = True):
        """What it returns, or None if it fails, of which the breaker knows. That something could be sent proves nothing."""
        with self._lock:
            began = time.monotonic()
            self._waiting.append(began)
        try:
            answer = call()
        except self._trouble as error:
            if self.breaker.failed(at_once=isinstance(error, self._timeout)):
                log.warning("Redis fails, going on without it: %s", error)
                self._forget_connections()
            return None
        finally:
            with self._lock:
                self._waiting.remove(began)
        if is_answer:
            self.breaker.succeeded()
        return answer

    def _sent(self, words):
        connection = self._client.connection_pool.get_connection()
        try:
            connection.send_command(*words)
        except BaseException:
            self._client.connection_pool.release(connection)
            raise
        return connection

    def _received(self, connection):
        try:
            return connection.read_response()
        except self._unknown_script:  # it has been restarted: no failure
            return None
        finally:
            self._client.connection_pool.release(connection)

    def reachable(self) -> bool:
        answers = []
        trial = self._in_a_thread(lambda: answers.append(self._pings()))
        trial.join(READY_LIMIT)
        reached = answers == [True]
        if reached and self.breaker.wants_trial():  # at night nobody else may find out for hours
            self._tried(True)
        return reached

    def follow(self, channel, heard):
        pause = FIRST_RECONNECT
        while True:
            try:
                with self._client.pubsub() as subscription:
                    subscription.subscribe(channel)
                    for message in self._messages(subscription):
                        heard(message)
                        pause = FIRST_RECONNECT
            except self._trouble as error:
                log.debug("subscription to Redis broken: %s", error)  # `ask` has the warning, once
            except Exception as error:  # whatever it is: whoever follows goes on following
                log.warning("a message from Redis went wrong", exc_info=error)
            time.sleep(pause * random.uniform(0.5, 1))  # not all processes at the same moment
            pause = min(2 * pause, LAST_RECONNECT)

    def _messages(self, subscription):
        """The messages of a new subscription, None at its beginning; stops when it has died without a word."""
        heard_at = asked_at = time.monotonic()
        while time.monotonic() < heard_at + LOST:
            message = subscription.get_message(timeout=1.0)
            now = time.monotonic()
            if message:
                heard_at = now
                if message["type"] == "subscribe":
                    yield None
                elif message["type"] == "message":
                    yield message["data"].decode()
            elif now > max(heard_at, asked_at) + QUIET:
                asked_at = now
                subscription.ping()

    def _try(self):
        self._tried(self._pings())

    def _tried(self, success):
        self.breaker.tried(success)
        if success:
            log.info("Redis is back")
        else:
            self._forget_connections()

    def _pings(self) -> bool:
        """On a connection of its own: whether a new one comes about is what is asked."""
        pool = self._client.connection_pool
        connection = pool.connection_class(**pool.connection_kwargs)
        try:
            try:
                connection.connect()
                connection.send_command("PING")
                return connection.read_response() == b"PONG"
            finally:
                connection.disconnect()
        except self._trouble:
            return False

    def _forget_connections(self):
        """Its name may by now lead to another machine: those open lead to the old one, which may only read."""
        with contextlib.suppress(*self._trouble):
            self._client.connection_pool.disconnect(inuse_connections=False)

    def _in_a_thread(self, work):
        thread = threading.Thread(target=work, name="redis-trial", daemon=True)
        thread.start()
        return thread


_server = functools.lru_cache(maxsize=None)(Server)
