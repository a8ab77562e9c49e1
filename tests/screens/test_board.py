"""The live board: alone, beside a tablet, and beside another board."""

import json
import re
import time

import pytest
from playwright.sync_api import expect

from menus.models import MAX_STOCK

from .people import Board, middle_of, sign_in_at_the_admin
from .restaurant import Restaurant

DISH, OTHER, DRINK, SET = "LA갈비구이", "해물파전", "수정과", "마당 정식"


@pytest.fixture
def board(open_board):
    return open_board("hanok-manager")


@pytest.fixture
def clocked(open_board):
    """A board whose time the test moves."""
    return open_board("hanok-manager", clock=True)


def line_of(board, order, name):
    return board.order(order).locator("[data-line]", has_text=name)


def status_of(restaurant, order) -> str:
    return restaurant.ask("GET", f"staff/orders/{order['id']}")["status"]


# --- A table's whole life, on both pages ------------------------------------------------------------------------


def test_a_table_from_the_first_order_to_the_completed_bill(guest, board, table):
    guest.takes(DISH, times=2).reviews().confirms()
    number = guest.sees_number()
    card, order = board.card(table), board.page.locator(f"article [data-order='{number}']")
    expect(order).to_contain_text(DISH, timeout=2000)
    expect(card).to_contain_class("fresh")
    total = f"₩{guest.restaurant.items[DISH]['price'] * 2:,}"
    expect(card.locator("[data-total]")).to_have_text(total)

    guest.taps("bill")
    progress = guest.page.locator(f"[data-order='{number}'] .progress")
    expect(progress).to_have_text("Received")
    board.taps("line-step", order)
    expect(card).not_to_contain_class("fresh")  # touched
    expect(order.locator("[data-action=undo]")).to_be_visible()
    expect(progress).to_have_text("Being prepared", timeout=9000)
    for words in ("Ready", "Served"):
        board.taps("line-step", order)
        expect(progress).to_have_text(words, timeout=9000)

    guest.page.click("dialog [data-call=bill]")
    call = card.locator("[data-call=bill]")
    call.click()
    expect(call).to_have_count(0)
    expect(guest.page.locator("dialog [data-call=bill]")).not_to_contain_text("Called")

    board.taps("complete", card)
    expect(board.dialog()).to_contain_text(total)
    board.taps("do-complete")
    guest.sees("thanks")
    expect(card).to_have_count(0)
    expect(board.page.locator(f".free [data-table='{table}']")).to_be_visible()


# --- Taps -------------------------------------------------------------------------------------------------------


def test_a_tap_can_be_taken_back_before_it_is_sent(board, hanok, table):
    order = hanok.order(table, DISH)
    board.taps("line-step", board.order(order))
    expect(line_of(board, order, DISH)).to_have_attribute("data-status", "preparing")
    board.taps("undo", board.order(order))
    expect(line_of(board, order, DISH)).to_have_attribute("data-status", "pending")
    board.page.wait_for_timeout(5500)
    assert status_of(hanok, order) == "pending"


def test_an_order_whose_tap_was_taken_back_is_new_again(clocked, hanok, table):
    board, order = clocked, hanok.order(table, DISH, OTHER)
    for action in ("line-step", "order-step"):
        board.taps(action, board.order(order))
        expect(board.card(table)).not_to_contain_class("fresh")
        board.taps("undo", board.order(order))
        expect(board.card(table)).to_contain_class("fresh")
    board.taps("acknowledge", board.card(table))
    board.taps("line-step", board.order(order))
    board.taps("undo", board.order(order))
    expect(board.order(order).locator("[data-action=order-step]")).to_be_visible()
    expect(board.card(table)).not_to_contain_class("fresh")  # it had been seen before


def test_a_second_tap_on_undo_does_not_move_the_order_again(board, hanok, table):
    order = hanok.order(table, DISH)
    board.taps("line-step", board.order(order))
    board.order(order).locator("[data-action=undo]").dblclick(delay=40)
    board.page.wait_for_timeout(300)
    expect(line_of(board, order, DISH)).to_have_attribute("data-status", "pending")


@pytest.mark.parametrize("action", ["line-step", "order-step"])
def test_a_second_tap_does_not_take_the_first_back(clocked, hanok, table, action):
    board, order = clocked, hanok.order(table, DISH, OTHER)
    board.order(order).locator(f"[data-action={action}]").first.dblclick(delay=40)
    board.page.clock.run_for(6000)
    expect(line_of(board, order, DISH)).to_contain_text("Mark ready")
    expect(board.card(table)).not_to_contain_class("fresh")
    statuses = {line["name"]: line["status"] for line in hanok.ask("GET", f"staff/orders/{order['id']}")["lines"]}
    assert statuses == {DISH: "preparing", OTHER: "preparing" if action == "order-step" else "pending"}


def test_a_double_tap_on_a_call_resolves_that_one_call_and_can_be_taken_back(board, hanok, table):
    order = hanok.order(table, DISH, OTHER)
    for kind in ("help", "water"):
        hanok.call(table, kind)
    card = board.card(table)
    help_, water = (card.locator(f"[data-call={kind}]") for kind in ("help", "water"))
    expect(water).to_be_visible()
    before = board.order(order).bounding_box()
    help_.dblclick(delay=40)
    expect(help_).to_have_count(0)
    assert board.order(order).bounding_box() == before
    board.taps("undo", card)
    expect(help_).to_be_visible()
    help_.click()
    expect(card.locator(".call")).to_have_count(1, timeout=9000)
    assert [call["kind"] for call in hanok.board(table)["calls"]] == ["water"]
    assert status_of(hanok, order) == "pending"
    water.click()
    board.page.reload()  # meant, although not sent yet
    expect(card).to_be_visible()
    expect(card.locator(".call")).to_have_count(0)
    assert hanok.board(table)["calls"] == []


def test_a_call_that_another_board_resolves_is_no_news_to_whoever_tapped_it(board, hanok, table):
    hanok.order(table, DISH)
    call = hanok.call(table, "bill")
    card = board.card(table)
    card.locator("[data-call=bill]").click()
    hanok.ask("POST", f"staff/calls/{call['id']}/resolve")
    expect(card.locator(".call")).to_have_count(0, timeout=2000)
    expect(board.page.locator(".toast p")).to_have_count(0)


def test_what_a_tap_could_not_do_is_new_again_and_named(clocked, hanok, table, other_table):
    board, page = clocked, clocked.page
    switch_sound_on(board)
    order, call = hanok.order(table, DISH), hanok.call(other_table, "water")
    expect(page).to_have_title("(2) 한옥마당")
    page.route(re.compile("/staff/(orders|calls)/"), lambda route: route.abort())
    board.taps("line-step", board.order(order))
    board.card(other_table).locator("[data-call=water]").click()
    expect(page).to_have_title("한옥마당")
    page.clock.run_for(6000)
    toast = page.locator(".toast p")
    for named in (f"Table {table} · #{order['number']}", f"Table {other_table} · Water", "No connection"):
        expect(toast).to_contain_text(named)
    expect(page).to_have_title("(2) 한옥마당")
    expect(board.card(table)).to_contain_class("fresh")
    before = beeps(board)
    page.clock.run_for(4000)
    assert beeps(board) > before
    board.taps("acknowledge", board.card(table))
    board.taps("line-step", board.order(order))
    page.clock.run_for(6000)
    expect(toast).to_have_text(f"Table {table} · #{order['number']} No connection: it was not done.")
    expect(board.card(table)).not_to_contain_class("fresh")  # it had been seen before
    assert status_of(hanok, order) == "pending" and hanok.board(other_table)["calls"][0]["id"] == call["id"]


def test_a_whole_order_moves_by_one_tap(clocked, hanok, table):
    board, order = clocked, hanok.order(table, DISH, OTHER)
    board.taps("order-step", board.order(order))
    expect(board.order(order).locator("[data-action=undo]")).to_be_visible()
    board.page.clock.run_for(6000)
    expect(board.order(order).locator("[data-action=line-step]").first).to_have_text("Mark ready")
    expect(board.order(order).locator("[data-status=preparing]")).to_have_count(2)
    expect(board.order(order).locator("[data-action=undo]")).to_have_count(0)
    assert status_of(hanok, order) == "preparing"


