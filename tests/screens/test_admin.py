"""The admin in a browser: what Django leaves to the page."""

import pytest
from playwright.sync_api import expect

from .test_access import AXE, SET

NAMED = {"type": "rule", "values": ["label", "select-name", "link-name", "button-name", "image-alt"]}
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def open_admin(open_page, cookies_of):
    return lambda path, **options: open_page(path, cookies=cookies_of("hanok-owner"), **options).page


@pytest.mark.parametrize(("path", "then"), [("category/", ""), ("item/", ""), ("item/", SET), ("optiongroup/add/", "")])
def test_every_field_and_link_has_a_name(open_admin, path, then):
    page = open_admin(f"/admin/menus/{path}")
    if then:
        page.click(f"text={then}")
        expect(page.locator("[name=choices-0-group]")).to_be_visible()
    page.evaluate(AXE)
    found = page.evaluate("(rules) => axe.run(document, { runOnly: rules, resultTypes: ['violations'] })", NAMED)
    assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []


def test_a_double_click_saves_once(open_admin):
    page = open_admin("/admin/menus/optiongroup/add/", locale="ko-KR")
    page.fill("[name=name]", "두 번 누름")
    page.fill("[name=options-0-name]", "하나")
    sent = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.route("**/optiongroup/add/", lambda route: (page.wait_for_timeout(500), route.continue_()))
    box = page.locator("[name=_save]").bounding_box()
    for count in (1, 2):
        page.mouse.move(box["x"] + 9, box["y"] + 9)
        page.mouse.down(click_count=count)
        page.mouse.up(click_count=count)
        page.wait_for_timeout(100)
    expect(page.locator(".messagelist .success")).to_have_text("옵션 그룹 “두 번 누름” 항목을 추가했습니다.")
    assert len(sent) == 1


def test_a_dishs_name_is_readable_on_a_phone(open_admin):
    page = open_admin("/admin/menus/item/", locale="ko-KR", viewport=PHONE)
    narrowest = page.locator("#result_list .field-name").evaluate_all("cells => Math.min(...cells.map((cell) => cell.clientWidth))")
    assert narrowest > 80  # it was one letter wide
