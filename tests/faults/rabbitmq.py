"""What guests notice when RabbitMQ stops or freezes: nothing. And what consumers get afterwards: everything, in order.

    python -m tests.faults.rabbitmq [seconds of each fault, 60]

30 tablets of three stores order every 2 s at a program with two workers; two relays take what happens to a RabbitMQ of
its own, which is broken. Frozen, its port accepts and never answers. Another program on the same PostgreSQL (a database
of its own beside the one that DATABASE_URL names) knows no bus and has 10 tablets: so one sees what the machine was busy
with anyway. Takes about six minutes, prints figures, exits with 1 if a promise is broken.
"""

import asyncio
import os
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

import httpx

from tests.faults.verdict import verdict
from tests.own_postgresql import own_database
from tests.own_rabbitmq import OwnRabbitMQ
from tests.server import ROOT, serving

STORES, TABLETS, OTHERS = 3, 30, 10
EVERY = 2.0  # seconds between two orders of a tablet
WARM_UP, SETTLE = 5, 10  # seconds
PATIENCE = 30  # seconds for a request, and for a relay to end
SLOWER = 1.2  # times the p95 without a fault,
NOISE = 0.010  # or so many seconds more: two busy cores are not quieter than that
FAULTS = ("stopped", "frozen")  # what the p95 is promised for; the phases between are short
STOPS_WITHIN = 6.0  # seconds, a relay that waits for a frozen broker
CAUGHT_UP_WITHIN = 60.0  # seconds after the broker is back: half a minute until it is tried again, and its own start
BACKLOG, DRAINED_WITHIN = 10_000, 60.0
EVERYTHING = "faults-everything"  # a durable queue


@dataclass
class Phase:
    name: str
    orders: list = field(default_factory=list)  # (status or None, seconds)
    others: list = field(default_factory=list)  # the same of the program without a bus


@dataclass
class Cast:
    worlds: list  # the stores whose tablets order at the program with the bus
    tablets: list[tuple[str, str]]  # for each its token and a dish
    others: list[tuple[str, str]]


class Record:
    def __init__(self):
        self.phases = [Phase("warm-up")]
        self.stopping = False


class Relays:
    """Processes of `manage.py relay_events`."""

    def __init__(self, count: int):
        self.running = []
        for _ in range(count):
            self.start()

    def start(self):
        self.running.append(subprocess.Popen([sys.executable, "manage.py", "relay_events"], cwd=ROOT, stdout=subprocess.DEVNULL))

    def stop(self, which: int = 0, number=signal.SIGTERM) -> float:
        """Seconds until this one has ended; 0 is the oldest."""
        process, began = self.running.pop(which), time.monotonic()
        process.send_signal(number)
        process.wait(PATIENCE)
        return time.monotonic() - began

    def end(self):
        for process in self.running:
            process.kill()
            process.wait()


