"""The guest's page, from the set-up to the bill."""

import re

import pytest
from playwright.sync_api import expect

from .people import Guest, middle_of, set_up
from .test_modules import TABLET

DISH, OTHER, SET = "LA갈비구이", "해물파전", "마당 정식"
LANDSCAPE, PHONE, UPRIGHT = {"width": 1280, "height": 800}, {"width": 390, "height": 844}, {"width": 800, "height": 1280}


# --- Set-up -----------------------------------------------------------------------------------------------------


def test_a_tablet_is_set_up_once_and_comes_back_by_itself(open_page, hanok, table):
    page = open_page("/tablet/").page
    set_up(page, store="hanok", table=table, password="hanok-1234")
    Guest(page, hanok, table).at_the_menu()
    expect(page.locator(".where")).to_contain_text("Table " + table)
    page.reload()
    Guest(page, hanok, table).at_the_menu()


def test_the_card_on_the_table_fills_in_all_but_the_password(open_page):
    page = open_page("/tablet/?store=hanok&table=7&password=no").page
    expect(page.locator("[name=store]")).to_have_value("hanok")
    expect(page.locator("[name=table]")).to_have_value("7")
    expect(page.locator("[name=password]")).to_have_value("")
    set_up(page, password="wrong")
    expect(page.get_by_role("alert")).to_have_text("Store, table number or password is not right.")
    expect(page.locator("[name=store]")).to_have_value("hanok")


def test_set_up_without_a_network_says_so(open_page):
    page = open_page("/tablet/?store=hanok&table=7").page
    page.context.set_offline(True)
    set_up(page, password="hanok-1234")
    expect(page.get_by_role("alert")).to_have_text("No connection. Please check the Wi-Fi.")


def test_a_tablet_that_staff_cut_off_says_so_and_asks_to_be_set_up(guest):
    guest.restaurant.cut_off(guest.table)
    expect(guest.page.get_by_role("alert")).to_have_text("Staff signed this tablet out. Please set it up again.", timeout=20_000)
    assert guest.page.evaluate("localStorage.getItem('tableorder.device')") is None


def test_of_a_tablet_that_was_cut_off_only_the_password_is_to_be_typed(open_page, hanok, table):
    page = open_page("/tablet/?store=plaza&table=2", device=hanok.device(table)).page  # a card that was read long ago
    guest = Guest(page, hanok, table).at_the_menu()
    guest.is_signed_out()
    for _ in range(2):
        expect(page.locator("[name=store]")).to_have_value("hanok")
        expect(page.locator("[name=table]")).to_have_value(table)
        expect(page.locator("[name=password]")).to_have_value("")
        page.reload()
    assert "access" not in page.evaluate("JSON.stringify(localStorage)")
    page.goto("/tablet/?store=plaza&table=2")  # the card of another table
    expect(page.locator("[name=store]")).to_have_value("plaza")
    expect(page.locator("[name=table]")).to_have_value("2")


def test_an_expired_token_is_renewed_without_a_word(open_page, hanok, table):
    device = hanok.device(table) | {"access": "worn.out.token"}
    hanok.forget_device(table)  # its refresh token is used up by that page
    page = open_page("/tablet/", device=device).page
    Guest(page, hanok, table).at_the_menu()
    assert page.evaluate("JSON.parse(localStorage.getItem('tableorder.device')).access") != "worn.out.token"


def test_a_token_that_is_renewed_too_late_does_not_bring_the_tablet_back_to_its_table(open_page, hanok, table, other_table):
    page = open_page(None, device=hanok.device(table) | {"access": "x.y.z", "endsAt": 0}).page
    held = []
    page.route("**/tablet/refresh", lambda route: held.append(route), times=1)
    hanok.forget_device(table)  # its refresh token is used up by that page
    page.goto("/tablet/")
    page.wait_for_selector(".frame")
    guest = Guest(page, hanok, table)
    guest.is_signed_out()
    other = guest.sets_up(other_table).at_the_menu()
    with page.expect_response("**/tablet/refresh"):
        held[0].continue_()
    page.wait_for_timeout(500)
    page.reload()
    other.at_the_menu()
    expect(page.locator(".where .table")).to_have_text(f"Table {other_table}")


def test_a_bill_that_comes_too_late_is_not_shown_at_another_table(guest, hanok, table, other_table):
    page, held = guest.page, []
    hanok.order(table, DISH)
    expect(page.locator("[data-action=bill]")).to_contain_text("₩")
    page.route("**/tablet/session", lambda route: held.append(route), times=1)
    page.reload()
    page.wait_for_selector(".frame")
    guest.is_signed_out()
    guest.sets_up(other_table).at_the_menu()
    with page.expect_response("**/tablet/session"):
        held[0].continue_()
    page.wait_for_timeout(500)
    expect(page.locator("[data-action=bill]")).not_to_contain_text("₩")


def test_a_renamed_table_is_called_so_on_its_tablet(guest):
    page, hanok, number = guest.page, guest.restaurant, guest.table
    hanok.rename(number, "Terrace")
    try:
        expect(page.locator(".where")).to_contain_text("Table Terrace")
        page.reload()
        expect(page.locator(".where")).to_contain_text("Table Terrace")
        guest.at_the_menu()
        hanok.order("Terrace", DISH)
        page.goto("about:blank")
    finally:
        hanok.rename("Terrace", number)
    page.goto("/tablet/")  # it was off meanwhile, and finds out by what was ordered there
    expect(page.locator(".where")).to_contain_text("Table " + number)


def test_a_renamed_store_is_called_so_once_the_token_is_renewed(open_page, hanok, table):
    device = hanok.device(table) | {"access": "worn.out.token"}
    hanok.forget_device(table)  # its refresh token is used up by that page
    page = open_page("/tablet/", device=device | {"store": device["store"] | {"name": "As it was called", "steps": 3}}).page
    expect(page.locator(".where")).to_contain_text("한옥마당")
    assert page.evaluate("JSON.parse(localStorage.getItem('tableorder.device')).store.steps") == 4


def test_the_staff_corner_opens_to_a_long_press_and_signs_out_with_the_password_only(guest):
    where = guest.page.locator("[data-action=corner]")
    where.click()
    expect(guest.page.locator("dialog")).to_have_count(0)
    where.click(delay=1700)
    corner = guest.sees("corner")
    expect(corner).to_contain_text("Live")
    guest.taps("sign-out")
    guest.taps("really-sign-out")
    expect(guest.sees("sign-out").locator("[name=password]:invalid")).to_be_visible()
    for password in ("a child's guess", guest.restaurant.table_password):
        guest.sees("sign-out").locator("[name=password]").fill(password)
        guest.taps("really-sign-out")
        if password != guest.restaurant.table_password:
            expect(guest.sees("sign-out").get_by_role("alert")).to_have_text("The password is not right.")
    expect(guest.page.locator("[name=store]")).to_be_visible()
    assert guest.page.evaluate("localStorage.getItem('tableorder.device')") is None


# --- Menu and cart ----------------------------------------------------------------------------------------------


def test_categories_search_and_sold_out(guest):
    page, items = guest.page, guest.restaurant.items
    page.locator(".categories button").last.click()
    expect(page.locator("[data-section]").last).to_be_in_viewport()
    expect(page.locator(".categories button").last).to_have_attribute("aria-current", "true")
    page.get_by_role("searchbox").fill("비빔밥")
    expect(page.locator(".card")).to_have_count(2)
    for query in ("사골떡만둣국", " 사골 떡 만둣국"):  # however it is spaced
        page.get_by_role("searchbox").fill(query)
        expect(page.locator(".card .name")).to_have_text("사골 떡만둣국")
    page.get_by_role("searchbox").fill("zzz")
    expect(page.locator(".empty")).to_contain_text("zzz")
    page.get_by_label("Clear the search").click()
    sold_out = page.locator(f"[data-item='{items['통영 굴전']['id']}']")
    expect(sold_out).to_contain_text("Sold out")
    sold_out.click(force=True)
    expect(page.locator("dialog")).to_have_count(0)


