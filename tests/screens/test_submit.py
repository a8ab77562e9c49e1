"""An order's way to the kitchen when everything goes wrong: there is one, there are never two, and the guest knows."""

import threading
from contextlib import suppress

import httpx
import pytest
from playwright.sync_api import Error, expect

from .people import Guest

DISH, OTHER, CHOICE = "LA갈비구이", "해물파전", "마당 정식"
ORDERS = "**/api/v1/tablet/orders"


class Network:
    """What becomes of the next attempts to send an order; after those the network works."""

    def __init__(self, page, *fates):
        self.fates, self.keys, self.held = list(fates), [], []
        page.route(ORDERS, self._handle)

    def _handle(self, route):
        self.keys.append(route.request.headers["idempotency-key"])
        fate = self.fates.pop(0) if self.fates else "works"
        if fate == "works":
            route.continue_()
        elif fate == "before":  # nothing arrives
            route.abort("internetdisconnected")
        elif fate == "during":  # it arrives, and the connection breaks while the server is at it
            self._send_alongside(route.request)
            route.abort("connectionreset")
        elif fate == "after":  # the server has committed, its answer is lost
            route.fetch()
            with suppress(Error):  # meanwhile the page may be another one
                route.abort("connectionreset")
        elif fate == "proxy":  # somebody else's error page
            route.fulfill(status=502, body="<h1>Bad Gateway</h1>", content_type="text/html")
        elif fate == "busy":
            body = '{"status": 429, "code": "RATE_LIMITED", "title": "", "detail": ""}'
            route.fulfill(status=429, body=body, content_type="application/problem+json", headers={"Retry-After": "1"})
        elif fate == "never":  # no answer at all, unless the test lets it through
            self.held.append(route)

    def _send_alongside(self, request):
        headers = {name: request.headers[name] for name in ("authorization", "content-type", "idempotency-key")}
        sent = threading.Thread(
            target=httpx.post, args=(request.url,), kwargs={"content": request.post_data, "headers": headers, "timeout": 30}
        )
        sent.start()


def wait_out(page):
    """The pauses between two attempts."""
    page.clock.fast_forward(20_000)


def answered(guest) -> int:
    """How many attempts have been, and what came of them written down."""
    return (guest.stored("entry") or {}).get("attempts", 0)


def until_failed(guest):
    for _ in range(100):
        if answered(guest):
            return
        guest.page.wait_for_timeout(50)
    raise AssertionError("nothing has failed")


def keeps_at_it(guest, *, until: str):
    """One attempt after the other, as fast as they are answered, until this dialog tells what came of them."""
    waited_out = 0
    for _ in range(300):
        if guest.dialog(until).count():
            return
        if (attempts := answered(guest)) > waited_out:  # one that is under way would time out: Playwright's clock moves that too
            waited_out = attempts
            wait_out(guest.page)
        guest.page.wait_for_timeout(20)
    raise AssertionError(f"{attempts} attempts, and nothing came of them")


def until_sent(guest) -> int:
    keeps_at_it(guest, until="sent")
    return guest.sees_number()


FATES = [["before"], ["during"], ["after"], ["before", "after"], ["during", "before"], ["after", "proxy"], ["proxy"], ["after", "after"]]


def test_thirty_orders_over_a_lost_network_are_thirty_orders(guest):
    page = guest.page
    page.clock.install()
    page.reload()  # a timer from before goes by real time: after a minute of it the page would ask whether somebody is there
    guest.at_the_menu()
    numbers, keys = [], []
    for tried in range(30):
        network = Network(page, *FATES[tried % len(FATES)])
        page.evaluate(
            "async (item) => (await import('/tablet/actions/cart.js')).addToCart({ item, quantity: 1, options: [], note: '' })",
            guest.restaurant.items[DISH]["id"],
        )
        guest.reviews().confirms()
        numbers.append(until_sent(guest))
        page.clock.run_for(1000)
        guest.taps("back-to-menu")
        page.unroute(ORDERS)
        assert len(network.keys) >= 2 and len(set(network.keys)) == 1
        keys += set(network.keys)
    orders = guest.restaurant.orders(guest.table)
    assert len(orders) == 30 and len(set(keys)) == 30
    assert sorted(numbers) == sorted(order["number"] for order in orders)


