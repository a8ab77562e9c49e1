"""What is old enough goes; an unsettled bill never does."""

import datetime
import io
from datetime import timedelta

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.kitchen import complete_session
from orders.models import Cancellation, Order, OrderLine, OrderLineOption
from orders.retention import months_before
from sessions_app.models import ServiceCall, TableSession
from stores.journal import menu_changed
from stores.models import AuditEntry, Counters, Event, LoginAttempts, StaffToken, TabletLogin
from stores.services import create_store
from tests.snapshot import nothing_stored
from tests.stores.signing_in import first_refresh_token, refresh
from tests.world import line, make_choice, make_world, new_key, place, staff_of, tablet_of

LONG_AGO = timedelta(days=200)


def purge(**options):
    out = io.StringIO()
    call_command("purge_history", stdout=out, **options)
    return out.getvalue()


def bill(world, *, completed: bool, age: timedelta):
    """A party with an order that was partly cancelled."""
    (option,) = make_choice(world.item, options=[("large", 2000)], name="Size")
    tablet = tablet_of(world.table)
    order = tablet.post("tablet/orders", {"lines": [line(world.item, 2, option)]}, key=new_key()).json()
    staff_of(world.store, world.owner).post(
        f"staff/orders/{order['id']}/cancel",
        {"reason": "dropped", "version": 1, "lines": [{"line": order["lines"][0]["id"], "quantity": 1}]},
    )
    if completed:
        complete_session(world.table, force=True, actor=world.owner)
    at = timezone.now() - age
    TableSession.objects.filter(pk=order["session"]).update(
        started_at=at, last_order_at=at, **({"completed_at": at} if completed else {"state": "expired"})
    )
    return order


def test_old_history_goes_with_everything_that_hangs_on_it(ours):
    bill(ours, completed=True, age=LONG_AGO)
    assert "1 sessions" in purge()
    for model in (TableSession, Order, OrderLine, OrderLineOption, Cancellation):
        assert not model.objects.exists(), model


def test_recent_history_and_unsettled_bills_stay(ours, theirs):
    bill(ours, completed=True, age=timedelta(days=100))
    TableSession.objects.update(started_at=timezone.now() - LONG_AGO)  # what counts is when it was completed
    bill(theirs, completed=False, age=LONG_AGO)
    assert "0 sessions" in purge()
    assert Order.objects.count() == 2


def test_a_dry_run_counts_and_removes_nothing(ours):
    bill(ours, completed=True, age=LONG_AGO)
    Event.objects.update(at=timezone.now() - timedelta(days=8))
    before = Order.objects.count(), Event.objects.count(), Counters.objects.get().purged_number
    printed = purge(dry_run=True)
    assert "1 sessions with their orders would go" in printed
    assert f"{before[1]} events would go" in printed
    assert (Order.objects.count(), Event.objects.count(), Counters.objects.get().purged_number) == before


def test_it_goes_in_batches_until_all_is_gone(ours, monkeypatch):
    monkeypatch.setattr("orders.retention.SESSION_BATCH", 1)
    for _ in range(3):
        bill(ours, completed=True, age=LONG_AGO)
    assert "3 sessions" in purge()
    assert not Order.objects.exists()


def test_a_purge_that_breaks_off_leaves_no_half_of_a_bill(ours, monkeypatch):
    bill(ours, completed=True, age=LONG_AGO)
    remove = QuerySet._raw_delete

    def breaking_off(rows, using):
        if rows.model is TableSession:
            raise OperationalError("gone")
        return remove(rows, using)

    monkeypatch.setattr(QuerySet, "_raw_delete", breaking_off)
    with nothing_stored(), pytest.raises(OperationalError):
        purge()


@pytest.mark.django_db(transaction=True)
def test_a_batch_that_the_database_gives_up_is_tried_again(monkeypatch):
    """Two machines purge at once, and each waits for the other: seen on MariaDB."""
    ours = make_world("ours")
    bill(ours, completed=True, age=LONG_AGO)
    remove, given_up = QuerySet._raw_delete, []

    def once_in_a_deadlock(rows, using):
        if rows.model is TableSession and not given_up:
            given_up.append(rows)
            cause = Exception(1213, "Deadlock found when trying to get lock")
            raise OperationalError("deadlock") from cause
        return remove(rows, using)

    monkeypatch.setattr(QuerySet, "_raw_delete", once_in_a_deadlock)
    assert "1 sessions" in purge()
    assert given_up and not Order.objects.exists()


