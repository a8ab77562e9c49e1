"""Requests that are UTF-8, whatever charset they name: JSON is (RFC 8259, 8.1), and so are the forms of our pages.

Django goes by the `charset` of Content-Type. With one that is no text (hex, idna) a form can't be read; with any, a query
of too many parameters is refused before there is anybody who would answer. Both would be errors of ours.
"""

from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import WSGIRequest


class _InUTF8:
    @property
    def encoding(self):
        """None: Django's default, which is UTF-8."""
        return None

    @encoding.setter
    def encoding(self, charset):
        pass


class ASGIRequestInUTF8(_InUTF8, ASGIRequest):
    """For `django.request_class`, and for what is answered beside Django."""


class WSGIRequestInUTF8(_InUTF8, WSGIRequest):
    """Likewise."""
