"""Owners write the menu, managers switch things off and on."""

import re
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from menus import services
from menus.models import Category, Item, ItemOptionGroup, Option, OptionGroup
from stores.models import AuditEntry, Counters, Event
from tests.world import make_choice, make_item, order_for, problem, staff_of, tablet_of

ITEMS = "staff/items"
CATEGORIES = "staff/categories"
GROUPS = "staff/option-groups"


def of(*rows) -> list[str]:
    return [str(row.pk) for row in rows]


def pointers(body) -> list[str]:
    return [error["pointer"] for error in body["errors"]]


def new_item(world, **more) -> dict:
    return {"name": "Pancake", "category": str(world.category.pk), "price": 8000, **more}


def new_group(**more) -> dict:
    return {
        "name": "Size",
        "min": 0,
        "max": 1,
        "options": [{"name": "small", "price_delta": -500}, {"name": "large", "price_delta": 500}],
        **more,
    }


@pytest.fixture
def versions(ours):
    """How many versions the menu has had since the last time of asking, each of them told by one event."""
    last = [Counters.objects.get(store=ours.store).menu_version]

    def count():
        now = Counters.objects.get(store=ours.store).menu_version
        told = Event.objects.in_store(ours.store).filter(type="menu.changed").count()
        assert told == now - 1
        last[0], before = now, last[0]
        return now - before

    return count


# --- Items ------------------------------------------------------------------------------------------------------


def test_an_owner_creates_an_item_at_the_end_of_its_category(owner, ours, tablet, versions):
    group = make_choice(ours.item)[0].group
    answer = owner.post(ITEMS, new_item(ours, description="Crisp", stock=5, sold_out=True, option_groups=of(group)))
    assert answer.status_code == 201
    item = answer.json()
    assert item | {"id": None} == {
        "id": None,
        "category": str(ours.category.pk),
        "position": 2,
        "name": "Pancake",
        "description": "Crisp",
        "price": 8000,
        "image": None,
        "sold_out": True,
        "stock": 5,
        "option_groups": [
            {
                "id": str(group.pk),
                "name": "Size",
                "min": 0,
                "max": 1,
                "options": [
                    {"id": str(option.pk), "name": option.name, "price_delta": option.price_delta, "sold_out": False}
                    for option in group.options.order_by("position")
                ],
            }
        ],
    }
    assert versions() == 1
    assert owner.get(f"{ITEMS}/{item['id']}").json() == item
    assert tablet.get("tablet/menu").json()["categories"][0]["items"][2]["id"] == item["id"]
    assert AuditEntry.objects.in_store(ours.store).filter(action="item.created", actor=ours.owner, subject="Pancake").exists()


def test_what_is_not_said_of_an_item_is_plain(owner, ours):
    item = owner.post(ITEMS, new_item(ours)).json()
    assert (item["description"], item["stock"], item["sold_out"], item["option_groups"]) == ("", None, False, [])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("price", 0),
        ("price", 10_000_001),
        ("price", 8000.0),
        ("price", "8000"),
        ("price", True),
        ("price", None),
        ("name", ""),
        ("name", "   "),
        ("name", "x" * 101),
        ("name", 7),
        ("name", "bell\x07"),
        ("description", "x" * 1001),
        ("description", None),
        ("stock", -1),
        ("stock", 1_000_001),
        ("stock", "5"),
        ("sold_out", "yes"),
        ("sold_out", None),
        ("category", "mains"),
        ("category", None),
        ("option_groups", "none"),
        ("option_groups", [7]),
        ("option_groups", [str(uuid.uuid4())] * 51),
        ("position", 1),
        ("image", None),
    ],
)
def test_a_bad_value_is_refused_with_its_place(owner, ours, field, value, versions):
    for answer in (owner.post(ITEMS, new_item(ours, **{field: value})), owner.patch(f"{ITEMS}/{ours.item.pk}", {field: value})):
        assert pointers(problem(answer, 400, "VALIDATION"))[0].startswith(f"/{field}")
    assert Item.objects.in_store(ours.store).count() == 2
    assert versions() == 0


