"""What menu endpoints take and answer: input serializers, and the shapes of payloads for OpenAPI."""

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from menus.models import MAX_OPTIONS, MAX_PRICE, MAX_STOCK
from tableorder.fields import Boolean, Id, Integer, Many, Strict, Text

SOLD_OUT = "The switch alone. An item of which 0 portions are left is sold out for guests whatever it says."
STOCK = "Portions left, counted down with each order; at 0 guests see it as sold out. null: not counted."


def price(**more):
    return Integer(min_value=1, max_value=MAX_PRICE, **more)


def stock(**more):
    return Integer(min_value=0, max_value=MAX_STOCK, allow_null=True, help_text=STOCK, **more)


def group_ids(**more):
    return Many(child=Id(), max_length=MAX_OPTIONS, **more)


def once(values):
    """A value may stand in the list once."""
    for place, value in enumerate(values):
        if value is not None and value in values[:place]:
            raise serializers.ValidationError({place: [serializers.ErrorDetail(_("This stands here twice."), code="unique")]})
    return values


# --- What comes in ----------------------------------------------------------------------------------------------


class CategoryInput(Strict):
    name = Text(max_length=100)


class NewItem(Strict):
    name = Text(max_length=100)
    category = Id()
    price = price()
    description = Text(max_length=1000, allow_blank=True, default="")
    stock = stock(default=None)
    sold_out = Boolean(default=False, help_text=SOLD_OUT)
    option_groups = group_ids(default=list)

    def validate_option_groups(self, ids):
        return once(ids)


class ItemChange(Strict):
    """Managers: `sold_out` and `stock` only."""

    name = Text(max_length=100, required=False)
    category = Id(required=False)
    price = price(required=False)
    description = Text(max_length=1000, allow_blank=True, required=False)
    stock = stock(required=False)
    sold_out = Boolean(required=False, help_text=SOLD_OUT)
    option_groups = group_ids(required=False)

    def validate_option_groups(self, ids):
        return once(ids)


class NewOption(Strict):
    name = Text(max_length=100)
    price_delta = Integer(min_value=-MAX_PRICE, max_value=MAX_PRICE)
    sold_out = Boolean(default=False)


class OptionInput(Strict):
    """With `id`: one of the group's options, which stays. Without: a new one."""

    id = Id(required=False)
    name = Text(max_length=100)
    price_delta = Integer(min_value=-MAX_PRICE, max_value=MAX_PRICE)
    sold_out = Boolean(required=False)


class OptionChange(Strict):
    sold_out = Boolean(required=False)


class NewOptionGroup(Strict):
    name = Text(max_length=100)
    min = Integer(min_value=0, max_value=MAX_OPTIONS)
    max = Integer(min_value=1, max_value=MAX_OPTIONS)
    options = Many(child=NewOption(), min_length=1, max_length=MAX_OPTIONS)


class OptionGroupChange(Strict):
    """`options`, if given, are all that the group shall have, in their order: what is left out is deleted."""

    name = Text(max_length=100, required=False)
    min = Integer(min_value=0, max_value=MAX_OPTIONS, required=False)
    max = Integer(min_value=1, max_value=MAX_OPTIONS, required=False)
    options = Many(child=OptionInput(), min_length=1, max_length=MAX_OPTIONS, required=False)

    def validate_options(self, options):
        once([option.get("id") for option in options])
        return options


class CategoryOrderInput(Strict):
    ids = Many(child=Id(), help_text="All categories of the store.")


class ItemOrderInput(Strict):
    category = Id()
    ids = Many(child=Id(), help_text="All items of the category.")


class ImageInput(Strict):
    image = serializers.FileField(help_text="JPEG, PNG or WebP, at most 5 MB and 25 million pixels (WebP: 8 million).")


# --- What goes out ----------------------------------------------------------------------------------------------


class ImageOutput(serializers.Serializer):
    list = serializers.CharField(help_text="Address of the picture with at most 400 pixels a side.")
    detail = serializers.CharField(help_text="At most 1000.")
    original = serializers.CharField(help_text="At most 2000.")


class OptionOutput(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    price_delta = serializers.IntegerField()
    sold_out = serializers.BooleanField()


class OptionGroupOutput(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    min = serializers.IntegerField(help_text="How many the guest must take.")
    max = serializers.IntegerField(help_text="How many the guest may take.")
    options = OptionOutput(many=True)


class MenuItemOutput(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    description = serializers.CharField()
    price = serializers.IntegerField()
    image = ImageOutput(allow_null=True)
    sold_out = serializers.BooleanField(help_text="Not to be ordered: switched off, or no portions left.")
    stock = serializers.IntegerField(allow_null=True, help_text="Portions left. null: not counted.")
    option_groups = OptionGroupOutput(many=True)


class MenuCategoryOutput(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    items = MenuItemOutput(many=True)


class MenuOutput(serializers.Serializer):
    version = serializers.IntegerField()
    categories = MenuCategoryOutput(many=True)


class CategoryOutput(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    position = serializers.IntegerField()


class CategoryPage(serializers.Serializer):
    results = CategoryOutput(many=True)
    next = serializers.CharField(allow_null=True)


class OptionGroupPage(serializers.Serializer):
    results = OptionGroupOutput(many=True)
    next = serializers.CharField(allow_null=True)


class ItemOutput(serializers.Serializer):
    id = serializers.UUIDField()
    category = serializers.UUIDField()
    position = serializers.IntegerField()
    name = serializers.CharField()
    description = serializers.CharField()
    price = serializers.IntegerField()
    image = ImageOutput(allow_null=True)
    sold_out = serializers.BooleanField(help_text=SOLD_OUT)
    stock = serializers.IntegerField(allow_null=True, help_text=STOCK)
    option_groups = OptionGroupOutput(many=True)


class ItemPage(serializers.Serializer):
    results = ItemOutput(many=True)
    next = serializers.CharField(allow_null=True)
