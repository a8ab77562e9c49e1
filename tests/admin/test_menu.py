"""The menu in the admin: every save is one change that the tablets hear of once, and old forms do no harm."""

import html
import io
import re

import psycopg
import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from PIL import Image

from menus import choices, images
from menus import services as menu_services
from menus.models import Category, Item, ItemOptionGroup, OptionGroup
from stores.models import AuditEntry, Counters, Event, Membership
from tests.world import make_choice, make_item, place, tablet_of

from .desk import Desk, add_url, change_url, errors_of, list_url, messages_of, page, saved


@pytest.fixture
def told(ours, theirs):
    """Called after a step: how often each store was told of a new menu since the last call."""
    last = {}

    def since(world=ours):
        events = Event.objects.in_store(world.store)
        new = events.filter(number__gt=last.get(world.store.pk, 0)).order_by("number")
        types = list(new.values_list("type", flat=True))
        last[world.store.pk] = Counters.objects.get(store=world.store).last_number
        return types

    since()
    since(theirs)
    return since


def picture(kind="PNG"):
    file = io.BytesIO()
    Image.new("RGB", (60, 40), "red").save(file, kind)
    file.seek(0)
    file.name = f"dish.{kind.lower()}"
    return file


@pytest.fixture(autouse=True)
def media(tmp_path, settings):
    settings.MEDIA_ROOT = tmp_path


# --- One change, told once --------------------------------------------------------------------------------------


def test_a_category_from_beginning_to_end(desk, ours, told):
    saved(desk.form(Category).send(name="Drinks"))
    assert told() == ["menu.changed"]
    drinks = Category.objects.get(name="Drinks")
    assert (drinks.store, drinks.position) == (ours.store, ours.category.position + 1)
    saved(desk.form(Category, drinks).send(name="Cold drinks"))
    assert told() == ["menu.changed"]
    saved(desk.form(Category, drinks).send())
    assert told() == []
    saved(desk.post(page("delete", Category, drinks.pk), {"post": "yes"}))
    assert told() == ["menu.changed"]
    drinks.refresh_from_db()
    assert drinks.deleted_at is not None
    assert "Cold drinks" not in desk.get(list_url(Category)).content.decode().split("<form", 3)[-1].split("result_list")[-1]
    assert [entry.action for entry in AuditEntry.objects.filter(action__startswith="category").order_by("id")] == [
        "category.created",
        "category.changed",
        "category.deleted",
    ]
    assert AuditEntry.objects.filter(action__startswith="category", actor=ours.owner).count() == 3


def test_an_item_with_choices_and_picture_is_one_change(desk, ours, told):
    make_choice(ours.item, name="Size")
    make_choice(ours.item, name="Spice")
    size, spice = OptionGroup.objects.order_by("name")
    told()
    form = desk.form(Item)
    rows = {"choices-TOTAL_FORMS": "2", "choices-0-group": str(spice.pk), "choices-1-group": str(size.pk)}
    saved(form.send(category=str(ours.category.pk), name="Stew", price="11000", stock="7", new_image=picture(), **rows))
    assert told() == ["menu.changed"]
    stew = Item.objects.get(name="Stew")
    assert (stew.store, stew.price, stew.stock, stew.sold_out) == (ours.store, 11000, 7, False)
    assert stew.position > max(item.position for item in ours.items)
    assert [choice.group for choice in stew.choices.order_by("position")] == [spice, size]
    assert stew.image

    form = desk.form(Item, stew)
    first, second = (form.fields[f"choices-{place}-id"] for place in (0, 1))
    assert form.fields["choices-0-group"] == str(spice.pk), (first, second)
    saved(form.send(**{"choices-0-position": "2", "choices-1-position": "1", "price": "12000", "drop_image": "on"}))
    assert told() == ["menu.changed"]
    stew.refresh_from_db()
    assert [choice.group for choice in stew.choices.order_by("position")] == [size, spice]
    assert (stew.price, stew.image.name) == (12000, "")

    saved(desk.form(Item, stew).send(**{"choices-0-DELETE": "on"}))
    assert told() == ["menu.changed"]
    assert [choice.group for choice in stew.choices.all()] == [spice]
    saved(desk.form(Item, stew).send())
    assert told() == []
    price = AuditEntry.objects.filter(action="item.changed", subject="Stew").order_by("id").first()
    assert (price.details["before"]["price"], price.details["after"]["price"]) == (11000, 12000)