# --- Reloads ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fate", ["before", "never", "after"])
def test_a_reload_while_it_is_sent_makes_no_second_order(guest, fate):
    page = guest.page
    network = Network(page, fate, *["before"] * 20)
    guest.takes(DISH).reviews().confirms()
    expect(guest.dialog("submit")).to_be_visible()
    page.wait_for_timeout(100)
    network.fates.clear()
    before = len(network.keys)
    page.reload()
    guest.until_settled()
    expect(guest.cart()).to_have_count(0)
    assert len(guest.restaurant.orders(guest.table)) == 1
    assert len(network.keys) > before
    assert len(set(network.keys)) == 1


def test_a_reload_at_the_review_keeps_the_cart_and_sends_nothing(guest):
    guest.takes(DISH).reviews()
    guest.page.reload()
    guest.at_the_menu()
    expect(guest.cart()).to_have_count(1)
    assert guest.restaurant.orders(guest.table) == []


def test_a_reload_at_the_number_leaves_one_order_and_an_empty_cart(guest):
    guest.takes(DISH).reviews().confirms()
    guest.sees_number()
    guest.page.reload()
    guest.at_the_menu()
    expect(guest.cart()).to_have_count(0)
    assert len(guest.restaurant.orders(guest.table)) == 1


def test_a_reload_at_a_refusal_shows_it_again(guest):
    guest.takes(DISH).reviews()
    guest.page.route("**/tablet/menu", lambda route: route.abort())
    guest.restaurant.change_item(DISH, price=77_000)
    guest.confirms()
    guest.sees("refused")
    guest.page.unroute("**/tablet/menu")
    guest.page.reload()
    expect(guest.sees("refused")).to_contain_text("₩77,000")
    guest.taps("resolve")
    guest.until_settled()


def test_a_double_tap_is_one_order(guest):
    guest.takes(DISH).reviews()
    guest.page.evaluate("for (let tap = 0; tap < 3; tap++) document.querySelector('[data-action=confirm]').click()")
    guest.sees_number()
    assert len(guest.restaurant.orders(guest.table)) == 1


# --- What the server says no to ---------------------------------------------------------------------------------


@pytest.fixture
def unaware(guest):
    """A guest whose tablet has not heard yet of what is changed behind it."""
    guest.page.route("**/tablet/menu", lambda route: route.abort())
    return guest


def test_what_sold_out_under_the_guests_hands_is_named_and_the_rest_goes_on(unaware):
    unaware.takes(DISH).takes(OTHER).reviews()
    unaware.restaurant.change_item(DISH, sold_out=True)
    unaware.confirms()
    refused = unaware.sees("refused")
    expect(refused).to_contain_text(DISH)
    expect(refused).not_to_contain_text(OTHER)
    expect(refused.locator("[data-call=help]")).to_be_visible()
    assert unaware.restaurant.orders(unaware.table) == []
    unaware.page.unroute("**/tablet/menu")
    unaware.taps("resolve")
    expect(unaware.sees("review")).not_to_contain_text(DISH)
    unaware.confirms()
    unaware.sees_number()
    [order] = unaware.restaurant.orders(unaware.table)
    assert [line["name"] for line in order["lines"]] == [OTHER]


def test_an_option_that_sold_out_is_named(unaware):
    unaware.takes(CHOICE).reviews()
    unaware.restaurant.sell_out(*unaware.restaurant.demanded(CHOICE))
    unaware.confirms()
    expect(unaware.sees("refused").locator(".changes li")).to_have_text(f"{CHOICE} · 흰쌀밥Sold out")


def buttons_of(refused):
    return refused.locator(".choices button").all_inner_texts()


