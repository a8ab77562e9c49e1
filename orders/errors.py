from django.utils.translation import gettext_lazy as _

from tableorder.errors import Absent, Conflict, Malformed, Mismatch


class IdempotencyKeyRequired(Malformed):
    code = "IDEMPOTENCY_KEY_REQUIRED"
    detail = _("An order needs the header Idempotency-Key with 8 to 128 printable characters.")


class EmptyOrder(Malformed):
    code = "EMPTY_ORDER"
    detail = _("The order has no lines.")


class InvalidOption(Malformed):
    code = "INVALID_OPTION"
    detail = _("An option does not belong to this item.")


class OptionCount(Malformed):
    code = "OPTION_COUNT"
    detail = _("Too few or too many options were chosen.")


class ItemNotFound(Absent):
    code = "ITEM_NOT_FOUND"
    detail = _("An item in this order is no longer on the menu.")


class SoldOut(Conflict):
    """`lines`: [{line (index), item, name, available (portions of it as it was asked), options (ids sold out)}]."""

    code = "SOLD_OUT"
    detail = _("Something in this order has just sold out.")


class PriceChanged(Conflict):
    """`lines`, `total`: as a quote would say them now."""

    code = "PRICE_CHANGED"
    detail = _("A price has changed. Please look at the order again.")


class SessionChanged(Conflict):
    """`session`: the one that is current, or null."""

    code = "SESSION_CHANGED"
    detail = _("Another party is at this table now. Please look at the order again.")


class IdempotencyKeyReused(Mismatch):
    code = "IDEMPOTENCY_KEY_REUSED"
    detail = _("This key was used for another order.")


class IllegalTransition(Conflict):
    """`current`: the order as it is."""

    code = "ILLEGAL_TRANSITION"
    detail = _("The order can't go to this state now.")


class VersionConflict(Conflict):
    """`current`: the order as it is."""

    code = "VERSION_CONFLICT"
    detail = _("Somebody else has changed this order meanwhile.")


class NoActiveSession(Conflict):
    code = "NO_ACTIVE_SESSION"
    detail = _("Nobody is at this table.")


class OrdersUnfinished(Conflict):
    """`lines`: [{order, line, name, quantity, status}]."""

    code = "ORDERS_UNFINISHED"
    detail = _("Some lines have not been served yet.")
