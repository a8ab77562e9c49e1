"""Nginx, systemd and the scripts of a machine without containers, read by the real programs where they are installed."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
SCRIPTS = [DEPLOY / "release", DEPLOY / "backup", DEPLOY / "measure"]
UNITS = sorted((DEPLOY / "systemd").iterdir())


def program(name):
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if not path:
        pytest.skip(f"{name} is not installed")
    return path


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def certificate(tmp_path):
    files = tmp_path / "privkey.pem", tmp_path / "fullchain.pem"
    run(
        program("openssl"),
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=x",
        "-keyout",
        files[0],
        "-out",
        files[1],
    )
    return tmp_path


@pytest.mark.parametrize(
    ("site", "upstreams"),
    [
        ("table-order.conf", "table-order/upstreams.conf"),
        ("behind-balancer.conf", "table-order/upstreams.conf"),
        ("table-order.conf", "containers/upstreams.conf"),
    ],
)
def test_nginx_takes_each_site(site, upstreams, certificate):
    nginx = program("nginx")
    folder = certificate
    shutil.copytree(DEPLOY / "nginx/table-order", folder / "table-order")
    shutil.copy(DEPLOY / "nginx" / upstreams, folder / "table-order/upstreams.conf")
    shutil.copy(DEPLOY / "nginx" / site, folder / "site.conf")
    for file in [folder / "site.conf", *(folder / "table-order").iterdir()]:
        text = file.read_text().replace("/etc/nginx/table-order/", f"{folder}/table-order/").replace("/etc/nginx/tls/", f"{folder}/")
        text = re.sub(r"server (api|streams):", "server 127.0.0.1:", text)  # names that only containers know
        file.write_text(text.replace("/var/log/nginx/", f"{folder}/"))
    paths = "".join(f"{kind}_temp_path {folder}/{kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    main = folder / "nginx.conf"
    main.write_text(f"pid {folder}/pid; error_log {folder}/error.log; events {{}} http {{ {paths} include {folder}/site.conf; }}")
    run(nginx, "-t", "-e", folder / "error.log", "-c", main)


def test_systemd_takes_each_unit(tmp_path):
    verify = program("systemd-analyze")
    for unit in UNITS:
        text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text(), flags=re.MULTILINE)  # the program is not installed here
        (tmp_path / unit.name).write_text(text)
    assert not run(verify, "verify", "--man=no", *sorted(tmp_path.iterdir()))


def test_every_timer_has_its_service_and_every_unit_is_hardened():
    for unit in UNITS:
        if unit.suffix in (".timer", ".socket"):
            assert unit.with_suffix(".service").exists()
        else:
            text = unit.read_text()
            for option in ("NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=\n", "User=table-order"):
                assert option in text, (unit.name, option)


def test_timers_run_the_program_s_own_commands():
    commands = {path.stem for path in ROOT.glob("*/management/commands/[a-z]*.py")}
    asked = {command for unit in UNITS for command in re.findall(r"manage\.py (\w+)", unit.read_text())}
    assert {"expire_sessions", "purge_history", "sweep_images", "relay_events"} <= asked <= commands


def test_shellcheck_has_no_complaint():
    run(program("shellcheck"), *SCRIPTS)


def test_nginx_waits_longer_than_the_program_and_keeps_connections_shorter():
    conf = (ROOT / "gunicorn.conf.py").read_text()
    kept = int(re.search(r"keepalive_timeout (\d+)s", (DEPLOY / "nginx/table-order/upstreams.conf").read_text())[1])
    assert kept < int(re.search(r"^keepalive = (\d+)", conf, re.MULTILINE)[1])