@pytest.mark.parametrize("field", ["name", "category", "price"])
def test_an_item_needs_a_name_a_category_and_a_price(owner, ours, field):
    asked = new_item(ours)
    del asked[field]
    assert pointers(problem(owner.post(ITEMS, asked), 400, "VALIDATION")) == [f"/{field}"]


def test_the_limits_themselves_are_good(owner, ours):
    options = [{"name": f"option {number}", "price_delta": (-1) ** number * 10_000_000} for number in range(50)]
    group = owner.post(GROUPS, new_group(name="g" * 100, min=50, max=50, options=options))
    assert group.status_code == 201
    asked = new_item(ours, name="가" * 100, description="나" * 1000, price=10_000_000, stock=1_000_000, option_groups=[group.json()["id"]])
    answer = owner.post(ITEMS, asked)
    assert answer.status_code == 201
    assert len(answer.json()["option_groups"][0]["options"]) == 50
    assert owner.patch(f"{ITEMS}/{answer.json()['id']}", {"price": 1, "stock": 0, "description": ""}).json()["stock"] == 0


def test_ids_in_a_body_must_be_of_this_store_and_alive(owner, ours, theirs, versions):
    foreign = make_choice(theirs.item)[0].group
    gone_category = services.create_category(ours.store, name="Gone")
    services.delete_category(gone_category)
    mine = make_choice(ours.item)[0].group
    versions()
    for category in (theirs.category.pk, gone_category.pk, uuid.uuid4()):
        for answer in (
            owner.post(ITEMS, new_item(ours, category=str(category))),
            owner.patch(f"{ITEMS}/{ours.item.pk}", {"category": str(category)}),
        ):
            assert pointers(problem(answer, 404, "NOT_FOUND")) == ["/category"]
    for answer in (
        owner.post(ITEMS, new_item(ours, option_groups=of(mine, foreign))),
        owner.patch(f"{ITEMS}/{ours.item.pk}", {"option_groups": of(mine, foreign)}),
    ):
        assert pointers(problem(answer, 404, "NOT_FOUND")) == ["/option_groups/1"]
    assert versions() == 0


def test_a_choice_is_offered_once(owner, ours):
    group = make_choice(ours.items[1])[0].group
    assert pointers(problem(owner.post(ITEMS, new_item(ours, option_groups=of(group, group))), 400, "VALIDATION")) == ["/option_groups/1"]


def test_two_live_items_of_a_category_never_have_one_name(owner, ours, versions):
    problem(owner.post(ITEMS, new_item(ours, name=ours.item.name)), 409, "NAME_EXISTS")
    problem(owner.patch(f"{ITEMS}/{ours.items[1].pk}", {"name": ours.item.name}), 409, "NAME_EXISTS")
    assert versions() == 0
    other = services.create_category(ours.store, name="Lunch")
    twin = owner.post(ITEMS, new_item(ours, name=ours.item.name, category=str(other.pk)))
    assert twin.status_code == 201
    problem(owner.patch(f"{ITEMS}/{twin.json()['id']}", {"category": str(ours.category.pk)}), 409, "NAME_EXISTS")
    assert owner.delete(f"{ITEMS}/{ours.item.pk}").status_code == 204
    assert owner.post(ITEMS, new_item(ours, name=ours.item.name)).status_code == 201


def test_an_owner_changes_everything_of_an_item_at_once(owner, ours, versions):
    group = make_choice(ours.item, name="old")[0].group
    new = [make_choice(ours.items[1], name=name)[0].group for name in ("b", "a")]
    other = Category.objects.create(store=ours.store, name="Lunch", position=1)
    make_item(ours, category=other, position=7)
    change = {
        "name": "Bulgogi",
        "description": "Sweet",
        "price": 15000,
        "stock": 3,
        "sold_out": True,
        "category": str(other.pk),
        "option_groups": of(*new),
    }
    item = owner.patch(f"{ITEMS}/{ours.item.pk}", change).json()
    assert {name: item[name] for name in change} | {"option_groups": [found["id"] for found in item["option_groups"]]} == change
    assert item["position"] == 8
    assert versions() == 1
    assert owner.patch(f"{ITEMS}/{ours.item.pk}", change).json() == item
    assert versions() == 0
    entry = AuditEntry.objects.in_store(ours.store).get(action="item.changed")
    assert set(entry.details["changed"]) == set(change)
    assert (entry.details["before"]["price"], entry.details["after"]["price"]) == (12000, 15000)
    assert (entry.details["before"]["option_groups"], entry.details["after"]["option_groups"]) == (["old"], ["b", "a"])
    assert OptionGroup.objects.alive().filter(pk=group.pk).exists()


