"""The audit in words: what its actions and details are called on the screen. An unknown action shows as it is."""

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .models import Membership
from .money import money

ACTIONS = {
    "store.created": _("Store created"),
    "store.changed": _("Store changed"),
    "table.created": _("Table created"),
    "table.changed": _("Table changed"),
    "table.signed_out": _("Tablet cut off"),
    "staff.created": _("Staff account created"),
    "staff.changed": _("Staff account changed"),
    "staff.removed": _("Staff account removed"),
    "category.created": _("Category created"),
    "category.changed": _("Category changed"),
    "category.deleted": _("Category deleted"),
    "category.ordered": _("Categories put in another order"),
    "item.created": _("Item created"),
    "item.changed": _("Item changed"),
    "item.deleted": _("Item deleted"),
    "item.ordered": _("Items put in another order"),
    "item.image_changed": _("Image changed"),
    "item.image_removed": _("Image removed"),
    "option_group.created": _("Option group created"),
    "option_group.changed": _("Option group changed"),
    "option_group.deleted": _("Option group deleted"),
    "option.changed": _("Option changed"),
    "order.preparing": _("Order is being prepared"),
    "order.ready": _("Order is ready"),
    "order.served": _("Order served"),
    "order.cancelled": _("Order cancelled"),
    "session.completed": _("Table completed"),
}

# Details that say something to people; ids stay in the record and off the screen.
DETAILS = {
    "role": _("role"),
    "amount": _("off the bill"),
    "dishes": _("cancelled"),
    "reason": _("reason"),
    "total": _("total"),
    "unfinished": _("not served"),
    "price": _("price"),
}

# What "changed" lists.
FIELDS = {
    "name": _("name"),
    "username": _("username"),
    "is_active": _("active"),
    "password": _("password"),
    "role": _("role"),
    "number": _("number"),
    "timezone": _("time zone"),
    "day_starts_at": _("day begins at"),
    "steps": _("kitchen steps"),
    "code": _("code"),
    "currency": _("currency"),
    "category": _("category"),
    "description": _("description"),
    "price": _("price"),
    "sold_out": _("sold out"),
    "stock": _("portions left"),
    "option_groups": _("option groups"),
    "min": _("at least"),
    "max": _("at most"),
    "options": _("options"),
}

_AMOUNTS = {"amount", "total", "price"}
_SHORT = 40  # letters; a longer text is not repeated here


def told(details: dict, currency: str) -> list[str]:
    """The details of an entry as short phrases."""
    phrases = [f"{DETAILS[name]}: {_value(name, value, currency)}" for name, value in details.items() if name in DETAILS]
    before, after = details.get("before", {}), details.get("after", {})
    for name in details.get("changed", []):
        label = str(FIELDS.get(name, name))
        was, becomes = (_value(name, values.get(name), currency) for values in (before, after))
        known = name in before and name in after and max(len(was), len(becomes)) <= _SHORT
        phrases.append(f"{label}: {was} → {becomes}" if known else label)
    return phrases


def _value(name, value, currency) -> str:
    match value:
        case None | "" | []:
            return "—"
        case bool():
            return gettext("yes") if value else gettext("no")
        case str() if name == "role":
            return str(dict(Membership.Role.choices).get(value, value))
        case int() if name in _AMOUNTS:
            return money(value, currency)
        case list() if all(isinstance(inner, str) for inner in value):
            return ", ".join(value)
        case list() | dict():
            return "…" * (_SHORT + 1)  # too much for a phrase
    return str(value)
