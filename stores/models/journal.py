"""What happened in a store, and how far the message bus has heard of it."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from stores.scoping import StoreScoped

from .places import Store


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
