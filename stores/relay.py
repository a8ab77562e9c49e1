"""The relay: takes every event from the journal to the message bus, at least once, and in order per store.

A cursor per store says how far it has got; it moves after the broker's confirm, so whoever dies in between leaves
an event that is sent twice and none that is lost. Every relay sends without a gap from a cursor that was true:
however many are at one store, the first copy of an event never comes before the one of the event before it.
Several relays share the stores by claims: a row of the cursor is one relay's until a moment that passes by itself.
"""

import logging
import os
import random
import secrets
import socket
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from datetime import timedelta
from operator import attrgetter
from typing import NamedTuple

from django.db import Error as DatabaseTrouble
from django.db import close_old_connections, connection, transaction
from django.db.models import BigIntegerField, CharField, F, OuterRef, Q, QuerySet, Subquery, Sum, UUIDField
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from tableorder import broker
from tableorder.broker import BrokerAway, Message, Publisher, pause_after
from tableorder.statements import Bound, Given, Select, Update, together

from .models import Counters, Event, RelayCursor, SetAsideEvent

log = logging.getLogger(__name__)

LOOK_EVERY = 1.0  # seconds between looks while nothing happens
GATHER = 0.1  # seconds between looks while little happens
REST = 20  # ... and so many times as long as the look took: most of what it costs, it costs however little there is
BATCH = 200  # events of a store read at once, some 1 KB each
TOGETHER = 64  # stores that are sent together: fifty with an event each take an eighth of the time that they take one by one
READ_AT_ONCE = 1000  # events of them all, more or less
BATCH_TIME = 2.0  # seconds after which a batch ends
# A claim is for one batch. Longer than one may take (BATCH_TIME and the last confirms), and not much more:
# so long a killed relay's stores wait. Clocks of machines may differ by a second or two; what is lost then is an
# event sent twice.
CLAIM = timedelta(seconds=10)
TRIES = 5  # refusals of one event, about 15 s, until it is set aside
# After so many of one type in a row, a queue that is bound to them is at fault and not the events: they wait until the
# broker takes one again.
SET_ASIDE_IN_A_ROW = 10


def backlog() -> QuerySet:
    """The counters of the journals that are ahead of the bus, from `position` on. Of what has been purged nothing can be sent."""
    position = Greatest(Coalesce("relay_cursor__number", 0), "purged_number")
    return Counters.objects.annotate(position=position).filter(last_number__gt=F("position"))


def outbox() -> tuple[int, float]:
    """How many events of all stores the bus has not got yet, and how old the oldest of them is, in seconds."""
    size = backlog().aggregate(size=Sum(F("last_number") - F("position")))["size"]
    next_one = Event.objects.filter(store=OuterRef("pk"), number__gt=OuterRef("position")).order_by("number")
    times = backlog().annotate(since=Subquery(next_one.values("at")[:1])).filter(since__isnull=False)
    since = times.order_by("since").values_list("since", flat=True).first()
    age = (timezone.now() - since).total_seconds() if since else 0.0
    return size or 0, max(age, 0.0)


def relayed(events: QuerySet) -> QuerySet:
    """Those of these events that the bus has; all of them while there is no bus."""
    return events.filter(number__lte=F("store__counters__relay_cursor__number")) if broker.is_on() else events


def _free(of: str = "") -> Q:
    """Cursors, or journals with their cursors as `of`, that no relay is at and that need not wait."""
    now = timezone.now()
    claim = Q(**{f"{of}claimed_until": None}) | Q(**{f"{of}claimed_until__lte": now})
    patience = Q(**{f"{of}next_try_at": None}) | Q(**{f"{of}next_try_at__lte": now})
    return claim & patience


class _Event(NamedTuple):
    number: int
    type: str
    body: str


class _Batch:
    """What is to be sent of a store, and how far that has got."""

    def __init__(self, cursor: RelayCursor, events: list[_Event]):
        self.cursor, self.events = cursor, deque(events)
        self.reached = events[0].number - 1 if events else cursor.journal.last_number


FREE = {"claimed_by": "", "claimed_until": None}
MOVED = {"failures": 0, "next_try_at": None, "last_error": ""}


def _mine(*, store, number, relay) -> QuerySet:
    """A cursor, if the claim still stands. If not, another relay sends the same once more, and the cursor is its."""
    return RelayCursor.objects.filter(pk=store, number=number, claimed_by=relay)


