"""The hub of the live streams: one reader of the journals per process, many listeners in memory.

A stream costs a queue, not a thread and not a database connection. The reader looks at the counter rows of the
stores that have listeners, when it is woken (stores/wakeup.py) and twice a second anyway, reads what is new once
per store, and hands the very same bytes to everyone whom it concerns.

Nothing is lost or doubled between "missed" and "live": a listener registers at the position that its store's
channel has reached; what lies between its own position and that one it reads from the journal, everything after
it comes through its queue. All state is touched by the event loop alone, so none of it needs a lock.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from django.db import close_old_connections
from django.db.models import Max, Q
from django.utils import timezone

from tableorder import metrics, sse

from .auth import TabletCaller
from .errors import TooManyStreams
from .models import Counters, Event
from .stream_callers import Caller, still_welcome
from .stream_places import Place, Places

log = logging.getLogger(__name__)

LOOK_EVERY = 0.5  # seconds: events of other processes are seen this late at worst
CHECK_EVERY = 5.0  # seconds: whoever loses the right to listen is out this late at worst
HEARTBEAT = 10.0  # seconds between comments, silence or not; proxies and clients give up after more than that
BATCH = 200  # events read at once, some 1 KB each
QUEUE = 1000  # events that may wait for a slow client; then it has to come back and read them from the journal
RETRY_AFTER = 10  # seconds, for a stream too many
CALLERS_PER_CHECK = 500

FOR_EVERYONE = {"menu.changed"}  # tablets get these beside the events of their own table
OF_A_PARTY = Q(type__startswith="order.") | Q(type__startswith="session.")
ENDS_OF_A_PARTY = {"session.expired", "session.completed"}

# The reader has a thread of its own: a rush of reconnecting clients must not delay what is new.
_reading = ThreadPoolExecutor(1, "stream-reader")
_asking = ThreadPoolExecutor(2, "stream-asking")


async def in_database(function, *args, pool=_asking):
    """Calls a function that queries, in a thread of the pool.

    The connection goes back after every call, as Django does it around a request: kept, it would be missing from
    the pool for as long as the thread lives, and a broken one would stay broken.
    """

    def call():
        close_old_connections()
        try:
            return function(*args)
        finally:
            close_old_connections()

    return await asyncio.get_running_loop().run_in_executor(pool, call)


class Channel:
    """A store that has listeners, and the last of its events that was handed out."""

    def __init__(self, store_id: UUID, position: int):
        self.store_id = store_id
        self.position = position
        self.listeners: set[Listener] = set()

    def hand_out(self, events):
        for event in events:
            if event.number <= self.position:
                continue  # read for a channel of this store that was before this one
            if event.number != self.position + 1:
                log.error("events %s to %s of store %s are missing", self.position + 1, event.number - 1, self.store_id)
                return  # whoever skips one never gets it: read again
            self.position = event.number
            frame = sse.event(event.number, event.type, event.body)
            for listener in self.listeners:
                if listener.table_id in (None, event.table_id) or event.type in FOR_EVERYONE:
                    listener.give(event.number, frame)
            metrics.stream_delay.observe(max(0.0, (timezone.now() - event.at).total_seconds()))


class Listener:
    """One open stream. `after` is the last number that it has; `table_id` is None if it gets the whole store."""

    def __init__(self, caller: Caller, channel: Channel, places: list[Place], *, after: int, reset: bool):
        self.caller = caller
        self.channel = channel
        self.places = places
        self.after = after
        self.reset = reset
        self.table_id = caller.table.pk if isinstance(caller, TabletCaller) else None
        self.live_after = channel.position
        self.ended = asyncio.get_running_loop().create_future()
        self._waiting: list[bytes] = []
        self._news = asyncio.Event()

    def give(self, number: int, frame: bytes):
        if number <= self.after:
            return
        if len(self._waiting) >= QUEUE:
            self.end()
        elif not self.ended.done():
            self._waiting.append(frame)
            self._news.set()

    def end(self):
        """The stream ends now. What still waits is dropped: the client comes back and reads it from the journal."""
        if not self.ended.done():
            self.ended.set_result(None)
        self._waiting.clear()
        self._news.set()

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes of the stream as they come; it stops when the stream has ended."""
        yield sse.OPENING
        if self.reset:
            yield sse.reset(self.after)
        async for chunk in self._missed():
            yield chunk
        comment_at = time.monotonic() + HEARTBEAT
        while not self.ended.done():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(comment_at - time.monotonic()):
                    await self._news.wait()
            if time.monotonic() >= comment_at:
                yield sse.PING
                comment_at = time.monotonic() + HEARTBEAT
            self._news.clear()
            if self._waiting:
                chunk = b"".join(self._waiting)
                self._waiting.clear()
                yield chunk

    async def _missed(self):
        after = self.after
        while after < self.live_after and not self.ended.done():
            events = await in_database(read_missed, self.channel.store_id, self.table_id, after, self.live_after)
            if events is None:
                self.end()
                return
            if events:
                yield b"".join(sse.event(event.number, event.type, event.body) for event in events)
            after = events[-1].number if len(events) == BATCH else self.live_after


