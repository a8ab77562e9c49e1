"""The static screens: plain files from a folder, under a strict Content-Security-Policy.

Nginx may serve the same folder in production; then the same headers stand in its site file.
"""

import mimetypes
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404
from django.views.decorators.http import require_safe
from django.views.static import serve

TABLET = settings.BASE_DIR / "tablet"
mimetypes.add_type("application/manifest+json", ".webmanifest")
mimetypes.add_type("text/javascript", ".js")


def content_security_policy() -> str:
    """Only our own files; no inline script or style, no eval, no frame. Images may come from their storage."""
    images = {f"{part.scheme}://{part.netloc}" for part in [urlsplit(settings.MEDIA_URL)] if part.netloc}
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            " ".join(["img-src 'self' data:", *sorted(images)]),
            "connect-src 'self'",
            "manifest-src 'self'",
            "worker-src 'self'",
            "font-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ]
    )


def secured(response):
    """The response with the headers of every screen."""
    response["Content-Security-Policy"] = content_security_policy()
    response["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), payment=()"
    response["Referrer-Policy"] = "same-origin"
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_safe
def tablet(request, path=""):
    """The guest's page. Its names carry no hashes, so browsers ask each time; the service worker makes it quick."""
    name = path or "index.html"
    if Path(name).suffix not in {".html", ".js", ".css", ".svg", ".png", ".webmanifest"}:
        raise Http404
    response = secured(serve(request, name, document_root=TABLET))
    response["Cache-Control"] = "no-cache"
    return response
