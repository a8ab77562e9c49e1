"""The menu on the tablet."""

import gzip

import pytest
from django.core.management import call_command
from django.utils import timezone

from menus import published, services
from menus.models import Category, Item, ItemOptionGroup
from stores.models import Counters, Event
from tests.world import Caller, make_choice, make_item, problem, staff_of, tablet_of

MENU = "tablet/menu"


def version_of(store) -> int:
    return Counters.objects.get(store=store).menu_version


def dishes(menu) -> list[str]:
    return [item["name"] for category in menu["categories"] for item in category["items"]]


def test_the_menu_has_the_promised_shape(tablet, ours):
    ours.item.description, ours.item.stock = "With seven vegetables", 5
    ours.item.save()
    regular, large = make_choice(ours.item, min=1)
    assert tablet.get(MENU).json() == {
        "version": 1,
        "categories": [
            {
                "id": str(ours.category.pk),
                "name": "Mains",
                "items": [
                    {
                        "id": str(ours.item.pk),
                        "name": ours.item.name,
                        "description": "With seven vegetables",
                        "price": 12000,
                        "image": None,
                        "sold_out": False,
                        "stock": 5,
                        "option_groups": [
                            {
                                "id": str(regular.group_id),
                                "name": "Size",
                                "min": 1,
                                "max": 1,
                                "options": [
                                    {"id": str(regular.pk), "name": "regular", "price_delta": 0, "sold_out": False},
                                    {"id": str(large.pk), "name": "large", "price_delta": 2000, "sold_out": False},
                                ],
                            }
                        ],
                    },
                    {
                        "id": str(ours.items[1].pk),
                        "name": ours.items[1].name,
                        "description": "",
                        "price": 9000,
                        "image": None,
                        "sold_out": False,
                        "stock": None,
                        "option_groups": [],
                    },
                ],
            }
        ],
    }


def test_everything_stands_in_the_owners_order(tablet, ours):
    ours.category.position = 5
    ours.category.save()
    first = Category.objects.create(store=ours.store, name="Starters", position=2)
    late, early = make_item(ours, category=first, name="late", position=9), make_item(ours, category=first, name="early", position=1)
    for position, name in ((2, "second"), (1, "first")):
        group = make_choice(early, name=name, options=[("b", 0), ("a", 0), ("c", 0)])[0].group
        ItemOptionGroup.objects.filter(item=early, group=group).update(position=position)
    menu = tablet.get(MENU).json()["categories"]
    assert [category["name"] for category in menu] == ["Starters", "Mains"]
    assert [item["id"] for item in menu[0]["items"]] == [str(early.pk), str(late.pk)]
    groups = menu[0]["items"][0]["option_groups"]
    assert [group["name"] for group in groups] == ["first", "second"]
    assert [option["name"] for option in groups[0]["options"]] == ["b", "a", "c"]


def test_a_choice_that_two_dishes_share_stands_with_both(tablet, ours):
    options = make_choice(ours.item)
    ItemOptionGroup.objects.create(item=ours.items[1], group=options[0].group)
    one, other = tablet.get(MENU).json()["categories"][0]["items"]
    assert one["option_groups"] == other["option_groups"] != []


def test_what_was_deleted_is_gone(tablet, ours):
    now = timezone.now()
    options = make_choice(ours.item, options=[("stays", 0), ("goes", 0)])
    gone_group = make_choice(ours.item, name="goes")[0].group
    empty = Category.objects.create(store=ours.store, name="Gone", position=9, deleted_at=now)
    for row in (options[1], gone_group, ours.items[1]):
        row.deleted_at = now
        row.save()
    menu = tablet.get(MENU).json()
    assert str(empty.pk) not in [category["id"] for category in menu["categories"]]
    assert dishes(menu) == [ours.item.name]
    assert [
        (group["name"], [option["name"] for option in group["options"]]) for group in menu["categories"][0]["items"][0]["option_groups"]
    ] == [("Size", ["stays"])]


