import pytest

from stores.models import User
from tests.world import PASSWORD

from .desk import Desk


@pytest.fixture
def desk(ours):
    """Our owner at the admin."""
    return Desk(ours.owner)


@pytest.fixture
def outsider(theirs):
    """The owner of another store, who must never notice ours."""
    return Desk(theirs.owner)


@pytest.fixture
def operator(db):
    return Desk(User.objects.create_superuser("operator", PASSWORD, name="Operator"))
