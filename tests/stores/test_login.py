"""Who may come in, and when that ends."""

import time

import jwt
import pytest

from stores.models import Membership, StaffToken, Store, Table, TabletLogin, User
from tests.snapshot import nothing_stored
from tests.stores.signing_in import REFRESH, STAFF, TABLET, as_staff, as_tablet, lets_in
from tests.world import PASSWORD, TABLE_PASSWORD, Caller, make_person, make_world, place, problem, staff_of, tablet_of

# --- Signing in -------------------------------------------------------------------------------------------------


def test_a_tablet_signs_in_once(anyone, ours):
    answer = anyone.post(TABLET, as_tablet(ours))
    assert answer.status_code == 200
    body = answer.json()
    assert body["store"] == {
        "id": str(ours.store.pk),
        "code": "ours",
        "name": "ours house",
        "currency": "KRW",
        "timezone": "Asia/Seoul",
        "steps": 4,
    }
    assert body["table"] == {"id": str(ours.table.pk), "number": "1"}
    assert sorted(body) == ["access", "expires_at", "refresh", "store", "table"]
    assert Caller(body["access"]).get("tablet/session").status_code == 200


def test_staff_sign_in_and_are_told_who_they_are(anyone, ours):
    body = anyone.post(STAFF, as_staff(ours)).json()
    assert body["user"] == {"id": str(ours.manager.pk), "username": "ours-manager", "name": "Ours-Manager", "role": "manager"}
    assert body["store"]["code"] == "ours"
    assert sorted(body) == ["access", "expires_at", "store", "user"]
    assert Caller(body["access"]).get("staff/board").status_code == 200


def test_tokens_are_good_for_sixteen_hours(anyone, ours):
    for path, asked in ((STAFF, as_staff(ours)), (TABLET, as_tablet(ours))):
        body = anyone.post(path, asked).json()
        claims = jwt.decode(body["access"], options={"verify_signature": False})
        assert claims["exp"] - claims["iat"] == 16 * 3600
        assert abs(claims["iat"] - time.time()) < 60
        assert body["expires_at"].endswith("+00:00")


def test_a_token_names_its_holder_and_no_secret(anyone, ours):
    staff, tablet = anyone.post(STAFF, as_staff(ours)).json()["access"], anyone.post(TABLET, as_tablet(ours)).json()["access"]
    staff, tablet = (jwt.decode(token, options={"verify_signature": False}) for token in (staff, tablet))
    assert (staff["store"], staff["user"]) == (str(ours.store.pk), str(ours.manager.pk))
    assert (tablet["store"], tablet["table"]) == (str(ours.store.pk), str(ours.table.pk))
    assert staff["aud"] == tablet["aud"] == "tableorder"
    assert PASSWORD not in str(staff)
    assert ours.manager.password not in str(staff)


@pytest.mark.parametrize(
    "changed",
    [
        {"password": "wrong"},
        {"password": PASSWORD + " "},
        {"password": PASSWORD.upper()},
        {"username": "nobody"},
        {"username": "theirs-manager"},
        {"username": "ours-former"},
        {"username": "ours-manager-on-leave"},
        {"store": "nowhere"},
        {"store": "theirs"},
        {"store": "closed", "username": "closed-manager"},
    ],
)
def test_a_failed_sign_in_of_staff_says_the_same_for_every_cause(anyone, ours, theirs, changed):
    former = make_person(ours.store, "ours-former", Membership.Role.MANAGER)
    User.objects.filter(pk=former.pk).update(is_active=False)
    on_leave = make_person(ours.store, "ours-manager-on-leave", Membership.Role.MANAGER)
    Membership.objects.filter(user=on_leave).update(is_active=False)
    Store.objects.filter(pk=make_world("closed").store.pk).update(is_active=False)
    wrong = anyone.post(STAFF, as_staff(ours, password="certainly wrong"))
    answer = anyone.post(STAFF, as_staff(ours, **changed))
    assert problem(answer, 401, "INVALID_CREDENTIALS") | {"request_id": ""} == wrong.json() | {"request_id": ""}
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert not StaffToken.objects.exists()


@pytest.mark.parametrize(
    "changed",
    [{"password": "wrong"}, {"password": "2580 "}, {"table": "3"}, {"table": "2"}, {"store": "nowhere"}, {"store": "closed"}],
)
def test_a_failed_sign_in_of_a_tablet_says_the_same_for_every_cause(anyone, ours, changed):
    Table.objects.filter(pk=ours.tables[1].pk).update(is_active=False)
    Store.objects.filter(pk=make_world("closed").store.pk).update(is_active=False)
    wrong = anyone.post(TABLET, as_tablet(ours, password="certainly wrong"))
    answer = anyone.post(TABLET, as_tablet(ours, **changed))
    assert problem(answer, 401, "INVALID_CREDENTIALS") | {"request_id": ""} == wrong.json() | {"request_id": ""}
    assert not TabletLogin.objects.exists()


def test_a_sign_in_that_leaves_something_out_is_not_valid(anyone, ours):
    with nothing_stored():
        for path, asked in ((STAFF, as_staff(ours)), (TABLET, as_tablet(ours))):
            for missing in asked:
                body = problem(anyone.post(path, {name: value for name, value in asked.items() if name != missing}), 400, "VALIDATION")
                assert [error["pointer"] for error in body["errors"]] == [f"/{missing}"]


