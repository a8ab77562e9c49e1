"""The relay and the sample consumer on the RabbitMQ that the environment names."""

import io
import json
import time

import pytest
from django.core.management import call_command

from stores import relay
from stores.models import Counters, Event, RelayCursor, SetAsideEvent
from stores.relay import TRIES, Relay
from tableorder import broker
from tableorder.broker import BrokerAway, Message, Publisher, Sent
from tests.bus import URL, Bus, happen, needs_rabbitmq, numbers
from tests.stores.test_relay import ask_again, crash, in_order, last, send
from tests.threads import at_once, begin, connections_for
from tests.world import make_world, place

pytestmark = needs_rabbitmq


@pytest.fixture
def bus(settings):
    settings.RABBITMQ_URL = URL
    with Bus() as bus:
        yield bus


@pytest.fixture
def publisher(bus):
    publisher = Publisher()
    publisher.connect()
    yield publisher
    publisher.close()


@pytest.fixture
def shared(transactional_db):
    with connections_for(4):
        yield [make_world(f"store-{n}") for n in range(6)]


def test_a_message_has_all_that_is_promised(bus, publisher, ours):
    place(ours.table, ours.item, note="김치 없이 🌶")
    send(publisher)
    message = bus.received()[-1]
    event = Event.objects.in_store(ours.store).latest("number")
    assert message.body == event.body
    assert message.delivery_info["exchange"] == broker.EXCHANGE
    assert message.delivery_info["routing_key"] == event.type == "order.placed"
    assert message.properties == {
        "message_id": f"{ours.store.pk}:{event.number}",
        "content_type": "application/json",
        "content_encoding": "utf-8",
        "delivery_mode": 2,
        "priority": 0,
        "application_headers": {},
    }


def test_every_event_comes_once_and_in_the_order_of_its_store(bus, publisher, ours, theirs):
    happen(ours, 300)
    happen(theirs, 300)
    send(publisher, looks=3)
    messages = bus.received()
    for world in (ours, theirs):
        assert numbers(messages, world) == list(range(1, last(world) + 1))


def test_each_hears_what_it_binds_to(bus, publisher, ours):
    orders, calls = bus.queue("order.*"), bus.queue("call.opened")
    happen(ours, type="order.placed"), happen(ours, type="call.opened"), happen(ours, type="order.cancelled")
    send(publisher)
    assert numbers(bus.received(orders), ours) == [3, 5]
    assert numbers(bus.received(calls), ours) == [4]


def test_a_crash_between_the_confirm_and_the_cursor_doubles_and_loses_nothing(bus, publisher, ours, clock, monkeypatch):
    happen(ours, 50)
    with monkeypatch.context() as patch:
        patch.setattr(Relay, "_free_at", crash)
        with pytest.raises(KeyboardInterrupt):
            send(publisher)
    clock.advance(seconds=11)
    send(publisher)
    found = numbers(bus.received(), ours)
    assert len(found) == 2 * last(ours)
    assert in_order(found, last(ours))


def test_relays_at_once_send_nothing_twice(bus, publisher, shared):
    for world in shared:
        happen(world, 100)

    def relays():
        publisher = Publisher()
        send(publisher, looks=30, batch=10)
        publisher.close()

    at_once(*[relays] * 3)
    send(publisher)  # what is left, if one's looks found too often that another was at it
    messages = bus.received()
    for world in shared:
        assert numbers(messages, world) == list(range(1, last(world) + 1))


def test_a_backlog_of_ten_thousand_is_drained_within_a_minute(bus, ours):
    for _ in range(20):
        happen(ours, 500)
    began = time.monotonic()
    call_command("relay_events", once=True)
    assert time.monotonic() - began < 60
    assert numbers(bus.received(), ours) == list(range(1, last(ours) + 1))


def test_what_a_queue_refuses_is_set_aside_and_comes_when_it_is_asked_for(bus, publisher, ours, clock):
    full = bus.queue("call.*", **{"x-max-length": 1, "x-overflow": "reject-publish"})
    happen(ours, 2, type="call.opened")
    happen(ours)
    for _ in range(TRIES):
        send(publisher)
        clock.advance(seconds=31)
    row = SetAsideEvent.objects.get()
    assert (row.number, row.attempts) == (4, TRIES)
    assert "nack" in row.error
    send(publisher)
    assert numbers(bus.received(full), ours) == [3]
    ask_again(row)
    send(publisher)
    assert numbers(bus.received(full), ours) == [4]
    assert not SetAsideEvent.objects.exists()
    assert in_order(numbers(bus.received(), ours), last(ours))  # the queue that was not full


