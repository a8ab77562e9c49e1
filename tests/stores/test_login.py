"""Who may come in: signing in, tokens and their end, and how often a password may be guessed."""

import base64
import json
import time
import uuid

import jwt
import pytest
from django.contrib.auth.hashers import get_hasher

from stores.models import LoginAttempts, Membership, StaffToken, Store, Table, TabletLogin, User
from tests.snapshot import nothing_stored
from tests.world import PASSWORD, TABLE_PASSWORD, Caller, make_person, make_world, place, problem, staff_of, tablet_of

STAFF, TABLET, REFRESH = "staff/login", "tablet/login", "tablet/refresh"


def as_staff(world, **changed) -> dict:
    return {"store": world.store.code, "username": world.manager.username, "password": PASSWORD} | changed


def as_tablet(world, **changed) -> dict:
    return {"store": world.store.code, "table": world.table.number, "password": TABLE_PASSWORD} | changed


def from_address(address) -> Caller:
    return Caller(REMOTE_ADDR=address)


def lets_in(token, path) -> bool:
    answer = Caller(token).get(path)
    if answer.status_code != 200:
        problem(answer, 401, "TOKEN_INVALID")
        return False
    return True


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


# --- Refresh ----------------------------------------------------------------------------------------------------


@pytest.fixture
def refresh(anyone):
    def ask(token):
        answer = anyone.post(REFRESH, {"refresh": token})
        if answer.status_code == 401:
            problem(answer, 401, "TOKEN_INVALID")
            return None
        assert answer.status_code == 200, answer.content
        assert sorted(answer.json()) == ["access", "expires_at", "refresh"]
        return answer.json()

    return ask


@pytest.fixture
def first(anyone, ours):
    """The refresh token that a tablet got when it signed in."""
    return anyone.post(TABLET, as_tablet(ours)).json()["refresh"]


def test_refreshing_gives_new_tokens_without_the_password(refresh, first):
    second = refresh(first)
    assert second["refresh"] != first
    assert lets_in(second["access"], "tablet/session")
    third = refresh(second["refresh"])
    assert third["refresh"] not in (first, second["refresh"])


@pytest.mark.parametrize("fraction", [0, 0.4, 0.999999])
def test_a_used_refresh_token_gives_the_same_successor_for_sixty_seconds(refresh, first, clock, fraction):
    clock.now = clock.now.replace(microsecond=int(fraction * 1_000_000))
    second = refresh(first)
    for seconds in (0, 30, 30):
        clock.advance(seconds=seconds)
        again = refresh(first)
        assert again["refresh"] == second["refresh"]
        assert lets_in(again["access"], "tablet/session")
    clock.advance(seconds=1)
    assert refresh(first) is None
    assert refresh(second["refresh"])


def test_asking_again_does_not_make_the_old_token_live_longer(refresh, first, clock):
    refresh(first)
    for _ in range(6):
        clock.advance(seconds=10)
        assert refresh(first)
    clock.advance(seconds=1)
    assert refresh(first) is None


def test_a_token_of_the_day_before_yesterday_is_dead(refresh, first):
    third = refresh(refresh(first)["refresh"])["refresh"]
    assert refresh(first) is None
    assert refresh(third)


