"""Who may do what: anonymous, manager, owner, operator. And how one gets in."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth import SESSION_KEY
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from menus.models import Category, Item
from stores.login_limits import PAIR
from stores.models import AuditEntry, Membership, Store, User
from tests.world import PASSWORD, make_choice, make_item, make_world, place, staff_of, tablet_of

from .desk import REGISTERED, Desk, add_url, change_url, list_url, page, saved


def every_page(world):
    yield from (reverse(f"admin:{name}") for name in ("index", "password_change", "autocomplete"))
    for model in REGISTERED:
        rows = User.objects.filter(memberships__store=world.store) if model is User else model.objects.in_store(world.store)
        yield list_url(model)
        yield add_url(model)
        for row in rows:
            yield from (page(kind, model, row.pk) for kind in ("change", "history", "delete"))


def test_nobody_gets_in_without_signing_in(ours):
    desk = Desk()
    for path in every_page(ours):
        for answer in (desk.get(path), desk.post(path)):
            assert answer.status_code == 302, path
            assert answer["Location"].startswith(reverse("admin:login"))


def test_a_manager_gets_in_and_sees_nothing_to_manage(ours):
    desk = Desk(ours.manager)
    index = desk.get("/admin/")
    assert index.status_code == 200
    assert "Your account is for the board" in index.content.decode()
    assert reverse("board") in index.content.decode()
    assert list(index.context["available_apps"]) == []
    for path in every_page(ours):
        if path not in (reverse("admin:index"), reverse("admin:password_change")):
            assert desk.get(path).status_code in (302, 403), path
            assert desk.post(path, {"post": "yes"}).status_code in (302, 403, 405), path


def test_an_owner_sees_the_store_and_no_people_as_such(desk):
    apps = {app["app_label"]: [model["object_name"] for model in app["models"]] for app in desk.get("/admin/").context["available_apps"]}
    assert apps == {
        "menus": ["Category", "Item", "OptionGroup"],
        "orders": ["Order"],
        "sessions_app": ["ServiceCall", "TableSession"],
        "stores": ["Table", "Membership", "Store", "AuditEntry"],
    }


def test_an_operator_sees_everything(operator, ours):
    for path in every_page(ours):
        answer = operator.get(path)
        assert answer.status_code in (200, 403, 302), path
    assert operator.get(list_url(User)).status_code == operator.get(change_url(ours.item)).status_code == 200


@pytest.mark.parametrize("change", ["role", "membership", "person", "store"])
def test_who_is_no_owner_any_more_is_out_with_the_next_page(desk, ours, change):
    assert desk.get(list_url(Store)).status_code == 200
    match change:
        case "role":
            Membership.objects.filter(user=ours.owner).update(role="manager")
        case "membership":
            Membership.objects.filter(user=ours.owner).update(is_active=False)
        case "person":
            User.objects.filter(pk=ours.owner.pk).update(is_active=False)
        case "store":
            Store.objects.filter(pk=ours.store.pk).update(is_active=False)
    assert desk.get(list_url(Store)).status_code in (302, 403)


def test_signing_in(ours):
    desk = Desk()
    answer = desk.sign_in("ours-owner")
    assert answer.status_code == 302
    assert SESSION_KEY in desk.http.session


def test_five_wrong_passwords_lock_the_admin_too(ours):
    desk = Desk()
    for _ in range(PAIR.failures):
        assert "correct username and password" in desk.sign_in("ours-owner", "wrong").content.decode()
    answer = desk.sign_in("ours-owner", PASSWORD)
    assert answer.status_code == 200
    assert "Too many failed attempts. Minutes until you may try again: 15." in answer.content.decode()
    assert SESSION_KEY not in desk.http.session
    assert desk.sign_in("ours-manager").status_code == 302


def test_five_wrong_old_passwords_lock_the_change_of_a_password(ours):
    desk, address = Desk(ours.owner), "/admin/password_change/"

    def change(old):
        return desk.post(address, {"old_password": old, "new_password1": "a-new-one-77", "new_password2": "a-new-one-77"})

    for _ in range(PAIR.failures):
        assert "entered incorrectly" in change("wrong").content.decode()
    assert "Too many failed attempts" in change(PASSWORD).content.decode()
    ours.owner.refresh_from_db()
    assert ours.owner.check_password(PASSWORD)


def test_people_who_work_nowhere_count_as_wrong(db):
    User.objects.create_user("nobody", PASSWORD)
    desk = Desk()
    for _ in range(PAIR.failures):
        assert desk.sign_in("nobody").status_code == 200
    assert "Too many failed attempts" in desk.sign_in("nobody").content.decode()


def test_a_lock_in_the_admin_is_not_one_at_the_board(ours):
    """The subjects differ: whoever locks one door of a person doesn't lock the other."""
    desk = Desk()
    for _ in range(PAIR.failures):
        desk.sign_in("ours-owner", "wrong")
    assert staff_of(ours.store, ours.owner).get("staff/orders").status_code == 200