class Hub:
    """All streams of this process."""

    def __init__(self):
        self.closing = False
        self._channels: dict[UUID, Channel] = {}
        self._places = Places()
        self._tasks: list[asyncio.Task] = []

    @property
    def open_streams(self) -> int:
        return sum(len(channel.listeners) for channel in self._channels.values())

    def join(self, caller: Caller, *, after: int, reset: bool = False) -> Listener:
        """Opens a stream of what comes after this number; whoever joins must `leave`. Raises TooManyStreams."""
        store_id = caller.store.pk
        places = self._places.take(store_id, caller.token_id)
        if places is None:
            raise TooManyStreams(retry_after=RETRY_AFTER)
        if not self._tasks:
            self._start()  # before there is a channel: `wake` comes from other threads and needs the loop
        channel = self._channels.get(store_id)
        if channel is None:
            channel = self._channels[store_id] = Channel(store_id, caller.store.counters.last_number)
        listener = Listener(caller, channel, places, after=after, reset=reset)
        channel.listeners.add(listener)
        metrics.streams_open.inc()
        if self.closing:
            listener.end()  # not refused: a browser that is refused never tries again
        return listener

    def leave(self, listener: Listener):
        channel = listener.channel
        channel.listeners.discard(listener)
        self._places.give_back(channel.store_id, listener.places)
        metrics.streams_open.dec()
        if not channel.listeners:
            self._drop(channel)
        if not self._channels:  # nobody listens: nothing is read
            for task in self._tasks:
                task.cancel()
            self._tasks = []

    def close(self):
        """Ends all streams, and those that still come: the process is about to stop."""
        self.closing = True
        self._end(listener for channel in self._channels.values() for listener in channel.listeners)

    def wake(self, store_id: UUID | None):
        """This store's journal has grown, or any may have. May be called from any thread."""
        if self._tasks and (store_id is None or store_id in self._channels):
            with contextlib.suppress(RuntimeError):  # the loop has just been closed
                self._loop.call_soon_threadsafe(self._wake, store_id)

    def _wake(self, store_id):
        self._woken.update(self._channels if store_id is None else [store_id])
        self._wake_up.set()

    def _start(self):
        self._loop = asyncio.get_running_loop()
        self._woken: set[UUID] = set()
        self._wake_up = asyncio.Event()
        self._tasks = [self._loop.create_task(self._keep_reading()), self._loop.create_task(self._keep_checking())]

    def _drop(self, channel):
        if self._channels.get(channel.store_id) is channel:
            del self._channels[channel.store_id]

    def _end(self, listeners):
        for listener in list(listeners):
            listener.end()

    async def _keep_reading(self):
        look_at_all = self._loop.time()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(look_at_all):
                    await self._wake_up.wait()
            self._wake_up.clear()
            stores, self._woken = self._woken, set()
            if self._loop.time() >= look_at_all:
                look_at_all = self._loop.time() + LOOK_EVERY
                stores = self._channels
            try:
                await self._read({store_id: self._channels[store_id].position for store_id in stores if store_id in self._channels})
            except Exception as error:  # whatever it is: the streams stay open, and the next look may succeed
                log.warning("the journals can't be read, trying again", exc_info=error)
                await asyncio.sleep(LOOK_EVERY)

    async def _read(self, positions):
        for store_id, events in (await in_database(read_news, positions, pool=_reading)).items():
            channel = self._channels.get(store_id)
            if channel is None:
                continue
            if events is None:
                self._drop(channel)
                self._end(channel.listeners)
                continue
            channel.hand_out(events)
            if len(events) == BATCH:
                self._wake(store_id)  # there may be more

    async def _keep_checking(self):
        while True:
            await asyncio.sleep(CHECK_EVERY)
            listeners = [listener for channel in self._channels.values() for listener in channel.listeners]
            try:
                for start in range(0, len(listeners), CALLERS_PER_CHECK):
                    some = listeners[start : start + CALLERS_PER_CHECK]
                    welcome = await in_database(still_welcome, [listener.caller for listener in some])
                    self._end(listener for listener, stays in zip(some, welcome, strict=True) if not stays)
            except Exception as error:
                log.warning("the rights of listeners can't be checked, trying again", exc_info=error)


# --- In the threads ---------------------------------------------------------------------------------------------


def read_news(positions: dict[UUID, int]) -> dict[UUID, list | None]:
    """Of the stores whose journal has grown beyond the position: the next events, a batch at most.

    None if the journal ends before the position: it was put back (a backup), or the store is gone.
    """
    last_numbers = dict(Counters.objects.filter(pk__in=positions).values_list("pk", "last_number"))
    news = {}
    for store_id, position in positions.items():
        last_number = last_numbers.get(store_id, -1)
        if last_number < position:
            news[store_id] = None
        elif last_number > position:
            news[store_id] = _read(store_id, Q(number__gt=position))
    return news


def read_missed(store_id: UUID, table_id: UUID | None, after: int, until: int) -> list | None:
    """The next events for one listener, a batch at most; None if some of them have been purged.

    A tablet gets nothing of a party that has ended but its end: whoever sits there now must not read what others ate.
    """
    missed = Q(number__gt=after, number__lte=until)
    if table_id is not None:
        ends = Event.objects.in_store(store_id).filter(missed, table_id=table_id, type__in=ENDS_OF_A_PARTY)
        ended = ends.aggregate(last=Max("number"))["last"] or 0
        missed &= Q(table_id=table_id) & ~(OF_A_PARTY & Q(number__lt=ended)) | Q(type__in=FOR_EVERYONE)
    events = _read(store_id, missed)
    # Asked after reading: what was purged before is seen here, what is purged from now on has been read.
    purged = Counters.objects.filter(pk=store_id, purged_number__gt=after).exists()
    return None if purged else events


def _read(store_id, condition):
    return list(
        Event.objects.in_store(store_id)
        .filter(condition)
        .order_by("number")
        .values_list("number", "type", "table_id", "at", "body", named=True)[:BATCH]
    )
