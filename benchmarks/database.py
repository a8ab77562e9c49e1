"""Databases of the benchmarks' own, on the PostgreSQL of this machine that DATABASE_URL names, as a superuser."""

import os
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg

from tests.own_postgresql import SERVER

from .layout import SETTINGS
from .processes import cpu_seconds_of_tree, name_of_process, parent_of


def prepare(address: str):
    """Makes this process one of the program's, with its tables in this database."""
    os.environ |= SETTINGS | {"DATABASE_URL": address, "DATABASE_STATEMENT_TIMEOUT": "0"}
    import django
    from django.conf import settings

    django.setup()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the real one takes 0.3 s a table
    migrate()


def migrate():
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


@contextmanager
def working_in(address: str):
    """The models of this process mean the tables of another database meanwhile."""
    from django.db import connection

    at_home = connection.settings_dict["NAME"]
    _move(connection, name_of(address))
    try:
        yield
    finally:
        _move(connection, at_home)


def _move(connection, name: str):
    connection.close()
    connection.close_pool()
    connection.settings_dict["NAME"] = name


def name_of(address: str) -> str:
    return urlsplit(address).path.lstrip("/")


def server_version() -> str:
    with psycopg.connect(SERVER) as server:
        return server.execute("SHOW server_version").fetchone()[0]


class ServerCPU:
    """The CPU time of PostgreSQL, all of its processes together."""

    def __init__(self):
        with psycopg.connect(SERVER) as server:
            backend = server.info.backend_pid
            if name_of_process(backend) != "postgres":
                raise SystemExit("PostgreSQL must run on this machine: its CPU time is part of what is measured.")
            self._postmaster = parent_of(backend)

    def seconds(self) -> float:
        return cpu_seconds_of_tree(self._postmaster)
