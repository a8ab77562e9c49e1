"""The admin in a browser: what Django leaves to the page."""

from contextlib import nullcontext

import pytest
from PIL import ExifTags, Image
from playwright.sync_api import expect

from menus.images import MAX_BYTES
from menus.models import MAX_STOCK

from .conftest import LANDSCAPE
from .people import sign_in_at_the_admin
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


def test_what_was_typed_outlives_the_session(open_admin):
    page = open_admin("/admin/menus/optiongroup/add/", locale="ko-KR")
    page.fill("[name=name]", "오래 쓴 것")
    page.fill("[name=options-0-name]", "하나")
    page.context.clear_cookies(name="sessionid")
    page.click("[name=_continue]")
    expect(page.get_by_role("alert")).to_contain_text("로그인이 끝나")
    with page.context.expect_page() as opened:
        page.get_by_role("alert").locator("a").click()
    sign_in_at_the_admin(opened.value, "hanok-owner")
    page.click("[name=_continue]")
    expect(page.locator(".messagelist .success")).to_contain_text("오래 쓴 것")
    expect(page.locator("[name=options-0-name]")).to_have_value("하나")


PHOTO = """async (field) => {
  const picture = await createImageBitmap(field.files[0]);
  return [field.files[0].type, picture.width, picture.height];
}"""


def test_a_phones_photo_is_made_small_enough_before_it_is_sent(open_admin, tmp_path):
    """Twelve megapixels lying on their side, 8 MB. Refused with 413, they took along all that was typed."""
    photo, turned = Image.effect_noise((4032, 3024), 100).convert("RGB"), Image.Exif()
    turned[ExifTags.Base.Orientation] = 6
    photo.save(tmp_path / "photo.jpg", quality=80, exif=turned)
    assert (tmp_path / "photo.jpg").stat().st_size > MAX_BYTES
    page = open_admin("/admin/menus/item/add/", locale="ko-KR", viewport=PHONE)
    field, save = page.locator("[name=new_image]"), page.locator("[name=_save]")
    field.set_input_files(tmp_path / "photo.jpg")
    expect(save).to_be_enabled()  # it waits for the smaller one
    assert field.evaluate("(field) => field.files[0].size") <= MAX_BYTES
    assert field.evaluate(PHOTO) == ["image/jpeg", 1500, 2000]

    Image.linear_gradient("L").resize((6000, 8000)).save(tmp_path / "many-pixels.jpg")
    assert (tmp_path / "many-pixels.jpg").stat().st_size < MAX_BYTES
    field.set_input_files(tmp_path / "many-pixels.jpg")
    expect(save).to_be_enabled()
    assert field.evaluate(PHOTO) == ["image/jpeg", 1500, 2000]


def test_a_file_that_is_too_large_and_no_picture_is_refused_before_it_is_sent(open_admin, tmp_path):
    """Its answer would be a page that knows nothing of what was typed."""
    page = open_admin("/admin/menus/item/add/", locale="ko-KR", viewport=PHONE)
    field, complaint = page.locator("[name=new_image]"), page.locator(".field-new_image .errorlist")
    (tmp_path / "broken.jpg").write_bytes(bytes(MAX_BYTES + 1))
    field.set_input_files(tmp_path / "broken.jpg")
    expect(complaint).to_have_text("사진은 5MB까지 올릴 수 있습니다.")
    assert field.evaluate("(field) => field.files.length") == 0
    (tmp_path / "small.jpg").write_bytes(b"as it is")
    field.set_input_files(tmp_path / "small.jpg")
    expect(page.locator("[name=_save]")).to_be_enabled()
    expect(complaint).to_have_count(0)
    assert field.evaluate("(field) => field.files[0].size") == 8  # the server says what is wrong with it


def test_a_dishs_name_is_readable_on_a_phone(open_admin):
    page = open_admin("/admin/menus/item/", locale="ko-KR", viewport=PHONE)
    narrowest = page.locator("#result_list .field-name").evaluate_all("cells => Math.min(...cells.map((cell) => cell.clientWidth))")
    assert narrowest > 80  # it was one letter wide


