"""What a tablet must not send: refused with a code and a sentence, and nothing stored."""

import json
import uuid
from types import SimpleNamespace

import pytest
from django.utils import timezone
from rest_framework import serializers

from menus.models import Item, ItemOptionGroup, Option, OptionGroup
from orders.models import Order
from tests.snapshot import nothing_stored
from tests.world import line, make_choice, make_item, make_world, new_key, place, problem, tablet_of

QUOTE, ORDERS = "tablet/quote", "tablet/orders"


@pytest.fixture
def cast(ours, theirs):
    """Dishes with choices to get wrong."""
    plain, sized, topped = ours.items[0], make_item(ours), make_item(ours)
    small, large = make_choice(sized, min=1, max=1, options=(("small", 0), ("large", 2000)))
    toppings = make_choice(topped, max=2, name="Toppings", options=(("egg", 500), ("cheese", 700), ("chilli", 0)))
    deleted_item, deleted_option, of_deleted_group = make_item(ours), make_choice(plain, options=[("old", 0)])[0], make_choice(plain)[0]
    Item.objects.filter(pk=deleted_item.pk).update(deleted_at=timezone.now())
    Option.objects.filter(pk=deleted_option.pk).update(deleted_at=timezone.now())
    OptionGroup.objects.filter(pk=of_deleted_group.group_id).update(deleted_at=timezone.now())
    return SimpleNamespace(
        plain=plain,
        sized=sized,
        small=small,
        large=large,
        topped=topped,
        toppings=toppings,
        deleted_item=deleted_item,
        deleted_option=deleted_option,
        of_deleted_group=of_deleted_group,
        their_item=theirs.item,
        their_option=make_choice(theirs.item)[0],
    )


WRONG_LINES = {
    "an item that does not exist": (lambda it: [{"item": str(uuid.uuid4()), "quantity": 1}], 404, "ITEM_NOT_FOUND"),
    "an item of another store": (lambda it: [line(it.their_item)], 404, "ITEM_NOT_FOUND"),
    "a deleted item": (lambda it: [line(it.deleted_item)], 404, "ITEM_NOT_FOUND"),
    "a good line and an item of another store": (lambda it: [line(it.plain), line(it.their_item)], 404, "ITEM_NOT_FOUND"),
    "a wrong option": (lambda it: [line(it.sized, 1, it.small) | {"options": [str(uuid.uuid4())]}], 400, "INVALID_OPTION"),
    "an option of another item": (lambda it: [line(it.sized, 1, it.small, it.toppings[0])], 400, "INVALID_OPTION"),
    "an option of another store": (lambda it: [line(it.plain, 1, it.their_option)], 400, "INVALID_OPTION"),
    "a deleted option": (lambda it: [line(it.plain, 1, it.deleted_option)], 400, "INVALID_OPTION"),
    "an option of a deleted group": (lambda it: [line(it.plain, 1, it.of_deleted_group)], 400, "INVALID_OPTION"),
    "an option for a dish that has none": (lambda it: [line(it.plain, 1, it.large)], 400, "INVALID_OPTION"),
    "the same option twice": (lambda it: [line(it.topped, 1, it.toppings[0], it.toppings[0])], 400, "INVALID_OPTION"),
    "an item for an option": (lambda it: [line(it.plain, 1, it.plain)], 400, "INVALID_OPTION"),
    "too few of a group": (lambda it: [line(it.sized)], 400, "OPTION_COUNT"),
    "too many of a group": (lambda it: [line(it.sized, 1, it.small, it.large)], 400, "OPTION_COUNT"),
    "too many of a group that needs none": (lambda it: [line(it.topped, 1, *it.toppings)], 400, "OPTION_COUNT"),
    "no lines": (lambda it: [], 400, "EMPTY_ORDER"),
    "51 lines": (lambda it: [line(it.plain)] * 51, 400, "VALIDATION"),
}


