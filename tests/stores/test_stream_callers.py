"""Who may listen, how many at once, and who no longer may."""

import asyncio
import json
import time
import uuid

import pytest
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.test import Client as Browser
from django.utils import timezone

from stores import services, stream, stream_callers, stream_hub, stream_places
from stores.auth import caller_of, log_out_staff
from stores.models import Membership, Store, User
from stores.stream_hub import in_database
from tests import world

from .stream_client import STAFF, TABLET, Client, last_number, listening, refusal, write

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("hub")]

BAD_NUMBERS = ["", "-1", "1.0", "x", "%D9%A3", "1" * 17, str(2**53 + 1), "1%20or%201=1", "%00"]


def test_it_says_who_may_not_listen_and_why(ours, staff, tablet_token):
    async def story():
        for path in (STAFF, TABLET):
            client = await refusal(401, "NOT_AUTHENTICATED", path)
            assert client.headers["www-authenticate"].startswith("Bearer")
            await refusal(401, "NOT_AUTHENTICATED", path, authorization="Basic x")
            await refusal(401, "TOKEN_INVALID", path, authorization="Bearer x")
            await refusal(401, "TOKEN_INVALID", path, authorization="Bearer é")
        await refusal(403, "FORBIDDEN", STAFF, authorization=f"Bearer {tablet_token}")
        await refusal(403, "FORBIDDEN", TABLET, authorization=f"Bearer {staff}")
        for method in ("POST", "HEAD", "DELETE"):
            client = await refusal(405, "METHOD_NOT_ALLOWED", STAFF, method=method, authorization=f"Bearer {staff}")
            assert "GET" in client.headers["allow"]

    asyncio.run(story())


def test_by_another_name_than_ours_it_is_refused_like_everything_else(staff, manager, settings):
    settings.ALLOWED_HOSTS = ["orders.example.com"]
    elsewhere = world.problem(manager.get("staff/board"), 400, "VALIDATION")

    async def story():
        asked = {"authorization": f"Bearer {staff}"}
        assert (await refusal(400, elsewhere["code"], STAFF, host="evil.example.com", **asked)).body["detail"] == elsewhere["detail"]
        async with listening(STAFF, host="orders.example.com", **asked) as client:
            assert client.status == 200

    asyncio.run(story())


def test_a_bad_number_is_refused(staff):
    async def story():
        for number in BAD_NUMBERS:
            client = await refusal(400, "VALIDATION", STAFF, f"after={number}", authorization=f"Bearer {staff}")
            assert [error["pointer"] for error in client.body["errors"]] == ["?after"]
        client = await refusal(400, "VALIDATION", STAFF, "after=1", authorization=f"Bearer {staff}", last_event_id="x")
        assert [error["pointer"] for error in client.body["errors"]] == ["Last-Event-ID"]
        await refusal(401, "NOT_AUTHENTICATED", STAFF, "after=\xff")  # no text at all

    asyncio.run(story())


