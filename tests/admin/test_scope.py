"""The owner of another store goes over every page of the admin, with our ids."""

import json
import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core import serializers
from django.urls import reverse

from menus.models import Category, Item, ItemOptionGroup, Option, OptionGroup
from orders.models import Order
from sessions_app.models import ServiceCall, TableSession
from stores.models import AuditEntry, Membership, SetAsideEvent, Store, Table, User
from tests.world import make_choice, make_world, place, tablet_of

from .desk import REGISTERED, Desk, add_url, change_url, errors_of, list_url, page, saved

OWNED = [model for model in REGISTERED if model not in (User, SetAsideEvent)]  # those are for operators only


def live(world):
    """A store in which there is one of everything, all of it named after the store."""
    code = world.store.code
    for table in world.tables:
        Table.objects.filter(pk=table.pk).update(number=f"{code}-{table.number}")
        table.refresh_from_db()
    Category.objects.filter(pk=world.category.pk).update(name=f"{code} mains")
    make_choice(world.item, name=f"{code} size", options=[(f"{code} small", 0), (f"{code} large", 500)])
    place(world.table, world.item, note=f"{code} note")
    tablet_of(world.table).post("tablet/calls", {"kind": "water"})
    desk = Desk(world.owner)
    saved(desk.form(Item, world.item).send(description=f"{code} described"))
    return world


@pytest.fixture
def both(ours, theirs):
    return live(ours), live(theirs)


def rows_of(model, store):
    return list(model.objects.in_store(store))


def everything(store) -> str:
    """All rows of the store, to see whether anything has changed."""
    models = [Store, Membership, Table, Category, OptionGroup, Option, Item, ItemOptionGroup, TableSession, ServiceCall, Order, AuditEntry]
    people = list(User.objects.filter(memberships__store=store).order_by("pk"))
    return serializers.serialize("json", [*people, *(row for model in models for row in model.objects.in_store(store).order_by("pk"))])


def shown(answer) -> str:
    """The page in small letters, without the token of its forms: sixty-four random ones spell any short word some day."""
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode()).lower()


def names_ours(answer, ours) -> bool:
    text = shown(answer)
    ids = [row.pk for model in OWNED if model is not AuditEntry for row in rows_of(model, ours.store)]
    ids += [row.pk for row in User.objects.filter(memberships__store=ours.store)]
    # Of a number only where it can name a row.
    ways = [way for id in ids for way in ([f"/{id}/", f'"{id}"'] if isinstance(id, int) else [str(id)])]
    return "ours" in text or any(way in text for way in ways)


def ours_to_look_at(model, ours):
    return list(User.objects.filter(memberships__store=ours.store)) if model is User else rows_of(model, ours.store)


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model.__name__)
def test_every_list_shows_nothing_of_ours(both, outsider, model):
    ours, theirs = both
    queries = [
        "",
        "?all=",
        "?o=1",
        "?q=bibimbap",
        "?q=-1",
        "?q=20",
        f"?store__id__exact={ours.store.pk}",
        f"?table__id__exact={ours.table.pk}",
    ]
    queries += [f"?category__id__exact={ours.category.pk}", "?_popup=1&_to_field=id", "?_facets=True"]
    for query in queries:
        answer = outsider.get(list_url(model) + query)
        assert answer.status_code in (200, 302, 400, 403), (query, answer.status_code)
        assert "ours" not in shown(answer), query


@pytest.mark.parametrize("model", OWNED, ids=lambda model: model.__name__)
def test_every_list_shows_the_owners_own(both, outsider, model):
    """The control: the pages above are not just empty."""
    _, theirs = both
    assert rows_of(model, theirs.store)
    assert "theirs" in outsider.get(list_url(model)).content.decode().lower()


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model.__name__)
@pytest.mark.parametrize("kind", ["change", "history", "delete"])
def test_every_page_of_a_row_of_ours_is_closed(both, outsider, model, kind):
    ours, _ = both
    for row in ours_to_look_at(model, ours):
        for answer in (outsider.get(page(kind, model, row.pk)), outsider.post(page(kind, model, row.pk), {"post": "yes"})):
            assert answer.status_code in (302, 403, 404), answer.status_code
            if answer.status_code == 302:
                assert answer["Location"] == reverse("admin:index")
                assert "ours" not in shown(outsider.get("/admin/"))


