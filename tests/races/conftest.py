import pytest

from orders import statements
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
    monkeypatch.setattr(TableQuerySet, "locked", lambda tables: tables)
    monkeypatch.setattr(statements.locked_table, "_sql", None)  # made before, or now without the lock


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
