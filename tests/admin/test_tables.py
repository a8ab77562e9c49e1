"""Tables in the admin: by the services, so that tablets and the journal hear of every change."""

from menus.models import Item
from stores.admin import TableAdmin
from stores.models import Store, Table
from tests.world import TABLE_PASSWORD, events_of, tablet_of

from .desk import Desk, change_url, errors_of, list_url, messages_of, page, saved


def test_a_table_is_created_with_its_password(desk, ours):
    saved(desk.form(Table).send(number="Terrace 3", new_password="1234 5"))
    table = Table.objects.get(number="Terrace 3")
    assert table.store == ours.store
    assert table.check_password("1234 5")
    assert events_of(ours)[-1] == "table.changed"


def test_a_series_of_tables_is_made_at_once(desk, ours):
    answer = desk.form(Table).send(number="8", up_to="27", new_password="1234 5")
    assert "20 tables were added: 8 to 27." in messages_of(answer, desk)
    assert answer["Location"] == list_url(Table)
    made = Table.objects.exclude(number__in=["1", "2"]).in_reading_order()
    assert [table.number for table in made] == [str(number) for number in range(8, 28)]
    assert {table.store for table in made} == {ours.store}
    assert all(table.check_password("1234 5") for table in made)
    assert events_of(ours)[-20:] == ["table.changed"] * 20
    assert [entry.subject for entry in ours.store.audit.filter(action="table.created", actor=ours.owner).order_by("id")] == [
        table.number for table in made
    ]
    assert all("Added." in desk.get(page("history", Table, table.pk)).content.decode() for table in (made[0], made[19]))


def test_the_password_of_a_series_is_hashed_once(desk, ours, monkeypatch):
    """Each takes up to a second; the transaction must not stay open for all of them."""
    hashed = []
    monkeypatch.setattr("stores.models.places.make_password", lambda raw: hashed.append(raw) or "hash")
    saved(desk.form(Table).send(number="11", up_to="110", new_password="1234"))
    assert hashed == ["1234"]
    assert Table.objects.count() == 102


def test_a_series_keeps_its_zeros_and_may_be_one_or_switched_off(desk, ours):
    saved(desk.form(Table).send(number="08", up_to="10", new_password="1234", is_active=None))
    saved(desk.form(Table).send(number="7", up_to="7", new_password="1234"))
    assert set(Table.objects.filter(is_active=False).values_list("number", flat=True)) == {"08", "09", "10"}
    assert Table.objects.get(number="7").is_active


def test_what_is_wrong_with_a_series_is_said_beside_its_field_and_nothing_is_made(desk, operator, ours):
    for field, said, sent in (
        ("number", "must be a whole number", {"number": "Terrace 1", "up_to": "3"}),
        ("number", "must be a whole number", {"number": "-3", "up_to": "3"}),
        ("number", "must be a whole number", {"number": "²", "up_to": "3"}),
        ("number", "a table with that number", {"number": "1", "up_to": "5"}),
        ("up_to", "must not be smaller", {"number": "5", "up_to": "4"}),
        ("up_to", "At most 100", {"number": "5", "up_to": "105"}),
        ("up_to", "already: 1, 2.", {"number": "0", "up_to": "5"}),
        ("up_to", "whole number", {"number": "5", "up_to": "7.5"}),
        ("up_to", "less than or equal", {"number": "9" * 20, "up_to": "1" + "0" * 20}),
        ("new_password", "at least 4", {"number": "5", "up_to": "7", "new_password": "123"}),
    ):
        answer = desk.form(Table).send(**{"new_password": "1234", **sent})
        assert said in errors_of(answer), sent
        assert list(answer.context["adminform"].form.errors) == [field]
    assert "already: 1, 2." in errors_of(operator.form(Table).send(store=str(ours.store.pk), number="0", up_to="5", new_password="1234"))
    assert Table.objects.count() == 2
    assert not ours.store.audit.filter(action="table.created", actor__isnull=False).exists()


def test_a_series_that_somebody_else_was_in_the_way_of_is_not_made(desk, ours, monkeypatch):
    monkeypatch.setattr(TableAdmin.Form, "_check_series", lambda *args: None)  # made in the moment after the look
    before = events_of(ours)
    answer = desk.form(Table).send(number="0", up_to="5", new_password="1234")
    assert "This store has a table with that number" in messages_of(answer, desk)
    assert Table.objects.count() == 2
    assert events_of(ours) == before


def test_a_table_that_is_there_has_no_series(desk, ours):
    assert "up_to" not in desk.form(Table, ours.table).fields


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


def test_in_korean_a_table_is_refused_and_remembered_in_whole_sentences(ours):
    desk = Desk(ours.owner, **{"accept-language": "ko"})
    assert "4자 이상 입력해 주세요. 지금은 3자입니다." in errors_of(desk.form(Table).send(number="9", new_password="123"))
    assert "20자까지 입력할 수 있습니다. 지금은 21자입니다." in errors_of(desk.form(Table).send(number="9" * 21, new_password="1234"))
    saved(desk.form(Table).send(number="9", new_password="1234"))
    history = desk.get(page("history", Table, Table.objects.get(number="9").pk)).content.decode()
    assert '<th scope="col">작업</th>' in history and "<td>추가</td>" in history


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