def test_beside_a_refused_message_the_others_are_taken(bus, publisher):
    bus.queue("full", **{"x-max-length": 0, "x-overflow": "reject-publish"})
    messages = [Message(id=str(n), routing_key="full" if n == 2 else "free", body="{}") for n in range(4)]
    sent = publisher.publish(messages)
    assert sent.taken == {0, 1, 3} and list(sent.refused) == [2] and "nack" in sent.refused[2]
    assert publisher.publish(messages[3:]) == Sent({0}, {})


def test_what_cannot_be_written_is_refused_and_harms_nothing_else(bus, publisher):
    unencodable = Message(id="b", routing_key="b", body="\ud800")
    good = [Message(id="a", routing_key="a", body="1"), Message(id="c", routing_key="c", body="3")]
    sent = publisher.publish([good[0], unencodable, good[1]])
    assert sent.taken == {0, 2} and list(sent.refused) == [1] and "UnicodeEncodeError" in sent.refused[1]
    endless = Message(id="b", routing_key="x" * 300, body="{}")
    sent = publisher.publish([endless])
    assert not sent.taken and sent.refused[0]
    publisher.connect()
    assert publisher.publish(good[1:]) == Sent({0}, {})
    assert [message.id for message in bus.received()] == ["a", "c", "c"]


def test_an_exchange_that_was_deleted_is_made_again_and_nothing_is_lost(bus, publisher, ours):
    send(publisher)
    happen(ours, 5)
    bus.delete_exchange()
    with pytest.raises(BrokerAway):
        send(publisher)
    publisher.connect()
    again = bus.queue("#")
    send(publisher)
    assert numbers(bus.received(again), ours) == [3, 4, 5, 6, 7]
    assert not SetAsideEvent.objects.exists()


def test_a_connection_that_broke_is_replaced(bus, publisher, ours):
    send(publisher)
    happen(ours, 5)
    publisher._connection.transport.sock.close()
    with pytest.raises(BrokerAway):
        send(publisher)
    send(publisher)
    assert in_order(numbers(bus.received(), ours), last(ours))


def test_the_command_sends_everything_and_stops(bus, ours, theirs):
    call_command("relay_events", once=True, batch=1)
    messages = bus.received()
    assert numbers(messages, ours) == numbers(messages, theirs) == [1, 2]
    assert relay.outbox() == (0, 0.0)
    assert set(RelayCursor.objects.values_list("claimed_by", flat=True)) == {""}
    assert Counters.objects.count() == 2


# --- The sample consumer ----------------------------------------------------------------------------------------


class Listener:
    """`manage.py listen_events` in a thread, once it listens."""

    def __init__(self, **options):
        self.out, said = io.StringIO(), io.StringIO()
        self.future = begin(call_command, "listen_events", stdout=self.out, stderr=said, **options)
        end = time.monotonic() + 10
        while "listening" not in said.getvalue():
            assert time.monotonic() < end and not self.future.done(), said.getvalue()
            time.sleep(0.02)

    def lines(self) -> list[dict]:
        self.future.result(10)
        return [json.loads(line) for line in self.out.getvalue().splitlines()]


def test_the_sample_consumer_prints_a_line_a_message(bus, publisher, ours):
    send(publisher)
    listener = Listener(count=2)
    happen(ours, 2)
    send(publisher)
    events = Event.objects.in_store(ours.store).filter(number__gt=2).order_by("number")
    assert listener.lines() == [
        {"routing_key": event.type, "message_id": f"{ours.store.pk}:{event.number}", "body": json.loads(event.body)} for event in events
    ]


def test_the_sample_consumer_hears_what_it_asked_for(bus, publisher, ours):
    listener = Listener(pattern="call.*", count=1)
    happen(ours, type="order.placed"), happen(ours, type="call.opened")
    send(publisher)
    assert [line["routing_key"] for line in listener.lines()] == ["call.opened"]


def test_a_named_queue_keeps_what_comes_while_nobody_listens(bus, publisher, ours):
    name = f"{broker.EXCHANGE}-kept"
    listener = Listener(queue=name, count=2)
    send(publisher)
    assert len(listener.lines()) == 2
    try:
        happen(ours, 3)
        send(publisher)
        found = [line["body"]["number"] for _ in range(3) for line in Listener(queue=name, count=1).lines()]
        assert found == [3, 4, 5]
    finally:
        bus.channel.queue_delete(name)


def test_what_is_no_json_is_printed_as_it_is(bus, publisher):
    listener = Listener(count=1)
    publisher.publish([Message(id="1", routing_key="odd", body="not JSON")])
    assert listener.lines() == [{"routing_key": "odd", "message_id": "1", "body": "not JSON"}]
