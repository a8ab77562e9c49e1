"""deploy/release on a real Nginx, gunicorn, PostgreSQL, Redis and RabbitMQ: `python -m tests.deploy.release_drill`, as root.

On a machine of its own (own_machine.py), prepared as deploy/README.md says for one by hand; the units are those that a
release brings, run by tests/deploy/systemctl.py. Deploys, deploys a release with a migration and one with other packages
while guests order, and rolls back. Then releases that must not get through: one that the checks refuse, one that does
not become ready, one that Nginx does not take, and two that only fail or hang in their place, after which the old one
comes back by itself. Takes four minutes, prints what the guests saw; exits with 1 if a request failed or a promise is broken.
"""

import io
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

from tests.deploy import own_machine
from tests.own_postgresql import OwnPostgreSQL
from tests.own_rabbitmq import OwnRabbitMQ
from tests.own_redis import OwnRedis

ROOT = Path(__file__).resolve().parents[2]
PLACE = Path("/srv/table-order")
CALLS = Path("/run/systemctl")  # what `release` asked systemd for
UNKNOWN = ssl._create_unverified_context()  # a certificate of its own, as until certbot has one

MIGRATION = """from django.db import migrations, models
class Migration(migrations.Migration):
    dependencies = [("orders", "{last}")]
    operations = [migrations.AddField("order", "drill", models.CharField(max_length=10, null=True))]
"""
ONLY_IN_ITS_PLACE = "\nif 'LISTEN_FDS' in os.environ:\n    raise SystemExit('broken where systemd starts it')\n"
HANGS_IN_ITS_PLACE = "import os, time\nif 'BIND' not in os.environ:\n    time.sleep(300)\n"


def archive(path: Path, changes: dict[str, str]) -> Path:
    """The files of this repository as they are now, with these changed: {name: content}."""
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    with tarfile.open(path, "w:gz") as tar:
        for name in sorted({*names.splitlines()} - {*changes}):
            if (ROOT / name).is_file():
                tar.add(ROOT / name, name)
        for name, content in changes.items():
            info = tarfile.TarInfo(name)
            info.size = len(content.encode())
            tar.addfile(info, io.BytesIO(content.encode()))
    return path


class Guests:
    """Order and read the menu through Nginx, without pause and without a second try."""

    def __init__(self):
        self.answers, self.failures, self.slowest = 0, [], 0.0
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self.order, args=(number,)) for number in range(1, 4)]

    def ask(self, path, body=None, token=None, **headers):
        headers |= {"Content-Type": "application/json", "Host": "orders.test"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"https://127.0.0.1/api/v1/{path}", data, headers)
        began = time.monotonic()
        try:
            with urllib.request.urlopen(request, timeout=40, context=UNKNOWN) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            self.failures.append(f"{path}: {error.code} {error.read()[:200]!r}")
        except OSError as error:
            self.failures.append(f"{path}: {error!r}")
        finally:
            self.answers += 1
            self.slowest = max(self.slowest, time.monotonic() - began)

    def order(self, number):
        token = self.ask("tablet/login", {"store": "hanok", "table": str(number), "password": "hanok-1234"})["access"]
        while not self.stop.is_set():
            menu = self.ask("tablet/menu", token=token)
            if menu:
                item = next(i for c in menu["categories"] for i in c["items"] if not i["option_groups"] and i["stock"] is None)
                body = {"lines": [{"item": item["id"], "quantity": 1}]}
                self.ask("tablet/orders", body, token, **{"Idempotency-Key": uuid.uuid4().hex})
            time.sleep(0.1)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        time.sleep(2)
        return self

    def __exit__(self, *_):
        time.sleep(2)
        self.stop.set()
        for thread in self.threads:
            thread.join()


def prepare(database: str, redis: str, rabbitmq: str):
    """deploy/README.md, "by hand", steps 1 to 4."""
    for command in (
        "rm -f /etc/nginx/sites-enabled/default",
        "useradd --system --no-create-home --shell /usr/sbin/nologin table-order",
        "install -d /srv/table-order/shared/static /var/www/acme",
        "install -d -o table-order -g table-order /srv/table-order/shared/media /var/log/table-order",
        "install -d -m 750 -g table-order /etc/table-order",
        "install -d -m 700 /etc/nginx/tls",
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=orders.test"
        " -keyout /etc/nginx/tls/privkey.pem -out /etc/nginx/tls/fullchain.pem",
    ):
        subprocess.run(command.split(), check=True, stderr=subprocess.DEVNULL)
    values = {
        "ENVIRONMENT": "production",
        "SECRET_KEY": uuid.uuid4().hex * 2,
        "JWT_SECRET_KEY": uuid.uuid4().hex * 2,
        "ALLOWED_HOSTS": "orders.test",
        "TRUSTED_PROXIES": "1",
        "DATABASE_URL": database,
        "MEDIA_ROOT": "/srv/table-order/shared/media",
        "LOG_FILE": "/var/log/table-order/app.log",
        "REDIS_URL": redis,
        "RABBITMQ_URL": rabbitmq,
        **dict.fromkeys(("RATE_LIMIT_PER_MINUTE", "ORDER_RATE_PER_MINUTE", "LOGIN_RATE_PER_MINUTE"), "0"),
    }
    env = Path("/etc/table-order/env")
    env.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    env.chmod(0o640)
    shutil.chown(env, "root", "table-order")