@pytest.mark.parametrize(("person", "locale"), [("hanok-owner", "ko-KR"), ("plaza-owner", "en-US")])
@pytest.mark.parametrize("category", ["all", "one"])
def test_on_a_phone_price_sold_out_and_stock_are_changed_without_moving_the_list(open_page, cookies_of, person, locale, category):
    page = open_page("/admin/menus/item/", cookies=cookies_of(person), locale=locale, viewport=PHONE).page
    if category == "one":
        page.locator("#changelist-filter a[href*='category__id__exact=']").first.click()
        expect(page.locator(".handle").first).to_be_visible()
    assert page.locator(".results").evaluate("(list) => list.scrollWidth - list.clientWidth") <= 0
    for field in ("[name=form-0-price]", "[name=form-0-sold_out]", "[name=form-0-stock]", "[name=_save]"):
        box = page.locator(field).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"], field
    page.fill("[name=form-0-stock]", str(MAX_STOCK))
    assert page.locator("[name=form-0-stock]").evaluate("(field) => field.scrollWidth - field.clientWidth") <= 0


@pytest.mark.parametrize(("person", "locale", "width"), [("hanok-owner", "ko-KR", 1024), ("admin", "en-US", 1280)])
@pytest.mark.parametrize("records", ["orders/order", "sessions_app/tablesession"])
def test_no_amount_is_cut_off(open_page, cookies_of, hanok, table, person, locale, width, records):
    """Half of ₩216,000 looks like a whole one."""
    hanok.order(table, "해물파전", quantity=9)
    hanok.rename(table, "창가 넓은 자리 열두 명")
    try:
        page = open_page(f"/admin/{records}/", cookies=cookies_of(person), locale=locale, viewport={"width": width, "height": 900}).page
        hidden = page.locator(".results").evaluate("(list) => list.scrollWidth - list.clientWidth")
        assert hidden <= 0
    finally:
        hanok.rename("창가 넓은 자리 열두 명", table)


LONGEST = "아" * 100


@pytest.fixture
def long_named(hanok, table):
    """A dish whose name has no space in it, ordered and cancelled; it has the options of the set."""
    dish = hanok.items["마당 정식"]
    hanok.change_item("마당 정식", name=LONGEST)
    order = hanok.order(table, "마당 정식", note="덜 맵게 해 주시고 아이 수저도 하나 부탁드립니다")
    lines = [{"line": order["lines"][0]["id"], "quantity": 1}]
    hanok.ask("POST", f"staff/orders/{order['id']}/cancel", reason="재료 소진", version=order["version"], lines=lines)
    return {"item": dish["id"], "order": order["id"], "bill": hanok.board(table)["session"]["id"]}


LISTS = ["menus/item/", "orders/order/", "sessions_app/tablesession/", "stores/auditentry/", "stores/membership/"]
RECORDS = ["menus/item/{item}/change/", "orders/order/{order}/change/", "sessions_app/tablesession/{bill}/change/"]


@pytest.mark.parametrize(("person", "viewport"), [("hanok-owner", LANDSCAPE), ("hanok-owner", PHONE), ("admin", PHONE)])
def test_no_list_or_record_is_moved_sideways(open_page, cookies_of, long_named, person, viewport):
    page = open_page("", cookies=cookies_of(person), locale="ko-KR", viewport=viewport).page
    cut_off = {}
    for path in LISTS + RECORDS:
        page.goto(f"/admin/{path.format(**long_named)}")
        tables = page.locator(".results, .inline-group .tabular")
        expect(tables.first).to_be_visible()
        cut_off[path] = tables.evaluate_all("all => Math.max(...all.map((each) => each.scrollWidth - each.clientWidth))")
    assert {path: hidden for path, hidden in cut_off.items() if hidden > 0} == {}


def test_on_a_phone_what_was_cancelled_is_told_apart_from_what_was_ordered(open_admin, long_named):
    """Its lines have no column above them that would say so."""
    page = open_admin(f"/admin/sessions_app/tablesession/{long_named['bill']}/change/", viewport=PHONE)
    row = page.locator("tr.has_original")
    expect(row.locator(".field-cancelled")).to_have_attribute("data-label", "cancelled", ignore_case=True)
    expect(row.locator(".field-dishes")).to_be_hidden()  # nothing is left of it


