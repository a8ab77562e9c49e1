"""The pure modules of both pages, imported in the page that uses them."""

import hashlib
import json
import re
from pathlib import Path

import pytest
from django.utils import translation

from orders.models import MAX_LINES, MAX_QUANTITY, NEXT, Status
from stores import money
from tests.board_client import BoardClient

from .restaurant import Restaurant

ROOT = Path(__file__).resolve().parent.parent.parent
TABLET, BOARD = ROOT / "tablet", ROOT / "orders" / "static" / "board"


@pytest.fixture(scope="module")
def page(chromium, server):
    """The empty set-up screen; modules without a page of their own are imported there."""
    context = chromium.new_context(base_url=server.address, service_workers="block")
    page = context.new_page()
    page.goto("/tablet/")
    yield page
    context.close()


@pytest.fixture(scope="module")
def run(page):
    """`run("/tablet/cart.js", "({add}) => add([], line)", line=...)`"""

    def run_(module, script, **given):
        return page.evaluate(
            f"async ([module, given]) => {{ const {{ {', '.join(given)} }} = given; const it = await import(module); return ({script})(it); }}",
            [module, given],
        )

    return run_


# --- outbox.js --------------------------------------------------------------------------------------------------

ENTRY = {"key": "k", "state": "waiting", "attempts": 2, "since": 0, "body": {}}
REFUSED = "new api.Refused(status, { code, detail: 'no' }, 7)"


def after(run, outcome, **given):
    script = f"async (it) => {{ const api = await import('/tablet/api.js'); return it.after(entry, {outcome}); }}"
    return run("/tablet/outbox.js", script, entry=ENTRY, **given)


def test_an_order_is_done_when_the_server_says_so(run):
    assert after(run, "order", order={"number": 12})["state"] == "done"


@pytest.mark.parametrize(
    ("status", "code"), [(409, "SOLD_OUT"), (409, "PRICE_CHANGED"), (404, "ITEM_NOT_FOUND"), (400, "VALIDATION"), (422, "X")]
)
def test_an_order_that_is_refused_is_not_sent_again(run, status, code):
    entry = after(run, REFUSED, status=status, code=code)
    assert entry["state"] == "refused" and entry["reason"]["code"] == code


@pytest.mark.parametrize("status", [429, 401])
def test_a_refusal_that_is_not_about_the_order_is_waited_out(run, status):
    entry = after(run, REFUSED, status=status, code="X")
    assert (entry["state"], entry["attempts"], entry["wait"]) == ("waiting", 3, 7000)


def test_without_an_answer_it_may_have_arrived(run):
    entry = after(run, "new api.Unreachable('gone')")
    assert (entry["state"], entry["attempts"], entry["unsure"]) == ("waiting", 3, True)


def test_pauses_double_up_to_a_bound_and_no_two_tablets_are_alike(run):
    pauses = run("/tablet/outbox.js", "(it) => [1, 2, 3, 9].flatMap((attempts) => [0, 1].map((random) => it.pause({ attempts }, random)))")
    assert pauses == [400, 1200, 800, 2400, 1600, 4800, 7500, 22500]
    assert run("/tablet/outbox.js", "(it) => it.pause({ attempts: 1, wait: 60000 }, 0)") == 60000


def test_an_order_is_old_after_ten_minutes(run):
    script = "(it) => [599999, 600001].map((now) => it.isStale({ state: 'waiting', since: 0 }, now))"
    assert run("/tablet/outbox.js", script) == [False, True]


def test_an_order_takes_long_after_half_a_minute(run):
    assert run("/tablet/outbox.js", "(it) => [29999, 30000].map((now) => it.takesLong({ since: 0 }, now))") == [False, True]


def test_a_new_entry_is_frozen_as_it_was_confirmed(run):
    line = {"key": "x", "item": "i", "quantity": 2, "options": ["o"], "note": "", "name": "Soup", "unit": 5, "total": 10, "problem": None}
    line["chosen"] = [option("o")]
    script = "(it) => [1, 2].map(() => it.newEntry({ lines: [line], total: 10, session: null, note: '', table: 't' }, 7))"
    first, second = run("/tablet/outbox.js", script, line=line)
    assert first["key"] != second["key"] and 8 <= len(first["key"]) <= 128
    assert first["body"] == {"lines": [{"item": "i", "quantity": 2, "options": ["o"], "note": ""}], "expected_total": 10, "session": None}
    assert first["shown"] == [{"key": "x", "name": "Soup", "unit": 5, "options": [{"id": "o", "name": "o"}]}] and first["since"] == 7