ROOM = """(field) => {
    const { font, paddingLeft, paddingRight } = getComputedStyle(field);
    const text = Object.assign(document.createElement("canvas").getContext("2d"), { font }).measureText(field.placeholder);
    return field.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight) - text.width;
}"""


def test_in_large_type_there_is_room_for_what_the_search_says(open_page, hanok, table):
    device = hanok.device(table)
    page = open_page("/tablet/", device=device | {"store": device["store"] | {"name": "The Harbour View Diner"}}).page
    guest = Guest(page, hanok, table).at_the_menu()
    page.evaluate("async () => (await import('/tablet/state.js')).setPrefs({ largeType: true })")
    for _ in range(2):
        for size in (UPRIGHT, SIDEWAYS, PHONE):
            page.set_viewport_size(size)
            assert page.get_by_role("searchbox", name="Search the menu").evaluate(ROOM) > 0, size
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        guest.restaurant.order(guest.table, DISH, quantity=30)
        expect(page.locator("[data-action=bill]")).to_contain_text("₩")


SIDEWAYS = {"width": 844, "height": 390}


@pytest.mark.parametrize("size", [LANDSCAPE, SIDEWAYS], ids=["landscape", "sideways"])
def test_the_category_that_is_looked_at_is_marked(guest, size):
    page, buttons, marked = guest.page, guest.page.locator(".categories button"), guest.page.locator(".categories [aria-current=true]")
    page.set_viewport_size(size)
    names = buttons.all_inner_texts()
    expect(marked).to_have_text(names[0])
    sections = page.locator("[data-section]")
    sections.nth(2).evaluate("(section) => section.scrollIntoView({ block: 'start' })")
    expect(marked).to_have_text(names[2])
    page.wait_for_timeout(200)
    expect(sections.nth(2).get_by_role("heading")).to_be_in_viewport()  # the mark does not scroll it away
    sections.first.evaluate("(section) => section.scrollIntoView({ block: 'start' })")
    expect(marked).to_have_text(names[0])


@pytest.mark.parametrize("size", [UPRIGHT, PHONE], ids=["upright", "phone"])
def test_the_category_that_is_tapped_is_marked_also_where_the_menu_ends(guest, size):
    guest.page.set_viewport_size(size)
    last = guest.page.locator(".categories button").last
    last.click()
    expect(guest.page.locator("[data-section]").last).to_be_in_viewport()
    guest.page.wait_for_timeout(200)
    expect(last).to_have_attribute("aria-current", "true")


def test_what_is_found_is_of_no_category(guest):
    page, marked = guest.page, guest.page.locator(".categories [aria-current=true]")
    page.locator(".categories button").last.click()
    expect(page.locator("[data-section]").last).to_be_in_viewport()
    page.get_by_role("searchbox").fill("비빔밥")
    expect(marked).to_have_count(0)
    page.get_by_label("Clear the search").click()
    expect(page.locator("[data-section]").first.get_by_role("heading")).to_be_in_viewport()
    expect(marked).to_have_text(page.locator(".categories button").first.inner_text())


def test_who_signs_in_sees_the_first_category(guest):
    page = guest.page
    page.locator(".categories button").last.click()
    expect(page.locator("[data-section]").last).to_be_in_viewport()
    guest.is_signed_out()
    guest.sets_up(guest.table).at_the_menu()
    expect(page.locator(".categories [aria-current=true]")).to_have_text(page.locator(".categories button").first.inner_text())


def test_options_are_held_to_their_bounds_as_one_taps(guest):
    guest.opens(SET)
    sheet, price = guest.sees("item"), guest.page.locator("[data-action=add]")
    options = sheet.get_by_role("radio")
    options.nth(0).click()
    expect(price).to_contain_text("₩29,000")
    options.nth(1).click()  # instead of the first: exactly one
    expect(options.nth(0)).to_have_attribute("aria-checked", "false")
    expect(price).to_contain_text("₩30,000")
    sheet.get_by_label("One more").click()
    expect(price).to_contain_text("₩60,000")
    sheet.get_by_label("Note for the kitchen").fill("no sesame")
    guest.taps("add")
    expect(guest.cart()).to_contain_text("no sesame")
    expect(guest.page.locator(".cart-foot .sum")).to_contain_text("₩60,000")


def test_a_required_choice_is_the_guests_own(guest):
    guest.opens(SET)
    sheet, add = guest.sees("item"), guest.page.locator("[data-action=add]")
    expect(sheet.locator("[aria-checked=true]")).to_have_count(0)
    expect(add).to_have_text("Please choose: 밥 선택")
    add.click(force=True)  # it says what is missing and goes there
    expect(sheet).to_be_visible()
    expect(guest.cart()).to_have_count(0)


@pytest.mark.parametrize("entered", ["option", "note", "quantity", "nothing"])
def test_a_tap_beside_a_dish_does_not_throw_away_what_is_chosen(guest, entered):
    page = guest.page
    guest.opens(SET)
    sheet = guest.sees("item")
    page.wait_for_timeout(500)  # a tap of its own
    if entered == "option":
        sheet.get_by_role("radio").first.click()
    elif entered == "note":
        sheet.get_by_label("Note for the kitchen").fill("no sesame")
    elif entered == "quantity":
        sheet.get_by_label("One more").click()
    page.mouse.click(4, 4)
    page.wait_for_timeout(200)
    expect(page.locator("dialog")).to_have_count(int(entered != "nothing"))
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)


def test_what_is_still_to_choose_is_under_the_next_key(guest):
    page, item = guest.page, guest.restaurant.items[SET]
    guest.opens(SET)
    page.locator("[data-action=add]").focus()
    page.keyboard.press("Enter")
    group = guest.sees("item").get_by_role("radiogroup", name="밥 선택")
    first, second, *_, last = [option["id"] for option in item["option_groups"][0]["options"]]
    chosen = group.locator("[aria-checked=true]")
    expect(group.locator(f"[data-option='{first}']")).to_be_focused()
    expect(chosen).to_have_count(0)
    for key, option in (("Space", first), ("ArrowDown", second), ("ArrowLeft", first), ("ArrowUp", last), ("ArrowRight", first)):
        page.keyboard.press(key)
        expect(chosen).to_have_attribute("data-option", option)
        expect(chosen).to_be_focused()
        expect(group.locator(".option:not([tabindex])")).to_have_count(1)
    page.keyboard.press("Tab")
    expect(guest.sees("item").get_by_label("Note for the kitchen")).to_be_focused()


@pytest.mark.parametrize("size", [LANDSCAPE, PHONE], ids=["panel", "sheet"])
@pytest.mark.parametrize("button", ["Remove", "One less"])
def test_the_focus_stays_in_the_cart_when_a_line_goes(guest, size, button):
    page = guest.page
    page.set_viewport_size(size)
    guest.takes(DISH).takes(OTHER)
    if size == PHONE:
        guest.taps("cart")
    within = guest.sees("cart") if size == PHONE else page.locator(".cart-panel")
    within.get_by_role("button", name=button).first.press("Enter")
    expect(within.locator(".line")).to_have_count(1)
    expect(within.get_by_role("button", name="Remove")).to_be_focused()
    within.get_by_role("button", name=button).press("Enter")
    expect(within.get_by_role("heading")).to_be_focused()


