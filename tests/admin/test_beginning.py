"""A store's first day: the admin says what comes first, until it is done."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from menus.models import Category, Item
from stores.models import Membership, Store, Table
from stores.services import create_store
from tests.world import make_person

from .desk import Desk, add_url, list_url, messages_of, saved

NEW_STORE = {"name": "Third", "code": "third", "currency": "USD", "timezone": "America/New_York", "steps": "4", "day_starts_at": "5"}


@pytest.fixture
def fresh(db):
    return create_store(code="fresh", name="Fresh", currency="KRW", timezone="Asia/Seoul", steps=4)


@pytest.fixture
def newcomer(fresh):
    """The owner of a store with nothing in it."""
    return Desk(make_person(fresh, "newcomer", "owner"))


def steps(desk):
    """[(address without its query, which store)] as the index names them."""
    return [(url.partition("?")[0], store) for _, url, store in desk.get("/admin/").context["next_steps"]]


def test_the_index_says_what_a_new_store_needs_until_it_is_there(newcomer, fresh, ours):
    assert steps(newcomer) == [(add_url(Category), None), (add_url(Item), None), (add_url(Table), None)]
    shown = newcomer.get("/admin/").content.decode()
    assert f'<a href="{add_url(Category)}?store={fresh.pk}" class="addlink">Add a category' in shown
    saved(newcomer.form(Category).send(name="Soups"))
    assert steps(newcomer) == [(add_url(Item), None), (add_url(Table), None)]
    soups = Category.objects.get(name="Soups")
    saved(newcomer.form(Item).send(category=str(soups.pk), name="Stew", price="9000"))
    saved(newcomer.form(Table).send(number="1", up_to="3", new_password="1234"))
    assert steps(newcomer) == []
    assert "next-steps" not in newcomer.get("/admin/").content.decode()
    Item.objects.filter(store=fresh).update(deleted_at=fresh.created_at)
    assert steps(newcomer) == [(add_url(Item), None)]


def test_to_whoever_has_several_stores_the_index_names_the_store(operator, fresh, ours):
    assert steps(operator) == [(add_url(Category), fresh), (add_url(Item), fresh), (add_url(Table), fresh)]
    link = operator.get("/admin/").context["next_steps"][2][1]
    saved(operator.form(Table, store=str(fresh.pk)).send(number="1", new_password="1234"))
    assert operator.get(link).status_code == 200
    assert Table.objects.get(store=fresh).number == "1"
    assert len(steps(operator)) == 2
    Store.objects.filter(pk=fresh.pk).update(is_active=False)
    assert steps(operator) == []


def test_who_only_works_at_the_board_is_told_of_nothing(fresh):
    assert steps(Desk(make_person(fresh, "cook", "manager"))) == []


def test_the_index_asks_once_for_each_kind_however_many_stores_there_are(operator, ours, theirs):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert operator.get("/admin/").status_code == 200
        return [query["sql"] for query in captured if "NOT EXISTS" in query["sql"] or "NOT (EXISTS" in query["sql"]]

    assert len(queries()) == 3
    for number in range(5):
        create_store(code=f"fresh-{number}", name=f"Fresh {number}", currency="KRW", timezone="Asia/Seoul", steps=4)
    assert len(queries()) == 3


def test_an_item_before_any_category_is_told_that_a_category_comes_first(newcomer, operator, fresh, ours):
    for answer in (newcomer.get(add_url(Item)), operator.get(add_url(Item), store=str(fresh.pk))):
        shown = answer.content.decode()
        assert "A category comes first" in shown
        assert f"{add_url(Category)}?store={fresh.pk}" in shown
        assert 'name="category"' not in shown
    assert "A category comes first" not in operator.get(add_url(Item)).content.decode()  # another store has one
    Category.objects.create(store=fresh, name="Soups")
    assert str(Category.objects.get(store=fresh).pk) in newcomer.form(Item).choices["category"]
    Category.objects.update(deleted_at=fresh.created_at)
    assert f'href="{add_url(Category)}"' in operator.get(add_url(Item)).content.decode()


def test_without_categories_the_list_of_items_speaks_of_no_filter(newcomer, operator, desk, fresh, ours):
    assert "in the filter" not in newcomer.get(list_url(Item)).content.decode()
    assert "in the filter" not in operator.get(list_url(Item), store__id__exact=str(fresh.pk)).content.decode()
    assert "Choose a category in the filter" in desk.get(list_url(Item)).content.decode()


def test_after_a_store_comes_its_owner(operator, ours):
    answer = operator.form(Store).send(**NEW_STORE)
    store = Store.objects.get(code="third")
    assert answer["Location"] == reverse("admin:stores_membership_add", query={"store": store.pk})
    assert "Now add the account of its owner" in messages_of(answer, operator)
    form = operator.form(Membership, store=str(store.pk))
    assert (form.fields["store"], form.fields["role"]) == (str(store.pk), "owner")
    saved(form.send(username="first", name="First", password1="kimchi stew 4711", password2="kimchi stew 4711"))
    assert store.memberships.get().role == "owner"
    assert operator.form(Membership, store=str(store.pk)).fields["role"] == "manager"  # the next one
    again = operator.form(Store).send(**NEW_STORE | {"code": "fourth"}, _addanother="yes")
    assert again["Location"] == add_url(Store)


def test_the_role_that_is_offered_is_the_managers_once_there_is_an_owner(desk, operator, ours):
    assert desk.form(Membership).fields["role"] == operator.form(Membership).fields["role"] == "manager"
    assert operator.form(Membership, store="nonsense").fields["role"] == "manager"
