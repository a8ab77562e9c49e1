"""The real program, started as in production and stopped whatever happens: workers that die, reloads, open streams."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from tests.own_redis import free_port

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 30  # seconds for it to start, and for an answer


class Server:
    """One gunicorn master with its workers."""

    def __init__(self, process: subprocess.Popen, port: int, log: Path):
        self.process, self.url, self._log = process, f"http://127.0.0.1:{port}", log

    @property
    def log(self) -> str:
        return self._log.read_text()

    def client(self, token: str | None = None) -> httpx.Client:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=f"{self.url}/api/v1/", headers=headers, timeout=PATIENCE)

    def workers(self) -> list[int]:
        """Their process ids, the oldest first."""
        children = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=False)
        return [int(pid) for pid in children.stdout.split()]

    def kill(self, worker: int):
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def stop(self) -> float:
        """Seconds until it has stopped."""
        began = time.monotonic()
        self.process.terminate()
        self.process.wait(PATIENCE)
        return time.monotonic() - began


@contextmanager
def serving(database_url: str, *, workers: int = 1, **environment: str) -> Iterator[Server]:
    """The program on a free port, ready; its limits are off, so that a test may ask as often as it likes."""
    port = free_port()
    environment = {
        "BIND": f"127.0.0.1:{port}",
        "DATABASE_URL": database_url,
        "WEB_CONCURRENCY": str(workers),
        **dict.fromkeys(("RATE_LIMIT_PER_MINUTE", "ORDER_RATE_PER_MINUTE", "LOGIN_RATE_PER_MINUTE"), "0"),
        **dict.fromkeys(("REDIS_URL", "RABBITMQ_URL"), ""),
        **environment,
    }
    with tempfile.TemporaryDirectory() as folder, open(Path(folder) / "log", "w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py"], cwd=ROOT, env=os.environ | environment, stdout=log, stderr=log
        )
        server = Server(process, port, Path(folder) / "log")
        try:
            _wait_until_ready(server)
            yield server
        finally:
            if process.poll() is None:
                end(process, server.workers())


def _wait_until_ready(server):
    give_up_at = time.monotonic() + PATIENCE
    while True:
        with suppress(httpx.TransportError):
            if httpx.get(f"{server.url}/health/ready", timeout=PATIENCE).status_code == 200:
                return
        assert server.process.poll() is None and time.monotonic() < give_up_at, f"it did not start:\n{server.log}"
        time.sleep(0.1)


def end(process: subprocess.Popen, workers: Iterable[int], *, patience: float = PATIENCE):
    """Stops a program of ours; one that won't is killed, and with it its workers, which would keep the port."""
    process.terminate()
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        for worker in workers:
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)


class Listener:
    """An open stream of events, read in a thread of its own."""

    def __init__(self, server: Server, token: str, path: str = "staff/events"):
        self.heard: dict[str, float] = {}  # {id of the order, call...: when it was heard of first}
        self.numbers: list[int] = []
        self.error: Exception | None = None  # why it broke off; None while it is open, or if it ended as it should
        self._client, self._path, self._open, self._news = server.client(token), path, threading.Event(), threading.Condition()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        assert self._open.wait(PATIENCE) and not self.error, self.error

    def _read(self):
        try:
            with self._client.stream("GET", self._path) as answer:
                answer.raise_for_status()
                for line in answer.iter_lines():
                    self._open.set()  # its first line says that it is open
                    if line.startswith("data: "):
                        self._hear(json.loads(line.removeprefix("data: ")), time.monotonic())
        except Exception as error:
            self.error = error
        finally:
            self._open.set()

    def _hear(self, event, now):
        with self._news:
            self.numbers.append(event["number"])
            self.heard.setdefault(event["data"].get("id"), now)
            self._news.notify_all()

    def when(self, id: str) -> float:
        """The moment (monotonic) at which it heard of this; waits for it."""
        with self._news:
            assert self._news.wait_for(lambda: id in self.heard, PATIENCE), f"never heard of {id}"
            return self.heard[id]

    def ended(self) -> bool:
        """Has the stream ended, by itself and properly? Waits for it."""
        self._thread.join(PATIENCE)
        return not self._thread.is_alive() and self.error is None

    def close(self):
        self._client.close()
