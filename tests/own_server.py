"""The program as it is in production: a gunicorn of our own, on an empty database of its own."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.own_redis import free_port

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 40  # seconds to start or to change, on a busy machine


class OwnServer:
    """Started on entry, ended on exit. `folder`: where its output and its database go."""

    def __init__(self, folder: Path, **environment):
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.output = folder / "output.log"
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
        own = {
            "DATABASE_URL": f"sqlite:///{folder / 'server.sqlite3'}",
            "BIND": f"127.0.0.1:{self.port}",
            "REDIS_URL": "",
            "RABBITMQ_URL": "",
        }
        self.environment = kept | own | environment

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def start(self):
        command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py"]
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=output, stderr=output)
        self.until(lambda: self.get("/health"))

    def stop(self) -> float:
        """Seconds from SIGTERM to its end."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(PATIENCE) == 0
        return time.monotonic() - began

    def get(self, path: str, **headers) -> str:
        request = urllib.request.Request(f"{self.address}{path}", headers=headers)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.read().decode()

    def until(self, condition):
        give_up_at = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(OSError):
                if found := condition():
                    return found
            assert time.monotonic() < give_up_at and self.process.poll() is None, self.output.read_text()[-4000:]
            time.sleep(0.1)

    def workers(self) -> set[int]:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return {int(pid) for pid in children.split()}

    def metrics(self) -> dict[str, float]:
        return samples(self.get("/metrics"))

    def lines(self) -> list[dict]:
        """Everything that it wrote to stdout and stderr; each of it must be a line of JSON."""
        return [json.loads(line) for line in self.output.read_text().splitlines()]


def samples(text: str) -> dict[str, float]:
    """{name with its labels: value}"""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found
