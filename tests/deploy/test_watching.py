"""What is watched exists: every metric that a rule or a panel names, and a page for every alarm; and it is understood by
the real Prometheus, which scrapes the real program here."""

import json
import re
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
import yaml
from django.test import Client

from tests.deploy.programs import manage, program, run, slow
from tests.own_postgresql import OwnPostgreSQL
from tests.own_redis import OwnRedis, free_port
from tests.server import ROOT, serving

DEPLOY = ROOT / "deploy"
OTHERS = {"BACKUP_COMMAND", "backend"}  # of `release`, and of Terraform itself
COURSES = Path(__file__).with_name("alerts.yml")
RULES = yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text())["groups"][0]["rules"]
PANELS = json.loads((DEPLOY / "grafana/table-order.json").read_text())["panels"]


def runbooks() -> set[str]:
    return {path.stem for path in (DEPLOY / "runbooks").glob("*.md")}


def asked_for() -> set[str]:
    """The names of all metrics in rules and panels."""
    queries = [rule["expr"] for rule in RULES] + [target["expr"] for panel in PANELS for target in panel["targets"]]
    return set(re.findall(r"\b(?:tableorder|process)_\w+", " ".join(queries)))


def test_every_metric_that_is_asked_for_is_one_of_ours(db, settings):
    settings.RABBITMQ_URL = "amqp://127.0.0.1"  # the outbox is counted in the database: no broker is asked
    exposed = set(re.findall(r"^# TYPE (\w+) ", Client().get("/metrics").content.decode(), re.MULTILINE))
    names = {name.removesuffix("_bucket") for name in asked_for()}
    assert names <= exposed, names - exposed


def test_every_alarm_has_its_page():
    named = {Path(rule["annotations"]["runbook"]).stem for rule in RULES}
    on_aws = set(re.findall(r"^      ([a-z0-9-]+) = \{$", (DEPLOY / "terraform/alarms.tf").read_text(), re.MULTILINE))
    assert {"high-cpu", "database-connections", "database-storage", "http-5xx", "unready", "outbox-age"} <= on_aws
    assert named | on_aws == runbooks()


def test_every_page_says_what_it_means_what_to_look_at_and_what_to_do():
    for page in (DEPLOY / "runbooks").glob("*.md"):
        text = page.read_text()
        assert [line for line in text.splitlines() if line.startswith("## ")] == ["## What it means", "## What to look at", "## What to do"]
        for link in re.findall(r"\]\(([a-z0-9-]+\.md)\)", text):
            assert (page.parent / link).exists(), (page.name, link)


def test_what_pages_tell_to_look_at_is_there():
    titles = [panel["title"] for panel in PANELS]
    settings = (ROOT / ".env.example").read_text() + (DEPLOY / "terraform/variables.tf").read_text()
    commands = re.findall(r"^(\w+)\)", (DEPLOY / "release").read_text(), re.MULTILINE) + ["manage"]
    for page in [*(DEPLOY / "runbooks").glob("*.md"), DEPLOY / "README.md"]:
        text = page.read_text()
        for line in text.splitlines():
            if "Grafana" in line:
                shown = re.findall(r"“([^”]+)”", line.partition("Grafana")[2])
                assert all(any(title.startswith(name) for title in titles) for name in shown), (page.name, shown)
        assert {*re.findall(r"table-order-release (\w+)", text)} <= {*commands}, page.name
        for unit in re.findall(r"(?:systemctl|journalctl) (?:\w+ )?(?:-u )?(table-order-[a-z-]+)", text):
            assert any(path.stem == unit for path in (DEPLOY / "systemd").iterdir()), (page.name, unit)
        for name in re.findall(r"`([A-Z][A-Z_]{6,})(?:=\w+)?`|`([a-z_]+)(?: = \w+)`", text):
            assert any(part and part in settings for part in name) or "".join(name) in OTHERS, (page.name, name)


def test_each_rule_says_whom_it_wakes():
    for rule in RULES:
        assert rule["labels"]["severity"] in ("page", "ticket") and rule["annotations"]["summary"]


@pytest.mark.parametrize("config", ["prometheus.yml", "compose.yml"])
def test_prometheus_takes_each_configuration_with_its_rules(config):
    assert f"{len(RULES)} rules found" in run(program("promtool"), "check", "config", DEPLOY / "prometheus" / config)


def test_each_alert_rings_when_it_should_and_only_then():
    run(program("promtool"), "test", "rules", COURSES)
    seen = {rule["alert"]: set() for rule in RULES}
    for course in yaml.safe_load(COURSES.read_text())["tests"]:
        for moment in course["alert_rule_test"]:
            seen[moment["alertname"]].add(bool(moment["exp_alerts"]))
    assert all(rings == {False, True} for rings in seen.values()), seen


@contextmanager
def prometheus(target: str, folder: Path):
    """The configuration of production, in a hurry, for a program elsewhere: what to ask it with."""
    config = (DEPLOY / "prometheus/prometheus.yml").read_text().replace("15s", "1s").replace("127.0.0.1:8001", target)
    (folder / "prometheus.yml").write_text(config.replace("alerts.yml", str(DEPLOY / "prometheus/alerts.yml")))
    address = f"127.0.0.1:{free_port()}"
    options = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data", f"--web.listen-address={address}"]
    with open(folder / "log", "w") as log:
        process = subprocess.Popen([program("prometheus"), *options], stdout=log, stderr=log)
    try:
        yield lambda query: httpx.get(f"http://{address}/api/v1/query", params={"query": query}).json()
    finally:
        process.terminate()
        process.wait(20)


@slow
def test_the_real_prometheus_finds_each_metric_and_understands_each_panel(tmp_path):
    with OwnPostgreSQL() as postgresql, OwnRedis() as redis:
        manage(postgresql.url, "migrate")
        environment = {"REDIS_URL": redis.url, "RABBITMQ_URL": "amqp://127.0.0.1"}
        with serving(postgresql.url, **environment) as server, prometheus(server.url.removeprefix("http://"), tmp_path) as ask:
            give_up_at = time.monotonic() + 30
            while nothing := {name for name in asked_for() if not found(ask, name)}:
                assert time.monotonic() < give_up_at, (nothing, (tmp_path / "log").read_text()[-2000:])
                server.client().get("tablet/menu")
                time.sleep(0.5)
            for panel in PANELS:
                for target in panel["targets"]:
                    assert ask(target["expr"])["status"] == "success", (panel["title"], target["expr"])


def found(ask, name) -> bool:
    with suppress(httpx.TransportError, json.JSONDecodeError):  # it is not there yet, or not ready
        return bool(ask(name)["data"]["result"])
    return False


def test_the_dashboard_shows_what_operators_ask_for_first():
    titles = " / ".join(panel["title"] for panel in PANELS)
    for word in ("Orders per minute", "API answer", "Open streams", "boards", "message bus", "Database connections", "5xx"):
        assert word in titles
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
