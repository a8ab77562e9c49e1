"""How the API behaves whatever is asked: errors, ids, languages, strictness."""

import asyncio
import json
import re
from io import BytesIO

import pytest
from django import db

from tests.routes import Bodies, furnish, offered, with_own_ids
from tests.snapshot import nothing_stored
from tests.stores.stream_client import Client
from tests.world import API, TABLE_PASSWORD, Caller, order_for, place, problem


@pytest.fixture
def caller_for(tablet, owner):
    """Somebody whom the route lets in."""
    return lambda route: tablet if route.path.startswith("tablet/") else owner


# --- Refusals ---------------------------------------------------------------------------------------------------


def test_every_refusal_is_a_problem_in_json(anyone, tablet, manager, owner, ours):
    order = place(ours.table, ours.item)
    move = f"staff/orders/{order['id']}"
    refusals = [
        (tablet.post("tablet/orders", raw=b"{", key="tap-0001"), 400, "MALFORMED_JSON"),
        (tablet.post("tablet/calls", {}), 400, "VALIDATION"),
        (anyone.get("staff/board"), 401, "NOT_AUTHENTICATED"),
        (Caller("x").get("staff/board"), 401, "TOKEN_INVALID"),
        (tablet.get("staff/board"), 403, "FORBIDDEN"),
        (manager.get("staff/orders/00000000-0000-4000-8000-000000000000"), 404, "NOT_FOUND"),
        (manager.delete("staff/board"), 405, "METHOD_NOT_ALLOWED"),
        (manager.patch(move, {"status": "preparing", "version": 9}), 409, "VERSION_CONFLICT"),
        (tablet.post("tablet/calls", raw=b" " * 70_000), 413, "TOO_LARGE"),
        (tablet.post("tablet/calls", raw=b"kind=help", content_type="application/x-www-form-urlencoded"), 415, "UNSUPPORTED_MEDIA_TYPE"),
    ]
    for answer, status, code in refusals:
        body = problem(answer, status, code)
        assert body["type"].startswith("urn:tableorder:problem:")
        assert re.fullmatch(r"[A-Z][A-Z_]+", body["code"])
        assert "Traceback" not in answer.content.decode()
        assert "<" not in answer.content.decode()
        assert answer["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("kind", "sqlstate", "status", "code"),
    [
        (db.OperationalError, "57P01", 503, "SERVICE_UNAVAILABLE"),  # it is going down
        (db.InterfaceError, None, 503, "SERVICE_UNAVAILABLE"),  # the connection is closed
        (db.InternalError, "25006", 503, "SERVICE_UNAVAILABLE"),  # it fails over: it answers and takes no writes
        (db.InternalError, "25P03", 503, "SERVICE_UNAVAILABLE"),  # we stood still within a transaction, and it ended that
        (db.IntegrityError, "23503", 503, "SERVICE_UNAVAILABLE"),  # what it refers to has just been deleted
        (db.InternalError, "25P02", 500, "INTERNAL_ERROR"),
        (db.ProgrammingError, "42601", 500, "INTERNAL_ERROR"),
        (db.DataError, "22003", 500, "INTERNAL_ERROR"),
        (db.IntegrityError, "23505", 500, "INTERNAL_ERROR"),
    ],
)
def test_trouble_of_the_database_is_worth_another_try_and_a_mistake_of_ours_is_not(tablet, ours, monkeypatch, kind, sqlstate, status, code):
    def fails(*args, **kwargs):
        cause = Exception("what the driver says")
        cause.sqlstate = sqlstate
        raise kind("trouble") from cause

    monkeypatch.setattr("orders.services.place_order", fails)
    answer = tablet.post("tablet/orders", order_for(ours.item), key="tap-0001")
    problem(answer, status, code)
    assert answer.get("Retry-After") == ("2" if status == 503 else None)


def test_the_same_kind_of_refusal_has_the_same_title_and_type(manager, ours):
    first, second = (
        manager.get(f"staff/orders/{id}").json() for id in ("00000000-0000-4000-8000-000000000000", "11111111-0000-4000-8000-000000000000")
    )
    assert first | {"request_id": ""} == second | {"request_id": ""}


