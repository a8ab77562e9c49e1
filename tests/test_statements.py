"""Statements whose SQL is made once say what the ORM would say, each time with other values."""

import itertools
import threading
import uuid
from functools import partial

import pytest
from django.db import DataError, IntegrityError, connection, transaction
from django.db.models import F, IntegerField, UUIDField
from django.test.utils import CaptureQueriesContext

from menus.models import Item
from stores.models import AuditEntry, Counters, Event, Store, Table
from tableorder.statements import Given, Select, Update, as_one, columns, insert, new, read, together
from tests.threads import at_once
from tests.world import make_item

pytestmark = pytest.mark.django_db(transaction=True)

AWKWARD = ["", "NULL", "{}", 'a "quoted", {list}', "back\\slash", "o'clock", "김치찌개 🍲", "two\nlines", "%s %(x)s %%"]


def event(world, number, text, table=None) -> Event:
    return Event(store=world.store, number=number, type="test", table_id=table, at=world.store.created_at, body=text)


def test_a_select_is_asked_again_with_other_values(ours, theirs):
    names = Select(
        lambda: Item.objects.filter(store=Given("store", UUIDField()), price__gte=Given("price", IntegerField())).values_list("id", "name")
    )
    for world, price in ((ours, 0), (theirs, 0), (ours, 10_000), (ours, 10**6)):
        expected = Item.objects.filter(store=world.store, price__gte=price).values_list("id", "name")
        assert sorted(map(tuple, names.rows(store=world.store.pk, price=price))) == sorted(expected)


def test_several_values_under_one_name(ours):
    items = [make_item(ours) for _ in range(3)]
    some = Select(lambda: Item.objects.filter(pk__in=Given.each("items", UUIDField(), 2)).values_list("pk"))
    for chosen in (items[:2], items[1:]):
        assert {row[0] for row in some.rows(items=[item.pk for item in chosen])} == {item.pk for item in chosen}


def test_a_statement_made_in_one_thread_serves_others(ours, theirs):
    codes = Select(lambda: Store.objects.filter(pk=Given("store", UUIDField())).values_list("code"))
    asked = [ours, theirs]
    answers = at_once(*[lambda world=world: codes.rows(store=world.store.pk)[0][0] for world in asked])
    assert answers == [world.store.code for world in asked]


def test_threads_that_make_a_statement_at_once_do_not_meet(ours, theirs):
    """As the first guests of a new process do."""
    turns, second_began, first_is_done = itertools.count(), threading.Event(), threading.Event()

    class Slowly(Given):
        def as_sql(self, compiler, connection):
            if next(turns) == 0:
                second_began.wait(5)
            else:
                second_began.set()
                first_is_done.wait(5)
            return super().as_sql(compiler, connection)

    echo = Select(lambda: Store.objects.filter(pk=Given("store", UUIDField())).values_list(Slowly("store", UUIDField())))

    def asked(world):
        try:
            return echo.rows(store=world.store.pk)[0][0]
        finally:
            first_is_done.set()

    assert at_once(*[partial(asked, world) for world in (ours, theirs)]) == [ours.store.pk, theirs.store.pk]


def test_instances_are_read_as_the_orm_reads_them(ours):
    found = Select(
        lambda: Table.objects.filter(pk=Given("table", UUIDField())).values_list(
            *columns(Table), *columns(Store, "store__"), *columns(Counters, "store__counters__")
        )
    )
    table, store, counters = read(found.rows(table=ours.table.pk)[0], Table, Store, Counters)
    for instance, model in ((table, Table), (store, Store), (counters, Counters)):
        same = model.objects.get(pk=instance.pk)
        assert {name: getattr(instance, name) for name in columns(model)} == {name: getattr(same, name) for name in columns(model)}


@pytest.mark.parametrize("count", [1, len(AWKWARD)])
def test_rows_are_written_as_they_are(ours, count):
    table = ours.table.pk
    events = [event(ours, 1000 + number, text, table if number % 2 else None) for number, text in enumerate(AWKWARD[:count])]
    with CaptureQueriesContext(connection) as statements:
        together(*as_one(insert(Event, *events)))
    assert len(statements) == 1
    written = Event.objects.in_store(ours.store).filter(number__gte=1000).order_by("number")
    assert [(row.body, row.table_id, row.at) for row in written] == [(row.body, row.table_id, row.at) for row in events]


def test_as_many_rows_are_written_as_an_order_can_have_options(ours):
    together(insert(Event, *(event(ours, 1000 + number, "") for number in range(2500))))
    assert Event.objects.in_store(ours.store).filter(number__gte=1000).count() == 2500


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no lengths")
@pytest.mark.parametrize("count", [1, 2])
def test_what_is_too_long_is_refused_and_not_cut(ours, count):
    events = [event(ours, 1000 + number, "") for number in range(count)]
    events[0].type = "a" * (Event._meta.get_field("type").max_length + 1)
    with pytest.raises(DataError), transaction.atomic():
        together(*as_one(insert(Event, *events)))
    assert not Event.objects.filter(number__gte=1000).exists()


def test_a_new_row_is_what_is_said_and_else_what_the_model_says(ours):
    one, other = new(Table, number="12"), new(Table, id=ours.table.pk, is_active=False)
    assert (one.number, one.is_active, one.epoch, type(one.id)) == ("12", True, 1, uuid.UUID)
    assert (other.id, other.is_active) == (ours.table.pk, False)
    assert new(Table).id != new(Table).id
    assert new(Event).table_id is None


def test_what_would_not_be_written_as_it_is_is_refused(ours):
    with pytest.raises(TypeError, match="details"):
        insert(AuditEntry, AuditEntry(store=ours.store, actor_name="x", action="a", subject="s"))
    with pytest.raises(TypeError, match="image"):
        insert(Item, Item(store=ours.store, category=ours.category, name="x", price=1))


def test_what_belongs_together_goes_together(ours, theirs):
    more = Update(lambda: (Item.objects.filter(pk=Given("item", UUIDField())), {"stock": F("stock") + Given("more", IntegerField())}))
    item, other = make_item(ours, stock=5), make_item(theirs, stock=5)
    with CaptureQueriesContext(connection) as statements, transaction.atomic():
        together(*as_one(more.given(item=item.pk, more=-2), None, insert(Event, event(ours, 1000, "one")), insert(Event)))
    sent = [statement["sql"] for statement in statements if not statement["sql"].startswith(("BEGIN", "COMMIT"))]
    assert len(sent) == (1 if connection.vendor == "postgresql" else 2)
    assert [Item.objects.get(pk=one.pk).stock for one in (item, other)] == [3, 5]
    assert Event.objects.filter(number=1000).count() == 1
    together(*as_one(more.given(item=item.pk, more=10)))
    assert Item.objects.get(pk=item.pk).stock == 13


def test_all_of_it_or_nothing(ours):
    numbers_twice = [event(ours, 1001, "two"), event(ours, 1001, "three")]
    with pytest.raises(IntegrityError), transaction.atomic():
        together(*as_one(insert(Event, event(ours, 1000, "one")), insert(Event, *numbers_twice)))
    assert not Event.objects.filter(number__gte=1000).exists()


def test_the_value_is_adapted_to_the_database(ours):
    """SQLite and MySQL keep an id as 32 characters."""
    found = Select(lambda: Table.objects.filter(pk=Given("table", UUIDField())).values_list("pk", "store__created_at"))
    [(id, created_at)] = found.rows(table=ours.table.pk)
    assert isinstance(id, uuid.UUID)
    assert created_at == ours.store.created_at
