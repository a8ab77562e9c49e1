"""Browsers' sessions, in Django's table."""

from django.contrib.sessions.backends import db


class SessionStore(db.SessionStore):
    def _validate_session_key(self, key):
        """Nothing is looked up but what may be a key of ours: a cookie can also hold a NUL, which PostgreSQL doesn't take."""
        return super()._validate_session_key(key) and key.isascii() and key.isalnum()
