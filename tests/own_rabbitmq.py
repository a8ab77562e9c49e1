"""A RabbitMQ of our own, to be stopped, frozen and killed: Debian's program, on ports and in a folder of its own."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import amqp

from tests.own_redis import free_port

# Debian's own start script would go to the system's folders and become another user.
_DEBIANS = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
PROGRAM = str(_DEBIANS) if _DEBIANS.exists() else shutil.which("rabbitmq-server")
PATIENCE = 60  # seconds until it must have started


class OwnRabbitMQ:
    """Started on entry, ended on exit, whatever happened to it in between. What it keeps on disk outlives `stop`."""

    def __init__(self):
        self.port = free_port()
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}//"
        self._process = self._names = None

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="rabbitmq-")
        home = Path(self._folder.name)
        names_port = free_port()
        (home / "plugins").write_text("[].\n")  # none: the management pages would want a port too
        (home / "rabbitmq.conf").write_text(f"listeners.tcp.local = 127.0.0.1:{self.port}\n")
        self._environment = {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "HOME": str(home),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "plugins"),
            "RABBITMQ_NODENAME": f"faults-{self.port}@localhost",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(home / "mnesia"),
            "RABBITMQ_LOG_BASE": str(home / "log"),
            "RABBITMQ_PID_FILE": str(home / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "ERL_EPMD_PORT": str(names_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }
        # Erlang's register of names, else it would start one that outlives everything.
        epmd = shutil.which("epmd") or "epmd"
        self._names = subprocess.Popen([epmd, "-port", str(names_port), "-address", "127.0.0.1"], stdin=subprocess.DEVNULL)
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error):
        self.kill()
        self._names.kill()
        self._names.wait()
        self._folder.cleanup()

    def start(self):
        with open(Path(self._folder.name) / "output", "ab") as output:
            # A group of its own, which the signals below go to: the program is a shell script that starts others.
            self._process = subprocess.Popen([PROGRAM], env=self._environment, stdout=output, stderr=output, start_new_session=True)
        give_up_at = time.monotonic() + PATIENCE
        while not self.answers():
            assert self._process.poll() is None and time.monotonic() < give_up_at, self.output()
            time.sleep(0.1)

    def answers(self) -> bool:
        try:
            with amqp.Connection(f"127.0.0.1:{self.port}", connect_timeout=2, read_timeout=2):
                return True
        except (OSError, amqp.AMQPError):
            return False

    def output(self) -> str:
        return (Path(self._folder.name) / "output").read_text(errors="replace")[-2000:]

    def stop(self):
        """As an operator stops it."""
        self._signal(signal.SIGTERM)
        self._process.wait(PATIENCE)

    def freeze(self):
        self._signal(signal.SIGSTOP)

    def thaw(self):
        self._signal(signal.SIGCONT)

    def kill(self):
        if self._process is not None and self._process.poll() is None:
            self._signal(signal.SIGKILL)
            self._process.wait()

    def _signal(self, number):
        os.killpg(self._process.pid, number)
