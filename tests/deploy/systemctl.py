"""Plays systemctl where systemd can't run: does with the units in /etc/systemd/system what systemd would.

As the unit's user, with its environment, in its folder; sockets are held by whoever started this (SOCKETS names them) and
handed over as number 3; Type=notify waits for the word; oneshot for the end. "Enabled" is remembered. What the hardening options forbid is not
forbidden here.
"""

import configparser
import contextlib
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

UNITS = Path("/etc/systemd/system")
STARTS_WITHIN = 30  # seconds
CALLS = Path("/run/systemctl")
ENABLED = Path("/run/enabled")


def read(name: str) -> dict[str, str]:
    unit = configparser.ConfigParser(strict=False, interpolation=None, comment_prefixes=("#",))
    unit.optionxform = str
    unit.read(UNITS / name)
    return dict(unit["Service"])


def environment_of(service: dict[str, str]) -> dict[str, str]:
    values = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    values |= dict(pair.split("=", 1) for pair in shlex.split(service.get("Environment", "")))
    for line in Path(service["EnvironmentFile"]).read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            name, value = line.split("=", 1)
            values[name] = value.strip("\"'")
    if folder := service.get("StateDirectory"):
        Path("/var/lib", folder).mkdir(exist_ok=True)
        os.chown(f"/var/lib/{folder}", *ids(service))
        values["STATE_DIRECTORY"] = f"/var/lib/{folder}"
    return values


def ids(service) -> tuple[int, int]:
    import grp
    import pwd

    return pwd.getpwnam(service["User"]).pw_uid, grp.getgrnam(service["Group"]).gr_gid


def popen(name: str, service: dict[str, str], **kwargs) -> subprocess.Popen:
    user, group = ids(service)
    command = ["sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh", *shlex.split(service["ExecStart"])]
    with open(f"/var/log/{name}.log", "a") as log:
        return subprocess.Popen(
            command, user=user, group=group, extra_groups=[], umask=int(service["UMask"], 8), cwd=service["WorkingDirectory"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **kwargs,
        )  # fmt: skip


def pid_of(name: str) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        pid = int(Path(f"/run/{name}.pid").read_text())
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
            return pid
    return None


def stop(name: str):
    if pid := pid_of(name):
        os.kill(pid, signal.SIGTERM)
        while pid_of(name):
            time.sleep(0.05)


def start(name: str) -> bool:
    service = read(name)
    environment = environment_of(service)
    if service["Type"] == "oneshot":
        return popen(name, service, env=environment).wait() == 0
    if service["Type"] == "exec":
        Path(f"/run/{name}.pid").write_text(str(popen(name, service, env=environment).pid))
        return True
    held = dict(pair.split("=") for pair in os.environ["SOCKETS"].split())
    os.dup2(int(held[name.removesuffix(".service")]), 3, inheritable=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    address = f"/run/{name}.notify"
    Path(address).unlink(missing_ok=True)
    listener.bind(address)
    os.chmod(address, 0o777)
    listener.settimeout(0.2)
    process = popen(name, service, env=environment | {"LISTEN_FDS": "1", "NOTIFY_SOCKET": address}, pass_fds=[3])
    Path(f"/run/{name}.pid").write_text(str(process.pid))
    give_up_at = time.monotonic() + STARTS_WITHIN
    while process.poll() is None and time.monotonic() < give_up_at:
        with contextlib.suppress(TimeoutError):
            if b"READY=1" in listener.recv(4096):
                return True
    return False


def main(action: str, *names: str) -> int:
    with CALLS.open("a") as calls:
        print(action, *names, file=calls)
    name = names[-1] if names else ""
    if name == "nginx.service":
        return subprocess.run(["nginx", "-s", "reload"], check=False).returncode
    if action == "is-enabled":
        return not (ENABLED / name).exists()
    if action in ("daemon-reload", "enable"):
        ENABLED.mkdir(exist_ok=True)
        for unit in names:
            (ENABLED / unit).touch()
        return 0
    if action == "reload-or-restart" and (pid := pid_of(name)):
        os.kill(pid, signal.SIGHUP)
        return 0
    if action in ("restart", "reload-or-restart"):
        stop(name)
    return 0 if start(name) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
