"""Orders and their lines: what was asked, what it costs, how far the kitchen is."""

import datetime
import uuid

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from menus.models import Item, Option
from sessions_app.models import TableSession
from stores.models import Store, Table, User
from stores.scoping import StoreScoped
from tableorder.statements import columns


class Status(models.TextChoices):
    PENDING = "pending", _("pending")
    PREPARING = "preparing", _("preparing")
    READY = "ready", _("ready")
    SERVED = "served", _("served")
    CANCELLED = "cancelled", _("cancelled")


MAX_QUANTITY = 99  # of a line
MAX_LINES = 50  # of an order

# From the least advanced on: the order's state is the first of these that one of its live lines is in.
PROGRESS = [Status.PENDING, Status.PREPARING, Status.READY, Status.SERVED]

# With a line in one of these the kitchen has nothing to do any more.
FINISHED = [Status.SERVED, Status.CANCELLED]

# Which state may follow which, by the number of kitchen steps of the store. Nothing goes back.
NEXT = {
    4: {Status.PENDING: Status.PREPARING, Status.PREPARING: Status.READY, Status.READY: Status.SERVED},
    3: {Status.PENDING: Status.PREPARING, Status.PREPARING: Status.SERVED, Status.READY: Status.SERVED},
}


class OrderQuerySet(StoreScoped):
    def with_lines(self):
        """Everything an order's payload says, in three queries however many orders."""
        return self.select_related("table").prefetch_related(
            models.Prefetch("lines", OrderLine.objects.order_by("position")),
            models.Prefetch("lines__options", OrderLineOption.objects.order_by("id")),
        )

    def as_rows(self):
        """For `payloads.order_payloads`: what it says of the orders themselves."""
        return self.values_list(*columns(Order), "table__number", named=True)

    def newest_first(self):
        return self.order_by("-placed_at", "-id")


class Order(models.Model):
    store_lookup = "store"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    store = models.ForeignKey(Store, models.CASCADE, db_index=False, related_name="orders", verbose_name=_("store"))
    table = models.ForeignKey(Table, models.PROTECT, db_index=False, related_name="orders", verbose_name=_("table"))
    session = models.ForeignKey(TableSession, models.CASCADE, db_index=False, related_name="orders", verbose_name=_("table session"))
    # Null only inside the transaction of a release that wrote an order first and its number later.
    business_day = models.DateField(_("business day"), null=True)
    number = models.PositiveIntegerField(_("number"), null=True)
    # SHA-256 of the tablet's key: keys differ by the byte, database collations may not.
    idempotency_key = models.CharField(max_length=64, editable=False)
    fingerprint = models.CharField(max_length=64, editable=False)
    status = models.CharField(_("state"), max_length=10, choices=Status, default=Status.PENDING)
    total = models.PositiveBigIntegerField(_("total"))
    currency = models.CharField(_("currency"), max_length=3)
    note = models.CharField(_("note"), max_length=200, blank=True)
    placed_at = models.DateTimeField(_("placed"), default=timezone.now)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = OrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        ordering = ["-placed_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["store", "business_day", "number"], name="one_order_per_store_day_and_number"),
            models.UniqueConstraint(fields=["store", "idempotency_key"], name="one_order_per_store_and_key"),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="order_status_is_known"),
            models.CheckConstraint(
                condition=Q(number__isnull=True, business_day__isnull=True) | Q(number__gte=1, business_day__isnull=False),
                name="order_number_counts_from_one",
            ),
        ]
        indexes = [
            models.Index(fields=["store", "-placed_at", "-id"], name="orders_of_the_store"),
            models.Index(fields=["table", "-placed_at", "-id"], name="orders_of_the_table"),
            models.Index(fields=["session", "-placed_at", "-id"], name="orders_of_the_session"),
            models.Index(fields=["store", "status", "-placed_at", "-id"], name="orders_by_status"),
        ]

    def __str__(self):
        return self.order_number

    @property
    def order_number(self) -> str:
        return order_number(self.business_day, self.number)