def test_the_request_id_and_the_origin_are_taken_over(staff, settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://tablet.example.com"]

    async def story():
        for origin in ("https://tablet.example.com", "https://elsewhere.example.com"):
            async with listening(STAFF, staff, origin=origin, x_request_id="my-own-id") as client:
                assert client.headers["x-request-id"] == "my-own-id"
                assert client.headers.get("access-control-allow-origin") == (origin if "tablet" in origin else None)
                assert "Origin" in client.headers["vary"]
                assert ("X-Request-ID" in client.headers.get("access-control-expose-headers", "")) is ("tablet" in origin)
        preflight = Client(STAFF, method="OPTIONS", origin="https://tablet.example.com", access_control_request_method="GET")
        await preflight.until(lambda: preflight.finished)
        assert preflight.status == 200 and "last-event-id" in preflight.headers["access-control-allow-headers"]

    asyncio.run(story())


def test_a_stream_is_one_line_of_the_log_which_says_whose(tablet_token, capsys):
    async def story():
        async with listening(TABLET, tablet_token):
            pass

    capsys.readouterr()
    asyncio.run(story())
    (line,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (line["route"], line["status"], line["store"], line["table"]) == (TABLET, 200, "ours", "1")


def test_a_database_that_is_away_is_said_as_such(staff, monkeypatch):
    def away(*args):
        raise OperationalError("gone")

    monkeypatch.setattr(stream, "caller_of_stream", away)

    async def story():
        client = await refusal(503, "SERVICE_UNAVAILABLE", STAFF, authorization=f"Bearer {staff}")
        assert int(client.headers["retry-after"]) > 0

    asyncio.run(story())


def test_a_token_has_four_streams_at_most(ours, staff, tablet_token, hub):
    async def story():
        open_ones = [await Client(STAFF, authorization=f"Bearer {staff}").opened() for _ in range(4)]
        client = await refusal(429, "TOO_MANY_STREAMS", STAFF, authorization=f"Bearer {staff}")
        assert int(client.headers["retry-after"]) > 0
        async with listening(TABLET, tablet_token):  # another token
            assert hub.open_streams == 5
        await open_ones[0].leave()
        async with listening(STAFF, staff):
            assert hub.open_streams == 4
        for client in open_ones[1:]:
            await client.leave()
        assert hub.open_streams == 0

    asyncio.run(story())


def test_a_store_has_fifty_streams_at_most(ours, theirs, staff, tablet_token, monkeypatch):
    assert stream_places.STREAMS_PER_STORE == 50
    monkeypatch.setattr(stream_places, "STREAMS_PER_STORE", 3)
    their_staff = world.staff_of(theirs.store, theirs.owner).token

    async def story():
        async with listening(STAFF, staff), listening(STAFF, staff), listening(STAFF, staff):
            await refusal(429, "TOO_MANY_STREAMS", TABLET, authorization=f"Bearer {tablet_token}")
            async with listening(STAFF, their_staff):
                pass
        async with listening(TABLET, tablet_token):
            pass

    asyncio.run(story())


# --- Who loses the right ----------------------------------------------------------------------------------------


def sign_out_table(ours, token):
    services.sign_out_table(ours.table, actor=None)


def change_table_password(ours, token):
    services.change_table(ours.table, password="another")


def switch_table_off(ours, token):
    services.change_table(ours.table, is_active=False)


def close_store(ours, token):
    Store.objects.filter(pk=ours.store.pk).update(is_active=False)


def log_out(ours, token):
    log_out_staff(caller_of(token))


def change_own_password(ours, token):
    ours.manager.set_password("something else")
    ours.manager.save()


def deactivate_person(ours, token):
    User.objects.filter(pk=ours.manager.pk).update(is_active=False)


def end_membership(ours, token):
    Membership.objects.filter(user=ours.manager).update(is_active=False)


@pytest.mark.parametrize("revoke", [sign_out_table, change_table_password, switch_table_off, close_store])
def test_a_tablet_that_is_cut_off_is_out(ours, tablet_token, revoke, monkeypatch):
    monkeypatch.setattr(stream_hub, "CHECK_EVERY", 0.05)
    other = world.tablet_of(ours.tables[1]).token

    async def story():
        async with listening(TABLET, tablet_token) as client, listening(TABLET, other) as neighbour:
            await asyncio.sleep(0.2)
            assert not client.finished
            await in_database(revoke, ours, tablet_token)
            assert await client.has_ended()
            assert neighbour.finished is (revoke is close_store)

    asyncio.run(story())


@pytest.mark.parametrize("revoke", [log_out, change_own_password, deactivate_person, end_membership, close_store])
def test_staff_who_are_no_longer_are_out(ours, staff, revoke, monkeypatch):
    monkeypatch.setattr(stream_hub, "CHECK_EVERY", 0.05)
    owner = world.staff_of(ours.store, ours.owner).token

    async def story():
        async with listening(STAFF, staff) as client, listening(STAFF, owner) as colleague:
            await asyncio.sleep(0.2)
            assert not client.finished
            await in_database(revoke, ours, staff)
            assert await client.has_ended()
            assert colleague.finished is (revoke is close_store)

    asyncio.run(story())


@pytest.mark.parametrize(("path", "who"), [(STAFF, "staff"), (TABLET, "tablet_token")])
def test_a_token_that_has_run_out_is_out(request, path, who, monkeypatch):
    monkeypatch.setattr(stream_hub, "CHECK_EVERY", 0.05)
    token = request.getfixturevalue(who)
    late = time.time() + 17 * 3600

    async def story():
        async with listening(path, token) as client:
            monkeypatch.setattr(stream_callers.time, "time", lambda: late)
            assert await client.has_ended()

    asyncio.run(story())


def test_a_right_that_could_not_be_looked_at_is_looked_at_again(ours, staff, monkeypatch, away_at_first):
    monkeypatch.setattr(stream_hub, "CHECK_EVERY", 0.05)
    away = away_at_first("still_welcome")

    async def story():
        async with listening(STAFF, staff) as client:
            await in_database(log_out, ours, staff)
            assert await client.has_ended()
            assert not away

    asyncio.run(story())


def test_every_listener_is_looked_at_however_many_there_are(ours, staff, tablet_token, monkeypatch):
    monkeypatch.setattr(stream_hub, "CHECK_EVERY", 0.05)
    monkeypatch.setattr(stream_hub, "CALLERS_PER_CHECK", 1)
    still_welcome, looked_at = stream_hub.still_welcome, set()

    def look(callers):
        looked_at.update(caller.token_id for caller in callers)
        return still_welcome(callers)

    monkeypatch.setattr(stream_hub, "still_welcome", look)
    owner = world.staff_of(ours.store, ours.owner).token
    tokens = {caller_of(token).token_id for token in (staff, owner, tablet_token)}

    async def story():
        async with listening(STAFF, staff), listening(STAFF, owner), listening(TABLET, tablet_token):
            await asyncio.sleep(0.3)
            assert looked_at == tokens

    asyncio.run(story())


def test_those_who_may_stay_cost_a_fixed_number_of_queries(ours, staff, tablet_token, django_assert_num_queries):
    callers = [caller_of(staff), caller_of(tablet_token)]
    board = stream_callers.BoardCaller("no such session", ours.owner, ours.store)
    for some in ([*callers, board], [*callers, board] * 20):
        with django_assert_num_queries(6):  # tables; tokens; people, sessions, stores and memberships of the board's
            assert stream_callers.still_welcome(some) == [True, True, False] * (len(some) // 3)


# --- The board in the admin, by its cookie ----------------------------------------------------------------------


def signed_in(user) -> str:
    browser = Browser()
    browser.force_login(user)
    return f"sessionid={browser.cookies['sessionid'].value}"


def test_the_board_listens_with_its_cookie(ours, theirs):
    cookie, query = signed_in(ours.manager), f"store={ours.store.pk}"
    begin = last_number(ours.store)

    async def story():
        async with listening(STAFF, query=query, cookie=cookie, sec_fetch_site="same-origin") as client:
            await in_database(write, ours.store)
            assert await client.got(1) == [begin + 1]
        await refusal(404, "NOT_FOUND", STAFF, f"store={theirs.store.pk}", cookie=cookie)
        await refusal(404, "NOT_FOUND", STAFF, f"store={uuid.uuid4()}", cookie=cookie)
        for bad in ("", "store=", "store=1"):
            client = await refusal(400, "VALIDATION", STAFF, bad, cookie=cookie)
            assert client.body["errors"][0]["pointer"] == "?store"
        for site in ("cross-site", "same-site"):
            await refusal(401, "NOT_AUTHENTICATED", STAFF, query, cookie=cookie, sec_fetch_site=site)
        for guessed in ("guessed", r'"\000\000\000\000\000\000\000\000"'):
            await refusal(401, "NOT_AUTHENTICATED", STAFF, query, cookie=f"sessionid={guessed}")
        await refusal(401, "NOT_AUTHENTICATED", TABLET, query, cookie=cookie)
        await refusal(401, "TOKEN_INVALID", STAFF, query, cookie=cookie, authorization="Bearer x")

    asyncio.run(story())


def test_a_superuser_may_watch_every_open_store(ours, theirs):
    cookie = signed_in(User.objects.create_superuser("root", world.PASSWORD))
    close_store(theirs, None)

    async def story():
        async with listening(STAFF, query=f"store={ours.store.pk}", cookie=cookie):
            pass
        await refusal(404, "NOT_FOUND", STAFF, f"store={theirs.store.pk}", cookie=cookie)

    asyncio.run(story())


def sign_out(ours, cookie):
    Session.objects.filter(pk=cookie.partition("=")[2]).delete()


def let_session_run_out(ours, cookie):
    Session.objects.update(expire_date=timezone.now())


def is_out_after(revoke, ours, cookie, monkeypatch):
    monkeypatch.setattr(stream_hub, "CHECK_EVERY", 0.05)

    async def story():
        async with listening(STAFF, query=f"store={ours.store.pk}", cookie=cookie) as client:
            await asyncio.sleep(0.2)
            assert not client.finished
            await in_database(revoke, ours, cookie)
            assert await client.has_ended()
        client = Client(STAFF, f"store={ours.store.pk}", cookie=cookie)
        await client.answer()
        assert client.status in (401, 404)

    asyncio.run(story())


@pytest.mark.parametrize("revoke", [sign_out, let_session_run_out, change_own_password, deactivate_person, end_membership, close_store])
def test_a_board_that_is_no_longer_allowed_is_out(ours, revoke, monkeypatch):
    is_out_after(revoke, ours, signed_in(ours.manager), monkeypatch)


def deactivate_superuser(ours, cookie):
    User.objects.filter(username="root").update(is_active=False)


def end_superuser(ours, cookie):
    User.objects.filter(username="root").update(is_superuser=False)


@pytest.mark.parametrize("revoke", [deactivate_superuser, end_superuser, close_store])
def test_a_superuser_s_board_that_is_no_longer_allowed_is_out(ours, revoke, monkeypatch):
    is_out_after(revoke, ours, signed_in(User.objects.create_superuser("root", world.PASSWORD)), monkeypatch)


def test_every_revocation_is_noticed_within_fifteen_seconds():
    assert stream_hub.CHECK_EVERY + stream.GOODBYE < 10
