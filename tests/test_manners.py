"""How the API behaves whatever is asked: errors, ids, languages, lists, strictness."""

import base64
import json
import re
from io import BytesIO

import pytest

from sessions_app.models import TableSession
from stores.models import Table
from tests.routes import Bodies, furnish, id_of, offered
from tests.snapshot import nothing_stored
from tests.world import API, Caller, place, problem


def with_own_ids(route, world) -> str:
    return route.at(**{name: id_of(world.store, name) for name in route.parameters})


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
    for path in ("/api/", "/api/nothing", "/api/v2/staff/board"):
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
    assert (error["pointer"], error["code"]) == ("/kind", "required")
    assert bool(re.search("[가-힣]", error["detail"])) == (language == "ko")
    assert answer["Content-Language"] == language


def test_the_language_of_one_does_not_stay_for_the_next(tablet):
    tablet.post("tablet/calls", {}, accept_language="ko")
    assert tablet.post("tablet/calls", {})["Content-Language"] == "en"


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
                assert [(error["pointer"], error["code"]) for error in refused["errors"]] == [("/surprise", "unknown")], route.path


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


def in_chunks(caller, path, raw: bytes):
    """As a WSGI server hands it over: the chunks undone, no length."""
    headers = {"authorization": f"Bearer {caller.token}", "transfer-encoding": "chunked"}
    environ = {"CONTENT_TYPE": "application/json", "wsgi.input": BytesIO(raw)}
    return caller.http.generic("POST", API + path, headers=headers, **environ)


def test_a_body_that_comes_in_chunks_is_read_like_any_other(tablet, manager, ours):
    assert in_chunks(tablet, "tablet/calls", b'{"kind": "help"}').status_code == 201
    problem(in_chunks(tablet, "tablet/calls", b'{"kind": '), 400, "MALFORMED_JSON")
    problem(in_chunks(tablet, "tablet/calls", b" " * (10 * 1024 * 1024)), 413, "TOO_LARGE")
    place(ours.table, ours.item)
    with nothing_stored():
        complete = f"staff/tables/{ours.table.pk}/complete"
        problem(in_chunks(manager, complete, b'{"force": true, "session": "00000000-0000-4000-8000-000000000000"}'), 404, "NOT_FOUND")


# --- Lists ------------------------------------------------------------------------------------------------------


def lists():
    """Every GET that the document says comes in pages."""
    return [route for route, method in offered() if method == "GET" and "limit" in parameters_of(route)]


def parameters_of(route) -> list[str]:
    return [parameter["name"] for parameter in route.operation("GET").get("parameters", [])]


def cursor_of(*values) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def test_there_are_lists():
    assert {route.path for route in lists()} >= {"staff/orders", "staff/tables", "staff/items", "staff/history"}


NO_LIMIT = ["0", "-1", "101", "x", "", "1.0", "1e1", " 5", "%2B5", "٣", "0x10", "%00", "9" * 5000, "000000001000", "0000000001000"]


def test_a_bad_limit_is_not_valid_anywhere(ours, owner):
    furnish(ours)
    for route in lists():
        for limit in NO_LIMIT:
            body = problem(owner.get(f"{with_own_ids(route, ours)}?limit={limit}"), 400, "VALIDATION")
            assert [error["pointer"] for error in body["errors"]] == ["?limit"]


ID = "00000000-0000-4000-8000-000000000000"
SIZES = (2, 3, 4)  # how many values the cursors of our lists hold
FROM_NOWHERE = [
    *("x", "1", "%00", "💥", "=", "====", "e30", "bnVsbA", "A" * 5000, cursor_of(), cursor_of(1), cursor_of(ID), cursor_of(*[ID] * 5)),
    *(cursor_of(*[value] * size) for size in SIZES for value in (5, -5, "", None, True, 1.5, 2**40, [], {}, "\x00", "\ud800", "💥" * 300)),
    *(cursor_of(*[value] * (size - 1), ID) for size in SIZES for value in (5, -5, "\ud800", ID, "9" * 30, "2026-13-01", "12:00")),
    *(cursor_of(moment, ID) for moment in ("9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2026-11-20", "2026-11-20T12:00:00")),
    *(
        base64.b64encode(text).decode()
        for text in (b"[" * 3000, b"\xff\xfe", b'["a"', b"[NaN, NaN]", b"[1e999, 1]", b'{"a": 1, "b": 2}', b'"ab"')
    ),
]