def order_number(business_day: datetime.date, number: int) -> str:
    """The full form: `20261120-0012`."""
    return f"{business_day:%Y%m%d}-{number:04d}"


class OrderLine(models.Model):
    """So many of one dish, with the name and price it had when it was ordered."""

    store_lookup = "order__store"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    order = models.ForeignKey(Order, models.CASCADE, db_index=False, related_name="lines", verbose_name=_("order"))
    position = models.PositiveSmallIntegerField()
    item = models.ForeignKey(Item, models.PROTECT, related_name="+", verbose_name=_("item"))
    name = models.CharField(_("name"), max_length=100)
    unit_price = models.PositiveIntegerField(_("unit price"))
    quantity = models.PositiveSmallIntegerField(_("quantity"))
    cancelled_quantity = models.PositiveSmallIntegerField(_("cancelled"), default=0)
    status = models.CharField(_("state"), max_length=10, choices=Status, default=Status.PENDING)
    note = models.CharField(_("note"), max_length=200, blank=True)
    # Did this line take portions from the item's stock? Only then may a cancellation give them back.
    took_stock = models.BooleanField(default=False, editable=False)

    objects = StoreScoped.as_manager()

    class Meta:
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["order", "position"], name="one_line_per_order_and_position"),
            models.CheckConstraint(condition=Q(quantity__gte=1, quantity__lte=MAX_QUANTITY), name="line_quantity_is_1_to_99"),
            models.CheckConstraint(condition=Q(cancelled_quantity__lte=F("quantity")), name="line_cancels_at_most_its_quantity"),
            models.CheckConstraint(
                condition=Q(status="cancelled", cancelled_quantity=F("quantity"))
                | (~Q(status="cancelled") & Q(cancelled_quantity__lt=F("quantity"))),
                name="line_is_cancelled_when_nothing_is_left",
            ),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="line_status_is_known"),
        ]

    def __str__(self):
        return f"{self.name} × {self.quantity}"

    @property
    def live_quantity(self) -> int:
        return self.quantity - self.cancelled_quantity

    @property
    def total(self) -> int:
        return line_total(self)


def line_total(line) -> int:
    """What is to be paid for an OrderLine, or for a row of one."""
    return line.unit_price * (line.quantity - line.cancelled_quantity)


class OrderLineOption(models.Model):
    store_lookup = "line__order__store"

    id = models.BigAutoField(primary_key=True)
    line = models.ForeignKey(OrderLine, models.CASCADE, db_index=False, related_name="options", verbose_name=_("order line"))
    option = models.ForeignKey(Option, models.PROTECT, related_name="+", verbose_name=_("option"))
    name = models.CharField(_("name"), max_length=100)
    price_delta = models.IntegerField(_("price difference"))

    objects = StoreScoped.as_manager()

    class Meta:
        verbose_name = _("option")
        verbose_name_plural = _("options")
        constraints = [models.UniqueConstraint(fields=["line", "option"], name="a_line_takes_an_option_once")]

    def __str__(self):
        return self.name


class Cancellation(models.Model):
    """So many of a line were cancelled, by whom and why. Stays for the audit."""

    store_lookup = "line__order__store"

    id = models.BigAutoField(primary_key=True)
    line = models.ForeignKey(OrderLine, models.CASCADE, related_name="cancellations", verbose_name=_("order line"))
    quantity = models.PositiveSmallIntegerField(_("quantity"))
    reason = models.CharField(_("reason"), max_length=200)
    cancelled_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", verbose_name=_("cancelled by"))
    cancelled_at = models.DateTimeField(_("cancelled at"), default=timezone.now)

    objects = StoreScoped.as_manager()

    class Meta:
        verbose_name = _("cancellation")
        verbose_name_plural = _("cancellations")
        ordering = ["cancelled_at"]
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gte=1), name="cancellation_takes_at_least_one"),
            models.CheckConstraint(condition=~Q(reason=""), name="cancellation_has_a_reason"),
        ]

    def __str__(self):
        return f"{self.line.name} × {self.quantity}"
