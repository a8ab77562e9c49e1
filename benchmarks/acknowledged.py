"""Speed never costs a promise: after a load the data must be what was acknowledged, exactly."""

from collections.abc import Collection

from orders.invariants import INVARIANTS
from orders.models import Order


def count_of_orders() -> int:
    return Order.objects.count()


def verify(*, before: int, acknowledged: int, stores: Collection):
    """Ends the benchmark if an order is missing, doubled or wrong: bills, numbers, journal (orders/invariants.py)."""
    written = Order.objects.count() - before
    wrong = [] if written == acknowledged else [f"{acknowledged} orders were acknowledged, {written} are there"]
    wrong += [f"{invariant.sentence} {offender}" for invariant in INVARIANTS for offender in invariant.offenders(list(stores))]
    if wrong:
        raise SystemExit("\n".join(["BROKEN:", *wrong[:20]]))
