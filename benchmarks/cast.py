"""The stores of the benchmarks, and what their tablets ask. Made through the models, by the tests' own cast."""

import json
from dataclasses import dataclass
from uuid import UUID

from menus.models import Category
from orders.pricing import NewLine
from orders.services import NewOrder, place_order
from stores.auth import log_in_tablet, staff_token
from stores.journal import menu_changed
from stores.models import Membership, Table
from tests.world import TABLE_PASSWORD, World, make_choice, make_item, make_world


@dataclass(frozen=True)
class Tablet:
    """A signed-in tablet, and the order that its guests always have: three lines, one with an option."""

    table: Table
    token: str
    items: tuple[UUID, ...]
    option: UUID

    @property
    def asked(self) -> NewOrder:
        options = [(self.option,), (), ()]
        return NewOrder(lines=tuple(NewLine(*line) for line in zip(self.items, (1, 2, 1), options, strict=True)))

    @property
    def request(self) -> "Request":
        lines = [{"item": line.item, "quantity": line.quantity, "options": line.options} for line in self.asked.lines]
        return Request("POST", "/api/v1/tablet/orders", self.token, json.dumps({"lines": lines}, default=str))


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    token: str
    body: str = ""


def open_store(code: str, *, tables: int) -> tuple[World, list[Tablet]]:
    """A store with three dishes, and on each table a tablet that has ordered once: its party sits there."""
    world = make_world(code, tables=tables)
    make_item(world, name=f"{code} pancake", price=15000)
    option = make_choice(world.items[0])[1]
    tablets = [tablet_of(table, world, option) for table in world.tables]
    for tablet in tablets:
        place_order(tablet.table, asked=tablet.asked, key=f"the-first-of-{tablet.table.number}")
    return world, tablets


def open_menu(code: str, *, dishes: int) -> Tablet:
    """A store with so many dishes in ten to a category, a few of them with a choice; the tablet on its only table."""
    world, tablets = open_store(code, tables=1)
    for number in range(dishes - len(world.items)):
        if number % 10 == 0:
            world.category = Category.objects.create(store=world.store, name=f"Category {number // 10 + 1}", position=number)
        words = "Slowly braised with chestnuts, dates and ginkgo until it falls from the bone."
        item = make_item(world, name=f"Dish {number + 1}", price=10000 + number, description=words)
        if number % 10 == 0:
            make_choice(item)
    menu_changed(world.store.pk)
    return tablets[0]


def tablet_of(table, world, option) -> Tablet:
    _, access, _ = log_in_tablet(store=world.store.code, number=table.number, password=TABLE_PASSWORD, address="127.0.0.1")
    return Tablet(table, str(access), tuple(item.pk for item in world.items[:3]), option.pk)


def manager_token(world: World) -> str:
    return str(staff_token(Membership.objects.get(store=world.store, user=world.manager)))
