"""A chain of many stores, made in bulk: each with a menu of sixty dishes, a manager, and a tablet whose guests have ordered once."""

from dataclasses import dataclass

from django.contrib.auth.hashers import make_password

from menus.models import Category, Item, ItemOptionGroup, Option, OptionGroup
from orders.services import place_order
from stores.auth import log_in_tablet, staff_token
from stores.models import Counters, Membership, Store, Table, User
from tests.world import TABLE_PASSWORD

from .cast import Tablet
from .layout import WebService

DISHES, TABLES = 60, 4
VERIFIED = 20  # stores


@dataclass(frozen=True)
class Branch:
    store: Store
    tablet: Tablet
    manager: str  # token


@dataclass(frozen=True)
class Chain:
    """One of them, in a database and with an API of its own."""

    database: str
    api: WebService
    branches: list[Branch]

    @property
    def looked_at(self) -> list:
        """The stores whose whole history is verified after a load; how many orders there are is counted in all of them."""
        return [branch.store.pk for branch in self.branches[:VERIFIED]]


def open_chain(count: int) -> list[Branch]:
    stores = Store.objects.bulk_create(
        Store(code=f"branch-{number}", name=f"Branch {number}", currency="KRW", timezone="Asia/Seoul", steps=4) for number in range(count)
    )
    Counters.objects.bulk_create(Counters(store=store) for store in stores)
    password = make_password(TABLE_PASSWORD)
    tables = Table.objects.bulk_create(Table(store=store, number=str(n + 1), password=password) for store in stores for n in range(TABLES))
    categories = Category.objects.bulk_create(Category(store=store, name="Mains") for store in stores)
    items = Item.objects.bulk_create((item for category in categories for item in menu(category)), batch_size=5000)
    groups = OptionGroup.objects.bulk_create(OptionGroup(store=store, name="Size") for store in stores)
    offered = zip(items[::DISHES], groups, strict=True)
    ItemOptionGroup.objects.bulk_create(ItemOptionGroup(item=item, group=group) for item, group in offered)
    options = Option.objects.bulk_create(Option(group=group, name="large", price_delta=2000) for group in groups)
    people = User.objects.bulk_create(User(username=f"{store.code}-manager", name="Manager", password="!") for store in stores)
    jobs = Membership.objects.bulk_create(
        Membership(store=store, user=person, role=Membership.Role.MANAGER) for store, person in zip(stores, people, strict=True)
    )
    branches = []
    for number, (store, option, job) in enumerate(zip(stores, options, jobs, strict=True)):
        table = tables[number * TABLES]
        _, access, _ = log_in_tablet(store=store.code, number=table.number, password=TABLE_PASSWORD, address="127.0.0.1")
        dishes = items[number * DISHES : number * DISHES + 3]
        tablet = Tablet(table, str(access), tuple(item.pk for item in dishes), option.pk)
        place_order(table, asked=tablet.asked, key="the-first-of-this-store")
        branches.append(Branch(store, tablet, str(staff_token(job))))
    return branches


def menu(category: Category) -> list[Item]:
    words = "Slowly braised with chestnuts, dates and ginkgo until it falls from the bone."
    return [
        Item(store=category.store, category=category, name=f"Dish {number}", price=9000 + number, position=number, description=words)
        for number in range(DISHES)
    ]
