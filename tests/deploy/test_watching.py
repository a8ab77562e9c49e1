"""What is watched exists: every metric that a rule or a panel names, and a page for every alarm."""

import json
import re
from pathlib import Path

import yaml
from django.test import Client

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
RULES = yaml.safe_load((DEPLOY / "prometheus/alerts.yml").read_text())["groups"][0]["rules"]
PANELS = json.loads((DEPLOY / "grafana/table-order.json").read_text())["panels"]


def runbooks() -> set[str]:
    return {path.stem for path in (DEPLOY / "runbooks").glob("*.md")}


def test_every_metric_that_is_asked_for_is_one_of_ours(db, settings):
    settings.RABBITMQ_URL = "amqp://127.0.0.1"  # the outbox is counted in the database: no broker is asked
    exposed = set(re.findall(r"^# TYPE (\w+) ", Client().get("/metrics").content.decode(), re.MULTILINE))
    asked = " ".join([rule["expr"] for rule in RULES] + [target["expr"] for panel in PANELS for target in panel["targets"]])
    names = {name.removesuffix("_bucket") for name in re.findall(r"\b(?:tableorder|process)_\w+", asked)}
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


def test_each_rule_says_whom_it_wakes():
    for rule in RULES:
        assert rule["labels"]["severity"] in ("page", "ticket") and rule["annotations"]["summary"]


def test_the_dashboard_shows_what_operators_ask_for_first():
    titles = " / ".join(panel["title"] for panel in PANELS)
    for word in ("Orders per minute", "API answer", "Open streams", "boards", "message bus", "Database connections", "5xx"):
        assert word in titles
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
