from django.core.management.base import BaseCommand, CommandError

from orders.invariants import INVARIANTS
from orders.models import Order, OrderLine
from sessions_app.models import TableSession
from stores.models import Event, Store

NAMED = 20  # offenders of a check that are printed; the rest are counted


class Command(BaseCommand):
    help = "Checks that bills, states, numbers and journals agree with each other. Reads only; fails if something is broken."

    def handle(self, **options):
        # What there is: after a restore "all is well" with nothing in it would say little.
        sizes = [f"{model.objects.count():,} {model._meta.verbose_name_plural}" for model in (Store, TableSession, Order, OrderLine, Event)]
        self.stdout.write(f"Looking at {', '.join(sizes)}.")
        stores = list(Store.objects.order_by("code").values_list("pk", flat=True))
        broken = [invariant for invariant in INVARIANTS if not self._holds(invariant, stores)]
        if broken:
            raise CommandError(f"{len(broken)} of {len(INVARIANTS)} checks found broken data.")
        self.stdout.write(self.style.SUCCESS("All is well."))

    def _holds(self, invariant, stores) -> bool:
        named, count = [], 0
        for count, offender in enumerate(invariant.offenders(stores), start=1):
            if count <= NAMED:
                named.append(offender)
        self.stdout.write(f"{self.style.ERROR('BROKEN') if count else 'ok    '} {invariant.sentence}")
        for offender in named:
            self.stdout.write(f"         {offender}")
        if count > NAMED:
            self.stdout.write(f"         and {count - NAMED} more")
        return not count
