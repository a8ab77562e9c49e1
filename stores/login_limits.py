"""How often a password may be guessed. The counts live in the database, so that every process sees them.

- One person or table from one address: 5 failures within 15 minutes lock that pair for 15 minutes.
- One person or table from all addresses: 30 failures within an hour lock it for an hour, but only for addresses
  that have never signed in there: nobody at a table can lock the restaurant out.

An attempt is counted as failed before its password is looked at and forgiven if it was right. Counted only
afterwards, a hundred guesses sent at once would all be looked at.
"""

import hashlib
import time
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from tableorder import metrics
from tableorder.transactions import give_back_connection, whole

from .errors import LoginLocked
from .models import LoginAttempts


@dataclass(frozen=True)
class Limit:
    failures: int
    window: timedelta
    lock: timedelta


PAIR = Limit(failures=5, window=timedelta(minutes=15), lock=timedelta(minutes=15))
ALL_ADDRESSES = Limit(failures=30, window=timedelta(hours=1), lock=timedelta(hours=1))

# How long to wait for guesses under way to be decided before they count as failed. Hashing takes 0.3 s.
PATIENCE = 8.0


def subject_of(*names: str) -> str:
    """What was typed, as a fixed-length key: unknown names count like known ones."""
    return hashlib.sha256("\x00".join(names).casefold().encode()).hexdigest()


class Attempt:
    """One sign-in under way. Exactly one of `failed` and `succeeded` must be called."""

    def __init__(self, subject: str, address: str, *, kind: str):
        """Counts the attempt, or raises LoginLocked (with the seconds to wait). `kind`: staff, tablet or admin."""
        self.subject, self.address, self.kind = subject, address, kind
        # In a transaction of its own: MySQL leaves a row that another has just made share-locked, and two who then
        # want it for themselves would wait for each other.
        self._make_rows()
        patient_until = time.monotonic() + PATIENCE
        while True:
            self.at, locked_for, undecided = self._reserve()
            give_back_connection()
            if locked_for is None:
                return
            if not undecided or time.monotonic() > patient_until:
                raise LoginLocked(retry_after=locked_for)
            time.sleep(0.05)

    @whole
    def failed(self):
        for row, limit in zip(self._rows(), (PAIR, ALL_ADDRESSES), strict=True):
            if len(row.failed_at) >= limit.failures:  # of its window, and no others: `_reserve` has just seen to that
                row.locked_until = timezone.now() + limit.lock
                row.save()
                transaction.on_commit(metrics.login_locks.inc, robust=True)
        transaction.on_commit(metrics.login_failures.labels(self.kind).inc, robust=True)

    @whole
    def succeeded(self):
        pair, everyone = self._rows()
        if self.at in everyone.failed_at:
            everyone.failed_at.remove(self.at)
            everyone.save()
        pair.failed_at = []
        pair.locked_until = None
        pair.succeeded_at = timezone.now()
        pair.save()

    def _make_rows(self):
        # InnoDB may give one of several inserts of the same row up as a deadlock; it is there when tried again.
        for address in ("", self.address):
            whole(LoginAttempts.objects.get_or_create)(subject=self.subject, address=address)

    def _rows(self):
        """(pair, all addresses), locked; always the row of all addresses first."""
        rows = LoginAttempts.objects.filter(subject=self.subject, address__in=["", self.address])
        locked = list(rows.order_by("address").select_for_update())
        if len(locked) < 2:  # removed as old a moment ago
            self._make_rows()
            locked = list(rows.order_by("address").select_for_update())
        everyone, pair = locked
        return pair, everyone

    @whole
    def _reserve(self):
        """(time of the attempt, seconds locked or None, whether that hangs on attempts under way)."""
        now = timezone.now()
        pair, everyone = self._rows()
        for row, limit in ((pair, PAIR), (everyone, ALL_ADDRESSES)):
            row.failed_at = [at for at in row.failed_at if at > (now - limit.window).timestamp()]
            if row is everyone and pair.succeeded_at is not None:
                continue  # an address that has signed in here before is not locked out by others
            if row.locked_until and row.locked_until > now:
                return None, (row.locked_until - now).total_seconds(), False
            if len(row.failed_at) >= limit.failures:
                # What is older has failed, or its process has ended before it was decided.
                undecided = row.failed_at[-1] > now.timestamp() - PATIENCE
                return None, limit.lock.total_seconds(), undecided
        for row in (pair, everyone):
            row.failed_at.append(now.timestamp())
            row.last_at = now
            row.save()
        return now.timestamp(), None, False