def test_where_an_option_sold_out_the_dish_can_be_chosen_anew(unaware):
    [option], item = unaware.restaurant.demanded(CHOICE), unaware.restaurant.items[CHOICE]
    other = next(one["id"] for one in item["option_groups"][0]["options"] if one["id"] != option)
    unaware.takes(DISH).takes(CHOICE).reviews()
    unaware.restaurant.sell_out(option)
    unaware.confirms()
    assert buttons_of(unaware.sees("refused")) == ["Order without this dish", "Choose again"]
    unaware.page.unroute("**/tablet/menu")
    unaware.taps("resolve")
    unaware.sees("item").locator(f"[data-option='{other}']").click()
    unaware.taps("save")
    unaware.sees("review")
    unaware.confirms().sees_number()
    [order] = unaware.restaurant.orders(unaware.table)
    assert [(line["name"], [one["id"] for one in line["options"]]) for line in order["lines"]] == [(DISH, []), (CHOICE, [other])]


@pytest.mark.parametrize(
    ("taken", "out", "buttons"),
    [
        ([DISH, OTHER], [DISH], ["Change the order", "Order without this dish"]),
        ([DISH, OTHER, "수정과"], [DISH, OTHER], ["Change the order", "Order without these dishes"]),
        ([DISH], [DISH], ["Back to the menu"]),
        ([DISH, OTHER], [DISH, OTHER], ["Back to the menu"]),
    ],
)
def test_only_what_is_left_can_be_ordered(unaware, taken, out, buttons):
    for name in taken:
        unaware.takes(name)
    unaware.reviews()
    for name in out:
        unaware.restaurant.change_item(name, sold_out=True)
    unaware.confirms()
    assert buttons_of(unaware.sees("refused")) == buttons
    if len(buttons) == 1:
        unaware.taps("resolve")
        expect(unaware.page.locator("dialog")).to_have_count(0)
        expect(unaware.cart()).to_have_count(len(taken))


@pytest.mark.parametrize(
    ("taken", "buttons"), [([DISH], ["Back to the menu"]), ([DISH, OTHER], ["Change the order", "Take out what can't be ordered"])]
)
def test_without_a_dish_that_is_gone_only_others_can_be_ordered(guest, taken, buttons):
    gone = {"status": 404, "code": "ITEM_NOT_FOUND", "title": "", "detail": ""}
    guest.page.route(ORDERS, lambda route: route.fulfill(status=404, json=gone))
    for name in taken:
        guest.takes(name)
    guest.reviews().confirms()
    assert buttons_of(guest.sees("refused")) == buttons


def test_of_what_is_running_out_the_rest_can_be_ordered(unaware):
    unaware.takes(DISH, times=3).reviews()
    unaware.restaurant.change_item(DISH, stock=2)
    unaware.confirms()
    assert buttons_of(unaware.sees("refused")) == ["Change the order", "Order what is left"]


def test_where_no_option_is_left_the_dish_is_not_to_be_chosen_anew(guest):
    guest.takes(CHOICE).reviews()
    guest.page.route("**/tablet/menu", lambda route: route.abort())
    guest.restaurant.sell_out(*[option["id"] for option in guest.restaurant.items[CHOICE]["option_groups"][0]["options"]])
    guest.confirms()
    guest.page.unroute("**/tablet/menu")
    expect(guest.sees("refused").locator("[data-action=resolve]")).to_have_text("Back to the menu")


@pytest.mark.parametrize("name", ["submit", "refused"])
def test_what_has_become_of_an_order_can_not_be_closed_away(guest, name):
    if name == "submit":
        Network(guest.page, *["before"] * 100)
    else:
        guest.page.route("**/tablet/menu", lambda route: route.abort())
    guest.takes(DISH).reviews()
    guest.restaurant.change_item(DISH, price=55_500)
    guest.confirms()
    guest.sees(name)
    for _ in range(4):  # without a tap in between, the browser lets itself be stopped only once
        guest.page.keyboard.press("Escape")
        guest.page.wait_for_timeout(50)
    expect(guest.sees(name)).to_have_attribute("open", "")
    assert guest.page.evaluate("document.querySelector('dialog').matches(':modal')")