def test_a_dish_whose_choices_are_all_gone_is_still_a_dish(tablet, ours):
    group = make_choice(ours.item)[0].group
    group.deleted_at = timezone.now()
    group.save()
    assert dishes(tablet.get(MENU).json()) == [item.name for item in ours.items]


@pytest.mark.parametrize(
    ("fields", "shown"), [({"sold_out": True}, True), ({"stock": 0}, True), ({"stock": 1}, False), ({"sold_out": True, "stock": 5}, True)]
)
def test_sold_out_is_the_switch_or_no_portions(tablet, ours, fields, shown):
    dish = make_item(ours, **fields)
    item = tablet.get(MENU).json()["categories"][0]["items"][-1]
    assert (item["id"], item["sold_out"], item["stock"]) == (str(dish.pk), shown, fields.get("stock"))


def test_a_category_without_dishes_is_shown(tablet, ours):
    Category.objects.create(store=ours.store, name="Desserts", position=9)
    assert tablet.get(MENU).json()["categories"][-1]["items"] == []


def test_each_store_has_its_own_menu(tablet, ours, theirs):
    assert dishes(tablet.get(MENU).json()) == [item.name for item in ours.items]
    assert dishes(tablet_of(theirs.table).get(MENU).json()) == [item.name for item in theirs.items]


def test_only_tablets_read_it(ours, owner):
    problem(owner.get(MENU), 403, "FORBIDDEN")
    problem(Caller().get(MENU), 401, "NOT_AUTHENTICATED")
    problem(tablet_of(ours.table).post(MENU, {}), 405, "METHOD_NOT_ALLOWED")


# --- Versions ---------------------------------------------------------------------------------------------------


def test_the_tag_names_store_version_and_release(tablet, ours, theirs, monkeypatch):
    answer = tablet.get(MENU)
    assert answer["ETag"].startswith(f'"{ours.store.pk.hex}-{answer.json()["version"]}-')
    monkeypatch.setattr("menus.api.tablet.made_by", lambda: "another release")  # whose menus may look otherwise
    assert tablet.get(MENU, if_none_match=answer["ETag"]).status_code == 200
    assert answer["Cache-Control"] == "private, no-cache"
    assert answer["Content-Type"] == "application/json"
    assert tablet_of(theirs.table).get(MENU, if_none_match=answer["ETag"]).status_code == 200


@pytest.mark.parametrize("form", ["{tag}", "W/{tag}", '"other", {tag}', '"other",W/{tag}', "*"])
def test_the_tablet_that_has_it_gets_nothing(tablet, form):
    tag = tablet.get(MENU)["ETag"]
    answer = tablet.get(MENU, if_none_match=form.format(tag=tag))
    assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", tag)
    assert "Content-Type" not in answer


@pytest.mark.parametrize("form", ["", '"other"', "nonsense", "{bare}", '"*"'])
def test_any_other_tag_gets_the_menu(tablet, form):
    tag = tablet.get(MENU)["ETag"]
    assert tablet.get(MENU, if_none_match=form.format(bare=tag.strip('"'))).status_code == 200


def test_a_change_is_on_the_tablet_at_once(tablet, ours):
    before = tablet.get(MENU)
    services.change_item(ours.item, price=13000, actor=ours.owner)
    after = tablet.get(MENU, if_none_match=before["ETag"])
    assert after.status_code == 200
    assert after.json()["version"] == before.json()["version"] + 1 == version_of(ours.store)
    assert after.json()["categories"][0]["items"][0]["price"] == 13000
    assert tablet.get(MENU, if_none_match=after["ETag"]).status_code == 304


def test_a_head_request_gets_the_headers(tablet):
    answer = tablet.request("HEAD", MENU)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer["ETag"] == tablet.get(MENU)["ETag"]


def test_what_is_newer_than_its_version_is_never_taken_for_the_next_one(ours):
    """A change is committed between reading the version and reading the rows."""
    old = version_of(ours.store)
    services.change_item(ours.item, price=13000)
    early = published.rendered_menu(ours.store, old)
    services.change_item(ours.item, price=14000)
    assert published.rendered_menu(ours.store, old) == early
    assert b'"price":14000' in published.rendered_menu(ours.store, version_of(ours.store))


