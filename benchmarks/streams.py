"""Ten thousand open streams on one process: its memory, how quick an event is with them, and what orders notice."""

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median, quantiles

from stores.auth import staff_token
from stores.models import Membership
from stores.stream_places import STREAMS_PER_STORE, STREAMS_PER_TOKEN

from . import acknowledged
from .cast import Tablet, open_store
from .figures import Promise, Report, Spread
from .layout import SETTINGS, Service
from .load import Answers
from .processes import cpu_seconds, memory
from .scene import Scene
from .steady import order_steadily

STREAMS = 10_000
PER_SECOND = 20  # orders
WARM_UP = 3  # seconds
SPARE = 1000  # descriptors for everything else


class Listeners(Service):
    """The client's process (benchmarks/listeners.py)."""

    def __init__(self, folder: Path, address: str, tokens: list[str]):
        file = folder / "tokens"
        file.write_text("\n".join(tokens))
        super().__init__(folder, "listeners", [sys.executable, "-m", "benchmarks.listeners", address, str(file)])

    def __enter__(self):
        self.process = subprocess.Popen(
            self.command, cwd=self.cwd, env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.seconds_to_open = float(self.process.stdout.readline())
        return self

    def begin_record(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def heard(self) -> dict:
        self.process.stdin.close()
        return json.loads(self.process.stdout.read())


def measure(scene: Scene) -> list[Report]:
    count = STREAMS // 20 if scene.quick else STREAMS
    count = min(count, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE)
    tablets, tokens = audience(count)
    count = len(tokens)  # whole stores
    worker, seconds = scene.program.streams.workers, 2 * scene.rounds * scene.seconds
    alone = memory(worker)[0]
    order(scene, tablets, WARM_UP)
    without = [order(scene, tablets, seconds / 2)]
    with tempfile.TemporaryDirectory() as folder, Listeners(Path(folder), scene.program.streams.address, tokens) as listeners:
        scene.say(f"streams: {count} are open after {listeners.seconds_to_open:.0f} s")
        listeners.begin_record()
        cpu = cpu_seconds(worker)
        during = order(scene, tablets, seconds)
        cpu = cpu_seconds(worker) - cpu
        resident = memory(worker)[0]
        heard = listeners.heard()
    without.append(order(scene, tablets, seconds / 2))
    events = heard["delays"]
    if heard["lost"] or len(events) != len(during.latencies) or any(len(event) != STREAMS_PER_STORE for event in events):
        raise SystemExit(f"BROKEN: {heard['lost']} streams ended, {len(events)} of {len(during.latencies)} orders were heard of")
    wire = sorted(delay for event in events for delay in event)
    fan_out = quantiles([event[-1] - event[0] for event in events], n=100)
    slower = Spread([during.p95 / before.p95 for before in without])
    row = {
        "MB": Spread([resident]),
        "kB a stream": Spread([1024 * (resident - alone) / count]),
        "seconds to open all": Spread([listeners.seconds_to_open]),
        "first to last of 50, p50 ms": Spread([fan_out[49]]),
        "p99 ms": Spread([fan_out[98]]),
        "commit to wire, p50 ms": Spread([median(wire)]),
        "its p99 ms": Spread([quantiles(wire, n=100)[98]]),
        "CPU %": Spread([100 * cpu / during.seconds]),
        "orders' p95 ms": Spread([during.p95]),
        "without streams": Spread([before.p95 for before in without]),
    }
    promises = [
        Promise(f"Memory of the process with {count:,} streams", row["MB"], at_most=350, unit="MB"),
        Promise("One event to a store's 50 listeners, from the first to the last, p99", row["p99 ms"], at_most=20, unit="ms"),
        Promise(f"p95 of {PER_SECOND} orders a second, times that without streams", slower, at_most=1.5),
    ]
    if SETTINGS["REDIS_URL"]:
        promises.append(Promise("From commit to the wire, p50", row["commit to wire, p50 ms"], at_most=20, unit="ms"))
    how = "with Redis" if SETTINGS["REDIS_URL"] else "without Redis, where the journals are looked at twice a second"
    says = (
        f"{count:,} streams of {len(tablets)} stores on one process, {how}; {PER_SECOND} orders a second, each heard by 50 listeners. "
        "“Commit to wire” begins when the event is written, just before the commit, and counts for all listeners."
    )
    return [Report("Streams", says, {f"{count:,} streams": row}, promises)]


def audience(count: int) -> tuple[list[Tablet], list[str]]:
    """A tablet of each of so many stores that their boards open `count` streams; the token of each of these."""
    tablets, tokens = [], []
    for number in range(count // STREAMS_PER_STORE):
        world, (tablet,) = open_store(f"heard-{number}", tables=1)
        manager = Membership.objects.get(store=world.store, user=world.manager)
        people = [str(staff_token(manager)) for _ in range(-(-STREAMS_PER_STORE // STREAMS_PER_TOKEN))]
        tablets.append(tablet)
        tokens += (people * STREAMS_PER_TOKEN)[:STREAMS_PER_STORE]
    return tablets, tokens


def order(scene: Scene, tablets: list[Tablet], seconds: float) -> Answers:
    before = acknowledged.count_of_orders()
    answers = order_steadily(scene.program.api.address, tablets, per_second=PER_SECOND, seconds=seconds)
    acknowledged.verify(before=before, acknowledged=answers.only(201), stores={tablet.table.store_id for tablet in tablets})
    scene.orders += len(answers.latencies)
    return answers