def test_a_list_of_prices_is_one_change(desk, ours, told):
    form = desk.list_form(Item)
    prices = {name: str(int(value) + 500) for name, value in form.fields.items() if name.startswith("form-") and name.endswith("-price")}
    assert len(prices) == 2
    saved(form.send(**prices))
    assert told() == ["menu.changed"]
    assert sorted(Item.objects.in_store(ours.store).values_list("price", flat=True)) == [9500, 12500]
    saved(desk.list_form(Item).send())
    assert told() == []


def test_a_list_over_two_stores_is_one_change_for_each(ours, theirs, told):
    Membership.objects.create(user=ours.owner, store=theirs.store, role="owner")
    make_item(theirs)
    desk = Desk(ours.owner)
    form = desk.list_form(Item)
    saved(form.send(**{f"form-{row}-sold_out": "on" for row in range(5)}))
    assert told() == told(theirs) == ["menu.changed"]
    assert not Item.objects.filter(sold_out=False).exists()


def test_options_from_beginning_to_end(desk, ours, told):
    form = desk.form(OptionGroup)
    rows = {"options-TOTAL_FORMS": "3"}
    for place_, (name, delta) in enumerate((("small", "-500"), ("large", "1000"), ("huge", "2500"))):
        rows |= {f"options-{place_}-name": name, f"options-{place_}-price_delta": delta}
    saved(form.send(name="Size", min="1", max="1", **rows))
    assert told() == ["menu.changed"]
    group = OptionGroup.objects.get(name="Size")
    assert list(group.options.order_by("position").values_list("name", "price_delta")) == [("small", -500), ("large", 1000), ("huge", 2500)]

    form = desk.form(OptionGroup, group)
    saved(form.send(**{"options-0-position": "3", "options-1-position": "1", "options-2-position": "2", "options-2-sold_out": "on"}))
    assert told() == ["menu.changed"]
    assert list(group.options.order_by("position").values_list("name", "sold_out")) == [("large", False), ("huge", True), ("small", False)]

    saved(desk.form(OptionGroup, group).send(**{"options-2-DELETE": "on"}))
    assert told() == ["menu.changed"]
    assert [option.name for option in group.options.alive().order_by("position")] == ["large", "huge"]
    saved(desk.form(OptionGroup, group).send())
    assert told() == []


def test_deleting_several_is_one_change_and_keeps_old_orders(desk, ours, told):
    order = place(ours.table, ours.item)
    told()
    answer = desk.act(Item, "delete_selected", *ours.items)
    assert "Are you sure" in answer.content.decode()
    assert "order" not in answer.content.decode().split('id="content"')[-1].lower().replace("table order", "")
    assert "Successfully deleted 2 items" in messages_of(desk.confirm(Item, "delete_selected", *ours.items), desk)
    assert told() == ["menu.changed"]
    assert not Item.objects.in_store(ours.store).alive().exists()
    assert tablet_of(ours.table).get("tablet/session").json()["orders"][0]["lines"] == order["lines"]
    saved(desk.form(Item).send(category=str(ours.category.pk), name=ours.item.name, price="1"))  # the name is free again


def test_a_category_with_items_is_not_deleted(desk, ours, told):
    text = desk.get(page("delete", Category, ours.category.pk)).content.decode()
    assert "This category still has items" in text
    assert "ours bibimbap" in text
    desk.post(page("delete", Category, ours.category.pk), {"post": "yes"})
    desk.confirm(Category, "delete_selected", ours.category)
    ours.category.refresh_from_db()
    assert ours.category.deleted_at is None
    assert told() == []


def test_an_option_that_was_ordered_can_be_deleted(desk, ours):
    regular, large = make_choice(ours.item)
    body = {"lines": [{"item": str(ours.item.pk), "quantity": 1, "options": [str(large.pk)]}]}
    assert tablet_of(ours.table).post("tablet/orders", body, key="ordered-it").status_code == 201
    saved(desk.form(OptionGroup, large.group).send(**{"options-1-DELETE": "on"}))
    large.refresh_from_db()
    assert large.deleted_at is not None


def test_a_group_that_is_deleted_leaves_its_items(desk, ours, told):
    (option, _) = make_choice(ours.item)
    told()
    saved(desk.post(page("delete", OptionGroup, option.group.pk), {"post": "yes"}))
    assert told() == ["menu.changed"]
    assert not ItemOptionGroup.objects.exists()


