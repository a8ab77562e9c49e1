"""The OpenAPI document says the truth: what is asked as it says is answered as it says, whoever asks.

Schemathesis makes the requests, half of them wrong on purpose; ids, versions and passwords are put in, so that they
also reach what exists.
"""

import copy
import datetime
import json
import re
from collections import Counter
from functools import partial
from pathlib import Path

import jsonschema
import pytest
import requests
import schemathesis
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.transport import Response
from schemathesis.generation.modes import GenerationMode
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from menus.models import Category
from sessions_app.models import TableSession
from stores.models import Event
from tests.routes import picture, schema
from tests.world import (
    PASSWORD,
    TABLE_PASSWORD,
    Caller,
    make_choice,
    make_item,
    make_world,
    new_key,
    place,
    problem,
    staff_of,
    tablet_of,
)

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]

ROOT = Path(__file__).resolve().parent.parent

few = settings(
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

# What integrators have been promised.
PROMISED = """
POST tablet/login, POST tablet/refresh, GET tablet/menu, POST tablet/quote, POST tablet/orders, GET tablet/session, POST tablet/calls,
GET tablet/events, POST staff/login, POST staff/logout, GET staff/board, GET staff/orders, GET staff/orders/{}, PATCH staff/orders/{},
PATCH staff/orders/{}/lines/{}, POST staff/orders/{}/cancel, GET staff/tables, POST staff/tables, PATCH staff/tables/{},
POST staff/tables/{}/sign-out, POST staff/tables/{}/complete, GET staff/tables/{}/history, GET staff/history, GET staff/items,
POST staff/items, PATCH staff/items/{}, DELETE staff/items/{}, POST staff/items/{}/image, GET staff/categories, POST staff/categories,
PATCH staff/categories/{}, DELETE staff/categories/{}, GET staff/option-groups, POST staff/option-groups, PATCH staff/option-groups/{},
DELETE staff/option-groups/{}, PUT staff/categories/order, PUT staff/items/order, POST staff/calls/{}/resolve, GET staff/events
"""


def document() -> dict:
    """The document, with nothing allowed in an answer that it doesn't name."""
    found = copy.deepcopy(json.loads(json.dumps(schema())))
    for component in found["components"]["schemas"].values():
        for shape in component.get("oneOf", [component]):
            if "properties" in shape:
                shape.setdefault("additionalProperties", False)
    return found


loaded = schemathesis.openapi.from_dict(document())
operations = {operation.label: operation for operation in (result.ok() for result in loaded.get_all_operations())}
# A stream never ends; the tests of streams look at what comes out of them.
askable = [label for label, operation in operations.items() if not label.endswith("/events")]


# --- The document -----------------------------------------------------------------------------------------------


def test_everything_that_is_promised_is_in_the_document():
    promised = {operation.strip() for operation in PROMISED.replace("\n", " ").split(",")}
    described = {" ".join(label.replace("/api/v1/", "").split()) for label in operations}
    anonymous = {"/".join("{}" if part.startswith("{") else part for part in label.split("/")) for label in described}
    assert promised - anonymous == set()


def test_the_document_is_valid_and_made_without_a_warning(tmp_path):
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", tmp_path / "openapi.yaml")


def test_the_document_is_not_made_for_everybody_anew(client, monkeypatch):
    first = client.get("/api/schema/").content
    monkeypatch.setattr("tableorder.openapi.Document.parse", None)
    assert client.get("/api/schema/").content == first


@pytest.mark.parametrize("query", ["lang=made-up", "lang=%00", "version=2", "version=%0D%0AX-Made: up", "version=%00"])
def test_an_address_makes_no_document_of_its_own(client, monkeypatch, query):
    first = client.get("/api/schema/")
    monkeypatch.setattr("tableorder.openapi.Document.parse", None)
    answer = client.get(f"/api/schema/?{query}")
    assert answer.content == first.content
    assert answer["Content-Disposition"] == first["Content-Disposition"]


def test_the_document_is_served_to_anybody_as_json(client):
    answer = client.get("/api/schema/")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert answer.json()["paths"].keys() == document()["paths"].keys()
    assert client.get("/api/docs/").status_code == 200


def test_the_document_forbids_the_fields_that_are_refused(client):
    components = client.get("/api/schema/").json()["components"]["schemas"]
    taken = {name for name in components if name.endswith("Request")}
    assert {"NewOrderRequest", "NewLineRequest", "ItemChangeRequest"} <= taken
    assert {name for name, component in components.items() if component.get("additionalProperties") is False} == taken


# --- Any request ------------------------------------------------------------------------------------------------


class Scene:
    """A store in which everything that can be named exists."""

    def __init__(self):
        self.world = world = make_world("scene", tables=3)
        self.options = make_choice(world.item)
        self.counted = make_item(world, stock=500)
        self.empty = Category.objects.create(store=world.store, name="Empty", position=1)
        self.order = place(world.table, world.item, self.counted, quantity=2)
        place(world.tables[1], world.items[1])
        manager = staff_of(world.store, world.manager)
        manager.post(f"staff/tables/{world.tables[1].pk}/complete", {"force": True})
        place(world.tables[1], world.items[1])
        self.call = tablet_of(world.table).post("tablet/calls", {"kind": "help"}).json()
        self.login = Caller().post("tablet/login", {"store": "scene", "table": "1", "password": TABLE_PASSWORD}).json()
        self.tokens = {
            "tablet": self.login["access"],
            "manager": manager.token,
            "owner": staff_of(world.store, world.owner).token,
        }
        self.http = Client(raise_request_exception=False)

    def path(self, name: str):
        return {
            "order_id": self.order["id"],
            "line_id": self.order["lines"][0]["id"],
            "table_id": str(self.world.table.pk),
            "item_id": str(self.world.items[1].pk),
            "category_id": str(self.empty.pk),
            "group_id": str(self.options[0].group_id),
            "option_id": str(self.options[1].pk),
            "call_id": self.call["id"],
        }[name]

    def body(self, label: str):
        """A body for this operation that the rules allow."""
        world, choice = self.world, [str(self.options[0].pk)]
        lines = [{"item": str(world.item.pk), "quantity": 2, "options": choice, "note": "no egg"}]
        return {
            "POST tablet/login": {"store": "scene", "table": "1", "password": TABLE_PASSWORD},
            "POST tablet/refresh": {"refresh": self.login["refresh"]},
            "POST tablet/quote": {"lines": lines},
            "POST tablet/orders": {"lines": lines, "expected_total": 24000, "session": self.order["session"], "note": ""},
            "POST tablet/calls": {"kind": "bill"},
            "POST staff/login": {"store": "scene", "username": "scene-owner", "password": PASSWORD},
            "PATCH staff/orders/{order_id}": {"status": "preparing", "version": 1},
            "PATCH staff/orders/{order_id}/lines/{line_id}": {"status": "preparing", "version": 1},
            "POST staff/orders/{order_id}/cancel": {
                "reason": "left",
                "version": 1,
                "lines": [{"line": self.order["lines"][0]["id"], "quantity": 1}],
            },
            "POST staff/tables": {"number": "Terrace 1", "password": "terrace", "is_active": True},
            "PATCH staff/tables/{table_id}": {"number": "1a", "password": "terrace", "is_active": False},
            "POST staff/tables/{table_id}/complete": {"session": self.order["session"], "force": True},
            "POST staff/items": {
                "name": "Soup",
                "category": str(self.empty.pk),
                "price": 1,
                "option_groups": [str(self.options[0].group_id)],
            },
            "PATCH staff/items/{item_id}": {"stock": 4, "sold_out": True},
            "PUT staff/items/order": {"category": str(world.category.pk), "ids": [str(item.pk) for item in reversed(world.items)]},
            "POST staff/items/{item_id}/image": {"image": picture()},
            "POST staff/categories": {"name": "Drinks"},
            "PATCH staff/categories/{category_id}": {"name": "Drinks"},
            "PUT staff/categories/order": {"ids": [str(self.empty.pk), str(world.category.pk)]},
            "POST staff/option-groups": {"name": "Heat", "min": 0, "max": 1, "options": [{"name": "hot", "price_delta": 0}]},
            "PATCH staff/option-groups/{group_id}": {
                "name": "Heat",
                "min": 1,
                "options": [{"id": choice[0], "name": "mild", "price_delta": -1}],
            },
            "PATCH staff/options/{option_id}": {"sold_out": True},
        }.get(label.replace("/api/v1/", ""), {})

    def query(self):
        return {"table": str(self.world.table.pk), "session": self.order["session"], "category": str(self.world.category.pk), "limit": 1}


@pytest.mark.parametrize("label", askable)
def test_whatever_is_asked_is_answered_as_the_document_says(db, label):
    scene, operation, answered = Scene(), operations[label], Counter()

    def ask(role, real, case):
        put_in(scene, case, label, real)
        with transaction.atomic():
            answer = ask_as(scene, case, role)
            case.validate_response(answer, checks=CHECKS)
            transaction.set_rollback(True)
        answered[role, answer.status_code] += 1

    proper, improper = (operation.as_strategy(generation_mode=mode) for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE))
    for role in ["owner", "manager", "tablet"] if "security" in operation.definition.raw else [None]:
        for_each_of(proper, 1, partial(ask, role, "everything"))
        for_each_of(proper, 2, partial(ask, role, "names"))
        for_each_of(improper, 3, partial(ask, role, "names"))
        for_each_of(proper | improper, 2, partial(ask, role, "nothing"))
    assert any(status < 300 for _, status in answered), answered


