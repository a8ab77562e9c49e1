"""How a live stream keeps alive and how it ends; and the server around it."""

import asyncio
import os
import signal
import socket
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from stores import stream_hub
from stores.auth import caller_of
from stores.stream_hub import in_database
from tests import world
from tests.own_server import OwnServer
from tests.world import Caller, problem

from .stream_client import PATIENCE, STAFF, Client, last_number, listening, program, refusal, write

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("hub")]


def test_a_quiet_stream_sends_comments(staff, monkeypatch):
    assert stream_hub.HEARTBEAT <= 15
    monkeypatch.setattr(stream_hub, "HEARTBEAT", 0.05)

    async def story():
        async with listening(STAFF, staff) as client:
            await client.until(lambda: client.frames().count(": ping") >= 3)
            assert client.events() == []

    asyncio.run(story())


def test_a_busy_stream_sends_comments_too(ours, staff, monkeypatch):
    """Who waits for one, and for nothing else, would take a store that is never quiet for a lost connection."""
    monkeypatch.setattr(stream_hub, "HEARTBEAT", 0.5)

    async def story():
        async with listening(STAFF, staff) as client:

            async def until_a_comment():
                while ": ping" not in client.frames():
                    await in_database(write, ours.store)  # far more often than every half second

            await asyncio.wait_for(until_a_comment(), PATIENCE)

    asyncio.run(story())


def test_a_client_that_falls_behind_is_ended_and_resumes(ours, staff, monkeypatch):
    monkeypatch.setattr(stream_hub, "QUEUE", 5)
    begin = last_number(ours.store)

    async def story():
        async with listening(STAFF, staff) as slow, listening(STAFF, staff) as quick:
            slow.reading.clear()
            await in_database(write, ours.store)
            await quick.got(1)  # the slow one is now stuck with this one in its hands
            for number in range(6):
                await in_database(write, ours.store)
                await quick.got(2 + number)  # or several come at once, and the quick one has no room for them either
            slow.reading.set()
            assert await slow.has_ended()
            assert slow.numbers() == [begin + 1]
        async with listening(STAFF, staff, last_event_id=str(begin + 1)) as again:
            assert await again.got(6) == list(range(begin + 2, begin + 8))

    asyncio.run(story())


def test_a_client_that_never_reads_again_does_not_stay(ours, staff, hub, monkeypatch):
    monkeypatch.setattr("stores.stream.GOODBYE", 0.1)

    async def story():
        client = await Client(STAFF, authorization=f"Bearer {staff}").opened()
        client.reading.clear()
        await in_database(write, ours.store)
        await asyncio.sleep(0.1)
        hub.close()
        await asyncio.wait_for(client.task, 5)
        assert hub.open_streams == 0 and not client.finished

    asyncio.run(story())


def test_who_leaves_is_gone_at_once(staff, hub):
    async def story():
        async with listening(STAFF, staff):
            assert hub.open_streams == 1
        assert hub.open_streams == 0

    asyncio.run(story())


def test_where_nobody_listens_nothing_is_read(ours, theirs, staff, monkeypatch):
    monkeypatch.setattr(stream_hub, "LOOK_EVERY", 0.02)
    looks = []
    monkeypatch.setattr(stream_hub, "read_news", lambda positions: looks.append(set(positions)) or {})
    neighbour = world.staff_of(theirs.store, theirs.owner).token

    async def looked_at():
        await asyncio.sleep(0.1)  # what is under way
        looks.clear()
        await asyncio.sleep(0.2)
        return set().union(*looks) if looks else None

    async def story():
        async with listening(STAFF, staff):
            async with listening(STAFF, neighbour):
                assert await looked_at() == {ours.store.pk, theirs.store.pk}
            assert await looked_at() == {ours.store.pk}
        assert await looked_at() is None

    asyncio.run(story())


def test_a_thread_of_the_streams_keeps_no_connection(ours):
    """It would be missing from the pool for as long as the process lives."""
    with ThreadPoolExecutor(1) as pool:
        asyncio.run(in_database(last_number, ours.store, pool=pool))
        assert pool.submit(lambda: connection.connection).result() is None


def test_news_after_the_end_of_the_server_harm_nobody_who_writes(ours, staff, hub):
    caller = caller_of(staff)

    async def story():
        return hub.join(caller, after=0)

    listener = asyncio.run(story())
    write(ours.store)
    hub.leave(listener)