# --- Forms that were opened before something happened -----------------------------------------------------------


def test_an_old_form_does_not_bring_the_old_stock_back(desk, ours):
    item = make_item(ours, stock=5)
    form = desk.form(Item, item)
    place(ours.table, item, quantity=2)
    saved(form.send(description="better described"))
    item.refresh_from_db()
    assert (item.stock, item.description) == (3, "better described")


def test_an_old_list_does_not_bring_the_old_stock_back(desk, ours):
    item = make_item(ours, stock=5)
    form = desk.list_form(Item)
    place(ours.table, item, quantity=2)
    (row,) = [
        name.removesuffix("-stock")
        for name, value in form.fields.items()
        if name.endswith("-stock") and value == "5" and name.startswith("form-")
    ]
    saved(form.send(**{f"{row}-price": "7777"}))
    item.refresh_from_db()
    assert (item.stock, item.price) == (3, 7777)


def test_a_stock_counted_before_the_last_orders_is_asked_for_again(desk, ours):
    item = make_item(ours, stock=5)
    form, list_form = desk.form(Item, item), desk.list_form(Item)
    (name,) = [
        field for field, value in list_form.fields.items() if field.startswith("form-") and field.endswith("-stock") and value == "5"
    ]
    place(ours.table, item)
    assert "now 4" in errors_of(form.send(stock="20"))
    assert "now 4" in errors_of(list_form.send(**{name: "20"}))
    item.refresh_from_db()
    assert item.stock == 4
    # The page that says so knows the new number; sent again, it is meant.
    form = desk.form(Item, item)
    place(ours.table, item)
    again = type(form)(desk, form.path, form.send(stock="20"), "item_form")
    saved(again.send())
    item.refresh_from_db()
    assert item.stock == 20


def test_a_list_that_is_refused_shows_each_price_beside_its_own_name(desk, ours):
    first, second = ours.items
    form = desk.list_form(Item, sold_out__exact="0")
    menu_services.change_item(first, sold_out=True, actor=None)  # and so it is no longer in the list that was filtered
    shown = desk.post(form.path + "?sold_out__exact=0", form.fields | {"form-1-price": "0"})
    assert "greater than or equal to 1" in errors_of(shown)
    rows = re.findall(r"<tr>.*?</tr>", shown.content.decode(), re.DOTALL)
    prices = {
        name: int(place)
        for row in rows
        for name in re.findall(r"/change/[^>]*>(.*?)</a>", row)
        for place in re.findall(r'name="form-(\d)-price"', row)
    }
    assert prices == {first.name: 0, second.name: 1}


def test_a_list_with_an_item_that_is_gone_is_not_saved(desk, ours, told):
    gone, stays = ours.items
    form = desk.list_form(Item)
    menu_services.delete_item(gone, actor=None)
    told()
    assert "Somebody else" in messages_of(form.send(**{"form-0-price": "7777", "form-1-price": "8888"}), desk)
    stays.refresh_from_db()
    assert (stays.price, told()) == (9000, [])


def test_orders_that_come_in_while_the_form_is_being_saved_are_not_lost(desk, ours, monkeypatch):
    """The form was right when it was looked at; the row is looked at once more when it is locked."""
    item = make_item(ours, stock=5)
    form = desk.form(Item, item)
    locked = Item.objects.all().locked().__class__.locked

    def order_comes_first(queryset):
        Item.objects.filter(pk=item.pk, stock=5).update(stock=3)
        return locked(queryset)

    monkeypatch.setattr(Item.objects.all().__class__, "locked", order_comes_first)
    assert "number of portions has changed" in messages_of(form.send(stock="20", description="x"), desk)
    item.refresh_from_db()
    assert (item.stock, item.description) == (5, "")  # all of it is undone, here also what came first


def test_an_old_form_leaves_what_others_have_switched(desk, ours):
    form = desk.form(Item, ours.item)
    (regular, _) = make_choice(ours.item)
    group_form = desk.form(OptionGroup, regular.group)
    menu_services.change_item(ours.item, sold_out=True, actor=None)
    choices.change_option(regular, sold_out=True, actor=None)
    saved(form.send(name="renamed"))
    saved(group_form.send(name="How large"))
    ours.item.refresh_from_db()
    regular.refresh_from_db()
    assert ours.item.sold_out and ours.item.name == "renamed"
    assert regular.sold_out
    assert [choice.group for choice in ours.item.choices.all()] == [regular.group]


