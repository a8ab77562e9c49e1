"""Middlewares that only pages need, and their static files: a request with a token has no session and no cookie.

A subclass for each, so that Django's checks find what the admin needs.
"""

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from whitenoise.middleware import WhiteNoiseMiddleware
from whitenoise.storage import CompressedManifestStaticFilesStorage


class _OnlyForPages:
    def __call__(self, request):
        return self.get_response(request) if request.path_info.startswith(settings.API_PREFIX) else super().__call__(request)


class StaticFiles(_OnlyForPages, WhiteNoiseMiddleware):
    """Serves them."""


class CollectedFiles(CompressedManifestStaticFilesStorage):
    """Names with the hashes that `collectstatic` gave them; until it has run, the names as they are."""

    def stored_name(self, name):
        return super().stored_name(name) if self.hashed_files else name


class Sessions(_OnlyForPages, SessionMiddleware):
    """request.session"""


class People(_OnlyForPages, AuthenticationMiddleware):
    """request.user"""


class Messages(_OnlyForPages, MessageMiddleware):
    """What a page tells after a redirect."""