def test_a_row_of_ours_and_none_at_all_look_the_same(both, outsider):
    ours, _ = both
    there = outsider.get(change_url(ours.item), follow=True)
    saying = outsider.get("/admin/").content.decode().replace(str(ours.item.pk), "ID")
    nothing = outsider.get(page("change", Item, "00000000-0000-0000-0000-000000000000"))
    saying_nothing = outsider.get("/admin/").content.decode().replace("00000000-0000-0000-0000-000000000000", "ID")
    assert there.status_code == nothing.status_code == 302
    assert saying.split("messagelist")[1][:200] == saying_nothing.split("messagelist")[1][:200]


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model.__name__)
def test_every_form_of_the_outsiders_own_offers_nothing_of_ours(both, outsider, model):
    ours, theirs = both
    pages = [add_url(model)] + [change_url(row) for row in ours_to_look_at(model, theirs)]
    pages += [page("history", model, row.pk) for row in ours_to_look_at(model, theirs)]
    for path in pages:
        answer = outsider.get(path)
        assert answer.status_code in (200, 403) or model is User, path
        assert not names_ours(answer, ours), path


def test_autocomplete_finds_nothing_of_ours(both, outsider):
    ours, _ = both
    asked = 0
    for model in [*REGISTERED, Option, ItemOptionGroup]:
        for field in model._meta.get_fields():
            query = {"app_label": model._meta.app_label, "model_name": model._meta.model_name, "field_name": field.name, "term": ""}
            answer = outsider.get(reverse("admin:autocomplete"), **query)
            assert answer.status_code in (200, 403, 404)
            assert not names_ours(answer, ours)
            asked += answer.status_code == 200
    assert asked > 5


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model.__name__)
def test_no_action_reaches_rows_of_ours(both, outsider, operator, model):
    ours, _ = both
    before = everything(ours.store)
    for action, _label in [*_actions(operator, model), ("delete_selected", "")]:
        for more in ({"index": "0"}, {"confirmed": "yes", "post": "yes", "reason": "mine now"}, {"index": "0", "select_across": "1"}):
            data = {"action": action, "_selected_action": [str(row.pk) for row in ours_to_look_at(model, ours)], **more}
            answer = outsider.post(list_url(model), data)
            assert answer.status_code in (200, 302, 403)
            assert not names_ours(answer, ours)
    assert everything(ours.store) == before


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model.__name__)
def test_ids_that_are_none_are_refused_and_no_error_of_ours(operator, model):
    for action, _label in [*_actions(operator, model), ("delete_selected", "")]:
        for id in ("nonsense", "\x00", "9" * 40):
            assert operator.act(model, action, id).status_code in (200, 302, 403)


def _actions(operator, model):
    context = operator.http.get(list_url(model)).context
    form = context and context.get("action_form")
    return form.fields["action"].choices if form else []


@pytest.mark.parametrize("model", [Category, Item, OptionGroup, Table, Membership, Store], ids=lambda model: model.__name__)
def test_a_form_of_theirs_sent_to_a_row_of_ours_changes_nothing(both, outsider, model):
    ours, theirs = both
    form = outsider.form(model, rows_of(model, theirs.store)[0])
    before = everything(ours.store)
    for row in rows_of(model, ours.store):
        form.path = change_url(row)
        assert form.send().status_code in (302, 403)
        stolen = {"name": "stolen", "number": "stolen", "username": "stolen", "new_password": "stolen"}
        assert form.send(**stolen).status_code in (302, 403)
        assert form.send(**stolen, _saveasnew="1").status_code in (200, 302, 403)  # a new one of the outsider's own
    assert everything(ours.store) == before