def test_choices_can_be_put_in_another_order_and_taken_away(owner, ours, versions):
    groups = [make_choice(ours.item, name=name)[0].group for name in "abc"]
    for place, group in enumerate(groups):
        ItemOptionGroup.objects.filter(group=group).update(position=place)
    for wanted in (of(*reversed(groups)), of(groups[1]), []):
        item = owner.patch(f"{ITEMS}/{ours.item.pk}", {"option_groups": wanted}).json()
        assert [group["id"] for group in item["option_groups"]] == wanted
        assert versions() == 1


def test_a_change_that_changes_nothing_writes_nothing(owner, manager, ours, versions):
    before = AuditEntry.objects.count(), Event.objects.count()
    path = f"{ITEMS}/{ours.item.pk}"
    for caller, change in (
        (owner, {"name": ours.item.name, "price": ours.item.price, "category": str(ours.category.pk), "option_groups": []}),
        (owner, {}),
        (manager, {}),
        (manager, {"sold_out": False, "stock": None}),
    ):
        assert caller.patch(path, change).status_code == 200
    assert owner.patch(f"{CATEGORIES}/{ours.category.pk}", {"name": ours.category.name}).status_code == 200
    assert owner.put(f"{CATEGORIES}/order", {"ids": of(ours.category)}).status_code == 200
    assert owner.put(f"{ITEMS}/order", {"category": str(ours.category.pk), "ids": of(*ours.items)}).status_code == 200
    assert owner.delete(f"{path}/image").status_code == 204
    assert (AuditEntry.objects.count(), Event.objects.count()) == before
    assert versions() == 0


def test_a_manager_switches_sold_out_and_counts_stock(manager, ours, tablet, versions):
    path = f"{ITEMS}/{ours.item.pk}"
    assert manager.patch(path, {"sold_out": True, "stock": 7}).json()["stock"] == 7
    assert versions() == 1
    problem(tablet.post("tablet/orders", order_for(ours.item), key="sold-out-1"), 409, "SOLD_OUT")
    assert manager.patch(path, {"sold_out": False}).json()["sold_out"] is False
    assert manager.patch(path, {"stock": 0}).json()["sold_out"] is False  # the switch alone; guests see it as sold out
    problem(tablet.post("tablet/orders", order_for(ours.item), key="sold-out-2"), 409, "SOLD_OUT")
    assert manager.patch(path, {"stock": None}).json()["stock"] is None
    assert versions() == 3
    assert tablet.post("tablet/orders", order_for(ours.item), key="sold-out-3").status_code == 201


@pytest.mark.parametrize(
    "change", [{"price": 1}, {"name": "x"}, {"description": ""}, {"option_groups": []}, {"sold_out": True, "price": 1}]
)
def test_a_manager_may_change_nothing_else(manager, ours, change):
    problem(manager.patch(f"{ITEMS}/{ours.item.pk}", change), 403, "FORBIDDEN")
    ours.item.refresh_from_db()
    assert (ours.item.price, ours.item.sold_out) == (12000, False)


def test_a_change_of_the_price_leaves_the_portions_alone(ours):
    """The row that the change was asked for may be older than the last order."""
    dish = make_item(ours, stock=5)
    Item.objects.filter(pk=dish.pk).update(stock=2)
    services.change_item(dish, price=9999, actor=ours.owner)
    dish.refresh_from_db()
    assert (dish.price, dish.stock) == (9999, 2)


