"""Several changes of a menu that count as one: a form that was saved is one thing to the tablets."""

from contextlib import contextmanager
from contextvars import ContextVar

from stores import journal

_gathered: ContextVar[set | None] = ContextVar("stores whose menus change in this transaction", default=None)


@contextmanager
def one_change():
    """Around services, inside one transaction: each store's counter row is taken once, and last."""
    stores = set()
    token = _gathered.set(stores)
    try:
        yield
    finally:
        _gathered.reset(token)
    for store_id in sorted(stores):
        journal.menu_changed(store_id)


def menu_changed(store_id):
    """The end of every change of a menu: at once, or with the whole that it is part of."""
    stores = _gathered.get()
    if stores is None:
        journal.menu_changed(store_id)
    else:
        stores.add(store_id)
