"""What the parts of a run share: the program that runs, its database, who is there, and how long to measure."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from .cast import Tablet
from .database import ServerCPU
from .layout import Layout, Service
from .pgbench import Limit
from .processes import cpu_seconds


@dataclass
class Cost:
    """Seconds of CPU time."""

    python: float = 0
    database: float = 0

    @property
    def all(self) -> float:
        return self.python + self.database


@dataclass
class Scene:
    program: Layout
    server: ServerCPU
    limit: Limit
    places: dict[str, list[Tablet]]  # {"50 stores": fifty tablets, ...}, in the order in which the limit knows them
    quick: bool = False
    soak: int = 0  # minutes
    orders: int = 0  # acknowledged so far

    @property
    def rounds(self) -> int:
        return 1 if self.quick else 5

    @property
    def seconds(self) -> float:
        """Of each measurement."""
        return 2 if self.quick else 4

    def first_place(self, place: str) -> int:
        """The number of its first tablet among all."""
        names = list(self.places)
        return sum(len(self.places[name]) for name in names[: names.index(place)])

    @contextmanager
    def cost_of(self, service: Service) -> Iterator[Cost]:
        """What its workers and PostgreSQL use meanwhile."""
        cost = Cost()
        workers, database = service.workers, self.server.seconds()
        python = cpu_seconds(workers)
        yield cost
        cost.python, cost.database = cpu_seconds(workers) - python, self.server.seconds() - database

    def say(self, what: str):
        print(what, file=sys.stderr, flush=True)
