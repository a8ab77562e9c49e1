"""How fast it is, in one run: `make bench`, or `python -m benchmarks [--quick] [--only order,menu]`.

Everything runs on this machine, in the layout of deploy/, on a database of its own; the rounds are interleaved, so that
a slow minute of the machine meets all alike. Ends with 1 if an order that was acknowledged is missing or wrong.
"""

import argparse
import importlib
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from tests.own_postgresql import own_database

from .database import ServerCPU, name_of, prepare
from .layout import PYTHON, Layout
from .report import promise_table, table, write

PARTS = ["order", "menu", "board", "memory", "streams", "growth", "layers"]
PLACES, QUICK_PLACES = 50, 10  # tables of one store, and stores
HISTORY = 200  # orders of each store. In empty tables PostgreSQL would choose, and keep, plans that are bad in full ones


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--only", type=lambda names: names.split(","), default=PARTS, help=f"some of {','.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="to see that it works; the figures mean little")
    parser.add_argument("--soak", type=int, default=0, metavar="MINUTES", help="of orders, to see whether the memory stays")
    asked = parser.parse_args()
    if missing := [str(program) for program in ("wrk", "pgbench", PYTHON) if not shutil.which(program)]:
        raise SystemExit(f"{' and '.join(missing)} missing: make install-bench")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # everything that was started is ended, and the databases go
    with own_database("ours") as database, tempfile.TemporaryDirectory() as folder:
        open_stores = furnish(database, places=QUICK_PLACES if asked.quick else PLACES)
        with own_database("limit", like=name_of(database)) as copy:
            reports = measured(asked, Path(folder), database, copy, open_stores)
    if asked.only == PARTS and not asked.quick:
        write(reports, "make bench")


def furnish(database: str, *, places: int):
    """The stores where orders are placed, {name: tablets}."""
    prepare(database)
    from django.db import connection

    from . import history
    from .cast import open_store
    from .pgbench import Limit

    cast = {
        f"{places} tables of one store": open_store("one", tables=places)[1],
        f"{places} stores": [tablet for number in range(places) for tablet in open_store(f"store-{number}", tables=1)[1]],
    }
    history.fill({tablet.table.store_id for tablets in cast.values() for tablet in tablets}, orders=HISTORY)
    limit = Limit([tablet for tablets in cast.values() for tablet in tablets])
    connection.close()
    connection.close_pool()
    return cast, limit


def measured(asked, folder, database, copy, open_stores):
    from .scene import Scene

    cast, limit = open_stores
    limit.install(copy)
    with Layout(folder, database) as program:
        scene = Scene(program, ServerCPU(), limit, cast, quick=asked.quick, soak=asked.soak)
        reports = []
        for part in asked.only:
            for report in importlib.import_module(f"benchmarks.{part}").measure(scene):
                print(f"\n{report.title}\n", *table(report), "", *promise_table(report.promises), sep="\n", flush=True)
                reports.append(report)
    return reports


if __name__ == "__main__":
    main()