# --- cart.js ----------------------------------------------------------------------------------------------------


def option(id, delta=0, *, sold_out=False):
    return {"id": id, "name": id, "price_delta": delta, "sold_out": sold_out}


def item(id="soup", price=100, *, stock=None, sold_out=False, groups=()):
    return {"id": id, "name": id, "price": price, "stock": stock, "sold_out": sold_out, "option_groups": list(groups)}


def group(least, most, *options):
    return {"id": "g", "name": "g", "min": least, "max": most, "options": list(options)}


def menu(*items):
    return {"categories": [{"id": "c", "name": "c", "items": list(items)}]}


def line(item="soup", quantity=1, options=(), note="", key=None):
    return {"key": key or f"{item}-{quantity}", "item": item, "quantity": quantity, "options": list(options), "note": note, "name": item}


ABC = [option("a"), option("b", 10), option("c", -500)]


@pytest.mark.parametrize(
    ("least", "most", "taps", "chosen"),
    [
        (1, 1, "ab", "b"),  # one replaces the other
        (1, 1, "aa", "a"),  # and is never none
        (0, 1, "aa", ""),
        (0, 1, "ab", "b"),
        (0, 2, "abc", "ab"),  # full
        (0, 2, "aba", "b"),
        (2, 3, "abc", "abc"),
    ],
)
def test_taps_keep_to_the_bounds_of_a_group(run, least, most, taps, chosen):
    script = "({ toggle }) => [...taps].reduce((options, id) => toggle(group, options, id), [])"
    assert run("/tablet/cart.js", script, taps=taps, group=group(least, most, *ABC)) == list(chosen)


@pytest.mark.parametrize(
    ("least", "most", "options", "is_open"), [(1, 1, "", True), (1, 1, "a", False), (0, 1, "", False), (0, 1, "ab", True)]
)
def test_a_choice_is_open_until_it_is_within_bounds(run, least, most, options, is_open):
    given = {"item": item(groups=[group(least, most, *ABC)]), "options": list(options)}
    assert (run("/tablet/cart.js", "({ openChoice }) => openChoice(item, options)", **given) is not None) == is_open


def test_an_option_that_is_no_longer_offered_is_lost_to_a_choice(run):
    was, now = item(groups=[group(0, 4, *ABC)]), item(groups=[group(0, 4, option("a"), option("b", sold_out=True))])
    script = "({ stillOffered }) => { const { options, lost } = stillOffered({ options: ['a', 'b', 'c'] }, now, was); return [options, lost.map(({ id }) => id)]; }"
    assert run("/tablet/cart.js", script, was=was, now=now) == [["a"], ["b", "c"]]


def test_a_price_has_its_options_in_it_and_is_never_negative(run):
    given = {"item": item(groups=[group(0, 3, *ABC)])}
    assert run("/tablet/cart.js", "({ unitPrice }) => ['a', 'b', 'c'].map((id) => unitPrice(item, [id]))", **given) == [100, 110, 0]


OUT = option("x", sold_out=True)


@pytest.mark.parametrize(
    ("dish", "is_sold_out"),
    [
        (item(), False),
        (item(sold_out=True), True),
        (item(groups=[group(1, 1, OUT)]), True),
        (item(groups=[group(2, 2, OUT, *ABC[:1])]), True),
        (item(groups=[group(1, 2, OUT, *ABC[:1])]), False),
        (item(groups=[group(0, 1, OUT)]), False),
    ],
)
def test_a_dish_is_sold_out_where_too_few_options_are_left_to_choose_from(run, dish, is_sold_out):
    assert run("/tablet/cart.js", "({ isSoldOut }) => isSoldOut(dish)", dish=dish) == is_sold_out


@pytest.mark.parametrize(
    ("cart", "dish", "problems"),
    [
        ([line()], item(), [None]),
        ([line()], item("other"), ["gone"]),
        ([line()], item(sold_out=True), ["soldOut"]),
        ([line(quantity=2), line(quantity=2, note="hot", key="2")], item(stock=3), ["soldOut", "soldOut"]),
        ([line(options="a")], item(groups=[group(1, 1, option("a", sold_out=True), option("b"))]), ["options"]),
        ([line(options="a")], item(groups=[group(1, 2, option("a", sold_out=True))]), ["soldOut"]),
        ([line(options="z")], item(groups=[group(0, 1, option("a"))]), ["options"]),
        ([line()], item(groups=[group(1, 1, option("a"))]), ["options"]),
    ],
)
def test_a_cart_is_priced_by_the_menu_as_it_is_now(run, cart, dish, problems):
    priced = run("/tablet/cart.js", "({ priced }) => priced(cart, menu)", cart=cart, menu=menu(dish))
    assert [line["problem"] for line in priced["lines"]] == problems
    assert priced["orderable"] == (problems == [None])


