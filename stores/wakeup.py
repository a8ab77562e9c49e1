"""The wake-up call after a commit: "this store's journal has grown".

Only a hint, for speed; the journal is the truth, and readers look at it every second anyway. This is the place
where a call to other processes and machines belongs.
"""

from collections.abc import Callable

_listeners: list[Callable] = []


def listen(listener: Callable):
    """`listener(store_id)` is called in the thread that committed: it must return at once and never raise."""
    _listeners.append(listener)


def announce(store_id):
    for listener in _listeners:
        listener(store_id)