def test_in_forced_colours_what_can_be_tapped_has_an_edge(open_page, hanok, table):
    page = open_page("/tablet/", device=hanok.device(table), forced_colors="active").page
    guest = Guest(page, hanok, table).at_the_menu()
    without = """[...document.querySelectorAll("button, .sheet, .note input, [type=search]")].filter((one) => {
        const { borderTopWidth, borderTopStyle, borderTopColor } = getComputedStyle(one);
        return one.checkVisibility() && (parseFloat(borderTopWidth) < 1 || borderTopStyle !== "solid" || borderTopColor === "rgba(0, 0, 0, 0)");
    }).map((one) => one.outerHTML.slice(0, 100))"""
    assert page.evaluate(without) == []
    guest.takes(DISH).opens(SET)
    option = guest.sees("item").get_by_role("radio").first
    edge = "(option) => getComputedStyle(option).borderTopWidth"
    before = option.evaluate(edge)
    option.click()
    assert page.evaluate(without) == [] and option.evaluate(edge) != before
    page.keyboard.press("Escape")
    guest.takes(SET)
    name, options = (guest.cart().filter(has_text=SET).locator(part).bounding_box() for part in ("button.name", ".muted"))
    assert name["y"] + name["height"] <= options["y"]  # no edge through the words below


def test_the_cart_counts_and_survives_a_reload(guest):
    page = guest.page
    guest.takes(DISH).takes(DISH).takes(OTHER)
    expect(guest.cart()).to_have_count(2)  # the same dish twice is one line
    line = guest.cart().first
    line.get_by_label("One more").click()
    expect(page.locator(".cart-panel output").first).to_have_text("3")
    page.reload()
    guest.at_the_menu()
    expect(page.locator(".cart-panel output").first).to_have_text("3")
    line.get_by_role("button", name="Remove").click()
    expect(guest.cart()).to_have_count(1)
    guest.taps("clear")
    guest.sees("clear").get_by_role("button", name="Clear all").click()
    expect(guest.cart()).to_have_count(0)


def test_how_many_of_a_dish_are_in_the_cart_is_read_in_words(guest):
    guest.takes(DISH, times=2)
    name = re.compile(f"^{DISH}.* 2 in your cart$")
    expect(guest.page.get_by_role("button", name=name)).to_have_attribute("data-item", guest.restaurant.items[DISH]["id"])


def test_a_full_cart_says_so_and_takes_more_of_what_is_in_it(guest):
    guest.page.evaluate(
        """async (item) => {
            const { addToCart } = await import("/tablet/actions/cart.js");
            for (let line = 0; line < 50; line++) addToCart({ item, quantity: 1, options: [], note: line ? `no. ${line}` : "" });
        }""",
        guest.restaurant.items[DISH]["id"],
    )
    guest.opens(OTHER)
    sheet = guest.sees("item")
    sheet.get_by_label("Note for the kitchen").fill("crisp")
    guest.taps("add")
    expect(sheet.locator(".toast")).to_contain_text("The cart is full")
    expect(sheet.get_by_label("Note for the kitchen")).to_have_value("crisp")
    expect(guest.cart()).to_have_count(50)
    guest.page.keyboard.press("Escape")
    guest.takes(DISH)
    expect(guest.cart().first.locator("output")).to_have_text("2")


def test_a_menu_without_a_dish_is_not_a_search_without_a_result(open_page, hanok, table):
    page = open_page(None, device=hanok.device(table)).page
    page.route("**/tablet/menu", lambda route: route.fulfill(json={"version": 1, "categories": []}))
    page.goto("/tablet/")
    expect(page.locator(".empty")).to_have_text("There is nothing on the menu yet.")


def test_the_whole_name_of_a_dish_is_read_on_a_phone(guest):
    guest.page.set_viewport_size(PHONE)
    guest.restaurant.change_item(SET, name="Long " * 19, description="Much to say. " * 70)
    guest.opens(SET)
    title = guest.sees("item").get_by_role("heading")
    expect(title).to_contain_text("Long")
    expect(title).to_be_in_viewport(ratio=1)
    assert title.evaluate("(title) => title.getBoundingClientRect().top >= title.closest('dialog').getBoundingClientRect().top")


def test_words_in_several_lines_keep_off_the_edges_of_their_button(open_page, plaza):
    page = open_page("/tablet/", device=plaza.device("7"), viewport=PHONE).page
    guest = Guest(page, plaza, "7").at_the_menu()
    guest.opens("The Plaza Breakfast")
    button = guest.sees("item").locator("[data-action=add]")
    expect(button).to_have_text("Please choose: How would you like your eggs?")
    room = """(button) => {
        const words = document.createRange();
        words.selectNodeContents(button);
        const [inside, all] = [words.getBoundingClientRect(), button.getBoundingClientRect()];
        return Math.min(inside.top - all.top, all.bottom - inside.bottom);
    }"""
    assert button.evaluate(room) >= 4


def test_on_a_phone_the_calls_look_alike(guest):
    guest.page.set_viewport_size(PHONE)
    guest.taps("look")
    pictures = guest.sees("look").locator(".call .icon")
    assert len({round(picture.bounding_box()["y"]) for picture in pictures.all()}) == 1


def test_what_a_field_asks_for_is_as_legible_as_the_rest(guest, open_board):
    color = "(field, pseudo) => getComputedStyle(field, pseudo).color"
    for page in (guest.page, open_board("hanok-manager", color_scheme="dark").page):
        muted = page.locator(".muted, .free h2").first.evaluate(color)
        assert page.get_by_role("searchbox").evaluate(color, "::placeholder") == muted


def test_a_dollar_has_two_decimals_and_a_won_none(open_page, plaza, guest):
    page = open_page("/tablet/", device=plaza.device("1")).page
    expect(page.locator(".price").first).to_have_text(re.compile(r"^\$\d+\.\d\d$"))
    expect(guest.page.locator(".price").first).to_have_text(re.compile(r"^₩[\d,]+$"))


def test_the_language_switches_at_once(guest):
    page = guest.page
    guest.takes(DISH)
    guest.taps("language")
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    expect(page.locator("[data-action=review]").first).to_have_text("주문하기")
    expect(guest.cart()).to_have_count(1)
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "ko")


def test_large_type_and_high_contrast_stay_after_a_reload(guest):
    page = guest.page
    guest.taps("look")
    for name in ("Large type", "High contrast"):
        guest.sees("look").get_by_role("switch", name=name).click()
    page.reload()
    expect(page.locator("html")).to_have_class("large-type high-contrast")


# --- Hands that tremble -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [PHONE, UPRIGHT], ids=["phone", "upright"])
def test_an_order_is_not_sent_by_the_tap_that_was_to_show_it(guest, size):
    guest.page.set_viewport_size(size)
    guest.takes(DISH)
    guest.taps_twice(guest.page.locator("[data-action=cart]"))
    guest.taps_twice(guest.sees("cart").locator("[data-action=review]"))
    review = guest.sees("review")
    guest.page.wait_for_timeout(600)
    expect(review).to_be_visible()
    assert guest.restaurant.orders(guest.table) == []
    guest.taps_twice(review.locator("[data-action=confirm]"))
    guest.sees_number()


@pytest.mark.parametrize("action", ["bill", "look", "review", "clear"])
def test_what_a_double_tap_opens_it_does_not_close(guest, action):
    guest.takes(DISH)
    guest.taps_twice(guest.page.locator(f"[data-action={action}]:visible").first)
    guest.sees(action)
    guest.page.mouse.click(4, 4)  # elsewhere: it is the second tap of nothing
    expect(guest.page.locator("dialog")).to_have_count(0)