def hold_sockets() -> dict[str, socket.socket]:
    """As systemd does, where the units' sockets say."""
    held = {}
    for unit in (ROOT / "deploy/systemd").glob("*.socket"):
        host, port = next(line for line in unit.read_text().splitlines() if line.startswith("ListenStream=")).split("=")[1].split(":")
        held[unit.stem] = socket.create_server((host, int(port)), backlog=2048)
    return held


def packages(requirements: str):
    """The packages that are here already stand for those that `release` would install."""
    version = subprocess.run([sys.executable, "--version"], capture_output=True, text=True, check=True).stdout
    key = subprocess.run(["sha256sum"], input=version + requirements, capture_output=True, text=True, check=True).stdout[:16]
    venv = PLACE / "venvs" / key
    venv.mkdir(parents=True)
    for name in ("bin", "lib"):
        (venv / name).symlink_to(Path(sys.prefix) / name)
    shutil.copy(Path(sys.prefix) / "pyvenv.cfg", venv)
    (venv / "complete").touch()


def systemctl(*arguments) -> int:
    return subprocess.run([os.environ["SYSTEMCTL"], *arguments], check=False).returncode


def users_of_units() -> set[str]:
    pids = [int(Path(f"/run/table-order-{unit}.service.pid").read_text()) for unit in ("api", "streams")]
    return {Path(f"/proc/{pid}").owner() for pid in pids}


def waiting_for_the_bus() -> int:
    """Events that the relay has not sent, after it had some time."""
    give_up_at = time.monotonic() + 20
    while True:
        with urllib.request.urlopen("http://127.0.0.1:8001/metrics", timeout=10) as answer:
            found = re.search(r"^tableorder_outbox_events ([0-9.]+)$", answer.read().decode(), re.MULTILINE)
        if (waiting := int(float(found[1]))) == 0 or time.monotonic() > give_up_at:
            return waiting
        time.sleep(0.5)


def pretend_aws() -> Path:
    """A command line of AWS that writes down what table-order-measure.service tells CloudWatch."""
    aws, told = Path("/run/aws"), Path("/var/lib/table-order/told")
    aws.write_text(f'#!/bin/sh\necho "$@" >> {told}\n')
    aws.chmod(0o755)
    Path("/etc/table-order/measure").write_text(f"TABLE_ORDER_SERVICE=table-order\nAWS={aws}\n")
    return told


