import pytest

from stores.models import TableQuerySet
from tableorder import transactions
from tests.world import make_world


@pytest.fixture
def ours(transactional_db):
    return make_world("ours")


@pytest.fixture
def theirs(transactional_db):
    return make_world("theirs")


@pytest.fixture
def without_the_lock(monkeypatch):
    """The naive program: it looks at the table's row and does not lock it."""
    monkeypatch.setattr(TableQuerySet, "lock", TableQuerySet.get_or_absent)


@pytest.fixture
def deadlocks(monkeypatch):
    """How often the database gave up a transaction because of another one. `whole` would hide it by trying again."""
    found = []

    def spy(error, original=transactions.wants_retry):
        asked_for = original(error)
        found.extend([error] * asked_for)
        return asked_for

    monkeypatch.setattr(transactions, "wants_retry", spy)
    return found
