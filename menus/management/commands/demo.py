"""`manage.py demo`: something to look at, to click through and to test against."""

import json
import os

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError

from menus.demo import loader
from menus.models import Item
from stores.models import Membership, Table


class Command(BaseCommand):
    help = "Creates two demo stores with their menus, tables and staff, or what is missing of them, and says how to sign in."

    def add_arguments(self, parser):
        parser.add_argument("--json", action="store_true", help="print everything as one JSON object, for programs")
        parser.add_argument("--stores", type=int, default=0, metavar="N", help="also stores load-1 to load-N, for load tests")
        parser.add_argument("--tables", type=int, default=8, metavar="M", help="how many tables each of these has (8)")
        parser.add_argument("--force", action="store_true", help="in production too, where everybody knows these passwords")

    def handle(self, *, stores, tables, force, **options):
        if settings.PRODUCTION and not force:
            raise CommandError("Not in production: everybody knows the passwords of the demo. --force does it all the same.")
        for plan in [*loader.SHOWN, *(loader.load_plan(number, tables) for number in range(1, stores + 1))]:
            self.set_up(plan["store"]["code"], loader.set_up, plan)
        self.set_up(loader.SUPERUSER["username"], loader.set_up_person, **loader.SUPERUSER, name="Operator", is_superuser=True)
        if options["json"]:
            self.stdout.write(json.dumps(everything()))  # in ASCII: no terminal can spoil it
        else:
            self.stdout.write("\n".join(guide()))

    def set_up(self, what, step, *args, **kwargs):
        try:
            step(*args, **kwargs)
        except (IntegrityError, ValidationError) as error:
            raise CommandError(f"{what}: something here that the demo did not make already has its name. {error}") from error


def everything() -> dict:
    """For programs: what is there, with the passwords."""
    return {"stores": [described(store, plan) for store, plan in loader.existing()], "superuser": loader.SUPERUSER}


def guide():
    """Where people click and with what they sign in, line by line."""
    address = f"http://{os.environ.get('HOST') or '127.0.0.1'}:{os.environ.get('PORT') or '8000'}"
    yield "The demo is ready."
    yield ""
    yield f"  Guest's tablet      {address}/tablet/"
    yield f"  Admin and board     {address}/admin/"
    yield f"  API, read and try   {address}/api/docs/"
    load = []
    for store, plan in loader.existing():
        if plan not in loader.SHOWN:
            load.append(store)
            continue
        yield ""
        yield f"{store.name}"
        yield from sign_in(store, plan)
    if load:
        yield ""
        yield f"{len(load)} stores for load tests, {load[0].code} to {load[-1].code}; each like"
        yield from sign_in(load[0], loader.load_plan(1))
    yield ""
    yield "Platform operator"
    yield f"  admin    username {loader.SUPERUSER['username']}, password {loader.SUPERUSER['password']}"


def sign_in(store, plan):
    tables = tables_of(store, plan)
    if tables:
        yield f"  tablet   store {store.code}, table {tables[0].number} to {tables[-1].number}, password {plan['table_password']}"
    for person in staff_of(store, plan):
        yield f"  {person.role:<8} store {store.code}, username {person.user.username}, password {plan['staff_password']}"


def described(store, plan) -> dict:
    return {
        "code": store.code,
        "name": store.name,
        "id": str(store.pk),
        "currency": store.currency,
        "timezone": store.timezone,
        "steps": store.steps,
        "tables": [{"id": str(table.pk), "number": table.number, "password": plan["table_password"]} for table in tables_of(store, plan)],
        "staff": [
            {"username": person.user.username, "password": plan["staff_password"], "role": person.role} for person in staff_of(store, plan)
        ],
        "items": [described_item(item) for item in items_of(store, plan)],
    }


def described_item(item) -> dict:
    return {
        "id": str(item.pk),
        "name": item.name,
        "price": item.price,
        "stock": item.stock,
        "sold_out": item.sold_out or item.stock == 0,
        "option_groups": [
            {
                "id": str(choice.group.pk),
                "min": choice.group.min,
                "max": choice.group.max,
                "options": [{"id": str(option.pk), "price_delta": option.price_delta} for option in choice.group.options.all()],
            }
            for choice in item.choices.all()
        ],
    }


def tables_of(store, plan):
    """Those that the demo's password opens: an owner's own tables have another."""
    tables = Table.objects.in_store(store).filter(is_active=True).in_reading_order()
    return [table for table in tables if loader.opens(plan["table_password"], table.password)]


def staff_of(store, plan):
    ids = [loader.demo_id("person", username) for username in loader.people(plan)]
    return Membership.objects.in_store(store).working().filter(user__in=ids).select_related("user").order_by("-role", "user__username")


def items_of(store, plan):
    """Those of the demo that are still alive, in the order of the menu."""
    return (
        Item.objects.in_store(store)
        .filter(pk__in=loader.dishes(plan))
        .alive()
        .with_choices()
        .order_by("category__position", "category", "position", "id")
    )