def test_a_deleted_item_is_gone_but_its_orders_stay(owner, ours, tablet, versions):
    order = tablet.post("tablet/orders", order_for(ours.item), key="before-it-goes").json()
    path = f"{ITEMS}/{ours.item.pk}"
    assert owner.delete(path).status_code == 204
    assert versions() == 1
    for answer in (owner.get(path), owner.patch(path, {"price": 1}), owner.delete(path), owner.delete(f"{path}/image")):
        problem(answer, 404, "NOT_FOUND")
    problem(tablet.post("tablet/orders", order_for(ours.item), key="after-it-went"), 404, "ITEM_NOT_FOUND")
    assert owner.get(f"staff/orders/{order['id']}").json()["lines"][0]["name"] == ours.item.name
    assert versions() == 0


def test_items_are_listed_in_the_menus_order_page_by_page(manager, ours, theirs):
    last = Category.objects.create(store=ours.store, name="Last", position=9)
    twin = Category.objects.create(store=ours.store, name="Also last", position=9)
    items = [make_item(ours, category=category, position=place) for category in (last, twin) for place in (2, 0, 1)]
    seen, cursor = [], ""
    while cursor is not None:
        body = manager.get(f"{ITEMS}?limit=3{f'&cursor={cursor}' if cursor else ''}").json()
        seen += [item["id"] for item in body["results"]]
        cursor = body["next"]
    assert seen[:2] == of(*ours.items[:2])
    assert len(seen) == 8
    for three in (items[:3], items[3:]):
        places = [seen.index(str(item.pk)) for item in (three[1], three[2], three[0])]
        assert places == list(range(places[0], places[0] + 3))


def test_items_of_one_category(manager, ours, theirs):
    other = Category.objects.create(store=ours.store, name="Other", position=9)
    dish = make_item(ours, category=other)
    assert [item["id"] for item in manager.get(f"{ITEMS}?category={other.pk}").json()["results"]] == of(dish)
    problem(manager.get(f"{ITEMS}?category={theirs.category.pk}"), 404, "NOT_FOUND")
    problem(manager.get(f"{ITEMS}?category={uuid.uuid4()}"), 404, "NOT_FOUND")
    for bad in ("mains", ""):
        assert pointers(problem(manager.get(f"{ITEMS}?category={bad}"), 400, "VALIDATION")) == ["?category"]
    for bad in ("limit=0", "limit=101", "cursor=nowhere"):
        problem(manager.get(f"{ITEMS}?{bad}"), 400, "VALIDATION")


@pytest.mark.parametrize("size", [1, 20])
def test_the_list_takes_a_fixed_number_of_statements(manager, ours, size, django_assert_num_queries):
    """1: who is calling. 2: items with their categories. 3: their choices. 4: the options of those."""
    for _ in range(size):
        make_choice(make_item(ours))
    with django_assert_num_queries(4):
        assert len(manager.get(ITEMS).json()["results"]) == 2 + size


# --- Order ------------------------------------------------------------------------------------------------------


def test_an_owner_puts_items_in_order(owner, ours, tablet, versions):
    dish = make_item(ours)
    wanted = of(dish, *ours.items[1::-1])
    answer = owner.put(f"{ITEMS}/order", {"category": str(ours.category.pk), "ids": wanted})
    assert answer.status_code == 200
    assert [item["id"] for item in answer.json()["results"]] == wanted
    assert answer.json()["next"] is None
    assert [item["id"] for item in tablet.get("tablet/menu").json()["categories"][0]["items"]] == wanted
    assert versions() == 1


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no row locks")
def test_dishes_that_are_put_in_order_are_locked_by_their_ids_alone(owner, ours):
    """By the category too, MySQL would go by another index and lock them in its order, not in that of the orders."""
    ids = [str(item.pk) for item in reversed(ours.items)]
    with CaptureQueriesContext(connection) as captured:
        assert owner.put("staff/items/order", {"category": str(ours.category.pk), "ids": ids}).status_code == 200
    [locking] = [query["sql"] for query in captured if re.search(r"FROM .menus_item.*FOR (NO KEY )?UPDATE", query["sql"])]
    assert "category_id" not in locking.partition("WHERE")[2]


