"""Nginx, systemd and the scripts of a machine without containers, read by the real programs where they are installed."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from tests.deploy.programs import pretend, program, run, slow
from tests.own_redis import free_port
from tests.server import ROOT

DEPLOY = ROOT / "deploy"
SCRIPTS = [DEPLOY / "release", DEPLOY / "backup", DEPLOY / "measure"]
UNITS = sorted((DEPLOY / "systemd").iterdir())


@pytest.fixture
def certificate(tmp_path):
    files = tmp_path / "privkey.pem", tmp_path / "fullchain.pem"
    command = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=x -keyout".split()
    run(program("openssl"), *command, files[0], "-out", files[1])
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
    run(program("nginx"), "-t", *site_in(certificate, site, upstreams))


@contextmanager
def answering(handler):
    """A program that answers like this, at a port of its own: which. It ends however the test does."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()


@contextmanager
def nginx_before(program_port, folder):
    """Nginx, with its site, before a program at this port: its address."""
    port = free_port()
    command = site_in(folder, "behind-balancer.conf", "table-order/upstreams.conf")
    for file, said, instead in (
        ("site.conf", "80 default_server", f"127.0.0.1:{port}"),
        ("site.conf", "set_real_ip_from 10.0.0.0/16", "set_real_ip_from 127.0.0.1"),
        ("table-order/upstreams.conf", "127.0.0.1:8001", f"127.0.0.1:{program_port}"),
    ):
        (folder / file).write_text((folder / file).read_text().replace(said, instead))
    process = subprocess.Popen([program("nginx"), "-g", "daemon off;", *command])
    try:
        until(lambda: socket.create_connection(("127.0.0.1", port)).close(), folder / "error.log")
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def nginx(tmp_path):
    """Nginx before a program that says 200 to everything: (what sends a request, the paths that the program was asked)."""
    asked = []

    class Program(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        do_POST = do_GET

    with answering(Program) as port, nginx_before(port, tmp_path) as address:

        def send(method, path, **more):
            connection = HTTPConnection(address, timeout=20)
            connection.request(method, path, **more)
            return connection

        yield send, asked


def test_a_flood_of_sign_ins_waits_in_nginx(nginx):
    """And those too many are told as the program would. Who only looks at the page waits for nobody."""
    send, asked = nginx
    flood = [
        send("POST", path) for path in ["/api/v1/staff/login", "/api/v1/tablet/login", "/admin/login/", "/admin/password_change/"] * 15
    ]
    page, _, refused = (one.getresponse() for one in flood[-1:-4:-1])
    assert (refused.status, json.load(refused)["code"], refused.headers["Retry-After"]) == (429, "RATE_LIMITED", "20")
    assert (page.status, page.headers["Content-Type"]) == (429, "text/html; charset=utf-8")
    assert "20초 뒤에 다시" in page.read().decode()
    assert flood[0].getresponse().status == send("GET", "/admin/login/").getresponse().status == 200
    assert len(asked) < 30


def test_a_household_waits_as_one_however_many_addresses_it_has(nginx):
    send, _ = nginx

    def sign_in(address):
        return send("POST", "/api/v1/staff/login", headers={"X-Forwarded-For": address})

    for network in ("2001:db8:1:2", "2001:db8:"):  # of the other two zeros are left out
        flood = [sign_in(f"{network}:{number:x}:5:6:7") for number in range(1, 61)]
        assert flood[-1].getresponse().status == 429, network
    assert sign_in("2001:db8:1:3::1").getresponse().status == sign_in("203.0.113.7").getresponse().status == 200


def test_whether_it_is_ready_is_not_asked_without_end(nginx):
    send, asked = nginx
    answers = [send("GET", "/health/ready").getresponse().status for _ in range(10)]
    assert answers.count(429) >= 3 and answers[0] == 200


def test_what_can_not_be_asked_is_503_for_programs_and_a_page_that_comes_back_for_people(tmp_path):
    with nginx_before(free_port(), tmp_path) as address:  # nobody is there
        answer = httpx.get(f"http://{address}/api/v1/tablet/menu")
        assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (503, "SERVICE_UNAVAILABLE", "5")
        for path in ("/admin/board/", "/admin/login/", "/tablet/"):
            answer = httpx.get(f"http://{address}{path}")
            assert (answer.status_code, answer.headers["Refresh"]) == (503, "5")
            assert answer.headers["Content-Type"] == "text/html; charset=utf-8" and "잠시 연결할 수 없습니다" in answer.text


def test_what_is_too_large_is_told_by_nginx_as_the_program_would(nginx):
    """A program reads JSON; a person at the admin reads what to do, in both languages."""
    send, _ = nginx
    too_large = {"body": bytes(1000), "headers": {"Content-Length": str(7 * 1024 * 1024)}}
    refused = send("POST", "/api/v1/tablet/orders", **too_large).getresponse()
    assert (refused.status, json.load(refused)["code"]) == (413, "TOO_LARGE")
    refused = send("POST", "/admin/menus/item/add/", **too_large).getresponse()
    assert (refused.status, refused.headers["Content-Type"]) == (413, "text/html; charset=utf-8")
    assert refused.headers["X-Frame-Options"] == "DENY"
    page = refused.read().decode()
    assert "사진은 5MB까지 올릴 수 있습니다." in page
    assert "at most 5 MB" in page
    assert 'href="/admin/"' in page


def site_in(folder, site, upstreams) -> list:
    """nginx's arguments for a site that lies in this folder with its pieces."""
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
    return ["-e", folder / "error.log", "-c", main]


def test_systemd_takes_each_unit(tmp_path):
    verify = program("systemd-analyze")
    for unit in UNITS:
        text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text(), flags=re.MULTILINE)  # the program is not installed here
        (tmp_path / unit.name).write_text(text)
    assert not run(verify, "verify", "--man=no", *sorted(tmp_path.iterdir()))


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.suffix == ".service"], ids=lambda unit: unit.stem)
def test_systemd_finds_little_that_a_unit_could_reach(unit):
    """0 is nothing, 10 everything. What is left: it talks to the network, and isn't confined to a root of its own."""
    said = run(program("systemd-analyze"), "security", "--offline=true", "--no-pager", unit)
    assert float(re.search(r"exposure level for \S+: ([\d.]+)", said)[1]) <= 2.0, said


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


