"""The guest's page: plain files from a folder. Nginx may serve the same folder in production."""

import mimetypes
from pathlib import Path

from django.conf import settings
from django.http import Http404
from django.views.decorators.http import require_safe
from django.views.static import serve

from tableorder.screens import secured

TABLET = settings.BASE_DIR / "tablet"
mimetypes.add_type("application/manifest+json", ".webmanifest")
mimetypes.add_type("text/javascript", ".js")


@require_safe
def tablet(request, path=""):
    """The guest's page. Its names carry no hashes, so browsers ask each time; the service worker makes it quick."""
    name = path or "index.html"
    if Path(name).suffix not in {".html", ".js", ".css", ".svg", ".png", ".webmanifest"}:
        raise Http404
    response = secured(serve(request, name, document_root=TABLET))
    response["Cache-Control"] = "no-cache"
    return response