def test_a_program_that_posts_the_bare_fields_is_served_too(desk, ours):
    item = make_item(ours, stock=5)
    form = desk.form(Item, item)
    bare = {name: value for name, value in form.fields.items() if not name.startswith("initial-")}
    saved(desk.post(change_url(item), bare | {"stock": "8", "price": "4000"}))
    item.refresh_from_db()
    assert (item.stock, item.price) == (8, 4000)


# --- What is wrong is said beside the field ---------------------------------------------------------------------


def test_names_that_are_there_already(desk, ours, theirs, told):
    assert "category with this name" in errors_of(desk.form(Category).send(name="Mains"))
    item = {"category": str(ours.category.pk), "name": "ours noodles", "price": "1"}
    assert "item with this name" in errors_of(desk.form(Item).send(**item))
    assert "item with this name" in errors_of(desk.form(Item, ours.item).send(name="ours noodles"))
    saved(desk.form(Item).send(**(item | {"name": "theirs noodles"})))  # another store's names are free
    other = Category.objects.create(store=ours.store, name="Other")
    saved(desk.form(Item).send(**(item | {"category": str(other.pk)})))
    assert "item with this name" in errors_of(desk.form(Item, ours.items[1]).send(category=str(other.pk)))
    assert told() == ["menu.changed"] * 2


@pytest.mark.parametrize(
    ("field", "value"),
    [("price", "0"), ("price", "10000001"), ("price", "1.5"), ("price", ""), ("name", ""), ("name", "x" * 101), ("description", "x" * 1001)]
    + [("stock", "-1"), ("stock", "1000001"), ("stock", "many"), ("category", ""), ("category", "x"), ("name", "a\x00b")],
)
def test_wrong_values_of_an_item(desk, ours, told, field, value):
    assert errors_of(desk.form(Item, ours.item).send(**{field: value}))
    if field in ("price", "stock"):
        assert errors_of(desk.list_form(Item).send(**{f"form-0-{field}": value}))
    assert told() == []


def test_choices_that_nobody_could_make(desk, ours, told):
    (regular, _) = make_choice(ours.item)
    group = regular.group
    told()
    assert "must not be more" in errors_of(desk.form(OptionGroup, group).send(min="2", max="1"))
    assert "must be able to take one" in errors_of(desk.form(OptionGroup, group).send(min="0", max="0"))
    assert "only 2 options" in errors_of(desk.form(OptionGroup, group).send(max="3"))
    assert "only 1 option" in errors_of(desk.form(OptionGroup, group).send(max="2", **{"options-0-DELETE": "on"}))
    assert errors_of(desk.form(OptionGroup).send(name="Empty", min="0", max="1"))
    assert errors_of(desk.form(OptionGroup, group).send(**{"options-0-price_delta": "99999999"}))
    twice = {"choices-TOTAL_FORMS": "2", "choices-1-group": str(group.pk)}
    assert "duplicate" in errors_of(desk.form(Item, ours.item).send(**twice))
    assert told() == []


def test_a_group_that_is_chosen_twice(desk, ours, told):
    (option, _) = make_choice(ours.item)
    form = desk.form(Item, ours.item)
    again = {"choices-TOTAL_FORMS": "2", "choices-1-group": str(option.group.pk), "choices-1-id": "", "choices-1-item": str(ours.item.pk)}
    assert "This stands here twice." in errors_of(form.send(**again))
    assert told() == []


def test_files_that_are_no_pictures(desk, ours, told):
    for file, complaint in ((io.BytesIO(b"not a picture"), "Only JPEG"), (picture("GIF"), "Only JPEG"), (io.BytesIO(b""), "empty")):
        file.name = "dish.png"
        assert complaint in errors_of(desk.form(Item, ours.item).send(new_image=file))
    ours.item.refresh_from_db()
    assert not ours.item.image
    assert told() == []


def test_a_picture_is_taken_for_what_it_is_whatever_its_name(desk, ours):
    file = picture("JPEG")
    file.name = "photo"
    saved(desk.form(Item, ours.item).send(new_image=file))
    ours.item.refresh_from_db()
    assert ours.item.image.name.endswith(".jpg")


def sent(picture, size=None):
    """A JPEG of this picture; with a size, only so much of it."""
    whole = io.BytesIO()
    picture.save(whole, "JPEG")
    file = io.BytesIO(whole.getvalue()[:size])
    file.name = "dish.jpg"
    return file


