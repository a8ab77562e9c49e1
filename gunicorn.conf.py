"""How the program is served: `gunicorn -c gunicorn.conf.py`.

SERVE=all (the default): everything by ASGI workers. SERVE=api: everything but the streams, by threads, at half
the CPU time a request. SERVE=streams: the streams, by ASGI. `.env.example` says what each variable means.

Not preloaded: a reload (SIGHUP) must read the code again, and connections to the database must not be forked.
"""

import contextlib
import ctypes
import fcntl
import gc
import os
import shutil
import socket
import sys
import tempfile
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from environ.fileaware_mapping import FileAwareMapping
from gunicorn import glogging


def read_alone(path):
    """A file of ours, but not as a module: what the master has imported, workers would have after a reload too."""
    spec = spec_from_file_location(f"{path.stem}_of_the_master", path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


HERE = Path(__file__).parent


class Environment(read_alone(HERE / "config" / "environment.py").Environment):
    """A copy of the environment, with `.env`. In the environment itself a value from `.env` would outlive reloads."""

    ENVIRON = FileAwareMapping(dict(os.environ))


Environment.read_env(HERE / ".env")
env = Environment()

SERVE = env.str("SERVE", default="all")
if SERVE not in ("all", "api", "streams"):
    raise SystemExit(f"SERVE={SERVE}: use all, api or streams")

wsgi_app = "config.wsgi:application" if SERVE == "api" else "config.asgi:application"
bind = env.str("BIND", default="127.0.0.1:8000")
workers = env.int("WEB_CONCURRENCY", default=1)
if workers < 1:  # the checks run in workers: with none of them it would listen and never answer
    raise SystemExit(f"WEB_CONCURRENCY={workers}: use 1 or more")
worker_class = "config.api_worker.ApiWorker" if SERVE == "api" else "config.worker.StreamWorker"
threads = 4  # as DATABASE_POOL_SIZE by itself: more would only wait for a connection, and wake each other up

timeout = 30
graceful_timeout = 8  # everything has stopped within 10 s
keepalive = 75  # longer than Nginx keeps an idle connection, so that it is never closed under a request

limit_request_line = 8190
limit_request_fields = 100
limit_request_field_size = 8190

# Who is believed about addresses and schemes is a matter of TRUSTED_PROXIES, in one place.
forwarded_allow_ips = ""
secure_scheme_headers = {}

control_socket_disable = True  # it would need a writable home
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # a heartbeat file on a slow disk stops the worker

# Of glibc's heaps the threads share two, as with MALLOC_ARENA_MAX=2. With one for each, what long lists leave behind
# in them keeps 17 of 247 MB more in two workers. Other C libraries have no such heaps, and no such call.
with contextlib.suppress(AttributeError):
    ctypes.CDLL(None).mallopt(-8, 2)  # M_ARENA_MAX, malloc.h

# --- What it says -----------------------------------------------------------------------------------------------

lines = read_alone(HERE / "tableorder" / "logging.py")


class Logger(glogging.Logger):
    """The lines of the master, and of a worker until it has loaded the program, which then sets up its own.

    No log of accesses: tableorder/middleware.py writes one, without addresses and query strings.
    """

    def _set_handler(self, log, output, fmt, stream=None):
        super()._set_handler(log, output, lines.JSONLines(), sys.stdout)


logger_class = Logger

# --- What it counts ---------------------------------------------------------------------------------------------


def make_room_for_counts():
    """A fresh directory for tableorder/metrics.py, whatever the environment names: two masters must not share one.

    Its lock lives as long as the master or one of its workers. Where it is free, they have been killed.
    """
    parent = Path(worker_tmp_dir or tempfile.gettempdir())
    for left in parent.glob("tableorder-metrics-*/master"):
        with contextlib.suppress(OSError), left.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left.parent)
    room = Path(tempfile.mkdtemp(prefix=".tableorder-metrics-", dir=parent))
    # Never closed; a file object would be, when a reload reads this file again.
    fcntl.flock(os.open(room / "master", os.O_CREAT | os.O_WRONLY), fcntl.LOCK_EX)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(room.rename(parent / room.name[1:]))  # seen by others only now


def pre_fork(server, worker):
    Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).mkdir(mode=0o700, exist_ok=True)  # some machines tidy up by themselves
    worker.core = core_for_one_more(server.WORKERS.values())


def core_for_one_more(others):
    """Where each core can have a worker, those of the API keep to theirs; None where they run as they come.

    Of a worker's threads one at a time runs Python, and with every statement they wake each other up. On one core that
    costs less than across several: 1.04 to 1.13 times the orders and 1.25 times the menus (two cores, interleaved
    loads). What else runs on the machine, the kernel puts where there is room.
    """
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if SERVE != "api" or not 1 < len(cores) <= workers:
        return None
    taken = [getattr(each, "core", None) for each in others]
    return min(cores, key=taken.count)


def post_fork(server, worker):
    if worker.core is not None:
        with contextlib.suppress(OSError):  # not everywhere may one ask for it
            os.sched_setaffinity(0, {worker.core})


def post_worker_init(worker):
    """What has been loaded stays: the collector needn't look through it again and again (8 % of an order's CPU time)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def child_exit(server, worker):
    # Not at the top: the library looks for the directory when it is imported.
    from config import gone_workers

    directory = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
    try:
        gone_workers.forget(directory, worker.pid)
        gone_workers.add_up(directory, server.WORKERS)
    except Exception:  # the master must not end because of a count
        server.log.exception("The counts of a worker are lost")


def on_exit(server):
    shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"], ignore_errors=True)


# --- Whom it serves ---------------------------------------------------------------------------------------------

GIVE_UP_AFTER = 30_000  # milliseconds


def when_ready(server):
    """A client that vanished without a word (a tablet out of the Wi-Fi) is given up after 30 s.

    By itself the kernel tries for a quarter of an hour, and so long its streams would count against its limit. Behind Nginx
    the client is Nginx, and the kernel is told for the whole machine: tcp_retries2 in deploy/.
    """
    make_room_for_counts()  # not earlier: a start that fails would leave it behind
    for listener in server.LISTENERS:
        if listener.sock.family in (socket.AF_INET, socket.AF_INET6) and hasattr(socket, "TCP_USER_TIMEOUT"):
            listener.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, GIVE_UP_AFTER)
