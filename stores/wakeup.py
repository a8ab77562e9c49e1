"""The wake-up call after a commit: "this store's journal has grown".

Only a hint, for speed; the journal is the truth, and readers look at it twice a second anyway. To other processes
and machines it goes through Redis, if that is on: no request waits for it, and a hint that is lost costs half a second.
"""

import contextlib
import threading
import time
import uuid
from collections.abc import Callable

from tableorder import redis

CHANNEL = "tableorder:journal"
MOST_WAITING = 10_000  # stores whose hint has not gone out yet; beyond that, hints are dropped
PAUSE = 0.03  # seconds between two messages: what comes meanwhile goes together, for each one wakes three processes

_listeners: list[Callable] = []
_me = uuid.uuid4().hex  # this process: what it publishes also comes back to it


def listen(listener: Callable):
    """`listener(store_id)` is called in the thread that committed, or in the one that hears of other processes.

    It must return at once and never raise. The store is None if it may be any: a hint may have been missed.
    """
    _listeners.append(listener)
    _subscriber.start()


def announce(store_id: uuid.UUID):
    _tell(_listeners, store_id)
    if redis.is_on():
        _publisher.publish(store_id)


def _tell(listeners, store_id: uuid.UUID | None):
    for listener in listeners:
        listener(store_id)


class Publisher:
    """Publishes in a thread of its own. The same store waits only once: a hint says nothing but "look"."""

    def __init__(self):
        self._waiting: set[uuid.UUID] = set()
        self._changed = threading.Condition()
        self._thread = None

    def publish(self, store_id):
        with self._changed:
            if len(self._waiting) >= MOST_WAITING:
                return
            self._waiting.add(store_id)
            if self._thread is None or not self._thread.is_alive():  # after a fork it is not
                self._thread = threading.Thread(target=self._run, name="wakeup-publisher", daemon=True)
                with contextlib.suppress(RuntimeError):  # no more threads now: what was committed must still be answered
                    self._thread.start()
            self._changed.notify()

    def _run(self):
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                stores, self._waiting = self._waiting, set()
            message = " ".join([_me, *map(str, stores)])
            redis.ask(lambda client: client.publish(CHANNEL, message))  # noqa: B023  called at once
            time.sleep(PAUSE)


class Subscriber:
    """Hears what other processes publish, in one thread for all of these listeners."""

    def __init__(self, listeners: list[Callable]):
        self._listeners, self._thread = listeners, None

    def start(self):
        if redis.is_on() and self._thread is None:
            self._thread = threading.Thread(target=redis.follow, args=(CHANNEL, self._heard), name="wakeup-subscriber", daemon=True)
            self._thread.start()

    def _heard(self, message: str | None):
        if message is None:
            _tell(self._listeners, None)
            return
        sender, *stores = message.split()
        if sender != _me:
            for store_id in stores:
                _tell(self._listeners, uuid.UUID(store_id))


_publisher = Publisher()
_subscriber = Subscriber(_listeners)