def test_the_store_shows_only_to_people_who_have_several(ours, theirs):
    desk = Desk(ours.owner)
    alone = desk.get(list_url(Item)).content.decode()
    assert "column-store" not in alone
    assert "store__id__exact" not in alone
    assert "store" not in desk.form(Category).fields

    Membership.objects.create(user=ours.owner, store=theirs.store, role="owner")
    both = desk.get(list_url(Item)).content.decode()
    assert "column-store" in both
    assert "store__id__exact" in both
    assert "theirs noodles" in both
    assert "theirs noodles" not in desk.get(list_url(Item), store__id__exact=str(ours.store.pk)).content.decode()
    assert "ours house · Mains" in desk.get(add_url(Item)).content.decode()

    saved(desk.form(Category).send(store=str(theirs.store.pk), name="Theirs"))
    made = Category.objects.get(name="Theirs")
    assert made.store == theirs.store
    assert "store" not in desk.form(Category, made).fields  # it stays where it is
    assert "theirs house" in desk.get(change_url(made)).content.decode()


def test_times_are_those_of_the_stores_clock(desk, ours):
    AuditEntry.objects.in_store(ours.store).update(at=datetime(2026, 11, 20, 16, 30, tzinfo=UTC))
    assert "11/21/2026 1:30 a.m." in desk.get(list_url(AuditEntry)).content.decode()


def test_pages_are_korean_for_who_reads_korean(ours):
    text = Desk(ours.owner, **{"accept-language": "ko"}).get("/admin/").content.decode()
    assert 'lang="ko"' in text
    assert "메뉴" in text


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model.__name__)
def test_a_longer_list_takes_no_more_queries(ours, theirs, operator, model):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert operator.get(list_url(model)).status_code == 200
        return len(captured)

    def grow(world):
        for _ in range(3):
            make_choice(make_item(world), name=f"Size {len(world.items)}")
        for table in world.tables:
            place(table, world.items[-1])
            tablet_of(table).post("tablet/calls", {"kind": "water"})

    grow(ours)
    queries()  # what is read once a process
    few = queries()
    grow(theirs)
    grow(make_world("third", tables=3))
    assert queries() == few


@pytest.mark.parametrize(
    ("language", "title", "way_back"), [("ko", "권한 없음", "관리 화면으로 돌아가기"), ("en", "Not allowed", "Back to the admin")]
)
def test_what_is_closed_says_so_in_the_persons_language(ours, language, title, way_back):
    answer = Desk(ours.manager, **{"accept-language": language}).get(list_url(Item))
    page = answer.content.decode()
    assert answer.status_code == 403
    assert f'<html lang="{language}">' in page and title in page and way_back in page


def test_a_page_from_before_the_last_sign_in_says_what_to_do(ours):
    desk = Desk(ours.owner, **{"accept-language": "ko"})
    desk.http.handler.enforce_csrf_checks = True
    answer = desk.post(list_url(Item), {"csrfmiddlewaretoken": "old"})
    assert answer.status_code == 403
    assert "화면을 새로 고친 뒤" in answer.content.decode()


def test_a_page_that_is_not_there_says_so(ours):
    answer = Desk(ours.owner, **{"accept-language": "ko"}).get("/admin/nothing/")
    assert answer.status_code == 404
    assert "찾을 수 없음" in answer.content.decode()
