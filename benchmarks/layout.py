"""The program as deploy/systemd runs it: the API by threads, the streams by one process, the relay."""

import json
import os
import resource
import subprocess
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path

from tests.own_redis import free_port
from tests.server import end

from .processes import children_of

ROOT = Path(__file__).resolve().parent.parent
PYTHON = ROOT / ".production" / "bin" / "python"  # with what requirements.txt names and nothing else, as on a server
PATIENCE = 40  # seconds to start, on a busy machine

# Limits are counted with each request, as in production, and never reached.
NEVER_REACHED = dict.fromkeys(("RATE_LIMIT_PER_MINUTE", "ORDER_RATE_PER_MINUTE", "LOGIN_RATE_PER_MINUTE"), "100000000")
# Secrets of one run: nothing outlives it.
SETTINGS = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "only-for-this-one-run-" + os.urandom(16).hex(),
    "JWT_SECRET_KEY": "of-this-one-run-as-well-" + os.urandom(16).hex(),
    "ALLOWED_HOSTS": "127.0.0.1",
    "REDIS_URL": os.environ.get("REDIS_URL", ""),
    "RABBITMQ_URL": os.environ.get("RABBITMQ_URL", ""),
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "PYTHONDONTWRITEBYTECODE": "1",
    **NEVER_REACHED,
}
WORKERS = 2

# As LimitNOFILE in deploy/systemd; inherited by all that is started here.
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)


class Service:
    """One process with its children, started on entry and ended on exit. What it says goes to a file."""

    def __init__(self, folder: Path, name: str, command: list[str], *, cwd: Path = ROOT, **environment: str):
        self.output = folder / f"{name}.log"
        self.command, self.cwd = command, cwd
        self.environment = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")} | environment

    def __enter__(self):
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(self.command, cwd=self.cwd, env=self.environment, stdout=output, stderr=output)
        return self

    def __exit__(self, *error):
        end(self.process, self.workers if self.process.poll() is None else [], patience=PATIENCE)

    @property
    def workers(self) -> list[int]:
        return children_of(self.process.pid)

    @property
    def pids(self) -> list[int]:
        return [self.process.pid, *self.workers]


class WebService(Service):
    """One that answers HTTP on a free port of its own."""

    def __init__(self, folder: Path, name: str, command: list[str], *, probe: str = "/health", **options):
        port = free_port()
        self.address, self.probe = f"http://127.0.0.1:{port}", probe
        super().__init__(folder, name, command, BIND=f"127.0.0.1:{port}", **options)

    def __enter__(self):
        super().__enter__()
        give_up_at = time.monotonic() + PATIENCE
        while True:
            try:
                urllib.request.urlopen(self.address + self.probe, timeout=PATIENCE).close()
                return self
            except OSError as error:
                if self.process.poll() is not None or time.monotonic() > give_up_at:
                    raise SystemExit(f"{self.command} did not start:\n{self.output.read_text()[-4000:]}") from error
                time.sleep(0.1)


def gunicorn(*arguments: str) -> list[str]:
    return [str(PYTHON), "-m", "gunicorn", *arguments]


def api_of(folder: Path, database: str) -> WebService:
    """Everything but the streams, by threads."""
    environment = SETTINGS | {"DATABASE_URL": database, "SERVE": "api", "WEB_CONCURRENCY": str(WORKERS)}
    return WebService(folder, "api", gunicorn("-c", "gunicorn.conf.py"), **environment)


def bare(
    folder: Path, *, plain: bytes = b"", gzip: bytes = b"", said: dict[str, tuple] | None = None, database: str = ""
) -> tuple[WebService, WebService]:
    """benchmarks/bare.py with these bytes and statements: Django in a gunicorn like ours, ASGI in uvicorn's worker as it comes."""
    for name, content in {"plain": plain, "gzip": gzip, "said": json.dumps(said or {}).encode()}.items():
        Path(folder, name).write_bytes(content)
    environment = {"BARE_FOLDER": str(folder), "DATABASE_URL": database, "WEB_CONCURRENCY": str(WORKERS), "probe": "/"}
    django = gunicorn("-c", "gunicorn.conf.py", "benchmarks.bare:wsgi")
    asgi = gunicorn("--worker-class", "uvicorn_worker.UvicornWorker", "--no-control-socket", "benchmarks.bare:asgi")
    return WebService(folder, "django", django, SERVE="api", **environment), WebService(folder, "asgi", asgi, **environment)


class Layout(ExitStack):
    """All of it on one database. `with Layout(folder, database) as program: program.api.address`."""

    def __init__(self, folder: Path, database: str):
        super().__init__()
        environment = SETTINGS | {"DATABASE_URL": database}
        self.database, self.api = database, api_of(folder, database)
        streams = gunicorn("-c", "gunicorn.conf.py")
        self.streams = WebService(folder, "streams", streams, SERVE="streams", WEB_CONCURRENCY="1", **environment)
        relay = [str(PYTHON), "manage.py", "relay_events"]
        self.relay = Service(folder, "relay", relay, **environment) if environment["RABBITMQ_URL"] else None

    def __enter__(self):
        super().__enter__()
        for service in self.services:
            self.enter_context(service)
        return self

    @property
    def services(self) -> list[Service]:
        return [service for service in (self.api, self.streams, self.relay) if service]

    @property
    def pids(self) -> list[int]:
        return [pid for service in self.services for pid in service.pids]
