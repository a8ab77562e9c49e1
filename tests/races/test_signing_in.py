"""Many passwords at once."""

import time
from unittest import mock

import pytest
from django.db import DatabaseError, OperationalError, connection

from stores import login_limits
from stores.models import LoginAttempts, Table, User
from tableorder import transactions
from tests.threads import at_once, begin, connections_for
from tests.world import PASSWORD, TABLE_PASSWORD, Caller, problem

from .scene import statuses


def guess_at_once(count: int, password: str, path="staff/login", **names):
    """The answers to so many sign-ins at the same moment."""
    body = {"store": "ours", "password": password, **(names or {"username": "ours-manager"})}
    with connections_for(count):
        return at_once(*[lambda: Caller().post(path, body)] * count)


@pytest.fixture
def looked_at():
    """The passwords that were looked at, each for about as long as a real check takes."""

    class Seen(list):
        seconds = 0.1

    seen = Seen()

    def watch(original):
        def check_password(self, raw):
            seen.append(raw)
            time.sleep(seen.seconds)
            return original(self, raw)

        return check_password

    with (
        mock.patch.object(User, "check_password", watch(User.check_password)),
        mock.patch.object(Table, "check_password", watch(Table.check_password)),
    ):
        yield seen


@pytest.mark.parametrize(("path", "names"), [("staff/login", {"username": "ours-manager"}), ("tablet/login", {"table": "1"})])
def test_of_fifty_guesses_at_once_five_are_looked_at(ours, looked_at, deadlocks, path, names):
    right = {"staff/login": PASSWORD, "tablet/login": TABLE_PASSWORD}[path]
    assert Caller().post(path, {"store": "ours", "password": right, **names}).status_code == 200  # makes the rows
    looked_at.clear()
    answers = guess_at_once(50, "wrong", path, **names)
    assert statuses(answers) == {401: 5, 429: 45}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 429} == {"LOGIN_LOCKED"}
    assert len(looked_at) == 5
    assert not deadlocks
    problem(Caller().post(path, {"store": "ours", "password": right, **names}), 429, "LOGIN_LOCKED")
    assert len(looked_at) == 5


def test_control_counted_after_the_check_every_guess_is_looked_at(ours, looked_at, monkeypatch):
    class CountsAfterwards(login_limits.Attempt):
        def __init__(self, subject, address, *, kind):
            self.subject, self.address, self.kind = subject, address, kind
            self._make_rows()
            if any(row.locked_until for row in self._look()):
                raise login_limits.LoginLocked(retry_after=1)

        @transactions.whole
        def _look(self):
            return self._rows()

        def failed(self):
            self._reserve()
            super().failed()

    monkeypatch.setattr("stores.auth.Attempt", CountsAfterwards)
    guess_at_once(20, "wrong")
    assert len(looked_at) > 10


def test_twenty_right_sign_ins_at_once_all_pass(ours, looked_at, deadlocks):
    for first in (True, False):
        assert statuses(guess_at_once(20, PASSWORD)) == {200: 20}
        assert statuses(guess_at_once(20, TABLE_PASSWORD, "tablet/login", table="1")) == {200: 20}
        if first:  # twenty make the same rows, which may be a deadlock to InnoDB; they begin again
            deadlocks.clear()
    assert not deadlocks


def test_a_sign_in_begins_again_when_the_database_gives_up_its_new_row(ours, monkeypatch):
    make, asked = LoginAttempts.objects.get_or_create, []

    def give_up_once(**row):
        asked.append(row["address"])
        if len(asked) == 1:
            raise OperationalError from DatabaseError(1213, "Deadlock found when trying to get lock")
        return make(**row)

    monkeypatch.setattr(LoginAttempts.objects, "get_or_create", give_up_once)
    assert statuses([Caller().post("staff/login", {"store": "ours", "username": "ours-manager", "password": PASSWORD})]) == {200: 1}
    assert asked[:2] == ["", ""]


def test_a_person_who_is_deleted_while_their_password_is_checked_is_no_mistake_of_ours(ours, monkeypatch):
    def deleted_meanwhile(user, password):
        User.objects.filter(pk=user.pk).delete()
        return True

    monkeypatch.setattr(User, "check_password", deleted_meanwhile)
    body = {"store": "ours", "username": "ours-manager", "password": PASSWORD}
    assert Caller().post("staff/login", body).status_code == 503
    assert Caller().post("staff/login", body).status_code == 401


@pytest.mark.skipif(connection.vendor != "postgresql", reason="only PostgreSQL has a pool")
def test_nobody_keeps_a_connection_while_a_password_is_being_checked(ours, looked_at):
    """Otherwise a few people who sign in would make orders wait."""
    body = {"store": "ours", "username": "ours-manager", "password": PASSWORD}
    with connections_for(0, timeout=1):  # two connections, for twelve checks of 0.4 s each
        looked_at.seconds = 0.4
        signing_in = [begin(lambda: Caller().post("staff/login", body)) for _ in range(12)]
        assert statuses([future.result() for future in signing_in]) == {200: 12}


def test_a_refresh_token_used_twice_at_once_gives_the_same_successor(ours):
    tokens = Caller().post("tablet/login", {"store": "ours", "table": "1", "password": TABLE_PASSWORD}).json()
    with connections_for(8):
        answers = at_once(*[lambda: Caller().post("tablet/refresh", {"refresh": tokens["refresh"]})] * 8)
    assert statuses(answers) == {200: 8}
    (successor,) = {answer.json()["refresh"] for answer in answers}
    assert successor != tokens["refresh"]
    assert all(Caller(answer.json()["access"]).get("tablet/session").status_code == 200 for answer in answers)
    problem(Caller().post("tablet/refresh", {"refresh": "x" + successor}), 401, "TOKEN_INVALID")
    assert Caller().post("tablet/refresh", {"refresh": successor}).status_code == 200
    assert Caller().post("tablet/refresh", {"refresh": tokens["refresh"]}).json()["refresh"] == successor
