"""What guests notice when RabbitMQ stops or freezes: nothing. And what consumers get afterwards: everything, in order.

    python -m tests.faults.rabbitmq [seconds of each fault, 60]

30 tablets of three stores order every 1.5 s, two workers and two relays on PostgreSQL (a database of its own beside the
one that DATABASE_URL names) and a RabbitMQ of its own. Frozen, its port accepts and never answers. Takes about six
minutes, prints figures, exits with 1 if a promise is broken. On a machine that is busy with other things the p95 says
more about those.
"""

# ruff: noqa: T201  a program that prints

import asyncio
import os
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter

import httpx

from tests.faults.redis import ROOT, TABLETS, Phase, Record, own_database, p95, tablet
from tests.own_rabbitmq import OwnRabbitMQ
from tests.server import serving

STORES = 3
WARM_UP = 4  # seconds
SLOWER = 1.2  # times the p95 without a fault,
NOISE = 0.010  # or so many seconds more: two busy cores are not quieter than that
STOPS_WITHIN = 6.0  # seconds, a relay that waits for a frozen broker
CAUGHT_UP_WITHIN = 60.0  # seconds after the broker is back: half a minute until it is tried again, and its own start
BACKLOG, DRAINED_WITHIN = 10_000, 60.0
FAULTS = ("stopped", "frozen")  # what the p95 is promised for; the phases between are short
EVERYTHING = "faults-everything"  # a durable queue


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
        process.wait(30)
        return time.monotonic() - began

    def end(self):
        for process in self.running:
            process.kill()
            process.wait()


def make_cast() -> tuple[list, list[tuple[str, str]]]:
    """(the stores, for each tablet its token and a dish)."""
    import django
    from django.conf import settings
    from django.core.management import call_command

    django.setup()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    call_command("migrate", verbosity=0)
    from tests.world import make_world, tablet_of

    worlds = [make_world(f"fault-{number}", tables=TABLETS // STORES) for number in range(STORES)]
    return worlds, [(tablet_of(table).token, str(world.item.pk)) for world in worlds for table in world.tables]


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
    from stores.models import Journal, RelayCursor

    began = time.monotonic()
    ends = dict(Journal.objects.values_list("pk", "last_number"))
    while any(RelayCursor.objects.get(pk=store).number < end for store, end in ends.items()):
        assert time.monotonic() < began + 3 * CAUGHT_UP_WITHIN, "the relays never caught up"
        time.sleep(0.2)
    return time.monotonic() - began


# --- The faults -------------------------------------------------------------------------------------------------


async def play(url: str, server: OwnRabbitMQ, relays: Relays, tablets, record: Record, seconds: float) -> dict[str, float]:
    """Figures beside those of the orders, by what they say, in seconds."""
    figures = {}

    def phase(name):
        record.phases.append(Phase(name))

    async with httpx.AsyncClient(base_url=url, timeout=30, limits=httpx.Limits(max_connections=TABLETS)) as client:
        ordering = [asyncio.create_task(tablet(client, token, number, item, record)) for number, (token, item) in enumerate(tablets)]
        await asyncio.sleep(WARM_UP)
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

        phase("no fault, again")
        await asyncio.sleep(seconds)
        record.stopping = True
        await asyncio.gather(*ordering)
    return figures


def drain(worlds, relays: Relays) -> float:
    """Seconds from the start of a relay until it has sent a backlog."""
    from tests.bus import happen

    while relays.running:
        relays.stop()
    for _ in range(BACKLOG // 500):
        happen(worlds[0], 500)
    began = time.monotonic()
    relays.start()
    caught_up()
    return time.monotonic() - began


# --- Figures ----------------------------------------------------------------------------------------------------


def judged_orders(record: Record) -> list[str]:
    """Prints the figures of the orders; what was promised and is not so."""
    broken = []
    phases = record.phases[1:]
    without = p95([seconds for phase in phases if phase.name.startswith("no fault") for _, seconds, _, _ in phase.orders])
    print(f"on {os.cpu_count()} cores, load {os.getloadavg()[1]:.1f}")
    print(f"{'':20} orders  failed  p50 ms  p95 ms  max ms  p95 x")
    for phase in phases:
        taken = [seconds for _, seconds, _, _ in phase.orders]
        failed = Counter(status for status, *_ in phase.orders if status != 201)
        times = "".join(f"{1000 * value:8.1f}" for value in (statistics.median(taken), p95(taken), max(taken)))
        print(f"{phase.name:20}{len(taken):7}{failed.total():8}{times}{p95(taken) / without:7.2f}")
        if failed:
            broken.append(f"{phase.name}: orders failed, {dict(failed)}")
        if phase.name.startswith(FAULTS) and p95(taken) > max(SLOWER * without, without + NOISE):
            broken.append(f"{phase.name}: p95 is {p95(taken) / without:.2f} times that without a fault")
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
        worlds, tablets = make_cast()
        bind_everything()
        relays = Relays(2)
        try:
            with serving(database, workers=2, RABBITMQ_URL=server.url) as program:
                figures = asyncio.run(play(program.url, server, relays, tablets, record, seconds))
            caught_up()
            drained = drain(worlds, relays)
        finally:
            relays.end()
        broken = judged_orders(record) + judged_figures(figures)
        print(f"a backlog of {BACKLOG}, one relay, with its start: {drained:.1f} s")
        if drained > DRAINED_WITHIN:
            broken.append(f"the backlog took {drained:.0f} s")
        broken += judged_events(received())
    for line in broken:
        print("BROKEN:", line)
    print("RabbitMQ:", "broken" if broken else "kept", "(no order fails, p95 at most 1.2 times or 10 ms more, every event in order)")
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main(*map(float, sys.argv[1:])))
