"""The cast of the tests: two stores with their people, tables and dishes, and the clients they use."""

import itertools
import json
from dataclasses import dataclass, field

from django.test import Client

from menus.models import Category, Item, ItemOptionGroup, Option, OptionGroup
from stores.auth import log_in_staff, log_in_tablet
from stores.models import Event, Membership, Store, Table, User
from stores.services import create_store, create_table

PASSWORD = "correct horse 42"
TABLE_PASSWORD = "2580"
API = "/api/v1/"

_counter = itertools.count(1)


@dataclass
class World:
    """One store and everybody in it."""

    store: Store
    owner: User
    manager: User
    tables: list[Table]
    category: Category
    items: list[Item] = field(default_factory=list)

    @property
    def table(self) -> Table:
        return self.tables[0]

    @property
    def item(self) -> Item:
        return self.items[0]


def make_world(code: str, *, tables: int = 2, **fields) -> World:
    defaults = {"name": f"{code} house", "currency": "KRW", "timezone": "Asia/Seoul", "steps": 4}
    store = create_store(code=code, **(defaults | fields))
    world = World(
        store=store,
        owner=make_person(store, f"{code}-owner", Membership.Role.OWNER),
        manager=make_person(store, f"{code}-manager", Membership.Role.MANAGER),
        tables=[create_table(store, number=str(number), password=TABLE_PASSWORD) for number in range(1, tables + 1)],
        category=Category.objects.create(store=store, name="Mains"),
    )
    make_item(world, name=f"{code} bibimbap", price=12000)
    make_item(world, name=f"{code} noodles", price=9000)
    return world


def make_person(store: Store, username: str, role: str) -> User:
    user = User.objects.create_user(username, PASSWORD, name=username.title())
    Membership.objects.create(store=store, user=user, role=role)
    return user


def make_item(world: World, **fields) -> Item:
    defaults = {"name": f"dish {next(_counter)}", "price": 10000, "category": world.category, "position": len(world.items)}
    item = Item.objects.create(store=world.store, **(defaults | fields))
    world.items.append(item)
    return item


def make_choice(item: Item, *, min: int = 0, max: int = 1, options=(("regular", 0), ("large", 2000)), name: str = "Size") -> list[Option]:
    """A group of options that this item offers; returns its options."""
    group = OptionGroup.objects.create(store=item.store, name=name, min=min, max=max)
    ItemOptionGroup.objects.create(item=item, group=group)
    return [
        Option.objects.create(group=group, name=option, price_delta=delta, position=position)
        for position, (option, delta) in enumerate(options)
    ]


class Caller:
    """An HTTP client with a bearer token: `tablet.post("tablet/orders", {...}, key="tap-1")`."""

    def __init__(self, token: str | None = None, **defaults):
        self.http = Client(raise_request_exception=False, **defaults)
        self.token = token

    def request(self, method: str, path: str, body=None, *, key: str | None = None, raw: bytes | None = None, **headers):
        if self.token:
            headers.setdefault("authorization", f"Bearer {self.token}")
        if key is not None:
            headers["idempotency-key"] = key
        content = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        content_type = headers.pop("content_type", "application/json")
        return self.http.generic(
            method,
            API + path,
            content,
            content_type=content_type,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )

    def get(self, path, **kwargs):
        return self.request("GET", path, **kwargs)

    def post(self, path, body=None, **kwargs):
        return self.request("POST", path, body, **kwargs)

    def patch(self, path, body=None, **kwargs):
        return self.request("PATCH", path, body, **kwargs)

    def put(self, path, body=None, **kwargs):
        return self.request("PUT", path, body, **kwargs)

    def delete(self, path, **kwargs):
        return self.request("DELETE", path, **kwargs)


def tablet_of(table: Table) -> Caller:
    """The tablet on this table, signed in."""
    _, access, _ = log_in_tablet(store=table.store.code, number=table.number, password=TABLE_PASSWORD, address="10.0.0.1")
    return Caller(str(access))


def staff_of(store: Store, user: User) -> Caller:
    """This person at work in this store."""
    _, access = log_in_staff(store=store.code, username=user.username, password=PASSWORD, address="10.0.0.2")
    return Caller(str(access))


def line(item: Item, quantity: int = 1, *options: Option, **more) -> dict:
    return {"item": str(item.pk), "quantity": quantity, "options": [str(option.pk) for option in options], **more}


def order_for(*items: Item, quantity: int = 1, **more) -> dict:
    """The body of an order for some of each item."""
    return {"lines": [line(item, quantity) for item in items], **more}


def new_key() -> str:
    return f"test-key-{next(_counter)}"


def place(table: Table, *items: Item, **more) -> dict:
    """An order placed from this table's tablet; the Order."""
    answer = tablet_of(table).post("tablet/orders", order_for(*items, **more), key=new_key())
    assert answer.status_code == 201, answer.content
    return answer.json()


def events_of(world: World, *types: str, after: int = 0) -> list[str]:
    """The types of all that the store's journal tells, or of those asked for, from the oldest on."""
    told = Event.objects.in_store(world.store).filter(number__gt=after).order_by("number")
    return list((told.filter(type__in=types) if types else told).values_list("type", flat=True))


def problem(answer, status: int, code: str) -> dict:
    """The body of a refusal, which must have this status and code and the shape of a problem."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["code"] == code, body
    assert body["status"] == status and body["detail"] and body["title"] and body["type"]
    assert body["request_id"] == answer["X-Request-ID"]
    return body
