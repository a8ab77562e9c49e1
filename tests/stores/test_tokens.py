"""Refresh tokens, and tokens that are not ours or not for this."""

import base64
import json
import time
import uuid
from types import SimpleNamespace

import jwt
import pytest

from stores import auth
from stores.models import Store, Table
from tests.snapshot import nothing_stored
from tests.stores.signing_in import REFRESH, TABLET, as_tablet, lets_in, refresh
from tests.world import Caller, problem


def test_a_token_of_a_machine_whose_clock_is_ahead_is_good_at_once(ours, clock, monkeypatch):
    clock.advance(minutes=4)
    monkeypatch.setattr("rest_framework_simplejwt.tokens.aware_utcnow", lambda: clock.now)
    tokens = Caller().post(TABLET, as_tablet(ours)).json()
    monkeypatch.undo()
    assert jwt.decode(tokens["access"], options={"verify_signature": False})["iat"] > time.time() + 200
    assert lets_in(tokens["access"], "tablet/session")
    assert refresh(tokens["refresh"])


def test_refreshing_tells_what_store_and_table_are_called_now(first, ours):
    """A tablet stays set up for years, and nothing else tells it."""
    Store.objects.filter(pk=ours.store.pk).update(name="A new name", code="new-code", steps=3)
    Table.objects.filter(pk=ours.table.pk).update(number="Terrace")
    renewed = refresh(first)
    assert [renewed["store"][name] for name in ("name", "code", "steps")] == ["A new name", "new-code", 3]
    assert renewed["table"] == {"id": str(ours.table.pk), "number": "Terrace"}


def test_refreshing_gives_new_tokens_without_the_password(first):
    second = refresh(first)
    assert second["refresh"] != first
    assert lets_in(second["access"], "tablet/session")
    third = refresh(second["refresh"])
    assert third["refresh"] not in (first, second["refresh"])


@pytest.mark.parametrize("fraction", [0, 0.4, 0.999999])
def test_a_used_refresh_token_gives_the_same_successor_for_sixty_seconds(first, clock, fraction):
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


def test_asking_again_does_not_make_the_old_token_live_longer(first, clock):
    refresh(first)
    for _ in range(6):
        clock.advance(seconds=10)
        assert refresh(first)
    clock.advance(seconds=1)
    assert refresh(first) is None


def test_each_of_a_chain_goes_on_working_for_sixty_seconds_after_its_first_use(first, clock):
    chain = [first]
    for _ in range(3):
        clock.advance(seconds=20)
        chain.append(refresh(chain[-1])["refresh"])

    def successors():
        return [answer and answer["refresh"] for answer in map(refresh, chain[:3])]

    clock.advance(seconds=20)  # so the first was used sixty seconds ago
    assert successors() == chain[1:]
    for dead in range(1, 4):
        clock.advance(seconds=1 if dead == 1 else 20)
        assert successors() == [None] * dead + chain[1 + dead :]
    assert refresh(chain[3])


def test_a_refresh_token_slides_for_ninety_days(first, clock):
    claims = jwt.decode(first, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 90 * 24 * 3600
    clock.advance(days=30)
    later = jwt.decode(refresh(first)["refresh"], options={"verify_signature": False})
    assert later["iat"] == int(clock.now.timestamp())
    assert later["exp"] - later["iat"] == 90 * 24 * 3600


def test_two_tablets_of_a_table_refresh_apart(anyone, ours):
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


@pytest.mark.parametrize("who", ["manager", "tablet"])
def test_a_token_that_let_in_does_not_when_its_time_is_up(request, monkeypatch, who):
    """That it was signed is remembered, not that it was in time."""
    token = request.getfixturevalue(who).token
    path = {"manager": "staff/board", "tablet": "tablet/session"}[who]
    end = jwt.decode(token, options={"verify_signature": False})["exp"]
    for now, in_time in ((end - 1, True), (end, False)):
        monkeypatch.setattr(auth, "time", SimpleNamespace(time=lambda now=now: now))
        assert lets_in(token, path) is in_time


def test_a_forged_refresh_token_gives_nothing(anyone, ours, settings, first):
    with nothing_stored():
        for name, forged in forgeries(first, settings.SIMPLE_JWT["SIGNING_KEY"]).items():
            assert refresh(forged) is None, name
    assert refresh(first)


STRANGE = ["", "x", -1, 7, 2**31, 10**30, None, [], {}, "x" * 300, "\x00", str(uuid.UUID(int=0))]


def test_a_token_with_strange_claims_does_not_let_in(manager, tablet, anyone, settings, first):
    """Signed with our key, as if another program shared it."""
    settings.RATE_LIMIT_PER_MINUTE = 10_000  # whom a token names is asked here too
    for token, path, names in (
        (manager.token, "staff/board", ["jti", "password"]),
        (tablet.token, "tablet/session", ["store", "table", "epoch"]),
        (first, REFRESH, ["login", "generation"]),
    ):
        claims = jwt.decode(token, options={"verify_signature": False})
        for name in names:
            without = {other: value for other, value in claims.items() if other != name}
            for changed in (without, *(without | {name: value} for value in STRANGE)):
                strange = jwt.encode(changed, settings.SIMPLE_JWT["SIGNING_KEY"], "HS256")
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
