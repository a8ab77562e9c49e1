"""The cards that help to set tablets up."""

import segno
from django.test import Client

from stores.models import Table
from stores.services import create_table
from tests.world import TABLE_PASSWORD

TABLES = "/admin/stores/table/"


def at_the_admin(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def printed(user, *tables, **headers):
    chosen = {"action": "print_cards", "index": "0", "_selected_action": [str(table.pk) for table in tables]}
    return at_the_admin(user).post(TABLES, chosen, **headers)


def code_of(address: str) -> str:
    """The squares of a code, as they stand in its SVG."""
    return segno.make(address, error="q", micro=False).svg_inline(omitsize=True, lineclass=None, svgclass="code")


def test_a_card_has_a_code_that_opens_the_tablet_with_store_and_table_filled_in(ours):
    page = printed(ours.owner, *ours.tables, HTTP_HOST="orders.example.com")
    text = page.content.decode()
    for table in ours.tables:
        assert code_of(f"http://orders.example.com/tablet/?store=ours&table={table.number}") in text
    assert text.count("<article>") == len(ours.tables)
    assert "ours house" in text


def test_the_password_is_nowhere_on_it(ours):
    page = printed(ours.owner, ours.table).content.decode()
    assert TABLE_PASSWORD not in page and ours.table.password not in page
    assert "password=" not in page


def test_a_tables_number_may_be_anything(ours):
    table = create_table(ours.store, number="</p><b>&한 1", password=TABLE_PASSWORD)
    page = printed(ours.owner, table).content.decode()
    assert "<b>" not in page
    assert code_of("http://testserver/tablet/?store=ours&table=%3C%2Fp%3E%3Cb%3E%26%ED%95%9C+1") in page


def test_another_stores_tables_are_not_printed(ours, theirs):
    page = printed(ours.owner, ours.table, theirs.table).content.decode()
    assert page.count("<article>") == 1
    assert "theirs" not in page


def test_each_tables_own_page_offers_its_card(ours):
    page = at_the_admin(ours.owner).get(f"{TABLES}{ours.table.pk}/change/").content.decode()
    assert 'value="print_cards"' in page


def test_printing_changes_nothing(ours):
    before = list(Table.objects.order_by("pk").values())
    page = printed(ours.owner, *ours.tables)
    assert list(Table.objects.order_by("pk").values()) == before
    assert "script-src 'self'" in page["Content-Security-Policy"]


def test_forty_cards_take_no_more_queries_than_two(ours, django_assert_max_num_queries):
    for number in range(100, 140):
        create_table(ours.store, number=str(number), password=TABLE_PASSWORD)
    client = at_the_admin(ours.owner)
    chosen = {"action": "print_cards", "index": "0", "_selected_action": [str(table.pk) for table in Table.objects.in_store(ours.store)]}
    with django_assert_max_num_queries(12):
        assert client.post(TABLES, chosen).content.decode().count("<article>") == 42


def test_a_long_number_is_set_smaller(ours):
    table = create_table(ours.store, number="Terrace 3", password=TABLE_PASSWORD)
    page = printed(ours.owner, ours.table, table).content.decode()
    assert '<p class="number" translate="no">1</p>' in page
    assert '<p class="number words" translate="no">Terrace 3</p>' in page
