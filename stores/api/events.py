"""The streams' place in the OpenAPI document.

They are served by `stores/stream.py`, beside Django. A request arrives here only in a process that serves no
streams (SERVE=api), which a proxy in front should not have sent it to.
"""

from stores.errors import TooManyStreams
from tableorder.errors import Absent
from tableorder.openapi import OpenApiParameter, OpenApiResponse, documented

from .endpoint import Endpoint, Role

RESUME = [
    OpenApiParameter("after", {"type": "integer", "minimum": 0}, description="Goes on after this event number."),
    OpenApiParameter("Last-Event-ID", {"type": "integer", "minimum": 0}, OpenApiParameter.HEADER, description="The same; it wins."),
]
STORE = OpenApiParameter("store", {"type": "string", "format": "uuid"}, description="With the admin's cookie: which of one's stores.")
STREAM = OpenApiResponse({"type": "string"}, description="Server-sent events: `id` is the number, `event` the type, `data` an Event.")


class Events(Endpoint):
    role = Role.MANAGER

    @documented(answers={(200, "text/event-stream"): STREAM}, refuses=[Absent, TooManyStreams], parameters=[*RESUME, STORE])
    def get(self, request):
        raise Absent()


class TabletEvents(Endpoint):
    role = Role.TABLET

    @documented(answers={(200, "text/event-stream"): STREAM}, refuses=[Absent, TooManyStreams], parameters=RESUME)
    def get(self, request):
        raise Absent()