def test_a_refresh_token_slides_for_ninety_days(first, clock, refresh):
    claims = jwt.decode(first, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 90 * 24 * 3600
    clock.advance(days=30)
    later = jwt.decode(refresh(first)["refresh"], options={"verify_signature": False})
    assert later["iat"] == int(clock.now.timestamp())
    assert later["exp"] - later["iat"] == 90 * 24 * 3600


def test_two_tablets_of_a_table_refresh_apart(anyone, ours, refresh):
    here, there = (anyone.post(TABLET, as_tablet(ours)).json()["refresh"] for _ in range(2))
    for _ in range(3):
        here = refresh(here)["refresh"]
    assert refresh(there)


# --- The wrong token --------------------------------------------------------------------------------------------


def test_neither_kind_of_token_is_taken_by_the_other_s_endpoints(tablet, manager, owner):
    problem(tablet.get("staff/board"), 403, "FORBIDDEN")
    problem(tablet.post("staff/logout"), 403, "FORBIDDEN")
    for staff in (manager, owner):
        problem(staff.get("tablet/session"), 403, "FORBIDDEN")
        problem(staff.get("tablet/menu"), 403, "FORBIDDEN")


def test_a_refresh_token_is_no_access_token_and_the_other_way_round(anyone, ours, manager):
    tokens = anyone.post(TABLET, as_tablet(ours)).json()
    problem(Caller(tokens["refresh"]).get("tablet/session"), 401, "TOKEN_INVALID")
    problem(Caller(tokens["refresh"]).get("staff/board"), 401, "TOKEN_INVALID")
    for token in (tokens["access"], manager.token):
        problem(anyone.post(REFRESH, {"refresh": token}), 401, "TOKEN_INVALID")


def unsigned(claims) -> str:
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(claims)}."


def tampered(token) -> str:
    head, body, signature = token.split(".")
    return f"{head}.{body}.{signature[:-4]}{'AAAA' if signature[-4:] != 'AAAA' else 'BBBB'}"


