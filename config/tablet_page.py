"""The guest's page: plain files from a folder, with the headers of every screen of ours, which is why Nginx leaves it to us."""

import gzip
import hashlib
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpResponse
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from tableorder.encodings import accepts_gzip
from tableorder.screens import secured

TABLET = settings.BASE_DIR / "tablet"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}


@require_safe
def tablet(request, path=""):
    """The guest's page. Its names carry no hashes, so browsers ask each time; the service worker makes it quick."""
    file = _file_of(path or "index.html")
    etag, plain, packed = _read(file, file.stat().st_mtime_ns)
    response = HttpResponse(plain, content_type=TYPES[file.suffix], headers={"ETag": etag, "Vary": "Accept-Encoding"})
    if packed and accepts_gzip(request.headers.get("Accept-Encoding", "")):
        response.content = packed
        response["Content-Encoding"] = "gzip"
    response["Cache-Control"] = "no-cache"
    return get_conditional_response(request, etag=etag, response=secured(response))


@require_safe
def favicon(request):
    """For pages that name no icon of their own."""
    return tablet(request, "icons/icon-192.png")


def _file_of(path) -> Path:
    try:
        file = (TABLET / path).resolve()
        found = file.is_relative_to(TABLET) and file.suffix in TYPES and file.is_file()
    except (ValueError, OSError) as error:  # it is no path, or too long to be a name
        raise Http404 from error
    if not found:
        raise Http404
    return file


@lru_cache(maxsize=128)
def _read(file: Path, changed_at: int) -> tuple[str, bytes, bytes | None]:
    """(its tag, the file, the file compressed if that is worth it). The tag is weak: one for both forms."""
    plain = file.read_bytes()
    packed = gzip.compress(plain, mtime=0)
    return f'W/"{hashlib.sha256(plain).hexdigest()[:20]}"', plain, packed if len(packed) < len(plain) else None
