"""A server that stands still, with its disk or its machine, keeps every line and answers none.

It ends no statement that has taken too long, and libpq waits for ever: all threads, and `/health/ready` with them.
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
            raise psycopg.OperationalError("the database keeps the line and does not answer") from None
