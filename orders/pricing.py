"""What an order costs: one pure function, which the quote and the order both call."""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from .errors import InvalidOption, ItemNotFound, OptionCount, SoldOut


@dataclass(frozen=True)
class NewLine:
    """So many of an item, with options: as the tablet asks."""

    item: uuid.UUID
    quantity: int
    options: tuple[uuid.UUID, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class OfferedOption:
    id: uuid.UUID
    name: str
    price_delta: int
    sold_out: bool


@dataclass(frozen=True)
class Choice:
    """A group of options: at least `min`, at most `max` of them."""

    name: str
    min: int
    max: int
    options: dict[uuid.UUID, OfferedOption] = field(default_factory=dict)


@dataclass(frozen=True)
class OfferedItem:
    id: uuid.UUID
    name: str
    price: int
    sold_out: bool
    stock: int | None
    choices: dict[uuid.UUID, Choice] = field(default_factory=dict)

    def option(self, id) -> OfferedOption | None:
        return next((choice.options[id] for choice in self.choices.values() if id in choice.options), None)


@dataclass(frozen=True)
class PricedLine:
    item: OfferedItem
    quantity: int
    options: tuple[OfferedOption, ...]
    unit_price: int
    note: str

    @property
    def total(self) -> int:
        return self.unit_price * self.quantity


def price(lines: Sequence[NewLine], menu: Mapping[uuid.UUID, OfferedItem]) -> list[PricedLine]:
    """The lines with their prices, in the currency's smallest unit.

    A unit costs the item's price and the differences of its options, never less than nothing. Raises
    ItemNotFound, InvalidOption and OptionCount for an order that never could be, then SoldOut for one that can't
    be now; stock is counted over all lines, so 2 + 2 of 3 portions is sold out.
    """
    priced = [_price_line(position, line, menu) for position, line in enumerate(lines)]
    _refuse_sold_out(priced)
    return priced


def _price_line(position, line, menu):
    item = menu.get(line.item)
    if item is None:
        raise ItemNotFound(errors=[_error(f"/lines/{position}/item", ItemNotFound)])
    chosen = [item.option(id) for id in line.options]
    if None in chosen or len(set(line.options)) != len(line.options):
        raise InvalidOption(errors=[_error(f"/lines/{position}/options", InvalidOption)])
    for choice in item.choices.values():
        count = sum(option.id in choice.options for option in chosen)
        if not choice.min <= count <= choice.max:
            detail = _("%(name)s: choose %(min)d to %(max)d.") % {"name": choice.name, "min": choice.min, "max": choice.max}
            raise OptionCount(detail, errors=[_error(f"/lines/{position}/options", OptionCount, detail)])
    unit_price = max(0, item.price + sum(option.price_delta for option in chosen))
    return PricedLine(item, line.quantity, tuple(chosen), unit_price, line.note)


def _refuse_sold_out(priced):
    asked = asked_quantities(priced)
    sold_out = []
    for position, line in enumerate(priced):
        options = [str(option.id) for option in line.options if option.sold_out]
        available = 0 if options or line.item.sold_out else line.item.stock
        if available is not None and available < asked[line.item.id]:
            what = {"item": str(line.item.id), "name": line.item.name, "available": available, "options": options}
            sold_out.append({"line": position} | what)
    if sold_out:
        raise SoldOut(lines=sold_out)


def asked_quantities(priced: Sequence[PricedLine]) -> Counter:
    """{item id: portions} over all lines."""
    asked = Counter()
    for line in priced:
        asked[line.item.id] += line.quantity
    return asked


def _error(pointer, kind, detail=None):
    return {"pointer": pointer, "code": kind.code, "detail": str(detail or kind.detail)}