def test_a_new_price_is_shown_beside_the_old_and_asked_about(unaware):
    unaware.takes(DISH).takes(OTHER).reviews()
    unaware.restaurant.change_item(OTHER, price=55_500)
    unaware.confirms()
    refused = unaware.sees("refused")
    expect(refused.locator(".changes li").first).to_contain_text(OTHER)
    expect(refused.locator(".changes s")).to_have_text(f"₩{unaware.restaurant.items[OTHER]['price']:,}")
    expect(refused).to_contain_text("₩55,500")
    assert unaware.restaurant.orders(unaware.table) == []
    unaware.page.unroute("**/tablet/menu")
    unaware.taps("resolve")
    unaware.sees_number()
    [order] = unaware.restaurant.orders(unaware.table)
    assert order["total"] == unaware.restaurant.items[DISH]["price"] + 55_500


def test_the_name_of_a_dish_has_room_beside_two_prices(unaware):
    page = unaware.page
    page.set_viewport_size({"width": 390, "height": 844})
    unaware.chooses_large_type()
    unaware.takes(DISH)
    unaware.taps("cart")
    unaware.reviews()
    unaware.restaurant.change_item(DISH, price=41_000)
    unaware.confirms()
    assert unaware.sees("refused").locator(".changes strong").bounding_box()["height"] < 35  # one line


@pytest.mark.parametrize(("width", "height"), [(390, 844), (844, 390)], ids=["phone", "sideways"])
def test_the_new_total_is_in_sight_of_the_button_that_says_yes_to_it(unaware, width, height):
    page = unaware.page
    page.evaluate("async () => (await import('/tablet/state.js')).setPrefs({ largeType: true })")
    unaware.takes(DISH).takes(OTHER).takes(CHOICE).reviews()
    page.set_viewport_size({"width": width, "height": height})
    for name in (DISH, OTHER, CHOICE):
        unaware.restaurant.change_item(name, price=55_500)
    unaware.confirms()
    total = unaware.sees("refused").locator(".sum")
    expect(total).to_have_text("New total₩166,500")
    expect(total).to_be_in_viewport(ratio=1)
    expect(page.locator("[data-action=resolve]")).to_be_in_viewport(ratio=1)


def test_a_guest_who_says_yes_to_a_new_price_sees_what_has_sold_out_since(unaware):
    unaware.takes(DISH).takes(OTHER).reviews()
    unaware.restaurant.change_item(OTHER, price=55_500)
    unaware.confirms()
    unaware.sees("refused")
    unaware.restaurant.change_item(DISH, sold_out=True)
    unaware.page.unroute("**/tablet/menu")
    unaware.taps("resolve")
    expect(unaware.sees("review").locator(".wrong")).to_contain_text(DISH)
    assert unaware.restaurant.orders(unaware.table) == []


def test_a_yes_to_a_new_price_is_none_to_a_still_newer_one(unaware):
    unaware.takes(DISH).reviews()
    unaware.restaurant.change_item(DISH, price=55_500)
    unaware.confirms()
    expect(unaware.sees("refused")).to_contain_text("₩55,500")
    unaware.restaurant.change_item(DISH, price=66_600)
    unaware.page.unroute("**/tablet/menu")
    unaware.taps("resolve")
    expect(unaware.sees("review").locator(".sum")).to_have_text("Total₩66,600")
    assert unaware.restaurant.orders(unaware.table) == []
    unaware.confirms().sees_number()
    [order] = unaware.restaurant.orders(unaware.table)
    assert order["total"] == 66_600


