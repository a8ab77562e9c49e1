"""One whole change: all of it or nothing, and again if the database asks for it."""

import functools
import itertools

from django.db import OperationalError, connection, transaction

ATTEMPTS = 3

# PostgreSQL: serialization_failure, deadlock_detected. MySQL and MariaDB: deadlock, lock wait timeout, and
# "record has changed since last read", all of which roll the transaction back and say: try again.
_SQLSTATES = {"40001", "40P01"}
_MYSQL_CODES = {1213, 1205, 1020}


def wants_retry(error: BaseException) -> bool:
    """Did the database give this transaction up only because of another one?"""
    cause = error.__cause__
    return getattr(cause, "sqlstate", None) in _SQLSTATES or (bool(getattr(cause, "args", ())) and cause.args[0] in _MYSQL_CODES)


def lost_reference(error: BaseException) -> bool:
    """Did a row refer to one that somebody else has deleted meanwhile?"""
    cause = error.__cause__
    return (
        getattr(cause, "sqlstate", None) == "23503"
        or getattr(cause, "sqlite_errorname", None) == "SQLITE_CONSTRAINT_FOREIGNKEY"
        or getattr(cause, "args", ())[:1] == (1452,)
    )


def whole(service):
    """Runs the service in a transaction; a deadlock is tried again, at most 3 times in all.

    Inside another transaction only the outermost one can begin again, so there the error goes up to it.
    """

    @functools.wraps(service)
    def run(*args, **kwargs):
        outermost = not connection.in_atomic_block
        for attempt in itertools.count(1):
            try:
                with transaction.atomic():
                    return service(*args, **kwargs)
            except OperationalError as error:
                if not (outermost and wants_retry(error) and attempt < ATTEMPTS):
                    raise

    return run


def give_back_connection():
    """Before something slow that needs no database: meanwhile others can have the connection. It comes back by itself.

    The pool is small. Twenty people who sign in at once would each keep a connection while their password is hashed,
    and orders would wait for that until they are refused.
    """
    if not connection.in_atomic_block:
        connection.close()