def test_what_was_tapped_is_sent_when_the_page_goes_away(board, hanok, table):
    order = hanok.order(table, DISH, OTHER, DRINK)
    for name in (DISH, OTHER, DRINK):
        board.taps("line-step", line_of(board, order, name))
    board.page.reload()
    expect(board.order(order).locator("[data-status=preparing]")).to_have_count(3)
    for _ in range(50):
        if status_of(hanok, order) == "preparing":
            break
        time.sleep(0.2)
    assert status_of(hanok, order) == "preparing"


def test_two_people_move_two_lines_of_an_order_at_once(clocked, hanok, table):
    board, order = clocked, hanok.order(table, DISH, OTHER)
    other = next(line for line in order["lines"] if line["name"] == OTHER)

    def somebody_is_faster(route):
        hanok.ask("PATCH", f"staff/orders/{order['id']}/lines/{other['id']}", status="preparing", version=order["version"])
        route.continue_()

    board.page.route("**/staff/orders/**", somebody_is_faster, times=1)
    board.taps("line-step", line_of(board, order, DISH))
    with board.page.expect_response(lambda answer: answer.request.method == "PATCH" and answer.ok):
        board.page.clock.run_for(6000)
    expect(board.order(order).locator("[data-status=preparing]")).to_have_count(2)
    expect(board.order(order).locator("[data-action=undo]")).to_have_count(0)
    expect(board.page.locator(".toast p")).to_have_count(0)
    assert status_of(hanok, order) == "preparing"


def test_of_two_boards_the_slower_shows_what_the_faster_did(board, open_board, hanok, table):
    other = open_board("hanok-owner")
    order = hanok.order(table, DISH)
    board.taps("line-step", board.order(order))  # not sent for five seconds
    hanok.move(order, "preparing")
    expect(board.page.locator(".toast")).to_contain_text("Somebody else was faster", timeout=2000)
    expect(line_of(board, order, DISH)).to_have_attribute("data-status", "preparing")
    expect(line_of(other, order, DISH)).to_have_attribute("data-status", "preparing", timeout=2000)
    expect(board.order(order).locator("[data-action=undo]")).to_have_count(0)


def test_a_tap_on_what_has_changed_unheard_is_refused_and_shows_what_is_now(clocked, hanok, table):
    board, order = clocked, hanok.order(table, DISH)

    def somebody_was_faster(route):
        hanok.ask("POST", f"staff/orders/{order['id']}/cancel", reason="changed their minds", version=order["version"])
        route.continue_()

    board.page.route("**/staff/orders/**", somebody_was_faster, times=1)
    board.taps("line-step", board.order(order))
    board.page.clock.run_for(6000)
    expect(board.page.locator(".toast")).to_contain_text("Somebody else was faster")
    expect(board.order(order).locator("[data-state]")).to_have_text("Cancelled")


# --- Cancelling and completing ----------------------------------------------------------------------------------


def test_part_of_a_line_is_cancelled_with_a_reason(board, hanok, table):
    order = hanok.order(table, DISH, quantity=3)
    board.taps("open", board.card(table))
    board.taps("cancel", board.dialog())
    dialog = board.dialog()
    expect(dialog.locator("[data-action=do-cancel]")).to_be_disabled()
    dialog.get_by_label("One more: " + DISH).click()
    expect(dialog.locator("[data-action=do-cancel]")).to_be_disabled()  # no reason yet
    dialog.get_by_role("button", name="Guest request").click()
    board.taps("do-cancel", dialog)
    expect(dialog).to_have_count(0)
    expect(board.order(order)).to_contain_text("1 cancelled")
    expect(board.card(table).locator("[data-total]")).to_have_text(f"₩{order['total'] // 3 * 2:,}")
    [line] = hanok.ask("GET", f"staff/orders/{order['id']}")["lines"]
    assert line["cancelled_quantity"] == 1


def test_what_is_ready_an_owner_may_cancel_and_a_manager_is_told_so(board, open_board, hanok, table):
    order = hanok.move(hanok.move(hanok.order(table, DISH), "preparing"), "ready")
    board.taps("open", board.card(table))
    board.taps("cancel", board.dialog())
    expect(board.dialog()).to_contain_text("Only an owner may cancel")
    expect(board.dialog().get_by_label("One more: " + DISH)).to_be_disabled()
    owners = open_board("hanok-owner")
    owners.taps("open", owners.card(table))
    owners.taps("cancel", owners.dialog())
    owners.dialog().get_by_role("button", name="Select all").click()
    owners.page.fill("[name=reason]", "burnt")
    owners.taps("do-cancel")
    expect(owners.card(table).locator("[data-total]")).to_have_text("₩0")
    expect(board.dialog()).to_contain_text("Somebody else has already done this.")  # its dialog has lost its order
    assert status_of(hanok, order) == "cancelled"


def test_why_it_was_not_done_stands_where_it_was_asked_until_something_is_changed(board, hanok, table):
    hanok.order(table, DISH)
    page = board.page
    page.route("**/staff/orders/*/cancel", lambda route: route.abort())
    board.taps("open", board.card(table))
    board.taps("cancel", board.dialog())
    board.taps("everything", board.dialog())
    page.fill("[name=reason]", "burnt")
    board.taps("do-cancel")
    expect(board.dialog().get_by_role("alert")).to_have_text("No connection: it was not done.")
    expect(page.locator(".toast p")).to_have_count(0)
    page.fill("[name=reason]", "burnt again")
    expect(board.dialog().get_by_role("alert")).to_have_count(0)
    page.unroute("**/staff/orders/*/cancel")
    board.taps("do-cancel")
    expect(board.dialog()).to_have_count(0)


def test_what_is_on_its_way_to_the_server_is_seen_to_be(board, hanok, table):
    hanok.order(table, DISH)
    board.taps("complete", board.card(table))
    button = board.dialog().locator("[data-action=do-complete]")
    ground = button.evaluate("(button) => getComputedStyle(button).backgroundColor")
    held = []
    board.page.route("**/complete", lambda route: held.append(route))
    button.click()
    expect(board.dialog()).to_have_attribute("aria-busy", "true")
    expect(button).not_to_have_css("background-color", ground)
    held[0].abort()
    expect(board.dialog().locator(".error")).to_be_visible()
    expect(button).to_have_css("background-color", ground)


def test_a_late_answer_is_not_taken_for_that_of_the_next_dialog(board, hanok, table, other_table):
    for number in (table, other_table):
        hanok.move(hanok.move(hanok.move(hanok.order(number, DISH), "preparing"), "ready"), "served")
    page, held = board.page, []
    page.route("**/staff/tables/*/complete", lambda route: held.append(route))
    for number, close in ((table, "keep"), (other_table, None)):
        board.taps("complete", board.card(number))
        page.wait_for_timeout(600)  # a second tap is not meant
        board.dialog().locator("[data-action=do-complete]").dblclick(delay=40)
        if close:
            board.taps(close)
    page.wait_for_timeout(300)
    assert len(held) == 2
    held[0].continue_()
    expect(board.card(table)).to_have_count(0)
    expect(board.dialog()).to_contain_text(f"Complete table {other_table}")
    held[1].abort()
    expect(board.dialog().get_by_role("alert")).to_be_visible()


def test_a_toast_goes_with_what_it_was_about(board, hanok, table):
    hanok.order(table, DISH)
    page, toast = board.page, board.page.locator(".toast p")
    page.route("**/staff/items/*", lambda route: route.abort(), times=2)
    board.taps("sold-out")
    switch = board.dialog().get_by_role("switch").first
    switch.click()
    expect(toast).to_contain_text("No connection: it was not done.")
    board.taps("close")
    expect(board.dialog()).to_have_count(0)
    expect(toast).to_have_count(0, timeout=1000)
    board.taps("sold-out")
    switch.click()
    expect(toast).to_be_visible()
    switch.click()
    expect(switch).to_be_checked()
    expect(toast).to_have_count(0, timeout=1000)
    hanok.change_item("마당 정식", sold_out=False)  # the first; by a tap it might be a menu that is only just being read again
    expect(switch).not_to_be_checked()


