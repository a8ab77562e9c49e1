"""Whatever people write is shown as text: nothing of it runs, on the tablet, on the board and in the admin."""

import subprocess
import sys
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Error, expect

from tests.own_server import ROOT
from tests.world import PASSWORD, TABLE_PASSWORD

from .people import Board, Guest, sign_in_at_the_admin
from .restaurant import Restaurant

RUN = "window.pwned=1"
PAYLOADS = [
    f"<script>{RUN}</script>",
    f"<img src=x onerror={RUN}>",
    f"<svg onload={RUN}>",
    f"<svg/onload={RUN}//",
    f'"><script>{RUN}</script>',
    f"'><img src=x onerror={RUN}>",
    f'" onmouseover="{RUN}" x="',
    f"' onfocus='{RUN}' autofocus='",
    f"<iframe srcdoc='<script>parent.{RUN}</script>'>",
    f"<iframe src=javascript:parent.{RUN}>",
    f"javascript:{RUN}",
    f"<a href=javascript:{RUN}>tap</a>",
    f"<details open ontoggle={RUN}>",
    f"<video><source onerror={RUN}>",
    f"<audio src=x onerror={RUN}>",
    f"<body onload={RUN}>",
    f"<input onfocus={RUN} autofocus>",
    f"<select onfocus={RUN} autofocus>",
    f"<textarea onfocus={RUN} autofocus>",
    f"<marquee onstart={RUN}>",
    f"<math><mtext></form><img src=x onerror={RUN}>",
    f"<style>@import 'x'</style><img src=x onerror={RUN}>",
    "<style>*{display:none}</style>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<base href=//evil.example/>",
    f"<meta http-equiv=refresh content='0;url=javascript:{RUN}'>",
    "<form action=//evil.example><button>go</button></form>",
    f"<object data=javascript:{RUN}>",
    f"<embed src=javascript:{RUN}>",
    f"</title><script>{RUN}</script>",
    f"</textarea><script>{RUN}</script>",
    f"</script><script>{RUN}</script>",
    f"<!--><img src=x onerror={RUN}>-->",
    f"<scr<script>ipt>{RUN}</scr</script>ipt>",
    f"<ScRiPt>{RUN}</sCrIpT>",
    f"<img src='x' onerror='{RUN}'\u2028>",
    f"{{{{constructor.constructor('{RUN}')()}}}}",
    f"${{{RUN}}}",
    f"<x onclick={RUN}>tap<x>",
    f"%3Cscript%3E{RUN}%3C/script%3E &lt;img src=x onerror={RUN}&gt;",
]
HOSTILE = """
from tests.world import make_world
world = make_world("hostile", tables=0, name={name!r})
world.owner.name = {person!r}
world.owner.save()
"""


@pytest.fixture(scope="module")
def hostile(server):
    """A store in which every text is out to do harm."""
    script = HOSTILE.format(name=PAYLOADS[1], person=PAYLOADS[5])
    subprocess.run([sys.executable, "manage.py", "shell", "-c", script], cwd=ROOT, env=server.environment, check=True, capture_output=True)
    store = Restaurant(server.address, "hostile", password=PASSWORD, table_password=TABLE_PASSWORD)
    for number, payload in enumerate(PAYLOADS):
        category = store.ask("POST", "staff/categories", name=payload)
        options = [{"name": payload, "price_delta": 100}]
        group = store.ask("POST", "staff/option-groups", name=payload, min=0, max=1, options=options)
        fields = {"name": payload, "description": payload, "price": 1000 + number, "option_groups": [group["id"]]}
        store.ask("POST", "staff/items", category=category["id"], **fields)
        store.ask("POST", "staff/tables", number=f"{number}{payload}"[:20], password=TABLE_PASSWORD)
    store.read_again()
    return store


def test_there_are_forty_payloads():
    assert len(set(PAYLOADS)) == 40


def harm_done(page) -> list:
    done = page.evaluate("[window.pwned, ...(window.violations ?? [])].filter(Boolean)")
    return done + page.evaluate(
        "[...document.querySelectorAll('[onerror], [onload], iframe, object, embed, base, form[action*=evil]')].map((e) => e.outerHTML)"
    )


def test_nothing_runs_on_the_tablet(open_page, hostile):
    number = sorted(hostile.tables)[1]
    page = open_page("/tablet/", device=hostile.device(number)).page
    guest = Guest(page, hostile, number).at_the_menu()
    expect(page.locator(".card")).to_have_count(42)
    expect(page.locator(".where")).to_contain_text(PAYLOADS[1])
    for payload in PAYLOADS:
        guest.opens(payload)
        sheet = guest.sees("item")
        expect(sheet.get_by_role("heading")).to_have_text(payload.replace("\u2028", " "))
        sheet.get_by_role("checkbox").click()
        sheet.locator("input").fill(payload)
        guest.taps("add")
    page.get_by_role("searchbox").fill(PAYLOADS[0] + "!")
    expect(page.locator(".empty")).to_contain_text(PAYLOADS[0])
    page.get_by_role("searchbox").fill("")
    guest.reviews()
    guest.dialog("review").locator("input").fill(PAYLOADS[2])
    guest.confirms().sees_number()
    guest.taps("back-to-menu")
    guest.taps("bill")
    expect(guest.sees("bill").locator(".line")).to_have_count(40)
    hostile.clear(number)
    guest.sees("thanks")
    assert harm_done(page) == []


