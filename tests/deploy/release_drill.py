"""deploy/release on a real Nginx, gunicorn and PostgreSQL: `python -m tests.deploy.release_drill postgres://…/scratch`.

Deploys, deploys a release with a migration and one with other packages while guests order, rolls back, and tries one
that is broken. Prints what the guests saw: no request may fail. The database is emptied first. Plays systemd: it holds
the listening sockets, and `systemctl` is a script that signals or starts gunicorn.
"""

import io
import json
import os
import shutil
import signal
import socket
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

ROOT = Path(__file__).resolve().parents[2]
NGINX, API, STREAMS, PROBE = 8470, 8471, 8472, 8473

SYSTEMCTL = """#!{python}
import os, signal, subprocess, sys, time
action, unit = sys.argv[1], sys.argv[2].removesuffix(".service")
sockets = {{"table-order-api": ({api_fd}, "api"), "table-order-streams": ({streams_fd}, "streams")}}
if unit not in sockets:
    sys.exit(0)
pid_file = "{root}/" + unit + ".pid"
if action == "reload":
    os.kill(int(open(pid_file).read()), signal.SIGHUP)
    sys.exit(0)
if os.path.exists(pid_file):
    pid = int(open(pid_file).read())
    os.kill(pid, signal.SIGTERM)
    while os.path.exists(f"/proc/{{pid}}") and open(f"/proc/{{pid}}/stat").read().split()[2] != "Z":
        time.sleep(0.05)
fd, serve = sockets[unit]
os.dup2(fd, 3, inheritable=True)
environment = dict(line.rstrip("\\n").split("=", 1) for line in open("{root}/env"))
environment |= {{"SERVE": serve, "WEB_CONCURRENCY": "1", "LISTEN_FDS": "1", "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}}
current = "{root}/current"
command = [f"{{current}}/venv/bin/python", "-m", "gunicorn", "--chdir", current, "-c", f"{{current}}/gunicorn.conf.py"]
started = subprocess.Popen(
    ["sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh", *command], env=environment, cwd=current, pass_fds=[3],
    stdin=subprocess.DEVNULL, stdout=open("{root}/" + unit + ".log", "a"), stderr=subprocess.STDOUT, start_new_session=True,
)
open(pid_file, "w").write(str(started.pid))
"""

MIGRATION = """from django.db import migrations, models
class Migration(migrations.Migration):
    dependencies = [("orders", "{last}")]
    operations = [migrations.AddField("order", "drill", models.CharField(max_length=10, null=True))]
"""


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
        request = urllib.request.Request(f"http://127.0.0.1:{NGINX}/api/v1/{path}", data, headers)
        began = time.monotonic()
        try:
            with urllib.request.urlopen(request, timeout=40) as answer:
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


def nginx_for(folder: Path) -> subprocess.Popen:
    site = (ROOT / "deploy/nginx/behind-balancer.conf").read_text().replace("listen 80", f"listen 127.0.0.1:{NGINX}")
    shutil.copytree(ROOT / "deploy/nginx/table-order", folder / "table-order")
    (folder / "site.conf").write_text(site)
    for file in [folder / "site.conf", *(folder / "table-order").iterdir()]:
        text = file.read_text().replace("/etc/nginx/table-order/", f"{folder}/table-order/").replace("/var/log/nginx/", f"{folder}/")
        text = text.replace("127.0.0.1:8001", f"127.0.0.1:{API}").replace("127.0.0.1:8002", f"127.0.0.1:{STREAMS}")
        file.write_text(text.replace("/srv/table-order/", f"{folder}/root/"))
    paths = "".join(f"{kind}_temp_path {folder}/{kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; events {{}} "
        f"http {{ include /etc/nginx/mime.types; {paths} include {folder}/site.conf; }}"
    )
    return subprocess.Popen(["nginx", "-c", f"{folder}/nginx.conf", "-e", f"{folder}/error.log"])


