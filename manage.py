#!/usr/bin/env python
import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ["DATABASE_STATEMENT_TIMEOUT"] = "0"  # of requests; what a command does may take its time
    from django.core.management import execute_from_command_line
    from django.db import InterfaceError, OperationalError

    try:
        execute_from_command_line(sys.argv)
    except (InterfaceError, OperationalError) as error:  # away, full, locked: a sentence for cron's mail, as CommandError has it
        if "--traceback" in sys.argv:
            raise
        sys.exit(f"The database: {error}")