def test_nothing_runs_in_the_set_up(open_page):
    asked = urlencode({"store": PAYLOADS[4], "table": PAYLOADS[6]})
    page = open_page(f"/tablet/?{asked}").page
    expect(page.locator("[name=store]")).to_have_value(PAYLOADS[4])
    assert harm_done(page) == []


@pytest.fixture
def ordered(hostile):
    """Each dish is ordered, with a note, at a table; another order is cancelled for such a reason."""
    numbers = sorted(hostile.tables)[2:5]
    lines = [{"item": hostile.items[payload]["id"], "quantity": 1, "options": [], "note": payload} for payload in PAYLOADS]
    for at, number in enumerate(numbers):
        headers = hostile.at_the_tablet(number) | {"Idempotency-Key": f"hostile-{at}-{number.encode().hex()}"}
        order = hostile.ask("POST", "tablet/orders", headers, lines=lines, note=PAYLOADS[at + 10])
    hostile.ask("POST", f"staff/orders/{order['id']}/cancel", reason=PAYLOADS[7], version=order["version"])
    hostile.call(numbers[0], "help")
    yield numbers
    for number in numbers:
        hostile.clear(number)


def test_nothing_runs_on_the_board(open_page, hostile, ordered):
    page = open_page(None).page
    sign_in_at_the_admin(page, "hostile-owner", password=PASSWORD)
    board = Board(page)
    expect(page.locator(".card")).to_have_count(3)
    board.taps("open", page.locator(".card").first)
    expect(board.dialog().locator(".line")).to_have_count(40)
    board.taps("cancel", board.dialog())
    board.page.fill("[name=reason]", PAYLOADS[3])
    board.taps("close")
    board.taps("complete", page.locator(".card").first)
    expect(board.dialog().locator(".unfinished li")).to_have_count(40)
    board.taps("close")
    board.taps("sold-out")
    expect(board.dialog().locator(".choose li")).to_have_count(82)
    board.taps("close")
    board.taps("settings")
    expect(board.dialog()).to_contain_text(PAYLOADS[5])
    page.get_by_role("searchbox").fill(PAYLOADS[0], force=True)
    assert harm_done(page) == []


ADMIN = ["menus/item", "menus/category", "menus/optiongroup", "orders/order", "sessions_app/tablesession", "sessions_app/servicecall"]
ADMIN += ["stores/table", "stores/membership", "stores/store", "stores/auditentry"]


def test_nothing_runs_in_the_admin(open_page, hostile, ordered):
    page = open_page(None).page
    sign_in_at_the_admin(page, "hostile-owner", then="/admin/", password=PASSWORD)
    for model in ADMIN:
        assert page.goto(f"/admin/{model}/").ok, model
        assert page.evaluate("window.pwned") is None, model
        link = page.locator("#result_list tbody th a").first
        if link.count():
            link.click()
            page.wait_for_load_state()
            assert page.evaluate("window.pwned") is None, model
    page.goto(f"/admin/menus/item/?{urlencode({'q': PAYLOADS[4]})}")
    assert page.evaluate("window.pwned") is None


# --- Headers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/tablet/", "/tablet/main.js", "/tablet/sw.js", "/admin/board/"])
def test_every_screen_has_a_strict_policy(open_page, cookies_of, path):
    answer = open_page(None, cookies=cookies_of("hanok-manager")).page.request.get(path)
    policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["require-trusted-types-for"] == "'script'" and policy["trusted-types"] == "lit-html table-order"
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff" and answer.headers["referrer-policy"] == "same-origin"
    assert "camera=()" in answer.headers["permissions-policy"] and answer.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("path", ["/admin/", "/admin/menus/item/", "/admin/login/", "/api/docs/", "/nowhere"])
def test_no_page_is_without_a_policy(open_page, cookies_of, path):
    answer = open_page(None, cookies=cookies_of("hanok-owner")).page.request.get(path, headers={"Accept": "text/html"})
    policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["form-action"] == "'self'"
    assert policy["object-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert "script-src" not in policy  # so the default holds, which lets nothing inline run


def test_nothing_inline_runs_in_the_admin(open_page, cookies_of):
    watched = open_page("/admin/", cookies=cookies_of("hanok-owner"))
    watched.page.evaluate("document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.pwned = 1' }))")
    assert watched.page.evaluate("window.pwned") is None
    assert watched.problems
    watched.problems.clear()


def test_the_api_is_read_and_tried_in_a_browser(open_page):
    page = open_page("/api/docs/").page
    page.locator(".opblock-summary", has_text="/api/v1/tablet/login").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table")).to_contain_text("problem+json")


def test_the_policy_is_enforced(open_page):
    """A control: what is not ours has no effect in these pages, and we would hear of it."""
    watched = open_page("/tablet/")
    page = watched.page
    with pytest.raises(Error, match="TrustedHTML"):
        page.evaluate("document.body.innerHTML = '<img src=x onerror=pwned=1>'")
    page.evaluate("() => document.head.append(Object.assign(document.createElement('style'), { textContent: '* { display: none }' }))")
    expect(page.locator("h1")).to_be_visible()
    assert page.evaluate("violations.length") == 2  # the markup, and the style
    assert page.evaluate("window.pwned") is None
    assert watched.problems
    watched.problems.clear()


@pytest.mark.parametrize("name", ["../manage.py", "%2e%2e/manage.py", "views", "vendor/lit-html/LICENSE", "none.js", f"{'x' * 300}.js"])
def test_the_folder_of_the_page_is_all_that_is_served(open_page, name):
    assert open_page(None).page.request.get(f"/tablet/{name}").status == 404