def test_a_double_tap_on_a_dish_chooses_nothing(guest):
    guest.page.set_viewport_size(PHONE)
    for _, id in sorted((name, item["id"]) for name, item in guest.restaurant.items.items() if name in (DISH, OTHER, SET)):
        dish = guest.page.locator(f"[data-item='{id}']")
        for line in ("start", "center", "end"):  # under the finger comes up another part of the sheet each time
            dish.evaluate("(dish, block) => dish.scrollIntoView({ block })", line)
            guest.taps_twice(dish)
            sheet = guest.sees("item")
            expect(sheet.locator("[aria-checked=true]")).to_have_count(0)
            guest.taps_twice(sheet.get_by_label("Close"))
            expect(guest.page.locator("dialog")).to_have_count(0)


def test_quick_taps_on_one_button_all_count(guest):
    guest.takes(DISH)
    more = guest.cart().get_by_label("One more")
    for _ in range(4):
        more.click()
    expect(guest.page.locator(".cart-panel output")).to_have_text("5")


# --- Ordering, and what staff do meanwhile ----------------------------------------------------------------------


def test_a_whole_order_from_the_menu_to_the_number(guest):
    guest.takes(DISH, times=2).takes(SET).reviews()
    guest.dialog("review").get_by_label("Note for the kitchen").fill("one plate, please")
    guest.confirms()
    number = guest.sees_number()
    [order] = guest.restaurant.orders(guest.table)
    assert order["number"] == number and order["note"] == "one plate, please"
    assert {line["name"]: line["quantity"] for line in order["lines"]} == {DISH: 2, SET: 1}
    expect(guest.page.locator("dialog")).to_have_count(0, timeout=8000)  # after five seconds, by itself
    expect(guest.cart()).to_have_count(0)
    guest.taps("bill")
    expect(guest.page.locator("[data-bill]")).to_have_text(f"₩{order['total']:,}")


def test_after_the_number_the_focus_is_in_the_menu(guest):
    guest.takes(DISH)
    guest.page.locator("[data-action=review]").press("Enter")
    guest.sees("review").locator("[data-action=confirm]").press("Enter")
    guest.sees_number()
    guest.page.wait_for_timeout(1100)  # an earlier key is not meant to take the number away
    guest.sees("sent").locator("[data-action=back-to-menu]").press("Enter")
    expect(guest.page.locator("dialog")).to_have_count(0)
    expect(guest.page.locator("#menu")).to_be_focused()


def test_the_number_is_said_once_and_not_anew_each_second(guest):
    guest.takes(DISH).reviews().confirms()
    sent = guest.sees("sent")
    expect(sent).to_contain_text("Back to the menu in")
    expect(sent.locator("[role=status]").first).to_contain_text("Order number")
    assert sent.locator("[role=status]", has_text="Back to the menu").count() == 0


@pytest.mark.parametrize("where", ["button", "beside"])
def test_an_impatient_tap_does_not_take_the_number_away(guest, where):
    guest.page.clock.install()
    guest.page.clock.pause_at(guest.page.evaluate("Date.now() + 1000"))
    guest.takes(DISH).reviews().confirms()
    number, back = guest.sees_number(), guest.sees("sent").locator("[data-action=back-to-menu]")
    place = middle_of(back) if where == "button" else (4, 4)
    look = back.evaluate("(button) => JSON.stringify({ ...getComputedStyle(button) })")
    guest.page.mouse.click(*place)
    guest.page.wait_for_timeout(600)  # a tap of its own
    guest.page.mouse.click(*place)
    guest.page.wait_for_timeout(600)
    assert guest.sees_number() == number
    guest.page.clock.run_for(1000)
    assert back.evaluate("(button) => JSON.stringify({ ...getComputedStyle(button) })") == look
    guest.page.mouse.click(*place)
    expect(guest.page.locator("dialog")).to_have_count(0)


def test_own_orders_are_live(guest):
    order = guest.restaurant.order(guest.table, DISH)
    guest.taps("bill")
    line = guest.page.locator(f"[data-order='{order['number']}'] .progress")
    expect(line).to_have_text("Received")
    order = guest.restaurant.move(order, "preparing")
    expect(line).to_have_text("Being prepared", timeout=2000)
    order = guest.restaurant.move(order, "ready")
    guest.restaurant.ask("POST", f"staff/orders/{order['id']}/cancel", reason="dropped", version=order["version"])
    expect(line).to_have_text("Cancelled", timeout=2000)
    expect(guest.page.locator("[data-bill]")).to_have_text("₩0")


def test_the_note_of_an_order_is_on_the_bill(guest):
    guest.restaurant.order(guest.table, DISH, note="one plate, please", line_note="crisp")
    guest.taps("bill")
    bill = guest.sees("bill")
    expect(bill.locator(".line")).to_contain_text("crisp")
    expect(bill).to_contain_text("Note for the kitchen: one plate, please")


def marked(guest):
    return guest.page.locator("[data-action=bill].unread")


def cancel_one(hanok, order):
    part = [{"line": order["lines"][0]["id"], "quantity": 1}]
    return hanok.ask("POST", f"staff/orders/{order['id']}/cancel", reason="stock", version=order["version"], lines=part)


@pytest.mark.parametrize("width", [300, 390])
def test_the_name_of_a_dish_has_room_on_a_narrow_bill(guest, width):
    guest.page.set_viewport_size({"width": width, "height": 844})
    guest.restaurant.order(guest.table, "사골 떡만둣국", quantity=20)
    guest.taps("bill")
    name = guest.sees("bill").locator(".name")
    assert name.bounding_box()["height"] < 30  # one line
    assert name.locator("..").bounding_box()["width"] > width / 2


