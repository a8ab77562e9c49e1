import datetime
import os
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.utils import timezone

from . import world


def pytest_report_header():
    """A plain line for each service, with it or without it."""
    database = urlsplit(os.environ.get("DATABASE_URL", "")).scheme or "SQLite; ran without PostgreSQL and MySQL (set DATABASE_URL)"
    others = {"REDIS_URL": "Redis", "RABBITMQ_URL": "RabbitMQ"}
    return [f"database: {database}"] + [
        f"{service}: {'on' if os.environ.get(name) else f'ran without it (set {name})'}" for name, service in others.items()
    ]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """A connection pool that was made too early would lead to the real database, which tests empty."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        if connection.vendor != "sqlite":
            cursor.execute("SELECT current_database()" if connection.vendor == "postgresql" else "SELECT database()")
            assert cursor.fetchone()[0].startswith("test_")


@pytest.fixture(autouse=True)
def no_rate_limits(settings):
    """Tests ask quicker than guests do. One about the limits switches on what it needs."""
    settings.RATE_LIMIT_PER_MINUTE = settings.ORDER_RATE_PER_MINUTE = settings.LOGIN_RATE_PER_MINUTE = 0


@pytest.fixture(autouse=True)
def no_message_bus(settings):
    """Events of most tests are nobody else's business. One about the bus switches it on."""
    settings.RABBITMQ_URL = ""


@pytest.fixture
def ours(db):
    """The store the test is about."""
    return world.make_world("ours")


@pytest.fixture
def theirs(db):
    """Another store, which must never notice."""
    return world.make_world("theirs")


@pytest.fixture
def tablet(ours):
    return world.tablet_of(ours.table)


@pytest.fixture
def owner(ours):
    return world.staff_of(ours.store, ours.owner)


@pytest.fixture
def manager(ours):
    return world.staff_of(ours.store, ours.manager)


@pytest.fixture
def anyone():
    return world.Caller()


class Clock:
    """The time of the program, which stands still until it is moved. Tokens have the real time."""

    def __init__(self):
        self.now = timezone.now()

    def advance(self, **amount):
        self.now += datetime.timedelta(**amount)

    def set(self, moment: str):
        """To a moment with its offset, like 2026-11-20T04:59:00+09:00."""
        self.now = datetime.datetime.fromisoformat(moment).astimezone(datetime.UTC)


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(timezone, "now", lambda: clock.now)
    return clock
