"""The part of the menu that an order asks for, read in one statement."""

import uuid
from collections.abc import Collection, Iterable, Sequence
from functools import cache

from django.db.models import UUIDField

from menus.models import Item
from stores.models import Store
from tableorder.statements import Bound, Given, Select

from .pricing import Choice, OfferedItem, OfferedOption


@cache
def _statement(count: int) -> Select:
    return Select(
        lambda: (
            Item.objects.in_store(Given("store", UUIDField()))
            .alive()
            .filter(pk__in=Given.each("items", UUIDField(), count))
            .order_by("pk", "choices__position", "choices__pk", "choices__group__options__position")
            .values_list(
                *("pk", "name", "price", "sold_out", "stock"),
                *("choices__group", "choices__group__name", "choices__group__min", "choices__group__max", "choices__group__deleted_at"),
                *(f"choices__group__options__{field}" for field in ("pk", "name", "price_delta", "sold_out", "deleted_at")),
            )
        )
    )


def offer(store: Store, ids: Collection[uuid.UUID]) -> Bound:
    """The statement that reads these items, for `offered`."""
    return _statement(len(ids)).given(store=store.pk, items=list(ids))


def offered(rows: Iterable[Sequence]) -> dict[uuid.UUID, OfferedItem]:
    """{id: item} of those that are on the store's menu, with their choices."""
    menu = {}
    for id, name, price, sold_out, stock, group, group_name, least, most, group_deleted, option, *option_fields in rows:
        item = menu.setdefault(id, OfferedItem(id, name, price, sold_out, stock))
        if group is None or group_deleted:
            continue
        choice = item.choices.setdefault(group, Choice(group_name, least, most))
        *offer, option_deleted = option_fields
        if option is not None and not option_deleted:
            choice.options[option] = OfferedOption(option, *offer)
    return menu
