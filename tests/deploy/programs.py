"""The real programs that read what stands in deploy/: nginx, systemd, Prometheus and so on."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server import ROOT

slow = pytest.mark.skipif("CHECK_DEPLOY" not in os.environ, reason="takes a while: part of `make check-deploy`")


def program(name: str) -> str:
    """Its path. On a machine without it a test is skipped, with a word how to get it; in CI it fails."""
    if path := shutil.which(name, path=os.pathsep.join([f"{sys.prefix}/bin", os.environ["PATH"], "/usr/sbin", "/sbin"])):
        return path
    missing = pytest.fail if os.environ.get("CI") and "CHECK_DEPLOY" in os.environ else pytest.skip
    return missing(f"{name} is not installed: `make install-check-deploy`")


def run(*command, **kwargs) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, **kwargs)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def pretend(folder: Path, **scripts: str):
    """Programs by these names in the folder that do this instead, by sh."""
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)


def manage(database: str, *command: str, **environment: str) -> subprocess.CompletedProcess:
    """`manage.py` on that database and without other services."""
    services = {"DATABASE_URL": database, "REDIS_URL": "", "RABBITMQ_URL": ""}
    line = [sys.executable, ROOT / "manage.py", *command]
    return subprocess.run(line, env=os.environ | services | environment, capture_output=True, text=True, check=False)
