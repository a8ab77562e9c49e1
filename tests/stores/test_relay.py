"""From the journal to the message bus: at least once, in order, shared by several relays. The bus is one in memory."""

import logging
import threading
import time
from collections import Counter
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from stores import relay
from stores.models import Counters, Event, RelayCursor, SetAsideEvent, User
from stores.relay import BATCH_TIME, CLAIM, SET_ASIDE_IN_A_ROW, TRIES, Relay, outbox
from tableorder.broker import CONFIRM_WITHIN, Sent, pause_after
from tests.admin.desk import Desk, list_url
from tests.bus import Memory, happen, numbers
from tests.orders.test_retention import purge
from tests.threads import at_once, begin, connections_for, stopped_before
from tests.world import make_world

FOR_EVER = threading.Event()  # nobody tells it to stop


@pytest.fixture
def bus(settings):
    settings.RABBITMQ_URL = "amqp://nowhere.invalid//"
    return Memory()


@pytest.fixture
def stores(db):
    return [make_world(f"store-{number}") for number in range(10)]


@pytest.fixture
def shared(transactional_db, settings):
    """A store whose events several relays see, each on a connection of its own."""
    settings.RABBITMQ_URL = "amqp://nowhere.invalid//"
    with connections_for(4):
        yield make_world("ours")


def send(bus, looks: int = 1, **options) -> Relay:
    """A relay that has looked so often."""
    found = Relay(publisher=bus, **options)
    for _ in range(looks):
        found.look(FOR_EVER)
    return found


def last(world) -> int:
    return Counters.objects.get(store=world.store).last_number


def cursor_of(world) -> RelayCursor:
    return RelayCursor.objects.get(journal=world.store.pk)


# --- What is promised -------------------------------------------------------------------------------------------


def test_every_event_goes_out_once_and_in_the_order_of_its_store(bus, ours, theirs):
    happen(ours, 300)
    happen(theirs, 5)
    send(bus, looks=3)
    happen(ours, 2)
    send(bus)
    assert numbers(bus.messages, ours) == list(range(1, last(ours) + 1))
    assert numbers(bus.messages, theirs) == list(range(1, last(theirs) + 1))


def test_a_message_is_the_event_as_it_stands_in_the_journal(bus, ours):
    happen(ours, type="call.opened")
    send(bus)
    event = Event.objects.in_store(ours.store).latest("number")
    message = bus.messages[-1]
    assert (message.id, message.routing_key, message.body) == (f"{ours.store.pk}:{event.number}", "call.opened", event.body)


def test_it_begins_where_the_journal_does(bus, ours):
    happen(ours, 5)
    Event.objects.filter(store=ours.store, number__lte=4).delete()
    Counters.objects.filter(store=ours.store).update(purged_number=4)
    send(bus)
    assert numbers(bus.messages, ours) == [5, 6, 7]


def test_events_that_are_gone_are_told_to_the_log_and_do_not_stop_the_others(bus, ours, caplog):
    send(bus)
    happen(ours, 9)
    Event.objects.filter(store=ours.store, number__in=[3, 4, 7]).delete()
    send(bus, looks=2)
    assert numbers(bus.messages, ours) == [1, 2, 5, 6, 8, 9, 10, 11]
    assert "events 3 to 4" in caplog.text and "events 7 to 7" in caplog.text
    Event.objects.filter(store=ours.store, number=12).delete()
    happen(ours)
    Event.objects.filter(store=ours.store, number=12).delete()
    send(bus)
    assert cursor_of(ours).number == 12


def test_when_nothing_has_happened_a_look_is_two_queries(bus, ours, theirs, django_assert_num_queries):
    found = send(bus)
    with django_assert_num_queries(2):  # what is asked for again; stores with a backlog
        assert found.look(FOR_EVER) == relay.LOOK_EVERY


def test_a_batch_is_eight_queries(bus, ours, django_assert_num_queries):
    found = send(bus)
    happen(ours, 150)
    with django_assert_num_queries(8):  # the two above; claim: begin, lock, take, commit; read; advance
        found.look(FOR_EVER)
    assert len(bus.messages) == last(ours)


def test_stores_are_sent_together_when_all_goes_well(bus, stores, django_assert_num_queries):
    found = send(bus)
    for store in stores:
        happen(store, 2)
    bus.calls = 0
    with django_assert_num_queries(2 + 4 + 10 + 10):  # of each store, only what is read and what is advanced
        found.look(FOR_EVER)
    assert bus.calls == 2  # the first one of each, and the second
    for store in stores:
        assert numbers(bus.messages, store) == list(range(1, last(store) + 1))