ABSENT = [
    *(
        "",
        "nothing",
        "staff",
        "staff/",
        "staff/board/",
        "staff/orders/",
        "tablet/orders/",
        "staff/orders/1",
        "staff/orders/none/lines",
        "Staff/Board",
    ),
    *(
        "staff/orders/%00",
        "staff//board",
        "staff/orders/../board",
        "%ed%a0%80",
        "%ff",
        "staff/board%20",
        "💥",
        "staff/tables/{upper}",
        "v2/staff/board",
    ),
]


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_address_that_does_not_exist_is_absent(manager, ours, method):
    for path in ABSENT:
        path = path.format(upper=str(ours.table.pk).upper()) if "{" in path else path
        for caller in (manager, Caller()):
            problem(caller.request(method, path, {}), 404, "NOT_FOUND")
    for path in ("/api", "/api/", "/api/nothing", "/api/v2/staff/board"):
        problem(manager.http.generic(method, path), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    "accept", ["text/html", "application/xml", "text/html,application/xhtml+xml,*/*;q=0.8", "image/png", "nonsense", ""]
)
def test_whatever_is_accepted_the_answer_is_json(manager, ours, anyone, accept):
    assert manager.get("staff/board", accept=accept)["Content-Type"] == "application/json"
    for answer in (
        anyone.get("staff/board", accept=accept),
        manager.get("nothing", accept=accept),
        manager.delete("staff/board", accept=accept),
    ):
        assert answer["Content-Type"] == "application/problem+json"
        json.loads(answer.content)


def test_no_query_parameter_chooses_another_format(manager):
    for query in ("format=html", "format=api", "format=xml", "_method=DELETE", "unknown=%00", "a[]=1&a[]=2", "limi=0", "x=" + "y" * 5000):
        answer = manager.get(f"staff/tables?{query}")
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/json"), query


def test_unknown_query_parameters_are_ignored_everywhere(ours, caller_for):
    furnish(ours)
    for route, method in offered():
        if method == "GET" and not route.path.endswith("/events"):
            path = with_own_ids(route, ours)
            plain, asked = (caller_for(route).get(path + query) for query in ("", "?unknown=1&format=xml"))
            assert (asked.status_code, asked.content) == (plain.status_code, plain.content) != (400, b""), path


def test_an_answer_is_utf_8_as_it_is(manager, ours):
    manager.patch(f"staff/tables/{ours.table.pk}", {"number": "창가 🪟"})
    assert "창가 🪟".encode() in manager.get("staff/tables").content


def test_a_head_is_the_get_without_its_body(manager, ours):
    got, head = manager.get("staff/board"), manager.request("HEAD", "staff/board")
    assert (head.status_code, head.content) == (200, b"")
    assert head["Content-Type"] == got["Content-Type"]


# --- What every answer carries ----------------------------------------------------------------------------------


def kinds_of_answers(caller, ours):
    return [
        lambda **headers: caller.get("staff/board", **headers),
        lambda **headers: caller.get("nothing", **headers),
        lambda **headers: Caller().get("staff/board", **headers),
        lambda **headers: caller.post(f"staff/tables/{ours.table.pk}/sign-out", **headers),
        lambda **headers: caller.post("staff/tables", raw=b"{", **headers),
        lambda **headers: caller.http.get("/health", headers={name.replace("_", "-"): value for name, value in headers.items()}),
    ]


@pytest.mark.parametrize("asked", ["a1b2c3d4", "x" * 64, "Order-2026.11_20", "0" * 8])
def test_a_good_request_id_is_taken_over(manager, ours, asked):
    for ask in kinds_of_answers(manager, ours):
        answer = ask(x_request_id=asked)
        assert answer["X-Request-ID"] == asked
        if answer.status_code >= 400:
            assert answer.json()["request_id"] == asked


@pytest.mark.parametrize(
    "asked",
    [
        None,
        "",
        "short",
        "x" * 65,
        "with space",
        "semi;colon",
        "<script>",
        "12345678\n",
        "요청번호일이삼사".encode().decode("latin-1"),
        "a/b/c/d/e",
    ],
)
def test_any_other_request_id_is_replaced(manager, ours, asked):
    seen = set()
    for ask in kinds_of_answers(manager, ours):
        answer = ask(**({} if asked is None else {"x_request_id": asked}))
        assert re.fullmatch(r"[A-Za-z0-9._-]{8,64}", answer["X-Request-ID"])
        seen.add(answer["X-Request-ID"])
    assert len(seen) == len(kinds_of_answers(manager, ours))


