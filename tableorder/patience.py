"""A database server whose disk or machine hangs keeps its connections open and never answers.

It ends no statement that takes too long, and libpq waits for ever: so would all threads, and `/health/ready` with them.
"""

import psycopg
from django.conf import settings

GRACE = 2.0  # seconds after which the server should have ended the statement itself


class PatientConnection(psycopg.Connection):
    """Is closed when an answer is overdue; the pool makes another one."""

    def wait(self, gen, interval=0.1, timeout=None):
        if timeout is not None:  # psycopg's own business
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, settings.DATABASE_STATEMENT_TIMEOUT + GRACE)
        except psycopg.errors._WaitTimeout:
            self.close()
            raise psycopg.OperationalError("the database keeps the connection open and does not answer") from None
