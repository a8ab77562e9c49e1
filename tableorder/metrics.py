"""What the program counts, for Prometheus: `GET /metrics`, over all workers of one gunicorn master.

A worker counts in files of its own in PROMETHEUS_MULTIPROC_DIR, which gunicorn.conf.py makes; a scrape, whichever
worker it reaches, adds up the files of all. The variable must be there before `prometheus_client` is imported.
Without gunicorn it isn't set, and one process counts in memory.

Services count what has been committed: `transaction.on_commit(metrics.orders.inc, robust=True)`. Robust, because
what is committed must be answered, whatever becomes of the count.
"""

import contextlib
import fcntl
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path

import prometheus_client
from django.db import connection
from django.http import Http404, HttpResponse
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

from . import redis

log = logging.getLogger(__name__)

prometheus_client.disable_created_metrics()  # as many series again, which nobody looks at
_registry = CollectorRegistry()

REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)  # seconds; 0.5 is what we promise
DELAY_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30)  # 2 is what we promise


def _counter(name, documentation, *labels):
    return Counter(f"tableorder_{name}", documentation, labels, registry=_registry)


def _gauge(name, documentation, *labels, over_workers="livesum"):
    """`over_workers`: what is shown of the workers that are alive, their sum or the highest."""
    return Gauge(name, documentation, labels, registry=_registry, multiprocess_mode=over_workers)


def _histogram(name, documentation, *labels, buckets):
    return Histogram(f"tableorder_{name}", documentation, labels, registry=_registry, buckets=buckets)


http_requests = _counter("http_requests", "Requests answered.", "method", "route", "status")
http_request_duration = _histogram(
    "http_request_duration_seconds", "Time until the answer begins.", "method", "route", buckets=REQUEST_BUCKETS
)
orders = _counter("orders", "Orders placed.")
order_lines_cancelled = _counter("order_lines_cancelled", "Lines of orders cancelled, wholly or in part.")
login_failures = _counter("login_failures", "Wrong names or passwords.", "kind")
login_locks = _counter("login_locks", "Sign-ins locked after too many failures.")
log_lines_dropped = _counter("log_lines_dropped", "Log lines that a sink lost.", "sink")
streams_open = _gauge("tableorder_streams_open", "Live streams open.")
stream_delay = _histogram("stream_delay_seconds", "From the journal to the streams of its store.", buckets=DELAY_BUCKETS)
breaker_state = _gauge(
    "tableorder_breaker_state", "0 closed (it is asked), 1 half open (being tried), 2 open.", "name", over_workers="livemax"
)
pool_connections = _gauge("tableorder_database_pool_connections", "Connections to the database.", "state")
pool_waiting = _gauge("tableorder_database_pool_waiting_requests", "Requests that wait for a connection now.")
pool_requests = _counter("database_pool_requests", "Connections asked for.")
pool_queued = _counter("database_pool_queued_requests", "Connections asked for that were waited for.")
pool_errors = _counter("database_pool_failed_requests", "Connections asked for and not given in time.")
pool_wait = _counter("database_pool_wait_seconds", "Time waited for connections.")
workers = _gauge("tableorder_workers", "Processes that serve.")
# By the names that every dashboard knows, and over all workers.
process_cpu = Counter("process_cpu_seconds", "CPU time used.", registry=_registry)
process_memory = _gauge("process_resident_memory_bytes", "Memory in RAM; what workers share is in it once for each.")
process_files = _gauge("process_open_fds", "Open files and connections.")
process_started = _gauge("process_start_time_seconds", "When the youngest worker began.", over_workers="livemax")

for kind in ("staff", "tablet", "admin"):  # a series that begins with its first failure has no rate
    login_failures.labels(kind)
for sink in ("stdout", "file", "cloudwatch"):
    log_lines_dropped.labels(sink)

# --- Requests ---------------------------------------------------------------------------------------------------


def request_answered(method: str, route: str, status: int, seconds: float):
    """The route is a pattern and the method one of a fixed set: each combination is kept for ever."""
    with contextlib.suppress(OSError):  # no room for a new series
        _requests_of(method, route, status).inc()
        _duration_of(method, route).observe(seconds)
        look_at_the_process()