def drill(folder: Path, sockets: list[int]):
    def release(*arguments, refused: str = ""):
        began = time.monotonic()
        done = subprocess.run(
            [ROOT / "deploy/release", *map(str, arguments)], pass_fds=sockets, capture_output=True, text=True, check=False
        )
        print(f"$ release {arguments[0]}  ({time.monotonic() - began:.0f} s)\n{done.stdout}{done.stderr[-1000:]}", flush=True)
        assert (done.returncode == 1 and refused in done.stderr) if refused else done.returncode == 0, done.returncode

    def under_load(*arguments, **kwargs):
        with Guests() as guests:
            release(*arguments, **kwargs)
        print(f"  {guests.answers} requests, {len(guests.failures)} failed, the slowest took {guests.slowest:.1f} s\n", flush=True)
        assert not guests.failures, guests.failures[:3]

    def refused(why: str, changes: dict[str, str]):
        before = (PLACE / "current").resolve(), (PLACE / "previous").resolve()
        under_load("install", archive(folder / "refused.tar.gz", changes), refused=why)
        assert before == ((PLACE / "current").resolve(), (PLACE / "previous").resolve()), "the old one serves"

    def hung_up_on(path: Path):
        """The terminal is closed in the moment of the switch: the release goes on to its end, and the way back is there."""
        before = (PLACE / "current").resolve()
        command = [ROOT / "deploy/release", "install", str(path)]
        with subprocess.Popen(command, pass_fds=sockets, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            for line in process.stdout:
                if "switched to" in line:
                    process.send_signal(signal.SIGHUP)
                    process.send_signal(signal.SIGINT)
        assert process.returncode == 0 and "in service" in line, line
        assert before == (PLACE / "previous").resolve() != (PLACE / "current").resolve()
        print("$ release install, hung up on: it went to its end\n", flush=True)

    requirements = (ROOT / "requirements.txt").read_text()
    other = requirements + "# other packages\n"
    packages(requirements)
    last = sorted(path.stem for path in (ROOT / "orders/migrations").glob("0*.py"))[-1]
    migration = {f"orders/migrations/{int(last[:4]) + 1:04d}_drill.py": MIGRATION.format(last=last)}

    nginx = subprocess.Popen(["nginx", "-g", "daemon off;"])
    release("install", archive(folder / "1.tar.gz", {}))
    release("manage", "demo", "--force")
    assert users_of_units() == {"table-order"}
    assert {"enable --now table-order-api.socket table-order-streams.socket", "daemon-reload"} <= {*CALLS.read_text().splitlines()}
    CALLS.write_text("")
    release("configure")
    asked = {line.split()[0] for line in CALLS.read_text().splitlines()}
    assert asked <= {"enable", "daemon-reload"}, "nothing has changed, so nothing is reloaded or restarted"

    hung_up_on(archive(folder / "hung_up.tar.gz", {}))
    under_load("install", archive(folder / "2.tar.gz", migration))
    packages(other)  # not earlier: what no release needs is thrown away
    under_load("install", archive(folder / "3.tar.gz", migration | {"requirements.txt": other}))
    under_load("rollback")
    refused("not fit for production", migration | {"orders/urls.py": "raise RuntimeError('broken')\n"})
    refused("nothing was switched", migration | {"config/wsgi.py": "raise RuntimeError('broken')\n"})
    site = "deploy/nginx/table-order/locations.conf"
    refused("Nginx does not take", migration | {site: (ROOT / site).read_text() + "nonsense;\n"})
    assert "nonsense" not in Path("/etc/nginx/table-order/locations.conf").read_text()
    subprocess.run(["nginx", "-t", "-q"], check=True)
    refused("back at", migration | {"gunicorn.conf.py": (ROOT / "gunicorn.conf.py").read_text() + ONLY_IN_ITS_PLACE})

    refused("back at", migration | {"config/wsgi.py": HANGS_IN_ITS_PLACE + (ROOT / "config/wsgi.py").read_text()})
    told = pretend_aws()
    for unit in sorted((ROOT / "deploy/systemd").glob("*.timer")):
        assert systemctl("start", f"{unit.stem}.service") == 0, Path(f"/var/log/{unit.stem}.service.log").read_text()
    assert '"MetricName": "Ready", "Value": 1,' in told.read_text(), told.read_text()
    print("the timers' commands ran, as their units say")
    Path("/etc/table-order/release").write_text("BEHIND_BALANCER=yes\n")
    release("configure")
    sites = {path.name for path in Path("/etc/nginx/conf.d").iterdir()}
    assert sites == {"behind-balancer.conf"}, sites
    release("list")
    release("manage", "verify_data")
    assert waiting_for_the_bus() == 0
    print("the relay has brought every event to the bus")
    nginx.terminate()
    nginx.wait()


def main():
    own_machine.enter("tests.deploy.release_drill")
    with (
        tempfile.TemporaryDirectory() as folder,
        OwnPostgreSQL(slots=60) as postgresql,
        OwnRedis() as redis,
        OwnRabbitMQ() as rabbitmq,
    ):
        prepare(postgresql.url, redis.url, rabbitmq.url)
        held = hold_sockets()
        sockets = [listener.fileno() for listener in held.values()]
        for number in sockets:
            os.set_inheritable(number, True)
        systemctl = Path("/run/as-systemctl")
        systemctl.write_text(f'#!/bin/sh\nexec {sys.executable} {ROOT}/tests/deploy/systemctl.py "$@"\n')
        systemctl.chmod(0o755)
        os.environ |= {
            "SYSTEMCTL": str(systemctl),
            "SOCKETS": " ".join(f"{name}={listener.fileno()}" for name, listener in held.items()),
            "PYTHON": sys.executable,
        }
        for name in ("DATABASE_URL", "REDIS_URL", "RABBITMQ_URL"):
            os.environ.pop(name, None)
        drill(Path(folder), sockets)


if __name__ == "__main__":
    main()