def test_what_staff_cancel_the_guest_is_told_and_finds_on_the_bill(guest):
    page, hanok = guest.page, guest.restaurant
    order = hanok.order(guest.table, DISH, quantity=3)
    expect(page.locator("[data-action=bill]")).to_contain_text("₩")
    order = hanok.move(order, "preparing")
    page.wait_for_timeout(300)
    expect(page.locator(".toast p")).to_have_count(0)
    order = cancel_one(hanok, order)
    expect(page.locator(".toast")).to_have_text("Something was cancelled. Please see “My orders”.")
    expect(marked(guest)).to_have_attribute("aria-label", f"My orders ₩{order['total']:,}, something was cancelled")
    assert marked(guest).evaluate("(button) => getComputedStyle(button, '::after').width") == "18px"
    page.reload()
    guest.at_the_menu()
    expect(marked(guest)).to_be_visible()
    order = cancel_one(hanok, order)
    expect(page.locator(".toast p")).to_have_count(1)
    guest.taps("bill")
    expect(guest.sees("bill")).to_contain_text("2 cancelled")
    expect(page.locator(".toast p")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(marked(guest)).to_have_count(0)
    guest.taps("bill")
    cancel_one(hanok, order)
    expect(guest.sees("bill")).to_contain_text("Cancelled")  # before the guest's eyes
    expect(marked(guest)).to_have_count(0)
    expect(page.locator(".toast p")).to_have_count(0)


def test_what_was_cancelled_while_the_tablet_was_off_is_told_to_its_party_and_to_no_other(guest):
    page, hanok = guest.page, guest.restaurant
    order = hanok.order(guest.table, DISH, quantity=2)
    expect(page.locator("[data-action=bill]")).to_contain_text("₩")
    page.goto("about:blank")
    cancel_one(hanok, order)
    page.goto("/tablet/")
    expect(marked(guest)).to_be_visible()
    hanok.complete(guest.table)
    guest.sees("thanks")
    expect(marked(guest)).to_have_count(0)


def test_a_dish_that_is_ready_is_seen_to_be_so_where_the_tablet_knows_of_three_steps(open_page, hanok, table):
    """The kitchen had three when the tablet was set up. Likewise a dish that was ready when four became three."""
    device = hanok.device(table)
    guest = Guest(open_page("/tablet/", device=device | {"store": device["store"] | {"steps": 3}}).page, hanok, table).at_the_menu()
    order = hanok.move(hanok.order(table, DISH), "preparing")
    guest.taps("bill")
    progress = guest.sees("bill").locator(".progress")
    expect(progress.locator("i")).to_have_count(3)
    hanok.move(order, "ready")
    expect(progress).to_have_text("Ready")
    expect(progress.locator("i")).to_have_count(4)
    expect(progress.locator("i.on")).to_have_count(3)


@pytest.mark.parametrize(("meanwhile", "bill"), [("move", "Being prepared"), ("complete", "No orders yet.")])
def test_what_the_stream_has_told_is_not_taken_back_by_an_older_answer(guest, meanwhile, bill):
    """The first order asks for its party. The answer is on its way when the stream tells what comes after."""
    page, hanok, held = guest.page, guest.restaurant, []

    def hold(route):
        held.append((route, route.fetch()))

    guest.takes(DISH).reviews()
    page.route("**/tablet/events*", lambda route: route.continue_() if held else route.abort())
    page.evaluate("dispatchEvent(new Event('offline'))")
    page.route("**/tablet/session", hold, times=1)
    guest.confirms()
    guest.sees("sent")
    while not held:
        page.wait_for_timeout(50)
    [order] = hanok.orders(guest.table)
    if meanwhile == "move":
        hanok.move(order, "preparing")
    else:
        hanok.complete(guest.table)
    page.evaluate("dispatchEvent(new Event('online'))")
    guest.taps("back-to-menu")
    guest.at_the_menu()
    guest.taps("bill")
    expect(guest.sees("bill")).to_contain_text(bill)
    [(route, answer)] = held
    route.fulfill(response=answer)
    page.wait_for_timeout(500)
    expect(guest.sees("bill")).to_contain_text(bill)


def test_a_completed_table_says_thanks_and_shows_zero(guest):
    guest.restaurant.order(guest.table, DISH)
    expect(guest.page.locator("[data-action=bill]")).to_contain_text("₩")
    guest.restaurant.complete(guest.table)
    guest.sees("thanks")
    guest.taps("back-to-menu")
    expect(guest.page.locator("[data-action=bill]")).not_to_contain_text("₩")
    guest.taps("bill")
    expect(guest.page.locator("[data-bill]")).to_have_text("₩0")


def test_thanks_take_away_nothing_that_a_guest_is_choosing(guest):
    guest.restaurant.order(guest.table, DISH)
    expect(guest.page.locator("[data-action=bill]")).to_contain_text("₩")
    guest.opens(SET)
    option = guest.sees("item").get_by_role("radio").first
    option.click()
    guest.restaurant.complete(guest.table)
    expect(guest.page.locator(".toast")).to_have_text("Your bill is settled. See you again.")
    expect(option).to_be_checked()
    guest.page.keyboard.press("Escape")
    expect(guest.page.locator("dialog")).to_have_count(0)
    expect(guest.page.locator("[data-action=bill]")).not_to_contain_text("₩")


def test_a_menu_change_shows_within_two_seconds_and_keeps_the_cart(guest):
    guest.takes(DISH).takes(OTHER)
    guest.restaurant.change_item(DISH, price=99_000)
    expect(guest.page.locator(f"[data-item='{guest.restaurant.items[DISH]['id']}']")).to_contain_text("₩99,000", timeout=2000)
    expect(guest.cart().first).to_contain_text("₩99,000")
    guest.restaurant.change_item(OTHER, sold_out=True)
    expect(guest.cart().nth(1)).to_contain_text("Can't be ordered now", timeout=2000)
    expect(guest.cart()).to_have_count(2)
    guest.taps("take-out")
    expect(guest.cart()).to_have_count(1)
    expect(guest.page.locator("[data-action=review]").first).to_be_visible()


def test_a_menu_that_finds_no_room_on_the_tablet_is_shown_all_the_same(guest):
    page = guest.page
    page.evaluate("localStorage.removeItem('tableorder.menu')")
    page.evaluate("try { while (true) localStorage.setItem(Math.random(), 'x'.repeat(2000)); } catch {}")
    page.reload()
    guest.at_the_menu()
    guest.restaurant.change_item(DISH, name="A name that is a good deal longer than it was")
    expect(page.locator(f"[data-item='{guest.restaurant.items[DISH]['id']}']")).to_contain_text("a good deal longer", timeout=5000)
    assert page.evaluate("localStorage.getItem('tableorder.menu')") is None


def test_a_price_that_changes_is_shown_beside_the_one_that_was_seen_and_asked_about(guest):
    page = guest.page
    guest.takes(DISH, times=2).takes(OTHER).reviews()
    review, before = guest.sees("review"), guest.restaurant.items[DISH]["price"]
    expect(review.get_by_role("alert")).to_have_count(0)
    expect(review.locator("[data-action=confirm]")).to_have_text("Send to the kitchen")
    page.mouse.move(*middle_of(review.locator("[data-action=confirm]")))
    page.mouse.down()  # the price changes under the finger
    for price in (99_000, 98_000):
        guest.restaurant.change_item(DISH, price=price)
        expect(review.locator("li").first.locator(".line-total")).to_have_text(f"₩{before * 2:,} ₩{price * 2:,}")
        page.mouse.up()
        page.mouse.move(*middle_of(review.locator("[data-action=confirm]")))
        page.mouse.down()
    expect(review.locator("s")).to_have_text(f"₩{before * 2:,}")
    expect(guest.cart().first.locator("s")).to_have_text(f"₩{before * 2:,}")
    expect(review.get_by_role("alert")).to_have_text("A price has changed in the meantime.")
    expect(review.locator("[data-action=confirm]")).to_have_text("Order at the new price")
    assert guest.stored("entry") is None
    page.mouse.up()
    guest.sees_number()
    [order] = guest.restaurant.orders(guest.table)
    assert order["total"] == 2 * 98_000 + guest.restaurant.items[OTHER]["price"]


def test_a_dish_that_is_put_in_at_the_new_price_has_been_seen_at_it(guest):
    guest.takes(DISH)
    guest.restaurant.change_item(DISH, price=99_000)
    expect(guest.cart().locator("s")).to_have_count(1)
    guest.takes(DISH)
    expect(guest.cart().locator("s")).to_have_count(0)
    expect(guest.cart()).to_contain_text("₩198,000")


def test_what_is_left_of_a_dish_can_still_be_had(guest):
    guest.restaurant.change_item(DISH, stock=2)
    expect(guest.page.locator(f"[data-item='{guest.restaurant.items[DISH]['id']}']")).to_contain_text("2 left")
    guest.takes(DISH, times=2)
    guest.restaurant.change_item(DISH, stock=1)
    guest.taps("take-out")
    expect(guest.page.locator(".cart-panel output")).to_have_text("1")


def test_no_more_of_a_dish_is_put_into_the_cart_than_there_is(guest):
    guest.restaurant.change_item(DISH, stock=3)
    expect(guest.page.locator(f"[data-item='{guest.restaurant.items[DISH]['id']}']")).to_contain_text("3 left")
    guest.takes(DISH, times=2)
    expect(guest.cart()).not_to_contain_text("left")
    guest.opens(DISH)
    sheet = guest.sees("item")
    expect(sheet).to_contain_text("3 left · 2 in your cart")
    expect(sheet.get_by_label("One more")).to_be_disabled()
    guest.taps("add")
    expect(guest.cart().locator("output")).to_have_text("3")
    expect(guest.cart()).to_contain_text("3 left")
    expect(guest.cart().get_by_label("One more")).to_be_disabled()
    guest.opens(DISH)
    expect(sheet.locator("[data-action=add]")).to_be_disabled()
    guest.page.keyboard.press("Escape")
    guest.restaurant.change_item(DISH, stock=2)
    expect(guest.cart().locator(".problem")).to_have_text("2 left")
    guest.cart().get_by_label("One less").click()
    expect(guest.page.locator("[data-action=review]").first).to_be_visible()


@pytest.mark.parametrize(("locale", "words"), [("ko-KR", "수정하기"), ("en-US", "Change it")])
def test_the_way_back_from_the_review_says_that_one_can_change_it(open_page, hanok, table, locale, words):
    guest = Guest(open_page("/tablet/", device=hanok.device(table), locale=locale).page, hanok, table).at_the_menu()
    guest.takes(DISH).reviews()
    expect(guest.page.locator("[data-action=change]")).to_have_text(words)


@pytest.mark.parametrize("size", [LANDSCAPE, UPRIGHT, PHONE], ids=["landscape", "upright", "phone"])
def test_who_wants_to_change_the_order_sees_the_cart(guest, size):
    page = guest.page
    page.set_viewport_size(size)
    guest.takes(DISH)
    if size != LANDSCAPE:
        guest.taps("cart")
    guest.reviews()
    guest.taps("change")
    expect(page.locator(".cart-panel:visible, dialog[data-dialog=cart]")).to_have_count(1)
    expect(page.locator("dialog")).to_have_count(int(size != LANDSCAPE))
    guest.taps("clear")
    guest.taps("keep")
    expect(page.locator(".cart-panel:visible, dialog[data-dialog=cart]")).to_have_count(1)
    expect(page.locator("dialog")).to_have_count(int(size != LANDSCAPE))


def test_what_sells_out_during_the_review_can_be_taken_out_there(guest):
    guest.takes(DISH).takes(OTHER).reviews()
    review = guest.sees("review")
    guest.restaurant.change_item(DISH, sold_out=True)
    expect(review.locator("li").first).to_contain_text("Can't be ordered now")
    expect(review.locator("[data-action=confirm]")).to_have_count(0)
    guest.taps_twice(review.locator("[data-action=take-out]"))  # and nothing is sent by that
    expect(review.locator("li")).to_have_count(1)
    expect(review.locator("[data-action=confirm]")).to_be_visible()
    assert guest.restaurant.orders(guest.table) == []
    guest.restaurant.change_item(OTHER, sold_out=True)
    expect(review.locator("[data-action=take-out]")).to_be_visible()
    guest.page.wait_for_timeout(500)  # a tap of its own
    review.locator("[data-action=take-out]").click()
    expect(guest.page.locator("dialog")).to_have_count(0)


def test_a_dish_that_sells_out_while_it_is_looked_at(guest):
    guest.opens(DISH)
    guest.restaurant.change_item(DISH, sold_out=True)
    expect(guest.page.locator("[data-action=add]")).to_be_disabled()


def test_a_dish_without_options_for_a_choice_that_it_demands_is_sold_out_everywhere(guest):
    page, item = guest.page, guest.restaurant.items[SET]
    card = page.locator(f"[data-item='{item['id']}']")
    guest.takes(SET)
    guest.opens(SET)
    guest.restaurant.sell_out(*[option["id"] for option in item["option_groups"][0]["options"]])
    add = page.locator("[data-action=add]")
    expect(add).to_have_text("Sold out")
    expect(add).to_be_disabled()
    page.keyboard.press("Escape")
    expect(card).to_contain_text("Sold out")
    expect(guest.cart()).to_contain_text("Can't be ordered now")
    card.click(force=True)
    expect(page.locator("dialog")).to_have_count(0)


@pytest.mark.parametrize("size", [LANDSCAPE, UPRIGHT], ids=["panel", "sheet"])
def test_a_line_is_chosen_anew_by_a_tap_on_its_name(guest, size):
    page, item = guest.page, guest.restaurant.items[SET]
    page.set_viewport_size(size)
    first, second = [option["id"] for option in item["option_groups"][0]["options"]][:2]
    guest.takes(DISH).takes(SET, times=2)
    if size == UPRIGHT:
        guest.taps("cart")
    within = guest.sees("cart") if size == UPRIGHT else page.locator(".cart-panel")
    within.get_by_role("button", name=SET).click()
    sheet = guest.sees("item")
    expect(sheet.locator(f"[data-option='{first}']")).to_have_attribute("aria-checked", "true")
    expect(sheet.locator(".stepper output")).to_have_text("2")
    page.wait_for_timeout(500)  # a tap of its own
    sheet.locator(f"[data-option='{second}']").click()
    sheet.get_by_label("Note for the kitchen").fill("no sesame")
    guest.taps("save")
    line = within.locator(".line").nth(1)  # the same line
    expect(line).to_contain_text(f"{item['option_groups'][0]['options'][1]['name']} · no sesame")
    expect(line.locator("output")).to_have_text("2")
    expect(within.locator(".line")).to_have_count(2)


@pytest.mark.parametrize("size", [PHONE, {"width": 640, "height": 400}], ids=["phone", "zoomed"])
def test_what_comes_up_is_seen_from_its_beginning_and_who_goes_back_is_where_they_were(guest, size):
    page, item = guest.page, guest.restaurant.items[SET]
    page.set_viewport_size(size)
    demanded = guest.restaurant.demanded(SET)
    fill = "async (line) => { const { addToCart } = await import('/tablet/actions/cart.js'); for (const note of 'abcdefghijkl') addToCart({ ...line, note }); }"
    page.evaluate(fill, {"item": item["id"], "name": SET, "quantity": 1, "options": demanded, "seen": item["price"]})
    guest.taps("cart")
    scrolled = "() => [...document.querySelectorAll('.sheet-inside, .sheet-body')].map((part) => part.scrollTop)"
    guest.sees("cart").locator("[data-action=edit]").nth(10).scroll_into_view_if_needed()
    place = page.evaluate(scrolled)
    assert sum(place) > 300
    guest.sees("cart").locator("[data-action=edit]").nth(10).click()
    guest.sees("item")
    assert page.evaluate(scrolled) == [0, 0]
    page.wait_for_timeout(500)  # a tap of its own
    guest.taps("save")
    guest.sees("cart")
    assert page.evaluate(scrolled) == place
    guest.taps("review")
    guest.sees("review")
    assert page.evaluate(scrolled) == [0, 0]


def test_the_option_that_ran_out_is_named_and_can_be_chosen_anew(guest):
    page, item = guest.page, guest.restaurant.items[SET]
    first, second = item["option_groups"][0]["options"][:2]
    guest.takes(DISH).takes(SET)
    guest.restaurant.sell_out(first["id"])
    line = guest.cart().nth(1)
    expect(line.locator(".problem")).to_have_text(f"Sold out: {first['name']}")
    expect(page.locator(".cart-foot .sum")).to_contain_text(f"₩{guest.restaurant.items[DISH]['price']:,}")
    line.locator("[data-action=choose-again]").click()
    expect(guest.sees("item").locator("[aria-checked=true]")).to_have_count(0)
    guest.sees("item").locator(f"[data-option='{second['id']}']").click()
    guest.taps("save")
    expect(line.locator(".problem")).to_have_count(0)
    guest.reviews()
    guest.restaurant.sell_out(second["id"])
    review = guest.sees("review")
    expect(review.locator(".problem")).to_have_text(f"Sold out: {second['name']}")
    expect(review.locator(".sum")).to_contain_text(f"₩{guest.restaurant.items[DISH]['price']:,}")
    review.locator("[data-action=choose-again]").click()
    guest.sees("item").get_by_label("Close").click()
    guest.sees("review")


def test_an_option_that_sells_out_while_a_dish_is_chosen_is_named_and_stays_out(guest):
    option, other = guest.restaurant.items[SET]["option_groups"][0]["options"][:2]
    guest.opens(SET)
    sheet = guest.sees("item")
    tick = sheet.locator(f"[data-option='{option['id']}']")
    guest.page.wait_for_timeout(500)  # a tap of its own
    tick.click()
    guest.restaurant.sell_out(option["id"])
    lost = sheet.get_by_role("alert").filter(has_text=f"Sold out and taken out: {option['name']}")
    expect(lost).to_be_visible()
    expect(sheet.locator("[data-action=add]")).to_have_text("Please choose: 밥 선택")
    guest.restaurant.has_again(option["id"])
    expect(tick).to_be_enabled()
    expect(tick).to_have_attribute("aria-checked", "false")
    expect(lost).to_be_visible()
    sheet.locator(f"[data-option='{other['id']}']").click()
    expect(lost).to_have_count(0)


def test_in_high_contrast_what_takes_no_tap_looks_so(guest):
    page = guest.page
    page.evaluate("async () => (await import('/tablet/state.js')).setPrefs({ highContrast: true })")
    guest.opens(DISH)
    less, more = guest.sees("item").locator(".stepper button").all()
    color = "(element) => getComputedStyle(element).color"
    assert less.is_disabled() and less.evaluate(color) != more.evaluate(color)
    guest.restaurant.change_item(DISH, sold_out=True)
    add = page.locator("[data-action=add]")
    expect(add).to_have_text("Sold out")
    assert add.evaluate("(button) => getComputedStyle(button).backgroundColor") == "rgba(0, 0, 0, 0)"  # not black on black


def test_the_way_back_leads_to_the_menu_and_no_further(guest):
    page = guest.page
    guest.opens(DISH)
    guest.sees("item")
    for _ in range(2):
        page.go_back()
        expect(page.locator("dialog")).to_have_count(0)
        expect(page.locator(".frame")).to_be_visible()
    page.reload()
    guest.at_the_menu()
    page.go_back()
    expect(page.locator(".frame")).to_be_visible()


def test_a_picture_has_no_menu_of_its_own(guest):
    """A browser's would offer to open it, or to search for it, elsewhere."""
    guest.page.evaluate("addEventListener('contextmenu', ({ target }) => (window.touched = target.closest('img, .picture')?.className))")
    guest.page.locator(".picture").first.click(button="right", force=True)
    assert guest.page.evaluate("window.touched ?? null") is None


# --- Calls ------------------------------------------------------------------------------------------------------


def test_one_tap_calls_staff_from_every_screen(guest):
    guest.page.click(".bottom [data-call=water]")
    expect(guest.page.locator(".toast")).to_contain_text("Water: staff have been told.")
    guest.opens(DISH)
    guest.sees("item").locator("[data-call=help]").click()
    expect(guest.sees("item").locator(".toast")).to_contain_text("Help: staff have been told.")
    calls = guest.restaurant.board(guest.table)["calls"]
    assert {call["kind"] for call in calls} == {"water", "help"}
    for call in calls:
        guest.restaurant.ask("POST", f"staff/calls/{call['id']}/resolve")
    expect(guest.sees("item").locator("[data-call=help]")).not_to_contain_text("Called")


def test_a_call_made_offline_waits_through_a_reload_and_is_sent(guest):
    page = guest.page
    page.context.set_offline(True)
    expect(page.locator(".offline")).to_be_visible()
    page.click(".bottom [data-call=bill]")
    expect(page.locator(".toast")).to_contain_text("Bill: staff will be told once the connection is back.")
    expect(page.locator(".bottom [data-call=bill]")).to_contain_text("Waiting")
    page.route("**/tablet/calls", lambda route: route.abort())  # or it is sent before the page reloads
    page.context.set_offline(False)
    page.reload()
    page.unroute("**/tablet/calls")
    expect(page.locator(".bottom [data-call=bill]")).to_contain_text("Called")
    assert [call["kind"] for call in guest.restaurant.board(guest.table)["calls"]] == ["bill"]


def test_a_child_that_taps_a_call_for_a_while_does_not_use_up_what_the_tablet_may_ask(guest):
    asked = []
    guest.page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/calls") else None)
    water = guest.page.locator(".bottom [data-call=water]")
    water.click()
    expect(water).to_contain_text("Called")
    for _ in range(5):
        guest.page.evaluate("document.querySelector('.bottom [data-call=water]').click()")
        guest.page.wait_for_timeout(150)
    expect(guest.page.locator(".toast")).to_contain_text("Water: staff have been told.")
    assert len(asked) == 1


@pytest.mark.parametrize("meanwhile", ["open", "resolved"])
def test_a_second_call_offline_is_sent_too(guest, meanwhile):
    page = guest.page
    page.click(".bottom [data-call=water]")
    expect(page.locator(".bottom [data-call=water]")).to_contain_text("Called")
    page.context.set_offline(True)
    expect(page.locator(".offline")).to_be_visible()
    [first] = guest.restaurant.board(guest.table)["calls"]
    if meanwhile == "resolved":
        guest.restaurant.ask("POST", f"staff/calls/{first['id']}/resolve")
    page.click(".bottom [data-call=water]")
    expect(page.locator(".toast")).to_contain_text("Water: staff will be told once the connection is back.")
    expect(page.locator(".bottom [data-call=water]")).to_contain_text("Waiting")
    page.context.set_offline(False)
    expect(page.locator(".bottom [data-call=water]")).to_contain_text("Called")
    [call] = guest.restaurant.board(guest.table)["calls"]
    assert (call["id"] == first["id"]) == (meanwhile == "open")


# --- Nobody there, no network -----------------------------------------------------------------------------------


def test_an_idle_tablet_goes_back_to_the_menu_and_asks_once_about_the_cart(guest):
    page = guest.page
    page.clock.install()
    guest.takes(DISH)
    guest.taps("bill")
    page.clock.fast_forward(61_000)
    guest.sees("idle")
    page.clock.fast_forward(61_000)
    expect(page.locator("dialog")).to_have_count(0)
    page.clock.fast_forward(61_000)
    expect(page.locator("dialog")).to_have_count(0)
    expect(guest.cart()).to_have_count(1)


@pytest.mark.parametrize("chosen", ["option", "note", "nothing"])
def test_a_half_chosen_dish_stays_open_for_three_minutes(guest, chosen):
    guest.page.clock.install()
    guest.opens(SET)
    if chosen == "option":
        guest.sees("item").get_by_role("radio").first.click()
    elif chosen == "note":
        guest.sees("item").get_by_label("Note for the kitchen").fill("no sesame")
    for _ in range(2):
        guest.page.clock.fast_forward(61_000)
        expect(guest.dialog("item")).to_have_count(0 if chosen == "nothing" else 1)
    guest.page.clock.fast_forward(61_000)
    expect(guest.dialog("item")).to_have_count(0)


def test_what_a_party_leaves_in_the_cart_is_not_for_the_next(guest):
    guest.restaurant.order(guest.table, DISH)
    expect(guest.page.locator("[data-action=bill]")).to_contain_text("₩")
    guest.page.clock.install()
    guest.takes(OTHER)
    guest.page.clock.fast_forward(61_000)
    guest.restaurant.complete(guest.table)
    guest.sees("thanks")
    expect(guest.cart()).to_have_count(0)


def leave_in_the_cart(guest, name):
    guest.takes(name)
    guest.page.evaluate("async () => (await import('/tablet/state.js')).keep('cartNote', 'no sesame')")


@pytest.mark.parametrize("goes_on", [0, 1], ids=["left", "goes-on"])
def test_a_cart_that_a_party_leaves_at_once_is_not_for_the_next(guest, goes_on):
    page = guest.page
    guest.restaurant.order(guest.table, DISH)
    expect(page.locator("[data-action=bill]")).to_contain_text("₩")
    page.clock.install()
    leave_in_the_cart(guest, OTHER)
    guest.restaurant.complete(guest.table)
    guest.sees("thanks")
    expect(guest.cart()).to_have_count(1)  # somebody has just touched it
    page.clock.fast_forward(10_000)
    if goes_on:
        guest.cart().get_by_label("One more").click()
    page.clock.fast_forward(61_000)
    expect(guest.cart()).to_have_count(goes_on)
    assert guest.stored("cartNote") == ("no sesame" if goes_on else "")
    expect(guest.dialog("idle")).to_have_count(goes_on)


@pytest.mark.parametrize("reloaded", [False, True], ids=["up", "reloaded"])
def test_a_party_that_leaves_without_ordering_leaves_nothing_to_the_next(open_page, hanok, table, reloaded):
    page = open_page("/tablet/", device=hanok.device(table), clock=True).page
    guest = Guest(page, hanok, table).at_the_menu()
    leave_in_the_cart(guest, DISH)
    guest.taps("language")
    if reloaded:
        page.reload()
        guest.at_the_menu()
    for _ in range(29):
        page.clock.fast_forward(61_000)
    expect(guest.cart()).to_have_count(1)
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    for _ in range(2):
        page.clock.fast_forward(61_000)
    expect(guest.cart()).to_have_count(0)
    expect(page.locator("html")).to_have_attribute("lang", "en")
    assert guest.stored("cartNote") == ""


def test_a_party_that_has_ordered_keeps_its_cart_however_long_it_sits(guest):
    guest.restaurant.order(guest.table, DISH)
    expect(guest.page.locator("[data-action=bill]")).to_contain_text("₩")
    guest.page.clock.install()
    guest.takes(OTHER)
    for _ in range(31):
        guest.page.clock.fast_forward(61_000)
    expect(guest.cart()).to_have_count(1)


def test_the_next_party_finds_the_tablet_as_it_was_set_up(open_page, hanok, table):
    page = open_page("/tablet/").page
    page.get_by_role("button", name="한국어").click()
    page.clock.install()
    set_up(page, store="hanok", table=table, password="hanok-1234")
    guest = Guest(page, hanok, table).at_the_menu()
    html = page.locator("html")
    expect(html).to_have_attribute("lang", "ko")
    hanok.order(table, DISH)
    expect(page.locator("[data-action=bill]")).to_contain_text("₩")
    guest.taps("look")
    guest.sees("look").get_by_role("switch").first.click()
    page.keyboard.press("Escape")
    guest.taps("language")
    hanok.complete(table)
    expect(guest.sees("thanks")).to_contain_text("Thank you!")  # to those who are still there, in their language
    page.clock.fast_forward(10_000)
    expect(html).to_have_class("large-type")
    page.clock.fast_forward(61_000)
    expect(html).to_have_attribute("lang", "ko")
    expect(html).to_have_class("")
    guest.taps("language")
    hanok.order(table, DISH)
    expect(page.locator("[data-action=bill]")).to_contain_text("₩")
    page.clock.fast_forward(61_000)
    expect(html).to_have_attribute("lang", "en")  # within a party it stays
    hanok.complete(table)
    expect(html).to_have_attribute("lang", "ko")


def test_the_connection_heals_by_itself_and_nothing_was_missed(guest):
    page = guest.page
    page.context.set_offline(True)
    expect(page.locator(".offline")).to_be_visible()
    order = guest.restaurant.order(guest.table, DISH)
    page.context.set_offline(False)
    expect(page.locator(".offline")).to_have_count(0)
    expect(page.locator("[data-action=bill]")).to_contain_text(f"₩{order['total']:,}")


def test_a_network_that_lets_no_stream_through_is_asked_every_few_seconds(open_page, hanok, table):
    page = open_page(None, device=hanok.device(table)).page
    page.clock.install()
    page.route("**/tablet/events*", lambda route: route.abort())
    page.goto("/tablet/")
    for _ in range(3):
        page.wait_for_timeout(300)
        page.clock.fast_forward(5000)
    expect(page.locator(".frame")).to_have_attribute("data-connection", "polling")
    order = hanok.order(table, DISH)
    page.clock.fast_forward(7000)
    expect(page.locator("[data-action=bill]")).to_contain_text(f"₩{order['total']:,}")
    page.click(".bottom [data-call=water]")
    expect(page.locator(".bottom [data-call=water]")).to_contain_text("Called")
    hanok.complete(table)
    page.clock.fast_forward(7000)
    expect(page.locator("[data-action=bill]")).not_to_contain_text("₩")
    expect(page.locator(".bottom [data-call=water]")).not_to_contain_text("Called")


def test_the_page_comes_up_without_a_network(open_page, hanok, table):
    page = open_page("/tablet/", device=hanok.device(table), service_workers="allow").page
    Guest(page, hanok, table).at_the_menu()
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.context.set_offline(True)
    page.reload()
    expect(page.locator(".card").first).to_be_visible()  # the menu last seen
    expect(page.locator(".offline")).to_be_visible()
    page.context.set_offline(False)
    expect(page.locator(".offline")).to_have_count(0)


def test_a_page_that_runs_for_weeks_takes_a_new_version_and_keeps_nothing_of_the_old(open_page, hanok, table):
    page = open_page("/tablet/", device=hanok.device(table), service_workers="allow", clock=True).page
    Guest(page, hanok, table).at_the_menu()
    page.evaluate(
        "navigator.serviceWorker.controller ?? new Promise((now) => navigator.serviceWorker.addEventListener('controllerchange', now))"
    )
    page.evaluate("caches.open('tableorder-shell').then((kept) => kept.put('/tablet/gone.js', new Response('')))")
    changed = (TABLET / "main.js").read_text() + "document.documentElement.dataset.release = 'new';"

    def release(route):
        route.fulfill(body=changed, content_type="text/javascript", headers={"ETag": '"new"'})

    page.context.route("**/tablet/main.js", release)
    page.clock.fast_forward("01:02:00")
    expect(page.locator("html")).to_have_attribute("data-release", "new")
    assert page.evaluate("caches.match('/tablet/main.js').then(Boolean)")
    assert not page.evaluate("caches.match('/tablet/gone.js').then(Boolean)")


# Of a version that has other files: what the worker that is there would bring is not there any more.
ANOTHER_WORKER = """
const workers = new EventTarget();
workers.controller = {};
workers.register = async () => {};
workers.getRegistration = async () => ({
  active: { postMessage() {} },
  update: async () => workers.dispatchEvent(new Event("controllerchange")),
});
Object.defineProperty(navigator, "serviceWorker", { value: workers });
"""


def test_a_page_that_runs_for_weeks_takes_a_version_of_other_files_too(open_page, hanok, table):
    page = open_page(None, device=hanok.device(table), clock=True).page
    page.add_init_script(ANOTHER_WORKER)
    page.goto("/tablet/")
    Guest(page, hanok, table).at_the_menu()
    with page.expect_navigation():
        page.clock.fast_forward("01:02:00")
    Guest(page, hanok, table).at_the_menu()