@pytest.mark.parametrize(
    ("dish", "left", "most"),
    [
        (item(), None, [99, 99]),
        (item(stock=0), 0, [0, 0]),
        (item(stock=4, sold_out=True), 0, [0, 0]),
        (item(stock=3), 3, [1, 0]),
        (item(stock=5), 5, [3, 2]),
        (item(stock=500), 500, [99, 99]),
    ],
)
def test_a_line_may_have_what_the_others_leave_of_a_dish(run, dish, left, most):
    cart = [line(quantity=3, key="1"), line(quantity=2, note="hot", key="2")]
    lines = run("/tablet/cart.js", "({ priced }) => priced(cart, menu).lines", cart=cart, menu=menu(dish))
    assert [(line["left"], line["most"]) for line in lines] == [(left, each) for each in most]


@pytest.mark.parametrize(
    ("seen", "dish", "was"),
    [
        ({}, item(), None),  # from before it was kept
        ({"seen": 100}, item(), None),
        ({"seen": 90}, item(), 90),
        ({"seen": 0}, item(), 0),
        ({"seen": 90}, item(sold_out=True), None),  # it has worse to say
        ({"seen": 90}, item("other"), None),
    ],
)
def test_a_line_knows_the_price_that_was_seen_where_it_is_another_now(run, seen, dish, was):
    priced = run("/tablet/cart.js", "({ priced }) => priced(cart, menu)", cart=[line() | seen], menu=menu(dish))
    assert (priced["lines"][0]["was"], priced["repriced"]) == (was, was is not None)


def test_more_of_a_dish_is_at_the_price_seen_last(run):
    given = {"cart": [line() | {"seen": 90}], "more": line() | {"seen": 100}}
    assert [line["seen"] for line in run("/tablet/cart.js", "({ add }) => add(cart, more)", **given)] == [100]


def test_a_total_is_of_what_can_be_ordered_and_a_line_says_which_options_can_not(run):
    dish = item(groups=[group(0, 2, OUT, option("a"))])
    given = {"cart": [line(quantity=2), line(options="xa", key="2"), line("other", key="3")], "menu": menu(dish)}
    priced = run("/tablet/cart.js", "({ priced }) => priced(cart, menu)", **given)
    assert priced["total"] == 200 and [[option["id"] for option in line["out"]] for line in priced["lines"]] == [[], ["x"], []]


def test_a_line_that_is_chosen_anew_stays_in_its_place_or_becomes_more_of_another(run):
    given = {"cart": [line(key="1"), line(options="a", key="2")], "other": line(options="b", quantity=3, key="1")}
    script = """({ replace }) => [other, { ...other, options: ["a"] }, { ...other, key: "gone" }]
        .map((line) => replace(cart, line).map(({ key, quantity, options }) => [key, quantity, options.join()]))"""
    in_its_place, merged, added = run("/tablet/cart.js", script, **given)
    assert in_its_place == [["1", 3, "b"], ["2", 1, "a"]]
    assert merged == [["2", 4, "a"]]
    assert added == [["1", 1, ""], ["2", 1, "a"], ["gone", 3, "b"]]


def test_an_empty_cart_is_no_order(run):
    assert run("/tablet/cart.js", "({ priced }) => priced([], menu).orderable", menu=menu(item())) is False


def test_the_same_again_is_more_of_it_and_nothing_else_is(run):
    cart = [line(quantity=98, options=["a", "b"], key="1")]
    script = "({ add }) => add(add(add(cart, same), other), { ...other, note: 'hot', key: '4' })"
    given = {"cart": cart, "same": line(quantity=5, options=["b", "a"], key="2"), "other": line(options=["a"], key="3")}
    assert [(line["key"], line["quantity"]) for line in run("/tablet/cart.js", script, **given)] == [("1", 99), ("3", 1), ("4", 1)]