@pytest.mark.parametrize("place", ["deploy/terraform/user_data.sh.tftpl", "deploy/README.md", "compose.production.yaml"])
def test_nginx_has_room_for_the_streams_of_their_unit(place):
    """Two connections each, and two workers."""
    streams = int(re.search(r"LimitNOFILE=(\d+)", (DEPLOY / "systemd/table-order-streams.service").read_text())[1])
    text = (ROOT / place).read_text()
    assert 2 * int(re.search(r"worker_connections (\d+)", text)[1]) >= 2 * streams
    assert int(re.search(r"worker_rlimit_nofile (\d+)", text)[1]) >= 2 * streams


def test_user_data_gives_nginx_its_room(tmp_path):
    line = re.search(r"^sed .* (/etc/nginx/nginx.conf)$", (DEPLOY / "terraform/user_data.sh.tftpl").read_text(), re.MULTILINE)
    conf = tmp_path / "nginx.conf"
    conf.write_text(f"pid {tmp_path}/pid;\nevents {{\n\tworker_connections 768;\n}}\n")
    for _ in range(2):
        run("bash", "-c", line[0].replace(line[1], str(conf)))
    assert conf.read_text().count("worker_rlimit_nofile 40000;") == conf.read_text().count("worker_connections 20000;") == 1
    run(program("nginx"), "-t", "-e", tmp_path / "error.log", "-c", conf)