def test_what_becomes_ready_while_it_is_being_cancelled_is_not_cancelled(board, hanok, table):
    order = hanok.move(hanok.order(table, DISH, OTHER, quantity=2), "preparing")
    board.taps("open", board.card(table))
    board.taps("cancel", board.dialog())
    dialog = board.dialog()
    board.taps("everything", dialog)
    dialog.get_by_role("button", name="Guest request").click()
    dish, other = (dialog.locator("[data-line]", has_text=name) for name in (DISH, OTHER))
    for line, row, counts in ((order["lines"][0], dish, ("0 / 2", "2 / 2")), (order["lines"][1], other, ("0 / 2", "0 / 2"))):
        expect(row).not_to_contain_text("Only an owner")
        expect(dialog.locator("[data-action=do-cancel]")).to_be_enabled()
        order = hanok.ask("PATCH", f"staff/orders/{order['id']}/lines/{line['id']}", status="ready", version=order["version"])
        expect(row).to_contain_text("Only an owner may cancel it now.")
        expect(dialog.locator("output")).to_have_text(counts)
        expect(row.locator(".stepper button:enabled")).to_have_count(0)
    expect(dialog.locator("[data-action=do-cancel]")).to_be_disabled()


def test_completing_names_what_is_unfinished(board, hanok, table):
    hanok.order(table, DISH, OTHER)
    board.taps("complete", board.card(table))
    dialog = board.dialog()
    expect(dialog.locator(".unfinished li")).to_have_count(2)
    expect(dialog).to_contain_text(DISH)
    dialog.get_by_role("button", name="Complete anyway").click()
    expect(board.card(table)).to_have_count(0)
    assert hanok.board(table)["session"] is None


def test_who_completes_a_table_right_after_serving_it_is_not_asked_about_what_was_served(board, hanok, table):
    order = hanok.move(hanok.move(hanok.order(table, DISH, OTHER), "preparing"), "ready")
    board.taps("order-step", board.order(order))
    board.taps("complete", board.card(table))
    expect(board.dialog()).to_contain_text("Is the bill paid?")
    expect(board.dialog().locator(".unfinished")).to_have_count(0, timeout=2000)
    board.taps("do-complete")
    expect(board.card(table)).to_have_count(0)
    expect(board.page.locator(".toast p")).to_have_count(0)
    assert status_of(hanok, order) == "served"


def test_a_table_that_another_board_completes_goes_away_under_an_open_dialog(board, hanok, table):
    hanok.order(table, DISH)
    board.taps("open", board.card(table))
    hanok.complete(table)
    expect(board.dialog()).to_contain_text("Somebody else has already done this.")
    board.taps("close")
    expect(board.card(table)).to_have_count(0)


def test_the_dialogs_tell_equal_dishes_apart(board, hanok, table):
    order = hanok.order(table, SET, line_note="밥은 따로")
    [option, *_] = order["lines"][0]["options"]
    board.taps("complete", board.card(table))
    for told in (option["name"], "밥은 따로"):
        expect(board.dialog().locator(".unfinished")).to_contain_text(told)
    board.taps("keep")
    board.taps("open", board.card(table))
    board.taps("cancel", board.dialog())
    for told in (option["name"], "밥은 따로"):
        expect(board.dialog().locator(".choose")).to_contain_text(told)


def test_a_tap_beside_a_dialog_throws_nothing_away_that_was_entered(board, hanok, table):
    hanok.order(table, DISH)
    page, dialog, beside = board.page, board.dialog(), (5, 795)
    more = f"One more: {DISH}"

    def cancel():
        board.taps("open", board.card(table))
        board.taps("cancel", dialog)

    def a_table(action):
        board.taps("settings")
        board.taps("tables", dialog)
        dialog.locator(f"[data-action={action}]").first.click()

    ways = [
        (cancel, lambda: dialog.get_by_label(more).click()),
        (cancel, lambda: dialog.get_by_role("button", name="Guest request").click()),
        (lambda: a_table("add-table"), lambda: page.fill("[name=number]", "Terrace")),
        (lambda: a_table("change-table"), lambda: page.fill("[name=password]", "terrace-1")),
        (lambda: a_table("change-table"), lambda: dialog.get_by_role("switch").click()),
    ]
    for opens, enters in ways:
        opens()
        page.wait_for_timeout(600)  # a second tap is not meant
        page.mouse.click(*beside)
        expect(dialog).to_have_count(0)
        opens()
        page.wait_for_timeout(600)
        enters()
        page.mouse.click(*beside)
        page.wait_for_timeout(100)
        expect(dialog).to_be_visible()
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)


def test_a_second_tap_does_not_answer_what_the_first_has_brought_up(board, hanok, table):
    order = hanok.order(table, DISH)
    board.taps("complete", board.card(table))
    answer = middle_of(board.dialog().locator("[data-action=do-complete]"))
    board.taps("keep")
    line = line_of(board, order, DISH)
    step, complete = (middle_of(board.card(table).locator(f"[data-action={action}]")) for action in ("line-step", "complete"))
    beside = (5, 795)
    for second in (answer, complete, step, beside):
        board.page.wait_for_timeout(600)
        board.page.mouse.click(*complete)
        board.page.mouse.click(*second)
        board.page.wait_for_timeout(300)
        expect(board.dialog()).to_have_attribute("data-dialog", "complete")
        board.taps("keep")
    expect(line).to_have_attribute("data-status", "pending")
    board.taps("complete", board.card(table))
    board.page.wait_for_timeout(600)
    board.page.mouse.click(*beside)
    board.page.mouse.click(*step)
    expect(board.dialog()).to_have_count(0)
    expect(line).to_have_attribute("data-status", "pending")
    board.taps("complete", board.card(table))
    board.page.keyboard.press("Escape")
    expect(board.dialog()).to_have_count(0)
    expect(board.card(table).locator("[data-action=complete]")).to_be_focused()
    assert status_of(hanok, order) == "pending"


# What a finger would hit in this place in the very moment when there is something of the kind.
HIT_WHEN = """([selector, x, y]) => {
    window.hit = null;
    new MutationObserver((_, watch) => {
        if (!document.querySelector(selector)) return;
        watch.disconnect();
        window.hit = document.elementFromPoint(x, y).tagName;
    }).observe(document.body, { subtree: true, childList: true, attributes: true });
}"""


def test_a_tap_on_complete_does_not_force_what_has_just_been_ordered(board, hanok, table):
    order = hanok.order(table, DISH)
    for status in ("preparing", "ready", "served"):
        order = hanok.move(order, status)
    board.taps("complete", board.card(table))
    answer = board.dialog().locator("[data-action=do-complete]")
    expect(answer).to_have_text("Complete")
    board.page.wait_for_timeout(600)
    place = middle_of(answer)
    board.page.evaluate(HIT_WHEN, ["[data-action=do-complete].danger", *place])
    hanok.order(table, OTHER)
    expect(answer).to_have_text("Complete anyway")
    assert board.page.evaluate("window.hit") == "HTML"
    expect(board.dialog().locator("h2")).to_be_focused()


def test_complete_anyway_is_asked_anew_with_each_new_order(board, hanok, table):
    hanok.order(table, DISH)
    board.taps("complete", board.card(table))
    asked = board.dialog().element_handle()
    hanok.order(table, OTHER)
    expect(board.dialog().locator(".unfinished li")).to_have_count(2)
    assert not asked.evaluate("(dialog) => dialog.isConnected")
    board.page.mouse.click(*middle_of(board.dialog().locator("[data-action=do-complete]")))  # by a finger that was on its way
    board.page.wait_for_timeout(500)
    expect(board.dialog()).to_have_attribute("data-dialog", "complete")
    assert hanok.board(table)["session"]


