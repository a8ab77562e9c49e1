"""Where the CPU time of an order goes: `python -m benchmarks.profile [--of order|menu|board] [--requests 3000]`.

A real gunicorn worker handles real requests, but in this process and this thread, so that the kernel's own clock of CPU
time can look over its shoulder: 250 times a CPU second (ITIMER_PROF) we note where it is. Unlike a tracing profiler this
costs nothing, so the small functions do not look bigger than they are. Each sample counts twice: for the library whose
code ran, and for the innermost function of ours on the way there.
"""

import argparse
import json
import os
import signal
import socket
import sysconfig
import time
import uuid
from collections import Counter, defaultdict
from contextlib import redirect_stdout, suppress
from pathlib import Path

from tests.own_postgresql import own_database

from .database import prepare

ROOT = f"{Path(__file__).resolve().parent.parent}/"
LIBRARIES = f"{sysconfig.get_paths()['purelib']}/"
STANDARD = f"{sysconfig.get_paths()['stdlib']}/"
OURS = ("config", "orders", "sessions_app", "menus", "stores", "tableorder")
# The first that fits says which layer a file belongs to; the standard library belongs to whoever calls it.
LAYERS = {
    "gunicorn/": "gunicorn",
    "django/db/models/": "ORM",
    "django/db/": "driver",
    "psycopg": "driver",
    "redis/": "Redis client",
    "rest_framework/": "DRF",
    "rest_framework_simplejwt/": "token",
    "jwt/": "token",
    "cryptography/": "token",
    "prometheus_client/": "metrics",
    "pythonjsonlogger/": "logging",
    "django/middleware/": "middleware",
    "django/contrib/": "middleware",
    "django/utils/deprecation": "middleware",
    "corsheaders/": "middleware",
    "whitenoise/": "middleware",
    "django/": "Django",
    "asgiref/": "Django",
}
PASSED_THROUGH = "Statements.__call__"  # of the middleware: every statement comes through it, and is somebody else's
WARM_UP = 100
SUBJECTS = ["order", "menu", "board"]


class Samples:
    """Where the CPU was while requests were handled."""

    def __init__(self):
        self.layers, self.files, self.functions = Counter(), Counter(), defaultdict(Counter)

    def take(self, _signal, frame):
        layer = file = function = None
        while frame is not None and function is None:
            code = frame.f_code
            if layer is None and (layer := layer_of(code.co_filename, frame.f_globals.get("__name__", ""))):
                file = code.co_filename.removeprefix(LIBRARIES).removeprefix(ROOT).removeprefix(STANDARD)
            if layer_of(code.co_filename, "") == "ours" and code.co_qualname != PASSED_THROUGH:
                function = f"{code.co_filename.removeprefix(ROOT)} {code.co_qualname.partition('.<locals>.<')[0]}"
            frame = frame.f_back
        self.layers[layer or "other"] += 1
        self.files[file or "other"] += 1
        self.functions[function or "(above our code)"][layer or "other"] += 1


def layer_of(file: str, module: str) -> str | None:
    if module.startswith("logging"):
        return "logging"
    if file.startswith(LIBRARIES):
        path = file.removeprefix(LIBRARIES)
        return next((layer for begin, layer in LAYERS.items() if path.startswith(begin)), path.split("/")[0])
    if file.startswith((STANDARD, "<")):
        return None
    return "ours" if file.startswith(ROOT) and file.removeprefix(ROOT).startswith(OURS) else None


class Worker:
    """gunicorn's own worker, and a connection to it that is kept open."""

    def __init__(self):
        from gunicorn.config import Config
        from gunicorn.glogging import Logger
        from gunicorn.workers.gthread import TConn, ThreadWorker

        from config.wsgi import application

        configuration = Config()
        configuration.set("keepalive", 75)
        self.worker = ThreadWorker(0, 0, [], None, 30, configuration, Logger(configuration))
        self.worker.wsgi = application
        self.client, theirs = socket.socketpair()
        self.connection = TConn(configuration, theirs, ("127.0.0.1", 1), ("127.0.0.1", 8000))

    def answer(self, request: bytes) -> bytes:
        self.client.sendall(request)
        assert self.worker.handle(self.connection), "the connection was closed"
        answer = b""
        with suppress(BlockingIOError):  # all of it has been written
            while True:
                answer += self.client.recv(1 << 20, socket.MSG_DONTWAIT)
        return answer