def test_relays_that_see_new_stores_make_their_rows_in_one_order(bus, stores, monkeypatch):
    """Or each of two relays waits for a row that the other has made, and one of them is given up."""
    made, make = [], RelayCursor.objects.bulk_create
    monkeypatch.setattr(RelayCursor.objects, "bulk_create", lambda rows, **how: (made.extend(rows), make(rows, **how)))
    send(bus)
    ids = [row.journal_id for row in made]
    assert len(ids) == len(stores)
    assert ids == sorted(ids)


def test_so_much_is_not_read_at_once_that_it_would_fill_the_memory(bus, stores, monkeypatch):
    found, read, read_together = send(bus), Relay._read, []
    monkeypatch.setattr(Relay, "_read", lambda self, cursors: read_together.append(len(cursors)) or read(self, cursors))
    monkeypatch.setattr(relay, "READ_AT_ONCE", 300)
    for store in stores:
        happen(store, 100)
    found.look(FOR_EVER)
    assert read_together == [3, 3, 3, 1]


def test_it_looks_again_at_once_while_there_is_more(bus, ours):
    happen(ours, 30)
    found = Relay(publisher=bus, batch=10)
    assert found.look(FOR_EVER) == 0
    found.look(FOR_EVER), found.look(FOR_EVER)
    assert relay.GATHER <= found.look(FOR_EVER) <= relay.LOOK_EVERY


def test_it_rests_the_longer_the_longer_a_look_took(bus, ours, monkeypatch):
    """So it never takes more than its share of the machine, and a small shop's printer hears at once."""
    found, sending = send(bus), Relay._send
    for seconds, rests in ((0.02, 0.4), (0.06, relay.LOOK_EVERY)):
        monkeypatch.setattr(Relay, "_send", lambda *asked, seconds=seconds: time.sleep(seconds) or sending(*asked))
        happen(ours)
        assert rests <= found.look(FOR_EVER) <= relay.LOOK_EVERY


def test_a_store_with_much_to_send_does_not_keep_others_waiting(bus, ours, theirs):
    happen(ours, 500)
    send(bus, batch=100)
    assert len(numbers(bus.messages, ours)) == 100
    assert len(numbers(bus.messages, theirs)) == last(theirs)


# --- Death and trouble ------------------------------------------------------------------------------------------


def in_order(found: list[int], end: int):
    """Is every number there, and none for the first time before the one before it? Some may come twice."""
    return list(dict.fromkeys(found)) == list(range(1, end + 1))


def test_a_crash_between_the_broker_and_the_cursor_doubles_and_loses_nothing(bus, ours, clock, monkeypatch):
    happen(ours, 5)
    with monkeypatch.context() as patch:
        patch.setattr(Relay, "_free_at", crash)
        with pytest.raises(KeyboardInterrupt):
            send(bus)
    assert numbers(bus.messages, ours) == list(range(1, 8))
    send(bus)
    assert len(bus.messages) == 7  # the dead one's claim still stands
    happen(ours, 2)
    clock.advance(seconds=CLAIM.total_seconds() + 0.1)
    send(bus)
    assert numbers(bus.messages, ours) == [*range(1, 8), *range(1, 10)]


def crash(*args):
    raise KeyboardInterrupt


def test_what_the_broker_has_taken_is_not_sent_again_when_it_goes_away(bus, ours):
    happen(ours, 20)
    bus.goes_away_after = 7  # the windows are 1, 2, 4, 8: whole ones are known to have arrived
    with pytest.raises(relay.BrokerAway):
        send(bus)
    assert cursor_of(ours).number == 7
    assert cursor_of(ours).claimed_until is None
    bus.goes_away_after = 10
    with pytest.raises(relay.BrokerAway):
        send(bus)
    bus.goes_away_after = None
    send(bus)
    assert in_order(numbers(bus.messages, ours), last(ours))


def test_it_tries_again_less_and_less_often_while_the_broker_is_away(bus, ours, monkeypatch):
    monkeypatch.setattr(relay, "close_old_connections", lambda: None)  # it would end the test's transaction
    bus.goes_away_after = 0
    pauses = run(bus, looks=8)
    assert all(1 <= pause <= 30 for pause in pauses)
    assert pauses[0] < 2 and pauses[-1] >= 10
    bus.goes_away_after = None
    [pause] = run(bus, looks=1)
    assert relay.GATHER <= pause <= relay.LOOK_EVERY
    assert bus.closed


