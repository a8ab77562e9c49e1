"""The program as ASGI: the live streams by a handler of their own, everything else by Django.

`SERVE=all` serves everything; `SERVE=streams` only streams and what operators ask for, beside a `SERVE=api`
(config/wsgi.py) behind the same Nginx.
"""

import os

from django.conf import settings
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django = get_asgi_application()  # before anything that imports models

from django.urls import get_resolver  # noqa: E402
from django.utils.translation import gettext_lazy as _  # noqa: E402

from config.checks import refuse_unsafe  # noqa: E402
from stores import stream  # noqa: E402
from tableorder.api import refused  # noqa: E402
from tableorder.errors import Absent, TooLarge  # noqa: E402
from tableorder.middleware import OPERATIONS  # noqa: E402
from tableorder.utf8 import ASGIRequestInUTF8  # noqa: E402

django.request_class = ASGIRequestInUTF8
refuse_unsafe()
if settings.SERVE == "all":
    get_resolver().url_patterns  # noqa: B018  loads every view now: Django would while the first guest waits

LARGEST_BODY = 6 * 1024 * 1024  # bytes: what Nginx lets through for a picture; what takes less says so itself


class PictureTooLarge(TooLarge):
    detail = _("What was sent is too large: an image may have at most 5 MB. Nothing was saved. Please go back and choose a smaller one.")


async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
    elif scope["path"] in stream.PATHS and scope["method"] != "OPTIONS":  # preflights are answered by Django's CORS
        await stream.application(scope, receive, send)
    elif settings.SERVE == "streams" and scope["path"] not in OPERATIONS and scope["path"] not in stream.PATHS:
        await stream.refuse(scope, send, Absent())
    else:
        try:
            await django(scope, limited(scope, receive), send)
        except TooLarge as error:
            # A form of the admin is sent by a person, who has to read this.
            await stream.refuse(scope, send, PictureTooLarge() if carries_a_picture(scope) else error, refused)


def carries_a_picture(scope) -> bool:
    """Is it a form of the admin with files? There these are pictures, and nothing else makes a form so large."""
    content_type = dict(scope["headers"]).get(b"content-type", b"").lower()
    return scope["path"].startswith("/admin/") and content_type.startswith(b"multipart/form-data")


def limited(scope, receive):
    """`receive` for so much and no more: Django has the whole of a body on its disk before anything looks at its length."""
    if int(dict(scope["headers"]).get(b"content-length", 0)) > LARGEST_BODY:
        raise TooLarge()
    left = LARGEST_BODY

    async def receive_some():
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise TooLarge()
        return message

    return receive_some


async def lifespan(receive, send):
    """Nothing to begin; streams that are still open when the server stops are ended."""
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    stream.hub.close()
    await send({"type": "lifespan.shutdown.complete"})
