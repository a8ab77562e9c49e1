"""RabbitMQ, the message bus: how we connect, what we publish to, and whether it is there.

No request touches it: what goes there is in the journal, and `manage.py relay_events` takes it from there. Nothing
here waits without a limit: a port that accepts and never answers must neither hang the relay nor its end.
"""

import random
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

EXCHANGE = "table-order-events"  # a topic exchange; the routing key is the event's type

TIMEOUT = 3.0  # seconds for a connection to come about, for each answer while it does, and for its end
HEARTBEAT = 10  # seconds; twice as many without a sign of life, and the connection is given up
CONFIRM_WITHIN = 5.0  # seconds for the broker to take what was sent at once

READY_LIMIT = 1.0  # seconds that /health/ready has for the broker, with looking up its name
READY_KEPT = 5.0  # seconds that its answer is kept: probes come often, and each costs the broker a login

FIRST_PAUSE, LAST_PAUSE = 1.0, 30.0  # seconds between attempts


def is_on() -> bool:
    return bool(settings.RABBITMQ_URL)


def pause_after(failures: int) -> float:
    """Seconds to wait after so many failures in a row: doubling, and never all relays at the same moment."""
    doubled = FIRST_PAUSE * 2 ** min(failures - 1, 10)
    return max(FIRST_PAUSE, min(doubled, LAST_PAUSE / 1.5) * random.uniform(0.5, 1.5))


class BrokerAway(Exception):
    """It isn't there, or it takes nothing from us at all. Nothing is known of what was just sent."""


@dataclass(frozen=True)
class Message:
    """What consumers of the bus get: `id` and `routing_key` beside the same JSON as a stream's data."""

    id: str
    routing_key: str
    body: str  # JSON


@dataclass(frozen=True)
class Sent:
    """By their places: which messages are safe with the broker, and which it won't have, and why. Nothing is known of others."""

    taken: set[int]
    refused: dict[int, str]


def connect(*, timeout: float = TIMEOUT):
    """A connection, or BrokerAway. One attempt: kombu's own ones sleep where nobody can stop them."""
    import kombu  # not at the top: a process without RABBITMQ_URL has no need of it

    connection = kombu.Connection(
        settings.RABBITMQ_URL,
        connect_timeout=timeout,
        heartbeat=HEARTBEAT,
        # Else the certificate would be verified, but not whose it is.
        ssl={"server_hostname": None} if settings.RABBITMQ_URL.startswith("amqps:") else False,
        transport_options={
            "read_timeout": timeout,
            "write_timeout": timeout,
            "client_properties": {"connection_name": f"table-order {socket.gethostname()}"},
        },
    )
    try:
        return connection.transport.establish_connection()
    except trouble() as error:
        raise BrokerAway(told(error)) from error


def exchange():
    import kombu

    return kombu.Exchange(EXCHANGE, type="topic", durable=True)


def trouble() -> tuple[type[Exception], ...]:
    """What py-amqp raises when it is not the message's fault. (A Timeout is an OSError.)"""
    import amqp

    return (OSError, amqp.AMQPError)


def told(error: Exception) -> str:
    """For logs and the admin."""
    if isinstance(error, BrokerAway):
        return str(error)
    return f"{type(error).__name__}: {error}".rstrip(": ")[:500]


def keep_alive(connection):
    """To be called every second or so while nothing else is done with it: sends heartbeats and expects them."""
    try:
        while True:
            connection.drain_events(timeout=0)  # first: what came while nobody looked is a sign of life too
    except TimeoutError:
        pass
    connection.heartbeat_tick()


