"""What the program is held against: bare views with nothing around them, and a bare ASGI application.

`/` answers a menu's very bytes, `/gzip` as they were compressed. `/said` also says to PostgreSQL what the program says for
the same request, in as many trips and by the same driver, but knows all of it beforehand: no Django view here is quicker
that asks as much. The environment names the folder in which the bytes and the statements lie.
"""

import json
import os
import threading
import uuid
from pathlib import Path

import psycopg
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

from tableorder import round_trips

PLAIN, GZIP, STATEMENTS = (Path(os.environ["BARE_FOLDER"], name).read_bytes() for name in ("plain", "gzip", "said"))
SAID = json.loads(STATEMENTS)  # {token: what benchmarks.statements.in_trips gives}
JSON, COMPRESSED = {"Content-Type": "application/json"}, {"Content-Type": "application/json", "Content-Encoding": "gzip"}

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["127.0.0.1"], SECRET_KEY="nothing is signed here", USE_I18N=False)

here = threading.local()


def said(request):
    text, changing = SAID[request.headers["Authorization"].removeprefix("Bearer ")]
    for old in changing:
        text = text.replace(old, str(uuid.uuid4()) if len(old) == 36 else uuid.uuid4().hex * 2)
    *trips, last = json.loads(text)
    if not hasattr(here, "driver"):
        here.driver = psycopg.connect(os.environ["DATABASE_URL"], autocommit=not trips)
    for trip in trips:
        round_trips.ask(here.driver, trip)
    round_trips.ask(here.driver, last, commit=bool(trips))
    return HttpResponse(PLAIN, headers=JSON | {"X-Request-ID": request.headers.get("X-Request-ID", "")})


urlpatterns = [
    path("", lambda request: HttpResponse(PLAIN, headers=JSON)),
    path("gzip", lambda request: HttpResponse(GZIP, headers=COMPRESSED)),
    path("said", said),
]
wsgi = get_wsgi_application()


async def asgi(scope, receive, send):
    if scope["type"] == "http":
        body, headers = (GZIP, COMPRESSED) if scope["path"] == "/gzip" else (PLAIN, JSON)
        sent = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": 200, "headers": [*sent, (b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})
