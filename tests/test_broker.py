"""A broker that isn't there, or that accepts a connection and never answers."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from django.core.management import CommandError, call_command

from tableorder import broker
from tableorder.broker import TIMEOUT, BrokerAway, Publisher, Reachability
from tests.bus import URL, needs_rabbitmq


@contextmanager
def silence():
    """The URL of a port that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:  # the kernel accepts for it
        yield f"amqp://guest:guest@127.0.0.1:{server.getsockname()[1]}//"


@pytest.fixture
def silent(settings):
    with silence() as settings.RABBITMQ_URL:
        yield


@pytest.fixture
def refusing(settings):
    with silence() as settings.RABBITMQ_URL:
        pass  # the port is closed again


@contextmanager
def within(seconds):
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


def test_a_port_that_never_answers_is_given_up(silent):
    with within(TIMEOUT + 2), pytest.raises(BrokerAway):
        Publisher().connect()


def test_a_closed_port_is_given_up_at_once(refusing):
    with within(1), pytest.raises(BrokerAway):
        Publisher().connect()


def test_a_name_that_leads_nowhere_is_a_broker_that_is_away(settings):
    settings.RABBITMQ_URL = "amqp://nowhere.invalid//"
    with pytest.raises(BrokerAway):
        Publisher().connect()


def test_no_password_is_told(settings):
    settings.RABBITMQ_URL = "amqp://guest:canary-password@nowhere.invalid//"
    with pytest.raises(BrokerAway) as raised:
        Publisher().connect()
    assert "canary" not in str(raised.value)


@pytest.mark.parametrize("command", ["relay_events", "listen_events"])
def test_a_command_that_waits_for_a_silent_broker_ends_when_it_is_told_to(command, tmp_path):
    with silence() as url:
        environment = os.environ | {"RABBITMQ_URL": url, "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3"}
        process = subprocess.Popen(
            [sys.executable, "manage.py", command], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        try:
            assert any(b"away" in line for line in process.stdout)  # it has tried once, and tries again within a second or two
            time.sleep(2)
            with within(broker.TIMEOUT + 3):
                process.send_signal(signal.SIGTERM)
                process.wait(30)
        finally:
            process.kill()
            process.wait()
            process.stdout.close()


@pytest.mark.parametrize("command", ["relay_events", "listen_events"])
def test_without_a_bus_the_commands_say_what_is_missing(command):
    with pytest.raises(CommandError, match="RABBITMQ_URL"):
        call_command(command)


def test_once_fails_if_the_broker_is_away(refusing):
    with within(2), pytest.raises(CommandError, match="away"):
        call_command("relay_events", once=True)


# --- /health/ready ----------------------------------------------------------------------------------------------


@pytest.fixture
def ready(client, db, settings, monkeypatch):
    """What /health/ready says of the broker."""
    settings.REDIS_URL = ""
    monkeypatch.setattr(broker, "reachable", Reachability())
    return lambda: client.get("/health/ready").json()


def test_without_a_bus_it_is_off(ready):
    assert ready()["checks"]["broker"]["status"] == "off"


def test_a_silent_broker_is_down_after_a_second_and_then_not_asked_again(ready, silent):
    with within(2.5):
        answer = ready()
    assert answer["status"] == "degraded"
    assert answer["checks"]["broker"]["status"] == "down"
    assert answer["checks"]["broker"]["ms"] >= 900
    assert ready()["checks"]["broker"]["ms"] < 100


@needs_rabbitmq
def test_a_broker_that_takes_our_login_is_ok(ready, settings, monkeypatch):
    settings.RABBITMQ_URL = URL
    assert ready()["checks"]["broker"]["status"] == "ok"
    monkeypatch.setattr(broker, "connect", lambda **options: pytest.fail("asked again"))
    assert ready()["checks"]["broker"]["status"] == "ok"


@needs_rabbitmq
def test_a_broker_that_refuses_our_login_is_down(ready, settings):
    settings.RABBITMQ_URL = URL.replace("guest:guest", "guest:wrong")
    assert ready()["checks"]["broker"]["status"] == "down"
