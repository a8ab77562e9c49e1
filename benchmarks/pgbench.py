"""The limit: pgbench saying the very statements of an order to a copy of the same database."""

import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from orders.services import place_order
from sessions_app.models import TableSession

from .cast import Tablet
from .figures import Timed
from .statements import Script, statements_of

THREADS = 2
LINES = 3  # of an order


@dataclass(frozen=True)
class Transactions(Timed):
    count: int
    rate: float
    latencies: list[float]  # milliseconds, sorted


class Limit:
    """`tablets` have ordered before: their parties sit there already, as in the load they are held against."""

    def __init__(self, tablets: Sequence[Tablet]):
        self.places = [_known(tablet) for tablet in tablets]
        table, asked = tablets[0].table, tablets[0].asked
        seen = statements_of(lambda: place_order(table, asked=asked, key="the-one-that-pgbench-learns"))
        self.statements = [statement.sql for statement in seen]
        self.script = str(Script(seen, self.places[0]))

    def install(self, database: str):
        """Writes into the copy who sits where."""
        self.database = database
        names = list(self.places[0].values())
        with psycopg.connect(database) as copy:
            copy.execute(f"CREATE TABLE bench_places (place int PRIMARY KEY, {', '.join(f'{name} uuid' for name in names)})")
            with copy.cursor().copy("COPY bench_places FROM STDIN") as rows:
                for place, known in enumerate(self.places):
                    rows.write_row([place, *known])

    def run(self, *, clients: int, seconds: float, first: int, places: int) -> Transactions:
        """Each client orders at one of these places all the time."""
        with tempfile.TemporaryDirectory() as folder:
            script = Path(folder) / "order.sql"
            find = f"SELECT * FROM bench_places WHERE place = :first::int + :client_id::int % {places} \\gset"
            script.write_text(f"\\if :seated = 0\n{find}\n\\set seated 1\n\\endif\n{self.script}")
            command = ["pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", str(THREADS), "-T", str(int(seconds)), "-f", script]
            command += ["-D", "seated=0", "-D", f"first={first}", "-l", "--log-prefix", f"{folder}/log", self.database]
            before = self.written()
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(f"pgbench: {done.stderr[-2000:]}\n{self.script}")
            latencies = sorted(int(line.split()[2]) / 1000 for log in Path(folder).glob("log*") for line in log.read_text().splitlines())
        self.verify(len(latencies), before=before)
        return Transactions(len(latencies), float(re.search(r"tps = ([\d.]+)", done.stdout)[1]), latencies)

    def verify(self, transactions: int, *, before: list[int]):
        """That so many have been written since."""
        written = [now - then for now, then in zip(self.written(), before, strict=True)]
        if written != [transactions * rows for rows in (1, LINES, 1)]:
            raise SystemExit(f"{transactions} transactions wrote {written} orders, lines and events:\n{self.script}")

    def written(self) -> list[int]:
        """How many orders, lines and events are there."""
        with psycopg.connect(self.database) as copy:
            return [
                copy.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("orders_order", "orders_orderline", "stores_event")
            ]


def _known(tablet: Tablet) -> dict[str, str]:
    """What differs from place to place, {id: name}."""
    table = tablet.table
    party = TableSession.objects.active_at(table).get()
    ids = {"store": table.store_id, "seat": table.pk, "party": party.pk, "choice": tablet.option}
    ids |= {f"item{number}": item for number, item in enumerate(tablet.items)}
    return {str(id): name for name, id in ids.items()}
