"""What processes have cost, as Linux counts it."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")  # 10 ms each: loads must last some seconds


def _stat(pid: int) -> list[str]:
    """The fields of /proc/<pid>/stat after the name, which may contain blanks."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def name_of_process(pid: int) -> str | None:
    with suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/comm").read_text().strip()


def parent_of(pid: int) -> int:
    return int(_stat(pid)[1])


def children_of(pid: int) -> list[int]:
    return [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]


def cpu_seconds(pids: Iterable[int]) -> float:
    """What these have used themselves, in user mode and in the kernel."""
    return sum(int(ticks) for pid in pids for ticks in _stat(pid)[11:13]) / TICKS


def cpu_seconds_of_tree(pid: int) -> float:
    """What it, its children, and those that it has already buried have used."""
    seconds = sum(int(ticks) for ticks in _stat(pid)[11:15]) / TICKS
    for child in children_of(pid):
        with suppress(FileNotFoundError, ProcessLookupError):  # gone meanwhile: then the next look finds it buried
            seconds += cpu_seconds([child])
    return seconds


def memory(pids: Iterable[int]) -> tuple[float, float]:
    """(resident, proportional) MB. Proportional: a page that several share counts for each by its part."""
    rss = pss = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            name, _, rest = line.partition(":")
            if name == "Rss":
                rss += int(rest.split()[0])
            elif name == "Pss":
                pss += int(rest.split()[0])
    return rss / 1024, pss / 1024