# --- Sold-out ---------------------------------------------------------------------------------------------------


def test_sold_out_on_the_board_reaches_the_tablet_within_two_seconds(guest, board):
    board.taps("sold-out")
    board.dialog().get_by_role("searchbox").fill(DISH)
    switch = board.dialog().get_by_role("switch", name=f"{DISH}: Sold out")
    on_the_tablet = guest.page.locator(f"[data-item='{guest.restaurant.items[DISH]['id']}']")
    switch.click()
    expect(on_the_tablet).to_contain_text("Sold out", timeout=2000)
    switch.click()
    expect(on_the_tablet).not_to_contain_text("Sold out", timeout=2000)


def test_a_second_tap_on_a_switch_does_not_take_the_first_back(board, hanok):
    board.taps("sold-out")
    board.dialog().get_by_role("searchbox").fill(DISH)
    switch = board.dialog().get_by_role("switch", name=f"{DISH}: Sold out")
    for words in ("Sold out", "Available"):
        board.page.wait_for_timeout(600)
        place = middle_of(switch)
        board.page.evaluate(HIT_WHEN, [f"[role=switch][aria-checked={str(words == 'Sold out').lower()}]", *place])
        board.page.mouse.click(*place)
        expect(switch).to_have_text(words)
        assert board.page.evaluate("window.hit") not in (None, "BUTTON")


def test_a_switch_shows_that_it_is_on_its_way_and_is_not_sent_twice(board):
    board.taps("sold-out")
    board.dialog().get_by_role("searchbox").fill(DISH)
    switch = board.dialog().get_by_role("switch", name=f"{DISH}: Sold out")
    held = []
    board.page.route("**/staff/items/*", lambda route: held.append(route))
    switch.click()
    expect(switch).to_have_attribute("aria-busy", "true")
    expect(switch).to_have_css("border-style", "dashed")
    switch.click()
    board.page.wait_for_timeout(200)
    assert len(held) == 1
    held[0].abort()
    expect(switch).to_have_attribute("aria-busy", "false")
    expect(switch).to_have_text("Available")


def test_what_of_a_request_was_wrong_is_said_too(board):
    board.taps("sold-out")
    wrong = {"detail": "Something in it is wrong.", "errors": [{"pointer": f"/{at}", "detail": "No blanks."} for at in "ab"]}
    board.page.route("**/staff/items/*", lambda route: route.fulfill(status=400, json=wrong))
    board.dialog().get_by_role("switch", name=f"{DISH}: Sold out").click()
    expect(board.page.locator(".toast")).to_have_text(f"{DISH} Not done: Something in it is wrong. No blanks.")


def test_of_which_dish_it_was_is_said_when_it_could_not_be_sold_out(board):
    board.taps("sold-out")
    switches = [board.dialog().get_by_role("switch", name=f"{name}: Sold out") for name in (DISH, OTHER)]
    board.page.route("**/staff/items/*", lambda route: route.abort())
    for switch in switches:
        switch.click()
    expect(board.page.locator(".toast")).to_have_text(f"{DISH}, {OTHER} No connection: it was not done.")


def test_a_search_for_a_dish_that_there_is_not_says_so(board):
    board.taps("sold-out")
    board.dialog().get_by_role("searchbox").fill("nothing of the kind")
    expect(board.dialog().locator(".dialog-body").get_by_role("status")).to_have_text("Nothing on the menu matches.")
    board.dialog().get_by_role("searchbox").fill(DISH)
    expect(board.dialog().get_by_role("switch")).to_have_count(1)


def test_what_has_no_stock_is_not_switched_off_besides(board, hanok):
    hanok.change_item(DISH, stock=0)
    board.taps("sold-out")
    board.dialog().get_by_role("searchbox").fill(DISH)
    switch = board.dialog().get_by_role("switch")
    expect(switch).to_have_text("None left")
    expect(switch).to_be_disabled()
    expect(switch).to_be_checked()
    expect(board.dialog().locator(".choose")).to_contain_text("on sale again as soon as there is some")
    hanok.change_item(DISH, stock=5)
    expect(switch).to_have_text("Available")
    expect(switch).to_be_enabled()
    hanok.change_item(DISH, stock=0, sold_out=True)
    expect(switch).to_have_text("Sold out")
    switch.click()
    expect(switch).to_have_text("None left")


def test_staff_say_how_many_portions_there_are(guest, board, hanok):
    hanok.change_item(DISH, stock=0)
    board.taps("sold-out")
    board.dialog().get_by_role("searchbox").fill(DISH)
    board.dialog().get_by_role("button", name=f"{DISH}: 0 left. Change").click()
    count = board.dialog().get_by_role("spinbutton", name=f"Portions left: {DISH}")
    expect(count).to_be_focused()
    count.press_sequentially(str(MAX_STOCK + 1))
    count.press("Enter")
    expect(board.dialog().locator("input:invalid")).to_be_focused()  # the browser says what is wrong, beside it
    count.fill("3")
    count.press("Enter")
    expect(board.dialog().get_by_role("button", name=f"{DISH}: 3 left. Change")).to_be_focused()
    expect(board.dialog().get_by_role("switch")).to_have_text("Available")
    expect(guest.page.locator(f"[data-item='{guest.restaurant.items[DISH]['id']}']")).to_contain_text("3 left", timeout=2000)


def test_the_menu_is_read_again_while_somebody_looks_at_it_and_not_with_each_change(board, hanok):
    asked = []
    board.page.on("request", lambda request: asked.append(request.url) if "/staff/items?" in request.url else None)
    board.taps("sold-out")
    search = board.dialog().get_by_role("searchbox")
    search.fill(DISH)
    expect(board.dialog().get_by_role("switch")).to_have_count(1)
    for stock in range(12, 2, -1):
        hanok.change_item(DISH, stock=stock)
    expect(board.dialog().get_by_role("button", name=f"{DISH}: 3 left")).to_be_visible()
    assert len(asked) <= 4
    board.taps("close")
    board.page.wait_for_timeout(2500)
    asked.clear()
    hanok.change_item(DISH, stock=1)
    board.page.wait_for_timeout(1500)
    assert asked == []
    board.taps("sold-out")
    board.dialog().get_by_role("searchbox").fill(DISH)
    expect(board.dialog().get_by_role("button", name=f"{DISH}: 1 left")).to_be_visible()


def test_a_menu_that_could_not_be_read_is_asked_for_again(board):
    board.page.route("**/staff/items?*", lambda route: route.abort(), times=1)
    board.taps("sold-out")
    expect(board.page.locator("dialog .toast p")).to_contain_text("No connection")
    expect(board.dialog().get_by_role("switch").first).to_be_visible()


def test_an_option_sells_out_too(guest, board):
    board.taps("sold-out")
    board.dialog().get_by_role("searchbox").fill("돌솥밥")
    switch = board.dialog().get_by_role("switch").first
    switch.click()
    expect(switch).to_be_checked()
    guest.opens(SET)
    expect(guest.sees("item").get_by_role("radio", name="돌솥밥")).to_be_disabled()
    switch.click()
    expect(guest.sees("item").get_by_role("radio", name="돌솥밥")).to_be_enabled()


# --- New orders -------------------------------------------------------------------------------------------------


# What would be heard: the pitch of each note, and how loud it becomes.
LISTEN = """
window.heard = { pitches: [], volumes: [] };
const { start } = OscillatorNode.prototype;
OscillatorNode.prototype.start = function (at) { heard.pitches.push(Math.round(this.frequency.value)); start.call(this, at); };
const { exponentialRampToValueAtTime: ramp } = AudioParam.prototype;
AudioParam.prototype.exponentialRampToValueAtTime = function (to, at) { heard.volumes.push(to); return ramp.call(this, to, at); };
null;
"""


def beeps(board) -> int:
    return int(board.page.locator("html").get_attribute("data-beeps") or 0)