def test_a_full_cart_takes_no_more_lines(run):
    cart = [line(item=str(number), key=str(number)) for number in range(50)]
    assert len(run("/tablet/cart.js", "({ add }) => add(cart, more)", cart=cart, more=line("another"))) == 50


def test_none_of_a_line_takes_it_out(run):
    cart = [line(key="1"), line(key="2")]
    script = "({ setQuantity }) => setQuantity(setQuantity(cart, '1', 0), '2', 500).map(({ key, quantity }) => [key, quantity])"
    assert run("/tablet/cart.js", script, cart=cart) == [["2", 99]]


def test_what_can_be_ordered_of_a_cart_is_what_is_left_of_it(run):
    cart = [line(quantity=2, key="1"), line(quantity=2, note="hot", key="2"), line("gone", key="3"), line("out", key="4")]
    given = {"cart": cart, "menu": menu(item(stock=3), item("out", sold_out=True))}
    kept = run("/tablet/cart.js", "({ orderablePart }) => orderablePart(cart, menu)", **given)
    assert [(line["key"], line["quantity"]) for line in kept] == [("1", 2), ("2", 1)]


def test_what_can_not_be_ordered_takes_nothing_of_what_is_left(run):
    cart = [line(quantity=2, options="x", key="1"), line(quantity=2, key="2")]
    given = {"cart": cart, "menu": menu(item(stock=2, groups=[group(0, 1, OUT)]))}
    kept = run("/tablet/cart.js", "({ orderablePart }) => orderablePart(cart, menu)", **given)
    assert [(line["key"], line["quantity"]) for line in kept] == [("2", 2)]


# --- stream.js --------------------------------------------------------------------------------------------------

WIRE = 'retry: 2000\n\n: open\n\nid: 7\nevent: menu.changed\ndata: {"a": "김"}\n\n: ping\n\nid: 8\r\nevent: x\r\ndata: 1\r\ndata: 2\r\n\r\n'
HEARD = [{"id": "7", "event": "menu.changed", "data": '{"a": "김"}'}, {"id": "8", "event": "x", "data": "1\n2"}]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_are_read_however_the_bytes_come(run, size):
    script = """({ Parser }) => {
        const [bytes, parser, heard] = [new TextEncoder().encode(wire), new Parser(), []];
        for (let at = 0; at < bytes.length; at += size) heard.push(...parser.push(bytes.slice(at, at + size)));
        return heard;
    }"""
    assert run("/tablet/stream.js", script, wire=WIRE, size=size) == HEARD


# `lives`: for how many seconds each stream speaks before it ends; None: it says nothing. A text is a refusal. After the last one nothing is answered.
STREAMS = """async ({ Stream }) => {
    const { fetch } = window;
    const { now } = Date;
    const told = [];
    let late = 0;
    Date.now = () => now() + late;
    const body = (seconds) => new ReadableStream({
        start: (to) => seconds === null ? to.close() : to.enqueue(new TextEncoder().encode(": open\\n\\n")),
        pull: (to) => new Promise((done) => setTimeout(() => { late += 1000 * seconds; to.close(); done(); })),
    }, { highWaterMark: 0 });
    const asked = new Promise((resolve) => {
        window.fetch = async (path, { headers }) => {
            told.push(headers.Authorization);
            const [next] = lives.splice(0, 1);
            if (next === undefined) { resolve(); return new Promise(() => {}); }
            return typeof next === "string" ? new Response(null, { status: Number(next) }) : new Response(body(next));
        };
    });
    const token = async (rejected) => (rejected ? "new" : "old");
    const stream = new Stream({ path: "/", token, on: { snapshot: async () => 1, state: (state) => told.push(state), isFinal: () => false } });
    try {
        stream.run();
        await asked;
        return told.filter((one, at) => one !== told[at - 1] || one !== "live");
    } finally {
        stream.stop();
        Object.assign(window, { fetch });
        Date.now = now;
    }
}"""
OLD, NEW = "Bearer old", "Bearer new"


@pytest.mark.parametrize(
    ("lives", "told"),
    [
        ([1800], [OLD, "live", OLD]),  # with its token: nothing is lost
        ([1800, "401"], [OLD, "live", OLD, NEW]),
        (["401", 1800, 1800], [OLD, NEW, "live", OLD, "live", OLD]),
        ([1800, 0], [OLD, "live", OLD, "live", "reconnecting", OLD]),  # once, and then with a pause
        ([1800, None], [OLD, "live", OLD, "reconnecting", OLD]),
        ([1800, "503"], [OLD, "live", OLD, "reconnecting", OLD]),
        ([1800, "401", "401"], [OLD, "live", OLD, NEW, "reconnecting", OLD]),
    ],
)
def test_a_stream_that_has_come_to_its_end_goes_on_at_once_and_once_only(run, lives, told):
    assert run("/tablet/stream.js", STREAMS, lives=lives) == told