def in_bytes(request) -> bytes:
    headers = {"Host": "127.0.0.1", "Authorization": f"Bearer {request.token}"}
    if request.method == "POST":
        headers |= {"Content-Type": "application/json", "Content-Length": len(request.body), "Idempotency-Key": uuid.uuid4()}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{request.method} {request.path} HTTP/1.1\r\n{head}\r\n{request.body}".encode()


def handle(worker: Worker, requests, expected: int, count: int):
    for number in range(count):
        answer = worker.answer(in_bytes(requests[number % len(requests)]))
        assert answer.startswith(f"HTTP/1.1 {expected} ".encode()), answer


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile", description=__doc__.splitlines()[0])
    parser.add_argument("--of", choices=SUBJECTS, default="order")
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("--json", action="store_true", help="only the layers, as {layer: milliseconds}")
    asked = parser.parse_args()
    with own_database("profile") as database, open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):  # the log
        samples, wall, cpu = profiled(database, asked.of, asked.requests)
    if asked.json:
        print(json.dumps({layer: 1000 * cpu / asked.requests * count / samples.layers.total() for layer, count in samples.layers.items()}))
    else:
        print_tables(samples, 1000 * wall / asked.requests, 1000 * cpu / asked.requests)


def profiled(database: str, subject: str, count: int) -> tuple[Samples, float, float]:
    """(the samples, seconds that it took, seconds of CPU time in them)"""
    prepare(database)
    requests, status = requests_of(subject)
    worker, samples = Worker(), Samples()
    handle(worker, requests, status, WARM_UP)
    signal.signal(signal.SIGPROF, samples.take)
    wall, cpu = time.perf_counter(), time.process_time()
    signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001)  # the kernel's tick, 4 ms, is as often as it gets
    handle(worker, requests, status, count)
    signal.setitimer(signal.ITIMER_PROF, 0)
    return samples, time.perf_counter() - wall, time.process_time() - cpu


def requests_of(subject: str) -> tuple[list, int]:
    """(the requests, the status of their answers)"""
    from . import board, menu
    from .cast import Request, open_menu, open_store

    match subject:
        case "order":
            return [tablet.request for tablet in open_store("profiled", tables=20)[1]], 201
        case "menu":
            return [Request("GET", menu.PATH, open_menu("profiled", dishes=menu.DISHES).token)], 200
        case "board":
            return [Request("GET", board.PATHS["board"], board.busy_store("profiled", past=board.A_PAGE).manager)], 200


def print_tables(samples: Samples, wall: float, cpu: float):
    each = cpu / samples.layers.total()  # milliseconds of a request that a sample stands for
    print(f"{cpu:.2f} ms CPU a request; {wall - cpu:.2f} ms more until the answer: PostgreSQL, and whatever else is running.")
    print(f"{samples.layers.total()} samples; one is {1000 * each:.1f} µs of each request.")
    print(f"\n{'ms':>6}  layer (whose code ran)")
    for layer, count in samples.layers.most_common():
        print(f"{count * each:6.2f}  {layer}")
    print(f"\n{'ms':>6}  file whose code ran")
    for file, count in samples.files.most_common(25):
        print(f"{count * each:6.2f}  {file}")
    print(f"\n{'ms':>6}  innermost function of ours, and whose code ran below it")
    for function, layers in sorted(samples.functions.items(), key=lambda found: -found[1].total())[:40]:
        print(f"{layers.total() * each:6.2f}  {function:62}", ", ".join(f"{layer} {n * each:.2f}" for layer, n in layers.most_common(4)))


if __name__ == "__main__":
    main()