@pytest.mark.parametrize("viewport", [LANDSCAPE, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize(
    ("path", "field", "longest"),
    [("item/add/", "price", "10000000"), ("item/", "form-0-price", "10000000"), ("optiongroup/add/", "options-0-price_delta", "-10000000")],
)
def test_no_price_is_cut_off_where_it_is_typed(open_admin, path, field, longest, viewport):
    """29000 looked like 2900."""
    price = open_admin(f"/admin/menus/{path}", viewport=viewport).locator(f"[name={field}]")
    price.fill(longest)
    price.hover()  # then the arrows show, in a number's field
    assert price.evaluate("(field) => field.scrollWidth - field.clientWidth") <= 0


def test_on_a_phone_an_options_price_stands_beside_its_name(open_admin):
    price = open_admin("/admin/menus/optiongroup/add/", locale="ko-KR", viewport=PHONE).locator("[name=options-0-price_delta]")
    box = price.bounding_box()
    assert box["x"] + box["width"] <= PHONE["width"]


def test_the_arrow_keys_move_a_row_that_the_mouse_would_drag(open_admin):
    page = open_admin("/admin/menus/category/")
    names = page.locator("#result_list .field-name")
    first, second, third, *others = names.all_inner_texts()
    page.locator(".handle").nth(2).focus()
    for key, now in (
        ("ArrowUp", [first, third, second]),
        ("ArrowUp", [third, first, second]),
        ("ArrowUp", [third, first, second]),  # it is the first
        ("ArrowDown", [first, third, second]),
        ("ArrowDown", [first, second, third]),
    ):
        with page.expect_response("**/adminsortable2_update/") if names.all_inner_texts()[:3] != now else nullcontext():
            page.keyboard.press(key)
        expect(names).to_have_text([*now, *others])
        page.reload()
        expect(names).to_have_text([*now, *others])
        page.locator(".handle").nth(now.index(third)).focus()


def test_quick_presses_end_as_they_are_seen(open_admin):
    page = open_admin("/admin/menus/category/")
    names = page.locator("#result_list .field-name")
    before = names.all_inner_texts()
    answered = []
    page.on("response", lambda answer: answered.append(answer.status))
    page.locator(".handle").last.focus()
    for key in ("ArrowUp", "ArrowDown"):
        answered.clear()
        for _ in before[1:]:
            page.keyboard.press(key)  # the row keeps the focus
        now = [before[-1], *before[:-1]] if key == "ArrowUp" else before
        expect(names).to_have_text(now)
        for _ in range(500):
            if len(answered) == len(before) - 1:
                break
            page.wait_for_timeout(20)
        expect(open_admin("/admin/menus/category/").locator("#result_list .field-name")).to_have_text(now)


def test_what_could_not_be_moved_stands_where_it_was(open_admin):
    page = open_admin("/admin/menus/category/")
    names = page.locator("#result_list .field-name")
    before = names.all_inner_texts()
    page.route("**/adminsortable2_update/", lambda route: route.abort())
    page.locator(".handle").first.focus()
    with page.expect_navigation():
        page.keyboard.press("ArrowDown")
    expect(names).to_have_text(before)


def test_the_arrow_keys_move_an_option(open_admin):
    page = open_admin("/admin/menus/optiongroup/")
    page.locator("#result_list tbody th a").first.click()
    names = page.locator("tr.has_original .field-name input[type=text]")
    names.first.wait_for()
    first, second, *others = names.evaluate_all("inputs => inputs.map((input) => input.value)")
    for now in ([second, first, *others], [first, second, *others]):
        page.locator("tr.has_original td.original p").first.focus()
        page.keyboard.press("ArrowDown")
        with page.expect_navigation():  # a page asks whether its person is signed in before it goes
            page.locator("[name=_continue]").click()
        expect(page.locator(".messagelist .success")).to_be_visible()
        assert names.evaluate_all("inputs => inputs.map((input) => input.value)") == now