def test_pauses_are_never_the_same_for_all_and_never_longer_than_half_a_minute():
    assert len({pause_after(4) for _ in range(20)}) > 10
    assert all(1 <= pause_after(failures) <= 30 for failures in (1, 2, 3, 5, 8, 100, 100_000))


def run(bus, *, looks: int) -> list[float]:
    """How long it waited after each of so many looks."""
    pauses = []

    class Stop(threading.Event):
        def wait(self, seconds):
            pauses.append(seconds)
            if len(pauses) == looks:
                self.set()

    Relay(publisher=bus).run(Stop())
    return pauses


def test_it_outlives_the_database(bus, ours, monkeypatch, caplog):
    happen(ours)
    look, failures = Relay.look, iter([DatabaseError("gone"), DatabaseError("gone")])

    def look_at_a_database_that_comes_back(self, stop):
        for failure in failures:
            raise failure
        return look(self, stop)

    monkeypatch.setattr(Relay, "look", look_at_a_database_that_comes_back)
    monkeypatch.setattr(relay, "close_old_connections", lambda: None)  # it would end the test's transaction
    run(bus, looks=3)
    assert numbers(bus.messages, ours) == [1, 2, 3]
    assert "the database is away" in caplog.text


def test_told_to_stop_it_waits_for_what_it_has_sent_and_frees_the_store(bus, ours):
    happen(ours, 100)
    stop = threading.Event()
    bus.refuses = lambda message: message.id.endswith(":2") and stop.set()
    Relay(publisher=bus).run(stop)
    assert numbers(bus.messages, ours) == [1, 2]
    assert (cursor_of(ours).number, cursor_of(ours).claimed_by) == (2, "")


# --- Several relays ---------------------------------------------------------------------------------------------


def test_a_claim_outlasts_a_batch_and_not_much_more():
    assert BATCH_TIME + CONFIRM_WITHIN < CLAIM.total_seconds() <= 10


def test_a_store_that_another_relay_is_at_is_left_alone(bus, ours, theirs, clock):
    send(bus)
    happen(ours), happen(theirs)
    RelayCursor.objects.filter(journal=ours.store.pk).update(claimed_by="another", claimed_until=clock.now + CLAIM)
    send(bus)
    assert numbers(bus.messages, ours) == [1, 2]
    assert numbers(bus.messages, theirs) == [1, 2, 3]
    clock.advance(seconds=CLAIM.total_seconds())
    send(bus)
    assert numbers(bus.messages, ours) == [1, 2, 3]


def test_relays_at_once_send_nothing_twice(shared):
    bus, worlds = Memory(), [shared, *(make_world(f"store-{n}") for n in range(5))]
    for world in worlds:
        happen(world, 100)
    at_once(*[lambda: send(bus, looks=30, batch=10)] * 3)
    for world in worlds:
        assert numbers(bus.messages, world) == list(range(1, last(world) + 1))


def test_a_relay_that_stands_still_is_overtaken_and_harms_nothing(shared, monkeypatch):
    """It wakes up after its claim has passed and goes on sending: doubled, but in order, and the cursor is the other's."""
    happen(shared, 20)
    slow, quick = Memory(), Memory()
    slow.messages = quick.messages
    with stopped_before(Memory, "publish") as stop:
        first = begin(send, slow)
        stop.wait_until_reached()
        RelayCursor.objects.update(claimed_until=timezone.now() - timedelta(seconds=1))
        send(quick)
        happen(shared, 3)
        stop.let_go()
        first.result(30)
    assert cursor_of(shared).number == 22
    send(quick)
    assert in_order(numbers(quick.messages, shared), last(shared))


def test_control_relays_without_claims_send_twice(shared, monkeypatch):
    monkeypatch.setattr(Relay, "_claim", claim_nothing)
    bus = Memory()
    happen(shared, 5)
    with stopped_before(Memory, "publish") as stop:
        first = begin(send, bus)
        stop.wait_until_reached()
        send(bus)
        stop.let_go()
        first.result(30)
    assert len(bus.messages) == 2 * last(shared)


def claim_nothing(self, cursors):
    for cursor in cursors:
        cursor.claimed_until = timezone.now() + CLAIM
    return cursors


# --- What the broker refuses ------------------------------------------------------------------------------------


def try_until_set_aside(bus, clock):
    """The relay that did it."""
    found = Relay(publisher=bus)
    for _ in range(TRIES):
        found.look(FOR_EVER)
        clock.advance(seconds=31)
    return found


def refused(world, *refused_numbers):
    ids = {f"{world.store.pk}:{number}" for number in refused_numbers}
    return lambda message: message.id in ids