def test_a_second_yes_to_a_new_price_does_not_hide_the_number(unaware):
    page, held = unaware.page, []
    unaware.takes(DISH).reviews()
    unaware.restaurant.change_item(DISH, price=55_500)
    unaware.confirms()
    unaware.sees("refused")
    page.unroute("**/tablet/menu")
    expect(page.locator(f"[data-item='{unaware.restaurant.items[DISH]['id']}']")).to_contain_text("₩55,500")
    page.route("**/tablet/menu", lambda route: held.append(route))
    page.evaluate("for (const _ of [1, 2]) document.querySelector('[data-action=resolve]').click()")
    while len(held) < 2:
        page.wait_for_timeout(50)
    expect(page.locator("[data-action=resolve]")).to_be_disabled()  # while nothing comes, it is seen to have been tapped
    expect(page.locator("[data-action=change]")).to_be_enabled()
    held[0].continue_()
    number = unaware.sees_number()
    with page.expect_response("**/tablet/menu"):
        held[1].continue_()
    page.wait_for_timeout(200)
    assert unaware.sees_number() == number
    assert len(unaware.restaurant.orders(unaware.table)) == 1


def test_a_guest_who_does_not_want_the_new_price_has_the_cart_back(unaware):
    unaware.takes(DISH).reviews()
    unaware.restaurant.change_item(DISH, price=55_500)
    unaware.confirms()
    unaware.sees("refused").locator("[data-action=change]").click()
    expect(unaware.cart()).to_have_count(1)
    expect(unaware.page.locator("dialog")).to_have_count(0)
    assert unaware.restaurant.orders(unaware.table) == []


def test_a_guest_who_does_not_want_the_new_price_sees_the_cart_where_it_is_not_beside_the_menu(unaware):
    unaware.page.set_viewport_size({"width": 800, "height": 1280})
    unaware.takes(DISH)
    unaware.taps("cart")
    unaware.reviews()
    unaware.restaurant.change_item(DISH, price=55_500)
    unaware.confirms()
    unaware.sees("refused").locator("[data-action=change]").click()
    expect(unaware.sees("cart").locator(".line")).to_have_count(1)


def test_an_order_queued_over_the_end_of_the_party_is_asked_about_anew(guest):
    page = guest.page
    guest.restaurant.order(guest.table, OTHER)
    expect(page.locator("[data-action=bill]")).to_contain_text("₩")
    page.clock.install()
    Network(page, *["before"] * 3)
    guest.takes(DISH).reviews().confirms()
    expect(guest.dialog("submit")).to_contain_text("Your order is kept")
    guest.restaurant.complete(guest.table)
    keeps_at_it(guest, until="refused")
    expect(guest.sees("refused")).to_contain_text("settled in the meantime")
    assert guest.restaurant.orders(guest.table) == []
    guest.taps("resolve")
    guest.sees_number()
    assert len(guest.restaurant.orders(guest.table)) == 1


def test_a_yes_to_a_new_party_is_none_to_a_new_price(guest):
    page = guest.page
    guest.restaurant.order(guest.table, OTHER)
    expect(page.locator("[data-action=bill]")).to_contain_text("₩")
    page.clock.install()
    Network(page, "before")
    guest.takes(DISH).reviews().confirms()
    until_failed(guest)
    guest.restaurant.complete(guest.table)
    wait_out(page)
    expect(guest.sees("refused")).to_contain_text("settled in the meantime")
    guest.restaurant.change_item(DISH, price=55_500)
    expect(page.locator(f"[data-item='{guest.restaurant.items[DISH]['id']}']")).to_contain_text("₩55,500")
    guest.taps("resolve")
    expect(guest.sees("review")).to_contain_text("A price has changed")
    assert guest.restaurant.orders(guest.table) == []


def test_an_order_queued_for_more_than_ten_minutes_is_asked_about(guest):
    page = guest.page
    page.clock.install()
    network = Network(page, *["before"] * 1000)
    guest.takes(DISH).reviews().confirms()
    keeps_at_it(guest, until="asking")
    asking = guest.sees("asking")
    expect(asking).to_contain_text("Do you still want this order?")
    tried = len(network.keys)
    wait_out(page)
    assert len(network.keys) == tried, "nothing is sent before the guest has said so"
    page.unroute(ORDERS)
    again = Network(page)
    guest.taps("send-after-all")
    until_sent(guest)
    assert set(again.keys) == set(network.keys)
    assert len(guest.restaurant.orders(guest.table)) == 1