def test_closing_ends_all_streams_and_those_that_still_come(staff, tablet_token, hub):
    async def story():
        clients = [await Client(STAFF, authorization=f"Bearer {staff}").opened() for _ in range(3)]
        hub.close()
        for client in clients:
            assert await client.has_ended()
        # Answered and ended, so that even a browser's own EventSource comes back: to the next process.
        late = await Client(STAFF, authorization=f"Bearer {staff}").opened()
        assert await late.has_ended()
        assert hub.open_streams == 0

    asyncio.run(story())


def test_the_end_of_the_server_ends_the_streams(staff):
    async def story():
        messages, answers = asyncio.Queue(), []

        async def send(message):
            answers.append(message["type"])

        life = asyncio.create_task(program()({"type": "lifespan"}, messages.get, send))
        messages.put_nowait({"type": "lifespan.startup"})
        client = await Client(STAFF, authorization=f"Bearer {staff}").opened()
        messages.put_nowait({"type": "lifespan.shutdown"})
        await life
        assert await client.has_ended()
        assert answers == ["lifespan.startup.complete", "lifespan.shutdown.complete"]

    asyncio.run(story())


# --- Which process serves what ----------------------------------------------------------------------------------


def test_a_process_for_streams_serves_nothing_else(staff, settings):
    settings.SERVE = "streams"

    async def story():
        async with listening(STAFF, staff):
            pass
        for path in ("/", "/admin/", "/api/v1/staff/tables", STAFF + "/"):
            await refusal(404, "NOT_FOUND", path)
        health = Client("/health")
        await health.until(lambda: health.finished)
        assert health.status == 200

    asyncio.run(story())


def test_the_process_for_the_api_has_no_streams(staff, tablet_token):
    problem(Caller(staff).get("staff/events"), 404, "NOT_FOUND")
    problem(Caller(tablet_token).get("tablet/events"), 404, "NOT_FOUND")


def database_url() -> str:
    """Of the test's database, for another process."""
    if connection.vendor == "sqlite":
        return f"sqlite:///{connection.settings_dict['NAME']}"
    scheme = {"postgresql": "postgres", "mysql": "mysql"}[connection.vendor]
    return "{}://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(scheme, **connection.settings_dict)


def listen(server, token):
    request = urllib.request.Request(server.address + STAFF, headers={"Authorization": f"Bearer {token}"})
    return urllib.request.urlopen(request, timeout=PATIENCE)


def test_a_server_with_open_streams_stops_in_time(staff, tmp_path):
    with OwnServer(tmp_path, DATABASE_URL=database_url()) as server:
        streams = [listen(server, staff) for _ in range(4)]
        assert server.stop() < 10
        for stream in streams:
            assert stream.read().startswith(b"retry: 2000\n\n")  # raises IncompleteRead if it was cut


def test_streams_are_counted_over_all_workers(staff, tmp_path):
    """Which of them a stream comes to, the kernel decides."""
    with OwnServer(tmp_path, DATABASE_URL=database_url(), WEB_CONCURRENCY="3") as server:
        server.until(lambda: server.metrics()["tableorder_workers"] == 3)
        streams = [listen(server, staff) for _ in range(4)]
        for _ in range(10):
            with pytest.raises(urllib.error.HTTPError, match="429"):
                listen(server, staff)
        for worker in server.workers():
            os.kill(worker, signal.SIGKILL)
        streams += [server.until(lambda: listen(server, staff)) for _ in range(4)]
        with pytest.raises(urllib.error.HTTPError, match="429"):
            listen(server, staff)
        for stream in streams:
            stream.close()
        assert server.until(lambda: listen(server, staff))


def test_workers_end_with_their_master(staff, tmp_path):
    with OwnServer(tmp_path, DATABASE_URL=database_url()) as server:
        stream = listen(server, staff)
        os.kill(server.process.pid, signal.SIGKILL)
        assert stream.read().startswith(b"retry: 2000\n\n")
        until = time.monotonic() + PATIENCE
        while is_open(server.port):
            assert time.monotonic() < until, "it keeps the port from the next master"
            time.sleep(0.1)


def is_open(port) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