def test_ids_of_ours_are_invalid_choices(both, outsider):
    ours, theirs = both
    before = everything(ours.store)
    group, choice = OptionGroup.objects.in_store(ours.store).get(), ItemOptionGroup.objects.in_store(ours.store).get()
    option = Option.objects.in_store(ours.store).first()

    assert "valid choice" in errors_of(outsider.form(Item).send(category=str(ours.category.pk), name="mine", price="1"))
    assert "valid choice" in errors_of(outsider.form(Item, theirs.item).send(category=str(ours.category.pk)))
    assert "valid choice" in errors_of(outsider.form(Item, theirs.item).send(**{"choices-0-group": str(group.pk)}))
    inline = {"choices-TOTAL_FORMS": "2", "choices-1-group": str(group.pk), "choices-1-id": "", "choices-1-item": str(theirs.item.pk)}
    assert "valid choice" in errors_of(outsider.form(Item, theirs.item).send(**inline))
    assert errors_of(outsider.form(Item, theirs.item).send(**{"choices-0-id": str(choice.pk)}))
    theirs_group = OptionGroup.objects.in_store(theirs.store).get()
    assert errors_of(outsider.form(OptionGroup, theirs_group).send(**{"options-0-id": str(option.pk), "options-0-name": "stolen"}))
    assert errors_of(outsider.form(OptionGroup, theirs_group).send(**{"options-0-group": str(group.pk)}))
    assert everything(ours.store) == before


def test_items_of_ours_are_not_edited_in_their_list(both, outsider):
    ours, _ = both
    before = everything(ours.store)
    answer = outsider.list_form(Item).send(**{"form-0-id": str(ours.item.pk), "form-0-price": "1"})
    assert answer.status_code in (200, 302)
    assert everything(ours.store) == before


def test_a_store_of_ours_is_no_choice_for_an_owner_of_two(both):
    ours, theirs = both
    second = make_world("theirs2")
    Membership.objects.create(user=theirs.owner, store=second.store, role="owner")
    desk = Desk(theirs.owner)
    before = everything(ours.store)
    for model, fields in (
        (Category, {"name": "mine"}),
        (OptionGroup, {"name": "mine"}),
        (Table, {"number": "9", "new_password": "1234"}),
        (Membership, {"username": "mine", "password1": "a good long one 1", "password2": "a good long one 1"}),
    ):
        form = desk.form(model)
        assert set(form.choices["store"]) == {"", str(theirs.store.pk), str(second.store.pk)}
        assert "valid choice" in errors_of(form.send(store=str(ours.store.pk), **fields))
        # Where a person has one store, the field isn't there and a value for it isn't read.
    assert everything(ours.store) == before


def test_a_posted_store_is_not_read_from_an_owner_of_one(both, outsider):
    ours, theirs = both
    saved(outsider.form(Category).send(store=str(ours.store.pk), name="new one"))
    assert Category.objects.get(name="new one").store == theirs.store


def test_dragging_reaches_no_row_of_ours(both, outsider):
    ours, theirs = both
    before = everything(ours.store)
    for model, row, own in ((Category, ours.category, theirs.category), (Item, ours.item, theirs.item)):
        for rows in ([row], [row, own], [own, row]):
            assert outsider.drag(model, *rows).status_code == 400
        url = page("sortable_update", model)
        for body in (b"", b"[]", b"{}", b'{"updatedItems": 1}', b'{"updatedItems": [[1]]}', b'{"updatedItems": [["x", 1]]}'):
            assert outsider.http.post(url, body, content_type="application/json").status_code == 400
        assert outsider.get(url).status_code == 405
    assert everything(ours.store) == before


@pytest.mark.parametrize(
    "lookup",
    ["user__password__startswith", "store__memberships__user__password__startswith", "password__startswith", "table__password__startswith"]
    + ["category__store__code__startswith", "completed_by__password__contains", "actor__password__contains", "memberships__user__password"],
)
def test_lists_are_filtered_by_nothing_but_their_filters(both, outsider, operator, lookup):
    """Else a list tells, one letter after the other, what is in columns and tables it never shows."""
    for model in REGISTERED:
        for desk in (outsider, operator):
            answer = desk.get(f"{list_url(model)}?{lookup}=a")
            assert answer.status_code in (302, 400, 403), model
            assert answer.status_code != 302 or "e=1" in answer["Location"]