def test_an_owner_puts_categories_in_order(owner, ours, tablet, versions):
    second, third = (services.create_category(ours.store, name=name) for name in ("Second", "Third"))
    versions()
    wanted = of(third, ours.category, second)
    answer = owner.put(f"{CATEGORIES}/order", {"ids": wanted})
    assert [category["id"] for category in answer.json()["results"]] == wanted
    assert [category["id"] for category in owner.get(CATEGORIES).json()["results"]] == wanted
    assert [category["id"] for category in tablet.get("tablet/menu").json()["categories"]] == wanted
    assert versions() == 1


def test_an_order_names_each_of_the_list_once(owner, ours, theirs, versions):
    gone = make_item(ours)
    services.delete_item(gone)
    versions()
    first, second = of(*ours.items[:2])
    for ids in (
        [first],
        [first, first],
        [first, second, second],
        [first, second, str(uuid.uuid4())],
        [first, *of(theirs.item)],
        [],
        [first, *of(gone)],
    ):
        problem(owner.put(f"{ITEMS}/order", {"category": str(ours.category.pk), "ids": ids}), 409, "ORDER_MISMATCH")
    for ids in ([], of(theirs.category), of(ours.category, ours.category)):
        problem(owner.put(f"{CATEGORIES}/order", {"ids": ids}), 409, "ORDER_MISMATCH")
    assert pointers(
        problem(owner.put(f"{ITEMS}/order", {"category": str(theirs.category.pk), "ids": of(theirs.item)}), 404, "NOT_FOUND")
    ) == ["/category"]
    for body in ({}, {"ids": None}, {"ids": "all"}, {"ids": [1]}, {"ids": [first], "more": 1}):
        problem(owner.put(f"{CATEGORIES}/order", body), 400, "VALIDATION")
    assert versions() == 0


def test_equal_positions_are_put_apart(owner, ours, versions):
    Item.objects.update(position=3)
    wanted = of(*ours.items[1::-1])
    assert owner.put(f"{ITEMS}/order", {"category": str(ours.category.pk), "ids": wanted}).status_code == 200
    assert [item["id"] for item in owner.get(ITEMS).json()["results"]] == wanted
    assert versions() == 1


# --- Categories -------------------------------------------------------------------------------------------------


def test_an_owner_creates_renames_and_deletes_categories(owner, ours, versions):
    answer = owner.post(CATEGORIES, {"name": " Desserts "})
    assert answer.status_code == 201
    category = answer.json()
    assert (category["name"], category["position"]) == ("Desserts", 1)
    assert owner.patch(f"{CATEGORIES}/{category['id']}", {"name": "Sweets"}).json() == category | {"name": "Sweets"}
    assert owner.delete(f"{CATEGORIES}/{category['id']}").status_code == 204
    assert versions() == 3
    assert [row["id"] for row in owner.get(CATEGORIES).json()["results"]] == of(ours.category)
    problem(owner.patch(f"{CATEGORIES}/{category['id']}", {"name": "Back"}), 404, "NOT_FOUND")
    problem(owner.delete(f"{CATEGORIES}/{category['id']}"), 404, "NOT_FOUND")
    assert versions() == 0


def test_a_category_with_live_items_stays(owner, ours, versions):
    path = f"{CATEGORIES}/{ours.category.pk}"
    problem(owner.delete(path), 409, "CATEGORY_NOT_EMPTY")
    assert versions() == 0
    for item in ours.items:
        owner.delete(f"{ITEMS}/{item.pk}")
    assert owner.delete(path).status_code == 204


def test_two_live_categories_never_have_one_name(owner, ours, theirs):
    problem(owner.post(CATEGORIES, {"name": "Mains"}), 409, "NAME_EXISTS")
    other = owner.post(CATEGORIES, {"name": "Others"}).json()
    problem(owner.patch(f"{CATEGORIES}/{other['id']}", {"name": "Mains"}), 409, "NAME_EXISTS")
    owner.delete(f"{CATEGORIES}/{other['id']}")
    assert owner.post(CATEGORIES, {"name": "Others"}).status_code == 201


