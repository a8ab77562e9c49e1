"""The part of the menu that an order asks for: read in one statement, and on MySQL held until the order is stored."""

import uuid
from collections.abc import Collection, Iterable, Sequence
from functools import cache

from django.db.models import UUIDField

from menus.models import Item, Option
from stores.models import Store
from tableorder.statements import Bound, Given, Select, database, together

from .pricing import Choice, OfferedItem, OfferedOption, PricedLine


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


def hold(priced: Sequence[PricedLine], *, locked: Collection[uuid.UUID]):
    """On MySQL: keeps the items and options of these lines as they are until the commit, but for items that are `locked`.

    MySQL locks what a foreign key names when the row with the key is written. An order writes that row after it has the
    counter row, for which a change of the dish waits: each would wait for the other, and the dish could not be changed
    or sold out as long as it sells well. PostgreSQL's foreign keys are content with less, see `journal.hold_commits`.
    """
    if database().vendor != "mysql":
        return
    for model, ids in (
        (Item, {line.item.id for line in priced}.difference(locked)),
        (Option, {option.id for line in priced for option in line.options}),
    ):
        if ids:
            places = ", ".join(["%s"] * len(ids))
            held = f"SELECT id FROM {model._meta.db_table} WHERE id IN ({places}) ORDER BY id LOCK IN SHARE MODE"
            together(Bound(held, [model._meta.pk.get_db_prep_value(id, database()) for id in ids]))