def main(database: str):
    folder = Path(tempfile.mkdtemp(prefix="release-drill-"))
    folder.chmod(0o755)  # Nginx's workers read the static files
    root = folder / "root"
    root.mkdir()
    sockets = []
    for port in (API, STREAMS):
        listener = socket.create_server(("127.0.0.1", port), backlog=512)
        listener.set_inheritable(True)
        sockets.append(listener.fileno() + 0)
        globals().setdefault("_kept", []).append(listener)
    secrets = {"SECRET_KEY": "drill-" + "s" * 40, "JWT_SECRET_KEY": "drill-" + "j" * 40}
    values = {"ENVIRONMENT": "production", "ALLOWED_HOSTS": "orders.test", "DATABASE_URL": database, "TRUSTED_PROXIES": "1", **secrets}
    values |= {"RATE_LIMIT_PER_MINUTE": "0", "ORDER_RATE_PER_MINUTE": "0", "DATABASE_POOL_SIZE": "4"}
    (root / "env").write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    systemctl = folder / "systemctl"
    systemctl.write_text(SYSTEMCTL.format(python=sys.executable, root=root, api_fd=sockets[0], streams_fd=sockets[1]))
    systemctl.chmod(0o755)
    environment = os.environ | {
        "TABLE_ORDER_ROOT": str(root), "TABLE_ORDER_ENV": str(root / "env"), "TABLE_ORDER_USER": "", "SYSTEMCTL": str(systemctl),
        "SKIP_CONFIGURE": "yes", "PROBE_PORT": str(PROBE), "PYTHON": sys.executable,
        "READY_URLS": f"http://127.0.0.1:{API}/health/ready http://127.0.0.1:{STREAMS}/health/ready",
    }  # fmt: skip
    environment.pop("DATABASE_URL", None)

    def packages(requirements: str):
        """The packages that are here already stand for those that `release` would install."""
        version = subprocess.run([sys.executable, "--version"], capture_output=True, text=True, check=True).stdout
        key = subprocess.run(["sha256sum"], input=version + requirements, capture_output=True, text=True, check=True).stdout[:16]
        venv = root / "venvs" / key
        venv.mkdir(parents=True)
        for name in ("bin", "lib"):
            (venv / name).symlink_to(Path(sys.prefix) / name)
        shutil.copy(Path(sys.prefix) / "pyvenv.cfg", venv)
        (venv / "complete").touch()

    def release(*arguments, ends_with=0):
        began = time.monotonic()
        done = subprocess.run(
            [ROOT / "deploy/release", *map(str, arguments)], env=environment, pass_fds=sockets, capture_output=True, text=True
        )
        print(f"$ release {arguments[0]}  ({time.monotonic() - began:.0f} s)\n{done.stdout}{done.stderr[-1500:]}", flush=True)
        assert done.returncode == ends_with, done.returncode

    def under_load(*arguments, **kwargs):
        with Guests() as guests:
            release(*arguments, **kwargs)
        print(f"  {guests.answers} requests, {len(guests.failures)} failed, the slowest took {guests.slowest:.1f} s\n", flush=True)
        assert not guests.failures, guests.failures[:3]

    requirements = (ROOT / "requirements.txt").read_text()
    last = sorted(path.stem for path in (ROOT / "orders/migrations").glob("0*.py"))[-1]
    other = requirements + "# other packages\n"
    packages(requirements)
    packages(other)
    nginx = None
    try:
        release("install", archive(folder / "1.tar.gz", {}))
        nginx = nginx_for(folder)
        manage = [root / "current/venv/bin/python", "manage.py"]
        subprocess.run([*manage, "demo", "--force"], cwd=root / "current", env=environment | values, check=True, stdout=subprocess.DEVNULL)
        time.sleep(1)
        migration = {f"orders/migrations/{int(last[:4]) + 1:04d}_drill.py": MIGRATION.format(last=last)}
        under_load("install", archive(folder / "2.tar.gz", migration))
        under_load("install", archive(folder / "3.tar.gz", migration | {"requirements.txt": other}))
        under_load("rollback")
        under_load("install", archive(folder / "4.tar.gz", migration | {"orders/urls.py": "raise RuntimeError('broken')\n"}), ends_with=1)
        release("list")
        subprocess.run([*manage, "verify_data"], cwd=root / "current", env=environment | values, check=True)
    finally:
        for pid_file in root.glob("*.pid"):
            os.kill(int(pid_file.read_text()), signal.SIGTERM)
        if nginx:
            nginx.terminate()
            nginx.wait()
        print(f"what it wrote is in {folder}")


if __name__ == "__main__":
    main(sys.argv[1])
