"""The screens for everybody: nothing that axe-core objects to, all of it by keyboard, and a picture of each."""

from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import expect

from .conftest import CHROMIUM, FLAGS
from .people import Board, Guest

ROOT = Path(__file__).resolve().parent.parent.parent
AXE = (Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js").read_text()
PICTURES = ROOT / "test-output" / "screens"
RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
LOOKS = {"type": "rule", "values": ["color-contrast", "target-size"]}  # what large type or high contrast might spoil
SIZES = {"landscape": {"width": 1280, "height": 800}, "upright": {"width": 800, "height": 1280}, "phone": {"width": 390, "height": 844}}
WALLS = {"counter": {"width": 1366, "height": 900}, "wall": {"width": 1920, "height": 1080}, "kitchen": {"width": 1024, "height": 768}}

DISH, SET, STEW = "LA갈비구이", "마당 정식", "묵은지 김치찌개"


# To axe-core, what takes no tap yet is not there.
UNTIL_IT_TAKES_TAPS = (
    "Promise.allSettled(document.getAnimations().filter((one) => one.animationName === 'not-yet').map((one) => one.finished))"
)


class Look:
    """Takes a picture of each screen and has axe-core look at it for what breaks these rules."""

    def __init__(self, page, *parts: str, rules: dict | None = RULES):
        self.page, self.prefix, self.rules, self.taken = page, "-".join(parts), rules, 0

    def __call__(self, name: str):
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.evaluate(UNTIL_IT_TAKES_TAPS)
        self.taken += 1
        self.page.screenshot(path=PICTURES / f"{self.prefix}-{self.taken:02}-{name}.png")
        if not self.rules:
            return
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE)
        found = self.page.evaluate("(rules) => axe.run(document, { runOnly: rules, resultTypes: ['violations'] })", self.rules)
        told = [(one["id"], [(node["html"][:160], node["failureSummary"]) for node in one["nodes"][:3]]) for one in found["violations"]]
        assert not told, (name, told)


def walk_through_the_tablet(guest, look):
    page = guest.page
    look("menu")
    guest.opens(STEW)
    guest.sees("item")
    look("item")
    page.keyboard.press("Escape")
    guest.takes(SET).takes(DISH, times=2)
    if page.viewport_size["width"] < 1100:
        guest.taps("cart")
        guest.sees("cart")
    look("cart")
    guest.reviews()
    look("review")
    page.route("**/tablet/menu", lambda route: route.abort())
    guest.restaurant.change_item(DISH, price=41_000)
    guest.confirms()
    guest.sees("refused")
    look("new-price")
    page.unroute("**/tablet/menu")
    page.route("**/tablet/orders", lambda route: route.abort())
    guest.taps("resolve")
    expect(guest.sees("submit").locator("p").first).to_be_visible()
    look("sending")
    page.unroute("**/tablet/orders")
    guest.sees_number()
    look("sent")
    guest.taps("back-to-menu")
    guest.restaurant.move(guest.restaurant.orders(guest.table)[0], "preparing")
    guest.taps("bill")
    expect(guest.sees("bill").locator("[data-status=preparing]").first).to_be_visible()
    look("bill")
    page.keyboard.press("Escape")
    page.click(".bottom [data-call=water]")
    page.locator(".categories button").nth(1).click()
    look("called")
    guest.taps("look")
    guest.sees("look")
    look("display")
    page.keyboard.press("Escape")
    page.locator("[data-action=corner]").click(delay=1700)
    guest.sees("corner")
    look("staff")
    guest.taps("sign-out")
    look("sign-out")
    page.keyboard.press("Escape")
    page.context.set_offline(True)
    expect(page.locator(".offline")).to_be_visible()
    look("offline")
    page.context.set_offline(False)
    expect(page.locator(".offline")).to_have_count(0)
    guest.restaurant.complete(guest.table)
    guest.sees("thanks")
    look("thanks")


# Each screen in both languages, each layout once.
WALKS = [("ko-KR", "landscape", RULES), ("en-US", "upright", RULES), ("ko-KR", "phone", RULES), ("en-US", "landscape", None)]