def test_only_a_menu_may_be_kept_and_must_be_asked_for_again(anyone, caller_for, ours):
    furnish(ours)
    signed_in = anyone.post("tablet/login", {"store": ours.store.code, "table": "1", "password": TABLE_PASSWORD})
    assert (signed_in.status_code, signed_in["Cache-Control"]) == (200, "no-store")
    for route, method in offered():
        if method == "GET" and not route.path.endswith("/events"):
            kept = "private, no-cache" if route.path == "tablet/menu" else "no-store"
            assert caller_for(route).get(with_own_ids(route, ours))["Cache-Control"] == kept, route.path


def test_every_answer_says_how_long_it_took(manager, ours):
    for ask in kinds_of_answers(manager, ours):
        assert 0 <= float(ask()["X-Process-Time"]) < 60_000


@pytest.mark.parametrize(
    ("accept_language", "language"),
    [("ko", "ko"), ("ko-KR,ko;q=0.9,en;q=0.8", "ko"), ("en", "en"), ("fr", "en"), (None, "en"), ("*", "en"), ("\x00;;q=", "en")],
)
def test_a_refusal_speaks_the_language_that_is_asked_for(tablet, accept_language, language):
    """The field's message is Django's own, so this holds whatever we have translated ourselves."""
    headers = {} if accept_language is None else {"accept_language": accept_language}
    answer = tablet.post("tablet/calls", {}, **headers)
    (error,) = problem(answer, 400, "VALIDATION")["errors"]
    assert (error["pointer"], error["code"]) == ("/kind", "REQUIRED")
    assert bool(re.search("[가-힣]", error["detail"])) == (language == "ko")
    assert answer["Content-Language"] == language
    assert "Accept-Language" in answer["Vary"]


def test_the_language_of_one_does_not_stay_for_the_next(tablet):
    tablet.post("tablet/calls", {}, accept_language="ko")
    assert tablet.post("tablet/calls", {})["Content-Language"] == "en"


def test_a_limit_is_told_to_each_in_their_language(tablet, ours):
    """DRF keeps such a sentence as it was said first."""
    dish = {"item": str(ours.item.pk), "quantity": 100}
    for body in ({"lines": [dish]}, {"lines": [dish | {"quantity": 1, "note": "x" * 201}]}, {"lines": [dish] * 51}):
        for language in ("ko", "en", "ko"):
            [*_, error] = tablet.post("tablet/quote", body, accept_language=language).json()["errors"]
            assert bool(re.search("[가-힣]", error["detail"])) == (language == "ko"), error


# --- Strictness, at every door ----------------------------------------------------------------------------------


def doors_with_a_body():
    """(route, method) of every door that reads JSON: also those that take nothing."""
    return [
        (route, method)
        for route, method in offered()
        if method in ("POST", "PUT", "PATCH") and Bodies(route, method).kind == "application/json"
    ]


def test_there_are_doors_with_a_body():
    assert len(doors_with_a_body()) > 20


def test_an_unknown_field_is_refused_everywhere(ours, caller_for):
    furnish(ours)
    with nothing_stored():
        for route, method in doors_with_a_body():
            good = Bodies(route, method).make(lambda _: ours.store)[0]
            for body in ({"surprise": 1}, good | {"surprise": None}):
                refused = problem(caller_for(route).request(method, with_own_ids(route, ours), body, key="tap-0001"), 400, "VALIDATION")
                assert [(error["pointer"], error["code"]) for error in refused["errors"]] == [("/surprise", "UNKNOWN")], route.path


IMPOSSIBLE = [
    *((raw, 400, "VALIDATION") for raw in (b"[]", b"null", b"7", b'"text"', b"true")),
    (b"{", 400, "MALFORMED_JSON"),
    (b'{"a": 1, "a": 1}', 400, "MALFORMED_JSON"),
    (b'{"a": NaN}', 400, "MALFORMED_JSON"),
    (b'{"a": "\\u0000"}', 400, "MALFORMED_JSON"),
    (b'{"a": "\\udc00"}', 400, "MALFORMED_JSON"),
    (b'{"a": "\xff"}', 400, "MALFORMED_JSON"),
    (b'{"a": ' + b"[" * 20 + b"]" * 20 + b"}", 400, "MALFORMED_JSON"),
    (b"{" + b" " * 65_536 + b"}", 413, "TOO_LARGE"),
]