def for_each_of(strategy, count: int, call):
    @given(strategy)
    @settings(few, max_examples=count)
    def each(case):
        call(case)

    each()


def put_in(scene, case, label, real):
    """Puts what exists into the request: nothing, the names in its address, or a whole request that the rules allow."""
    if real != "nothing":
        case.path_parameters = {name: scene.path(name) for name in case.path_parameters or {}}
    if real == "everything":
        case.query = {name: scene.query()[name] for name in case.query or {} if name in scene.query()}
        case.body = scene.body(label)
        if "Idempotency-Key" in (case.headers or {}):
            case.headers["Idempotency-Key"] = new_key()


def ask_as(scene, case, role) -> Response:
    """Through Django's test client: in the test's own transaction."""
    headers = {"Authorization": f"Bearer {scene.tokens[role]}"} if role else {}
    wanted = requests.Request(**case.as_transport_kwargs(base_url="http://testserver", headers=headers)).prepare()
    sent = {name: value.decode("latin-1") if isinstance(value, bytes) else value for name, value in wanted.headers.items()}
    kind, _ = sent.pop("Content-Type", ""), sent.pop("Accept-Encoding", "")  # nobody would unpack it here
    answer = scene.http.generic(wanted.method, wanted.path_url, wanted.body or b"", content_type=kind, headers=sent)
    received = {name.lower(): [value] for name, value in answer.items()}
    return Response(answer.status_code, received, answer.content, wanted, elapsed=0, verify=True)