def test_a_cursor_from_nowhere_is_never_an_accident(ours, owner):
    """Refused, or at worst a place in the list."""
    furnish(ours)
    owner.post(f"staff/tables/{ours.table.pk}/complete", {"force": True})
    for route in lists():
        for cursor in FROM_NOWHERE:
            answer = owner.get(f"{with_own_ids(route, ours)}?cursor={cursor}")
            if answer.status_code != 200:
                body = problem(answer, 400, "VALIDATION")
                assert [error["pointer"] for error in body["errors"]] == ["?cursor"]


def test_a_cursor_from_nowhere_is_not_valid(owner):
    for path in ("staff/orders", "staff/history"):
        for cursor in (
            "x",
            "nowhere",
            "e30",
            "bnVsbA",
            cursor_of(),
            cursor_of("x", "y"),
            cursor_of(5, 5),
            cursor_of("2026-11-20T12:00:00+00:00"),
        ):
            problem(owner.get(f"{path}?cursor={cursor}"), 400, "VALIDATION")


def make_tables(world, count, prefix="T"):
    Table.objects.bulk_create(Table(store=world.store, number=f"{prefix}{number:03d}") for number in range(count))


def test_a_list_has_fifty_by_default_and_a_hundred_at_most(ours, owner):
    make_tables(ours, 118)
    assert len(owner.get("staff/tables").json()["results"]) == 50
    page = owner.get("staff/tables?limit=100").json()
    assert len(page["results"]) == 100
    rest = owner.get(f"staff/tables?limit=100&cursor={page['next']}").json()
    assert (len(rest["results"]), rest["next"]) == (20, None)


@pytest.mark.parametrize(("count", "limit"), [(0, 2), (2, 4), (2, 2), (3, 1), (5, 3)])
def test_pages_are_the_list_in_pieces(ours, owner, count, limit):
    """Nothing is missing or doubled where a page ends, also when the last page is full."""
    make_tables(ours, count)
    whole = owner.get("staff/tables").json()["results"]
    seen, sizes, query = [], [], f"?limit={limit}"
    while query:
        page = owner.get(f"staff/tables{query}").json()
        seen += page["results"]
        sizes.append(len(page["results"]))
        query = page["next"] and f"?limit={limit}&cursor={page['next']}"
    assert seen == whole
    assert all(size == limit for size in sizes[:-1])
    assert sizes[-1] > 0


def test_rows_that_come_between_two_pages_neither_repeat_nor_hide_others(ours, owner, clock):
    def order():
        clock.advance(seconds=1)
        return place(ours.table, ours.item)["number"]

    numbers = [order() for _ in range(5)]
    first = owner.get("staff/orders?limit=2").json()
    new = [order() for _ in range(3)]
    rest = owner.get(f"staff/orders?limit=100&cursor={first['next']}").json()
    assert [row["number"] for row in first["results"] + rest["results"]] == numbers[::-1]
    assert [row["number"] for row in owner.get("staff/orders").json()["results"]] == (numbers + new)[::-1]


def test_rows_that_go_between_two_pages_hide_no_others(ours, owner):
    make_tables(ours, 6)
    whole = [row["number"] for row in owner.get("staff/tables").json()["results"]]
    first = owner.get("staff/tables?limit=3").json()
    Table.objects.filter(number__in=whole[1:3]).delete()  # also the very row that the cursor names
    rest = owner.get(f"staff/tables?limit=3&cursor={first['next']}").json()["results"]
    assert [row["number"] for row in rest] == whole[3:6]


def test_rows_of_the_same_moment_are_paged_by_their_ids(ours, owner, clock):
    for _ in range(5):
        place(ours.table, ours.item)
    TableSession.objects.update(started_at=clock.now)
    seen, query = [], "?limit=2"
    while query:
        page = owner.get(f"staff/orders{query}").json()
        seen += [row["number"] for row in page["results"]]
        query = page["next"] and f"?limit=2&cursor={page['next']}"
    assert sorted(seen) == [1, 2, 3, 4, 5]


def test_a_filter_goes_with_its_pages(ours, owner, clock):
    for table in (0, 1, 0, 1, 0):
        place(ours.tables[table], ours.item)
        clock.advance(seconds=1)
    query = f"staff/orders?table={ours.tables[0].pk}&limit=2"
    first = owner.get(query).json()
    rest = owner.get(f"{query}&cursor={first['next']}").json()
    assert [row["number"] for row in first["results"] + rest["results"]] == [5, 3, 1]
    assert rest["next"] is None


def test_a_cursor_is_fit_for_an_address(ours, owner):
    make_tables(ours, 3, prefix="창가 ~?/+&# ")
    query = "?limit=1"
    for _ in range(5):
        page = owner.get(f"staff/tables{query}").json()
        query = f"?limit=1&cursor={page['next']}"
        assert page["next"] is None or re.fullmatch(r"[A-Za-z0-9_-]+", page["next"])
    assert page["next"] is None