# --- board_state.js ---------------------------------------------------------------------------------------------

FOLD = """({ BoardState }) => {
    const board = new BoardState(snapshot);
    for (const event of events) { board.take(event); if (twice) board.take(event); }
    return board.shown();
}"""


def test_a_snapshot_and_the_events_after_it_are_a_fresh_snapshot(run, restaurants):
    """The page's board, and the smallest board that is right, over a whole evening."""
    hanok: Restaurant = restaurants["hanok"]
    for number in ("9", "10", "11"):
        hanok.clear(number)
    before = hanok.order("9", "수정과")
    snapshot = hanok.ask("GET", "staff/board")
    events = an_evening(hanok, before)
    fresh = hanok.ask("GET", "staff/board")
    expected = BoardClient(snapshot)
    for event in events:
        expected.hear(event)
    for twice in (False, True):
        shown = run("/static/board/board_state.js", FOLD, snapshot=snapshot, events=events, twice=twice)
        assert [as_expected(table) for table in shown] == expected.shown()
        assert as_expected_of(fresh) == expected.shown()
    for number in ("9", "10", "11"):
        hanok.clear(number)


def an_evening(hanok, before) -> list[dict]:
    cursor = hanok.ask("GET", "staff/board")["cursor"]
    order = hanok.order("10", "LA갈비구이", "해물파전", quantity=2)
    before = hanok.move(before, "preparing")
    order = hanok.ask("PATCH", f"staff/orders/{order['id']}/lines/{order['lines'][0]['id']}", status="preparing", version=order["version"])
    hanok.order("10", "수정과")
    call = hanok.call("11", "water")
    hanok.call("10", "bill")
    part = [{"line": order["lines"][1]["id"], "quantity": 1}]
    hanok.ask("POST", f"staff/orders/{order['id']}/cancel", reason="wish", version=order["version"], lines=part)
    hanok.ask("POST", f"staff/calls/{call['id']}/resolve")
    hanok.complete("9")
    hanok.order("9", "해물파전")
    number = hanok.ask("GET", "staff/board")["cursor"]
    return heard_between(hanok, cursor, number)


def heard_between(hanok, first, last) -> list[dict]:
    events = []
    with hanok.http.stream("GET", f"staff/events?after={first}") as answer:
        for row in answer.iter_lines():
            if row.startswith("data: "):
                events.append(json.loads(row.removeprefix("data: ")))
                if events[-1]["number"] >= last:
                    return events
    raise AssertionError("the stream ended early")


def as_expected(table) -> dict:
    """The page's words for what `tests/board_client.py` says."""
    reference = {"id": table["id"], "number": table["number"]}
    party = table.pop("party") or {"session": None, "total": 0, "orders": []}
    return {**table, **bill(party, reference), "unsettled": [bill(one, reference) for one in table["unsettled"]]}


def bill(told, reference) -> dict:
    session = told["session"] and {name: told["session"][name] for name in ("id", "state", "started_at", "completed_at", "ordering_open")}
    return {**told, "session": session, "orders": [order | {"table": reference} for order in told["orders"]]}


def as_expected_of(snapshot) -> list[dict]:
    return [
        {**table, **bill({name: table[name] for name in ("session", "total", "orders")}, {"id": table["id"], "number": table["number"]})}
        for table in snapshot["tables"]
    ]


def test_what_is_over_is_forgotten_and_does_not_come_back(run):
    session = {"id": "s", "state": "active", "started_at": "2026", "completed_at": None, "ordering_open": True}
    order = {"id": "o", "session": "s", "version": 1, "placed_at": "2026", "total": 5, "lines": []}
    table = {
        "id": "t",
        "number": "1",
        "is_active": True,
        "version": 1,
        "session": session,
        "orders": [order],
        "unsettled": [],
        "calls": [],
        "total": 5,
    }
    events = [
        {"type": "session.completed", "table": "t", "data": session | {"state": "completed"}},
        {"type": "order.changed", "table": "t", "data": order | {"version": 9}},
        {"type": "session.started", "table": "t", "data": session},
    ]
    script = "({ BoardState }) => { const board = new BoardState(snapshot); for (const e of events) board.take(e); return [board.orders.size, board.sessions.size]; }"
    assert run("/static/board/board_state.js", script, snapshot={"cursor": 1, "tables": [table]}, events=events) == [0, 0]


