"""How many streams a token and a store have open, in all workers of a machine together.

A place is one byte of the store's file, which stays empty, locked by the worker that has it: however the worker ends, the
kernel frees its places. A process isn't stopped by its own locks, so each also remembers the places that it has.
"""

import fcntl
import hashlib
import os
import tempfile
from pathlib import Path
from typing import IO
from uuid import UUID

STREAMS_PER_TOKEN = 4
STREAMS_PER_STORE = 50

Place = int


class Places:
    """Those that this process has taken."""

    def __init__(self):
        self._stores: dict[UUID, tuple[IO, set[Place]]] = {}

    def take(self, store_id: UUID, token_id: str) -> list[Place] | None:
        """What is to be given back; None if the token or the store has as many as it may."""
        if store_id not in self._stores:
            self._stores[store_id] = _file(store_id), set()
        file, held = self._stores[store_id]
        taken = []
        for places in (range(STREAMS_PER_STORE), _of_token(token_id)):
            place = next((place for place in places if place not in held and _lock(file, place)), None)
            if place is None:
                self.give_back(store_id, taken)
                return None
            held.add(place)
            taken.append(place)
        return taken

    def give_back(self, store_id: UUID, taken: list[Place]):
        file, held = self._stores[store_id]
        for place in taken:
            fcntl.lockf(file, fcntl.LOCK_UN, 1, place)
            held.remove(place)
        if not held:
            file.close()
            del self._stores[store_id]


def _file(store_id):
    """In the folder that gunicorn.conf.py makes for its workers; without one this process is alone."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    return Path(folder, f"streams-{store_id}").open("w") if folder else tempfile.TemporaryFile()


def _of_token(token_id):
    """Behind those of the store, at a place of its own among 2^48."""
    first = STREAMS_PER_STORE + STREAMS_PER_TOKEN * int.from_bytes(hashlib.sha256(token_id.encode()).digest()[:6])
    return range(first, first + STREAMS_PER_TOKEN)


def _lock(file, place) -> bool:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
    except OSError:  # another worker's
        return False
    return True
