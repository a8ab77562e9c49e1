"""The program as WSGI: everything but the live streams, which are 404 here (`SERVE=api`)."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()

from config.checks import refuse_unsafe  # noqa: E402

refuse_unsafe()
