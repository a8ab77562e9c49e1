"""What holds for every order and every menu: the pricing function against a second opinion, written otherwise."""

import itertools
import uuid
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from menus.models import MAX_PRICE
from orders.errors import InvalidOption, ItemNotFound, OptionCount, SoldOut
from orders.pricing import Choice, NewLine, OfferedItem, OfferedOption, asked_quantities, price
from tableorder.errors import Refusal

settings.register_profile("pricing", max_examples=100, derandomize=True, deadline=None, database=None)
profile = settings.get_profile("pricing")

NOTHING = uuid.UUID(int=0)  # no item and no option has this id
names = st.text(max_size=5)
sold_out = st.sampled_from([False, False, False, True])


@st.composite
def offered_items(draw, ids):
    choices = {}
    for _ in range(draw(st.integers(0, 3))):
        deltas = draw(st.lists(st.integers(-MAX_PRICE, MAX_PRICE) | st.integers(-500, 2000), min_size=0, max_size=4))
        offers = [OfferedOption(next(ids), draw(names), delta, draw(sold_out)) for delta in deltas]
        least = draw(st.integers(0, 2))
        choice = Choice(draw(names), least, draw(st.integers(max(least, 1), 4)), {option.id: option for option in offers})
        choices[next(ids)] = choice
    stock = draw(st.none() | st.integers(0, 12))
    return OfferedItem(next(ids), draw(names), draw(st.integers(1, MAX_PRICE)), draw(sold_out), stock, choices)


@st.composite
def menus(draw):
    ids = (uuid.UUID(int=number) for number in itertools.count(1))
    return {item.id: item for item in draw(st.lists(offered_items(ids), min_size=1, max_size=4))}


@st.composite
def proper_lines(draw, menu):
    """A line that the menu allows, sold out or not; None where a choice can't be met."""
    item = draw(st.sampled_from(list(menu.values())))
    options = []
    for choice in item.choices.values():
        if len(choice.options) < choice.min:
            return None
        taken = st.lists(st.sampled_from(list(choice.options)), min_size=choice.min, max_size=choice.max, unique=True)
        options += draw(taken) if choice.options else []
    return NewLine(item.id, draw(st.integers(1, 99) | st.integers(1, 3)), tuple(draw(st.permutations(options))), draw(names))


@st.composite
def spoiled(draw, line, known):
    """The line with something about it that is wrong, or may be: another item, options left out, doubled or strange."""
    options = list(line.options)
    match draw(st.sampled_from(["item", "fewer", "double", "strange"])):
        case "item":
            return replace(line, item=NOTHING)
        case "fewer":
            options = options[: draw(st.integers(0, len(options)))]
        case "double":
            options += options[:1]
        case "strange":
            options.append(draw(st.sampled_from([*known, NOTHING])))
    return replace(line, options=tuple(options))


@st.composite
def orders(draw, *, proper=True):
    """(lines, menu)."""
    menu = draw(menus())
    lines = [line for line in draw(st.lists(proper_lines(menu), min_size=1, max_size=6)) if line is not None]
    if not proper:
        known = [option for item in menu.values() for choice in item.choices.values() for option in choice.options]
        lines = [draw(st.just(line) | spoiled(line, known)) for line in lines]
    return tuple(lines), menu


def outcome(lines, menu):
    """The priced lines, or the refusal."""
    try:
        return price(lines, menu)
    except Refusal as refusal:
        return refusal


def cost(line, menu) -> int:
    """The second opinion: what a unit costs."""
    deltas = {id: option.price_delta for choice in menu[line.item].choices.values() for id, option in choice.options.items()}
    return max(menu[line.item].price + sum(deltas[id] for id in line.options), 0)


def is_sold_out(line, lines, menu) -> bool:
    item = menu[line.item]
    options = {id: option for choice in item.choices.values() for id, option in choice.options.items()}
    wanted = sum(other.quantity for other in lines if other.item == line.item)
    return item.sold_out or any(options[id].sold_out for id in line.options) or (item.stock is not None and wanted > item.stock)


def fault_of(line, menu):
    """The refusal that this line alone deserves for what it is, whatever is left; None for a proper one."""
    if line.item not in menu:
        return ItemNotFound
    choices = menu[line.item].choices.values()
    if len(set(line.options)) < len(line.options) or set(line.options) - {id for choice in choices for id in choice.options}:
        return InvalidOption
    if any(not choice.min <= len(set(line.options) & set(choice.options)) <= choice.max for choice in choices):
        return OptionCount
    return None


@given(orders())
@settings(profile)
def test_a_proper_order_costs_its_lines_and_is_refused_only_for_what_is_sold_out(order):
    lines, menu = order
    result = outcome(lines, menu)
    missing = [position for position, line in enumerate(lines) if is_sold_out(line, lines, menu)]
    if missing:
        assert isinstance(result, SoldOut)
        assert [row["line"] for row in result.facts["lines"]] == missing
        return
    assert [(row.item.id, row.quantity, row.unit_price, row.total, row.note) for row in result] == [
        (line.item, line.quantity, cost(line, menu), cost(line, menu) * line.quantity, line.note) for line in lines
    ]
    assert [tuple(option.id for option in row.options) for row in result] == [line.options for line in lines]
    assert all(row.unit_price >= 0 for row in result)


@given(orders(proper=False))
@settings(profile)
def test_the_first_improper_line_is_named_before_anything_is_sold_out(order):
    lines, menu = order
    faults = [(position, fault) for position, line in enumerate(lines) if (fault := fault_of(line, menu))]
    result = outcome(lines, menu)
    if not faults:
        assert not isinstance(result, ItemNotFound | InvalidOption | OptionCount)
        return
    position, fault = faults[0]
    assert type(result) is fault
    assert [error["pointer"] for error in result.errors] == [f"/lines/{position}/{'item' if fault is ItemNotFound else 'options'}"]


@given(orders(), st.randoms(use_true_random=False))
@settings(profile)
def test_the_order_of_the_lines_changes_neither_prices_nor_the_answer(order, random):
    lines, menu = order
    shuffled = list(lines)
    random.shuffle(shuffled)
    here, there = outcome(lines, menu), outcome(shuffled, menu)
    if isinstance(here, SoldOut):
        assert isinstance(there, SoldOut)
        assert sorted(row["item"] for row in here.facts["lines"]) == sorted(row["item"] for row in there.facts["lines"])
    else:
        assert sum(row.total for row in here) == sum(row.total for row in there)


@given(orders())
@settings(profile)
def test_a_dish_costs_the_same_on_one_line_or_on_many(order):
    lines, menu = order
    apart = [NewLine(line.item, 1, line.options, line.note) for line in lines for _ in range(line.quantity)]
    here, there = outcome(lines, menu), outcome(apart, menu)
    assert isinstance(here, SoldOut) == isinstance(there, SoldOut)
    if not isinstance(here, SoldOut):
        assert sum(row.total for row in here) == sum(row.total for row in there)
        assert asked_quantities(here) == asked_quantities(there)


@given(orders(proper=False))
@settings(profile)
def test_pricing_is_pure(order):
    lines, menu = order
    before = repr(menu), repr(lines)
    first, second = outcome(lines, menu), outcome(lines, menu)
    assert (repr(menu), repr(lines)) == before
    assert repr(first) == repr(second)