def switch_sound_on(board):
    board.page.evaluate(LISTEN)
    board.page.click("h1")  # any touch does
    expect(board.page.locator("[data-action=sound]")).to_have_attribute("aria-pressed", "true")


def hear(board, what) -> set:
    """Since the last time it was asked for."""
    return set(board.page.evaluate("(what) => heard[what].splice(0)", what))


def test_a_new_order_sounds_until_it_is_touched_and_gets_louder(clocked, hanok, table):
    board, page, card = clocked, clocked.page, clocked.card(table)
    switch_sound_on(board)
    hanok.order(table, DISH)
    expect(card).to_contain_class("fresh")
    expect(page).to_have_title("(1) 한옥마당")
    page.clock.run_for(7000)
    assert beeps(board) >= 2
    expect(card).to_contain_class("fresh")
    quiet = max(hear(board, "volumes"))
    page.clock.run_for(60_000)
    expect(card).to_contain_class("late")
    hear(board, "volumes")
    page.clock.run_for(7000)
    assert max(hear(board, "volumes")) >= 2 * quiet
    expect(card).to_contain_text("Unseen for 1 min")
    board.taps("acknowledge", card)
    expect(card).not_to_contain_class("fresh")
    heard = beeps(board)
    page.clock.run_for(10_000)
    assert beeps(board) == heard
    page.reload()
    expect(card).not_to_contain_class("fresh")  # still seen


def test_a_call_sounds_until_it_is_touched_although_it_is_open_still(clocked, hanok, table):
    board, page, card = clocked, clocked.page, clocked.card(table)
    switch_sound_on(board)
    hanok.order(table, DISH)
    hanok.call(table, "water")
    expect(page).to_have_title("(2) 한옥마당")
    expect(card.locator("[data-action=acknowledge]")).to_contain_text("New order · calling")
    page.clock.run_for(7000)
    orders = hear(board, "pitches")
    board.taps("line-step", card)
    page.clock.run_for(7000)
    calls = hear(board, "pitches") - orders
    # Answered: what is under way when Playwright moves the clock would time out.
    expect(card.locator("[data-action=line-step]")).to_have_text("Mark ready")
    assert len(orders) == len(calls) == 2, "calls have notes of their own"
    expect(page).to_have_title("(1) 한옥마당")
    expect(card.locator("[data-action=acknowledge]")).to_contain_text("Calling")
    board.taps("acknowledge", card)  # a waiter is on the way
    before = beeps(board)
    page.clock.run_for(10_000)
    assert beeps(board) == before
    expect(card.locator("[data-action=acknowledge]")).to_have_count(0)
    expect(card.locator("[data-call=water]")).to_be_visible()
    page.reload()
    expect(card.locator("[data-call=water]")).to_be_visible()
    expect(page).to_have_title("한옥마당")  # still seen


def test_a_call_whose_tap_was_taken_back_is_new_again(clocked, hanok, table):
    board, page = clocked, clocked.page
    switch_sound_on(board)
    hanok.call(table, "help")
    expect(page).to_have_title("(1) 한옥마당")
    board.card(table).locator("[data-call=help]").click()
    expect(page).to_have_title("한옥마당")
    board.taps("undo", board.card(table))
    expect(page).to_have_title("(1) 한옥마당")
    before = beeps(board)
    page.clock.run_for(4000)
    assert beeps(board) > before


def test_a_silent_board_says_so_of_calls_too(board, hanok, table):
    hanok.call(table, "water")
    expect(board.page.locator(".band.hint")).to_have_text("Tap anywhere to switch the sound on.")
    board.taps("acknowledge", board.card(table))
    expect(board.page.locator(".band.hint")).to_have_count(0)


def test_a_silent_board_says_so(board, hanok, table):
    hanok.order(table, DISH)
    expect(board.page.locator(".band.hint")).to_have_text("Tap anywhere to switch the sound on.")
    board.taps("sound")
    expect(board.page.locator(".band.hint")).to_have_count(0)
    board.taps("sound")
    expect(board.page.locator(".band.hint")).to_contain_text("new orders and calls come in silence")


def test_how_soon_it_gets_louder_is_for_the_staff_to_say(clocked, hanok, table):
    board = clocked
    board.taps("settings")
    board.dialog().get_by_role("button", name="30 s").click()
    board.taps("close")
    hanok.order(table, DISH)
    expect(board.card(table)).to_contain_class("fresh")
    board.page.clock.run_for(32_000)
    expect(board.card(table)).to_contain_class("late")


def test_an_unfinished_order_is_never_hidden_behind_newer_ones(board, hanok, table):
    oldest = hanok.order(table, DISH)
    for _ in range(4):
        served = hanok.order(table, DRINK)
        for status in ("preparing", "ready", "served"):
            served = hanok.move(served, status)
    expect(board.order(served).locator("[data-state=served]")).to_be_visible()
    expect(board.order(oldest)).to_be_visible()
    expect(board.card(table).locator("[data-action=all]")).to_contain_text("1 earlier")


def test_what_is_new_in_an_unsettled_bill_is_seen_on_its_card(board, hanok, table):
    served = hanok.order(table, DRINK)
    for status in ("preparing", "ready", "served"):
        served = hanok.move(served, status)
    order = hanok.order(table, DISH)

    board.has_unsettled(table)
    expect(board.card(table)).to_contain_class("fresh")
    expect(board.order(served)).to_have_count(0)
    board.taps("line-step", board.order(order))
    expect(board.order(order)).to_contain_text("Undo")


@pytest.mark.parametrize(("locale", "before"), [("en-US", "Nov 2, "), ("ko-KR", "11월 2일 ")])
def test_what_was_not_today_says_of_which_day_it_is(open_board, hanok, table, locale, before):
    order = hanok.move(hanok.order(table, DISH), "preparing")
    board = open_board("hanok-manager", locale=locale)
    order_time, times = board.order(order).locator("h3 .muted"), board.card(table).locator(".unsettled span")
    expect(order_time).to_have_text(re.compile(r"^(오전|오후)? ?\d+:\d\d"))
    # In Seoul it is the 2nd of November until three in the afternoon of UTC.
    board.has_unsettled(table, since="2026-11-02T14:59:00Z")
    expect(times).to_have_text(re.compile(f"^{before}.*11:59"))
    expect(order_time).to_have_text(re.compile(f"^{before}.*11:59"))
    board.taps("open-unsettled", board.card(table))
    expect(board.dialog().locator(".bill")).to_contain_text(before)


@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 800}, {"width": 390, "height": 844}])
def test_a_number_of_several_digits_stays_in_one_line(open_board, hanok, table, viewport):
    one, many = hanok.order(table, DISH), hanok.order(table, OTHER, quantity=20, line_note="덜 맵게, 그리고 되도록 빨리 부탁드려요")
    board = open_board("hanok-manager", viewport=viewport)

    def height_of(order, selector):
        return board.order(order).locator(selector).first.bounding_box()["height"]

    assert height_of(many, ".times") == height_of(one, ".times")
    board.taps("complete", board.card(table))
    numbers = board.dialog().locator(".number")
    expect(numbers.first).to_be_visible()
    for number in numbers.all():
        assert number.bounding_box()["height"] < 40
    states = board.dialog().locator(".unfinished li > :last-child")
    expect(states).to_have_text(["Pending"] * 2)
    assert states.evaluate_all("(all) => all.every((state) => state.getBoundingClientRect().height < 40)")
    assert board.card(table).evaluate("(card) => card.scrollWidth <= card.clientWidth")


BROKEN_WORDS = """(element) => {
  const broken = [];
  const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    for (const { 0: word, index } of texts.currentNode.data.matchAll(/\\S+/g)) {
      const range = new Range();
      range.setStart(texts.currentNode, index);
      range.setEnd(texts.currentNode, index + word.length);
      if (range.getClientRects().length > 1) broken.push(word);
    }
  }
  return broken;
}"""


