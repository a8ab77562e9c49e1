"""How often a password may be guessed, and from where."""

import pytest
from django.contrib.auth.hashers import get_hasher
from django.db.models.lookups import IExact

from stores.login_limits import PATIENCE, Attempt, subject_of
from stores.models import LoginAttempts, Store, Table, User
from tests.admin.desk import Desk
from tests.stores.signing_in import STAFF, TABLET, as_staff, as_tablet, from_address, lets_in, refresh
from tests.world import make_person, problem


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


def test_a_person_who_is_called_like_a_table_is_not_locked_with_it(anyone, ours):
    namesake = make_person(ours.store, ours.table.number, "manager")
    guess(anyone, TABLET, as_tablet(ours), times=5)
    assert anyone.post(STAFF, as_staff(ours, username=namesake.username)).status_code == 200


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


def test_a_name_is_its_own_spelling_also_where_the_database_takes_another_for_it(anyone, ours, monkeypatch):
    """As MySQL takes é for e, unless it is told otherwise: that would be new chances without end. Here A for a."""
    for name in (User._meta.get_field("username"), Store._meta.get_field("code"), Table._meta.get_field("number")):
        monkeypatch.setattr(name, "get_lookup", lambda lookup: IExact if lookup == "exact" else pytest.fail(lookup))
    Table.objects.filter(pk=ours.table.pk).update(number="a")
    for path, asked in (
        (STAFF, as_staff(ours, username="Ours-Manager")),
        (STAFF, as_staff(ours, store="Ours")),
        (TABLET, as_tablet(ours, table="A")),
        (TABLET, as_tablet(ours, table="a", store="Ours")),
    ):
        problem(anyone.post(path, asked), 401, "INVALID_CREDENTIALS")
    assert Desk().sign_in("Ours-Manager").status_code == 200
    assert Desk().sign_in("ours-manager").status_code == 302
    assert anyone.post(STAFF, as_staff(ours)).status_code == anyone.post(TABLET, as_tablet(ours, table="a")).status_code == 200


def test_sign_ins_that_were_never_decided_keep_nobody_waiting(anyone, ours, clock, monkeypatch):
    """As a worker leaves them that was killed: they count, but nothing is to come of them."""
    for _ in range(5):
        Attempt(subject_of("staff", "ours", "ours-manager"), "127.0.0.1", kind="staff")
    clock.advance(seconds=PATIENCE + 1)
    monkeypatch.setattr("stores.login_limits.time.sleep", lambda seconds: pytest.fail("it waits"))
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


def test_a_lock_touches_neither_tokens_already_given_nor_refreshing(anyone, ours, tablet, manager, first):
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
        (1, "10.0.0.1", "203.0.113.1:4711", "203.0.113.1"),
        (1, "10.0.0.1", "[2001:db8:1:2:3:4:5:6]:4711", "2001:db8:1:2::"),
        (1, "10.0.0.1", "[2001:db8:1:2:3:4:5:6]", "2001:db8:1:2::"),
        (0, "2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::"),
        (0, "::ffff:192.0.2.7", "", "192.0.2.7"),
    ],
)
def test_an_address_is_believed_as_far_as_our_own_proxies_go(ours, settings, proxies, peer, forwarded, address):
    settings.TRUSTED_PROXIES = proxies
    headers = {"x_forwarded_for": forwarded} if forwarded else {}
    problem(from_address(peer).post(STAFF, as_staff(ours, password="wrong"), **headers), 401, "INVALID_CREDENTIALS")
    assert set(LoginAttempts.objects.values_list("address", flat=True)) == {"", address}
