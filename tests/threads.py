"""Several at once: threads with database connections of their own, and a way to stop one of them half-way."""

import threading
from concurrent.futures import Future
from contextlib import contextmanager
from unittest import mock

from django.db import connection, connections

PATIENCE = 30  # seconds until a test gives up on a thread


def begin(call, *args, **kwargs) -> Future:
    """The call, running in a thread of its own."""
    future = Future()

    def run():
        try:
            future.set_result(call(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        finally:
            connections.close_all()

    threading.Thread(target=run, daemon=True).start()
    return future


def at_once(*calls) -> list:
    """What each call returned, in their order. All of them begin at the same moment."""
    gate = threading.Barrier(len(calls))

    def through_the_gate(call):
        connection.ensure_connection()
        gate.wait(PATIENCE)
        return call()

    running = [begin(through_the_gate, call) for call in calls]
    return [future.result(PATIENCE) for future in running]


class Stop:
    """Where a thread stands still."""

    def __init__(self):
        self._reached, self._may_go = threading.Event(), threading.Event()
        self._once = threading.Lock()

    def here(self):
        if self._once.acquire(blocking=False):
            self._reached.set()
            assert self._may_go.wait(PATIENCE), "nobody let it go on"

    def wait_until_reached(self):
        assert self._reached.wait(PATIENCE), "nobody came here"

    def let_go(self):
        self._may_go.set()


@contextmanager
def stopped_before(owner, name: str):
    """The first who calls `owner.name` stands still before it does; all others pass."""
    stop, original = Stop(), getattr(owner, name)

    def stopping(*args, **kwargs):
        stop.here()
        return original(*args, **kwargs)

    with mock.patch.object(owner, name, stopping):
        try:
            yield stop
        finally:
            stop.let_go()


def is_waiting(future: Future, seconds: float = 0.3) -> bool:
    """Is it still under way after this time?"""
    try:
        future.exception(seconds)
    except TimeoutError:
        return True
    return False


@contextmanager
def connections_for(count: int, *, timeout: float = PATIENCE):
    """A pool that is large enough for so many threads; databases without a pool have no need of it."""
    pool = connection.settings_dict["OPTIONS"].get("pool")
    if not pool:
        yield
        return
    connection.close()
    connection.close_pool()
    with mock.patch.dict(pool, max_size=count + 2, timeout=timeout):
        try:
            yield
        finally:
            connection.close()
            connection.close_pool()
