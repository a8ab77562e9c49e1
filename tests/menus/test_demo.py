"""`manage.py demo`: what it promises to people and to programs (demo-json)."""

import io
import json

import pytest
from django.apps import apps
from django.contrib.auth import password_validation
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from menus.demo import loader
from menus.models import Category, Item, ItemOptionGroup, Option, OptionGroup
from stores.models import Counters, Membership, Store, Table, User

pytestmark = pytest.mark.django_db


def demo(*arguments) -> str:
    out = io.StringIO()
    call_command("demo", *arguments, stdout=out)
    return out.getvalue()


def demo_json(*arguments) -> dict:
    return json.loads(demo("--json", *arguments))


def everything_stored():
    models = [model for model in apps.get_models() if model._meta.app_label in ("stores", "menus")]
    return {model._meta.label: list(model.objects.order_by("pk").values()) for model in models}


def test_twice_is_once():
    demo()
    before = everything_stored()
    with CaptureQueriesContext(connection) as queries:
        demo()
    assert everything_stored() == before
    assert not [query["sql"] for query in queries if query["sql"].split()[0] in ("INSERT", "UPDATE", "DELETE")]


def test_the_json_is_one_object_and_the_same_on_every_call():
    first = demo("--json")
    assert first.count("\n") == 1 and isinstance(json.loads(first), dict)
    assert demo("--json") == first


def test_ids_are_the_same_on_every_machine():
    hanok = demo_json()["stores"][0]
    assert hanok["id"] == "f099045a-c29b-5869-8be0-7037ee6f0634"
    assert hanok["tables"][0]["id"] == "9b14ace3-d5f1-5fbf-91cc-407d9abffa89"
    assert hanok["items"][0]["id"] == "0e14d3f0-f2c9-57eb-a3c7-7259d696e3c7"
    assert hanok["items"][0]["option_groups"][0]["options"][0]["id"] == "3b6cfc8a-cce0-5886-8141-d260e6794563"


def test_the_json_has_exactly_the_promised_shape():
    def check(value, shape):
        if isinstance(shape, dict):
            assert value.keys() == shape.keys()
            for key, inner in shape.items():
                check(value[key], inner)
        elif isinstance(shape, list):
            assert isinstance(value, list)
            for one in value:
                check(one, shape[0])
        else:
            assert type(value) in shape, value

    text, number, flag = (str,), (int,), (bool,)
    option_group = {"id": text, "min": number, "max": number, "options": [{"id": text, "price_delta": number}]}
    item = {"id": text, "name": text, "price": number, "stock": (int, type(None)), "sold_out": flag, "option_groups": [option_group]}
    store = {
        **dict.fromkeys(["code", "name", "id", "currency", "timezone"], text),
        "steps": number,
        "tables": [{"id": text, "number": text, "password": text}],
        "staff": [{"username": text, "password": text, "role": text}],
        "items": [item],
    }
    check(demo_json("--stores", "2"), {"stores": [store], "superuser": {"username": text, "password": text}})


def test_the_two_stores_are_what_is_promised():
    stores = {store["code"]: (store["currency"], store["timezone"], store["steps"]) for store in demo_json()["stores"]}
    assert stores == {"hanok": ("KRW", "Asia/Seoul", 4), "plaza": ("USD", "America/New_York", 3)}


@pytest.mark.parametrize("code", ["hanok", "plaza"])
def test_a_store_has_something_of_everything(code):
    store = next(store for store in demo_json()["stores"] if store["code"] == code)
    items = store["items"]
    groups = [group for item in items for group in item["option_groups"]]
    assert [table["number"] for table in store["tables"]] == [str(number) for number in range(1, 13)]
    assert [person["role"] for person in store["staff"]] == ["owner", "manager"]
    assert 38 <= len(items) <= 45
    assert Category.objects.in_store(store["id"]).count() == 6
    assert sum(not item["option_groups"] for item in items) >= 5
    assert any(len(item["option_groups"]) > 1 for item in items)
    assert any(group["min"] == 1 for group in groups) and any(group["max"] > 1 for group in groups)
    assert all(group["min"] <= len(group["options"]) and group["max"] <= len(group["options"]) for group in groups)
    assert sum(item["stock"] is not None for item in items) == 1
    assert sum(item["sold_out"] for item in items) == 1


@pytest.mark.parametrize("model", [Store, User, Membership, Table, Category, Item, OptionGroup, Option])
def test_every_row_of_the_demo_is_valid(model):
    demo("--stores", "2")
    assert model.objects.exists()
    for row in model.objects.all():
        row.full_clean()


def test_every_dish_is_described():
    demo("--stores", "2")
    assert not Item.objects.filter(description="").exists()


def test_everybody_signs_in_with_the_password_it_says():
    told = demo_json("--stores", "1")
    for store in told["stores"]:
        assert all(Table.objects.get(pk=table["id"]).check_password(table["password"]) for table in store["tables"])
        for person in store["staff"]:
            membership = Membership.objects.working().get(store=store["id"], user__username=person["username"])
            assert membership.role == person["role"]
            assert membership.user.check_password(person["password"])
            password_validation.validate_password(person["password"], membership.user)
    operator = User.objects.get(username=told["superuser"]["username"])
    assert operator.is_superuser and operator.check_password(told["superuser"]["password"])


