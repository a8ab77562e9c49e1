"""Tables in the admin: by the services, so that tablets and the journal hear of every change."""

from menus.models import Item
from stores.models import Store, Table
from tests.world import TABLE_PASSWORD, events_of, tablet_of

from .desk import change_url, errors_of, list_url, messages_of, page, saved


def test_a_table_is_created_with_its_password(desk, ours):
    saved(desk.form(Table).send(number="Terrace 3", new_password="1234 5"))
    table = Table.objects.get(number="Terrace 3")
    assert table.store == ours.store
    assert table.check_password("1234 5")
    assert events_of(ours)[-1] == "table.changed"


def test_the_stored_password_is_never_shown(desk, ours):
    page_of_table = desk.get(change_url(ours.table)).content.decode()
    assert ours.table.password not in page_of_table
    assert desk.form(Table, ours.table).fields["new_password"] == ""


def test_a_number_that_is_taken_is_said_beside_it(desk, ours):
    assert "This store has a table with that number" in errors_of(desk.form(Table).send(number="1", new_password="1234"))
    assert "This store has a table with that number" in errors_of(desk.form(Table, ours.tables[1]).send(number="1"))
    assert "at least 4" in errors_of(desk.form(Table).send(number="9", new_password="123"))
    assert Table.objects.count() == 2


def test_a_number_that_no_tablet_could_sign_in_with_is_refused(desk, ours):
    """A line break of an office program. The API takes no such text, so neither does a form."""
    for number in ("9\x0b", "9\x1b1"):
        assert "a character in it that can't be seen" in errors_of(desk.form(Table).send(number=f"{number}2", new_password="1234"))
    assert "a character in it that can't be seen" in errors_of(desk.form(Item, ours.item).send(name="Soup\x1b@"))
    saved(desk.form(Item, ours.item).send(description="Hot.\r\nVery hot.\tReally."))
    assert Table.objects.count() == 2


def test_saving_without_a_change_cuts_nothing_off(desk, ours):
    tablet = tablet_of(ours.table)
    before = events_of(ours)
    saved(desk.form(Table, ours.table).send())
    assert events_of(ours) == before
    assert tablet.get("tablet/session").status_code == 200


def test_a_new_number_keeps_the_tablet(desk, ours):
    tablet = tablet_of(ours.table)
    saved(desk.form(Table, ours.table).send(number="1a"))
    assert tablet.get("tablet/session").status_code == 200
    ours.table.refresh_from_db()
    assert ours.table.number == "1a"
    assert ours.table.check_password(TABLE_PASSWORD)


def test_a_new_password_and_switching_off_cut_the_tablet_off(desk, ours):
    for change in ({"new_password": "9999"}, {"is_active": None}):
        table = Table.objects.get(pk=ours.table.pk)
        table.set_password(TABLE_PASSWORD)
        table.save()
        tablet = tablet_of(table)
        saved(desk.form(Table, table).send(**change))
        assert tablet.get("tablet/session").status_code == 401
        assert events_of(ours)[-1] == "table.changed"


def test_cutting_off_the_tablet(desk, ours):
    tablet, other = tablet_of(ours.tables[0]), tablet_of(ours.tables[1])
    assert "Cut off the tablet" in desk.get(change_url(ours.table)).content.decode()
    asked = desk.act(Table, "sign_out", ours.table).content.decode()
    assert "Cut off now" in asked and "signed out at once" in asked
    assert tablet.get("tablet/session").status_code == 200
    answer = desk.confirm(Table, "sign_out", ours.table)
    assert "The tablet of 1 table is cut off" in messages_of(answer, desk)
    assert tablet.get("tablet/session").status_code == 401
    assert other.get("tablet/session").status_code == 200


def test_tables_and_stores_are_not_deleted(desk, operator, ours):
    for person in (desk, operator):
        for row in (ours.table, ours.store):
            assert person.post(page("delete", type(row), row.pk), {"post": "yes"}).status_code == 403
        assert "delete_selected" not in person.get(list_url(Table)).content.decode()
    assert Table.objects.count() == 2


def test_tables_stand_in_reading_order(desk, ours):
    for number in ("10", "3"):
        saved(desk.form(Table).send(number=number, new_password="1234"))
    listed = desk.get(list_url(Table)).context["cl"].result_list
    assert [table.number for table in listed] == ["1", "2", "3", "10"]


def test_an_owner_changes_how_the_store_works_and_not_what_it_is(desk, ours):
    form = desk.form(Store, ours.store)
    assert set(form.fields) - {"csrfmiddlewaretoken"} - {name for name in form.fields if name.startswith("initial-")} == {
        "name",
        "steps",
        "timezone",
        "day_starts_at",
    }
    saved(form.send(name="New name", steps="3", code="stolen", currency="USD", is_active=None))
    ours.store.refresh_from_db()
    assert (ours.store.name, ours.store.steps) == ("New name", 3)
    assert (ours.store.code, ours.store.currency, ours.store.is_active) == ("ours", "KRW", True)
    assert ours.store.audit.filter(action="store.changed", details__changed=["name", "steps"]).exists()
    assert "not a time zone" in errors_of(desk.form(Store, ours.store).send(timezone="Mars/Olympus"))


def test_an_operator_creates_a_store_with_its_counters(operator, desk):
    form = operator.form(Store)
    saved(form.send(name="Third", code="third", currency="USD", timezone="America/New_York", steps="4", day_starts_at="5"))
    store = Store.objects.get(code="third")
    assert store.counters.last_number == 0
    assert store.audit.get().actor_name == "Operator"
    assert desk.get(page("add", Store)).status_code == 403


def test_a_store_s_code_has_small_letters(operator, ours):
    new = {"name": "Hanok", "currency": "KRW", "timezone": "Asia/Seoul", "steps": "4", "day_starts_at": "5"}
    saved(operator.form(Store).send(code="HANOK", **new))
    assert Store.objects.get(name="Hanok").code == "hanok"
    assert "already exists" in errors_of(operator.form(Store).send(code="OURS", **new))