def test_an_order_that_is_no_longer_wanted_may_have_arrived_and_the_page_says_so(guest):
    page = guest.page
    page.clock.install()
    Network(page, "after", *["before"] * 1000)
    guest.takes(DISH).reviews().confirms()
    keeps_at_it(guest, until="asking")
    expect(guest.sees("asking").get_by_role("heading")).to_have_text("Not confirmed")
    guest.sees("asking").locator("[data-action=drop]").click()
    expect(guest.sees("bill")).to_contain_text("may already have reached the kitchen")
    expect(guest.cart()).to_have_count(0)  # else it would be ordered twice


def test_an_order_that_is_no_longer_wanted_and_has_surely_not_arrived_is_in_the_cart_again(guest):
    page = guest.page
    page.clock.install()
    Network(page, *["busy"] * 1000)
    guest.takes(DISH).reviews().confirms()
    until_failed(guest)
    page.clock.fast_forward(11 * 60_000)
    expect(guest.sees("asking").get_by_role("heading")).to_have_text("Not sent")
    guest.sees("asking").locator("[data-action=drop]").click()
    expect(page.locator("dialog")).to_have_count(0)
    expect(guest.cart()).to_have_count(1)
    assert guest.stored("entry") is None


def test_an_order_that_was_being_sent_when_the_power_went_may_have_arrived(guest):
    page = guest.page
    page.clock.install()
    Network(page, *["never"] * 2)
    guest.takes(DISH).reviews().confirms()
    guest.sees("submit")
    page.goto("about:blank")
    page.clock.fast_forward(11 * 60_000)
    page.goto("/tablet/")
    expect(guest.sees("asking").get_by_role("heading")).to_have_text("Not confirmed")


def test_a_guest_whose_order_takes_long_is_sent_to_staff(guest):
    page = guest.page
    page.clock.install()
    Network(page, "never")
    guest.takes(DISH).reviews().confirms()
    guest.sees("submit")
    page.clock.run_for(10_000)
    expect(guest.sees("submit")).not_to_contain_text("tell staff")
    page.clock.run_for(21_000)
    expect(guest.sees("submit")).to_contain_text("If it takes long, please tell staff.")


def test_a_tablet_cut_off_while_it_sends_keeps_the_order_until_it_is_set_up_again(guest):
    page = guest.page
    network = Network(page, *["before"] * 1000)
    guest.takes(DISH).reviews().confirms()
    expect(guest.dialog("submit")).to_contain_text("Your order is kept")
    guest.restaurant.cut_off(guest.table)
    expect(page.get_by_role("alert")).to_contain_text("Staff signed this tablet out")
    expect(page.locator("form")).to_contain_text("An order has not been sent yet")
    network.fates.clear()
    guest.sets_up(guest.table)
    number = guest.sees_number()
    assert [order["number"] for order in guest.restaurant.orders(guest.table)] == [number]
    assert len(set(network.keys)) == 1


@pytest.mark.parametrize("fate", ["before", "never"])
def test_an_order_that_waits_is_never_sent_as_another_tables(guest, other_table, fate):
    """Neither after a pause, nor by an attempt that is answered when the tablet is the other table's."""
    page, restaurant = guest.page, guest.restaurant
    page.clock.install()
    network = Network(page, *[fate] * 1000)
    guest.takes(DISH).reviews().confirms()
    guest.sees("submit")
    for _ in range(5 if fate == "before" else 0):  # until the pauses are longer than a set-up takes
        wait_out(page)
        page.wait_for_timeout(100)
    restaurant.cut_off(guest.table)
    expect(page.get_by_role("alert")).to_contain_text("Staff signed this tablet out")
    other = guest.sets_up(other_table).at_the_menu()
    network.fates.clear()
    for route in network.held:  # its token is refused
        route.continue_()
    other.takes(OTHER)
    wait_out(page)
    page.wait_for_timeout(500)
    expect(page.locator("dialog")).to_have_count(0)
    expect(other.cart()).to_have_count(1)
    other.reviews().confirms()
    other.sees_number()
    [order] = restaurant.orders(other_table)
    assert [line["name"] for line in order["lines"]] == [OTHER]
    assert restaurant.orders(guest.table) == []

    restaurant.cut_off(other_table)
    expect(page.get_by_role("alert")).to_contain_text("Staff signed this tablet out")
    guest.sets_up(guest.table)
    number = guest.sees_number()
    [order] = restaurant.orders(guest.table)
    assert order["number"] == number and [line["name"] for line in order["lines"]] == [DISH]


