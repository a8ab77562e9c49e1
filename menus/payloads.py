"""What categories, items and options look like on the wire, for staff. The guests' menu: `published.py`."""

from . import images
from .models import Category, Item, Option, OptionGroup


def category_payload(category: Category) -> dict:
    return {"id": str(category.pk), "name": category.name, "position": category.position}


def option_payload(option: Option) -> dict:
    return {"id": str(option.pk), "name": option.name, "price_delta": option.price_delta, "sold_out": option.sold_out}


def option_group_payload(group: OptionGroup) -> dict:
    """Of a group read `with_options`."""
    return {
        "id": str(group.pk),
        "name": group.name,
        "min": group.min,
        "max": group.max,
        "options": [option_payload(option) for option in group.options.all()],
    }


def item_payload(item: Item) -> dict:
    """Of an item read `with_choices`. `sold_out` is the switch alone: the guest also sees 0 portions as sold out."""
    return {
        "id": str(item.pk),
        "category": str(item.category_id),
        "position": item.position,
        "name": item.name,
        "description": item.description,
        "price": item.price,
        "image": images.urls(item.image.name),
        "sold_out": item.sold_out,
        "stock": item.stock,
        "option_groups": [option_group_payload(choice.group) for choice in item.choices.all()],
    }
