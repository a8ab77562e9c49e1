"""The Terraform: its syntax everywhere, its schema and its shape where Terraform and the provider are at hand.

Neither comes from PyPI, npm or Debian, so a machine without them is no failure, in CI either.
"""

import os
import re
import shutil
from pathlib import Path

import pytest

from tests.deploy.programs import run, slow

FOLDER = Path(__file__).resolve().parents[2] / "deploy/terraform"
TEXT = {path.name: path.read_text() for path in FOLDER.glob("*.tf")}
ALL = "\n".join(TEXT.values())


@slow
@pytest.mark.parametrize("name", sorted(TEXT) + ["examples/smallest.tfvars", "examples/grown.tfvars"])
def test_it_can_be_parsed(name):
    hcl2 = pytest.importorskip("hcl2", reason="python-hcl2 is not installed")
    with open(FOLDER / name) as file:
        assert hcl2.load(file)


def test_examples_set_only_variables_that_there_are():
    variables = set(re.findall(r'^variable "(\w+)"', TEXT["variables.tf"], re.MULTILINE))
    for example in (FOLDER / "examples").glob("*.tfvars"):
        text = example.read_text()
        assert set(re.findall(r"^(\w+)\s*=", text, re.MULTILINE)) <= variables
        assert "A month in ap-northeast-2" in text and "together" in text


def test_every_resource_that_is_asked_for_is_there():
    kinds = set(re.findall(r'^resource "(\w+)"', ALL, re.MULTILINE))
    for kind in (
        *("vpc", "subnet", "internet_gateway", "route_table", "security_group", "instance", "eip", "launch_template"),
        *("db_instance", "db_parameter_group", "db_subnet_group", "elasticache_replication_group", "mq_broker"),
        *("s3_bucket", "s3_bucket_public_access_block", "s3_bucket_cors_configuration", "s3_bucket_lifecycle_configuration"),
        *("secretsmanager_secret", "iam_role", "iam_instance_profile", "cloudwatch_log_group", "cloudwatch_metric_alarm"),
        *("sns_topic", "lb", "lb_target_group", "autoscaling_group"),
    ):
        assert f"aws_{kind}" in kinds, kind


def test_the_program_s_ports_are_open_to_nobody():
    assert not re.search(r"(from|to)_port\s*=\s*800\d", ALL)


def test_user_data_sets_only_variables_that_the_program_reads():
    known = (FOLDER.parents[1] / ".env.example").read_text()
    for name in re.findall(r"^      ([A-Z_0-9]+)\s*=", TEXT["instance.tf"], re.MULTILINE):
        assert f"{name}=" in known, name


def mirror() -> Path | None:
    """A folder with the AWS provider: what TF_PLUGIN_MIRROR names, or one of those where machines without a network keep it."""
    kept = [Path("/usr/local/share/terraform/plugins"), *Path("/opt").glob("*")]
    named = [Path(os.environ["TF_PLUGIN_MIRROR"])] if "TF_PLUGIN_MIRROR" in os.environ else kept
    return next((folder for folder in named if (folder / "registry.terraform.io/hashicorp/aws").is_dir()), None)


@pytest.fixture(scope="module")
def initialised(tmp_path_factory):
    """A copy in which `terraform init` has run, from a mirror only."""
    terraform = shutil.which("terraform")
    if not terraform or not mirror():
        pytest.skip("terraform is not installed, or TF_PLUGIN_MIRROR names no folder with the AWS provider")
    folder = tmp_path_factory.mktemp("terraform")
    shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
    (folder / "rc").write_text(f'provider_installation {{\n  filesystem_mirror {{ path = "{mirror()}" }}\n}}\n')

    def inside(*command):
        environment = {"TF_CLI_CONFIG_FILE": str(folder / "rc"), "TF_IN_AUTOMATION": "1"}
        run(terraform, *command, "-no-color", cwd=folder, env=os.environ | environment)

    inside("init", "-backend=false")
    return inside


@slow
def test_terraform_finds_it_valid_and_formatted(initialised):
    initialised("validate")
    initialised("fmt", "-check", "-recursive")


@slow
def test_terraform_plans_the_examples_shapes(initialised):
    initialised("test")