def test_lines_that_can_not_be_ordered(tablet, cast):
    with nothing_stored():
        for what, (lines, status, code) in WRONG_LINES.items():
            for path in (QUOTE, ORDERS):
                answer = tablet.post(path, {"lines": lines(cast)}, key=new_key())
                assert answer.status_code == status, (what, answer.content)
                body = problem(answer, status, code)
                if code not in ("EMPTY_ORDER", "VALIDATION"):
                    last = len(lines(cast)) - 1
                    pointer = f"/lines/{last}/item" if code == "ITEM_NOT_FOUND" else f"/lines/{last}/options"
                    assert [(error["pointer"], error["code"]) for error in body["errors"]] == [(pointer, code)], what


def test_a_choice_that_is_not_met_says_how_many_it_takes(tablet, cast):
    body = problem(tablet.post(QUOTE, {"lines": [line(cast.topped, 1, *cast.toppings)]}), 400, "OPTION_COUNT")
    assert body["detail"] == body["errors"][0]["detail"] == "Toppings: choose 0 to 2."


def test_lines_that_can(tablet, cast):
    """The control: what is refused above is refused for its own reason."""
    lines = [line(cast.plain), line(cast.sized, 99, cast.large), line(cast.topped), line(cast.topped, 1, *cast.toppings[:2])]
    assert tablet.post(QUOTE, {"lines": lines}).status_code == 200
    assert tablet.post(ORDERS, {"lines": lines + [line(cast.plain)] * 46}, key=new_key()).status_code == 201


NO_QUANTITY = [0, -1, 100, 10**30, 1.0, 0.5, 1e300, "1", "", "one", "🍜", True, False, None, [1], {"n": 1}]
NO_ID = [
    "",
    "1",
    1,
    0,
    None,
    True,
    [],
    {},
    "🍜",
    "bibimbap",
    "x" * 36,
    "{a}",
    "f" * 32,
    "urn:uuid:" + "0" * 32,
    "' OR 1=1 --",
    "../1",
    "9" * 5000,
]
NO_TEXT = [1, 1.5, True, None, ["hurry"], {"text": "hurry"}, "x" * 201, "bell \x07", "\x1b[31m", "\x7f" * 201]


@pytest.mark.parametrize(
    ("pointer", "values", "body"),
    [
        ("/lines/0/quantity", NO_QUANTITY, lambda value, good: {"lines": [good | {"quantity": value}]}),
        ("/lines/1/quantity", NO_QUANTITY[:3], lambda value, good: {"lines": [good, good | {"quantity": value}]}),
        ("/lines/0/item", NO_ID, lambda value, good: {"lines": [good | {"item": value}]}),
        ("/lines/0/options/0", NO_ID, lambda value, good: {"lines": [good | {"options": [value]}]}),
        ("/lines/0/options", ["", "x", 1, True, None, {}, {"0": "x"}], lambda value, good: {"lines": [good | {"options": value}]}),
        ("/lines/0/note", NO_TEXT, lambda value, good: {"lines": [good | {"note": value}]}),
        ("/lines/0", [None, 1, "x", True, [], "🍜"], lambda value, good: {"lines": [value]}),
        ("/lines", [None, 1, "x", True, {}, {"0": {}}, "🍜"], lambda value, good: {"lines": value}),
        ("/lines/0/price", [1, None], lambda value, good: {"lines": [good | {"price": value}]}),
        ("/lines/0/unit_price", [1], lambda value, good: {"lines": [good | {"unit_price": value}]}),
        ("/lines/0/item", [...], lambda value, good: {"lines": [{"quantity": 1}]}),
        ("/lines/0/quantity", [...], lambda value, good: {"lines": [{"item": good["item"]}]}),
        ("/lines", [...], lambda value, good: {}),
    ],
)
def test_a_line_of_the_wrong_shape(tablet, ours, pointer, values, body):
    with nothing_stored():
        for value in values:
            for path in (QUOTE, ORDERS):
                refused = problem(tablet.post(path, body(value, line(ours.item)), key=new_key()), 400, "VALIDATION")
                assert [error["pointer"] for error in refused["errors"]] == [pointer], value


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("expected_total", [-1, 12000.0, "12000", True, [12000], {}, 2**53 + 1, "🍜"]),
        ("note", NO_TEXT),
        ("session", ["", "none", 1, True, [], {}, "🍜"]),
        ("total", [12000]),
        ("table", ["1"]),
        ("store", ["ours"]),
        ("", [1]),
        ("Lines", [[]]),
    ],
)
def test_an_order_of_the_wrong_shape(tablet, ours, name, values):
    with nothing_stored():
        for value in values:
            refused = problem(tablet.post(ORDERS, {"lines": [line(ours.item)], name: value}, key=new_key()), 400, "VALIDATION")
            assert [error["pointer"] for error in refused["errors"]] == [f"/{name}"], value