# Finding the series takes longer than counting.
_requests_of = lru_cache(maxsize=None)(http_requests.labels)
_duration_of = lru_cache(maxsize=None)(http_request_duration.labels)

# --- The process ------------------------------------------------------------------------------------------------

LOOK_EVERY = 1.0  # seconds; a worker without requests has nothing new to tell

_BREAKER = {"closed": 0, "half_open": 1, "open": 2}
_POOL_COUNTERS = [  # by the names of psycopg_pool
    ("requests_num", pool_requests, 1),
    ("requests_queued", pool_queued, 1),
    ("requests_errors", pool_errors, 1),
    ("requests_wait_ms", pool_wait, 0.001),
]
_look_again_at = 0.0
_seen: dict[str, float] = {}
_looking = threading.Lock()


def look_at_the_process():
    """What can only be seen from inside a worker, once a second at most: whoever scrapes reaches one of them."""
    global _look_again_at
    if time.monotonic() < _look_again_at or not _looking.acquire(blocking=False):
        return
    try:
        _look_again_at = time.monotonic() + LOOK_EVERY
        workers.set(1)
        process_cpu.inc(_grown("cpu", time.process_time()))
        process_started.set(_STARTED)
        with contextlib.suppress(OSError):  # not Linux
            process_memory.set(int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
            process_files.set(len(os.listdir("/proc/self/fd")))
        if (state := redis.state()) in _BREAKER:
            breaker_state.labels("redis").set(_BREAKER[state])
        _look_at_the_pool()
    finally:
        _looking.release()


_STARTED = time.time()


def _look_at_the_pool():
    # Of PostgreSQL, and only one that is in use. `connection.pool` would make it, for the database that the settings
    # name at this moment: tests that import the program first would then run on that one and empty it.
    pool = getattr(connection, "_connection_pools", {}).get(connection.alias)
    if pool is None:
        return
    stats = pool.get_stats()
    idle = stats.get("pool_available", 0)
    pool_connections.labels("idle").set(idle)
    pool_connections.labels("used").set(max(0, stats.get("pool_size", 0) - idle))
    pool_waiting.set(stats.get("requests_waiting", 0))
    for name, counter, unit in _POOL_COUNTERS:
        counter.inc(_grown(name, stats.get(name, 0)) * unit)


def _grown(name, value):
    """By how much since the last time; a count that went back has begun anew."""
    before, _seen[name] = _seen.get(name, 0), value
    return value - before if value >= before else value


# --- The scrape -------------------------------------------------------------------------------------------------

Gauges = Iterable[tuple[str, str, float]]  # name, documentation, value
_at_scrape: list[Callable[[], Gauges]] = []


def at_scrape(gauges: Callable[[], Gauges]):
    """To be asked with every scrape. If that fails, they are missing from it."""
    _at_scrape.append(gauges)


class _Everything:
    """What a scrape gets."""

    def collect(self):
        directory = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
        if directory:
            with _nothing_moves_in(directory):
                yield from MultiProcessCollector(None, directory).collect()
        else:
            yield from _registry.collect()
        for gauges in _at_scrape:
            try:
                found = list(gauges())
            except Exception as error:  # the database is away: that is when the other numbers are wanted
                log.warning("a measurement failed: %s: %s", type(error).__name__, error)
                continue
            for name, documentation, value in found:
                yield GaugeMetricFamily(name, documentation, value=value)


@contextlib.contextmanager
def _nothing_moves_in(directory):
    """The master adds the files of a worker that is gone to others (config/gone_workers.py), but not meanwhile."""
    with open(Path(directory) / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def expose(request):
    """For the Prometheus beside us. Nginx keeps it closed; what still came through a proxy finds nothing here."""
    if "X-Forwarded-For" in request.headers:
        raise Http404
    look_at_the_process()
    registry = CollectorRegistry()
    registry.register(_Everything())
    return HttpResponse(
        generate_latest(registry), content_type=prometheus_client.exposition.CONTENT_TYPE_PLAIN_0_0_4, headers={"Cache-Control": "no-store"}
    )
