"""Orders as guests place them: so many a second, whether the last one is answered or not."""

import http.client
import itertools
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from .cast import Tablet
from .load import Answers

CONNECTIONS = 32
_keys = itertools.count(1)


def order_steadily(address: str, tablets: Sequence[Tablet], *, per_second: float, seconds: float) -> Answers:
    """How long each took, counted from when it was due: one that waits for the one before it is late, not quick."""
    here = threading.local()
    began = time.monotonic()

    def order(number: int) -> tuple[int, float]:
        due = began + number / per_second
        time.sleep(max(0.0, due - time.monotonic()))
        if not hasattr(here, "connection"):
            here.connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
        asked = tablets[number % len(tablets)].request
        headers = {"Authorization": f"Bearer {asked.token}", "Content-Type": "application/json"}
        headers["Idempotency-Key"] = f"steady-order-{next(_keys)}"
        here.connection.request(asked.method, asked.path, asked.body, headers)
        answer = here.connection.getresponse()
        answer.read()
        return answer.status, 1000 * (time.monotonic() - due)

    with ThreadPoolExecutor(CONNECTIONS) as guests:
        answers = list(guests.map(order, range(int(per_second * seconds))))
    took = time.monotonic() - began
    return Answers(Counter(status for status, _ in answers), took, sorted(latency for _, latency in answers))
