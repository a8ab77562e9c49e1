import pytest

from stores import stream, stream_hub, wakeup
from tests import world


@pytest.fixture
def hub(monkeypatch):
    """A hub for this test, which looks at the journals only when it is woken."""
    hub = stream_hub.Hub()
    monkeypatch.setattr(stream, "hub", hub)
    monkeypatch.setattr(wakeup, "_listeners", [hub.wake])
    monkeypatch.setattr(stream_hub, "LOOK_EVERY", 60)
    return hub


@pytest.fixture
def staff(ours) -> str:
    """The token of somebody at work."""
    return world.staff_of(ours.store, ours.manager).token


@pytest.fixture
def tablet_token(ours) -> str:
    return world.tablet_of(ours.table).token