@pytest.mark.parametrize("steps", [4, 3])
def test_the_board_knows_the_steps_of_the_kitchen(run, steps):
    script = "({ nextStep }) => Object.fromEntries(all.map((status) => [status, nextStep(status, steps)]).filter(([, next]) => next))"
    assert run("/static/board/board_state.js", script, steps=steps, all=Status.values) == NEXT[steps]


def test_the_cart_has_the_limits_of_an_order(run):
    script = "({ MAX_QUANTITY, MAX_LINES }) => [MAX_QUANTITY, MAX_LINES]"
    assert run("/tablet/cart.js", script) == [MAX_QUANTITY, MAX_LINES]


# --- Prices -----------------------------------------------------------------------------------------------------


def test_an_amount_has_the_digits_that_the_admin_shows(run):
    currencies = [*money._DIGITS, "EUR", "USD", "HUF", "IDR", "COP", "PKR", "TWD"]
    script = "({ price }) => currencies.map((currency) => price(1234567, currency, 'en'))"
    for currency, shown in zip(currencies, run("/tablet/screen.js", script, currencies=currencies), strict=True):
        assert re.sub(r"[^\d.,]", "", shown) == re.sub(r"[^\d.,]", "", money.money(1234567, currency)), currency


# --- Texts ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("module", "folder"), [("/tablet/i18n.js", TABLET), ("/static/board/i18n.js", BOARD)])
def test_every_text_is_there_in_both_languages_and_used(run, module, folder):
    texts = run(module, "({ TEXTS }) => TEXTS")
    for name, (korean, english) in texts.items():
        assert korean.strip() and english.strip(), name
        assert sorted(re.findall(r"\{\w+\}", korean)) == sorted(re.findall(r"\{\w+\}", english)), name
        assert not re.search("[가-힣]", english), name
    source = "".join(file.read_text() for file in folder.rglob("*.js") if file.name != "i18n.js" and "vendor" not in file.parts)
    asked = set(re.findall(r"\bt\(\"([\w.]+)\"", source))
    assert asked <= texts.keys(), asked - texts.keys()
    words = set(re.findall(r"[\"`.]([\w.]+)[\"`]", source))
    words |= {"help", "water", "cutlery", "bill", "owner", "manager"}  # as the API names them
    unused = {name for name in texts if name not in words and name.rpartition(".")[2] not in words}
    assert not unused


def test_what_the_board_and_the_admin_both_do_has_one_name(run):
    korean, english = run("/static/board/i18n.js", "({ TEXTS }) => TEXTS.cutOff")
    with translation.override("ko"):
        assert translation.gettext(english) == korean


# --- The files themselves ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", [TABLET / "vendor" / "lit-html", ROOT / "tests" / "screens" / "vendor" / "axe-core"])
def test_what_is_kept_of_others_is_what_was_fetched(folder):
    facts = json.loads((folder / "VERSION.json").read_text())
    there = {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.rglob("*") if file.is_file()}
    del there["VERSION.json"]
    assert there == facts["sha256"]
    assert facts["integrity"].startswith("sha512-") and facts["licence"] in ("BSD-3-Clause", "MPL-2.0")
    assert not any(b"sourceMappingURL" in file.read_bytes() for file in folder.rglob("*.js"))


def test_the_service_worker_keeps_all_of_the_page():
    listed = (TABLET / "sw.js").read_text().partition("const FILES")[2].partition("];")[0]
    lists = re.findall(r"\.\.\.\[(.*?)\](?:\.map\(\(name\) => `(.*?)`\))?", listed)
    kept = {(path or "${name}").replace("${name}", name) for names, path in lists for name in re.findall(r'"(.*?)"', names)}
    needed = {str(file.relative_to(TABLET)) for kind in ("js", "css", "webmanifest") for file in TABLET.rglob(f"*.{kind}")} - {"sw.js"}
    assert needed <= kept, needed - kept


def test_the_page_asks_for_all_of_its_modules_at_once():
    asked = set(re.findall(r'(?:href|src)="([\w./-]+\.js)"', (TABLET / "index.html").read_text()))
    assert asked == {str(file.relative_to(TABLET)) for file in TABLET.rglob("*.js")} - {"sw.js"}
