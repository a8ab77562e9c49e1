"""A load by wrk, as exact as an order needs it: how many were acknowledged, and how long each of them took."""

import itertools
import math
import re
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .cast import Request
from .figures import Timed

SCRIPT = Path(__file__).with_name("wrk.lua")
PATIENCE = 30  # seconds for the answers that are still under way when nothing more is asked
_runs = itertools.count(1)


@dataclass(frozen=True)
class Answers(Timed):
    statuses: Counter[int]
    seconds: float  # from the first question to the last answer
    latencies: list[float]  # milliseconds, sorted

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    def only(self, status: int) -> int:
        """How many answers; all of them must have this status."""
        return self.among(status)[status]

    def among(self, *statuses: int) -> Counter[int]:
        """How many of each; there must be some, and none with another status."""
        if not self.statuses or not set(self.statuses) <= set(statuses):
            raise SystemExit(f"answers other than {statuses}: {dict(self.statuses)}")
        return self.statuses


def ask(address: str, requests: Sequence[Request], *, clients: int, seconds: float) -> Answers:
    """So many clients, each of them asking as soon as it has its answer."""
    with tempfile.TemporaryDirectory() as folder:
        questions, answers = Path(folder) / "questions", Path(folder) / "answers"
        questions.write_text("".join(f"{each.method}\t{each.path}\t{each.token}\t{each.body}\n" for each in requests))
        command = ["wrk", "-t1", f"-c{clients}", f"-d{math.ceil(seconds) + PATIENCE}s", f"--timeout={PATIENCE}s", f"-s{SCRIPT}", address]
        # Keys are never used twice in one database.
        command += ["--", str(questions), str(seconds), str(answers), f"bench-run-{next(_runs)}"]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        if "Socket errors" in said:
            raise SystemExit(said)
        rows = [line.split() for line in answers.read_text().splitlines()]
    began, ended = min(int(asked) for _, asked, _ in rows), max(int(came) for *_, came in rows)
    latencies = sorted((int(came) - int(asked)) / 1000 for _, asked, came in rows)
    return Answers(Counter(int(status) for status, *_ in rows), (ended - began) / 1e6, latencies)


@dataclass(frozen=True)
class Rate:
    count: int
    rate: float
    p99: float  # milliseconds


def repeat(url: str, headers: dict[str, str], *, clients: int, seconds: float) -> Rate:
    """The same question again and again, by wrk alone: what it costs the machine is next to nothing."""
    said_headers = [f"-H{name}: {value}" for name, value in headers.items()]
    command = ["wrk", "-t1", f"-c{clients}", f"-d{math.ceil(seconds)}s", "--latency", *said_headers, url]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Socket errors" in said or "Non-2xx or 3xx" in said:
        raise SystemExit(said)
    amount, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", said).groups()
    count, rate = re.search(r"(\d+) requests in", said)[1], re.search(r"Requests/sec:\s+([\d.]+)", said)[1]
    return Rate(int(count), float(rate), float(amount) * {"us": 0.001, "ms": 1, "s": 1000}[unit])


@dataclass(frozen=True)
class Fetched:
    status: int
    headers: Mapping[str, str]
    body: bytes


def fetch(url: str, headers: dict[str, str]) -> Fetched:
    """One question, its answer as it came over the wire."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            return Fetched(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as answer:  # a 304 too
        return Fetched(answer.status, answer.headers, answer.read())
