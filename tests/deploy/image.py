"""The Dockerfile, built and run without a Docker engine: `python -m tests.deploy.image` as root.

Needs Debian's buildah and debootstrap. Builds with buildah; where no registry can be reached, on a stand-in for the
official Python image that debootstrap makes once (a minute) and that is kept in STORE. Then the image serves, with the
environment that production has, on a PostgreSQL of its own: migrations, readiness, an order, static files, its own
health check, whom it runs as, what it could write and did write, what is not in it, and its end at SIGTERM with a
stream open. Prints figures; exits with 1 if a promise is broken.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.own_postgresql import OwnPostgreSQL
from tests.own_redis import OwnRedis, free_port

ROOT = Path(__file__).resolve().parents[2]
# Apart from the images of whoever runs this: a stand-in under the official name must not be taken for it.
STORE = Path(os.environ.get("IMAGE_STORE", "/var/tmp/table-order-images"))
BASE, IMAGE, CONTAINER = "docker.io/library/python:3.11-slim-bookworm", "localhost/table-order:drill", "table-order-drill"
UID = 10001
MAY_WRITE = {"/tmp", "/var/tmp", "/data", "/data/media", "/data/log", "/app/data"}
STOPS_WITHIN = 10.0  # seconds, with a stream open
STARTS_WITHIN = 30.0


BUILDAH = ["buildah", "--root", str(STORE / "root"), "--runroot", str(STORE / "run"), "--storage-driver", "overlay"]


def buildah(*arguments) -> str:
    done = subprocess.run([*BUILDAH, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"buildah {arguments}\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
    return done.stdout.strip()


# --- The image ----------------------------------------------------------------------------------------------------


def pip_settings() -> dict[str, str]:
    """What pip is told on this machine (a certificate, folders with packages), for a build that knows no proxy of ours."""
    lines = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True).stdout
    pairs = (line.partition("=") for line in lines.splitlines())
    return {name.rpartition(".")[2]: value.strip("'\"") for name, _, value in pairs if name.startswith("global.")}


def folders_of_packages(settings: dict[str, str]) -> list[str]:
    named = " ".join(settings.get(name, "") for name in ("find-links", "index-url", "extra-index-url")).split()
    paths = [Path(urlsplit(name).path) for name in named if name.startswith(("/", "file://"))]
    paths = [path.parent if path.name == "simple" else path for path in paths]  # an index points to files beside it
    return [str(path) for path in paths if path.is_dir()]


def stand_in():
    """Debian's Python, where the official image has its own; and this machine's certificates and pip settings."""
    with tempfile.TemporaryDirectory(dir=STORE) as folder:
        packages = "--include=python3,python3-venv,python3-pip,ca-certificates"
        subprocess.run(["debootstrap", "--variant=minbase", packages, "bookworm", folder], check=True, stdout=subprocess.DEVNULL)
        root = Path(folder)
        for name, target in {"python": "python3", "python3": "python3", "pip": "pip3"}.items():
            (root / "usr/local/bin" / name).symlink_to(f"/usr/bin/{target}")
        shutil.rmtree(root / "var/cache/apt/archives")
        settings = pip_settings()
        (root / "etc/pip.conf").write_text("[global]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items()))
        for file in filter(None, map(settings.get, ("cert", "constraint"))):
            (root / file.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, root / file.lstrip("/"))
        container = buildah("from", "scratch")
        buildah("add", "--quiet", container, folder, "/")
        buildah("commit", "--quiet", container, BASE)
        buildah("rm", container)


def have_base() -> str:
    if not buildah("images", "--quiet", "--filter", f"reference={BASE}"):
        STORE.mkdir(parents=True, exist_ok=True)
        try:
            buildah("pull", "--quiet", BASE)
        except AssertionError:
            stand_in()
            return "a stand-in for the official Python image, made by debootstrap"
    return "the Python image as it was kept"


def build() -> float:
    began = time.monotonic()
    volumes = [f"--volume={path}:{path}:ro" for path in folders_of_packages(pip_settings())]
    buildah(
        *("bud", "--isolation", "chroot", "--network", "host", "--pull-never", "--layers", "--quiet"),
        *("--format", "docker"),  # the other format knows no health checks
        *(*volumes, "--tag", IMAGE, ROOT),
    )
    return time.monotonic() - began


def size(image: str) -> str:
    return json.loads(buildah("images", "--json", image))[0]["size"]


# --- A container of it --------------------------------------------------------------------------------------------


class Container:
    """The image with the environment that production gives it; Nginx's part is played by the headers of `ask`."""

    def __init__(self, database: str, redis: str):
        self.port = free_port()
        self.environment = {
            "ENVIRONMENT": "production",
            "SECRET_KEY": "drill-" + "s" * 40,
            "JWT_SECRET_KEY": "drill-" + "j" * 40,
            "ALLOWED_HOSTS": "orders.test",
            "TRUSTED_PROXIES": "1",
            "DATABASE_URL": database,
            "REDIS_URL": redis,
            "BIND": f"127.0.0.1:{self.port}",
            "WEB_CONCURRENCY": "2",
        }
        said = json.loads(buildah("inspect", "--type", "image", IMAGE))["Docker"]["config"]
        self.command, self.health, self.user, self.signal = said["Cmd"], said["Healthcheck"]["Test"], said["User"], said["StopSignal"]

    def __enter__(self):
        with contextlib.suppress(AssertionError):
            buildah("rm", CONTAINER)  # left by a run that was killed
        buildah("from", "--pull-never", "--name", CONTAINER, IMAGE)
        self.root = Path(buildah("mount", CONTAINER))
        self.process = None
        return self

    def __exit__(self, *error):
        if self.process:
            for pid in self.processes():
                os.kill(pid, signal.SIGKILL)
            self.process.wait()
        buildah("rm", CONTAINER)

    def _command(self, *command):
        variables = [f"--env={name}={value}" for name, value in self.environment.items()]
        return "run", "--isolation", "chroot", *variables, CONTAINER, "--", *command

    def run(self, *command) -> str:
        return buildah(*self._command(*command))

    def holds(self, *command) -> bool:
        with contextlib.suppress(AssertionError):
            buildah(*self._command(*command))
            return True
        return False

    def start(self):
        self.log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - lives as long as the process
        self.process = subprocess.Popen([*BUILDAH, *self._command(*self.command)], stdout=self.log, stderr=self.log)
        give_up_at = time.monotonic() + STARTS_WITHIN
        while True:
            with contextlib.suppress(httpx.TransportError):
                ready = self.ask("GET", "/health/ready")
                if ready.status_code == 200:
                    return ready.json()
            assert time.monotonic() < give_up_at and self.process.poll() is None, self.said()
            time.sleep(0.2)

    def said(self) -> str:
        self.log.seek(0)
        return self.log.read()[-4000:]

    def processes(self) -> list[int]:
        """The command that the image names, which an engine would signal, and then everything that it has started."""
        parents, commands = {}, {}
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                commands[int(folder.name)] = (folder / "cmdline").read_bytes().split(b"\0")[0]
        ours = [pid for pid in sorted(parents) if self.process.pid in ancestors(pid, parents)]
        return [pid for pid in ours if b"buildah" not in commands[pid]]

    def ask(self, method, path, token=None, **kwargs) -> httpx.Response:
        headers = {"Host": "orders.test", "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"} | kwargs.pop("headers", {})
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return httpx.request(method, f"http://127.0.0.1:{self.port}{path}", headers=headers, timeout=20, **kwargs)


