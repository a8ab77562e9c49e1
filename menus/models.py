"""What a store sells. Deleting is soft: old orders keep pointing at what was ordered."""

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Prefetch, Q
from django.utils.translation import gettext_lazy as _

from stores.models import Store
from stores.scoping import StoreScoped
from tableorder.markers import marker_while

MAX_PRICE = 10_000_000  # in the currency's smallest unit
MAX_STOCK = 1_000_000  # that somebody may enter; what cancelled orders give back comes on top
MAX_OPTIONS = 50  # of a group; as many groups of an item


class Deletable(StoreScoped):
    def alive(self):
        return self.filter(deleted_at__isnull=True)


class Category(models.Model):
    store_lookup = "store"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    store = models.ForeignKey(Store, models.CASCADE, related_name="categories", verbose_name=_("store"))
    name = models.CharField(_("name"), max_length=100)
    position = models.PositiveIntegerField(_("position"), default=0, db_index=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    alive = marker_while(deleted_at__isnull=True)

    objects = Deletable.as_manager()

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["store", "name", "alive"], name="one_live_category_per_name"),
            models.CheckConstraint(condition=~Q(name=""), name="category_has_a_name"),
        ]

    def __str__(self):
        return self.name


class OptionGroupQuerySet(Deletable):
    def with_options(self):
        """Everything a group's payload says, in two queries however many groups."""
        return self.prefetch_related(Prefetch("options", Option.objects.alive().in_owners_order()))


class OptionGroup(models.Model):
    """A choice: "Size", "Toppings". The guest takes at least `min` and at most `max` of its options."""

    store_lookup = "store"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    store = models.ForeignKey(Store, models.CASCADE, related_name="option_groups", verbose_name=_("store"))
    name = models.CharField(_("name"), max_length=100, help_text=_("As the guest reads it: “Size”, “Toppings”."))
    min = models.PositiveSmallIntegerField(_("at least"), default=0, help_text=_("How many the guest must take. 0: none needed."))
    max = models.PositiveSmallIntegerField(_("at most"), default=1, help_text=_("How many the guest may take. 1: one of them."))
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = OptionGroupQuerySet.as_manager()

    class Meta:
        verbose_name = _("option group")
        verbose_name_plural = _("option groups")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="option_group_has_a_name"),
            models.CheckConstraint(condition=Q(max__gte=1), name="option_group_allows_one"),
            models.CheckConstraint(condition=Q(min__lte=models.F("max")), name="option_group_min_is_at_most_max"),
        ]

    def __str__(self):
        return self.name


class OptionQuerySet(Deletable):
    def in_owners_order(self):
        return self.order_by("position", "pk")


class Option(models.Model):
    store_lookup = "group__store"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    group = models.ForeignKey(OptionGroup, models.CASCADE, related_name="options", verbose_name=_("option group"))
    name = models.CharField(_("name"), max_length=100)
    price_delta = models.IntegerField(
        _("price difference"),
        default=0,
        validators=[MinValueValidator(-MAX_PRICE), MaxValueValidator(MAX_PRICE)],
        help_text=_("Added to the dish's price, in the smallest unit. May be negative."),
    )
    sold_out = models.BooleanField(_("sold out"), default=False)
    position = models.PositiveIntegerField(_("position"), default=0)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = OptionQuerySet.as_manager()

    class Meta:
        verbose_name = _("option")
        verbose_name_plural = _("options")
        ordering = ["position"]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="option_has_a_name"),
            models.CheckConstraint(
                condition=Q(price_delta__gte=-MAX_PRICE, price_delta__lte=MAX_PRICE), name="option_price_delta_in_range"
            ),
        ]

    def __str__(self):
        return self.name


class ItemQuerySet(Deletable):
    def with_choices(self):
        """Everything an item's payload says, in three queries however many items."""
        choices = ItemOptionGroup.objects.filter(group__deleted_at__isnull=True).select_related("group").order_by("position", "pk")
        options = Option.objects.alive().in_owners_order()
        return self.prefetch_related(Prefetch("choices", choices), Prefetch("choices__group__options", options))


class Item(models.Model):
    """A dish or a drink."""

    store_lookup = "store"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    store = models.ForeignKey(Store, models.CASCADE, related_name="items", verbose_name=_("store"))
    category = models.ForeignKey(Category, models.PROTECT, related_name="items", verbose_name=_("category"))
    name = models.CharField(_("name"), max_length=100)
    description = models.TextField(_("description"), max_length=1000, blank=True)
    price = models.PositiveIntegerField(
        _("price"),
        validators=[MinValueValidator(1), MaxValueValidator(MAX_PRICE)],
        help_text=_("In the currency's smallest unit: 18000 is ₩18,000 or $180.00."),
    )
    # The storage name of the largest of the three sizes; the others lie beside it (menus/images.py).
    image = models.ImageField(_("image"), upload_to="", max_length=200, blank=True)
    sold_out = models.BooleanField(_("sold out"), default=False, help_text=_("Shown on the menu, but not to be ordered."))
    stock = models.PositiveIntegerField(
        _("portions left"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(MAX_STOCK)],
        help_text=_("Counts down with each order; at 0 it is sold out. Empty: not counted."),
    )
    position = models.PositiveIntegerField(_("position"), default=0)
    option_groups = models.ManyToManyField(OptionGroup, through="ItemOptionGroup", related_name="items", verbose_name=_("option groups"))
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    alive = marker_while(deleted_at__isnull=True)

    objects = ItemQuerySet.as_manager()

    class Meta:
        verbose_name = _("item")
        verbose_name_plural = _("items")
        ordering = ["category__position", "position"]
        constraints = [
            models.UniqueConstraint(fields=["category", "name", "alive"], name="one_live_item_per_category_and_name"),
            models.CheckConstraint(condition=~Q(name=""), name="item_has_a_name"),
            models.CheckConstraint(condition=Q(price__gte=1, price__lte=MAX_PRICE), name="item_price_in_range"),
            models.CheckConstraint(condition=Q(stock__isnull=True) | Q(stock__gte=0), name="item_stock_is_never_negative"),
        ]

    def __str__(self):
        return self.name


class ItemOptionGroup(models.Model):
    """An item offers a choice, at a place among its choices."""

    store_lookup = "item__store"

    id = models.BigAutoField(primary_key=True)
    item = models.ForeignKey(Item, models.CASCADE, related_name="choices", verbose_name=_("item"))
    group = models.ForeignKey(OptionGroup, models.CASCADE, related_name="choices", verbose_name=_("option group"))
    position = models.PositiveIntegerField(_("position"), default=0)

    objects = StoreScoped.as_manager()

    class Meta:
        verbose_name = _("option group of the item")
        verbose_name_plural = _("option groups of the item")
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["item", "group"], name="an_item_offers_a_choice_once")]

    def __str__(self):
        return str(self.group)
