"""The program as WSGI: everything but the live streams, which are 404 here (`SERVE=api`)."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()

from django.urls import get_resolver  # noqa: E402

from config.checks import refuse_unsafe  # noqa: E402
from tableorder.utf8 import WSGIRequestInUTF8  # noqa: E402

application.request_class = WSGIRequestInUTF8
refuse_unsafe()
get_resolver().url_patterns  # noqa: B018  loads every view now: Django would while the first guest waits