_GIVEN = {"store": Given("store", UUIDField()), "number": Given("number", BigIntegerField()), "relay": Given("relay", CharField())}
_freed = Update(lambda: (_mine(**_GIVEN), FREE))
_moved = Update(lambda: (_mine(**_GIVEN), FREE | MOVED | {"number": Given("reached", BigIntegerField())}))


def _message(store_id, event: _Event | SetAsideEvent) -> Message:
    return Message(id=f"{store_id}:{event.number}", routing_key=event.type, body=event.body)


def try_again(set_aside: QuerySet) -> int:
    """Asks a relay to send these once more; returns how many. They come late then, after newer events."""
    return set_aside.filter(asked_again=False).update(asked_again=True)


class Relay:
    """One of any number. Use `run`; the rest is for tests."""

    def __init__(self, *, batch: int = BATCH, publisher: Publisher | None = None):
        self.name = f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(4)}"
        self.batch = batch
        self.publisher = publisher or Publisher()
        self._set_aside_in_a_row = Counter()  # {type of events: how many}
        self._together = 1  # stores; twice as many with each group that goes well
        self._next = Select(
            lambda: (
                Event.objects.filter(store=Given("store", UUIDField()), number__gt=Given("after", BigIntegerField()))
                .order_by("number")
                .values_list("number", "type", "body")[: self.batch]
            )
        )

    def run(self, stop: threading.Event):
        """Until told to stop."""
        log.info("relaying as %s", self.name)
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
                    close_old_connections()  # a broken one would stay broken
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
        self.publisher.connect()
        self._send_those_asked_for()
        began, pause = time.monotonic(), LOOK_EVERY
        for cursors in self._groups(self._with_backlog()):
            if stop.is_set():
                break
            if claimed := self._claim(cursors):
                pause = min(pause, self._send(claimed, stop))
        return pause and min(max(pause, REST * (time.monotonic() - began)), LOOK_EVERY)

    def _with_backlog(self) -> list[RelayCursor]:
        """The cursors, each with its journal, of the stores that have something to send and that are free."""
        journals = list(backlog().filter(_free("relay_cursor__")).select_related("relay_cursor"))
        new = [RelayCursor(journal=journal, number=journal.purged_number) for journal in journals if not hasattr(journal, "relay_cursor")]
        if new:  # another relay may be doing the same: in one order, or each would wait for the other
            RelayCursor.objects.bulk_create(sorted(new, key=attrgetter("journal_id")), ignore_conflicts=True)
        random.shuffle(journals)  # so that relays that look at the same moment don't all begin with the same store
        return [journal.relay_cursor for journal in journals]

    def _groups(self, cursors: list[RelayCursor]) -> Iterator[list[RelayCursor]]:
        """Stores that are sent together, so that the database and the broker are waited for once and not once a store.

        A store of which the broker has refused an event goes alone; all do, until it is known whose event it was.
        """
        group, events = [], 0
        for cursor in cursors:
            if cursor.failures:
                yield [cursor]
                continue
            group.append(cursor)
            events += min(cursor.journal.last_number - cursor.number, self.batch)
            if len(group) >= self._together or events >= READ_AT_ONCE:
                yield group
                group, events = [], 0
        if group:
            yield group

    def _claim(self, seen: list[RelayCursor]) -> list[RelayCursor]:
        """Those that are still free, as they stand by now: for so long they are this relay's alone."""
        journals = {cursor.pk: cursor.journal for cursor in seen}
        free = RelayCursor.objects.filter(_free(), pk__in=journals)
        with transaction.atomic():
            # Not waiting for those that another relay claims right now: it might wait for one of these.
            claimed = list(free.select_for_update(skip_locked=connection.features.has_select_for_update_skip_locked))
            until = timezone.now() + CLAIM
            RelayCursor.objects.filter(pk__in=[cursor.pk for cursor in claimed]).update(claimed_by=self.name, claimed_until=until)
        for cursor in claimed:
            cursor.journal, cursor.claimed_until = journals[cursor.pk], until
        return claimed

    def _send(self, claimed: list[RelayCursor], stop) -> float:
        """Sends some of each of these stores, and frees them; returns the seconds until the next look is worth it."""
        batches = self._read(claimed)
        refused, trouble = {}, False  # {batch: why}
        end = time.monotonic() + BATCH_TIME
        try:
            while time.monotonic() < end and not stop.is_set():
                # Of each store one at a time: were it refused, those after it would be there before it.
                asked = [(batch, batch.events[0]) for batch in batches if batch.events and batch not in refused]
                if not asked:
                    break
                sent = self.publisher.publish([_message(batch.cursor.pk, event) for batch, event in asked])
                for place in sent.taken:
                    batch, event = asked[place]
                    batch.events.popleft()
                    batch.reached = event.number
                    self._set_aside_in_a_row.pop(event.type, None)
                refused |= {asked[place][0]: why for place, why in sent.refused.items()}
                if trouble := len(sent.taken) + len(sent.refused) < len(asked):  # one of them was refused, nobody knows which
                    break
        finally:  # if the broker went away too: what it has taken before is not sent again
            batches = [batch for batch in batches if batch not in refused]
            self._free_at(batches)
        for batch, why in refused.items():
            self._note_refusal(batch, why)
        self._together = 1 if trouble else min(2 * self._together, TOGETHER)
        if any(batch.reached < batch.cursor.journal.last_number for batch in batches):
            return 0.0
        return LOOK_EVERY if refused else GATHER

    def _read(self, cursors: list[RelayCursor]) -> list[_Batch]:
        answers = together(*(self._next.given(store=cursor.pk, after=cursor.number) for cursor in cursors))
        return [_Batch(cursor, self._without_gap(cursor, rows)) for cursor, rows in zip(cursors, answers, strict=True)]

    def _without_gap(self, cursor, rows) -> list[_Event]:
        """The next events, as far as none is missing. A gap before them is logged: those events are lost to the bus."""
        events = [_Event(*row) for row in rows]
        events = [event for place, event in enumerate(events) if event.number == events[0].number + place]
        # Commits are in the order of the numbers: up to `last_number` what isn't here now won't come any more.
        first = events[0].number if events else cursor.journal.last_number + 1
        if first > cursor.number + 1:
            log.error("events %s to %s of store %s are gone and were never relayed", cursor.number + 1, first - 1, cursor.pk)
        return events

    def _free_at(self, batches: list[_Batch]):
        together(*map(self._freed, batches))
        if batches and timezone.now() > batches[0].cursor.claimed_until:
            log.warning("a batch took longer than its claim: another relay may have sent it too")

    def _freed(self, batch: _Batch) -> Bound:
        mine = self._claim_on(batch.cursor)
        return _moved.given(**mine, reached=batch.reached) if batch.reached > batch.cursor.number else _freed.given(**mine)

    def _claim_on(self, cursor) -> dict:
        return {"store": cursor.pk, "number": cursor.number, "relay": self.name}

    def _note_refusal(self, batch: _Batch, why: str):
        """The broker has what comes before its next event and won't have that: again later, or set aside."""
        cursor, number, event = batch.cursor, batch.reached, batch.events[0]
        mine = _mine(**self._claim_on(cursor))
        attempts = 1 + (cursor.failures if number == cursor.number else 0)
        set_aside = attempts >= TRIES and self._set_aside_in_a_row[event.type] < SET_ASIDE_IN_A_ROW
        now = timezone.now()
        if not set_aside:
            log.warning("the broker refuses event %s of store %s, attempt %s: %s", event.number, cursor.pk, attempts, why)
            again = {"failures": min(attempts, 1000), "next_try_at": now + timedelta(seconds=pause_after(attempts)), "last_error": why}
            mine.update(number=number, **FREE, **again)
            return
        with transaction.atomic():
            if not mine.update(number=event.number, **FREE, **MOVED):
                return
            SetAsideEvent.objects.update_or_create(
                store_id=cursor.pk,
                number=event.number,
                defaults={"type": event.type, "body": event.body, "error": why, "attempts": attempts, "at": now},
            )
        self._set_aside_in_a_row[event.type] += 1
        log.error("event %s of store %s is set aside after %s attempts: %s", event.number, cursor.pk, attempts, why)

    def _send_those_asked_for(self):
        """Of those set aside. Whoever takes the mark off a row is the one that sends it; the row stays until it has arrived."""
        for row in SetAsideEvent.objects.filter(asked_again=True).order_by("store", "number"):
            if not SetAsideEvent.objects.filter(pk=row.pk, asked_again=True).update(asked_again=False):
                continue
            try:
                sent = self.publisher.publish([_message(row.store_id, row)])
            except BrokerAway:
                SetAsideEvent.objects.filter(pk=row.pk).update(asked_again=True)
                raise
            if sent.taken:
                row.delete()
                log.info("event %s of store %s is delivered after all", row.number, row.store_id)
            else:
                SetAsideEvent.objects.filter(pk=row.pk).update(attempts=F("attempts") + 1, error=sent.refused.get(0, ""), at=timezone.now())
