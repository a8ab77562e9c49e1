"""The portions of counted items: locked in the order of their ids, taken by orders, given back by cancellations."""

import uuid
from collections.abc import Sequence
from functools import cache

from django.db.models import Case, F, IntegerField, UUIDField, When

from menus.models import Item
from tableorder.statements import Bound, Given, Select, Update, as_one, together

from .errors import SoldOut
from .pricing import PricedLine, asked_quantities


def lock_stock(priced: Sequence[PricedLine]) -> dict[uuid.UUID, int]:
    """{id: portions asked} of the counted items, whose rows are locked now. Raises SoldOut.

    In the order of their ids: two orders with the same items the other way round would otherwise wait for each other.
    """
    asked = asked_quantities(priced)
    counted = list({line.item.id for line in priced if line.item.stock is not None})
    if not counted:
        return {}
    stock = dict(_left(len(counted)).rows(items=counted))
    short = [id for id, left in stock.items() if left < asked[id]]
    if short:
        raise SoldOut(
            lines=[
                {"line": position, "item": str(line.item.id), "name": line.item.name, "available": stock[line.item.id], "options": []}
                for position, line in enumerate(priced)
                if line.item.id in short
            ]
        )
    return {id: asked[id] for id in stock}


def taking(portions: dict[uuid.UUID, int]) -> Bound | None:
    """The statement that takes these portions; the rows must be locked already."""
    return _adding({item: -count for item, count in portions.items()})


def give_back(portions: dict[uuid.UUID, int]) -> bool:
    """Whether an item's stock has changed: one that is no longer counted takes nothing back."""
    counted = [item for item, _ in _left(len(portions)).rows(items=list(portions))] if portions else []
    together(*as_one(_adding({item: portions[item] for item in counted})))
    return bool(counted)


def _adding(portions):
    return _more(len(portions)).given(items=list(portions), portions=list(portions.values())) if portions else None


@cache
def _left(count: int) -> Select:
    counted = Given.each("items", UUIDField(), count)
    return Select(lambda: Item.objects.filter(pk__in=counted, stock__isnull=False).locked().values_list("pk", "stock"))


@cache
def _more(count: int) -> Update:
    items, portions = Given.each("items", UUIDField(), count), Given.each("portions", IntegerField(), count)
    change = Case(*(When(pk=item, then=F("stock") + more) for item, more in zip(items, portions, strict=True)))
    return Update(lambda: (Item.objects.filter(pk__in=items, stock__isnull=False), {"stock": change}))
