"""A real browser, and the real program to show in it. Without Chromium these tests are skipped, but never in CI."""

import os
import shutil
from functools import cache
from itertools import cycle

import pytest
from playwright.sync_api import expect, sync_playwright

from .people import Board, Guest, Watched, sign_in_at_the_admin
from .restaurant import Restaurant, as_text, open_restaurant

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--autoplay-policy=user-gesture-required"),
]
LANDSCAPE = {"width": 1280, "height": 800}

# What a tablet finds when it is switched on, once. Playwright's storage_state would open a page of its own to write it.
SET_UP = """
if (location.protocol === "http:" && !localStorage.getItem("was-set-up")) {
  localStorage.setItem("was-set-up", "yes");
  localStorage.setItem("tableorder.device", %s);
}
"""

expect.set_options(timeout=10_000)


@pytest.fixture(scope="package")
def chromium():
    if not CHROMIUM:
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium is not installed: `make install-browser`")
        pytest.skip("without a browser: Chromium is not installed (`make install-browser`)")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright leaves an event loop running in this thread, which Django takes for asynchronous code.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def server(chromium, tmp_path_factory):
    with open_restaurant(tmp_path_factory.mktemp("screens")) as server:
        yield server


@pytest.fixture(scope="package")
def restaurants(server):
    return {code: Restaurant(server.address, code) for code in ("hanok", "plaza")}


@pytest.fixture
def hanok(restaurants):
    """The Korean store of the demo, of four steps, in won."""
    yield restaurants["hanok"]
    restaurants["hanok"].change_back()


@pytest.fixture
def plaza(restaurants):
    """The American store of the demo, of three steps, in dollars."""
    yield restaurants["plaza"]
    restaurants["plaza"].change_back()


_numbers = cycle([str(number) for number in range(1, 13)])


@pytest.fixture
def table(hanok):
    """The number of a table at which nobody sits."""
    yield from _free_table(hanok)


@pytest.fixture
def other_table(hanok):
    yield from _free_table(hanok)


def _free_table(restaurant):
    number = next(_numbers)
    yield number
    restaurant.clear(number)


@pytest.fixture
def open_page(chromium, server):
    """`open_page("/tablet/", device=...)`: a page in a browser of its own; at the end nothing must have gone wrong in it."""
    opened = []

    def open_(path, *, device=None, locale="en-US", viewport=LANDSCAPE, service_workers="block", cookies=(), clock=False, **more):
        context = chromium.new_context(
            base_url=server.address,
            locale=locale,
            viewport=viewport,
            service_workers=service_workers,
            **more,
        )
        context.add_cookies(list(cookies))
        if device:
            context.add_init_script(SET_UP % as_text(as_text(device)))
        watched = Watched(context)
        opened.append((context, watched))
        if clock:
            watched.page.clock.install()  # before anything sets a timer
        if path:
            watched.page.goto(path)
        return watched

    yield open_
    problems = [problem for _, watched in opened for problem in watched.problems]
    for context, _ in opened:
        context.close()
    assert not problems


@pytest.fixture
def guest(open_page, hanok, table):
    """A guest at the table, before the tablet with the menu on it."""
    return Guest(open_page("/tablet/", device=hanok.device(table)).page, hanok, table).at_the_menu()


@pytest.fixture(scope="package")
def cookies_of(chromium, server):
    """The cookies of a person who is signed in at the admin."""

    @cache
    def sign_in(username):
        context = chromium.new_context(base_url=server.address)
        sign_in_at_the_admin(context.new_page(), username)
        cookies = context.cookies()
        context.close()
        return cookies

    return sign_in


@pytest.fixture
def open_board(open_page, cookies_of):
    """`open_board("hanok-manager")`: the board of a person who is signed in at the admin."""

    def open_(username, *, path="/admin/board/", **options):
        return Board(open_page(path, cookies=cookies_of(username), **options).page)

    return open_


@pytest.fixture
def set_steps(open_page, cookies_of, hanok):
    """`set_steps(3)`: its owner chooses in the admin how many steps the kitchen has."""

    def set_(steps):
        page = open_page(f"/admin/stores/store/{hanok.store['id']}/change/", cookies=cookies_of("hanok-owner")).page
        page.select_option("[name=steps]", str(steps))
        page.click("[name=_save]")
        expect(page.locator(".messagelist .success")).to_be_visible()

    yield set_
    set_(4)