def refused_pictures():
    too_much = io.BytesIO(sent(Image.new("RGB", (60, 40))).getvalue() + bytes(images.MAX_BYTES))
    too_much.name = "dish.jpg"
    return [
        (sent(Image.effect_noise((300, 300), 90), 3000), "damaged"),
        (sent(Image.new("L", (8000, 6000))), "too many pixels"),
        (too_much, "at most 5 MB"),
    ]


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_refused_picture_is_said_beside_the_field_and_what_was_typed_stays(desk, ours, told):
    for file, complaint in refused_pictures():
        answer = desk.form(Item, ours.item).send(new_image=file, name="renamed", description="long and dear")
        assert complaint in errors_of(answer)
        assert complaint in str(answer.context["adminform"].form.errors["new_image"])
        assert 'value="renamed"' in answer.content.decode()
        assert "long and dear" in answer.content.decode()
    ours.item.refresh_from_db()
    assert (ours.item.name, ours.item.image.name) == ("ours bibimbap", "")
    assert told() == []


def test_a_picture_beside_a_mistake_has_to_be_chosen_again_and_that_is_said(desk, ours):
    """The field comes back empty: the dish would be saved without it, and nobody would have noticed."""
    said = "choose the image again"
    assert said in desk.form(Item, ours.item).send(new_image=picture(), price="0").content.decode()
    size = str(OptionGroup.objects.create(store=ours.store, name="Size", min=0, max=1).pk)
    twice = {"choices-TOTAL_FORMS": "2", "choices-0-group": size, "choices-1-group": size}
    assert said in desk.form(Item, ours.item).send(new_image=picture(), **twice).content.decode()
    assert said not in desk.form(Item, ours.item).send(price="0").content.decode()
    bad = sent(Image.new("RGB", (60, 40)), 100)
    assert said not in desk.form(Item, ours.item).send(new_image=bad, price="0").content.decode()  # its own complaint says so


def test_a_picture_is_decoded_once(desk, ours, monkeypatch):
    decoded = []
    read = images.read
    monkeypatch.setattr(images, "read", lambda upload: decoded.append(upload) or read(upload))
    saved(desk.form(Item, ours.item).send(new_image=picture()))
    assert len(decoded) == 1
    ours.item.refresh_from_db()
    assert ours.item.image


@pytest.mark.django_db(transaction=True)
def test_a_second_attempt_of_the_database_still_has_the_picture(desk, ours, monkeypatch):
    change, attempts = menu_services.change_item, []

    def stale(*args, **kwargs):
        attempts.append(args)
        if len(attempts) == 1:
            raise OperationalError("deadlock detected") from psycopg.errors.DeadlockDetected()
        return change(*args, **kwargs)

    monkeypatch.setattr(menu_services, "change_item", stale)
    saved(desk.form(Item, ours.item).send(new_image=picture(), name="renamed"))
    ours.item.refresh_from_db()
    assert (len(attempts), ours.item.name, bool(ours.item.image)) == (2, "renamed", True)


def test_the_picture_is_shown(desk, ours):
    saved(desk.form(Item, ours.item).send(new_image=picture()))
    ours.item.refresh_from_db()
    stem = ours.item.image.name.rpartition(".")[0]
    assert f'src="{settings.MEDIA_URL}{stem}-list.' in desk.get(list_url(Item)).content.decode()
    assert f'src="{settings.MEDIA_URL}{stem}-detail.' in desk.get(change_url(ours.item)).content.decode()


def test_an_item_and_its_choices_are_of_one_store(ours, theirs):
    """An owner of two stores can choose from both, and is told when that can't be."""
    Membership.objects.create(user=ours.owner, store=theirs.store, role="owner")
    (theirs_option, _) = make_choice(theirs.item)
    desk = Desk(ours.owner)
    rows = {"choices-TOTAL_FORMS": "1", "choices-0-group": str(theirs_option.group.pk)}
    form = desk.form(Item)
    assert "same store" in errors_of(form.send(category=str(ours.category.pk), name="Mixed", price="1", **rows))
    assert "valid choice" in errors_of(desk.form(Item, ours.item).send(category=str(theirs.category.pk)))
    assert "valid choice" in errors_of(desk.form(Item, ours.item).send(**rows))
    saved(form.send(category=str(theirs.category.pk), name="Theirs", price="1", **rows))
    assert Item.objects.get(name="Theirs").store == theirs.store


