"""The benchmarks still work: a few seconds of orders beside pgbench, on the real thing. The figures mean nothing here."""

import os
import shutil
import subprocess
import sys

import pytest

from benchmarks.layout import PYTHON

from .own_server import ROOT

LACKS = [str(program) for program in ("wrk", "pgbench", PYTHON) if not shutil.which(program)]


@pytest.mark.skipif(not os.environ.get("DATABASE_URL", "").startswith("postgres"), reason="compares with pgbench: needs PostgreSQL")
@pytest.mark.skipif(bool(LACKS), reason=f"without {' and '.join(LACKS)}: make install-bench")
def test_a_load_of_orders_is_held_against_pgbench_and_verified():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--only", "order"], cwd=ROOT, capture_output=True, text=True, timeout=400
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "pgbench/s" in done.stdout and "50 clients, 10 stores" in done.stdout