def ancestors(pid: int, parents: dict[int, int]):
    while pid := parents.get(pid):
        yield pid


# --- What is promised of it ---------------------------------------------------------------------------------------


def promise(sentence: str, holds, seen=""):
    print(f"{'ok    ' if holds else 'BROKEN'} {sentence}{f': {seen}' if seen != '' else ''}", flush=True)
    promise.broken += not holds


promise.broken = 0


def look_inside(container: Container):
    tools = ("python", "gcc", "cc", "g++", "clang", "make", "ld")
    there = container.run("sh", "-c", f"for tool in {' '.join(tools)}; do command -v $tool; done; true").split()
    promise("there is no compiler in it", [Path(tool).name for tool in there] == ["python"], " ".join(there[1:]))
    # Without what the kernel and buildah put over it, and what the program may not even look into.
    look = "find / \\( -path /proc -o -path /sys -o -path /dev -o -path /run \\) -prune -o -writable ! -type l -print 2>/dev/null; true"
    writable = set(container.run("sh", "-c", look).split())
    promise("it can write into its data and /tmp only", writable == MAY_WRITE, " ".join(sorted(writable ^ MAY_WRITE)[:5]))
    kept_out = {".env", ".git", ".venv", ".ci", "keys", "secrets", "media", "tests", "benchmarks", "deploy", "docs", "Dockerfile"}
    present = kept_out & {path.name for path in (container.root / "app").iterdir()}
    present |= {path.name for path in (container.root / "app/data").iterdir()}
    promise("neither secrets nor data nor tests are in it", not present, " ".join(present))


