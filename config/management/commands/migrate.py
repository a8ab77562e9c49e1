"""Django's `migrate`, one at a time: two machines that are started together both find that everything is to be done."""

import time

from django.core.management.commands import migrate
from django.db import connections

# Takes the lock if it is free. It is the connection's, so it goes with whoever is killed. Asked for again and again, for
# an index that is made CONCURRENTLY would wait for a statement that waits for the lock.
LOCK = {
    "postgresql": "SELECT pg_try_advisory_lock(hashtext('migrate'))",
    "mysql": "SELECT GET_LOCK(MD5(CONCAT('migrate ', DATABASE())), 0)",  # of the whole server
}
UNLOCK = {
    "postgresql": "SELECT pg_advisory_unlock(hashtext('migrate'))",
    "mysql": "SELECT RELEASE_LOCK(MD5(CONCAT('migrate ', DATABASE())))",
}
LOOK_EVERY = 1.0  # seconds


class Command(migrate.Command):
    def handle(self, *args, **options):
        connection = connections[options["database"]]
        if connection.vendor not in LOCK:  # SQLite is one machine's
            return super().handle(*args, **options)

        def ask(statements):
            with connection.cursor() as cursor:
                cursor.execute(statements[connection.vendor])
                return cursor.fetchone()[0]

        if not ask(LOCK):
            self.stderr.write("waiting for another migration, which is under way")
            while not ask(LOCK):
                time.sleep(LOOK_EVERY)
        try:
            return super().handle(*args, **options)
        finally:
            ask(UNLOCK)
