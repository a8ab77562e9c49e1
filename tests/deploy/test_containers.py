"""The container and both compose files, as far as they can be read."""

import os
import re
from pathlib import Path

import pytest
import yaml

from tests.deploy.programs import pretend, program, run, slow
from tests.server import ROOT

DEVELOPMENT = yaml.safe_load((ROOT / "compose.yaml").read_text())
PRODUCTION = yaml.safe_load((ROOT / "compose.production.yaml").read_text())
BOTH = pytest.mark.parametrize("compose", [DEVELOPMENT, PRODUCTION], ids=["development", "production"])


def known_variables() -> set[str]:
    return set(re.findall(r"^#?([A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))


def waits_for(service) -> dict:
    depends = service.get("depends_on", {})
    return depends if isinstance(depends, dict) else dict.fromkeys(depends, {"condition": "service_started"})


def test_every_service_that_is_asked_for_is_there():
    images = {name: service["image"] for name, service in DEVELOPMENT["services"].items()}
    assert images["db"].startswith("postgres:15") and images["redis"].startswith("redis:7")
    assert images["rabbitmq"].startswith("rabbitmq:3.12-management")
    assert "--appendonly" in DEVELOPMENT["services"]["redis"]["command"]
    assert "--reload" in DEVELOPMENT["services"]["app"]["command"]
    monitored = {name for name, service in DEVELOPMENT["services"].items() if "monitoring" in service.get("profiles", [])}
    assert monitored == {"prometheus", "grafana"}


@BOTH
def test_who_waits_for_health_waits_for_something_that_has_it(compose):
    services = compose["services"]
    for name, service in services.items():
        for other, how in waits_for(service).items():
            assert other in services, (name, other)
            if how["condition"] == "service_healthy":
                built = services[other].get("image", "").startswith(("table-order", "${IMAGE"))
                health = services[other].get("healthcheck", {"test": "of the image"} if built else {})
                assert health.get("test"), (name, other)


@BOTH
def test_data_outlive_containers(compose):
    for name in ("db", "redis", "rabbitmq"):
        named = [str(volume).split(":")[0] for volume in compose["services"][name]["volumes"]]
        assert any(volume in compose["volumes"] for volume in named), name


@BOTH
def test_every_image_has_a_version(compose):
    for service in compose["services"].values():
        assert ":" in service["image"] and (not service["image"].endswith(":latest")), service["image"]


@BOTH
def test_only_variables_that_the_program_reads_are_set(compose):
    for name, service in compose["services"].items():
        if service.get("build"):
            names = {variable.removesuffix("_FILE") for variable in service["environment"]}
            assert names <= known_variables(), (name, names - known_variables())


def test_ports_of_development_are_open_to_this_machine_only():
    for service in DEVELOPMENT["services"].values():
        assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", []))


def test_only_nginx_is_published_in_production():
    published = {name: service["ports"] for name, service in PRODUCTION["services"].items() if service.get("ports")}
    assert published == {"nginx": ["80:80", "443:443"]}
    assert PRODUCTION["networks"]["inside"] == {"internal": True}
    for name in ("db", "redis", "rabbitmq"):
        assert PRODUCTION["services"][name]["networks"] == ["inside"]


def test_timers_of_containers_run_what_those_of_systemd_do():
    units = [timer.with_suffix(".service").read_text() for timer in (ROOT / "deploy/systemd").glob("*.timer")]
    asked = {command for unit in units for command in re.findall(r"manage\.py (\w+)", unit)}
    assert {*re.findall(r"manage\.py (\w+)", PRODUCTION["services"]["timers"]["command"][-1])} == asked


def test_nothing_secret_stands_in_the_production_file():
    for name in PRODUCTION["services"]:
        for variable, value in PRODUCTION["services"][name].get("environment", {}).items():
            assert not re.search(r"(PASSWORD|SECRET|DATABASE_URL|RABBITMQ_URL)\w*$", variable) or str(value).startswith("/run/secrets/"), (
                variable
            )


def test_the_readme_s_own_lines_make_every_secret(tmp_path):
    text = (ROOT / "deploy/README.md").read_text().partition("## Containers in production")[2]
    lines = text.partition("```sh\n")[2].partition("```")[0]
    tells = 'echo "$(basename "$0") $*" >> "$ASKED"'
    pretend(tmp_path, sudo=tells, docker=tells)  # neither root nor an engine is needed to follow it
    place = tmp_path / "clone"
    place.mkdir()
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "ASKED": str(tmp_path / "asked")}
    run(program("bash"), "-euc", lines, cwd=place, env=environment)
    made = {path.relative_to(place) for path in (place / "secrets").iterdir() if path.is_file() and path.stat().st_size}
    named = {Path(secret["file"]) for secret in PRODUCTION["secrets"].values()}
    assert made == named | {Path("secrets/rabbitmq.conf")}
    assert not any("\n" in (place / path).read_text() for path in named), "a line's end would be a part of the secret"
    asked = (tmp_path / "asked").read_text()
    owned = re.search(r"chown 10001:\d+ (.*)", asked)[1].split()
    assert {*owned} == {*PRODUCTION["x-program"]["secrets"], "rabbitmq.conf"}
    assert {(place / "secrets" / name).stat().st_mode & 0o777 for name in owned} == {0o440}
    assert "docker compose up -d --build" in asked


def test_the_program_runs_with_little_in_production():
    for name in ("api", "streams", "relay", "timers", "migrate"):
        service = PRODUCTION["services"][name]
        assert service["read_only"] and service["cap_drop"] == ["ALL"] and service["security_opt"] == ["no-new-privileges:true"]


def test_the_image_is_small_and_unprivileged():
    lines = (ROOT / "Dockerfile").read_text()
    last = lines[lines.rindex("\nFROM ") :]
    assert "USER 10001:10001" in last and "HEALTHCHECK" in last and "STOPSIGNAL SIGTERM" in last
    assert re.search(r"^CMD \[", last, re.MULTILINE), "exec form, or signals end at a shell"
    assert "apt-get" not in lines and "gcc" not in lines
    assert "collectstatic" in lines


def test_secrets_and_data_stay_out_of_the_image():
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".git", ".env", "keys", "secrets", "data", "media", ".venv"} <= {*ignored}


def test_hadolint_has_no_complaint():
    run(program("hadolint"), ROOT / "Dockerfile")


@slow
def test_both_files_fit_the_schema_of_compose():
    """By dclint, which carries the schema of the Compose specification and more rules."""
    files = [ROOT / "compose.yaml", ROOT / "compose.production.yaml"]
    # Nginx is published to the world: that is its purpose.
    run(program("npx"), "--yes", "dclint@3.1.0", *files, "--quiet", "--disable-rule", "no-unbound-port-interfaces")