def test_a_chosen_category_or_table_holds_when_the_store_is_taken_out_of_the_filter(operator, both):
    """The list showed everything, and of items let it be dragged."""
    for model, field in ((Item, "category"), (Order, "table"), (TableSession, "table")):
        wanted = model.objects.filter(store__code="ours").first()
        answer = operator.get(list_url(model), **{f"{field}__id__exact": str(getattr(wanted, f"{field}_id"))})
        listed = answer.context["cl"].result_list
        assert wanted in listed
        assert {getattr(row, f"{field}_id") for row in listed} == {getattr(wanted, f"{field}_id")}


def test_a_nul_in_an_address_is_a_bad_request(ours, desk, operator):
    """PostgreSQL takes none, and filters and searches hand on what they are given."""
    filters = [(Order, "status__exact"), (TableSession, "state__exact"), (Membership, "role__exact"), (Item, "q")]
    searched = f"{reverse('admin:autocomplete')}?app_label=menus&model_name=item&field_name=category&term=%00"
    for address in [*(f"{list_url(model)}?{name}=a%00" for model, name in filters), searched]:
        for person in (desk, operator):
            assert person.get(address).status_code == 400, address


def test_what_is_no_id_in_an_address_is_a_bad_request(desk, theirs, operator):
    kinds = ContentType.objects.get_for_models(Item, Table)
    assert {desk.get(f"/admin/r/{kind.pk}/abc/").status_code for kind in kinds.values()} == {400}
    for model, field in ((Item, "category"), (Category, "store"), (Table, "store"), (Membership, "store")):
        assert operator.get(add_url(model), **{field: "abc"}).status_code == 400, model
    assert operator.post(add_url(Category), {"store": "abc", "name": "Soups"}).status_code == 400


@pytest.mark.parametrize(
    ("model", "query"),
    [
        (TableSession, {"started_at__year": "0"}),
        (Order, {"business_day__year": "99999999999"}),
        (Order, {"business_day__year": "0", "business_day__month": "11"}),
    ],
)
def test_filters_that_nobody_can_have_clicked_are_refused_and_no_error_of_ours(outsider, model, query):
    assert outsider.get(list_url(model), **query).status_code in (302, 400)


def test_only_primary_keys_may_be_referenced(both, outsider):
    for model in OWNED:
        assert outsider.get(f"{list_url(model)}?_to_field=password&_popup=1").status_code == 400


def test_recent_actions_are_the_persons_own(both, outsider):
    assert LogEntry.objects.filter(object_repr__startswith="ours").exists()
    text = shown(outsider.get("/admin/"))
    assert "theirs bibimbap" in text
    assert "ours" not in text


def test_what_is_for_operators_is_closed_to_owners(both, outsider, operator):
    for model in (User, SetAsideEvent):
        assert outsider.get(list_url(model)).status_code == outsider.get(add_url(model)).status_code == 403
        assert operator.get(list_url(model)).status_code == 200


def test_the_link_to_a_public_page_tells_nothing(both, outsider):
    from django.contrib.contenttypes.models import ContentType

    ours, _ = both
    kind = ContentType.objects.get_for_model(Item).pk
    there = outsider.get(f"/admin/r/{kind}/{ours.item.pk}/")
    nothing = outsider.get(f"/admin/r/{kind}/00000000-0000-0000-0000-000000000000/")
    assert there.status_code == nothing.status_code == 404
    assert not names_ours(there, ours)


def test_groups_and_permissions_are_nowhere(operator):
    assert [model._meta.label for model in REGISTERED if model._meta.app_label not in ("stores", "menus", "sessions_app", "orders")] == []
    assert "permission" not in json.dumps([str(url) for url in operator.get("/admin/").context["available_apps"]])


def test_what_has_not_reached_the_bus_comes_after_the_day_s_work(operator):
    (stores,) = [app for app in operator.get(reverse("admin:index")).context["app_list"] if app["app_label"] == "stores"]
    assert [model["object_name"] for model in stores["models"]] == ["Table", "Membership", "User", "Store", "AuditEntry", "SetAsideEvent"]
