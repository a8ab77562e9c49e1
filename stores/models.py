"""Who there is (stores, people, tables) and what happened (the store's journal, the audit)."""

import uuid
import zoneinfo
from datetime import UTC, datetime, timedelta
from functools import cache

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import check_password, make_password
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from .scoping import StoreScoped


class UserManager(BaseUserManager):
    def create_user(self, username, password=None, **fields):
        user = self.model(username=self.model.normalize_username(username), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, username, password=None, **fields):
        return self.create_user(username, password, is_superuser=True, **fields)

    def get_by_natural_key(self, username):
        """Who signs in at the admin: of this very name, as `stores/auth.py` finds people too."""
        user = super().get_by_natural_key(username)
        if user.username != username:
            raise self.model.DoesNotExist
        return user


class User(AbstractBaseUser):
    """A person who signs in. What they may do comes from their memberships; there are no groups or permissions."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    username = models.CharField(
        _("username"),
        max_length=64,
        unique=True,
        validators=[RegexValidator(r"\A[\w.@+-]+\Z", _("Letters, digits and @ . + - _ only."))],
        help_text=_("For signing in, here and at the board. Letters, digits and @ . + - _ only."),
        error_messages={"unique": _("This username is taken. Please choose another.")},
    )
    name = models.CharField(_("name"), max_length=100, blank=True, help_text=_("As colleagues know this person."))
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Switched off, this person is out at once, everywhere."))
    is_superuser = models.BooleanField(_("platform operator"), default=False, help_text=_("May see and do everything."))
    date_joined = models.DateTimeField(_("since"), default=now, editable=False)

    objects = UserManager()
    USERNAME_FIELD = "username"

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        ordering = ["username"]

    def __str__(self):
        return self.name or self.username

    def clean(self):
        """Names that differ only by case would be one and the same to people."""
        super().clean()
        # Not `iexact`: on MySQL that is a LIKE, which heeds the case in our binary collation.
        others = User.objects.exclude(pk=self.pk).alias(lowered=models.functions.Lower("username"))
        if others.filter(lowered=self.username.lower()).exists():
            raise ValidationError({"username": ValidationError(self._meta.get_field("username").error_messages["unique"], code="unique")})

    @property
    def is_staff(self):
        """May this person enter the admin site at all? Whoever works somewhere may: the board lives there."""
        return self.is_superuser or self.memberships.working().exists()

    def has_perm(self, perm, obj=None):
        return self.is_active and self.is_superuser

    def has_module_perms(self, app_label):
        return self.is_active and self.is_superuser

    def password_mark(self) -> str:
        """Changes whenever the password does, whoever changed it: tokens carry it and die with it. With SECRET_KEY too."""
        return self.get_session_auth_hash()[:16]


_timezones = cache(zoneinfo.available_timezones)  # opens six hundred files: 13 ms


def validate_timezone(name):
    if name not in _timezones():
        raise ValidationError(_("“%(name)s” is not a time zone like Asia/Seoul."), params={"name": name})


class StoreQuerySet(StoreScoped):
    def open(self):
        return self.filter(is_active=True)

    def in_store(self, store):
        return self.filter(pk=store.pk)


class Store(models.Model):
    store_lookup = "pk"

    class Steps(models.IntegerChoices):
        FOUR = 4, _("four: pending, preparing, ready, served")
        THREE = 3, _("three: pending, preparing, completed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.SlugField(
        _("code"), max_length=40, unique=True, help_text=_("Typed when signing in, for example “hanok”. Small letters, digits, - and _.")
    )
    name = models.CharField(_("name"), max_length=100)
    currency = models.CharField(
        _("currency"),
        max_length=3,
        default="KRW",
        validators=[RegexValidator(r"\A[A-Z]{3}\Z", _("Three capital letters, like KRW."))],
        help_text=_("Three letters, like KRW or USD. Prices are in its smallest unit: won, cents."),
    )
    timezone = models.CharField(
        _("time zone"),
        max_length=64,
        default="Asia/Seoul",
        validators=[validate_timezone],
        help_text=_("Like Asia/Seoul or America/New_York."),
    )
    day_starts_at = models.PositiveSmallIntegerField(
        _("day begins at"),
        default=5,
        validators=[MaxValueValidator(23)],
        help_text=_("Hour from 0 to 23. Orders before it still count to the evening before; order numbers begin at 1 here."),
    )
    steps = models.PositiveSmallIntegerField(_("kitchen steps"), choices=Steps, default=Steps.FOUR)
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Switched off, nobody can sign in or order here."))
    created_at = models.DateTimeField(_("created"), default=now, editable=False)

    objects = StoreQuerySet.as_manager()

    class Meta:
        verbose_name = _("store")
        verbose_name_plural = _("stores")
        ordering = ["name", "code"]
        constraints = [
            models.CheckConstraint(condition=Q(steps__in=[3, 4]), name="store_has_three_or_four_steps"),
            models.CheckConstraint(condition=Q(day_starts_at__lte=23), name="store_day_starts_at_an_hour"),
            models.CheckConstraint(condition=~Q(code=""), name="store_has_a_code"),
        ]

    def __str__(self):
        return self.name

    def clean(self):
        self.code = self.code.lower()  # typed at every tablet: HANOK beside hanok would be two stores

    @property
    def mark(self) -> str:
        """Names the store outside its database. The id alone doesn't: the demo's stores have the same in every one."""
        return f"{self.pk}:{self.created_at.timestamp():.6f}"

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.timezone)


class MembershipQuerySet(StoreScoped):
    def working(self):
        """Of people who may work there now."""
        return self.filter(is_active=True, user__is_active=True, store__is_active=True)


class Membership(models.Model):
    """A person works in a store."""

    store_lookup = "store"

    class Role(models.TextChoices):
        OWNER = "owner", _("owner")
        MANAGER = "manager", _("manager")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    store = models.ForeignKey(Store, models.CASCADE, related_name="memberships", verbose_name=_("store"))
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships", verbose_name=_("person"))
    role = models.CharField(
        _("role"),
        max_length=10,
        choices=Role,
        default=Role.MANAGER,
        help_text=_("Owners may do everything in the store; managers have the board, tables and sold-out."),
    )
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Switched off, this person is out of this store at once."))

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("staff account")
        verbose_name_plural = _("staff accounts")
        ordering = ["store__name", "user__username"]
        constraints = [
            models.UniqueConstraint(fields=["store", "user"], name="one_membership_per_store_and_user"),
            models.CheckConstraint(condition=Q(role__in=["owner", "manager"]), name="membership_role_is_known"),
        ]

    def __str__(self):
        return f"{self.user} · {self.store}"


TABLE_PASSWORD = {"min_length": 4, "max_length": 128}  # characters: somebody types it at every table


class TableQuerySet(StoreScoped):
    def working(self):
        """Whose tablets may come in now."""
        return self.filter(is_active=True, store__is_active=True)

    def in_reading_order(self):
        """1, 2, 10 and not 1, 10, 2: by length, then by text."""
        return self.annotate(number_length=models.functions.Length("number")).order_by("number_length", "number", "id")

    def lock(self, table_id):
        """That table, locked until the transaction ends; Absent if it isn't among these.

        Every write about a party at a table takes this lock first, so that everything that concerns one party
        happens one after the other.
        """
        return self.locked().get_or_absent(table_id)


class Table(models.Model):
    store_lookup = "store"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    store = models.ForeignKey(Store, models.CASCADE, related_name="tables", verbose_name=_("store"))
    number = models.CharField(_("number"), max_length=20, help_text=_("As it stands on the table: “12”, “Terrace 3”."))
    password = models.CharField(_("tablet password"), max_length=128, editable=False)
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Switched off, its tablet is out at once and nobody can order from it.")
    )
    # Tokens carry the epoch they were given in; a higher one on the row makes them all invalid at once.
    epoch = models.PositiveIntegerField(default=1, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = TableQuerySet.as_manager()

    class Meta:
        verbose_name = _("table")
        verbose_name_plural = _("tables")
        ordering = ["store__name", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["store", "number"],
                name="one_table_per_store_and_number",
                violation_error_message=_("This store has a table with that number."),
            ),
            models.CheckConstraint(condition=~Q(number=""), name="table_has_a_number"),
        ]

    def __str__(self):
        return self.number

    def set_password(self, raw: str):
        """A new password cuts off every tablet that signed in with the old one."""
        self.password = make_password(raw)
        self.epoch += 1

    def check_password(self, raw: str) -> bool:
        return check_password(raw, self.password)


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


class Counters(models.Model):
    """The store's counter row: the last number of everything that is counted without a hole, events first of all.

    Its lock is the last one that any transaction takes; see `stores/journal.py`.
    """

    store = models.OneToOneField(Store, models.CASCADE, primary_key=True, related_name="counters")
    last_number = models.PositiveBigIntegerField(default=0)
    purged_number = models.PositiveBigIntegerField(default=0)  # events up to here are gone
    order_day = models.DateField(null=True)
    last_order_number = models.PositiveIntegerField(default=0)
    menu_version = models.PositiveBigIntegerField(default=1)

    class Meta:
        db_table = "stores_journal"  # as it was named first
        constraints = [models.CheckConstraint(condition=Q(purged_number__lte=models.F("last_number")), name="journal_purges_only_the_past")]


class Event(models.Model):
    """One thing that happened in a store. `body` is the payload as it goes on the wire, JSON in UTF-8; `table_id` is the
    table whose tablet hears of it."""

    store_lookup = "store"

    id = models.BigAutoField(primary_key=True)
    store = models.ForeignKey(Store, models.CASCADE, db_index=False, related_name="events")
    number = models.PositiveBigIntegerField()
    type = models.CharField(max_length=40)
    table_id = models.UUIDField(null=True)
    at = models.DateTimeField()
    body = models.TextField()

    objects = StoreScoped.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "number"], name="one_event_per_store_and_number")]
        indexes = [models.Index(fields=["at"], name="event_time")]


class RelayCursor(models.Model):
    """How far a store's journal has got to the message bus, and which relay is at it; see `stores/relay.py`."""

    journal = models.OneToOneField(Counters, models.CASCADE, primary_key=True, related_name="relay_cursor")
    number = models.PositiveBigIntegerField()  # the last event that the broker has, or that was set aside
    claimed_by = models.CharField(max_length=100, blank=True)
    claimed_until = models.DateTimeField(null=True)
    failures = models.PositiveSmallIntegerField(default=0)  # how often in a row the broker refused the next event
    next_try_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=500, blank=True)


