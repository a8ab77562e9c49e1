import pytest

from . import world


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
