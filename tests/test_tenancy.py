"""Nobody sees another store: every address, every method, everybody who could ask, with the other store's ids."""

import itertools
from uuid import UUID

import pytest
from django.db import transaction

from tests.routes import METHODS, Bodies, furnish, id_of, offered, routes, send, with_own_ids
from tests.snapshot import everything, rows_of
from tests.world import Caller, make_world, staff_of, tablet_of


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def aurora(db):
    world = make_world("aurora", tables=1)
    furnish(world)
    return world


@pytest.fixture
def borealis(db):
    world = make_world("borealis", tables=1)
    furnish(world)
    return world


def people_of(world) -> dict[str, Caller]:
    return {
        "tablet": tablet_of(world.table),
        "manager": staff_of(world.store, world.manager),
        "owner": staff_of(world.store, world.owner),
    }


def traces_of(world) -> set[str]:
    """What would tell that an answer came from this store: its name, which everything of it bears, and all its ids."""
    values = itertools.chain.from_iterable(row.values() for rows in rows_of(world.store).values() for row in rows)
    return {world.store.code, str(world.owner.pk), str(world.manager.pk)} | {str(value) for value in values if isinstance(value, UUID)}


def tells_of(answer, traces) -> list[str]:
    said = answer.content.decode() + str(dict(answer.headers))
    return [trace for trace in traces if trace in said]


def test_the_traces_are_traces(aurora, borealis):
    """The control: our own answers bear ours and not theirs."""
    assert len(traces_of(aurora)) > 15
    assert not traces_of(aurora) & traces_of(borealis)
    board = people_of(aurora)["owner"].get("staff/board")
    assert len(tells_of(board, traces_of(aurora))) > 5
    assert not tells_of(board, traces_of(borealis))


def test_what_is_another_store_s_is_absent_whatever_else_is_wrong(aurora, borealis):
    """Like what does not exist: nobody needs to know first what could be asked of it."""
    owner = people_of(aurora)["owner"]
    asked = [(route, method) for route, method in offered() if route.parameters]
    for route, method in asked:
        answer = send(owner, method, with_own_ids(route, borealis), {"made": "up"})
        assert answer.status_code == 404, (method, route.path, answer.content)
    assert len(asked) > 15


def test_another_store_s_ids_in_an_address_lead_nowhere(aurora, borealis):
    callers = [("anyone", Caller(), world, world) for world in (aurora, borealis)]
    for own, other in ((aurora, borealis), (borealis, aurora)):
        callers += [(who, caller, own, other) for who, caller in people_of(own).items()]
    traces = {world.store.pk: traces_of(world) for world in (aurora, borealis)}
    asked = 0
    for route in (route for route in routes() if route.parameters):
        before = everything()
        for who, caller, own, other in callers:
            for foreign in some_of(route.parameters):
                path = route.at(**{name: id_of(other.store if name in foreign else own.store, name) for name in route.parameters})
                for method in METHODS if who == "owner" else filter(route.offers, METHODS):
                    bodies = Bodies(route, method)
                    answer = send(caller, method, path, bodies.make(lambda _, other=other: other.store)[0], bodies.kind)
                    allowed = {401} if who == "anyone" else {403, 404} if route.offers(method) else {405}
                    assert answer.status_code in allowed, (who, method, path, answer.content)
                    assert not tells_of(answer, traces[other.store.pk]), (who, method, path, answer.content)
                    asked += 1
        assert everything() == before, route.path
    assert asked > 200


def some_of(names) -> list[tuple[str, ...]]:
    """Every choice of at least one."""
    return [choice for count in range(1, len(names) + 1) for choice in itertools.combinations(names, count)]


def test_another_store_s_ids_in_a_body_lead_nowhere(aurora, borealis):
    """Each id of each body by itself is theirs while all others are ours, and then all are theirs."""
    traces, people = traces_of(borealis), people_of(aurora)
    before = rows_of(borealis.store)
    asked = 0
    for route, method in offered():
        bodies = Bodies(route, method)
        path = with_own_ids(route, aurora)
        _, ids = bodies.make(lambda _: aurora.store)
        for who, caller in people.items():
            for foreign in [set(range(ids)), *({number} for number in range(ids))] if ids else []:
                body, _ = bodies.make(lambda number, foreign=foreign: (borealis if number in foreign else aurora).store)
                with undone():
                    answer = send(caller, method, path, body, bodies.kind)
                    assert 400 <= answer.status_code < 500, (who, method, path, body, answer.content)
                    assert not tells_of(answer, traces), (who, method, path, body, answer.content)
                    assert rows_of(borealis.store) == before, (who, method, path, body)
                asked += 1
    assert asked > 40


def test_our_own_ids_in_a_body_lead_somewhere(aurora):
    """The control: the bodies above are refused for their foreign ids and not because they are no good anyway."""
    people, done = people_of(aurora), set()
    for route, method in offered():
        bodies = Bodies(route, method)
        body, ids = bodies.make(lambda _: aurora.store)
        path = with_own_ids(route, aurora)
        for caller in people.values() if ids else ():
            with undone():
                if send(caller, method, path, body, bodies.kind).status_code < 300:
                    done.add(route.path)
    assert done >= {
        "tablet/orders",
        "tablet/quote",
        "staff/orders/<uuid:order_id>/cancel",
        "staff/tables/<uuid:table_id>/complete",
        "staff/items",
        "staff/items/<uuid:item_id>",
        "staff/categories/order",
    }


def test_what_needs_no_id_tells_of_one_store_only(aurora, borealis):
    traces, before, people = traces_of(borealis), rows_of(borealis.store), people_of(aurora)
    for route, method in offered():
        bodies = Bodies(route, method)
        path = with_own_ids(route, aurora)
        for who, caller in people.items():
            for body in (None, bodies.make(lambda _: aurora.store)[0]):
                with undone():
                    answer = send(caller, method, path, body, bodies.kind if body else "application/json")
                    assert answer.status_code < 500, (who, method, path, body, answer.content)
                    assert not tells_of(answer, traces), (who, method, path, body, answer.content)
                    if method not in ("GET", "HEAD") and answer.status_code < 300:
                        assert rows_of(borealis.store) == before, (who, method, path, body)


def test_another_store_s_ids_in_a_query_find_nothing(aurora, borealis):
    traces, asked = traces_of(borealis), 0
    for route in routes():
        path = with_own_ids(route, aurora)
        for parameter in route.operation("GET").get("parameters", []):
            if parameter["in"] == "query" and parameter["schema"].get("format") == "uuid":
                for who, caller in people_of(aurora).items():
                    answer = caller.get(f"{path}?{parameter['name']}={id_of(borealis.store, parameter['name'])}")
                    assert answer.status_code in (200, 403, 404), (who, path, answer.content)
                    assert answer.status_code != 200 or answer.json() == {"results": [], "next": None}
                    assert not tells_of(answer, traces), (who, path, answer.content)
                    asked += 1
    assert asked >= 6


class undone:
    """What happens inside is rolled back."""

    def __enter__(self):
        self.block = transaction.atomic()
        self.block.__enter__()

    def __exit__(self, *error):
        transaction.set_rollback(True)
        return self.block.__exit__(*error)
