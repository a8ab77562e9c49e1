"""What was measured: spreads over the rounds, and what we promise of them."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


class Timed:
    """Something that was done many times."""

    latencies: list[float]  # milliseconds, sorted

    @property
    def p50(self) -> float:
        return statistics.median(self.latencies)

    @property
    def p95(self) -> float:
        return self.latencies[int(len(self.latencies) * 0.95)]


@dataclass(frozen=True)
class Spread:
    """One figure of several rounds."""

    values: Sequence[float]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def __str__(self):
        if len(self.values) == 1:
            return shown(self.median)
        return f"{shown(self.median)} ({shown(min(self.values))}–{shown(max(self.values))})"


def shown(value: float) -> str:
    """As many digits as mean something."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


@dataclass(frozen=True)
class Promise:
    """`at_least` or `at_most` of a figure's median."""

    what: str
    figure: Spread
    at_least: float | None = None
    at_most: float | None = None
    unit: str = ""

    @property
    def is_kept(self) -> bool:
        return self.room(self.figure.median) >= 1

    @property
    def limit(self) -> str:
        said = f"≥ {shown(self.at_least)}" if self.at_most is None else f"≤ {shown(self.at_most)}"
        return f"{said} {self.unit}".strip()

    def room(self, value: float) -> float:
        """How many times better than promised: 1 is just kept."""
        return value / self.at_least if self.at_most is None else self.at_most / value


@dataclass(frozen=True)
class Report:
    """One part of a run."""

    title: str
    says: str
    rows: Mapping[str, Mapping[str, Spread]]
    promises: list[Promise] = field(default_factory=list)