def test_an_event_that_the_broker_refuses_is_set_aside_and_those_after_it_go_on(bus, ours, theirs, clock, caplog):
    happen(ours, 5)
    bus.refuses = refused(ours, 4)
    try_until_set_aside(bus, clock)
    row = SetAsideEvent.objects.get()
    event = Event.objects.get(store=ours.store, number=4)
    assert (row.store, row.number, row.type, row.body) == (ours.store, 4, event.type, event.body)
    assert (row.attempts, row.error) == (TRIES, "too large")
    assert [record.levelno for record in caplog.records if "set aside" in record.message] == [logging.ERROR]
    happen(ours)
    send(bus)
    assert numbers(bus.messages, ours) == [1, 2, 3, 5, 6, 7, 8]
    assert numbers(bus.messages, theirs) == [1, 2]


def test_a_refused_event_is_not_tried_again_at_once_and_holds_up_its_own_store_only(bus, ours, theirs, clock):
    send(bus)
    bus.refuses = refused(ours, 3)
    happen(ours, 2)
    send(bus, looks=5)
    happen(theirs)
    send(bus)
    assert numbers(bus.messages, theirs) == [1, 2, 3]
    assert numbers(bus.messages, ours) == [1, 2]
    assert cursor_of(ours).failures == 1
    assert cursor_of(ours).last_error == "too large"
    assert 1 <= (cursor_of(ours).next_try_at - clock.now).total_seconds() <= 30
    bus.refuses = lambda message: False
    clock.advance(seconds=31)
    send(bus)
    assert numbers(bus.messages, ours) == [1, 2, 3, 4]
    assert (cursor_of(ours).failures, cursor_of(ours).last_error) == (0, "")


def test_a_refusal_among_many_stores_holds_up_its_own_store_only(bus, stores, clock):
    found = send(bus)
    bus.refuses = refused(stores[0], 4)
    for store in stores:
        happen(store, 4)
    for _ in range(3):
        found.look(FOR_EVER)
    assert numbers(bus.messages, stores[0]) == [1, 2, 3]
    for store in stores[1:]:
        assert numbers(bus.messages, store) == list(range(1, last(store) + 1))
    assert cursor_of(stores[0]).failures == 1


def test_if_the_broker_does_not_say_which_it_refuses_they_go_one_by_one(bus, stores, clock):
    """It ends the channel then: of those sent together any may be the one, and any may have got in."""
    found, publish = send(bus), bus.publish
    bus.refuses = refused(stores[0], 4)
    bus.publish = lambda messages: Sent(set(), {}) if len(messages) > 1 and any(map(bus.refuses, messages)) else publish(messages)
    for store in stores:
        happen(store, 4)
    for _ in range(30):
        found.look(FOR_EVER)
    assert (cursor_of(stores[0]).number, cursor_of(stores[0]).failures) == (3, 1)
    for store in stores[1:]:
        assert numbers(bus.messages, store) == list(range(1, last(store) + 1))


def test_a_broker_that_refuses_everything_is_waited_for(bus, ours, clock):
    """A full queue overnight must not take the whole journal apart."""
    found = send(bus)
    happen(ours, 50)
    bus.refuses = lambda message: True
    before = cursor_of(ours).number
    for _ in range(TRIES * (SET_ASIDE_IN_A_ROW + 5)):
        found.look(FOR_EVER)
        clock.advance(seconds=31)
    assert SetAsideEvent.objects.count() == SET_ASIDE_IN_A_ROW
    assert cursor_of(ours).number == before + SET_ASIDE_IN_A_ROW
    bus.refuses = lambda message: False
    found.look(FOR_EVER)
    assert cursor_of(ours).number == last(ours)
    # It takes events again: what it refuses now begins a new row.
    bus.refuses = lambda message: True
    happen(ours)
    for _ in range(TRIES):
        found.look(FOR_EVER)
        clock.advance(seconds=31)
    assert SetAsideEvent.objects.count() == SET_ASIDE_IN_A_ROW + 1
    assert cursor_of(ours).number == last(ours)


def test_a_full_queue_that_wants_some_events_does_not_take_all_of_those_apart(bus, ours, theirs, clock):
    found = send(bus)
    bus.refuses = lambda message: message.routing_key == "order.changed"
    for _ in range(TRIES * (SET_ASIDE_IN_A_ROW + 5)):
        happen(ours)
        happen(theirs, type="call.opened")  # which the broker takes
        found.look(FOR_EVER)
        clock.advance(seconds=31)
    assert SetAsideEvent.objects.count() == SET_ASIDE_IN_A_ROW
    assert cursor_of(theirs).number == last(theirs)