def take_an_order(container: Container):
    login = {"store": "hanok", "table": "2", "password": "hanok-1234"}
    token = container.ask("POST", "/api/v1/tablet/login", json=login).json()["access"]
    menu = container.ask("GET", "/api/v1/tablet/menu", token).json()
    item = next(i for category in menu["categories"] for i in category["items"] if not i["option_groups"] and i["stock"] is None)
    body = {"lines": [{"item": item["id"], "quantity": 2}]}
    order = container.ask("POST", "/api/v1/tablet/orders", token, json=body, headers={"Idempotency-Key": "drill-0001"})
    promise("it takes an order", order.status_code == 201, order.json().get("order_number", order.text))
    return token


def serve_files(container: Container):
    manifest = json.loads((container.root / "app/staticfiles/staticfiles.json").read_text())["paths"]
    name = next(hashed for plain, hashed in manifest.items() if plain.startswith("board/") and plain.endswith(".js"))
    answer = container.ask("GET", f"/static/{name}", headers={"Accept-Encoding": "gzip"})
    fine = answer.status_code == 200 and "immutable" in answer.headers["Cache-Control"] and answer.headers.get("Content-Encoding") == "gzip"
    promise(f"its {len(manifest)} static files were collected, hashed and compressed", fine, f"{name} {answer.status_code}")


def stop_gracefully(container: Container, token: str):
    url = f"http://127.0.0.1:{container.port}/api/v1/tablet/events"
    headers = {"Host": "orders.test", "X-Forwarded-Proto": "https", "Authorization": f"Bearer {token}"}
    processes = container.processes()
    with httpx.stream("GET", url, headers=headers, timeout=20) as stream:
        opened = stream.status_code
        began = time.monotonic()
        os.kill(processes[0], signal.Signals[container.signal])
        ended = container.process.wait(STOPS_WITHIN * 3)
        took = time.monotonic() - began
    promise(
        "it stops at SIGTERM with a stream open", opened == 200 and ended == 0 and took < STOPS_WITHIN, f"{took:.1f} s, exit code {ended}"
    )
    left = [pid for pid in processes if Path(f"/proc/{pid}").exists()]
    promise("nothing of it is left", not left, left or "")
    for pid in left:
        os.kill(pid, signal.SIGKILL)


def main():
    STORE.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    base = have_base()
    print(f"{base}: {time.monotonic() - began:.0f} s", flush=True)
    print(f"built in {build():.0f} s; {size(IMAGE)}, of which the Python image {size(BASE)}", flush=True)
    print(f"built again without a change in {build():.0f} s", flush=True)
    with OwnPostgreSQL() as postgresql, OwnRedis() as redis, Container(postgresql.url, redis.url) as container:
        promise("it runs as nobody in particular", container.user == f"{UID}:{UID}", container.user)
        look_inside(container)
        container.run("python", "manage.py", "migrate", "--verbosity", "0")
        container.run("python", "manage.py", "demo", "--force")
        marker = time.time()
        ready = container.start()
        promise("it is ready, with PostgreSQL and Redis", ready["status"] == "ok", ready["status"])
        users = {os.stat(f"/proc/{pid}").st_uid for pid in container.processes()}
        promise(f"its {len(container.processes())} processes are not root's", users == {UID}, users)
        promise("its own health check says so", container.health[0] == "CMD" and container.holds(*container.health[1:]))
        token = take_an_order(container)
        serve_files(container)
        stop_gracefully(container, token)
        promise("after that its health check fails", not container.holds(*container.health[1:]))
        wrote = [path for path in container.root.rglob("*") if path.is_file() and not path.is_symlink() and path.stat().st_mtime > marker]
        inside = [str(path.relative_to(container.root)) for path in wrote if not path.is_relative_to(container.root / "tmp")]
        promise("it wrote nothing outside /tmp and /data, so its root may be read-only", not inside, " ".join(inside[:5]))
    sys.exit(bool(promise.broken))


if __name__ == "__main__":
    main()