# --- Dragging ---------------------------------------------------------------------------------------------------


def names(rows):
    return [row.name for row in rows.alive().order_by("position", "pk")]


def test_dragging_categories(desk, ours, told):
    for name in ("B", "C", "D"):
        saved(desk.form(Category).send(name=name))
    b, c, d = (Category.objects.get(name=name) for name in "BCD")
    told()
    assert "handle" in desk.get(list_url(Category)).content.decode()
    assert desk.drag(Category, d, ours.category, b).status_code == 200
    assert names(Category.objects.in_store(ours.store)) == ["D", "Mains", "C", "B"]
    assert told() == ["menu.changed"]
    assert desk.drag(Category, c, b).status_code == 200  # it stands so already
    assert told() == []
    assert desk.drag(Category, c, c).status_code == 400


def test_dragging_items_of_which_some_have_the_same_place(desk, ours, theirs, told):
    make_item(ours, name="third")
    items = {item.name: item for item in ours.items}
    shown = desk.get(list_url(Item), category__id__exact=str(ours.category.pk))
    assert "handle" in shown.content.decode()
    assert desk.drag(Item, items["third"], items["ours noodles"], items["ours bibimbap"]).status_code == 200
    assert names(ours.category.items) == ["third", "ours noodles", "ours bibimbap"]
    assert told() == ["menu.changed"]
    assert told(theirs) == []
    other = make_item(ours, category=Category.objects.create(store=ours.store, name="Other"))
    assert desk.drag(Item, other, items["third"]).status_code == 400  # only within a category


def test_lists_are_dragged_only_where_they_have_one_order(desk, ours, theirs):
    def draggable(model, desk=desk, **query):
        return "drag handle" in desk.get(list_url(model), **query).content.decode()

    one = str(ours.category.pk)
    assert draggable(Category)
    assert draggable(Item, category__id__exact=one)
    assert not draggable(Item)
    assert "Choose a category in the filter" in desk.get(list_url(Item)).content.decode()
    assert not draggable(Item, category__id__exact=one, q="bibimbap")
    assert not draggable(Item, category__id__exact=one, o="2")
    assert not draggable(Item, category__id__exact=str(theirs.category.pk))

    Membership.objects.create(user=ours.owner, store=theirs.store, role="owner")
    chain = Desk(ours.owner)
    assert not draggable(Category, chain)
    assert "Choose a store in the filter" in chain.get(list_url(Category)).content.decode()
    assert draggable(Category, chain, store__id__exact=str(ours.store.pk))
    assert chain.drag(Category, ours.category, theirs.category).status_code == 400


def test_how_to_drag_stands_on_the_page_and_not_in_its_title(desk):
    shown = desk.get(list_url(Item)).content.decode()
    assert "<title>Select item to change | Table Order</title>" in shown
    assert '<p class="how-to-drag">Choose a category in the filter' in shown


def test_one_persons_list_does_not_decide_over_anothers(desk, ours, operator, theirs):
    """The package keeps that in the one instance that serves everybody."""
    assert "drag handle" in desk.get(list_url(Category)).content.decode()
    assert "drag handle" not in operator.get(list_url(Category)).content.decode()
    assert "drag handle" in desk.get(list_url(Category)).content.decode()


def test_a_dish_with_more_choices_takes_no_more_queries(desk, ours):
    make_choice(ours.item)
    with CaptureQueriesContext(connection) as few:
        desk.get(change_url(ours.item))
    for _ in range(9):
        make_choice(ours.item)
    with CaptureQueriesContext(connection) as many:
        desk.get(change_url(ours.item))
    assert len(many) == len(few)


def test_an_operator_looks_for_the_category_among_all_stores(operator, ours, theirs, django_assert_max_num_queries):
    """A list of those of a thousand stores took ten seconds."""
    make_choice(ours.item)
    form = operator.form(Item)
    assert form.choices["category"] == form.choices["choices-__prefix__-group"] == []
    asked = {"app_label": "menus", "model_name": "item", "field_name": "category", "term": "Mains"}
    with django_assert_max_num_queries(5):
        found = operator.get(reverse("admin:autocomplete"), **asked).json()["results"]
    assert {one["text"] for one in found} == {f"{world.store} · Mains" for world in (ours, theirs)}
    saved(form.send(category=str(theirs.category.pk), name="Soup", price="500"))
    assert Item.objects.get(name="Soup").store == theirs.store


