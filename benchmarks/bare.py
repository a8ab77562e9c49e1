"""What a menu is held against: its very bytes from a Django view with nothing around it, and from a bare ASGI application.

`/` answers them as they are, `/gzip` as they were compressed. The environment names the folder that they lie in.
"""

import os
from pathlib import Path

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

PLAIN, GZIP = (Path(os.environ["BARE_BYTES"], name).read_bytes() for name in ("plain", "gzip"))
JSON, COMPRESSED = {"Content-Type": "application/json"}, {"Content-Type": "application/json", "Content-Encoding": "gzip"}

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["127.0.0.1"], SECRET_KEY="nothing is signed here", USE_I18N=False)

urlpatterns = [
    path("", lambda request: HttpResponse(PLAIN, headers=JSON)),
    path("gzip", lambda request: HttpResponse(GZIP, headers=COMPRESSED)),
]
wsgi = get_wsgi_application()


async def asgi(scope, receive, send):
    if scope["type"] == "http":
        body, headers = (GZIP, COMPRESSED) if scope["path"] == "/gzip" else (PLAIN, JSON)
        sent = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": 200, "headers": [*sent, (b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})
