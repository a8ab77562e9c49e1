"""The results of a run as people read them: a page with tables, and a picture."""

import math
import platform
import subprocess
from collections.abc import Iterable
from datetime import date
from importlib.metadata import version
from pathlib import Path
from xml.sax.saxutils import escape

from .database import server_version
from .figures import Promise, Report
from .layout import PYTHON, SETTINGS

FOLDER = Path(__file__).parent / "results"


def write(reports: Iterable[Report], command: str):
    FOLDER.mkdir(exist_ok=True)
    reports = list(reports)
    promises = [promise for report in reports for promise in report.promises]
    (FOLDER / "promises.svg").write_text(picture(promises))
    page = ["# How fast", "", *machine(command), "", "Each figure is the median of the rounds, with the lowest and the highest.", ""]
    page += ["## What is promised", "", "![How many times better than promised](promises.svg)", "", *promise_table(promises), ""]
    for report in reports:
        page += [f"## {report.title}", "", report.says, "", *table(report), ""]
    (FOLDER / "README.md").write_text("\n".join(page))


def machine(command: str) -> list[str]:
    cpuinfo = dict(line.split("\t: ", 1) for line in Path("/proc/cpuinfo").read_text().splitlines() if "\t: " in line)
    cores = Path("/proc/cpuinfo").read_text().count("processor\t")
    memory = int(Path("/proc/meminfo").read_text().split()[1]) / 1024**2
    python = subprocess.run([PYTHON, "--version"], check=True, capture_output=True, text=True).stdout.strip()
    versions = ", ".join(f"{name} {version(name)}" for name in ("Django", "gunicorn", "psycopg"))
    beside = ", ".join(f"{'with' if SETTINGS[f'{name.upper()}_URL'] else 'without'} {name}" for name in ("Redis", "RabbitMQ"))
    return [
        f"{date.today()}, `{command}`",
        "",
        f"{cores} cores ({cpuinfo.get('model name', platform.machine())}), {memory:.0f} GiB, PostgreSQL and the load on the same machine. "
        f"{python}, {versions}, PostgreSQL {server_version().split()[0]}; {beside}.",
    ]


def promise_table(promises: Iterable[Promise]) -> list[str]:
    rows = ["| Promise | | Measured | |", "|---|---|---|---|"]
    said = {True: "kept", False: "**missed**"}
    return rows + [f"| {promise.what} | {promise.limit} | {promise.figure} | {said[promise.is_kept]} |" for promise in promises]


def table(report: Report) -> list[str]:
    columns = list(dict.fromkeys(measure for row in report.rows.values() for measure in row))
    rows = [f"| | {' | '.join(columns)} |", f"|---|{'---:|' * len(columns)}"]
    return rows + [f"| {name} | {' | '.join(str(row.get(column, '')) for column in columns)} |" for name, row in report.rows.items()]


def picture(promises: list[Promise]) -> str:
    """A line for each promise: its median and its spread, by how many times better than promised; left of 1 it is missed."""

    def x(room: float) -> float:
        return left + width * math.log(min(max(room, least), most) / least) / math.log(most / least)

    left = 7 * max((len(promise.what) for promise in promises), default=0) + 20  # pixels: what a letter takes at most
    width, line, least, most = 420, 24, 0.25, 16
    height = line * len(promises) + 60
    bottom = height - 40
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 30} {height}" font-family="sans-serif" font-size="13">',
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<rect x="{x(least)}" y="10" width="{x(1) - x(least)}" height="{bottom - 10}" fill="#fdecea"/>',
    ]
    for room in (0.25, 0.5, 1, 2, 4, 8, 16):
        colour = "#333" if room == 1 else "#ddd"
        drawn.append(f'<path d="M{x(room)} 10V{bottom}" stroke="{colour}"/>')
        drawn.append(f'<text x="{x(room)}" y="{bottom + 18}" text-anchor="middle" fill="#555">{room:g}×</text>')
    drawn.append(f'<text x="{x(2)}" y="{bottom + 35}" text-anchor="middle" fill="#555">times better than promised</text>')
    for number, promise in enumerate(promises):
        y, colour = 26 + number * line, "#1a7f4b" if promise.is_kept else "#c62828"
        rooms = [x(promise.room(value)) for value in promise.figure.values]
        drawn.append(f'<text x="{left - 12}" y="{y + 4}" text-anchor="end">{escape(promise.what)}</text>')
        drawn.append(f'<path d="M{min(rooms)} {y}H{max(rooms)}" stroke="{colour}" stroke-width="3" stroke-linecap="round"/>')
        drawn.append(f'<circle cx="{x(promise.room(promise.figure.median))}" cy="{y}" r="5" fill="{colour}"/>')
    return "\n".join([*drawn, "</svg>"]) + "\n"
