"""A PostgreSQL of our own, to be stopped, made read-only and filled up: never the one that others use."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from tests.own_redis import free_port

SERVER = os.environ.get("DATABASE_URL") or "postgres://postgres@127.0.0.1:5432/postgres"
PROGRAMS = next((path.parent for path in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)), None)
SLOTS = 40
PATIENCE = 20  # seconds until it must have started


@contextmanager
def own_database(name: str = "empty", *, like: str = "template1") -> Iterator[str]:
    """The address of a database beside SERVER. `like`: another one to begin as a copy of; nobody may be connected to that one."""
    name = f"own_{os.getpid()}_{name}"
    with psycopg.connect(SERVER, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{like}"')
    try:
        yield urlsplit(SERVER)._replace(path=f"/{name}").geturl()
    finally:
        with psycopg.connect(SERVER, autocommit=True) as server:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


class OwnPostgreSQL:
    """Started on entry, ended and removed on exit, whatever happened to it in between."""

    def __init__(self, slots: int = SLOTS):
        self.port, self.slots = free_port(), slots
        self.url = f"postgres://tableorder@127.0.0.1:{self.port}/tableorder"

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="own-postgresql-"))
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
        self._run("initdb", "--auth=trust", "--username=postgres", "--no-sync", "-D", self.data)
        self.start()
        with self.superuser() as server:
            server.execute("CREATE ROLE tableorder LOGIN CREATEDB")
            server.execute("CREATE DATABASE tableorder OWNER tableorder")
        return self

    def __exit__(self, *error):
        with suppress(subprocess.CalledProcessError):
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def start(self):
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections={self.slots}"
        self._run("pg_ctl", "start", "-w", "-D", self.data, "-l", self.folder / "log", "-o", options)

    def stop(self):
        """As if the power had gone: clients get no word, and it recovers from its log when it starts."""
        self._run("pg_ctl", "stop", "-m", "immediate", "-D", self.data)

    def superuser(self) -> psycopg.Connection:
        return psycopg.connect(f"host=127.0.0.1 port={self.port} user=postgres dbname=postgres", autocommit=True)

    def read_only(self, on: bool):
        """As a server that fails over: it answers SELECT and refuses to write."""
        with self.superuser() as server:
            server.execute(f"ALTER SYSTEM SET default_transaction_read_only = {'on' if on else 'off'}")
            server.execute("SELECT pg_reload_conf()")

    def connections(self) -> int:
        """How many the program has."""
        with self.superuser() as server:
            return server.execute("SELECT count(*) FROM pg_stat_activity WHERE usename = 'tableorder'").fetchone()[0]

    def fill(self, seconds: float):
        """Takes every slot away from the program, also those that it has, and holds them so long."""
        held, until = [], time.monotonic() + seconds
        try:
            with self.superuser() as server:
                while time.monotonic() < until:
                    with suppress(psycopg.OperationalError):
                        while True:
                            held.append(psycopg.connect(self.url, connect_timeout=2, application_name="holder"))
                    server.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE usename = 'tableorder' AND application_name <> 'holder'"
                    )
                    time.sleep(0.05)
        finally:
            for connection in held:
                connection.close()

    def _run(self, program, *arguments):
        owner = pwd.getpwnam("postgres").pw_uid if os.geteuid() == 0 else None
        command = [str(PROGRAMS / program), *map(str, arguments)]
        subprocess.run(command, check=True, user=owner, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=PATIENCE)