# --- What no endpoint answers by itself -------------------------------------------------------------------------


def assert_described(said, component):
    described = {"$ref": f"#/components/schemas/{component}", "components": document()["components"]}
    jsonschema.validate(said, described, cls=jsonschema.Draft202012Validator, format_checker=jsonschema.FormatChecker())


def test_what_stands_beside_a_refusal_is_described(ours, tablet, manager):
    order, sold_out = place(ours.table, ours.item), make_item(ours, stock=0)
    move, lines = f"staff/orders/{order['id']}", [{"item": str(ours.item.pk), "quantity": 1}]
    refusals = [
        (tablet.post("tablet/quote", {"lines": [{"item": str(sold_out.pk), "quantity": 1}]}), "SOLD_OUT", {"lines"}),
        (tablet.post("tablet/orders", {"lines": lines, "expected_total": 1}, key=new_key()), "PRICE_CHANGED", {"lines", "total"}),
        (tablet.post("tablet/orders", {"lines": lines, "session": None}, key=new_key()), "SESSION_CHANGED", {"session"}),
        (manager.patch(move, {"status": "served", "version": 1}), "ILLEGAL_TRANSITION", {"current"}),
        (manager.patch(move, {"status": "preparing", "version": 9}), "VERSION_CONFLICT", {"current"}),
        (manager.post(f"staff/tables/{ours.table.pk}/complete", {}), "ORDERS_UNFINISHED", {"lines"}),
    ]
    for answer, code, facts in refusals:
        body = problem(answer, 409, code)
        assert body.keys() - {"type", "title", "status", "detail", "code", "request_id"} == facts
        assert_described(body, "Problem")