@pytest.mark.parametrize(("locale", "size", "rules"), WALKS)
def test_the_tablet_has_no_barrier(open_page, hanok, table, locale, size, rules):
    page = open_page("/tablet/?store=hanok&table=3", locale=locale, viewport=SIZES[size]).page
    look = Look(page, "tablet", locale[:2], size, rules=rules)
    expect(page.locator("form")).to_be_visible()
    look("set-up")
    guest = as_guest(page, hanok, table)
    walk_through_the_tablet(guest, look)
    assert look.taken == 15


@pytest.mark.parametrize("mode", ["largeType", "highContrast"])
def test_large_type_and_high_contrast_have_no_barrier(open_page, hanok, table, mode):
    page = open_page("/tablet/").page
    page.evaluate("(mode) => localStorage.setItem('tableorder.prefs', JSON.stringify({ [mode]: true }))", mode)
    walk_through_the_tablet(as_guest(page, hanok, table), Look(page, "tablet", mode, rules=LOOKS))


# Not under the footer, which stays where it is.
WHOLE = """(element) => { const { top, bottom } = element.getBoundingClientRect();
    return top > 0 && bottom <= document.querySelector('dialog footer').getBoundingClientRect().top; }"""


@pytest.mark.parametrize(("width", "height"), [(640, 400), (844, 390)], ids=["zoom-of-200", "phone-held-sideways"])
def test_there_is_room_to_order_where_there_is_little_height(guest, width, height):
    page = guest.page
    page.set_viewport_size({"width": width, "height": height})
    expect(page.locator("[data-action=cart]")).to_be_in_viewport(ratio=1)
    room = "(element) => { element.scrollIntoView(); return document.querySelector('.bottom').getBoundingClientRect().top; }"
    assert page.locator(".card").nth(1).evaluate(room) > height * 0.6
    guest.takes(DISH)
    guest.taps("cart")
    guest.reviews()
    assert page.locator(".review li").evaluate(WHOLE)
    expect(page.locator("[data-action=confirm]")).to_be_in_viewport(ratio=1)
    guest.confirms().sees_number()
    assert page.locator(".number").evaluate(WHOLE)
    page.locator("dialog [data-call=water]").click()  # one scrolls there
    expect(page.locator("dialog [data-call=water]")).to_contain_text("Called")


def test_a_small_tablet_has_room_for_large_type(guest):
    page = guest.page
    page.set_viewport_size({"width": 1024, "height": 600})
    guest.chooses_large_type()
    guest.takes(DISH).takes("해물파전")
    guest.taps("cart")
    assert guest.sees("cart").locator(".line").last.evaluate(WHOLE)
    guest.reviews().confirms().sees_number()
    assert page.locator(".countdown").evaluate(WHOLE)


def test_nothing_sticks_out_at_a_zoom_of_400(guest):
    page = guest.page
    page.set_viewport_size({"width": 320, "height": 256})
    inside = "[...document.querySelectorAll('.card, dialog footer button')].every((e) => e.getBoundingClientRect().right <= 320)"
    assert page.evaluate(inside) and page.evaluate("document.documentElement.scrollWidth") == 320
    guest.opens(DISH)
    page.wait_for_timeout(500)  # the button comes up where the dish was
    guest.taps("add")
    expect(page.locator("dialog")).to_have_count(0)
    guest.taps("language")
    guest.taps("cart")
    remove = guest.sees("cart").get_by_role("button", name="빼기").bounding_box()  # the shorter word
    assert remove["width"] >= 44 and remove["height"] >= 44
    guest.reviews()
    assert page.evaluate(inside)
    guest.confirms().sees_number()
    expect(page.locator(".number")).to_be_in_viewport(ratio=1)


