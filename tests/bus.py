"""The message bus for the tests: one in memory that does as it is told, and the real one that the environment names."""

import uuid

import kombu
import pytest
from django.conf import settings
from django.db import transaction

from stores import journal
from tableorder import broker
from tableorder.broker import BrokerAway, Sent

URL = settings.RABBITMQ_URL  # as the environment says it; in tests the bus is off unless they ask for it

needs_rabbitmq = pytest.mark.skipif(not URL, reason="without RabbitMQ: RABBITMQ_URL is not set")


def happen(world, count: int = 1, type: str = "order.changed"):
    """So many events in this store, in one transaction."""
    with transaction.atomic():
        journal.record(world.store.pk, *[journal.NewEvent(type, {"n": n}) for n in range(count)])


def numbers(messages, world) -> list[int]:
    """Of this store's events, in the order in which they came."""
    return [int(number) for store, _, number in (message.id.partition(":") for message in messages) if store == str(world.store.pk)]


class Memory:
    """Takes everything, but for the messages it `refuses`; goes away after so many as `goes_away_after` says."""

    def __init__(self):
        self.messages = []
        self.refuses = lambda message: False
        self.goes_away_after = None
        self.calls = self.attempts = 0
        self.closed = False

    def connect(self):
        if self.goes_away_after is not None and len(self.messages) >= self.goes_away_after:
            raise BrokerAway("no route to host")

    def publish(self, messages) -> Sent:
        self.calls += 1
        sent = Sent(set(), {})
        for place, message in enumerate(messages):
            self.connect()
            self.attempts += 1
            if self.refuses(message):
                sent.refused[place] = "too large"
            else:  # those after a refused one too, as RabbitMQ does
                self.messages.append(message)
                sent.taken.add(place)
        return sent

    def close(self):
        self.closed = True


class Bus:
    """An exchange of our own on the real broker, with a queue that gets everything."""

    def __enter__(self):
        self._name, broker.EXCHANGE = broker.EXCHANGE, f"table-order-events-test-{uuid.uuid4().hex[:12]}"
        self.connection = kombu.Connection(URL, connect_timeout=3)
        self.connection.connect()
        self.channel = self.connection.channel()
        self.everything = self.queue("#")
        return self

    def __exit__(self, *error):
        self.delete_exchange()
        broker.EXCHANGE = self._name
        self.connection.collect()

    def queue(self, pattern, **arguments):
        """A queue that lives as long as the test."""
        queue = kombu.Queue("", broker.exchange(), pattern, durable=False, exclusive=True, auto_delete=True, queue_arguments=arguments)
        queue = queue(self.channel)
        queue.declare()
        return queue

    def delete_exchange(self):
        broker.exchange()(self.channel).delete()

    def received(self, queue=None) -> list[kombu.Message]:
        """What has come since the last time. What the broker has confirmed is in the queue."""
        queue, messages = queue or self.everything, []
        while (message := queue.get(no_ack=True)) is not None:
            message.id = message.properties["message_id"]
            messages.append(message)
        return messages
