from django.core.management.base import BaseCommand, CommandError

from stores.relay import BATCH, Relay
from tableorder import broker
from tableorder.stopping import stop_signal


class Command(BaseCommand):
    help = "Takes what happens in the stores to the message bus, until it is told to stop. Several may run at a time."
    requires_system_checks = ["production"]  # all of them load every page: 10 MB that stay

    def add_arguments(self, parser):
        parser.add_argument("--once", action="store_true", help="Stop when everything has been sent; fail if the broker is away.")
        parser.add_argument("--batch", type=int, default=BATCH, metavar="N", help=f"Events of a store to read at once ({BATCH}).")

    def handle(self, *, once, batch, **options):
        if not broker.is_on():
            raise CommandError("The message bus is off. Set RABBITMQ_URL to amqp://user:password@host:5672//.")
        if batch < 1:
            raise CommandError("--batch takes a number above 0.")
        relay = Relay(batch=batch)
        if not once:
            relay.run(stop_signal())
            return
        try:
            relay.drain(stop_signal())
        except broker.BrokerAway as error:
            raise CommandError(f"The broker is away: {error}") from error
