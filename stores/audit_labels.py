"""The audit in words: what its actions and details are called on the screen. An unknown action shows as it is."""

from django.utils.translation import gettext_lazy as _

ACTIONS = {
    "store.created": _("Store created"),
    "store.changed": _("Store changed"),
    "table.created": _("Table created"),
    "table.changed": _("Table changed"),
    "table.signed_out": _("Tablet cut off"),
    "staff.created": _("Staff account created"),
    "staff.changed": _("Staff account changed"),
    "staff.removed": _("Staff account removed"),
    "order.preparing": _("Order is being prepared"),
    "order.ready": _("Order is ready"),
    "order.served": _("Order served"),
    "order.cancelled": _("Order cancelled"),
    "session.completed": _("Table completed"),
}

# Details that say something to people; ids stay in the record and off the screen.
DETAILS = {
    "changed": _("changed"),
    "role": _("role"),
    "reason": _("reason"),
    "total": _("total"),
    "unfinished": _("not served"),
    # what "changed" lists
    "name": _("name"),
    "username": _("username"),
    "is_active": _("active"),
    "password": _("password"),
    "number": _("number"),
    "timezone": _("time zone"),
    "day_starts_at": _("day begins at"),
    "steps": _("kitchen steps"),
    "code": _("code"),
    "currency": _("currency"),
    "language": _("language"),
}