def test_prices_are_shown_with_their_point(theirs, ours, desk):
    theirs.store.currency = "USD"
    theirs.store.save()
    dollars = Desk(theirs.owner)
    assert "$120.00" in dollars.get(list_url(Item)).content.decode()
    assert "1850 is $18.50" in dollars.get(change_url(theirs.item)).content.decode()
    assert "₩12,000" not in desk.get(list_url(Item)).content.decode()  # the number says it already
    Membership.objects.create(user=theirs.owner, store=ours.store, role="owner")
    assert "1850 is" not in dollars.get(add_url(Item)).content.decode()  # of which store is not known yet
    assert "1850 is ₩1,850" in desk.get(change_url(ours.item)).content.decode()


def test_saving_a_long_list_checks_only_what_was_changed(desk, ours):
    def queries(form):
        with CaptureQueriesContext(connection) as captured:
            saved(form.send(**{"form-0-price": str(int(form.fields["form-0-price"]) + 1)}))
        return len(captured)

    few = queries(desk.list_form(Item))
    for _ in range(20):
        make_item(ours)
    assert queries(desk.list_form(Item)) <= few + 20  # Django looks each row up once, by its id


def test_a_page_that_claims_endless_rows_gets_no_more_than_there_may_be(desk, ours):
    group = make_choice(ours.item)[0].group
    item = desk.form(Item, ours.item).send(**{"choices-TOTAL_FORMS": "99999", "name": ""})
    (choices,) = [admin_formset.formset for admin_formset in item.context["inline_admin_formsets"]]
    options = desk.form(OptionGroup, group).send(**{"options-TOTAL_FORMS": "99999"})
    (inline,) = [admin_formset.formset for admin_formset in options.context["inline_admin_formsets"]]
    assert len(choices.forms) == len(inline.forms) == 100
    assert "at most 50" in errors_of(options)
    listed = desk.list_form(Item).send(**{"form-TOTAL_FORMS": "99999"})
    assert len(listed.context["cl"].formset.forms) == 100


def test_a_group_has_as_many_options_as_the_api_allows(desk, ours):
    rows = {f"options-{number}-{name}": value for number in range(51) for name, value in (("name", f"no. {number}"), ("price_delta", "0"))}
    asked = {"name": "spice", "min": "0", "max": "1", "options-TOTAL_FORMS": "51", **rows}
    assert "at most 50" in errors_of(desk.form(OptionGroup).send(**asked))
    saved(desk.form(OptionGroup).send(**asked | {"options-TOTAL_FORMS": "50"}))
    assert OptionGroup.objects.get(name="spice").options.count() == 50


def test_the_count_of_a_category_leads_to_its_dishes(desk, ours):
    [link] = re.findall(r'href="([^"]+category[^"]+)">2</a>', html.unescape(desk.get(list_url(Category)).content.decode()))
    shown = desk.get(link)
    assert shown.status_code == 200
    assert [str(item) for item in shown.context["cl"].result_list] == ["ours bibimbap", "ours noodles"]


def test_the_dishes_of_an_only_category_can_be_chosen_and_dragged(desk, ours):
    [chosen] = re.findall(rf'href="([?]category__id__exact={ours.category.pk})"', desk.get(list_url(Item)).content.decode())
    assert "drag handle" in desk.get(list_url(Item) + chosen).content.decode()


def test_groups_of_one_name_are_told_apart_by_their_options(desk, ours):
    make_choice(ours.item, name="Size")
    make_choice(ours.items[1], name="Size", options=(("hot", 0), ("mild", 0)))
    shown = desk.get(change_url(ours.item)).content.decode()
    assert "Size (regular, large)" in shown and "Size (hot, mild)" in shown


def test_who_deletes_a_group_is_told_which_dishes_lose_it(desk, ours):
    group = make_choice(ours.item)[0].group
    asked = desk.get(page("delete", OptionGroup, group.pk)).content.decode()
    assert "ours bibimbap is offered without it" in asked
    assert "ours noodles" not in asked


def test_the_korean_of_a_list_is_a_shops_and_not_a_programs(ours):
    shown = Desk(ours.owner, **{"accept-language": "ko"}).get(list_url(Item)).content.decode()
    assert "선택한 메뉴 삭제" in shown and f"선택: {ours.item}" in shown
    assert "객체" not in shown and "을/를" not in shown
