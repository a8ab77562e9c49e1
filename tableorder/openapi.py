"""What an endpoint takes, answers and refuses, said once for OpenAPI.

`documented` sits on a view's method. The refusals are the classes that the code raises, so a code in the
document is a code that exists.
"""

import inspect
import re
from collections import defaultdict

from django.utils.translation import get_language
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

from . import errors
from .api import PROBLEM, status_of
from .paging import DEFAULT_LIMIT, MAX_LIMIT

PROBLEM_SCHEMA = {
    "type": "object",
    "description": "RFC 9457. `code` is stable and for programs, `detail` is for people.",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {"pointer": {"type": "string"}, "code": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}

# What any endpoint may answer: a wrong method never reaches it, the database may be away, the caller too quick.
ALWAYS = (errors.MethodNotAllowed, errors.Unavailable, errors.Malformed, errors.TooMany)
WITH_BODY = (errors.Malformed, errors.MalformedJSON, errors.TooLarge, errors.UnsupportedMedia)
SIGNED_IN = (errors.Unauthenticated, errors.TokenInvalid, errors.Forbidden)
RETRY_AFTER = OpenApiParameter(
    "Retry-After", {"type": "integer", "minimum": 1}, OpenApiParameter.HEADER, description="Seconds.", response=[429, 503]
)
LISTED = (
    OpenApiParameter("cursor", str, description="`next` of the page before."),
    OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}),
)


class Schema(AutoSchema):
    """Operations named after method and path, described by the view's own words and by who may call; objects named as
    their readers know them, Order and not OrderOutput."""

    def get_operation_id(self):
        path = re.sub(self.path_prefix, "", self.path).replace("{", "").replace("}", "").replace("-", "_")
        return "_".join([self.method.lower(), *path.strip("/").split("/")])

    def get_description(self):
        said = [getattr(self.view, self.method.lower()).__doc__, vars(type(self.view)).get("__doc__")]
        return "\n\n".join([*(inspect.cleandoc(text) for text in said if text), f"For: {self.view.role_for(self.method)}."])

    def get_serializer_name(self, serializer, direction):
        return super().get_serializer_name(serializer, direction).removesuffix("Output").removesuffix("Input")


class Document(SchemaGenerator):
    """Made once in each language: it takes a tenth of a second, and whoever comes along may ask for it."""

    _made = {}

    def get_schema(self, request=None, public=False):
        language = get_language()
        if language not in self._made:
            self._made[language] = super().get_schema(None, public)
        return self._made[language]


def refusals(*kinds) -> dict:
    """Refusal classes as OpenAPI responses, grouped by status, each with its codes."""
    codes = defaultdict(set)
    for kind in kinds:
        codes[status_of(kind)].add(kind.code)
    return {
        (status, PROBLEM): OpenApiResponse(
            {"allOf": [{"$ref": "#/components/schemas/Problem"}, {"properties": {"code": {"enum": sorted(names)}}}]},
            description=", ".join(sorted(names)),
        )
        for status, names in sorted(codes.items())
    }


def documented(*, answers, request=None, refuses=(), public=False, parameters=(), listed=False, **more):
    """`answers`: {status, or (status, media type) if it is not JSON: output serializer or None}.

    `refuses`: the refusal classes of its own.
    """
    common = ALWAYS + (() if public else SIGNED_IN) + (WITH_BODY if request is not None else ())
    responses = {(key, "application/json") if isinstance(key, int) and body else key: body for key, body in answers.items()}
    return extend_schema(
        request=request,
        responses=responses | refusals(*common, *refuses),
        parameters=[RETRY_AFTER, *parameters, *(LISTED if listed else ())],
        **({"auth": []} if public else {}),
        **more,
    )


def with_manners(result, generator, request, public):
    """drf-spectacular hook: puts the one Problem schema into the document, and says that bodies may have no other fields."""
    components = result["components"]["schemas"]
    for name, component in components.items():
        if name.endswith("Request"):
            component["additionalProperties"] = False
    components["Problem"] = PROBLEM_SCHEMA
    return result