def forgeries(token, key) -> dict[str, str]:
    """The same claims, not given by us; or given by us, but not these."""
    claims = jwt.decode(token, options={"verify_signature": False})

    def signed(key=key, algorithm="HS256", without=(), **changed):
        return jwt.encode({name: value for name, value in (claims | changed).items() if name not in without}, key, algorithm)

    return {
        "no algorithm": unsigned(claims),
        "no signature": token.rpartition(".")[0] + ".",
        "another key": signed(key="another key, long enough for HS256"),
        "another algorithm": signed(algorithm="HS384"),
        "another audience": signed(aud="another product"),
        "no audience": signed(without=["aud"]),
        "another issuer": signed(iss="somebody else"),
        "expired": signed(iat=time.time() - 7200, exp=int(time.time()) - 3600),
        "never expiring": signed(without=["exp"]),
        "not yet": signed(nbf=int(time.time()) + 3600),
        "no type": signed(without=["token_type"]),
        "another type": signed(token_type="access"),
        "a list for a type": signed(token_type=["staff", "tablet"]),
        "no id": signed(without=["jti"]),
        "tampered": tampered(token),
        "two tokens": f"{token} {token}",
        "half": token[: len(token) // 2],
        "no token": "x",
        "points": "..",
        "not ASCII": "토큰".encode().decode("latin-1"),  # as a server hands over the bytes of a header
    }


@pytest.mark.parametrize("who", ["manager", "tablet"])
def test_a_forged_token_does_not_let_in(request, settings, who):
    token = request.getfixturevalue(who).token
    path = {"manager": "staff/board", "tablet": "tablet/session"}[who]
    assert lets_in(token, path)
    for name, forged in forgeries(token, settings.SIMPLE_JWT["SIGNING_KEY"]).items():
        assert not lets_in(forged, path), name


def test_a_forged_refresh_token_gives_nothing(anyone, ours, settings, refresh, first):
    with nothing_stored():
        for name, forged in forgeries(first, settings.SIMPLE_JWT["SIGNING_KEY"]).items():
            assert refresh(forged) is None, name
    assert refresh(first)


STRANGE = ["", "x", -1, 7, 2**31, 10**30, None, [], {}, "x" * 300, "\x00", str(uuid.UUID(int=0))]


def test_a_token_with_strange_claims_does_not_let_in(manager, tablet, anyone, settings, first):
    """Signed with our key, as if another program shared it."""
    for token, path, names in (
        (manager.token, "staff/board", ["jti", "password"]),
        (tablet.token, "tablet/session", ["store", "table", "epoch"]),
        (first, REFRESH, ["login", "generation"]),
    ):
        claims = jwt.decode(token, options={"verify_signature": False})
        for name in names:
            for value in STRANGE:
                strange = jwt.encode(claims | {name: value}, settings.SIMPLE_JWT["SIGNING_KEY"], "HS256")
                answer = anyone.post(REFRESH, {"refresh": strange}) if path == REFRESH else Caller(strange).get(path)
                problem(answer, 401, "TOKEN_INVALID")


def test_a_tablet_s_token_for_another_store_s_table_does_not_let_in(tablet, theirs, settings):
    claims = jwt.decode(tablet.token, options={"verify_signature": False})
    for changed in ({"table": str(theirs.table.pk)}, {"store": str(theirs.store.pk)}, {"epoch": claims["epoch"] + 1}):
        assert not lets_in(jwt.encode(claims | changed, settings.SIMPLE_JWT["SIGNING_KEY"], "HS256"), "tablet/session")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic b3VyczpvdXJz", "Token {token}", "{token}", "Bearer,{token}"])
def test_without_a_bearer_token_nobody_comes_in(anyone, manager, header):
    answer = anyone.get("staff/board", authorization=header.format(token=manager.token))
    problem(answer, 401, "NOT_AUTHENTICATED")
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_the_word_bearer_is_taken_in_any_case(anyone, manager):
    assert anyone.get("staff/board", authorization=f"bearer {manager.token}").status_code == 200


def test_a_token_in_the_address_is_not_looked_at(anyone, manager):
    for name in ("token", "access_token", "access", "authorization"):
        problem(anyone.get(f"staff/board?{name}={manager.token}"), 401, "NOT_AUTHENTICATED")


# --- How often a password may be guessed ------------------------------------------------------------------------


def guess(caller, path, asked, times=1):
    for _ in range(times):
        problem(caller.post(path, asked | {"password": "wrong"}), 401, "INVALID_CREDENTIALS")


def locked(answer, *, at_most: int) -> bool:
    problem(answer, 429, "LOGIN_LOCKED")
    assert 0 < int(answer["Retry-After"]) <= at_most
    return True


BOTH = pytest.mark.parametrize(("path", "asked"), [(STAFF, as_staff), (TABLET, as_tablet)])


@BOTH
def test_after_five_failures_even_the_right_password_waits_fifteen_minutes(anyone, ours, clock, path, asked):
    guess(anyone, path, asked(ours), times=5)
    for password in ("wrong", asked(ours)["password"]):
        assert locked(anyone.post(path, asked(ours, password=password)), at_most=900)
    clock.advance(minutes=14, seconds=59)
    assert locked(anyone.post(path, asked(ours)), at_most=1)
    clock.advance(seconds=1, microseconds=1)
    assert anyone.post(path, asked(ours)).status_code == 200


def test_knocking_at_a_locked_door_does_not_lock_it_longer(anyone, ours, clock):
    guess(anyone, STAFF, as_staff(ours), times=5)
    for _ in range(14):
        clock.advance(minutes=1)
        anyone.post(STAFF, as_staff(ours, password="wrong"))
    clock.advance(minutes=1, seconds=1)
    assert anyone.post(STAFF, as_staff(ours)).status_code == 200


def test_failures_are_forgotten_after_fifteen_minutes(anyone, ours, clock):
    guess(anyone, STAFF, as_staff(ours), times=4)
    clock.advance(minutes=15, seconds=1)
    guess(anyone, STAFF, as_staff(ours), times=4)
    assert anyone.post(STAFF, as_staff(ours)).status_code == 200


def test_the_right_password_forgives_the_wrong_ones_before(anyone, ours):
    for _ in range(4):
        guess(anyone, STAFF, as_staff(ours), times=4)
        assert anyone.post(STAFF, as_staff(ours)).status_code == 200


def test_a_lock_is_of_one_person_or_table_from_one_address(anyone, ours, theirs):
    guess(anyone, STAFF, as_staff(ours), times=5)
    assert locked(anyone.post(STAFF, as_staff(ours)), at_most=900)
    assert from_address("203.0.113.9").post(STAFF, as_staff(ours)).status_code == 200
    assert anyone.post(STAFF, as_staff(ours, username=ours.owner.username)).status_code == 200
    assert anyone.post(STAFF, as_staff(theirs)).status_code == 200
    assert anyone.post(TABLET, as_tablet(ours)).status_code == 200
    guess(anyone, TABLET, as_tablet(ours), times=5)
    assert locked(anyone.post(TABLET, as_tablet(ours)), at_most=900)
    assert anyone.post(TABLET, as_tablet(ours, table="2")).status_code == 200


def test_another_spelling_of_a_name_is_no_new_chance(anyone, ours):
    for store, username in (
        ("ours", "ours-manager"),
        ("OURS", "ours-manager"),
        ("ours", "Ours-Manager"),
        (" ours", "ours-manager"),
        ("ours", "ours-manager "),
    ):
        guess(anyone, STAFF, as_staff(ours, store=store, username=username))
    assert locked(anyone.post(STAFF, as_staff(ours)), at_most=900)


@BOTH
def test_unknown_names_are_locked_like_known_ones(anyone, ours, path, asked):
    unknown = asked(ours, store="nowhere")
    guess(anyone, path, unknown, times=5)
    assert locked(anyone.post(path, unknown), at_most=900)


def test_an_unknown_name_costs_the_same_hash_as_a_known_one(anyone, ours, monkeypatch):
    """Otherwise the clock tells which names exist."""
    hashed = []
    hasher = type(get_hasher())
    encode = hasher.encode
    monkeypatch.setattr(hasher, "encode", lambda *args: hashed.append(1) or encode(*args))
    counts = []
    for path, asked in (
        (STAFF, as_staff(ours)),
        (STAFF, as_staff(ours, username="nobody")),
        (TABLET, as_tablet(ours)),
        (TABLET, as_tablet(ours, table="99")),
    ):
        hashed.clear()
        anyone.post(path, asked | {"password": "wrong"})
        counts.append(len(hashed))
    assert counts == [1, 1, 1, 1]


def test_a_locked_door_does_not_look_at_the_password(anyone, ours, monkeypatch):
    guess(anyone, STAFF, as_staff(ours), times=5)
    monkeypatch.setattr(User, "check_password", lambda *args: pytest.fail("looked at"))
    assert locked(anyone.post(STAFF, as_staff(ours)), at_most=900)


def guess_from_everywhere(path, asked):
    for address in range(6):
        guess(from_address(f"198.51.100.{address}"), path, asked, times=5)


@BOTH
def test_thirty_failures_over_all_addresses_lock_every_new_address_for_an_hour(ours, clock, path, asked):
    guess_from_everywhere(path, asked(ours))
    stranger = from_address("203.0.113.9")
    assert locked(stranger.post(path, asked(ours)), at_most=3600)
    clock.advance(minutes=59)
    assert locked(stranger.post(path, asked(ours)), at_most=60)
    clock.advance(minutes=1, seconds=1)
    assert stranger.post(path, asked(ours)).status_code == 200


def test_an_address_that_has_signed_in_before_is_not_locked_out_by_others(ours):
    known = from_address("192.0.2.7")
    assert known.post(STAFF, as_staff(ours)).status_code == 200
    guess_from_everywhere(STAFF, as_staff(ours))
    assert locked(from_address("203.0.113.9").post(STAFF, as_staff(ours)), at_most=3600)
    assert known.post(STAFF, as_staff(ours)).status_code == 200
    guess(known, STAFF, as_staff(ours), times=5)
    assert locked(known.post(STAFF, as_staff(ours)), at_most=900)


def test_having_signed_in_as_one_person_makes_no_address_known_to_another(ours):
    address = from_address("192.0.2.7")
    assert address.post(STAFF, as_staff(ours, username=ours.owner.username)).status_code == 200
    guess_from_everywhere(STAFF, as_staff(ours))
    assert locked(address.post(STAFF, as_staff(ours)), at_most=3600)


def test_twenty_nine_failures_lock_nobody_else(ours):
    guess_from_everywhere(STAFF, as_staff(ours, username="somebody-else"))
    for address in range(29):
        guess(from_address(f"198.51.100.{address}"), STAFF, as_staff(ours))
    assert from_address("203.0.113.9").post(STAFF, as_staff(ours)).status_code == 200


def test_failures_over_all_addresses_are_forgotten_after_an_hour(ours, clock):
    for _ in range(4):
        for address in range(9):
            guess(from_address(f"198.51.100.{address}"), STAFF, as_staff(ours))
        clock.advance(minutes=20, seconds=1)
    assert from_address("203.0.113.9").post(STAFF, as_staff(ours)).status_code == 200


def test_a_lock_touches_neither_tokens_already_given_nor_refreshing(anyone, ours, tablet, manager, first, refresh):
    guess_from_everywhere(TABLET, as_tablet(ours))
    guess_from_everywhere(STAFF, as_staff(ours))
    guess(anyone, TABLET, as_tablet(ours), times=5)
    assert locked(anyone.post(TABLET, as_tablet(ours)), at_most=900)
    assert lets_in(tablet.token, "tablet/session")
    assert lets_in(manager.token, "staff/board")
    assert refresh(first)


def test_a_malformed_sign_in_is_no_failure(anyone, ours):
    for _ in range(6):
        problem(anyone.post(STAFF, as_staff(ours, password=1)), 400, "VALIDATION")
    assert not LoginAttempts.objects.exists()
    assert anyone.post(STAFF, as_staff(ours)).status_code == 200


# --- Whose address is it? ---------------------------------------------------------------------------------------


def test_a_forged_forwarded_for_is_no_new_address(anyone, ours):
    for attempt in range(5):
        problem(anyone.post(STAFF, as_staff(ours, password="wrong"), x_forwarded_for=f"203.0.113.{attempt}"), 401, "INVALID_CREDENTIALS")
    assert locked(anyone.post(STAFF, as_staff(ours), x_forwarded_for="203.0.113.99"), at_most=900)
    assert set(LoginAttempts.objects.values_list("address", flat=True)) == {"", "127.0.0.1"}


def test_behind_one_proxy_the_last_forwarded_address_counts(anyone, ours, settings):
    settings.TRUSTED_PROXIES = 1
    for attempt in range(5):
        forged = f"203.0.113.{attempt}, 192.0.2.7"
        problem(anyone.post(STAFF, as_staff(ours, password="wrong"), x_forwarded_for=forged), 401, "INVALID_CREDENTIALS")
    assert locked(anyone.post(STAFF, as_staff(ours), x_forwarded_for="203.0.113.99, 192.0.2.7"), at_most=900)
    assert anyone.post(STAFF, as_staff(ours), x_forwarded_for="192.0.2.7, 192.0.2.8").status_code == 200


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "address"),
    [
        (0, "10.0.0.1", "203.0.113.1", "10.0.0.1"),
        (1, "10.0.0.1", "", "10.0.0.1"),
        (1, "10.0.0.1", "1.1.1.1, 203.0.113.1", "203.0.113.1"),
        (2, "10.0.0.1", "1.1.1.1, 203.0.113.1, 10.0.0.2", "203.0.113.1"),
        (2, "10.0.0.1", "203.0.113.1", "10.0.0.1"),
        (1, "10.0.0.1", "not an address", "unknown"),
        (0, "2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::"),
        (0, "::ffff:192.0.2.7", "", "192.0.2.7"),
    ],
)
def test_an_address_is_believed_as_far_as_our_own_proxies_go(ours, settings, proxies, peer, forwarded, address):
    settings.TRUSTED_PROXIES = proxies
    headers = {"x_forwarded_for": forwarded} if forwarded else {}
    problem(from_address(peer).post(STAFF, as_staff(ours, password="wrong"), **headers), 401, "INVALID_CREDENTIALS")
    assert set(LoginAttempts.objects.values_list("address", flat=True)) == {"", address}
