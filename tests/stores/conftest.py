import pytest
from django.db import OperationalError

from stores import stream, stream_hub, wakeup
from tests import world

from .signing_in import first_refresh_token


@pytest.fixture
def hub(monkeypatch):
    """A hub for this test, which looks at the journals only when it is woken."""
    hub = stream_hub.Hub()
    monkeypatch.setattr(stream, "hub", hub)
    monkeypatch.setattr(wakeup, "_listeners", [hub.wake])
    monkeypatch.setattr(stream_hub, "LOOK_EVERY", 60)
    return hub


@pytest.fixture
def away_at_first(monkeypatch):
    """away_at_first(name): three times the hub finds no database with this function of it; those that are still to come."""

    def arrange(name):
        ask, away = getattr(stream_hub, name), [OperationalError("gone")] * 3

        def broken_at_first(*args):
            if away:
                raise away.pop()
            return ask(*args)

        monkeypatch.setattr(stream_hub, name, broken_at_first)
        return away

    return arrange


@pytest.fixture
def staff(ours) -> str:
    """The token of somebody at work."""
    return world.staff_of(ours.store, ours.manager).token


@pytest.fixture
def tablet_token(ours) -> str:
    return world.tablet_of(ours.table).token


@pytest.fixture
def first(ours) -> str:
    """The tablet's first refresh token."""
    return first_refresh_token(ours)