class Publisher:
    """One connection that publishes, with confirms. For one thread."""

    def __init__(self):
        self._connection = None

    def connect(self):
        """Makes sure that the connection is there, and the exchange. Raises BrokerAway."""
        import kombu

        if self._connection is not None:
            try:
                return keep_alive(self._connection)
            except trouble() as error:
                self._drop()
                raise BrokerAway(told(error)) from error
        self._connection = connect()
        try:
            channel = self._connection.channel()
            # Not kombu's `confirm_publish`, which waits for each message alone: 8 ms on a durable queue, as measured.
            channel.confirm_select()
            channel.events["basic_ack"].add(lambda tag, multiple: self._settle(tag, multiple, self._acked))
            channel.events["basic_nack"].add(lambda tag, multiple: self._settle(tag, multiple, self._nacked))
            exchange()(channel).declare()
        except trouble() as error:
            self._drop()
            raise BrokerAway(told(error)) from error
        self._producer = kombu.Producer(channel, exchange(), auto_declare=False)
        self._sent = 0  # messages on this channel: the broker counts them too and confirms by that number

    def publish(self, messages: Sequence[Message]) -> Sent:
        """Sends them in this order and waits for all confirms.

        Several at once: should the broker refuse one, those after it may have got in all the same. If it ends the
        channel for one of several, it doesn't say for which: then they are to be sent one by one. Raises BrokerAway,
        and then any of them may have got in.
        """
        import amqp

        self._pending, self._acked, self._nacked = set(), set(), set()
        places, refused = {}, {}  # {number on this channel: place}; {place: why}
        try:
            for place, message in enumerate(messages):
                try:
                    body = message.body.encode()
                except UnicodeEncodeError as error:
                    refused[place] = told(error)
                    continue
                places[self._sent + 1] = place
                self._pending.add(self._sent + 1)
                self._send(message, body)
                self._sent += 1
            self._wait()
        # Of the exchange, the login, the broker itself: it is not this message alone.
        except (amqp.AccessRefused, amqp.NotFound, amqp.NotAllowed, amqp.exceptions.InternalError) as error:
            self._drop()
            raise BrokerAway(told(error)) from error
        except (amqp.ChannelError, amqp.exceptions.IrrecoverableConnectionError) as error:
            self._drop()
            if len(messages) == 1:
                refused[0] = told(error)
        except trouble() as error:
            self._drop()
            raise BrokerAway(told(error)) from error
        except Exception as error:  # whatever can't be put into a message: half of it may be on the line
            self._drop()
            if len(messages) == 1:
                refused[0] = told(error)
        refused |= {places[number]: "the broker refused it (nack): a queue is full, or failed" for number in self._nacked}
        return Sent({places[number] for number in self._acked}, refused)

    def _send(self, message, body: bytes):
        self._producer.publish(
            body,
            routing_key=message.routing_key,
            message_id=message.id,
            content_type="application/json",
            content_encoding="utf-8",
            delivery_mode=2,
            timeout=CONFIRM_WITHIN,
        )

    def _wait(self):
        end = time.monotonic() + CONFIRM_WITHIN
        while self._pending:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError("no confirm")
            self._connection.drain_events(timeout=left)

    def _settle(self, tag, multiple, answers):
        settled = {pending for pending in self._pending if pending <= tag} if multiple else {tag}
        self._pending -= settled
        answers |= settled

    def close(self):
        """Politely, if the broker answers; within TIMEOUT anyway."""
        if self._connection is not None:
            try:
                self._connection.close()
            except trouble():
                self._drop()
            self._connection = None

    def _drop(self):
        """Without a word: the other side may never answer."""
        connection, self._connection = self._connection, None
        connection.collect()


class Reachability:
    """Whether the broker takes our login, asked at most every READY_KEPT seconds. Thread-safe."""

    def __init__(self):
        self._lock = threading.Lock()
        self._asked_at = float("-inf")
        self._answer = False
        self._asking = None

    def __call__(self) -> bool:
        with self._lock:
            if time.monotonic() >= self._asked_at + READY_KEPT:
                # In a thread: looking up its name, or an answer that comes by drops, knows no limit of ours.
                if self._asking is None or not self._asking.is_alive():
                    self._answered = threading.Event()
                    self._asking = threading.Thread(target=self._ask, args=[self._answered], name="broker-check", daemon=True)
                    self._asking.start()
                self._answer = self._answered.wait(READY_LIMIT)
                self._asked_at = time.monotonic()
            return self._answer

    def _ask(self, answered):
        try:
            connection = connect(timeout=READY_LIMIT)
        except BrokerAway:
            return
        answered.set()
        try:
            connection.close()
        except trouble():
            connection.collect()


reachable = Reachability()