@pytest.mark.parametrize("name", ["Terrace 3", "Window seat 12"])
def test_a_table_with_a_long_name_breaks_no_word(open_board, hanok, table, name):
    hanok.order(table, DISH, quantity=20)
    hanok.rename(table, name)
    board = open_board("hanok-manager", locale="ko-KR")
    expect(board.card(name)).to_contain_text("새 주문")
    broken = board.card(name).locator("header").evaluate(BROKEN_WORDS)
    hanok.rename(name, table)
    assert broken == []


@pytest.mark.parametrize("width", [1280, 1024])
@pytest.mark.parametrize("locale", ["ko-KR", "en-US"])
def test_the_bar_of_who_works_in_two_stores_fits_in_one_row(open_page, cookies_of, hanok, table, other_table, locale, width):
    page = open_page(None, cookies=cookies_of("hanok-manager"), locale=locale, viewport={"width": width, "height": 800}).page

    def two_stores(route):
        answer = route.fetch()
        stores = json.dumps([{"code": "hanok", "name": "한옥마당 강남역 본점"}, {"code": "other", "name": "Harbor Plaza"}])
        route.fulfill(response=answer, body=re.sub(r'"stores": \[.*?\]', lambda _: f'"stores": {stores}', answer.text()))

    page.route("**/admin/board/", two_stores)
    hanok.order(table, DISH)
    hanok.call(other_table, "water")
    page.goto("/admin/board/")
    Board(page)
    expect(page.locator(".count")).to_have_count(2)
    assert page.get_by_role("heading", level=1).evaluate("(name) => getComputedStyle(name).clipPath") == "inset(50%)"
    assert middle_of(page.get_by_role("combobox"))[1] == pytest.approx(middle_of(page.locator("[data-action=settings]"))[1], abs=2)


def test_the_bell_is_large_enough_for_a_finger_on_a_small_screen(open_board):
    bell = open_board("hanok-manager", viewport={"width": 1024, "height": 768}).page.locator("[data-action=sound]").bounding_box()
    assert min(bell["width"], bell["height"]) >= 44


@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 800}, {"width": 390, "height": 844}])
def test_the_counts_lead_to_what_has_waited_longest(open_board, hanok, viewport):
    for number in ("9", "6", "8"):
        hanok.order(number, DISH, OTHER, DRINK, SET)
    hanok.call("8", "water")
    board = open_board("hanok-manager", viewport=viewport)
    page = board.page
    new, called = (page.locator(f"[data-action={action}]") for action in ("find-new", "find-call"))
    page.get_by_role("searchbox").fill("nowhere")
    expect(page.locator(".nowhere")).to_be_visible()
    expect(new).to_have_text("3 new")  # although none of them is shown
    for count, number in ((new, "9"), (new, "6"), (called, "8"), (new, "9")):
        assert count.bounding_box()["height"] >= 44
        count.click()
        expect(board.card(number)).to_be_focused()
        expect(board.card(number)).to_contain_class("found")
        expect(board.card(number).locator("header")).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("searchbox")).to_have_value("")
    page.mouse.wheel(0, 10_000)
    expect(new).to_be_in_viewport(ratio=1)
    for number in ("6", "8", "9"):
        hanok.clear(number)


def test_the_count_of_calls_leads_to_what_nobody_has_heard_first(board, hanok):
    for number in ("9", "6", "8"):
        hanok.call(number, "water")
    board.taps("acknowledge", board.card("9"))
    called = board.page.locator("[data-action=find-call]")
    expect(called).to_have_text("3 calling")
    for number in ("6", "8", "9", "6"):
        called.click()
        expect(board.card(number)).to_be_focused()
    board.taps("acknowledge", board.card("6"))
    for number in ("8", "9", "6", "8"):
        called.click()
        expect(board.card(number)).to_be_focused()
    for number in ("6", "8", "9"):
        hanok.clear(number)


def test_on_a_phone_no_toast_lies_over_the_counts(open_board, hanok, table):
    hanok.order(table, DISH)
    board = open_board("hanok-manager", viewport={"width": 390, "height": 844})
    page, count = board.page, board.page.locator("[data-action=find-new]")
    for band in (".band.hint", ".band.bad"):
        expect(page.locator(band)).to_be_visible()
        page.evaluate("import('/static/board/attempt.js').then(({ say }) => say({ name: 'noNetwork', about: 'Table 7 · #3' }))")
        expect(page.locator(".toast p")).to_be_visible()
        toast, counted = page.locator(".toast p").bounding_box(), count.bounding_box()
        assert toast["y"] + toast["height"] < counted["y"] or toast["y"] > counted["y"] + counted["height"]
        page.context.set_offline(True)


def test_the_filter_finds_a_table_and_hides_free_ones(board, hanok, table):
    hanok.order(table, DISH)
    expect(board.card(table)).to_be_visible()
    board.taps("only-busy")
    expect(board.page.locator(".free")).to_have_count(0)
    board.page.get_by_role("searchbox").fill("nowhere")
    expect(board.page.locator(".nowhere")).to_be_visible()
    board.page.reload()
    expect(board.card(table)).to_be_visible()
    expect(board.page.locator("[data-action=only-busy]")).to_have_attribute("aria-pressed", "true")  # chosen for this screen
    expect(board.page.locator(".free")).to_have_count(0)


def test_what_the_filter_finds_is_seen_from_its_beginning(open_board, hanok):
    for number in ("1", "10", "11", "12"):
        hanok.order(number, DISH, OTHER, "마당 정식")
    board = open_board("hanok-manager", viewport={"width": 1024, "height": 400})
    expect(board.card("12")).to_be_visible()
    board.page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    board.page.get_by_role("searchbox").fill("1")
    expect(board.card("1")).to_be_in_viewport()
    for number in ("1", "10", "11", "12"):
        hanok.clear(number)


def test_cards_stay_where_they_are_while_their_tables_are_busy(open_board, hanok):
    for number in ("6", "8", "9"):
        hanok.order(number, DISH)
    board = open_board("hanok-manager")
    page = board.page
    expect(page.locator(".card")).to_have_count(3)

    def columns():
        return page.evaluate(
            "[...document.querySelectorAll('.column')].map((column) => [...column.children].map((card) => card.dataset.table))"
        )

    assert columns() == [["6"], ["8"], ["9"]]
    page.keyboard.press("Tab")
    board.card("9").locator("[data-action=line-step]").focus()
    hanok.order("2", DISH)
    expect(board.card("2")).to_be_visible()
    assert columns() == [["6", "2"], ["8"], ["9"]]
    hanok.complete("8")
    expect(board.card("8")).to_have_count(0)
    hanok.order("11", DISH)
    expect(board.card("11")).to_be_visible()
    assert columns() == [["6", "2"], ["11"], ["9"]]
    expect(board.card("9").locator("[data-action=line-step]")).to_be_focused()
    page.set_viewport_size({"width": 700, "height": 800})
    expect(page.locator(".column")).to_have_count(1)
    assert columns() == [["2", "6", "9", "11"]]
    expect(board.card("9").locator("[data-action=line-step]")).to_be_focused()
    for number in ("2", "6", "9", "11"):
        hanok.clear(number)


def test_a_new_card_comes_where_there_is_room_to_see_it(open_board, hanok):
    hanok.order("6", DISH, OTHER, DRINK)
    hanok.order("8", DISH)
    hanok.order("9", DISH, OTHER)
    page = open_board("hanok-manager").page
    expect(page.locator(".card")).to_have_count(3)
    hanok.order("2", DISH)
    expect(page.locator(".column", has=page.locator("[data-table='2']")).locator(".card").first).to_have_attribute("data-table", "8")
    for number in ("2", "6", "8", "9"):
        hanok.clear(number)


COUNT_WORK = """async () => {
  const { state } = await import("/static/board/state.js");
  const { shown } = state.board;
  window.work = { draws: 0, measures: 0 };
  state.board.shown = function () { work.draws += 1; return shown.call(this); };
  const { get } = Object.getOwnPropertyDescriptor(HTMLElement.prototype, "offsetHeight");
  Object.defineProperty(HTMLElement.prototype, "offsetHeight", { get() { work.measures += 1; return get.call(this); } });
  const { getComputedStyle: computed } = window;
  window.getComputedStyle = (...given) => { work.measures += 1; return computed(...given); };
}"""


