"""The relay: takes every event from the journal to the message bus, at least once, and in order per store.

A cursor per store says how far it has got; it moves after the broker's confirm, so whoever dies in between leaves
an event that is sent twice and none that is lost. Every relay sends without a gap from a cursor that was true:
however many are at one store, the first copy of an event never comes before the one of the event before it.
Several relays share the stores by claims: a row of the cursor is one relay's until a moment that passes by itself.
"""

import logging
import os
import secrets
import socket
import threading
import time
from datetime import timedelta

from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.db import close_old_connections, transaction
from django.db.models import F, Min, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from tableorder.broker import BrokerAway, Message, Publisher, pause_after

from .models import Event, Journal, RelayCursor, SetAsideEvent

log = logging.getLogger(__name__)

LOOK_EVERY = 1.0  # seconds between looks while nothing happens; a wake-up (stores/wakeup.py) could shorten it
GATHER = 0.1  # seconds between looks while little happens: several events a look instead of one
BATCH = 200  # events read at once, some 1 KB each
WINDOW = 64  # messages sent before the confirms are waited for
QUICK = 0.2  # seconds: only windows that are confirmed so quickly grow
BATCH_TIME = 2.0  # seconds after which a batch ends
# A claim is for one batch. Longer than one may take (BATCH_TIME and the last window's confirms), and not much more:
# so long a killed relay's stores wait. Clocks of machines may differ by a second or two; what is lost then is an
# event sent twice.
CLAIM = timedelta(seconds=10)
TRIES = 5  # refusals of one event, about 15 s, until it is set aside
# So many set aside one after the other, and it is not the events: then they wait until the broker takes one again.
SET_ASIDE_IN_A_ROW = 10


def backlog() -> QuerySet:
    """The journals that are ahead of the bus, from `position` on. Of what has been purged nothing can be sent."""
    position = Greatest(Coalesce("relay_cursor__number", 0), "purged_number")
    return Journal.objects.annotate(position=position).filter(last_number__gt=F("position"))


def outbox() -> tuple[int, float]:
    """How many events of all stores the bus has not got yet, and how old the oldest of them is, in seconds."""
    if not settings.RABBITMQ_URL:
        return 0, 0.0
    next_one = Event.objects.filter(store=OuterRef("pk"), number__gt=OuterRef("position")).order_by("number")
    waiting = backlog().annotate(since=Subquery(next_one.values("at")[:1]))
    found = waiting.aggregate(size=Sum(F("last_number") - F("position")), since=Min("since"))
    age = (timezone.now() - found["since"]).total_seconds() if found["since"] else 0.0
    return found["size"] or 0, max(age, 0.0)


def relayed(events: QuerySet) -> QuerySet:
    """Those of these events that the bus has; all of them while there is no bus."""
    return events.filter(number__lte=F("store__journal__relay_cursor__number")) if settings.RABBITMQ_URL else events


def try_again(set_aside: QuerySet) -> int:
    """Asks a relay to send these once more; returns how many. They come late then, after newer events."""
    return set_aside.filter(asked_again=False).update(asked_again=True)


class Relay:
    """One of any number. Use `run`; the rest is for tests."""

    def __init__(self, *, batch: int = BATCH, publisher: Publisher | None = None):
        self.name = f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(4)}"
        self.batch = batch
        self.publisher = publisher or Publisher()
        self._set_aside_in_a_row = 0

    def run(self, stop: threading.Event):
        """Until told to stop."""
        failures = 0
        try:
            while not stop.is_set():
                try:
                    pause = self.look(stop)
                except (BrokerAway, DatabaseTrouble) as error:
                    failures += 1
                    pause = pause_after(failures)
                    what = "the broker" if isinstance(error, BrokerAway) else "the database"
                    log.warning("%s is away, trying again in %.0f s: %s", what, pause, error)
                else:
                    if failures:
                        log.info("relaying again")
                    failures = 0
                stop.wait(pause)
        finally:
            self.publisher.close()

    def drain(self, stop: threading.Event):
        """Until everything is with the broker or set aside. Raises BrokerAway and the database's errors."""
        try:
            while not stop.is_set():
                pause = self.look(stop)
                if not backlog().exists():
                    return
                stop.wait(pause)
        finally:
            self.publisher.close()

    def look(self, stop: threading.Event) -> float:
        """Sends what there is, at most a batch of each store; returns the seconds until the next look is worth it."""
        close_old_connections()
        self.publisher.connect()
        self._send_those_asked_for()
        sent, more = 0, False
        for cursor in self._candidates():
            if stop.is_set():
                break
            taken, unfinished = self._send_batch(cursor, stop)
            sent += taken
            more = more or unfinished
        return 0.0 if more else GATHER if sent else LOOK_EVERY

    def _candidates(self) -> list[RelayCursor]:
        """Cursors of stores with a backlog that nobody is at, those that have waited longest first."""
        now = timezone.now()
        journals = list(
            backlog()
            .filter(Q(relay_cursor=None) | Q(relay_cursor__in=_free(now)))
            .select_related("relay_cursor")
            .order_by("relay_cursor__claimed_until", "pk")
        )
        new = [RelayCursor(journal=journal, number=journal.purged_number) for journal in journals if not hasattr(journal, "relay_cursor")]
        if new:
            RelayCursor.objects.bulk_create(new, ignore_conflicts=True)  # another relay may find them at the same moment
        cursors = {cursor.journal_id: cursor for cursor in new}
        return [cursors.get(journal.pk) or journal.relay_cursor for journal in journals]

    def _send_batch(self, cursor, stop) -> tuple[int, bool]:
        """How many events the broker took, and whether there are more to send at once."""
        if not self._claim(cursor):
            return 0, False
        taken, sent = 0, None
        try:
            events = self._read(cursor)
            end, window = time.monotonic() + BATCH_TIME, 1
            # The first one alone: if it is the one that was refused before, nothing overtakes it.
            while taken < len(events) and time.monotonic() < end and not stop.is_set():
                asked = events[taken : taken + window]
                began = time.monotonic()
                sent = self.publisher.publish([_message(cursor.journal_id, event) for event in asked])
                taken += sent.taken
                if sent.taken < len(asked):
                    break
                if time.monotonic() - began < QUICK:
                    window = min(2 * window, WINDOW)
        finally:  # whatever went wrong: what the broker has is not sent again, and the store is free for others
            number = events[taken - 1].number if taken else cursor.number
            if sent and sent.refusal:
                ...
        return taken, False