def test_headers_that_matter_are_described(ours, tablet):
    paths = schema()["paths"]
    assert {
        (path, status)
        for path, methods in paths.items()
        for method in methods.values()
        for status, answer in method["responses"].items()
        if ("Retry-After" in answer.get("headers", {})) != (status in ("429", "503"))
    } == set()
    menu = paths["/api/v1/tablet/menu"]["get"]["responses"]
    assert menu["200"]["headers"].keys() == menu["304"]["headers"].keys() == {"ETag"}
    orders = paths["/api/v1/tablet/orders"]["post"]["responses"]
    assert (orders["200"]["headers"].keys(), orders["201"].get("headers")) == ({"Idempotent-Replayed"}, None)


# --- Events -----------------------------------------------------------------------------------------------------

LONG_AGO = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def table_of(kind, data) -> str | None:
    match kind:
        case "order" | "call":
            return data["table"]["id"]
        case "session":
            return str(TableSession.objects.get(pk=data["id"]).table_id)
    return data.get("id")  # the table itself; None for the menu


def test_what_events_tell_are_the_objects_of_the_document(db):
    world = Scene().world
    owner, tablet = staff_of(world.store, world.owner), tablet_of(world.table)
    order = place(world.table, world.item)
    owner.patch(f"staff/orders/{order['id']}", {"status": "preparing", "version": 1})
    owner.post(f"staff/orders/{order['id']}/cancel", {"reason": "left", "version": 2})
    tablet.post("tablet/calls", {"kind": "water"})
    owner.patch(f"staff/items/{world.item.pk}", {"sold_out": True})
    TableSession.objects.filter(state="active").update(started_at=LONG_AGO, last_order_at=LONG_AGO)
    owner.get("staff/board")
    owner.post(f"staff/tables/{world.table.pk}/complete", {"force": True})
    events = [json.loads(body) for body in Event.objects.in_store(world.store).values_list("body", flat=True)]
    assert {event["type"] for event in events} == {
        *("order.placed", "order.changed", "order.cancelled", "session.started", "session.expired", "session.completed"),
        *("call.opened", "call.resolved", "menu.changed", "table.changed"),
    }
    for event in events:
        assert_described(event, "Event")
        assert event["table"] == table_of(event["type"].partition(".")[0], event["data"])  # whose tablets get it


def test_the_document_names_every_event_and_what_a_change_may_leave_out():
    files = [file for app in ("orders", "sessions_app", "menus", "stores") for file in (ROOT / app).rglob("*.py")]
    source = "".join(file.read_text() for file in files)
    types = set(
        re.findall(r'"((?:order|session|call|table|menu)\.(?:placed|changed|cancelled|started|expired|completed|opened|resolved))"', source)
    )
    assert len(types) >= 10
    told = schema()["info"]["description"]
    assert {type for type in types if f"`{type}`" not in told} == set()
    components = schema()["components"]["schemas"]
    assert components["MoveRequest"]["required"] == ["status"]
    assert "required" not in components["TableChangeRequest"]