def test_a_quote_takes_lines_only(tablet, ours):
    for name in ("expected_total", "note", "session"):
        problem(tablet.post(QUOTE, {"lines": [line(ours.item)], name: None}), 400, "VALIDATION")


def test_all_that_is_wrong_is_told_at_once(tablet, ours):
    body = problem(
        tablet.post(ORDERS, {"lines": [{"quantity": 0, "item": "x"}, line(ours.item, 100)], "note": 1}, key=new_key()), 400, "VALIDATION"
    )
    assert sorted(error["pointer"] for error in body["errors"]) == ["/lines/0/item", "/lines/0/quantity", "/lines/1/quantity", "/note"]
    assert all(error["code"] and error["detail"] for error in body["errors"])


def raw(world, text) -> bytes:
    """A good order with this text in place of its note."""
    return json.dumps({"lines": [line(world.item)], "note": "NOTE"}).replace('"NOTE"', text).encode("utf-8", "surrogatepass")


UNREADABLE = {
    "nothing behind a colon": "",
    "a NUL": '"a\\u0000b"',
    "a bare NUL": '"a\x00b"',
    "a bare line break": '"a\nb"',
    "a lone surrogate": '"\\ud800"',
    "half a character": '"\ud800"',
    "NaN": "NaN",
    "infinity": "-Infinity",
    "a comment": '"a" /* b */',
    "a comma too many": '"a",',
    "single quotes": "'a'",
    "duplicate keys": '"a", "note": "b"',
    "duplicate keys inside": '{"a": 1, "a": 2}',
    "the same key twice, once escaped": '"a", "n\\u006fte": "b"',
    "21 levels": "[" * 20 + "]" * 20,
    "30,000 levels": "[" * 30_000 + "]" * 30_000,
    "30,000 objects": '{"a":' * 10_000 + "1" + "}" * 10_000,
    "a number of 5,000 digits": "1" * 5000,
    "a NUL for a key": '"a", "\\u0000": 1',
}


def test_a_body_that_is_not_json_as_we_read_it(tablet, ours):
    with nothing_stored():
        for what, text in UNREADABLE.items():
            for path in (QUOTE, ORDERS):
                answer = tablet.post(path, raw=raw(ours, text), key=new_key())
                assert answer.status_code == 400, what
                problem(answer, 400, "MALFORMED_JSON")


@pytest.mark.parametrize("text", ["[" * 19 + "]" * 19, "1e400", "-0.0", '"\\u0007"', '"🍜", "\\ud83c\\udf5c": "an emoji in two halves"'])
def test_a_body_that_is_json_but_no_order(tablet, ours, text):
    with nothing_stored():
        problem(tablet.post(ORDERS, raw=raw(ours, text), key=new_key()), 400, "VALIDATION")


def test_a_body_that_is_no_json_at_all(tablet):
    utf_16 = '{"lines": []}'.encode("utf-16")
    with nothing_stored():
        for body in (b"{", b"}", b"\xff\xfe", b"\xef\xbb\xbf{}", utf_16, b"lines=1", b"<xml/>", b"\x00" * 10, b"{}{}"):
            problem(tablet.post(ORDERS, raw=body, key=new_key()), 400, "MALFORMED_JSON")


def test_a_body_that_is_not_an_order(tablet):
    with nothing_stored():
        for body in (b"", b"null", b"[]", b"1", b'"lines"', b"true", b"{}", b"[[]]", b'[{"lines": []}]'):
            problem(tablet.post(ORDERS, raw=body, key=new_key()), 400, "VALIDATION")


