"""Who uses the screens, and how: a guest before a tablet, staff before a board."""

import time

from playwright.sync_api import BrowserContext, Locator, Page, expect

from .restaurant import PASSWORDS

# What the network does is the test's own doing.
EXPECTED = ("Failed to load resource", "net::ERR_")

# Buttons that come up where the other one was: who taps them at once has not read, and is taken for a hand that trembles.
IN_ONE_PLACE = {"cart", "review", "confirm", "resolve", "change", "clear", "keep"}

WATCH = """
window.violations = [];
addEventListener("securitypolicyviolation", (event) => violations.push(`${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""


class Watched:
    """The page of a context, with all that went wrong in it."""

    def __init__(self, context: BrowserContext):
        self.problems = []
        context.add_init_script(WATCH)
        self.page = context.new_page()
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", self._hear)
        self.page.on("dialog", self._refuse)

    def _hear(self, message):
        if message.type == "error" and not any(words in message.text for words in EXPECTED):
            self.problems.append(message.text)

    def _refuse(self, dialog):
        self.problems.append(f"a {dialog.type}: {dialog.message}")
        dialog.dismiss()


def sign_in_at_the_admin(page: Page, username: str, *, then: str = "/admin/board/", password: str = ""):
    page.goto(f"/admin/login/?next={then}")
    page.fill("[name=username]", username)
    page.fill("[name=password]", password or PASSWORDS[username.partition("-")[0]])
    page.click("[type=submit]")
    page.wait_for_url(f"**{then}")


def set_up(page: Page, *, password: str, **filled: str):
    for name, value in {**filled, "password": password}.items():
        page.fill(f"[name={name}]", value)
    page.click("button.primary")


def middle_of(target: Locator) -> tuple[float, float]:
    box = target.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


class Guest:
    def __init__(self, page: Page, restaurant, table: str):
        self.page, self.restaurant, self.table = page, restaurant, table
        self._free_at = 0.0

    def at_the_menu(self) -> "Guest":
        self.page.wait_for_selector(".card")
        expect(self.page.locator(".frame")).to_have_attribute("data-connection", "live")
        return self

    def sets_up(self, table: str) -> "Guest":
        """The tablet, at its set-up, for this table; whoever sits there."""
        set_up(self.page, store=self.restaurant.code, table=table, password=self.restaurant.table_password)
        return Guest(self.page, self.restaurant, table)

    def taps(self, action: str):
        if action in IN_ONE_PLACE:
            self.page.wait_for_timeout(max(0, self._free_at - time.monotonic()) * 1000)
        self.page.locator(f"[data-action={action}]:visible").first.click()
        self._free_at = time.monotonic() + 0.5

    def chooses_large_type(self):
        self.taps("look")
        self.sees("look").get_by_role("switch", name="Large type").click()
        self.page.keyboard.press("Escape")

    def is_signed_out(self):
        """By itself, without a word to the guest."""
        self.page.evaluate("async () => (await import('/tablet/actions/table.js')).signedOut(null)")

    def taps_twice(self, target: Locator):
        """As a trembling hand does: in the same place, before anybody can have read what the first tap has brought up."""
        self.page.mouse.dblclick(*middle_of(target), delay=30)  # at one go: on a busy machine two clicks would be two taps

    def opens(self, name: str):
        self.page.click(f"[data-item='{self.restaurant.items[name]['id']}']")

    def takes(self, name: str, times: int = 1) -> "Guest":
        """Into the cart, with what the dish demands."""
        self.opens(name)
        for option in self.restaurant.demanded(name):
            chosen = self.page.locator(f"[data-option='{option}']")
            if chosen.get_attribute("aria-checked") != "true":
                chosen.click()
        for _ in range(times - 1):
            self.dialog("item").locator(".stepper button").last.click()
        self.taps("add")
        expect(self.page.locator("dialog")).to_have_count(0)
        return self

    def reviews(self) -> "Guest":
        self.taps("review")
        expect(self.dialog("review")).to_be_visible()
        return self

    def confirms(self) -> "Guest":
        self.taps("confirm")
        return self

    def dialog(self, name: str) -> Locator:
        return self.page.locator(f"dialog[data-dialog={name}]")

    def sees(self, name: str) -> Locator:
        """What lies over the menu."""
        expect(self.dialog(name)).to_be_visible()
        return self.dialog(name)

    def sees_number(self) -> int:
        return int(self.dialog("sent").locator("[data-number]").get_attribute("data-number"))

    def until_settled(self):
        """Nothing is under way any more."""
        for _ in range(300):
            if self.stored("entry") is None:
                return
            self.page.wait_for_timeout(50)
        raise AssertionError("the order is still under way")

    def cart(self) -> Locator:
        return self.page.locator(".cart-panel .line")

    def stored(self, name: str):
        """What the tablet remembers under this name."""
        key = f"tableorder.{self.restaurant.store['id']}.{self.restaurant.tables[self.table]}.{name}"
        return self.page.evaluate("(key) => JSON.parse(localStorage.getItem(key))", key)


class Board:
    def __init__(self, page: Page):
        self.page = page
        page.wait_for_selector("[data-sign=live]")

    def card(self, table: str) -> Locator:
        return self.page.locator(f"article[data-table='{table}']")

    def order(self, order: dict) -> Locator:
        return self.page.locator(f"article [data-order='{order['number']}']")

    def has_unsettled(self, table: str, since: str = ""):
        """Once it is loaded again: the party at this table did not settle its bill, and all of it was `since` then."""

        def has_expired(route):
            snapshot = route.fetch().json()
            shown = next(one for one in snapshot["tables"] if one["number"] == table)
            at = {"started_at": since} if since else {}
            orders = [order | ({"placed_at": since} if since else {}) for order in shown["orders"]]
            bill = {"session": shown["session"] | {"state": "expired"} | at, "orders": orders, "total": shown["total"]}
            shown.update(session=None, orders=[], total=0, unsettled=[bill])
            route.fulfill(json=snapshot)

        self.page.route("**/staff/board", has_expired)
        self.page.reload()
        expect(self.card(table).locator(".unsettled")).to_be_visible()

    def taps(self, action: str, within: Locator | None = None):
        (within or self.page).locator(f"[data-action={action}]").first.click()

    def dialog(self) -> Locator:
        return self.page.locator("dialog")
