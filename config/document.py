"""Where the OpenAPI document is read, and what only the whole program can say in it."""

import orjson
from drf_spectacular.renderers import OpenApiJsonRenderer2
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularJSONAPIView


class Written(OpenApiJsonRenderer2):
    """application/json: what clients ask for, and browsers show. The library's own takes 90 ms of Python to write it."""

    def render(self, data, media_type=None, renderer_context=None):
        return orjson.dumps(data, option=orjson.OPT_INDENT_2)


class DocumentView(SpectacularJSONAPIView):
    """In the caller's language, like everything else, and there is one version of it.

    The library also takes both from the address, any text at all: for each it would make a document of a megabyte and
    keep it, and a line break in it would break the answer's header.
    """

    http_method_names = ["get", "head"]
    renderer_classes = [Written]

    @extend_schema(exclude=True)
    def get(self, request):
        return self._get_schema_response(request)

    def _get_version_parameter(self, request):
        return None


def with_facts_and_events(result, generator, request, public):
    """drf-spectacular hook: what no endpoint answers by itself, in terms of what they do answer."""
    components = result["components"]["schemas"]
    components |= {
        "SoldOutLine": _object(line=NUMBER, item=ID, name=TEXT, available=NUMBER, options=_listed(ID)),
        "UnfinishedLine": _object(order=ID, line=ID, name=TEXT, quantity=NUMBER, status=_named("StatusEnum")),
    }
    components["Problem"]["properties"] |= {
        "current": _named("Order") | {"description": "VERSION_CONFLICT, ILLEGAL_TRANSITION: the order as it is."},
        "session": {"anyOf": [_named("Session"), {"type": "null"}], "description": "SESSION_CHANGED: the one that is current."},
        "total": NUMBER | {"description": "PRICE_CHANGED: what the order would cost now."},
        "lines": _listed({"anyOf": [_named("SoldOutLine"), _named("QuoteLine"), _named("UnfinishedLine")]})
        | {"description": "SOLD_OUT, PRICE_CHANGED, ORDERS_UNFINISHED, each with lines of its own kind."},
    }
    told = {
        ("order.placed", "order.changed", "order.cancelled"): _named("Order"),
        ("session.started", "session.expired", "session.completed"): _object(**components["Session"]["properties"], total=NUMBER),
        ("call.opened", "call.resolved"): _named("Call"),
        ("table.changed",): _named("Table"),
        ("menu.changed",): _object(version=NUMBER),
    }
    components["Event"] = {
        "description": "What the streams and the message bus tell.",
        "oneOf": [
            _object(number=NUMBER, type={"enum": [*types]}, store=ID, table=ID_OR_NULL, at=TIME, data=data) for types, data in told.items()
        ],
    }
    return result


ID, TEXT, NUMBER = {"type": "string", "format": "uuid"}, {"type": "string"}, {"type": "integer"}
ID_OR_NULL, TIME = ID | {"type": ["string", "null"]}, {"type": "string", "format": "date-time"}


def _named(component: str) -> dict:
    return {"$ref": f"#/components/schemas/{component}"}


def _listed(kind: dict) -> dict:
    return {"type": "array", "items": kind}


def _object(**properties: dict) -> dict:
    return {"type": "object", "required": [*properties], "properties": properties}
