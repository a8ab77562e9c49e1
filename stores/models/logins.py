"""Who has signed in, staff and tablets, and who has tried to."""

import uuid
from datetime import UTC, datetime, timedelta

from django.db import models
from django.utils.timezone import now

from stores.scoping import StoreScoped

from .people import Membership
from .places import Table


class StaffToken(models.Model):
    """An access token in use. Deleting the row ends it: that is what signing out does."""

    store_lookup = "membership__store"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    membership = models.ForeignKey(Membership, models.CASCADE, related_name="tokens")
    issued_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField()
    # The admin session that a board's token belongs to, and goes with. Django sees to that, and not the database, or a
    # release before this one could delete no session.
    session = models.ForeignKey("sessions.Session", models.CASCADE, null=True, db_constraint=False, related_name="+")

    objects = StoreScoped.as_manager()

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="staff_token_expiry")]


class TabletLogin(models.Model):
    """A tablet that signed in: the chain of its refresh tokens, of which the newest is good, each other for a minute longer.

    `generation` counts them. The one before the newest was first used at `rotated_at`; when those before it were, as far
    as it matters, stands in `used_earlier`: {generation: seconds since 1970}.
    """

    store_lookup = "table__store"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    table = models.ForeignKey(Table, models.CASCADE, related_name="logins")
    epoch = models.PositiveIntegerField()
    generation = models.PositiveIntegerField(default=1)
    rotated_at = models.DateTimeField(default=now)
    used_earlier = models.JSONField(null=True)
    expires_at = models.DateTimeField()

    objects = StoreScoped.as_manager()

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="tablet_login_expiry")]

    def rotate(self, at: datetime, *, lifetime: timedelta, grace: timedelta):
        """The newest token is used for the first time."""
        earlier = (self.used_earlier or {}) | {str(self.generation - 1): self.rotated_at.timestamp()}
        self.used_earlier = {generation: used for generation, used in earlier.items() if used >= (at - grace).timestamp()}
        self.generation += 1
        self.rotated_at = at
        self.expires_at = at + lifetime
        self.save()

    def first_use(self, generation: int) -> datetime | None:
        if generation == self.generation - 1:
            return self.rotated_at
        used = (self.used_earlier or {}).get(str(generation))
        return used and datetime.fromtimestamp(used, UTC)


class LoginAttempts(models.Model):
    """Failed sign-ins of one person or table from one address; with an empty address: from all of them.

    `subject` is a digest of what was typed, known or not, so that a lock tells nobody which names exist.
    """

    subject = models.CharField(max_length=64)
    address = models.CharField(max_length=45, blank=True)
    failed_at = models.JSONField(default=list)  # seconds since 1970, at most as many as the limit counts
    locked_until = models.DateTimeField(null=True)
    succeeded_at = models.DateTimeField(null=True)
    last_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject", "address"], name="one_count_per_subject_and_address")]
        indexes = [models.Index(fields=["last_at"], name="login_attempts_last")]