def test_no_password_opens_the_other_store():
    hanok, plaza = demo_json()["stores"]
    for kind in ("tables", "staff"):
        assert {one["password"] for one in hanok[kind]}.isdisjoint(one["password"] for one in plaza[kind])


def test_a_new_menu_is_told_once():
    demo()
    assert set(Counters.objects.values_list("menu_version", flat=True)) == {2}


def test_what_an_owner_made_of_it_stays():
    demo()
    soup = Item.objects.get(name="Chicken Noodle Soup")
    Item.objects.filter(pk=soup.pk).update(name="Chicken Soup", price=1)
    gone = Item.objects.get(name="Reuben")
    Item.objects.filter(pk=gone.pk).update(deleted_at=gone.store.created_at)
    ItemOptionGroup.objects.filter(item=soup).delete()
    Table.objects.filter(store__code="plaza", number="3").update(number="Bar", is_active=False)
    Item.objects.create(store=soup.store, category=soup.category, name="The owner's own", price=1)
    before = everything_stored()
    plaza = demo_json()["stores"][1]
    assert everything_stored() == before
    told = {item["name"]: item for item in plaza["items"]}
    assert told["Chicken Soup"]["price"] == 1 and told["Chicken Soup"]["option_groups"] == []
    assert "Reuben" not in told and "The owner's own" not in told
    assert len(plaza["tables"]) == 11


def test_a_number_that_an_owner_gave_to_another_table_stays_theirs():
    demo()
    store = Store.objects.get(code="plaza")
    Table.objects.in_store(store).filter(number="3").delete()
    own = Table(store=store, number="3")
    own.set_password("the owner's own")
    own.save()
    told = demo_json()["stores"][1]["tables"]
    assert "3" not in [table["number"] for table in told]
    assert Table.objects.get(pk=own.pk).check_password("the owner's own")


def test_what_is_missing_comes_back():
    demo()
    Item.objects.filter(name="Reuben").delete()
    demo()
    reuben = Item.objects.get(name="Reuben")
    assert [group.name for group in reuben.option_groups.all()] == ["Choice of side"]
    assert Counters.objects.get(store=reuben.store).menu_version == 3


def test_a_changed_password_is_set_back_and_cuts_off_only_that_table():
    demo()
    changed, other = Table.objects.filter(store__code="hanok").order_by("number")[:2]
    changed.set_password("something else")
    changed.save()
    owner = User.objects.get(username="hanok-owner")
    owner.set_password("something else")
    owner.save()
    demo()
    again = Table.objects.get(pk=changed.pk)
    assert again.check_password("hanok-1234") and again.epoch == changed.epoch + 1
    assert Table.objects.get(pk=other.pk).epoch == other.epoch
    assert User.objects.get(pk=owner.pk).check_password("demo-seoul-77")


def test_the_same_password_with_another_hash_is_left_alone():
    demo()
    owner = User.objects.get(username="hanok-owner")
    owner.set_password("demo-seoul-77")
    owner.save()
    demo()
    assert User.objects.get(pk=owner.pk).password == owner.password


def test_it_refuses_in_production_unless_forced(settings):
    settings.PRODUCTION = True
    with pytest.raises(CommandError):
        demo("--json")
    assert not Store.objects.exists() and not User.objects.exists()
    assert len(demo_json("--force")["stores"]) == 2


@pytest.mark.parametrize(
    "taken",
    [
        lambda: Store.objects.create(code="plaza", name="A real one"),
        lambda: User.objects.create(username="plaza-owner", name="A real one"),
        lambda: User.objects.create(username="admin", name="A real one"),
    ],
)
def test_a_name_that_somebody_else_has_is_refused_and_left_to_them(taken):
    theirs = taken()
    with pytest.raises(CommandError, match="did not make"):
        demo()
    assert type(theirs).objects.get(pk=theirs.pk).name == "A real one"


def test_stores_for_load_tests():
    assert [store["code"] for store in demo_json("--stores", "11", "--tables", "3")["stores"]] == [
        "hanok", "plaza", *(f"load-{number}" for number in range(1, 12))
    ]  # fmt: skip
    told = demo_json()["stores"]
    assert len(told) == 13
    assert all(len(store["tables"]) == 3 and 10 <= len(store["items"]) <= 60 for store in told[2:])
    assert not any(item["sold_out"] or item["stock"] is not None for store in told[2:] for item in store["items"])
    more = demo_json("--stores", "1", "--tables", "5")["stores"]
    assert [len(store["tables"]) for store in more[2:4]] == [5, 3]


def test_people_read_where_to_click_and_how_to_sign_in(monkeypatch):
    monkeypatch.setenv("HOST", "10.0.0.7")
    monkeypatch.setenv("PORT", "9000")
    told = demo("--stores", "2")
    for place in ("/tablet/", "/admin/", "/api/docs/"):
        assert f"http://10.0.0.7:9000{place}" in told
    for word in ("hanok-1234", "plaza-owner", "load-1 to load-2", loader.SUPERUSER["password"]):
        assert word in told
