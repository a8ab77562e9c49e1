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

from config.checks import refuse_unsafe  # noqa: E402
from stores import stream  # noqa: E402
from tableorder.errors import TooLarge  # noqa: E402
from tableorder.middleware import OPERATIONS  # noqa: E402

refuse_unsafe()
if settings.SERVE == "all":
    get_resolver().url_patterns  # noqa: B018  loads every view now: Django would while the first guest waits

LONGEST_BODY = 6 * 1024 * 1024  # bytes: a picture of 5 MB, in its form; as in deploy/nginx


async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
    elif scope["path"] in stream.PATHS and scope["method"] != "OPTIONS":  # preflights are answered by Django's CORS
        await stream.application(scope, receive, send)
    elif settings.SERVE == "streams" and scope["path"] not in OPERATIONS and scope["path"] not in stream.PATHS:
        await stream.not_here(scope, receive, send)
    else:
        try:
            await django(scope, up_to(LONGEST_BODY, receive), send)
        except TooLarge as error:
            await stream.Exchange(scope, send).refuse(error)


def up_to(limit, receive):
    """`receive`, or TooLarge. Django puts a body of any length on the disk before it looks whether anybody may send one."""
    received = 0

    async def limited():
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise TooLarge()
        return message

    return limited


async def lifespan(receive, send):
    """Nothing to begin; streams that are still open when the server stops are ended."""
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    stream.hub.close()
    await send({"type": "lifespan.shutdown.complete"})
