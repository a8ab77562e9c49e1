"""Every address of the API, as the resolver and the OpenAPI document have them.

The tests that walk over them cover a new route before anybody remembers to.
"""

import functools
import io
import re
from dataclasses import dataclass

from django.urls import URLPattern, get_resolver
from drf_spectacular.generators import SchemaGenerator
from PIL import Image

from menus.models import Item, ItemOptionGroup
from tests.snapshot import models
from tests.world import API, Caller, World, make_choice, new_key, tablet_of

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
PARAMETER = re.compile(r"<(?:(\w+):)?(\w+)>")


@dataclass(frozen=True)
class Route:
    path: str  # below /api/v1/, like staff/orders/<uuid:order_id>
    view: type

    @property
    def parameters(self) -> list[str]:
        return [name for _, name in PARAMETER.findall(self.path)]

    def at(self, **ids) -> str:
        return PARAMETER.sub(lambda found: ids[found[2]], self.path)

    def offers(self, method: str) -> bool:
        return method.lower() in self.view.http_method_names and hasattr(self.view, "get" if method == "HEAD" else method.lower())

    def operation(self, method: str) -> dict:
        """What the OpenAPI document says of it; empty if it says nothing."""
        return schema()["paths"].get("/" + API.strip("/") + "/" + PARAMETER.sub(r"{\2}", self.path), {}).get(method.lower(), {})


def views_below(prefix: str) -> dict:
    """{address without the leading slash: view function}"""

    def walk(patterns, base):
        for pattern in patterns:
            path = base + str(pattern.pattern)
            if isinstance(pattern, URLPattern):
                yield path, pattern.callback
            else:
                yield from walk(pattern.url_patterns, path)

    return {path: view for path, view in walk(get_resolver().url_patterns, "") if path.startswith(prefix)}


def routes() -> list[Route]:
    prefix = API.strip("/") + "/"
    return [Route(path.removeprefix(prefix), getattr(view, "view_class", None)) for path, view in views_below(prefix).items()]


def offered() -> list[tuple[Route, str]]:
    """Everything that can be asked."""
    return [(route, method) for route in routes() for method in METHODS if route.offers(method)]


@functools.cache
def schema() -> dict:
    return SchemaGenerator().get_schema(request=None, public=True)


# --- Things to ask for ------------------------------------------------------------------------------------------


def furnish(world: World):
    """Gives the store one of everything that can be named in an address or a body.

    Everything costs 1, which is what a made body expects to pay.
    """
    Item.objects.in_store(world.store).update(price=1)
    options = make_choice(world.item, options=[(f"{world.store.code} extra", 0)], name=f"{world.store.code} extras")
    for item in world.items[1:]:
        ItemOptionGroup.objects.create(item=item, group=options[0].group)
    tablet = tablet_of(world.table)
    lines = [{"item": str(world.item.pk), "quantity": 2, "options": [str(options[0].pk)]}]
    assert tablet.post("tablet/orders", {"lines": lines}, key=new_key()).status_code == 201
    assert tablet.post("tablet/calls", {"kind": "help"}).status_code == 201


@functools.cache
def id_of(store, name: str) -> str:
    """The id of one of the store's things that a parameter or field of this name can mean: `order_id`, `option_groups`."""
    word = re.sub(r"ies$", "y", name.removesuffix("_id")).removesuffix("s").replace("_", "").replace("-", "")
    meant = [model for model in models() if hasattr(model, "store_lookup") and model.__name__.lower().endswith(word)]
    assert meant, f"{name}: no model of that name, so the walk doesn't know what to ask for"
    model = min(meant, key=lambda model: len(model.__name__))
    return str(model.objects.in_store(store).order_by("pk").first().pk)


def with_own_ids(route: Route, world: World) -> str:
    """The route's path to the things of this store."""
    return route.at(**{name: id_of(world.store, name) for name in route.parameters})


class Bodies:
    """Good bodies for an operation, made from its schema; ids are numbered as they come."""

    def __init__(self, route: Route, method: str):
        content = route.operation(method).get("requestBody", {}).get("content", {})
        self.route = route
        self.kind = next(iter(content), "application/json")
        self.schema = content.get(self.kind, {}).get("schema", {"type": "object"})

    def make(self, store_of):
        """`store_of(number)`: the store to take the id from. Returns the body and how many ids are in it."""
        self._count, self._store_of = 0, store_of
        return self._value(self.schema, self.route.path.split("/")[-2] if "/" in self.route.path else ""), self._count

    def _value(self, schema, name):
        if "$ref" in schema:
            return self._value(schema_of(schema["$ref"]), name)
        for several in ("allOf", "oneOf", "anyOf"):
            if several in schema:
                return self._value(schema[several][0], name)
        if "enum" in schema:
            return schema["enum"][0]
        kind = schema.get("type")
        match next(each for each in kind if each != "null") if isinstance(kind, list) else kind:
            case "object":
                return {
                    field: self._value(inner, name if field in ("id", "ids") else field)
                    for field, inner in schema.get("properties", {}).items()
                }
            case "array":
                return [self._value(schema["items"], name)]
            case "integer":
                return max(1, schema.get("minimum", 1))
            case "boolean":
                return True
            case "string" if schema.get("format") == "uuid":
                self._count += 1
                return id_of(self._store_of(self._count - 1), name)
            case "string" if schema.get("format") == "binary":
                return picture()
            case "string":
                return "text"
        raise AssertionError(f"{self.route.path}: {name} is of a kind that the walk can't make: {schema}")


def schema_of(reference: str) -> dict:
    return functools.reduce(lambda found, name: found[name], reference.removeprefix("#/").split("/"), schema())


@functools.cache
def picture() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "white").save(file, "PNG")
    return file.getvalue()


def send(caller: Caller, method: str, path: str, body=None, kind: str = "application/json"):
    """The answer to a request with a JSON body or, for a form, its fields as files."""
    if kind == "application/json":
        return caller.request(method, path, body, key=new_key())
    parts = [
        f'--limit\r\nContent-Disposition: form-data; name="{name}"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'.encode()
        + value
        + b"\r\n"
        for name, value in body.items()
    ]
    return caller.request(method, path, raw=b"".join(parts) + b"--limit--\r\n", content_type=f"{kind}; boundary=limit", key=new_key())
