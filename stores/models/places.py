"""Stores and their tables."""

import uuid
import zoneinfo
from datetime import date, datetime, time, timedelta
from functools import cache

from django.contrib.auth.hashers import check_password, make_password
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from stores.scoping import StoreScoped

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

    def business_day(self, at: datetime) -> date:
        """The day that a moment counts to: what comes before the store's first hour belongs to the evening before."""
        return (at.astimezone(self.zone) - timedelta(hours=self.day_starts_at)).date()

    def beginning_of(self, day: date) -> datetime:
        """When a business day begins, as a moment."""
        return datetime.combine(day, time(self.day_starts_at), tzinfo=self.zone)


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
