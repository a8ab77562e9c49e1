"""How a live stream keeps alive and how it ends; and the server around it."""

import asyncio
import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time

import pytest
from django.conf import settings
from django.db import connection

from config import asgi
from stores import stream_hub
from stores.stream_hub import in_database
from tests.world import Caller, problem

from .stream_client import STAFF, Client, last_number, listening, refusal, write

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("hub")]


def test_a_quiet_stream_sends_comments(staff, monkeypatch):
    assert stream_hub.HEARTBEAT <= 15
    monkeypatch.setattr(stream_hub, "HEARTBEAT", 0.05)

    async def story():
        async with listening(STAFF, staff) as client:
            await client.until(lambda: client.frames().count(": ping") >= 3)
            assert client.events() == []

    asyncio.run(story())


def test_a_client_that_falls_behind_is_ended_and_resumes(ours, staff, monkeypatch):
    monkeypatch.setattr(stream_hub, "QUEUE", 5)
    begin = last_number(ours.store)

    async def story():
        async with listening(STAFF, staff) as slow, listening(STAFF, staff) as quick:
            slow.reading.clear()
            await in_database(write, ours.store)
            await quick.got(1)  # the slow one is now stuck with this one in its hands
            for _ in range(6):
                await in_database(write, ours.store)
            await quick.got(7)
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

        life = asyncio.create_task(asgi.application({"type": "lifespan"}, messages.get, send))
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


@contextlib.contextmanager
def served(**environment):
    """A real server on the test's database: (process, port)."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        url = f"sqlite:///{database['NAME']}"
    else:
        scheme = {"postgresql": "postgres", "mysql": "mysql"}[connection.vendor]
        url = f"{scheme}://{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT'] or ''}/{database['NAME']}"
    environment = os.environ | {"DATABASE_URL": url, "BIND": f"127.0.0.1:{port}", "ENVIRONMENT": "development"} | environment
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "--log-level", "warning"]
    process = subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port)).close()
                break
            time.sleep(0.1)
        yield process, port
    finally:
        process.kill()
        process.wait()


def test_a_server_with_open_streams_stops_in_time(ours, staff):
    with served() as (process, port):
        clients = [http.client.HTTPConnection("127.0.0.1", port, timeout=20) for _ in range(4)]
        answers = []
        for client in clients:
            client.request("GET", STAFF, headers={"Authorization": f"Bearer {staff}"})
            answers.append(client.getresponse())
        assert [answer.status for answer in answers] == [200] * 4
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert time.monotonic() - began < 8
        for answer in answers:
            assert answer.read().startswith(b"retry: 2000\n\n")  # IncompleteRead if it had been cut