def make_cast() -> Cast:
    import django
    from django.conf import settings
    from django.core.management import call_command

    django.setup()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    call_command("migrate", verbosity=0)
    from tests.world import make_world, tablet_of

    def tablets(world):
        return [(tablet_of(table).token, str(world.item.pk)) for table in world.tables]

    worlds = [make_world(f"fault-{number}", tables=TABLETS // STORES) for number in range(STORES)]
    others = make_world("others", tables=OTHERS)
    return Cast(worlds, [found for world in worlds for found in tablets(world)], tablets(others))


def bind_everything():
    from tableorder import broker

    channel = broker.connect().channel()
    broker.exchange()(channel).declare()
    channel.queue_declare(EVERYTHING, durable=True, auto_delete=False)
    channel.queue_bind(EVERYTHING, broker.EXCHANGE, "#")


def received() -> list[str]:
    """The ids of all messages in the queue, as a consumer gets them. Takes them out."""
    from tableorder import broker

    channel, ids = broker.connect().channel(), []
    while (message := channel.basic_get(EVERYTHING, no_ack=True)) is not None:
        ids.append(message.properties["message_id"])
    return ids


def caught_up() -> float:
    """Seconds until everything that had happened by the call is with the broker."""
    from stores.models import Counters, RelayCursor

    began = time.monotonic()
    ends = dict(Counters.objects.values_list("pk", "last_number"))
    while any(RelayCursor.objects.get(pk=store).number < end for store, end in ends.items()):
        assert time.monotonic() < began + 3 * CAUGHT_UP_WITHIN, "the relays never caught up"
        time.sleep(0.2)
    return time.monotonic() - began


# --- The faults -------------------------------------------------------------------------------------------------


async def tablet(client, token, item, start: float, record: Record, answers):
    """Orders again and again. An order that is not taken is counted and not repeated."""
    body = {"lines": [{"item": item, "quantity": 1, "options": []}]}
    due = time.monotonic() + EVERY * start
    while True:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        if record.stopping:
            return
        phase, began, status = record.phases[-1], time.monotonic(), None
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"fault-{token[-6:]}-{began:.6f}"}
        with suppress(httpx.TransportError):
            status = (await client.post("/api/v1/tablet/orders", json=body, headers=headers)).status_code
        now = time.monotonic()
        answers(phase).append((status, now - began))
        due = max(due + EVERY, now)


async def play(url: str, others_url: str, server: OwnRabbitMQ, relays: Relays, cast: Cast, record: Record, seconds: float):
    """Figures beside those of the orders: {what they say: seconds}"""
    async with (
        httpx.AsyncClient(base_url=url, timeout=PATIENCE, limits=httpx.Limits()) as client,
        httpx.AsyncClient(base_url=others_url, timeout=PATIENCE, limits=httpx.Limits()) as other,
    ):
        ordering = [
            asyncio.create_task(tablet(client, token, item, number / TABLETS, record, lambda phase: phase.orders))
            for number, (token, item) in enumerate(cast.tablets)
        ]
        ordering += [
            asyncio.create_task(tablet(other, token, item, number / OTHERS, record, lambda phase: phase.others))
            for number, (token, item) in enumerate(cast.others)
        ]
        await asyncio.sleep(WARM_UP)
        figures = await break_it(server, relays, record, seconds)
        record.stopping = True
        await asyncio.gather(*ordering)
    return figures


async def break_it(server: OwnRabbitMQ, relays: Relays, record: Record, seconds: float) -> dict[str, float]:
    figures = {}

    def phase(name):
        record.phases.append(Phase(name))

    phase("no fault")
    await asyncio.sleep(seconds)

    phase(f"stopped for {seconds:.0f} s")
    await asyncio.to_thread(server.stop)
    await asyncio.sleep(seconds)
    phase("... started")
    await asyncio.to_thread(server.start)
    figures["stopped, then back: until the bus has everything"] = await asyncio.to_thread(caught_up)

    phase("a relay is killed")
    await asyncio.to_thread(relays.stop, 0, signal.SIGKILL)
    relays.start()
    figures["a relay killed: until the bus has everything"] = await asyncio.to_thread(caught_up)
    await asyncio.sleep(SETTLE)

    phase(f"frozen for {seconds:.0f} s")
    server.freeze()
    relays.start()
    await asyncio.sleep(seconds)
    figures["frozen: SIGTERM until a relay that never got in ends"] = await asyncio.to_thread(relays.stop, -1)
    figures["frozen: SIGTERM until a relay that was at work ends"] = await asyncio.to_thread(relays.stop)
    relays.start()
    phase("... thawed")
    server.thaw()
    figures["frozen, then back: until the bus has everything"] = await asyncio.to_thread(caught_up)
    await asyncio.sleep(SETTLE)

    phase("no fault, again")
    await asyncio.sleep(seconds)
    return figures


def drain(world, relays: Relays) -> float:
    """Seconds from the start of a relay until it has sent a backlog."""
    from tests.bus import happen

    while relays.running:
        relays.stop()
    for _ in range(BACKLOG // 500):
        happen(world, 500)
    began = time.monotonic()
    relays.start()
    caught_up()
    return time.monotonic() - began


# --- Figures ----------------------------------------------------------------------------------------------------


def p95(orders) -> float:
    return statistics.quantiles([seconds for _, seconds in orders], n=20)[-1] if len(orders) > 1 else 0.0


def judged_orders(record: Record) -> list[str]:
    """Prints the figures of the orders; what was promised and is not so.

    The p95 without the fault is that of the time without one, or that of the others at the same time, whichever is more.
    """
    broken = []
    phases = record.phases[1:]
    without = p95([order for phase in phases if phase.name.startswith("no fault") for order in phase.orders])
    print(f"on {os.cpu_count()} cores, load {os.getloadavg()[1]:.1f}")
    print(f"{'':20} orders  failed  p50 ms  p95 ms  max ms  others' p95  times")
    for phase in phases:
        taken = [seconds for _, seconds in phase.orders]
        failed = Counter(status for status, _ in phase.orders if status != 201)
        expected = max(without, p95(phase.others))
        times = "".join(f"{1000 * value:8.1f}" for value in (statistics.median(taken), p95(phase.orders), max(taken)))
        print(f"{phase.name:20}{len(taken):7}{failed.total():8}{times}{1000 * p95(phase.others):13.1f}{p95(phase.orders) / expected:7.2f}")
        if failed:
            broken.append(f"{phase.name}: orders failed, {dict(failed)}")
        if phase.name.startswith(FAULTS) and p95(phase.orders) > max(SLOWER * expected, expected + NOISE):
            broken.append(f"{phase.name}: p95 is {p95(phase.orders) / expected:.2f} times that without the fault")
    return broken


def judged_events(found: list[str]) -> list[str]:
    """Of what a consumer got."""
    from stores.models import Event, SetAsideEvent

    broken = []
    happened = {f"{store}:{number}" for store, number in Event.objects.values_list("store_id", "number")}
    twice = sum(count - 1 for count in Counter(found).values())
    print(f"events: {len(happened)} happened, {len(set(found))} arrived, {twice} of them a second time")
    if happened != set(found):
        broken.append(f"{len(happened - set(found))} events never arrived")
    last = {}
    for store, _, number in (id.partition(":") for id in dict.fromkeys(found)):
        if int(number) != last.get(store, 0) + 1:
            broken.append(f"event {number} of store {store} came after {last.get(store, 0)}")
        last[store] = int(number)
    if SetAsideEvent.objects.exists():
        broken.append(f"{SetAsideEvent.objects.count()} events were set aside")
    return broken


def judged_figures(figures: dict[str, float]) -> list[str]:
    for what, seconds in figures.items():
        print(f"{what}: {seconds:.1f} s")
    allowed = {what: STOPS_WITHIN if "SIGTERM" in what else CAUGHT_UP_WITHIN for what in figures}
    return [f"{what}: {seconds:.1f} s" for what, seconds in figures.items() if seconds > allowed[what]]


def main(seconds: float = 60) -> int:
    record = Record()
    with own_database() as database, OwnRabbitMQ() as server:
        os.environ |= {
            "DATABASE_URL": database,
            "RABBITMQ_URL": server.url,
            "REDIS_URL": "",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "LOG_LEVEL": "WARNING",
            **dict.fromkeys(("RATE_LIMIT_PER_MINUTE", "ORDER_RATE_PER_MINUTE", "LOGIN_RATE_PER_MINUTE"), "0"),
        }
        cast = make_cast()
        bind_everything()
        relays = Relays(2)
        try:
            with serving(database, workers=2, RABBITMQ_URL=server.url) as program, serving(database, workers=2) as others:
                figures = asyncio.run(play(program.url, others.url, server, relays, cast, record, seconds))
            caught_up()
            drained = drain(cast.worlds[0], relays)
        finally:
            relays.end()
        broken = judged_orders(record) + judged_figures(figures)
        print(f"a backlog of {BACKLOG}, one relay, with its start: {drained:.1f} s")
        if drained > DRAINED_WITHIN:
            broken.append(f"the backlog took {drained:.0f} s")
        broken += judged_events(received())
    return verdict("RabbitMQ", broken, "(no order fails, p95 at most 1.2 times or 10 ms more, every event in order)")


if __name__ == "__main__":
    sys.exit(main(*map(float, sys.argv[1:])))