class SetAsideEvent(models.Model):
    """An event that the broker would not take, so that those after it could go on.

    What a queue calls a dead letter. A copy: the journal itself is removed when it is old enough.
    """

    store_lookup = "store"

    id = models.BigAutoField(primary_key=True)
    store = models.ForeignKey(Store, models.CASCADE, related_name="set_aside_events", verbose_name=_("store"))
    number = models.PositiveBigIntegerField(_("number"))
    type = models.CharField(_("type"), max_length=40)
    body = models.TextField(_("content"))
    error = models.CharField(_("reason"), max_length=500)
    attempts = models.PositiveIntegerField(_("attempts"))
    at = models.DateTimeField(_("last attempt"))
    asked_again = models.BooleanField(_("to be tried again"), default=False)

    objects = StoreScoped.as_manager()

    class Meta:
        verbose_name = _("event not delivered")
        verbose_name_plural = _("events not delivered")
        ordering = ["-at", "-id"]
        constraints = [models.UniqueConstraint(fields=["store", "number"], name="one_set_aside_per_store_and_number")]

    def __str__(self):
        return f"{self.number} {self.type}"


class AuditEntry(models.Model):
    """Who did what. Written with the change itself, never changed."""

    store_lookup = "store"

    id = models.BigAutoField(primary_key=True)
    store = models.ForeignKey(Store, models.CASCADE, related_name="audit", verbose_name=_("store"))
    at = models.DateTimeField(_("time"), default=now)
    actor = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", verbose_name=_("person"))
    actor_name = models.CharField(_("name"), max_length=100)
    action = models.CharField(_("action"), max_length=40)
    subject = models.CharField(_("about"), max_length=120)
    details = models.JSONField(_("details"), default=dict)

    objects = StoreScoped.as_manager()

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit")
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["store", "-at"], name="audit_newest_first")]

    def __str__(self):
        return f"{self.action} {self.subject}"