def test_a_sign_in_takes_text_of_reasonable_length(anyone, ours):
    with nothing_stored():
        for path, asked in ((STAFF, as_staff(ours)), (TABLET, as_tablet(ours))):
            for name in asked:
                for value in (None, 1, True, ["x"], {"x": 1}, "", "x" * 200):
                    problem(anyone.post(path, asked | {name: value}), 400, "VALIDATION")


def test_the_same_person_may_work_in_two_stores(anyone, ours, theirs):
    Membership.objects.create(store=theirs.store, user=ours.manager, role=Membership.Role.OWNER)
    assert anyone.post(STAFF, as_staff(ours)).json()["user"]["role"] == "manager"
    there = anyone.post(STAFF, as_staff(theirs, username=ours.manager.username)).json()
    assert (there["user"]["role"], there["store"]["code"]) == ("owner", "theirs")
    ids = [row["id"] for row in Caller(there["access"]).get("staff/board").json()["tables"]]
    assert ids == [str(table.pk) for table in theirs.tables]


# --- A token comes to its end -----------------------------------------------------------------------------------


def test_signing_out_ends_this_token_and_no_other(ours):
    here, there = staff_of(ours.store, ours.manager), staff_of(ours.store, ours.manager)
    answer = here.post("staff/logout")
    assert (answer.status_code, answer.content) == (204, b"")
    assert not lets_in(here.token, "staff/board")
    assert lets_in(there.token, "staff/board")
    problem(here.post("staff/logout"), 401, "TOKEN_INVALID")


def change_password(world):
    world.manager.set_password("another horse 43")
    world.manager.save()


STAFF_ENDS = {
    "a new password": change_password,
    "a deactivated person": lambda world: User.objects.filter(pk=world.manager.pk).update(is_active=False),
    "a deactivated membership": lambda world: Membership.objects.filter(user=world.manager).update(is_active=False),
    "a removed membership": lambda world: Membership.objects.filter(user=world.manager).delete(),
    "a removed person": lambda world: world.manager.delete(),
    "a closed store": lambda world: Store.objects.filter(pk=world.store.pk).update(is_active=False),
}


@pytest.mark.parametrize("cause", STAFF_ENDS)
def test_a_staff_token_ends_with_the_next_request(manager, ours, theirs, cause):
    others = staff_of(theirs.store, theirs.manager)
    assert lets_in(manager.token, "staff/board")
    STAFF_ENDS[cause](ours)
    assert not lets_in(manager.token, "staff/board")
    problem(manager.post("staff/logout"), 401, "TOKEN_INVALID")
    assert lets_in(others.token, "staff/board")


def test_a_new_role_counts_at_once(owner, ours):
    assert owner.post("staff/categories", {"name": "Soups"}).status_code == 201
    Membership.objects.filter(user=ours.owner).update(role=Membership.Role.MANAGER)
    problem(owner.post("staff/categories", {"name": "Salads"}), 403, "FORBIDDEN")


TABLET_ENDS = {
    "a cut-off": lambda world, staff: staff.post(f"staff/tables/{world.table.pk}/sign-out"),
    "a new password": lambda world, staff: staff.patch(f"staff/tables/{world.table.pk}", {"password": "9999"}),
    "the same password again": lambda world, staff: staff.patch(f"staff/tables/{world.table.pk}", {"password": TABLE_PASSWORD}),
    "a table switched off": lambda world, staff: staff.patch(f"staff/tables/{world.table.pk}", {"is_active": False}),
    "a table switched off and on": lambda world, staff: [
        staff.patch(f"staff/tables/{world.table.pk}", {"is_active": active}) for active in (False, True)
    ],
    "a table switched off by hand": lambda world, staff: Table.objects.filter(pk=world.table.pk).update(is_active=False),
    "a closed store": lambda world, staff: Store.objects.filter(pk=world.store.pk).update(is_active=False),
}


@pytest.mark.parametrize("cause", TABLET_ENDS)
def test_every_tablet_of_a_table_ends_with_the_next_request(anyone, manager, ours, cause):
    tablets = [anyone.post(TABLET, as_tablet(ours)).json() for _ in range(2)]
    neighbour = tablet_of(ours.tables[1]).token
    for tablet in tablets:
        assert lets_in(tablet["access"], "tablet/session")
    TABLET_ENDS[cause](ours, manager)
    for tablet in tablets:
        assert not lets_in(tablet["access"], "tablet/session")
        problem(anyone.post(REFRESH, {"refresh": tablet["refresh"]}), 401, "TOKEN_INVALID")
    if cause != "a closed store":
        assert lets_in(neighbour, "tablet/session")


def test_after_a_cut_off_the_password_brings_a_tablet_back(anyone, manager, ours):
    manager.post(f"staff/tables/{ours.table.pk}/sign-out")
    assert lets_in(anyone.post(TABLET, as_tablet(ours)).json()["access"], "tablet/session")


def test_a_renamed_table_keeps_its_tablet(manager, tablet, ours):
    manager.patch(f"staff/tables/{ours.table.pk}", {"number": "Terrace 1"})
    assert lets_in(tablet.token, "tablet/session")
    assert place(Table.objects.get(pk=ours.table.pk), ours.item)["table"]["number"] == "Terrace 1"