def test_what_has_become_of_an_order_is_not_told_at_another_table(guest, other_table):
    """It arrives, and is answered when the tablet is the other table's: its own table hears of it."""
    page, restaurant = guest.page, guest.restaurant
    network = Network(page, "never")
    guest.takes(DISH).reviews().confirms()
    guest.sees("submit")
    guest.is_signed_out()
    other = guest.sets_up(other_table).at_the_menu()
    other.takes(OTHER)
    with page.expect_response(ORDERS):
        network.held[0].continue_()
    page.wait_for_timeout(500)
    expect(page.locator("dialog")).to_have_count(0)
    expect(other.cart()).to_have_count(1)
    guest.is_signed_out()
    guest.sets_up(guest.table)
    number = guest.sees_number()
    assert [order["number"] for order in restaurant.orders(guest.table)] == [number]
    assert restaurant.orders(other_table) == []


def test_a_page_that_was_left_open_does_not_send_its_order_as_the_table_that_another_page_has_set_up(guest, other_table):
    page, restaurant = guest.page, guest.restaurant
    network = Network(page, *["before"] * 1000)
    guest.takes(DISH).reviews().confirms()
    guest.sees("submit")
    second = Guest(page.context.new_page(), restaurant, guest.table)
    second.page.route(ORDERS, lambda route: route.abort())
    second.page.goto("/tablet/")
    second.sees("submit")
    second.is_signed_out()
    other = second.sets_up(other_table).at_the_menu()
    network.fates.clear()
    expect(page.locator("form")).to_contain_text("An order has not been sent yet")
    assert guest.stored("entry")["state"] == "waiting"
    other.page.reload()
    other.at_the_menu()
    assert restaurant.orders(other_table) == []


def test_a_server_that_is_busy_is_asked_again(guest):
    answers = [(429, "RATE_LIMITED"), (503, "SERVICE_UNAVAILABLE"), (401, "TOKEN_INVALID")]

    def handle(route):
        if not answers:
            return route.continue_()
        status, code = answers.pop(0)
        body = f'{{"status": {status}, "code": "{code}", "title": "", "detail": ""}}'
        return route.fulfill(status=status, body=body, content_type="application/problem+json", headers={"Retry-After": "1"})

    guest.page.route(ORDERS, handle)
    guest.page.clock.install()
    guest.takes(DISH).reviews().confirms()
    until_sent(guest)
    assert answers == [] and len(guest.restaurant.orders(guest.table)) == 1


def test_two_pages_of_one_tablet_send_one_order(guest):
    """The second comes up while the first is sending: both send the same entry under the same key, and what one has
    ended the other does not bring back."""
    network = Network(guest.page, "after", *["before"] * 50)
    guest.takes(DISH).reviews()
    # The first makes its next attempt when we say so. Pages hear of each other's storage a little late: if both wrote at
    # the same instant, what has ended would be written down again, and sent again under its key, which orders nothing.
    guest.page.evaluate("window.setTimeout = () => 0")
    guest.confirms()
    expect(guest.dialog("submit")).to_be_visible()
    until_failed(guest)
    second = Guest(guest.page.context.new_page(), guest.restaurant, guest.table)
    second.page.goto("/tablet/")
    second.until_settled()
    attempts = len(network.keys)
    for _ in range(100):
        guest.page.evaluate("dispatchEvent(new Event('online'))")  # no pause before the next attempt
        guest.page.wait_for_timeout(50)
        if len(network.keys) >= attempts + 2:  # the one before it has been answered, and what came of it written down
            break
    assert len(network.keys) >= attempts + 2
    assert second.stored("entry") is None
    assert len(guest.restaurant.orders(guest.table)) == 1