def test_a_unit_that_has_failed_is_told(tmp_path):
    told = measured(tmp_path, free_port(), systemctl=f'echo "$@" > {tmp_path}/asked; printf "%s\\n" one two')
    assert {"table-order-*", "nginx.service", "certbot-renew.service"} <= {*(tmp_path / "asked").read_text().split()}
    assert '"MetricName": "FailedUnits", "Value": 2,' in told and '"MetricName": "Ready", "Value": 0,' in told


def measured(folder, *ports, systemctl="true") -> str:
    """What CloudWatch is told of units at these ports."""
    pretend(folder, aws=f'echo "$@" > {folder}/told', systemctl=systemctl)
    given = {"AWS": f"{folder}/aws", "SYSTEMCTL": f"{folder}/systemctl", "STATE_DIRECTORY": str(folder)}
    given |= {"TABLE_ORDER_SERVICE": "table-order", "UNITS": " ".join(f"http://127.0.0.1:{port}" for port in ports)}
    run(DEPLOY / "measure", env=os.environ | given)
    return (folder / "told").read_text()


def test_only_errors_of_the_last_minute_are_told(tmp_path):
    """Whichever unit is restarted meanwhile, or does not answer for once."""
    counted = {}

    class Unit(BaseHTTPRequestHandler):
        def do_GET(self):
            count = counted[self.server.server_port]
            self.send_response(503 if count is None else 200)
            self.end_headers()
            self.wfile.write(f'tableorder_http_requests_total{{route="/",status="503"}} {count}.0\n'.encode())

    with answering(Unit) as api, answering(Unit) as streams:
        minutes = [(100, 3, 0), (102, 3, 2), (102, 0, 0), (None, 1, 1), (103, 1, 1), (4, 1, 4)]
        for counted[api], counted[streams], new in minutes:
            told = measured(tmp_path, api, streams)
            assert f'"MetricName": "HTTP5xx", "Value": {new},' in told