def test_the_size_of_type_that_the_browser_is_set_to_is_kept(chromium, server, hanok, table):
    browser = chromium.browser_type.launch(executable_path=CHROMIUM, args=[*FLAGS, "--blink-settings=defaultFontSize=24"])
    page = browser.new_page(base_url=server.address, viewport=SIZES["landscape"], locale="en-US")
    page.goto("/tablet/")
    guest = as_guest(page, hanok, table)
    size = "parseFloat(getComputedStyle(document.querySelector('.card .name')).fontSize)"
    assert page.evaluate(size) == 25.5  # 17 by default
    # As on a narrower page, for so it is to that type.
    expect(page.locator(".cart-panel")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") == 1280
    guest.chooses_large_type()
    assert page.evaluate(size) == 25.5 * 1.25
    browser.close()


def test_large_type_fits_a_phone(guest):
    page = guest.page
    page.set_viewport_size(SIZES["phone"])
    guest.restaurant.move(guest.restaurant.order(guest.table, DISH, quantity=99), "preparing")
    expect(page.locator(".bill-button strong")).to_be_visible()
    guest.chooses_large_type()
    whole = """(elements) => elements.every((e) => e.scrollWidth <= e.clientWidth && e.getBoundingClientRect().right <= innerWidth)"""
    assert page.locator(".where span, .top button").evaluate_all(whole)
    guest.opens(DISH)
    expect(guest.sees("item").locator("[data-action=add]")).to_contain_text("Add")
    assert page.locator("dialog footer button").evaluate_all(whole)
    page.keyboard.press("Escape")
    guest.taps("bill")
    assert guest.sees("bill").locator(".line-text").bounding_box()["width"] > 200
    for width in (390, 320):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.locator("dialog .sheet-body").evaluate("(body) => body.scrollWidth <= body.clientWidth")  # the amount is whole


def as_guest(page, hanok, table):
    page.evaluate("(device) => localStorage.setItem('tableorder.device', JSON.stringify(device))", hanok.device(table))
    page.goto("/tablet/")
    return Guest(page, hanok, table).at_the_menu()


@pytest.mark.parametrize(
    ("locale", "size", "scheme"), [("ko-KR", "counter", "light"), ("en-US", "wall", "dark"), ("en-US", "kitchen", "light")]
)
def test_the_board_has_no_barrier(open_board, hanok, locale, size, scheme):
    busy = {"2": (SET, DISH), "3": ("들깨 삼계탕",), "5": ("해물파전", "수정과", STEW)}
    orders = {number: hanok.order(number, *names, quantity=2, line_note="덜 맵게 해 주세요") for number, names in busy.items()}
    hanok.move(hanok.move(orders["2"], "preparing"), "ready")
    hanok.move(orders["3"], "preparing")
    hanok.call("3", "water")
    board = open_board("hanok-owner", locale=locale, viewport=WALLS[size], color_scheme=scheme, reduced_motion="reduce")
    page, look = board.page, Look(board.page, "board", locale[:2], size, scheme)
    expect(page.locator(".card")).to_have_count(3)
    look("board")
    page.evaluate("import('/static/board/state.js').then(({ choose }) => choose('escalateAfter', 0))")
    expect(page.locator(".card.late")).to_have_count(1)
    look("escalated")
    board.taps("line-step", board.card("3"))
    look("undo")
    board.taps("open", board.card("5"))
    look("table")
    board.taps("cancel", board.dialog())
    board.taps("everything")
    look("cancel")
    board.taps("close")
    board.taps("complete", board.card("5"))
    look("complete")
    board.taps("close")
    board.taps("sold-out")
    expect(board.dialog().locator(".choose li").first).to_be_visible()
    look("sold-out")
    board.taps("close")
    board.taps("settings")
    look("settings")
    board.taps("tables", board.dialog())
    expect(board.dialog().locator("[data-row]").first).to_be_visible()
    look("tables")
    board.taps("change-table")
    look("change-table")
    board.taps("keep")
    page.wait_for_timeout(600)  # a second tap is not meant
    board.taps("cut-off")
    look("cut-off")
    board.taps("close")
    page.context.set_offline(True)
    expect(page.locator("[data-stale]")).to_be_visible()
    look("stale")
    board.taps("complete", board.card("5"))
    look("stale-dialog")
    board.taps("close")
    page.context.set_offline(False)
    for number in busy:
        hanok.clear(number)


# --- By keyboard alone ------------------------------------------------------------------------------------------


def focused(page) -> str:
    return page.evaluate("document.activeElement.dataset.action ?? document.activeElement.dataset.item ?? document.activeElement.id ?? ''")


def tab_to(page, selector: str):
    for _ in range(120):
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{selector} can't be reached by Tab")


def test_an_order_by_keyboard_alone(guest):
    page = guest.page
    tab_to(page, f"[data-item='{guest.restaurant.items[STEW]['id']}']")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "sheet-title"
    assert guest.restaurant.demanded(STEW)
    for option in guest.restaurant.demanded(STEW):
        tab_to(page, f"[data-option='{option}']")
        if page.evaluate("document.activeElement.getAttribute('aria-checked')") != "true":
            page.keyboard.press("Space")
    tab_to(page, "[data-action=add]")
    page.keyboard.press("Enter")
    expect(page.locator("dialog")).to_have_count(0)
    assert focused(page) == guest.restaurant.items[STEW]["id"]  # where it was before
    tab_to(page, "[data-action=review]")
    page.keyboard.press("Enter")
    guest.sees("review")
    for _ in range(30):  # the focus stays inside
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || Boolean(document.activeElement.closest('dialog'))")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    page.keyboard.press("Enter")
    tab_to(page, "[data-action=confirm]")
    page.keyboard.press("Enter")
    guest.sees_number()
    assert page.evaluate("document.activeElement.id") == "sheet-title"
    page.keyboard.press("Escape")
    tab_to(page, "[data-action=bill]")
    page.keyboard.press("Enter")
    expect(guest.sees("bill").locator(".line")).to_have_count(1)


def test_what_the_keyboard_comes_to_is_not_under_the_bar(open_board, hanok, table, other_table):
    for number in (table, other_table):
        for _ in range(3):
            hanok.order(number, DISH, SET, "해물파전")
    board = open_board("hanok-manager", viewport=WALLS["kitchen"])
    page = board.page
    expect(board.card(table)).to_be_visible()
    page.locator("[data-action=complete]").last.focus()
    below = "document.activeElement.getBoundingClientRect().top >= document.querySelector('.top').getBoundingClientRect().bottom"
    while page.evaluate("document.activeElement.matches('main *')"):
        assert page.evaluate(below)
        page.keyboard.press("Shift+Tab")


def test_a_tables_life_on_the_board_by_keyboard_alone(open_board, hanok, table):
    board: Board = open_board("hanok-manager")
    page, order = board.page, hanok.order(table, DISH)
    hanok.call(table, "water")
    expect(board.card(table).locator("[data-call]")).to_be_visible()
    own = f"article[data-table='{table}']"
    tab_to(page, f"{own} [data-action=acknowledge]")
    page.keyboard.press("Enter")
    tab_to(page, f"{own} [data-call]")
    page.keyboard.press("Enter")
    assert focused(page) == "undo"
    expect(board.card(table).locator(".call")).to_have_count(0)
    assert page.evaluate("document.activeElement.matches('.card')")
    tab_to(page, f"{own} [data-action=line-step]")
    page.keyboard.press("Enter")
    assert focused(page) == "undo"
    page.keyboard.press("Enter")
    assert focused(page) == "line-step"
    assert hanok.ask("GET", f"staff/orders/{order['id']}")["status"] == "pending"
    page.keyboard.press("Enter")
    expect(board.order(order)).to_contain_text("Mark ready")
    assert page.evaluate("document.activeElement.dataset.line") == order["lines"][0]["id"]  # where the tap was, now that it is sent
    tab_to(page, f"{own} [data-action=complete]")
    page.keyboard.press("Enter")
    tab_to(page, "[data-action=do-complete]")
    page.keyboard.press("Enter")
    expect(board.card(table)).to_have_count(0)


def test_nothing_on_a_table_card_covers_its_code(chromium):
    """However long the names of a store and a table are; nothing shrinks, nothing leaves the card."""
    style = (ROOT / "stores" / "static" / "table_cards" / "table_cards.css").read_text()
    parts = (
        f'<p class="store">{"한" * 100}</p><p class="number words">{"창" * 20}</p><svg class="code"></svg><p class="hint">{"글 " * 60}</p>'
    )
    page = chromium.new_page(viewport=SIZES["landscape"])
    page.set_content(f"<style>{style}</style><main><article>{parts}</article></main>")
    boxes = page.evaluate("""() => [...document.querySelectorAll("article > *, article")].map(part => {
        const {top, bottom} = part.getBoundingClientRect();
        return [top, bottom];
    })""")
    number = page.locator(".number")
    assert number.evaluate("part => part.scrollHeight - part.clientHeight") <= 1, "it runs over what comes below"
    page.close()
    (_, end), *inside = boxes
    assert len(inside) == 4 and inside[-1][1] <= end, boxes
    assert all(above[1] <= below[0] + 0.5 for above, below in pairwise(inside)), boxes