def test_a_body_of_64_kilobytes_is_read_and_one_byte_more_is_not(tablet, ours):
    good = raw(ours, '"hurry"')
    assert tablet.post(ORDERS, raw=good.ljust(64 * 1024), key=new_key()).status_code == 201
    with nothing_stored():
        for size in (64 * 1024 + 1, 10 * 1024 * 1024):
            problem(tablet.post(ORDERS, raw=good.ljust(size), key=new_key()), 413, "TOO_LARGE")
            problem(tablet.post(ORDERS, raw=b"[" * size, key=new_key()), 413, "TOO_LARGE")


def test_a_body_of_another_kind(tablet, ours):
    kinds = [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "text/json",
        "json",
        "application/json2",
    ]
    with nothing_stored():
        for kind in kinds:
            for path in (QUOTE, ORDERS):
                problem(tablet.post(path, raw=raw(ours, '"a"'), key=new_key(), content_type=kind), 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/json;charset=UTF-8"])
def test_json_by_another_spelling_is_json(tablet, ours, content_type):
    assert tablet.post(ORDERS, raw=raw(ours, '"a"'), key=new_key(), content_type=content_type).status_code == 201


@pytest.mark.parametrize(
    "note",
    [
        "🍜 매운맛 빼주세요",
        "two\nlines\tand a tab",
        "'; DROP TABLE orders_order; --",
        "<script>alert(1)</script>",
        "x" * 200,
        "\u202e",
        "é" * 200,
    ],
)
def test_what_looks_strange_but_is_text_is_kept_as_it_is(tablet, manager, ours, note):
    order = tablet.post(ORDERS, {"lines": [line(ours.item, note=note)], "note": note}, key=new_key()).json()
    assert order["note"] == order["lines"][0]["note"] == note
    assert manager.get(f"staff/orders/{order['id']}").json() == order


@pytest.mark.parametrize("key", ["x" * 7, "x" * 129, "\x07" * 8, "키" * 8, "🍜" * 8])
def test_a_bad_key(tablet, ours, key):
    value = key.encode().decode("latin-1")  # as a server hands over the bytes of a header
    with nothing_stored():
        problem(tablet.post(ORDERS, {"lines": [line(ours.item)]}, key=value), 400, "IDEMPOTENCY_KEY_REQUIRED")


@pytest.mark.parametrize("key", ["x" * 8, "x" * 128, "~!@#$%^&", "' OR 1=1 --"])
def test_a_good_key(tablet, ours, key):
    assert tablet.post(ORDERS, {"lines": [line(ours.item)]}, key=key).status_code == 201
    assert tablet.post(ORDERS, {"lines": [line(ours.item)]}, key=key).status_code == 200


def test_keys_that_differ_by_a_byte_are_two_keys(tablet, ours):
    for key in ("order-key", "ORDER-KEY", "order_key", "order-key2"):
        assert tablet.post(ORDERS, {"lines": [line(ours.item)]}, key=key).status_code == 201
    assert Order.objects.count() == 4


def test_a_key_is_bound_to_all_of_its_content(tablet, ours):
    large = make_choice(ours.item)[1]
    good = {"lines": [line(ours.item, 2)], "note": "hurry", "session": None}
    assert tablet.post(ORDERS, good, key="tap-0001").status_code == 201
    others = [
        good | {"lines": [line(ours.item, 3)]},
        good | {"lines": [line(ours.item, 2), line(ours.item, 2)]},
        good | {"lines": [line(ours.items[1], 2)]},
        good | {"lines": [line(ours.item, 2, large)]},
        good | {"lines": [line(ours.item, 2, note="x")]},
        good | {"note": ""},
        good | {"expected_total": 24000},
        good | {"session": str(uuid.uuid4())},
        {name: value for name, value in good.items() if name != "session"},
    ]
    with nothing_stored():
        for asked in others:
            problem(tablet.post(ORDERS, asked, key="tap-0001"), 422, "IDEMPOTENCY_KEY_REUSED")
        assert tablet.post(ORDERS, dict(reversed(good.items())), key="tap-0001").status_code == 200  # the same, written another way
        assert tablet.post(ORDERS, good | {"lines": [line(ours.item, 2, note=" ")]}, key="tap-0001").status_code == 200


def test_refusals_leave_the_key_free_and_no_gap(tablet, cast):
    with nothing_stored():
        for lines, _, _ in WRONG_LINES.values():
            tablet.post(ORDERS, {"lines": lines(cast)}, key="tap-0001")
    order = tablet.post(ORDERS, {"lines": [line(cast.plain)]}, key="tap-0001")
    assert (order.status_code, order.json()["number"]) == (201, 1)


def test_stock_that_was_taken_is_given_back_when_the_order_is_refused_later(tablet, ours):
    """A short item among others: none of them loses a portion."""
    plenty, short = make_item(ours, stock=9), make_item(ours, stock=1)
    with nothing_stored():
        body = problem(tablet.post(ORDERS, {"lines": [line(plenty, 2), line(short, 2)]}, key=new_key()), 409, "SOLD_OUT")
    assert [(row["line"], row["item"], row["name"], row["available"]) for row in body["lines"]] == [(1, str(short.pk), short.name, 1)]


def test_what_is_switched_off_is_not_said_to_be_there(tablet, ours):
    """Portions that were counted before the dish was sold out by hand, or that lack an option, are no portions."""
    off, lacking = make_item(ours, stock=5, sold_out=True), make_item(ours, stock=5)
    [egg, *_] = make_choice(lacking)
    Option.objects.filter(pk=egg.pk).update(sold_out=True)
    asked = {"lines": [line(off), line(lacking, 1, egg)]}
    body = problem(tablet.post(ORDERS, asked, key=new_key()), 409, "SOLD_OUT")
    assert [(row["item"], row["available"], row["options"]) for row in body["lines"]] == [
        (str(off.pk), 0, []),
        (str(lacking.pk), 0, [str(egg.pk)]),
    ]


def test_a_dish_with_a_choice_of_nothing_can_not_be_ordered_wrong(tablet, ours):
    """A group that was emptied: nothing to choose from, nothing to miss."""
    group = OptionGroup.objects.create(store=ours.store, name="Empty", min=0, max=1)
    ItemOptionGroup.objects.create(item=ours.item, group=group)
    assert tablet.post(ORDERS, {"lines": [line(ours.item)]}, key=new_key()).status_code == 201


def test_what_another_store_sells_stays_their_secret(db):
    aurora, borealis = make_world("aurora"), make_world("borealis")
    place(borealis.table, borealis.item)
    answers = [
        tablet_of(aurora.table).post(QUOTE, {"lines": [{"item": id, "quantity": 1}]}) for id in (str(borealis.item.pk), str(uuid.uuid4()))
    ]
    known, unknown = (answer.json() | {"request_id": ""} for answer in answers)
    assert known == unknown


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("tablet/login", lambda: {f"{number:x}": 1 for number in range(4500)}),
        ("tablet/quote", lambda: {"lines": [{}] * 15_000}),
        ("tablet/quote", lambda: {"lines": [1] * 20_000}),
        ("tablet/quote", lambda: {"lines": [{"item": "x", "quantity": 1, "options": [1] * 100, "a": 1, "b": 1}] * 150}),
        ("tablet/orders", lambda: {"lines": [{"a": 1}] * 6000}),
        ("staff/option-groups", lambda: {"name": "x", "min": 0, "max": 1, "options": [{}] * 15_000}),
        ("staff/categories/order", lambda: {"ids": [1] * 20_000}),
    ],
)
def test_of_much_that_is_wrong_a_little_is_named_and_the_rest_is_not_looked_at(tablet, owner, path, body, monkeypatch):
    looked_at, look = [], serializers.Field.run_validation

    def count(field, *args):
        looked_at.append(field)
        return look(field, *args)

    monkeypatch.setattr(serializers.Field, "run_validation", count)
    caller, method = (owner if path.startswith("staff") else tablet), ("put" if path.endswith("order") else "post")
    answer = getattr(caller, method)(path, body(), key="tap-0001")
    assert 0 < len(problem(answer, 400, "VALIDATION")["errors"]) <= 20 * 22
    assert len(looked_at) < 1000
