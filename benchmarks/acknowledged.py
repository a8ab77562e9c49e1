"""Speed never costs a promise: after a load the data must be what was acknowledged, exactly."""

from collections.abc import Iterable

from orders.invariants import INVARIANTS, STORES_AT_ONCE
from orders.models import Order


def count_of_orders() -> int:
    return Order.objects.count()


def verify(*, before: int, acknowledged: int, stores: Iterable):
    """Ends the benchmark if an order is missing, doubled or wrong: bills, numbers, journal (orders/invariants.py)."""
    written = Order.objects.count() - before
    wrong = [] if written == acknowledged else [f"{acknowledged} orders were acknowledged, {written} are there"]
    ids = list(stores)
    for invariant in INVARIANTS:
        for start in range(0, len(ids), STORES_AT_ONCE):
            wrong += [f"{invariant.sentence} {offender}" for offender in invariant.offenders(ids[start : start + STORES_AT_ONCE])]
    if wrong:
        raise SystemExit("\n".join(["BROKEN:", *wrong[:20]]))
