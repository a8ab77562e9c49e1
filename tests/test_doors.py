"""Every door of the API says whom it lets in, and lets in nobody else."""

import itertools

import pytest

from stores.api.endpoint import Endpoint, Role
from tests.routes import METHODS, furnish, offered, routes, views_below, with_own_ids
from tests.snapshot import nothing_stored
from tests.world import Caller, problem

OPEN_TO_ANYONE = {"tablet/login", "tablet/refresh", "staff/login"}


def test_the_walk_finds_the_api():
    """The control: an empty walk would pass every test."""
    paths = [route.path for route in routes()]
    assert {"tablet/orders", "staff/orders/<uuid:order_id>/lines/<uuid:line_id>", "staff/items"} <= set(paths)
    assert len(offered()) > 40


def test_every_view_of_the_api_is_an_endpoint():
    others = [route.path for route in routes() if not (route.view and issubclass(route.view, Endpoint))]
    assert not others


def test_outside_of_v1_the_api_has_its_document_only():
    assert {path for path in views_below("api/") if not path.startswith("api/v1/")} == {"api/schema/", "api/docs/"}


def test_an_endpoint_that_declares_no_role_does_not_import():
    with pytest.raises(TypeError, match="role"):
        type("Undeclared", (Endpoint,), {})
    declared = type("Declared", (Endpoint,), {"role": Role.OWNER})
    assert type("Narrower", (declared,), {}).role == Role.OWNER


def test_every_method_has_a_role():
    for route, method in offered():
        assert isinstance(route.view(request=None).role_for(method), Role), (route.path, method)


def test_a_method_that_a_role_dictionary_leaves_out_is_not_offered():
    for route in routes():
        if isinstance(route.view.role, dict):
            methods = {method for method in METHODS if route.offers(method)} - {"HEAD"}
            assert set(route.view.role) == methods, route.path


def test_only_signing_in_is_open_to_anyone():
    assert {route.path for route, method in offered() if route.view(request=None).role_for(method) == Role.ANYONE} == OPEN_TO_ANYONE


def test_tablet_and_staff_have_doors_of_their_own():
    for route, method in offered():
        role = route.view(request=None).role_for(method)
        if role != Role.ANYONE:
            assert (role == Role.TABLET) == route.path.startswith("tablet/"), route.path


def test_every_door_is_in_the_document():
    missing = [(route.path, method) for route, method in offered() if method not in ("HEAD", "OPTIONS") and not route.operation(method)]
    assert not missing


def test_no_door_opens_for_the_wrong_caller(ours, tablet, manager, owner):
    """Whoever may not is refused before anything is looked up or read: the body is empty, the thing exists."""
    furnish(ours)
    callers = {Role.ANYONE: Caller(), Role.TABLET: tablet, Role.MANAGER: manager, Role.OWNER: owner}
    with nothing_stored():
        for route, method in offered():
            role = route.view(request=None).role_for(method)
            path = with_own_ids(route, ours)
            for kind, caller in callers.items():
                if role == Role.ANYONE or kind == role or (role, kind) == (Role.MANAGER, Role.OWNER):
                    continue
                answer = caller.request(method, path)
                assert answer.status_code == (401 if kind == Role.ANYONE else 403), (kind, method, path)
                if method != "HEAD":
                    problem(answer, answer.status_code, "NOT_AUTHENTICATED" if kind == Role.ANYONE else "FORBIDDEN")


def test_a_method_that_is_not_offered_is_405_and_never_an_accident(ours, tablet, owner):
    """Who are you comes first: a stranger is not even told which methods there are."""
    furnish(ours)
    with nothing_stored():
        for route, method in itertools.product(routes(), [*METHODS, "TRACE", "PROPFIND", "NONSENSE"]):
            if route.offers(method):
                continue
            path = with_own_ids(route, ours)
            for caller in (Caller(), tablet, owner):
                is_known = caller.token or route.path in OPEN_TO_ANYONE
                answer = caller.request(method, path)
                assert answer.status_code == (405 if is_known else 401), (method, path)
                if method != "HEAD":
                    problem(answer, *((405, "METHOD_NOT_ALLOWED") if is_known else (401, "NOT_AUTHENTICATED")))
                if is_known:
                    assert set(answer["Allow"].split(", ")) == {each for each in METHODS if route.offers(each)}, path