@pytest.mark.parametrize(
    "body", [{}, {"name": ""}, {"name": "x" * 101}, {"name": 1}, {"name": None}, {"name": "x", "position": 1}, [], "x"]
)
def test_a_category_has_a_name_and_nothing_else(owner, ours, body):
    problem(owner.post(CATEGORIES, body), 400, "VALIDATION")
    problem(owner.patch(f"{CATEGORIES}/{ours.category.pk}", body), 400, "VALIDATION")


# --- Option groups ----------------------------------------------------------------------------------------------


def test_an_owner_creates_a_choice(owner, ours, versions):
    answer = owner.post(
        GROUPS, new_group(options=[{"name": "hot", "price_delta": 0}, {"name": "iced", "price_delta": 500, "sold_out": True}])
    )
    assert answer.status_code == 201
    group = answer.json()
    assert [(option["name"], option["price_delta"], option["sold_out"]) for option in group["options"]] == [
        ("hot", 0, False),
        ("iced", 500, True),
    ]
    assert versions() == 1
    assert owner.get(GROUPS).json() == {"results": [group], "next": None}


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"min": 2}, "/min"),
        ({"max": 3}, "/max"),
        ({"min": -1}, "/min"),
        ({"max": 0}, "/max"),
        ({"max": 51}, "/max"),
        ({"min": "0"}, "/min"),
        ({"options": []}, "/options"),
        ({"options": [{"name": "o", "price_delta": 0}] * 51}, "/options"),
        ({"options": [{"name": "", "price_delta": 0}]}, "/options/0/name"),
        ({"options": [{"name": "o", "price_delta": 10_000_001}]}, "/options/0/price_delta"),
        ({"options": [{"name": "o", "price_delta": -10_000_001}]}, "/options/0/price_delta"),
        ({"options": [{"name": "o", "price_delta": 0, "more": 1}]}, "/options/0/more"),
        ({"options": [{"name": "o"}]}, "/options/0/price_delta"),
        ({"name": ""}, "/name"),
        ({"more": 1}, "/more"),
    ],
)
def test_a_choice_nobody_could_make_is_refused(owner, ours, change, pointer, versions):
    group = make_choice(ours.item)[0].group
    assert pointers(problem(owner.post(GROUPS, new_group(**change)), 400, "VALIDATION")) == [pointer]
    assert pointers(problem(owner.patch(f"{GROUPS}/{group.pk}", change), 400, "VALIDATION")) == [pointer]
    assert OptionGroup.objects.count() == 1
    assert versions() == 0


def test_a_change_is_measured_by_what_is_there(owner, ours):
    group = make_choice(ours.item, min=1, max=2)[0].group
    path = f"{GROUPS}/{group.pk}"
    assert pointers(problem(owner.patch(path, {"options": [{"name": "only", "price_delta": 0}]}), 400, "VALIDATION")) == ["/options"]
    assert pointers(problem(owner.patch(path, {"min": 2, "max": 1}), 400, "VALIDATION")) == ["/min"]
    assert owner.patch(path, {"max": 1, "options": [{"name": "only", "price_delta": 0}]}).status_code == 200
    assert pointers(problem(owner.patch(path, {"max": 2}), 400, "VALIDATION")) == ["/max"]
    problem(owner.post(GROUPS, new_group(options=[{"id": str(uuid.uuid4()), "name": "o", "price_delta": 0}])), 400, "VALIDATION")


def test_the_list_of_options_is_replaced_and_what_stays_keeps_its_id(owner, ours, versions):
    first, second, third = make_choice(ours.item, options=[("a", 0), ("b", 100), ("c", 200)])
    Option.objects.filter(pk=third.pk).update(sold_out=True)
    path = f"{GROUPS}/{first.group_id}"
    wanted = [
        {"id": str(third.pk), "name": "c2", "price_delta": 250},
        {"name": "new", "price_delta": 1},
        {"id": str(first.pk), "name": "a", "price_delta": 0},
    ]
    group = owner.patch(path, {"name": "Sauce", "options": wanted}).json()
    assert [(option["name"], option["price_delta"], option["sold_out"]) for option in group["options"]] == [
        ("c2", 250, True),
        ("new", 1, False),
        ("a", 0, False),
    ]
    assert [group["options"][0]["id"], group["options"][2]["id"]] == of(third, first)
    assert versions() == 1
    assert owner.get(GROUPS).json()["results"] == [group]
    second.refresh_from_db()
    assert second.deleted_at is not None
    same = [{key: option[key] for key in ("id", "name", "price_delta")} for option in group["options"]]
    assert owner.patch(path, {"options": same}).json() == group
    assert versions() == 0
    assert owner.patch(path, {"options": same[::-1]}).json()["options"] == group["options"][::-1]
    assert versions() == 1
    entry = AuditEntry.objects.in_store(ours.store).filter(action="option_group.changed").earliest("pk")
    assert entry.details["changed"] == ["name", "options"]