def test_what_comes_too_late_is_told_in_percent(tmp_path):
    """Of the last minute; and of few nothing is said."""
    counted = {}
    texts = {
        "answers": 'tableorder_http_request_duration_seconds_count{{method="GET",route="/api/v1/tablet/menu"}} {}.0',
        "in_time": 'tableorder_http_request_duration_seconds_bucket{{le="0.5",method="GET",route="/api/v1/tablet/menu"}} {}.0',
        "others": 'tableorder_http_request_duration_seconds_count{{method="GET",route="/admin/"}} {}.0',
        "events": "tableorder_stream_delay_seconds_count {}.0",
        "soon": 'tableorder_stream_delay_seconds_bucket{{le="2.0"}} {}.0',
        "away": 'tableorder_breaker_state{{name="redis"}} {}.0',
    }

    class Unit(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write("".join(text.format(counted[name]) + "\n" for name, text in texts.items()).encode())

    with answering(Unit) as unit:
        for numbers, slow, late, away in (
            ((1000, 900, 50, 300, 300, 0), 0, 0, 0),
            ((1100, 990, 99, 340, 330, 2), 10, 25, 1),
            ((1110, 990, 99, 345, 330, 0), 0, 0, 0),
        ):
            counted |= zip(texts, numbers, strict=True)
            told = measured(tmp_path, unit)
            for name, value in (("SlowAnswers", slow), ("LateEvents", late), ("RedisAway", away)):
                assert f'"MetricName": "{name}", "Value": {value},' in told, told
    assert re.search(r'"MetricName": "DiskUsed", "Value": \d+, "Unit": "Percent"', told)


def test_no_secret_stands_in_a_command_line(tmp_path):
    """Everybody on the machine can read those, also of the commands that wait until another one has ended."""
    pretend(tmp_path, runuser='[ "$1 $3" = "-u --" ] && shift 3 && "$@"; exit $?')  # the real one wants root
    programs = tmp_path / "current/venv/bin"
    programs.mkdir(parents=True)
    pretend(programs, python=f"printenv SECRET_KEY >{tmp_path}/known; cat /proc/[0-9]*/cmdline >{tmp_path}/lines 2>/dev/null; true")
    (tmp_path / "env").write_text("SECRET_KEY='a long secret'\n")
    given = {"TABLE_ORDER_ROOT": str(tmp_path), "TABLE_ORDER_ENV": str(tmp_path / "env"), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    run(DEPLOY / "release", "manage", "verify_data", env=os.environ | given)
    assert (tmp_path / "known").read_text() == "a long secret\n"
    lines = (tmp_path / "lines").read_text()
    assert "verify_data" in lines and "a long secret" not in lines


def test_what_is_uploaded_as_a_release_is_the_whole_of_it():
    line = re.search(r"^(git .*archive .*) \| aws s3 cp - ", (DEPLOY / "README.md").read_text(), re.MULTILINE)[1]
    names = run("bash", "-c", f"{line} | tar -tz", cwd=DEPLOY / "terraform").splitlines()
    assert {"manage.py", "deploy/release"} <= {*names}


def test_shellcheck_has_no_complaint():
    run(program("shellcheck"), *SCRIPTS)


def test_user_data_is_a_sound_script_on_every_machine(tmp_path):
    """Both ways of each condition at once; what Terraform puts in is shown as a word."""
    text = (DEPLOY / "terraform/user_data.sh.tftpl").read_text()
    text = re.sub(r"^%\{.*\n", "", text, flags=re.MULTILINE)
    script = tmp_path / "user_data.sh"
    script.write_text(re.sub(r"(?<!\$)\$\{[\w.]+\}", "word", text).replace("$${", "${"))
    # SC1091: the file is of the machine. SC2050: a word that Terraform has put in is always the same.
    run(program("shellcheck"), "--exclude", "SC1091,SC2050", script)


def test_logrotate_takes_its_rule(tmp_path):
    rule = tmp_path / "rule"  # it reads no rule that others may write
    rule.write_text((DEPLOY / "logrotate/table-order").read_text())
    rule.chmod(0o644)
    assert "error" not in run(program("logrotate"), "--debug", "--state", tmp_path / "state", rule)


def test_who_asks_keeps_connections_shorter_than_who_answers():
    """Or one is closed under a request: from the balancer to Nginx, from Nginx to the program."""

    def seconds(pattern, path):
        return int(re.search(pattern, (ROOT / path).read_text(), re.MULTILINE)[1])

    balancer = seconds(r"idle_timeout += (\d+)", "deploy/terraform/balancer.tf")
    assert balancer < seconds(r"^keepalive_timeout (\d+)s", "deploy/nginx/table-order/locations.conf")
    to_the_program = seconds(r"keepalive_timeout (\d+)s", "deploy/nginx/table-order/upstreams.conf")
    assert to_the_program < seconds(r"^keepalive = (\d+)", "gunicorn.conf.py")


@slow
@pytest.mark.parametrize("serve", ["api", "streams"])
def test_the_program_takes_the_socket_that_systemd_holds(serve, tmp_path):
    """By systemd's own program; what the units do with it, the release drill shows."""
    port = free_port()
    environment = {"SERVE": serve, "PATH": os.environ["PATH"], "DATABASE_URL": f"sqlite:///{tmp_path}/empty.sqlite3"}
    activate = [program("systemd-socket-activate"), f"--listen=127.0.0.1:{port}"]
    given = [f"--setenv={name}={value}" for name, value in environment.items()]
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py"]
    with open(tmp_path / "log", "w") as log:
        process = subprocess.Popen([*activate, *given, *command], cwd=ROOT, stdout=log, stderr=log)
    try:
        until(lambda: socket.create_connection(("127.0.0.1", port)).close(), tmp_path / "log")  # it listens before the program runs
        assert until(lambda: httpx.get(f"http://127.0.0.1:{port}/health", timeout=20), tmp_path / "log").status_code == 200
    finally:
        process.terminate()
        assert process.wait(20) == 0


def until(attempt, log):
    give_up_at = time.monotonic() + 20
    while True:
        with suppress(OSError, httpx.TransportError):
            return attempt()
        assert time.monotonic() < give_up_at, log.read_text()
        time.sleep(0.1)