def test_nothing_overtakes_what_the_broker_refuses_for_a_while(bus, ours, clock):
    send(bus)
    happen(ours, 50)
    times = Counter()
    bus.refuses = lambda message: times.update([message.id]) or int(message.id.rpartition(":")[2]) % 7 == 0 and times[message.id] < 3
    for _ in range(30):
        send(bus)
        clock.advance(seconds=31)
    assert numbers(bus.messages, ours) == list(range(1, last(ours) + 1))


def test_an_event_set_aside_goes_out_when_an_operator_asks_for_it(bus, ours, clock):
    bus.refuses = refused(ours, 1)
    try_until_set_aside(bus, clock)
    row = SetAsideEvent.objects.get()
    send(bus)
    assert SetAsideEvent.objects.exists()  # nobody has asked yet
    ask_again(row)
    send(bus)
    row.refresh_from_db()
    assert (row.attempts, row.asked_again) == (TRIES + 1, False)
    bus.refuses = lambda message: False
    ask_again(row)
    send(bus)
    assert numbers(bus.messages, ours) == [2, 1]
    assert not SetAsideEvent.objects.exists()


def test_what_was_asked_for_is_not_forgotten_when_the_broker_goes_away(bus, ours, clock):
    bus.refuses = refused(ours, 1, 2)
    for _ in range(2):
        try_until_set_aside(bus, clock)
    rows = SetAsideEvent.objects.order_by("number")
    ask_again(rows[0])
    bus.publish = lambda messages: bus_is_away()
    with pytest.raises(relay.BrokerAway):
        send(bus)
    assert list(rows.values_list("number", "asked_again")) == [(1, True), (2, False)]


def bus_is_away():
    raise relay.BrokerAway("gone")


def ask_again(row):
    operator, _ = User.objects.get_or_create(username="operator", is_superuser=True)
    desk = Desk(operator)
    assert str(row.number) in desk.get(list_url(SetAsideEvent)).content.decode()
    answer = desk.post(list_url(SetAsideEvent), {"action": "try_again", "_selected_action": [str(row.pk)]})
    assert answer.status_code == 302


def test_what_was_set_aside_is_not_for_owners(bus, ours, clock):
    bus.refuses = refused(ours, 1)
    try_until_set_aside(bus, clock)
    row = SetAsideEvent.objects.get()
    desk = Desk(ours.owner)
    assert desk.get(list_url(SetAsideEvent)).status_code == 403
    desk.post(list_url(SetAsideEvent), {"action": "try_again", "_selected_action": [str(row.pk)]})
    row.refresh_from_db()
    assert not row.asked_again


# --- The outbox and the retention -------------------------------------------------------------------------------


def test_the_outbox_is_what_the_bus_has_not_got(bus, ours, theirs, clock, django_assert_num_queries):
    happen(ours, 3)
    clock.advance(minutes=5)
    happen(theirs, 4)
    with django_assert_num_queries(2):
        size, age = outbox()
    assert size == last(ours) + last(theirs)
    assert age >= 300
    send(bus)
    assert outbox() == (0, 0.0)
    happen(theirs, 2)
    clock.advance(seconds=7)
    assert outbox() == (2, 7.0)


def test_events_stay_until_the_bus_has_them(bus, ours, theirs, settings):
    send(bus)
    happen(ours, 3)
    Event.objects.update(at=timezone.now() - timedelta(days=8))
    happen(theirs)
    purge()
    assert list(Event.objects.filter(store=ours.store).values_list("number", flat=True).order_by("number")) == [3, 4, 5]
    assert Counters.objects.get(store=ours.store).purged_number == 2
    send(bus)
    purge()
    assert not Event.objects.filter(store=ours.store).exists()
    assert numbers(bus.messages, ours) == [1, 2, 3, 4, 5]


def test_events_wait_for_no_bus_that_is_off(bus, ours, settings):
    Event.objects.update(at=timezone.now() - timedelta(days=8))
    purge()
    assert Event.objects.exists()
    settings.RABBITMQ_URL = ""
    purge()
    assert not Event.objects.exists()


def test_a_transaction_that_is_rolled_back_sends_nothing(bus, ours):
    send(bus)
    with transaction.atomic():
        happen(ours)
        transaction.set_rollback(True)
    happen(ours, type="call.opened")
    send(bus)
    assert [message.routing_key for message in bus.messages[2:]] == ["call.opened"]
