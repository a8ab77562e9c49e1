"""Puts the demo into the database: two stores as a restaurant could have them, and more of them for load tests.

Every id is made from the store's code and a key of the plan: it is the same on every machine, and a row that is
there is known by it, whatever somebody made of that row since. Only what is missing is created; nothing is
overwritten but the passwords, which are always those that the demo names.
"""

import functools
import itertools
import json
import uuid
from collections.abc import Iterator
from pathlib import Path

from django.contrib.auth.hashers import check_password, make_password

from menus.models import Category, Item, ItemOptionGroup, Option, OptionGroup
from stores import journal
from stores.models import Membership, Store, Table, User
from stores.payloads import table_payload
from stores.services import create_store
from tableorder.transactions import whole

SUPERUSER = {"username": "admin", "password": "demo-operator-99"}
SHOWN = [json.loads((Path(__file__).parent / name).read_text("utf-8")) for name in ("hanok.json", "plaza.json")]


def load_plan(number: int, tables: int = 0) -> dict:
    """A store for load tests: hanok or plaza with 2 to 7 dishes a category, none of which ever runs out."""
    shown, most = SHOWN[number % 2], 2 + number % 6
    categories = {}
    for key, category in shown["categories"].items():
        dishes = itertools.islice(category["items"].items(), most)
        categories[key] = category | {"items": {dish: fields | {"stock": None, "sold_out": False} for dish, fields in dishes}}
    return shown | {
        "store": shown["store"] | {"code": f"load-{number}", "name": f"Load {number}"},
        "tables": tables,
        "table_password": "load-1234",
        "staff_password": "demo-load-55",
        "categories": categories,
    }


def demo_id(*path) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_URL, "urn:tableorder:demo:" + "/".join(map(str, path)))


def existing() -> Iterator[tuple[Store, dict]]:
    """The open stores that the demo made, each with its plan. A load store's plan doesn't say how many tables it has."""
    plans = {demo_id(plan["store"]["code"]): plan for plan in SHOWN}
    found = Store.objects.open().in_bulk(plans)
    yield from ((found[pk], plan) for pk, plan in plans.items() if pk in found)
    made_for_load = [store for store in Store.objects.open().filter(code__startswith="load-") if store.pk == demo_id(store.code)]
    for store in sorted(made_for_load, key=lambda store: (len(store.code), store.code)):
        yield store, load_plan(int(store.code.removeprefix("load-")))


def people(plan) -> dict[str, str]:
    """Who works there: username to role."""
    return {f"{plan['store']['code']}-{role}": role for role in plan["staff"]}


def dishes(plan) -> set[uuid.UUID]:
    return {demo_id(plan["store"]["code"], "item", dish) for category in plan["categories"].values() for dish in category["items"]}


# --- Passwords --------------------------------------------------------------------------------------------------
# Hashing takes a third of a second. Each password has a salt of its own, so that one hash serves every row, and
# the salt in a row already tells that the demo wrote it: nobody else would come upon that salt.


def _salt(raw):
    return demo_id("salt", raw).hex


@functools.cache
def encode(raw: str) -> str:
    return make_password(raw, salt=_salt(raw))


@functools.cache
def opens(raw: str, encoded: str) -> bool:
    return _salt(raw) in encoded or check_password(raw, encoded)


# --- Writing ----------------------------------------------------------------------------------------------------


@whole
def set_up(plan: dict):
    """Creates what the store lacks. Raises IntegrityError or ValidationError if somebody else has a name it needs."""
    fields = plan["store"]
    pk = demo_id(fields["code"])
    store = Store.objects.filter(pk=pk).first() or create_store(id=pk, **fields)
    for username, role in people(plan).items():
        user = set_up_person(username, plan["staff_password"], name=plan["staff"][role])
        Membership.objects.get_or_create(store=store, user=user, defaults={"id": demo_id(username, "membership"), "role": role})
    tables = _tables(plan, store)
    menu_changed = _menu(plan, store)
    for start in range(0, len(tables), 100):  # SQLite writes at most 500 rows with one statement
        some = [journal.NewEvent("table.changed", table_payload(table), table.pk) for table in tables[start : start + 100]]
        journal.record(store.pk, *some)
    if menu_changed:
        journal.menu_changed(store.pk)


def set_up_person(username: str, password: str, **fields) -> User:
    defaults = {"username": username, "password": lambda: encode(password), **fields}  # called only if needed
    user, _ = User.objects.get_or_create(pk=demo_id("person", username), defaults=defaults)
    if not opens(password, user.password):
        user.password = encode(password)
        user.save(update_fields=["password"])
    return user


def _tables(plan, store):
    """Those that were created or got their password back. A number that an owner gave to another table stays theirs."""
    code, password = plan["store"]["code"], plan["table_password"]
    numbers = {demo_id(code, "table", number): str(number) for number in range(1, plan["tables"] + 1)}
    there = Table.objects.in_store(store).in_bulk()
    taken = {table.number for table in there.values()}
    changed = []
    for pk in numbers:
        if pk in there and not opens(password, there[pk].password):
            table = Table.objects.in_store(store).lock(pk)
            table.password = encode(password)
            table.epoch += 1
            table.version += 1
            table.save()
            changed.append(table)
    missing = [pk for pk, number in numbers.items() if pk not in there and number not in taken]
    return changed + Table.objects.bulk_create([Table(id=pk, store=store, number=numbers[pk], password=encode(password)) for pk in missing])


def _menu(plan, store) -> bool:
    """Did anything have to be created?"""
    of = functools.partial(demo_id, plan["store"]["code"])
    groups, options, categories, items, choices = [], [], [], [], {}
    for key, group in plan["option_groups"].items():
        groups.append(OptionGroup(id=of("group", key), store=store, name=group["name"], min=group["min"], max=group["max"]))
        for position, (option, (name, delta)) in enumerate(group["options"].items()):
            options.append(Option(id=of("option", key, option), group=groups[-1], name=name, price_delta=delta, position=position))
    for position, (key, category) in enumerate(plan["categories"].items()):
        categories.append(Category(id=of("category", key), store=store, name=category["name"], position=position))
        for place, (dish, fields) in enumerate(category["items"].items()):
            fields = dict(fields)
            choices[of("item", dish)] = fields.pop("option_groups", [])
            items.append(Item(id=of("item", dish), store=store, category=categories[-1], position=place, **fields))
    created = [_add_missing(rows, store) for rows in (groups, options, categories, items)]
    new_items = created[-1]  # what an owner took off a dish stays off it: only new ones get their choices
    ItemOptionGroup.objects.bulk_create(
        [
            ItemOptionGroup(item=item, group_id=of("group", key), position=position)
            for item in new_items
            for position, key in enumerate(choices[item.pk])
        ]
    )
    return any(created)


def _add_missing(rows, store):
    """Creates those of the rows that the store has never had; one that was deleted stays deleted."""
    model = type(rows[0])
    there = set(model.objects.in_store(store).values_list("pk", flat=True))
    return model.objects.bulk_create([row for row in rows if row.pk not in there])