def test_old_events_go_and_the_journal_says_up_to_where(ours):
    place(ours.table, ours.item)
    old = Event.objects.in_store(ours.store).order_by("number").first()
    Event.objects.filter(pk=old.pk).update(at=timezone.now() - timedelta(days=8))
    last = Counters.objects.get(store=ours.store).last_number
    purge()
    assert list(Event.objects.order_by("number").values_list("number", flat=True)) == list(range(old.number + 1, last + 1))
    counters = Counters.objects.get(store=ours.store)
    assert (counters.purged_number, counters.last_number) == (old.number, last)


def test_of_several_stores_one_after_the_other_is_locked_in_the_order_of_their_ids(db):
    """As by everybody who needs the counters of several: two who took them otherwise round would wait for each other."""
    stores = [create_store(code=f"store-{number}", name="Branch").pk for number in range(6)]
    for store in stores:
        menu_changed(store)
    Event.objects.update(at=timezone.now() - timedelta(days=8))
    if connection.vendor == "postgresql":
        connection.cursor().execute("SET LOCAL enable_sort = off")  # as it plans for many events: it finds them as they come
    with CaptureQueriesContext(connection) as queries:
        purge()
    changes = [query["sql"].replace("-", "") for query in queries if query["sql"].startswith("UPDATE")]
    assert [store for change in changes for store in stores if store.hex in change] == sorted(stores)


def one_of_each(world):
    """One of everything that goes at its time, and a call that nobody has taken."""
    staff, tablet = staff_of(world.store, world.owner), tablet_of(world.table)
    taken = tablet.post("tablet/calls", {"kind": "water"}).json()
    tablet.post("tablet/calls", {"kind": "bill"})
    staff.post(f"staff/calls/{taken['id']}/resolve")
    Session.objects.create(session_key="k" * 32, session_data="", expire_date=timezone.now() + timedelta(days=1))
    LogEntry.objects.create(user=world.owner, action_flag=CHANGE, object_repr="a dish")


GOING = [ServiceCall, StaffToken, TabletLogin, LoginAttempts, AuditEntry, Session, LogEntry]


def test_what_has_run_out_of_time_goes(ours):
    one_of_each(ours)
    assert (StaffToken.objects.count(), TabletLogin.objects.count()) == (1, 1)
    past = timezone.now() - timedelta(days=400)
    StaffToken.objects.update(expires_at=past)
    TabletLogin.objects.update(expires_at=past)
    LoginAttempts.objects.update(last_at=past)
    AuditEntry.objects.update(at=past)
    ServiceCall.objects.filter(state="resolved").update(resolved_at=past)
    ServiceCall.objects.update(opened_at=past)
    Session.objects.update(expire_date=past)
    LogEntry.objects.update(action_time=past)
    purge()
    assert ServiceCall.objects.get().state == "open"
    for model in GOING[1:]:
        assert not model.objects.exists(), model


def test_what_has_not_run_out_of_time_stays(ours):
    one_of_each(ours)
    past, recently = timezone.now() - timedelta(days=400), timezone.now() - timedelta(days=100)
    ServiceCall.objects.update(opened_at=past)
    ServiceCall.objects.filter(state="resolved").update(resolved_at=recently)
    AuditEntry.objects.update(at=recently)
    LogEntry.objects.update(action_time=recently)
    assert all(model.objects.exists() for model in GOING)
    with nothing_stored():
        purge()
    assert all(model.objects.exists() for model in GOING)


def test_a_failed_sign_in_is_forgotten_after_a_day_and_a_known_address_after_a_season(ours):
    tablet_of(ours.table)
    for days, known in ((0.9, {True, False}), (2, {True}), (179, {True}), (181, set())):
        LoginAttempts.objects.update(last_at=timezone.now() - timedelta(days=days))
        purge()
        assert {row.succeeded_at is not None for row in LoginAttempts.objects.all()} == known, days


def test_an_address_that_comes_again_is_kept_from_then_on(ours):
    tablet_of(ours.table)
    LoginAttempts.objects.update(last_at=timezone.now() - timedelta(days=400))
    tablet_of(ours.table)
    with nothing_stored():
        purge()


def test_a_tablet_that_comes_back_in_time_is_never_forgotten(ours, clock):
    first = first_refresh_token(ours)
    TabletLogin.objects.update(expires_at=clock.now + timedelta(minutes=1))  # ninety days are nearly over
    second = refresh(first)
    clock.advance(minutes=2)
    purge()
    assert refresh(second["refresh"])


@pytest.mark.parametrize(
    ("now", "months", "then"),
    [
        ((2026, 11, 20), 6, (2026, 5, 20)),
        ((2026, 3, 31), 1, (2026, 2, 28)),
        ((2026, 1, 15), 1, (2025, 12, 15)),
        ((2024, 2, 29), 12, (2023, 2, 28)),
    ],
)
def test_months_are_counted_by_the_calendar(now, months, then):
    assert months_before(datetime.datetime(*now), months) == datetime.datetime(*then)