def test_an_idle_board_does_not_draw_and_measure_all_the_time(board, hanok, table, other_table):
    page = board.page
    order = hanok.move(hanok.order(table, DISH), "preparing")
    expect(board.order(order)).to_contain_text("just now")
    page.evaluate(COUNT_WORK)
    page.wait_for_timeout(11_000)
    work = page.evaluate("work")
    assert 1 <= work["draws"] <= 3 and work["measures"] == 0
    new = hanok.order(other_table, DISH)  # which is told in seconds, and needs a place
    expect(board.order(new)).to_be_visible()
    assert page.evaluate("work.measures") > 0
    page.evaluate("Object.assign(work, { draws: 0, measures: 0 })")
    page.wait_for_timeout(4000)
    assert 0 < page.evaluate("work.draws") <= 6 and page.evaluate("work.measures") == 0
    page.set_viewport_size({"width": 700, "height": 800})
    expect(page.locator(".column")).to_have_count(1)


def test_each_step_says_aloud_what_it_moves_after_the_words_that_are_seen(board, hanok, table):
    order = hanok.order(table, DISH, OTHER)
    buttons = board.order(order).get_by_role("button")
    expect(buttons).to_have_count(3)
    whole, first, second = buttons.all()
    expect(whole).to_have_accessible_name(f"Start all: order {order['number']}")
    for step, name in ((first, DISH), (second, OTHER)):
        expect(step).to_have_accessible_name(re.compile(f"^Start: {name}.*, order {order['number']}$"))
    first.click()
    undo = board.order(order).locator("[data-action=undo]")
    expect(undo).to_have_accessible_name(re.compile(rf"^Undo \d: {DISH}.*, order {order['number']}$"))
    undo.click()
    board.page.wait_for_timeout(600)  # a second tap is not meant
    board.taps("order-step", board.order(order))
    expect(undo).to_have_accessible_name(re.compile(rf"^Undo \d: order {order['number']}$"))


def test_what_is_done_to_a_table_is_said_aloud_with_its_name(board, hanok, table):
    hanok.order(table, DISH)
    hanok.call(table, "water")
    named = {
        "acknowledge": f"New order · calling Got it: Table {table}",
        "open": f"Open: Table {table}",
        "complete": f"Complete: Table {table}",
    }
    for action, name in named.items():
        expect(board.card(table).locator(f"[data-action={action}]")).to_have_accessible_name(name)
    board.has_unsettled(table)
    for action, name in {"open-unsettled": f"Open: Table {table}", "settle": f"Settle: Table {table}"}.items():
        expect(board.card(table).locator(f"[data-action={action}]")).to_have_accessible_name(name)


def test_a_board_that_is_open_for_months_does_not_keep_all_that_is_over(board):
    script = """async () => {
        const { BoardState } = await import("/static/board/board_state.js");
        const kept = new BoardState({ tables: [] });
        const call = (number, state) => kept.take({ type: "call.changed", data: { id: `c${number}`, state } });
        for (let number = 0; number < 5000; number += 1) call(number, "resolved");
        call(4999, "open");
        return [kept.over.size, kept.calls.size];
    }"""
    size, calls = board.page.evaluate(script)
    assert size <= 1000 and calls == 0


def test_what_has_an_edge_by_its_ground_has_one_without_grounds_too(open_board, hanok, table, other_table):
    hanok.order(table, DISH)
    hanok.move(hanok.order(other_table, DISH), "preparing")
    board = open_board("hanok-manager", forced_colors="active")
    width = "(element) => parseFloat(getComputedStyle(element).borderTopWidth)"
    expect(board.card(other_table)).to_be_visible()
    assert board.card(table).evaluate(width) > board.card(other_table).evaluate(width) > 0  # what is new stands out
    assert board.page.locator(".free li").first.evaluate(width) > 0
    ground = "(element) => getComputedStyle(element).backgroundColor"
    board.taps("only-busy")
    pressed, other = (board.page.locator(f"[data-action={name}]").evaluate(ground) for name in ("only-busy", "settings"))
    assert pressed != other
    board.taps("settings")
    assert board.dialog().evaluate(width) > 0


# --- The connection ---------------------------------------------------------------------------------------------


def test_a_lost_connection_shows_within_two_seconds_and_heals(board, hanok, table):
    page = board.page
    page.context.set_offline(True)
    expect(page.locator("[data-stale]")).to_be_visible(timeout=2000)
    expect(page.get_by_role("alert").get_by_role("timer")).to_have_text("3 s")  # which is not read aloud
    order = hanok.order(table, DISH)
    page.context.set_offline(False)
    expect(page.locator("[data-stale]")).to_have_count(0)
    expect(board.order(order)).to_be_visible()


def test_a_lost_connection_shows_in_an_open_dialog_too(board, hanok, table):
    page = board.page
    hanok.order(table, DISH)
    board.taps("complete", board.card(table))
    page.context.set_offline(True)
    expect(board.dialog().locator("[data-stale]")).to_be_visible(timeout=2000)
    expect(page.locator("[data-stale]")).to_have_count(1)  # it is read aloud
    answer, band = (board.dialog().locator(part).bounding_box() for part in ("[data-action=do-complete]", ".band"))
    assert answer["y"] + answer["height"] <= band["y"]
    board.taps("keep")
    expect(page.locator("[data-stale]")).to_have_count(1)
    page.context.set_offline(False)
    expect(page.locator("[data-stale]")).to_have_count(0)


def test_who_is_signed_out_can_sign_in_from_an_open_dialog(board, hanok, table):
    board.taps("settings")
    board.page.evaluate("import('/static/board/state.js').then(({ change }) => change({ signedOut: true }))")
    with board.page.expect_request("**/admin/login/**"):
        board.dialog().get_by_role("link", name="Sign in").click()


def test_a_stream_that_breaks_shows_although_the_server_answers(board):
    page = board.page
    page.route("**/staff/events*", lambda route: route.abort())
    page.evaluate("dispatchEvent(new Event('offline'))")  # ends the stream; everything else goes on
    expect(page.locator("[data-stale]")).to_be_visible(timeout=3000)
    page.unroute("**/staff/events*")
    expect(page.locator("[data-stale]")).to_have_count(0, timeout=20_000)


def test_a_board_survives_a_restart_of_the_server(server, board, guest, hanok, table):
    server.stop()
    expect(board.page.locator("[data-stale]")).to_be_visible(timeout=3000)
    server.start()
    order = hanok.order(table, DISH)
    expect(board.order(order)).to_be_visible(timeout=15_000)
    expect(board.page.locator("[data-stale]")).to_have_count(0)
    expect(guest.page.locator("[data-action=bill]")).to_contain_text("₩", timeout=20_000)
    guest.at_the_menu()


def test_two_boards_agree(board, open_board, hanok, table):
    other = open_board("hanok-owner")
    orders = [hanok.order(table, DISH), hanok.order(table, OTHER, DRINK)]
    hanok.move(orders[0], "preparing")
    hanok.call(table, "water")
    for shown in (board, other):
        expect(line_of(shown, orders[0], DISH)).to_have_attribute("data-status", "preparing", timeout=2000)
        expect(board.order(orders[1])).to_be_visible(timeout=2000)
        expect(shown.card(table).locator("[data-call=water]")).to_be_visible(timeout=2000)
    assert board.card(table).locator("[data-total]").inner_text() == other.card(table).locator("[data-total]").inner_text()


# --- Who may --------------------------------------------------------------------------------------------------


def test_a_manager_has_the_board_and_nothing_else(board):
    page = board.page
    board.taps("settings")
    expect(board.dialog()).to_contain_text("Manager")
    expect(board.dialog().get_by_role("link", name="History")).to_have_count(0)
    page.goto("/admin/")
    page.click("a[href='/admin/board/']")
    page.wait_for_selector("[data-sign=live]")
    assert page.goto("/admin/orders/order/").status == 403


