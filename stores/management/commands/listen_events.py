import json
import os
import sys

from django.core.management.base import BaseCommand, CommandError

from tableorder import broker
from tableorder.stopping import stop_signal

LOOK_UP = 1.0  # seconds until it looks whether it is to stop
PREFETCH = 100  # messages the broker sends ahead


class Command(BaseCommand):
    help = "A sample consumer of the message bus: prints each message as a line of JSON, until it is told to stop."

    def add_arguments(self, parser):
        parser.add_argument("--pattern", default="#", help="Which types: order.*, call.opened, # for all (#).")
        parser.add_argument(
            "--queue", default="", metavar="NAME", help="A durable queue, which keeps what comes while nobody listens; else one of its own."
        )
        parser.add_argument("--count", type=int, default=0, metavar="N", help="Stop after N messages.")

    def handle(self, *, pattern, queue, count, **options):
        if not broker.is_on():
            raise CommandError("The message bus is off. Set RABBITMQ_URL to amqp://user:password@host:5672//.")
        self.left = count or float("inf")
        self.stop = stop_signal()
        failures = 0
        while self.listening():
            try:
                connection = broker.connect()
                failures = 0
                self.listen(connection, pattern, queue)
            except (broker.BrokerAway, *broker.trouble()) as error:
                failures += 1
                pause = broker.pause_after(failures)
                self.stderr.write(f"the broker is away, trying again in {pause:.0f} s: {broker.told(error)}")
                self.stop.wait(pause)

    def listening(self) -> bool:
        return self.left > 0 and not self.stop.is_set()

    def listen(self, connection, pattern, queue):
        import kombu

        try:
            bound = kombu.Queue(queue, broker.exchange(), pattern, durable=bool(queue), exclusive=not queue, auto_delete=not queue)
            consumer = kombu.Consumer(
                connection.channel(), [bound], on_message=self.show, prefetch_count=int(min(self.left, PREFETCH)), auto_declare=True
            )
            consumer.consume()
            self.stderr.write(f"listening to {pattern} of {broker.EXCHANGE}")
            while self.listening():
                try:
                    connection.drain_events(timeout=LOOK_UP)
                except TimeoutError:
                    connection.heartbeat_tick()
            connection.close()
        finally:
            connection.collect()

    def show(self, message):
        """Prints it, and only then says so to the broker: whoever dies in between gets it once more."""
        if not self.listening():
            return
        try:
            body = json.loads(message.body)
        except ValueError:
            body = str(message.body)
        line = {"routing_key": message.delivery_info["routing_key"], "message_id": message.properties.get("message_id"), "body": body}
        try:
            self.stdout.write(json.dumps(line, ensure_ascii=False))
            self.stdout.flush()
        except BrokenPipeError:  # whoever read this has gone; not the broker
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(1) from None
        message.ack()
        self.left -= 1
