"""`purge_history` removes 100,000 orders while orders go on: what do they notice?"""

from pathlib import Path
from tempfile import TemporaryDirectory

from . import acknowledged, history
from .chain import Chain
from .database import working_in
from .figures import Promise, Report, Spread
from .layout import PYTHON, SETTINGS, Service
from .load import Answers
from .scene import Scene
from .steady import order_steadily

ORDERS = 100_000
DAYS_AGO = 250  # longer than HISTORY_RETENTION_MONTHS
PER_SECOND = 20  # orders
QUIET, GLANCE = 3, 2  # measurements without a purge, before it and after; seconds between two looks at it


def measure(scene: Scene, chain: Chain) -> Report:
    stores = [branch.store.pk for branch in chain.branches]
    with working_in(chain.database):
        already = acknowledged.count_of_orders()
        history.fill(stores, orders=(ORDERS // 20 if scene.quick else ORDERS) // len(stores), days_ago=DAYS_AGO, days=20)
        old = acknowledged.count_of_orders() - already
        quiet = [order(chain, scene.seconds * QUIET)]
        before, during = acknowledged.count_of_orders(), []
        with TemporaryDirectory() as folder, purge_of(Path(folder), chain.database) as purge:
            while purge.process.poll() is None:
                during.append(answers(chain, GLANCE))
            assert purge.process.returncode == 0, purge.output.read_text()
        placed = sum(len(some.latencies) for some in during)
        acknowledged.verify(before=before - old, acknowledged=placed, stores=chain.looked_at)
        quiet.append(order(chain, scene.seconds * QUIET))
    latencies = sorted(latency for some in during for latency in some.latencies)
    p95, seconds = latencies[int(len(latencies) * 0.95)], sum(some.seconds for some in during)
    row = {
        "removed a second": Spread([old / seconds]),
        "p95 of orders, ms": Spread([p95]),
        "without": Spread([some.p95 for some in quiet]),
    }
    slower = Spread([p95 / some.p95 for some in quiet])
    promise = Promise(f"p95 of {PER_SECOND} orders a second while {old:,} old ones are purged, times that without", slower, at_most=2)
    return Report("Purge", f"`purge_history` removed {old:,} orders in {seconds:.0f} s.", {"purge_history": row}, [promise])


def purge_of(folder: Path, database: str) -> Service:
    return Service(folder, "purge", [str(PYTHON), "manage.py", "purge_history"], **SETTINGS | {"DATABASE_URL": database})


def answers(chain: Chain, seconds: float) -> Answers:
    found = order_steadily(chain.api.address, [branch.tablet for branch in chain.branches], per_second=PER_SECOND, seconds=seconds)
    found.only(201)
    return found


def order(chain: Chain, seconds: float) -> Answers:
    before = acknowledged.count_of_orders()
    found = answers(chain, seconds)
    acknowledged.verify(before=before, acknowledged=len(found.latencies), stores=chain.looked_at)
    return found
