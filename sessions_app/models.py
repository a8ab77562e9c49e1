"""A party at a table, and its calls."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from stores.models import Store, Table, User
from stores.scoping import StoreScoped
from tableorder.markers import marker_while


class SessionQuerySet(StoreScoped):
    def active(self):
        return self.filter(state=TableSession.State.ACTIVE)

    def active_at(self, table):
        # By the marker: the one row of a unique index. By the state the planner also looks at all that are active.
        return self.filter(table=table, active_marker=1)

    def on_the_board(self):
        return self.filter(state__in=[TableSession.State.ACTIVE, TableSession.State.EXPIRED])

    def completed(self):
        return self.filter(state=TableSession.State.COMPLETED)

    def run_out(self, now):
        """Active by name, but past one of the two clocks."""
        past = Q(pk__in=[])
        if settings.SESSION_EXPIRE_HOURS:
            past |= Q(started_at__lte=now - timedelta(hours=settings.SESSION_EXPIRE_HOURS))
        if settings.SESSION_LAST_ORDER_TIMEOUT_HOURS:
            past |= Q(last_order_at__lte=now - timedelta(hours=settings.SESSION_LAST_ORDER_TIMEOUT_HOURS))
        return self.active().filter(past)


class TableSession(models.Model):
    """One party at one table, from its first order until staff complete it."""

    store_lookup = "store"

    class State(models.TextChoices):
        ACTIVE = "active", pgettext_lazy("a party", "active")  # in Korean another word than of a table
        EXPIRED = "expired", _("unsettled")
        COMPLETED = "completed", _("completed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    store = models.ForeignKey(Store, models.CASCADE, db_index=False, related_name="sessions", verbose_name=_("store"))
    table = models.ForeignKey(Table, models.PROTECT, db_index=False, related_name="sessions", verbose_name=_("table"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.ACTIVE)
    started_at = models.DateTimeField(_("began"), default=timezone.now)
    last_order_at = models.DateTimeField(_("last order"), default=timezone.now)
    completed_at = models.DateTimeField(_("completed"), null=True, blank=True)
    completed_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("completed by"))
    # The bill: what its orders come to. Kept with every order and cancellation, under the table's lock, so that
    # neither the board nor the history adds it up again.
    total = models.PositiveBigIntegerField(_("total"), default=0)
    active_marker = marker_while(state="active")

    objects = SessionQuerySet.as_manager()

    class Meta:
        verbose_name = _("table session")
        verbose_name_plural = _("table sessions")
        ordering = ["-started_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["table", "active_marker"], name="one_active_session_per_table"),
            models.CheckConstraint(condition=Q(state__in=["active", "expired", "completed"]), name="session_state_is_known"),
            models.CheckConstraint(
                condition=Q(state="completed", completed_at__isnull=False) | (~Q(state="completed") & Q(completed_at__isnull=True)),
                name="session_is_completed_with_its_time",
            ),
            models.CheckConstraint(condition=Q(last_order_at__gte=models.F("started_at")), name="session_orders_follow_its_start"),
        ]
        indexes = [
            models.Index(fields=["store", "-completed_at", "-id"], name="history_of_the_store"),
            models.Index(fields=["table", "-completed_at", "-id"], name="history_of_the_table"),
            models.Index(fields=["store", "state"], name="sessions_on_the_board"),
            # Without the time of the last order: then PostgreSQL needn't touch any index when it changes (HOT).
            models.Index(fields=["state"], name="sessions_by_state"),
        ]

    def __str__(self):
        return f"{self.table} · {timezone.localtime(self.started_at, self.store.zone):%Y-%m-%d %H:%M}"

    @property
    def expires_at(self):
        """When it stops taking orders by itself; None if no clock is set."""
        clocks = [(self.started_at, settings.SESSION_EXPIRE_HOURS), (self.last_order_at, settings.SESSION_LAST_ORDER_TIMEOUT_HOURS)]
        return min((since + timedelta(hours=hours) for since, hours in clocks if hours), default=None)

    def has_run_out(self, now) -> bool:
        return self.state == self.State.ACTIVE and (end := self.expires_at) is not None and end <= now

    def takes_orders(self, now) -> bool:
        return self.state == self.State.ACTIVE and not self.has_run_out(now)


class CallQuerySet(StoreScoped):
    def open(self):
        return self.filter(state=ServiceCall.State.OPEN)


class ServiceCall(models.Model):
    """A table asks for somebody. Open until somebody takes it."""

    store_lookup = "store"

    class Kind(models.TextChoices):
        HELP = "help", _("help")
        WATER = "water", _("water")
        CUTLERY = "cutlery", _("cutlery")
        BILL = "bill", _("bill")

    class State(models.TextChoices):
        OPEN = "open", _("open")
        RESOLVED = "resolved", _("resolved")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    store = models.ForeignKey(Store, models.CASCADE, related_name="calls", verbose_name=_("store"))
    table = models.ForeignKey(Table, models.PROTECT, related_name="calls", verbose_name=_("table"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.OPEN)
    opened_at = models.DateTimeField(_("opened"), default=timezone.now)
    resolved_at = models.DateTimeField(_("resolved at"), null=True, blank=True)
    resolved_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("resolved by"))
    open_marker = marker_while(state="open")

    objects = CallQuerySet.as_manager()

    class Meta:
        verbose_name = _("service call")
        verbose_name_plural = _("service calls")
        ordering = ["-opened_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["table", "kind", "open_marker"], name="one_open_call_per_table_and_kind"),
            models.CheckConstraint(condition=Q(kind__in=["help", "water", "cutlery", "bill"]), name="call_kind_is_known"),
            models.CheckConstraint(
                condition=Q(state="open", resolved_at__isnull=True) | Q(state="resolved", resolved_at__isnull=False),
                name="call_is_resolved_with_its_time",
            ),
        ]
        indexes = [models.Index(fields=["store", "state"], name="calls_on_the_board")]

    def __str__(self):
        return f"{self.table} · {self.get_kind_display()}"
