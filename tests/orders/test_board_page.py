"""The board's page and the token it asks for: who gets one, and for which store."""

import pytest
from django.test import Client
from django.urls import reverse

from stores.auth import staff_token
from stores.models import Membership, User
from tests.world import Caller, make_person

BOARD, TOKEN = reverse("board"), reverse("board-token")


def at_the_admin(user, **options) -> Client:
    client = Client(**options)
    client.force_login(user)
    return client


@pytest.mark.parametrize("person", ["owner", "manager"])
def test_whoever_works_in_a_store_gets_a_token_for_it(ours, person):
    client = at_the_admin(getattr(ours, person))
    token = client.post(f"{TOKEN}?store=ours").json()["access"]
    board = Caller(token).get("staff/board")
    assert board.status_code == 200
    assert {table["number"] for table in board.json()["tables"]} == {table.number for table in ours.tables}


def test_with_each_token_the_page_hears_what_the_store_is_like_now(ours):
    client = at_the_admin(ours.manager)
    for steps in (4, 3):
        ours.store.steps = steps
        ours.store.save()
        assert client.post(f"{TOKEN}?store=ours").json()["store"]["steps"] == steps


@pytest.mark.parametrize("code", ["theirs", "nowhere", ""])
def test_another_store_is_not_there(ours, theirs, code):
    client = at_the_admin(ours.owner)
    assert client.post(f"{TOKEN}?store={code}").status_code == 404
    assert client.get(f"{BOARD}?store={code}").status_code == 404


def test_a_person_of_two_stores_chooses(ours, theirs):
    Membership.objects.create(store=theirs.store, user=ours.manager, role=Membership.Role.MANAGER)
    client = at_the_admin(ours.manager)
    page = client.get(f"{BOARD}?store=theirs")
    assert page.context["page"]["store"]["code"] == "theirs"
    assert [store["code"] for store in page.context["page"]["stores"]] == ["ours", "theirs"]
    token = client.post(f"{TOKEN}?store=theirs").json()["access"]
    assert Caller(token).get("staff/board").json()["tables"][0]["id"] in {str(table.pk) for table in theirs.tables}


def test_a_visitor_is_sent_to_the_sign_in_and_gets_no_token(ours):
    for answer in (Client().get(BOARD), Client().post(f"{TOKEN}?store=ours")):
        assert answer.status_code == 302 and answer["Location"].startswith("/admin/login/")


def test_another_site_can_have_no_token_made(ours):
    client = at_the_admin(ours.owner, enforce_csrf_checks=True)
    assert client.post(f"{TOKEN}?store=ours").status_code == 403
    assert client.get(f"{TOKEN}?store=ours").status_code == 405


def test_the_cookie_alone_opens_nothing_of_the_api(ours):
    assert at_the_admin(ours.owner).get("/api/v1/staff/board").status_code == 401


def test_who_has_left_gets_no_token_and_the_one_given_is_dead(ours):
    client = at_the_admin(ours.manager)
    token = Caller(client.post(f"{TOKEN}?store=ours").json()["access"])
    assert token.get("staff/board").status_code == 200
    Membership.objects.filter(user=ours.manager).update(is_active=False)
    assert client.post(f"{TOKEN}?store=ours").status_code in (302, 404)
    assert token.get("staff/board").status_code == 401


def test_signing_out_of_the_admin_ends_the_boards_tokens_and_no_others(ours, owner):
    client = at_the_admin(ours.owner)
    tokens = [Caller(client.post(f"{TOKEN}?store=ours").json()["access"]) for _ in range(2)]
    client.post("/admin/logout/")
    assert [token.get("staff/board").status_code for token in tokens] == [401, 401]
    assert owner.get("staff/board").status_code == 200  # signed in elsewhere


def test_of_boards_that_ask_at_the_same_moment_all_end_with_their_session(ours, monkeypatch):
    client, beside, asked = at_the_admin(ours.owner), Client(), []
    beside.cookies = client.cookies

    def while_another_asks(*args, **kwargs):
        if not asked:
            asked.append("now")
            asked.append(beside.post(f"{TOKEN}?store=ours").json()["access"])
        return staff_token(*args, **kwargs)

    monkeypatch.setattr("orders.board_page.staff_token", while_another_asks)
    tokens = [Caller(client.post(f"{TOKEN}?store=ours").json()["access"]) for _ in range(25)] + [Caller(asked[1])]
    client.post("/admin/logout/")
    assert {token.get("staff/board").status_code for token in tokens} == {401}


def test_who_signs_in_beside_ends_the_boards_of_who_was_there(ours):
    client = at_the_admin(ours.owner)
    token = Caller(client.post(f"{TOKEN}?store=ours").json()["access"])
    client.force_login(ours.manager)
    assert token.get("staff/board").status_code == 401


def test_a_token_holds_for_half_an_hour(ours, clock):
    asked = at_the_admin(ours.owner).post(f"{TOKEN}?store=ours").json()
    lasts = clock.now.fromisoformat(asked["expires_at"]) - clock.now
    assert 25 * 60 < lasts.total_seconds() <= 31 * 60


def test_who_works_nowhere_is_told_so(db):
    operator = User.objects.create_superuser("operator", "correct horse 42")
    page = at_the_admin(operator).get(BOARD)
    assert page.status_code == 200 and "You do not work in any store" in page.content.decode()
    assert "board.js" not in page.content.decode()


def test_a_name_cannot_break_out_of_the_pages_data(ours):
    person = make_person(ours.store, "ours-odd", Membership.Role.MANAGER)
    person.name = "</script><script>alert(1)</script>"
    person.save()
    page = at_the_admin(person).get(BOARD).content.decode()
    assert "<script>alert" not in page