def test_only_the_groups_own_options_stay(owner, ours, theirs, versions):
    mine = make_choice(ours.item)[0]
    other = make_choice(ours.items[1])[0]
    foreign = make_choice(theirs.item)[0]
    path = f"{GROUPS}/{mine.group_id}"
    for id in (other.pk, foreign.pk, uuid.uuid4()):
        wanted = [{"id": str(mine.pk), "name": "mine", "price_delta": 0}, {"id": str(id), "name": "other", "price_delta": 0}]
        assert pointers(problem(owner.patch(path, {"options": wanted}), 404, "NOT_FOUND")) == ["/options/1/id"]
    twice = [{"id": str(mine.pk), "name": "mine", "price_delta": 0}] * 2
    assert pointers(problem(owner.patch(path, {"options": twice}), 400, "VALIDATION")) == ["/options/1"]
    mine.refresh_from_db()
    assert mine.name == "regular"
    assert versions() == 0


def test_a_deleted_choice_is_off_its_items(owner, ours, tablet, versions):
    option = make_choice(ours.item, min=1)[0]
    path = f"{GROUPS}/{option.group_id}"
    assert owner.delete(path).status_code == 204
    assert versions() == 1
    assert owner.get(f"{ITEMS}/{ours.item.pk}").json()["option_groups"] == []
    assert owner.get(GROUPS).json()["results"] == []
    for answer in (owner.delete(path), owner.patch(path, {"name": "back"}), owner.patch(f"staff/options/{option.pk}", {"sold_out": True})):
        problem(answer, 404, "NOT_FOUND")
    assert tablet.post("tablet/orders", order_for(ours.item), key="without-choice").status_code == 201


def test_a_manager_switches_an_option(manager, ours, tablet, versions):
    option = make_choice(ours.item)[1]
    path = f"staff/options/{option.pk}"
    assert manager.patch(path, {"sold_out": True}).json() == {"id": str(option.pk), "name": "large", "price_delta": 2000, "sold_out": True}
    assert versions() == 1
    assert tablet.get("tablet/menu").json()["categories"][0]["items"][0]["option_groups"][0]["options"][1]["sold_out"] is True
    assert manager.patch(path, {"sold_out": True}).status_code == 200
    assert manager.patch(path, {}).status_code == 200
    assert versions() == 0
    for body in ({"sold_out": 1}, {"price_delta": 0}):
        problem(manager.patch(path, body), 400, "VALIDATION")


@pytest.mark.parametrize("size", [1, 20])
def test_the_list_of_choices_takes_a_fixed_number_of_statements(manager, ours, size, django_assert_num_queries):
    """1: who is calling. 2: groups. 3: their options."""
    for _ in range(size):
        make_choice(make_item(ours))
    with django_assert_num_queries(3):
        assert len(manager.get(GROUPS).json()["results"]) == size


# --- Who may ----------------------------------------------------------------------------------------------------


def routes(world) -> list[tuple[str, str, dict | None]]:
    """Every route that names something of a store, with a good body."""
    option = Option.objects.in_store(world.store).first() or make_choice(world.item)[0]
    category, item, group = world.category.pk, world.item.pk, option.group_id
    return [
        ("PATCH", f"{CATEGORIES}/{category}", {"name": "Mine"}),
        ("DELETE", f"{CATEGORIES}/{category}", None),
        ("GET", f"{ITEMS}/{item}", None),
        ("PATCH", f"{ITEMS}/{item}", {"price": 1}),
        ("DELETE", f"{ITEMS}/{item}", None),
        ("DELETE", f"{ITEMS}/{item}/image", None),
        ("PATCH", f"{GROUPS}/{group}", {"name": "Mine"}),
        ("DELETE", f"{GROUPS}/{group}", None),
        ("PATCH", f"staff/options/{option.pk}", {"sold_out": True}),
    ]