def test_an_order_of_a_counted_dish_makes_a_new_version(tablet, ours):
    dish = make_item(ours, stock=3)
    before = tablet.get(MENU)
    tablet.post("tablet/orders", {"lines": [{"item": str(dish.pk), "quantity": 3, "options": []}]}, key="three-portions")
    after = tablet.get(MENU, if_none_match=before["ETag"]).json()
    assert after["version"] == before.json()["version"] + 1
    assert (after["categories"][0]["items"][-1]["stock"], after["categories"][0]["items"][-1]["sold_out"]) == (0, True)


def test_after_a_restore_a_menu_that_is_no_more_is_not_taken_for_the_present_one(tablet, ours):
    """Versions count on from the backup: the tablet, Redis and a process may know another menu of the same number."""
    backup = ours.item.name
    services.change_item(ours.item, name="Changed after the backup", actor=ours.owner)
    kept = tablet.get(MENU)
    Item.objects.filter(pk=ours.item.pk).update(name=backup)
    Counters.objects.filter(store=ours.store).update(menu_version=version_of(ours.store) - 1)  # it was put back
    call_command("after_restore", verbosity=0)
    services.change_item(ours.items[1], price=13000, actor=ours.owner)
    assert backup in dishes(tablet.get(MENU, if_none_match=kept["ETag"]).json())


# --- Statements -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 30])
def test_the_menu_takes_two_statements_and_one_if_it_is_known(tablet, ours, size, django_assert_num_queries):
    """1: the tablet with its table, store and counters. 2: the whole menu, once per version and process."""
    for number in range(size):
        category = Category.objects.create(store=ours.store, name=f"category {number}", position=number)
        for _ in range(3):
            make_choice(make_item(ours, category=category), options=[(f"option {option}", option) for option in range(size)])
    with django_assert_num_queries(2):
        answer = tablet.get(MENU)
    assert len(dishes(answer.json())) == 2 + 3 * size
    with django_assert_num_queries(1):
        assert tablet.get(MENU).content == answer.content
    with django_assert_num_queries(1):
        assert tablet.get(MENU, if_none_match=answer["ETag"]).status_code == 304


def test_every_change_is_told_once(tablet, ours):
    services.change_item(ours.item, price=13000, sold_out=True, name="both", actor=ours.owner)
    event = Event.objects.in_store(ours.store).filter(type="menu.changed").get()
    assert f'"data":{{"version":{version_of(ours.store)}}}' in event.body
    assert staff_of(ours.store, ours.manager).get(f"staff/items/{ours.item.pk}").json()["name"] == "both"


def test_who_takes_gzip_gets_it_made_once(ours, monkeypatch):
    tablet, made = tablet_of(ours.table), []
    compress = gzip.compress
    monkeypatch.setattr(gzip, "compress", lambda *args, **kwargs: made.append(args) or compress(*args, **kwargs))
    plain = tablet.get(MENU)
    for accepted in ("gzip", "br, gzip;q=0.5", "GZIP"):
        answer = tablet.get(MENU, accept_encoding=accepted)
        assert (answer["Content-Encoding"], gzip.decompress(answer.content)) == ("gzip", plain.content)
        assert "Accept-Encoding" in answer["Vary"]
        for tag in (answer["ETag"], plain["ETag"]):
            assert tablet.get(MENU, accept_encoding=accepted, if_none_match=tag).status_code == 304
    assert answer["ETag"] != plain["ETag"]
    assert len(made) == 1


@pytest.mark.parametrize("accepted", ["", "identity", "br", "gzip;q=0", "gzip; q=0.0", "gzipped"])
def test_who_does_not_take_gzip_gets_the_menu_as_it_is(tablet, accepted):
    answer = tablet.get(MENU, accept_encoding=accepted)
    assert "Content-Encoding" not in answer
    assert answer.json()["version"] == 1