def test_a_body_that_can_not_be_is_refused_everywhere(ours, caller_for):
    furnish(ours)
    with nothing_stored():
        for route, method in doors_with_a_body():
            for raw, status, code in IMPOSSIBLE:
                problem(caller_for(route).request(method, with_own_ids(route, ours), raw=raw, key="tap-0001"), status, code)


def test_another_kind_of_content_is_refused_everywhere(ours, caller_for):
    furnish(ours)
    with nothing_stored():
        for route, method in doors_with_a_body():
            for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
                answer = caller_for(route).request(method, with_own_ids(route, ours), raw=b"a=1", content_type=kind, key="tap-0001")
                problem(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


def in_chunks(caller, path, raw: bytes, content_type="application/json"):
    """As a WSGI server hands it over: the chunks undone, no length."""
    headers = {"authorization": f"Bearer {caller.token}", "transfer-encoding": "chunked"}
    environ = {"CONTENT_TYPE": content_type, "wsgi.input": BytesIO(raw)}
    return caller.http.generic("POST", API + path, headers=headers, **environ)


def test_a_body_that_comes_in_chunks_is_read_like_any_other(tablet, manager, ours):
    assert in_chunks(tablet, "tablet/calls", b'{"kind": "help"}').status_code == 201
    problem(in_chunks(tablet, "tablet/calls", b'{"kind": '), 400, "MALFORMED_JSON")
    problem(in_chunks(tablet, "tablet/calls", b" " * (10 * 1024 * 1024)), 413, "TOO_LARGE")
    place(ours.table, ours.item)
    with nothing_stored():
        complete = f"staff/tables/{ours.table.pk}/complete"
        problem(in_chunks(manager, complete, b'{"force": true, "session": "00000000-0000-4000-8000-000000000000"}'), 404, "NOT_FOUND")
        problem(in_chunks(manager, complete, b"{}", content_type=""), 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("content_type", ["", "application/json"])
def test_no_chunks_are_no_body(manager, ours, content_type):
    place(ours.table, ours.item)
    problem(in_chunks(manager, f"staff/tables/{ours.table.pk}/complete", b"", content_type), 409, "ORDERS_UNFINISHED")
    assert in_chunks(manager, "staff/logout", b"", content_type).status_code == 204


class Flood(Client):
    """Somebody who sends more than anybody wants."""

    taken = 0

    async def _receive(self):
        self.taken += 1
        return {"type": "http.request", "body": bytes(1024 * 1024), "more_body": self.taken < 20}


@pytest.mark.django_db(transaction=True)
def test_a_body_of_any_length_does_not_fill_the_disk():
    """Under ASGI, Django has the whole of it there before a view is asked."""

    async def story():
        for headers, megabytes in (({}, 7), ({"content_length": str(10**12)}, 0)):
            flood = Flood("/api/v1/tablet/login", method="POST", content_type="application/json", **headers)
            body = await flood.answer()
            assert (flood.status, body["code"], flood.taken) == (413, "TOO_LARGE", megabytes)

    asyncio.run(story())


@pytest.mark.parametrize(
    ("path", "content_type", "language", "said"),
    [
        ("/admin/menus/item/add/", "multipart/form-data; boundary=x", "ko", "사진은 5MB까지"),
        ("/admin/menus/item/add/", "multipart/form-data; boundary=x", "en", "an image may have at most 5 MB"),
        ("/admin/menus/item/", "application/x-www-form-urlencoded", "en", "What was sent is too large."),
    ],
)
@pytest.mark.parametrize("headers", [{}, {"content_length": str(10**8)}])
def test_at_the_admin_too_large_a_form_is_answered_by_a_page(path, content_type, language, said, headers):
    async def story():
        flood = Flood(path, method="POST", content_type=content_type, accept="text/html", accept_language=language, **headers)
        page = await flood.text()
        assert (flood.status, flood.headers["content-type"]) == (413, "text/html; charset=utf-8")
        assert said in page
        assert f'<html lang="{language}">' in page
        assert 'href="/admin/"' in page
        assert ("5" in page.split("<p>")[1]) == content_type.startswith("multipart")

    asyncio.run(story())