def test_another_stores_things_do_not_exist(owner, ours, theirs):
    for method, path, body in routes(theirs):
        problem(owner.request(method, path, body), 404, "NOT_FOUND")
    assert Event.objects.in_store(theirs.store).filter(type="menu.changed").count() == 0
    assert [item["id"] for item in owner.get(ITEMS).json()["results"]] == of(*ours.items)


def test_a_manager_reads_and_an_owner_writes(manager, ours, tablet, anyone):
    kept_for_owners = [
        *(route for route in routes(ours) if route[0] != "GET" and not route[1].startswith("staff/options/")),
        ("POST", CATEGORIES, {"name": "New"}),
        ("PUT", f"{CATEGORIES}/order", {"ids": of(ours.category)}),
        ("POST", ITEMS, new_item(ours)),
        ("PUT", f"{ITEMS}/order", {"category": str(ours.category.pk), "ids": of(*ours.items)}),
        ("POST", GROUPS, new_group()),
        ("POST", f"{ITEMS}/{ours.item.pk}/image", None),
    ]
    for method, path, body in kept_for_owners:
        problem(manager.request(method, path, body), 403, "FORBIDDEN")
        problem(tablet.request(method, path, body), 403, "FORBIDDEN")
        problem(anyone.request(method, path, body), 401, "NOT_AUTHENTICATED")
    for path in (CATEGORIES, ITEMS, GROUPS, f"{ITEMS}/{ours.item.pk}"):
        assert manager.get(path).status_code == 200
        assert manager.request("HEAD", path).status_code == 200
        problem(manager.request("OPTIONS", path), 405, "METHOD_NOT_ALLOWED")
        problem(tablet.get(path), 403, "FORBIDDEN")
    assert Counters.objects.get(store=ours.store).menu_version == 1


def test_an_owner_of_one_store_is_a_stranger_in_another(ours, theirs):
    for method, path, body in routes(ours):
        problem(staff_of(theirs.store, theirs.owner).request(method, path, body), 404, "NOT_FOUND")
    assert tablet_of(ours.table).get("tablet/menu").json()["version"] == 1


def test_every_change_of_the_menu_is_written_down_with_who_made_it(owner, ours):
    soups = owner.post(CATEGORIES, {"name": "Soups"}).json()["id"]
    owner.patch(f"{CATEGORIES}/{soups}", {"name": "Stews"})
    owner.put(f"{CATEGORIES}/order", {"ids": [soups, *of(ours.category)]})
    group = owner.post(GROUPS, new_group()).json()
    owner.patch(f"{GROUPS}/{group['id']}", {"name": "How large"})
    owner.patch(f"staff/options/{group['options'][0]['id']}", {"sold_out": True})
    item = owner.post(ITEMS, new_item(ours)).json()["id"]
    owner.patch(f"{ITEMS}/{item}", {"price": 9000})
    owner.put(f"{ITEMS}/order", {"category": str(ours.category.pk), "ids": [item, *of(*ours.items)]})
    for path in (f"{ITEMS}/{item}", f"{GROUPS}/{group['id']}", f"{CATEGORIES}/{soups}"):
        assert owner.delete(path).status_code == 204
    written = AuditEntry.objects.in_store(ours.store).filter(actor=ours.owner).order_by("pk")
    assert list(written.values_list("action", "subject")) == [
        ("category.created", "Soups"),
        ("category.changed", "Stews"),
        ("category.ordered", ours.store.name),
        ("option_group.created", "Size"),
        ("option_group.changed", "How large"),
        ("option.changed", "small"),
        ("item.created", "Pancake"),
        ("item.changed", "Pancake"),
        ("item.ordered", ours.category.name),
        ("item.deleted", "Pancake"),
        ("option_group.deleted", "How large"),
        ("category.deleted", "Stews"),
    ]