@pytest.mark.parametrize("person", ["hanok-manager", "hanok-owner"])
def test_a_store_without_tables_says_where_they_are_made(open_board, hanok, person):
    board = open_board(person, locale="ko-KR")
    board.page.route("**/staff/board", lambda route: route.fulfill(json=route.fetch().json() | {"tables": []}))
    board.page.reload()
    nowhere = board.page.locator(".nowhere", has_text="아직 테이블이 없습니다")
    if person == "hanok-owner":
        nowhere.get_by_role("link").click()
        expect(board.page.locator("[name=up_to]")).to_be_visible()
    else:
        nowhere.get_by_role("button").click()
        expect(board.dialog().locator("[data-action=add-table]")).to_be_visible()


def opened_tables(board):
    board.taps("settings")
    board.taps("tables", board.dialog())
    return board.dialog()


def test_a_manager_cuts_off_a_tablet(guest, board, hanok, table):
    opened_tables(board).locator(f"[data-row='{table}']").locator("[data-action=cut-off]").click()
    board.page.wait_for_timeout(600)  # a second tap is not meant
    board.taps("do-cut-off", board.dialog())
    expect(board.dialog().get_by_role("status").first).to_have_text(f"Table {table}: the tablet is cut off.")
    expect(board.dialog().locator(f"[data-row='{table}']")).to_be_focused()
    expect(guest.page.get_by_text("Staff signed this tablet out")).to_be_visible(timeout=20_000)
    hanok.forget_device(table)


def test_a_manager_adds_a_table_and_changes_it(board, hanok):
    def fill(**fields):
        for name, value in fields.items():
            dialog.locator(f"[name={name}]").fill(value)
        board.taps("save-table", dialog)

    dialog = opened_tables(board)
    board.taps("add-table", dialog)
    fill(number="Terrace")
    expect(dialog.locator("[name=password]:invalid")).to_be_visible()  # a tablet needs one
    fill(number="1", password="terrace-1")
    expect(dialog.get_by_role("alert")).to_contain_text("This store has a table with that number.")
    dialog.locator("[name=number]").fill("Terrace")
    expect(dialog.get_by_role("alert")).to_have_count(0)
    board.taps("save-table", dialog)
    expect(dialog.locator("[data-row=Terrace]")).to_be_focused()  # the last of the list
    expect(dialog.locator("[data-row=Terrace]")).to_be_in_viewport(ratio=1)
    expect(dialog.get_by_role("status").first).to_have_text("Table Terrace: saved.")
    board.taps("change-table", dialog.locator("[data-row=Terrace]"))
    expect(dialog.locator("[name=number]")).to_have_value("Terrace")
    board.page.wait_for_timeout(600)
    dialog.get_by_role("switch").click()
    fill(number="Garden", password="garden-22")
    expect(dialog.locator("[data-row=Garden]")).to_contain_text("Not in use")
    hanok.read_again()
    hanok.ask("PATCH", f"staff/tables/{hanok.tables['Garden']}", is_active=True)
    signed_in = hanok.ask("POST", "tablet/login", store="hanok", table="Garden", password="garden-22")
    assert signed_in["table"]["id"] == hanok.tables["Garden"]
    hanok.ask("PATCH", f"staff/tables/{hanok.tables['Garden']}", is_active=False)


def test_a_table_with_a_party_is_not_taken_out_of_use_unasked(board, hanok, table):
    order = hanok.order(table, DISH)
    expect(board.card(table)).to_be_visible()
    dialog = opened_tables(board)
    board.taps("change-table", dialog.locator(f"[data-row='{table}']"))
    expect(dialog).not_to_contain_text("cut off at once")
    board.page.wait_for_timeout(600)  # a second tap is not meant
    dialog.get_by_role("switch").click()
    expect(dialog).to_contain_text("Once saved, its tablet is cut off at once.")
    board.taps("save-table", dialog)
    expect(dialog).to_contain_text(f"₩{order['total']:,}")
    board.taps("keep", dialog)
    expect(dialog.get_by_role("switch")).not_to_be_checked()
    assert hanok.board(table)["is_active"]
    board.page.wait_for_timeout(600)
    board.taps("save-table", dialog)
    board.taps("do-switch-off", dialog)
    expect(dialog.locator(f"[data-row='{table}']")).to_contain_text("Not in use")
    board.taps("change-table", dialog.locator(f"[data-row='{table}']"))
    expect(dialog.get_by_role("switch")).not_to_be_checked()
    expect(dialog).not_to_contain_text("cut off at once")  # it is already
    board.page.wait_for_timeout(600)
    dialog.get_by_role("switch").click()
    board.taps("save-table", dialog)
    expect(dialog.locator(f"[data-row='{table}']")).to_be_focused()
    hanok.forget_device(table)


def test_an_owner_finds_the_history_from_the_board(open_board):
    board = open_board("hanok-owner")
    board.taps("settings")
    with board.page.expect_navigation() as history:
        board.dialog().get_by_role("link", name="History").click()
    assert history.value.ok and board.page.url.endswith("/admin/sessions_app/tablesession/")


def test_another_stores_board_is_not_there(board):
    assert board.page.goto("/admin/board/?store=plaza").status == 404
    assert board.page.goto("/admin/board/?store=nowhere").status == 404


def test_three_steps_end_with_completed(open_board, restaurants):
    plaza: Restaurant = restaurants["plaza"]
    board = open_board("plaza-owner")
    order = plaza.order("2", "Caesar Salad")
    order = plaza.move(order, "preparing")
    expect(board.order(order)).to_contain_text("Mark done")
    plaza.move(order, "served")
    expect(board.order(order)).to_contain_text("Completed")
    plaza.clear("2")


@pytest.mark.parametrize(
    ("before", "after", "tapped", "offered", "status"),
    [(4, 3, "Mark ready", "Mark done", "served"), (3, 4, "Mark done", "Mark ready", "ready")],
)
def test_an_open_board_goes_on_with_the_steps_that_the_owner_has_changed(
    open_board, hanok, table, set_steps, before, after, tapped, offered, status
):
    set_steps(before)
    board = open_board("hanok-manager", clock=True)
    order = hanok.move(hanok.order(table, DISH), "preparing")
    step = board.order(order).locator("[data-action=line-step]")
    expect(step).to_have_text(tapped)
    set_steps(after)
    step.click()
    board.page.clock.run_for(6000)
    expect(board.page.locator(".toast")).to_have_text(
        f"Table {table} · #{order['number']} The kitchen's steps have changed. Please tap again."
    )
    expect(step).to_have_text(offered)
    step.click()
    board.page.clock.run_for(6000)
    expect(board.order(order)).to_have_attribute("data-status", status)
    assert status_of(hanok, order) == status


def test_the_board_speaks_korean_and_english(open_board, hanok, table):
    hanok.order(table, DISH)
    board = open_board("hanok-manager", locale="ko-KR")
    expect(board.card(table)).to_contain_text("새 주문")
    board.taps("settings")
    board.dialog().get_by_role("button", name="English").click()
    expect(board.card(table)).to_contain_text("New order")
    board.page.reload()
    expect(board.card(table)).to_contain_text("New order")


def test_signing_out_of_the_admin_ends_the_board_beside(open_page):
    page = open_page(None).page
    sign_in_at_the_admin(page, "hanok-owner")
    Board(page)
    beside = page.context.new_page()
    beside.goto("/admin/")
    beside.click("#logout-form button")
    expect(page.get_by_role("alert")).to_contain_text("You are signed out", timeout=25_000)


def test_a_guest_is_not_a_member_of_staff(guest, board, table, hanok):
    token = guest.page.evaluate("JSON.parse(localStorage.getItem('tableorder.device')).access")
    assert hanok.http.get("staff/board", headers={"Authorization": f"Bearer {token}"}).status_code == 403
