"""Where the CPU time of an order, a menu and a board goes (benchmarks/profile.py)."""

import json
import subprocess
import sys
from collections import defaultdict

from .figures import Report, Spread
from .profile import SUBJECTS
from .scene import Scene


def measure(scene: Scene) -> list[Report]:
    """Each in a process of its own: it becomes the program."""
    layers, requests = defaultdict(dict), 200 if scene.quick else 2000
    for subject in SUBJECTS:
        command = [sys.executable, "-m", "benchmarks.profile", "--of", subject, "--requests", str(requests), "--json"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        for layer, milliseconds in json.loads(done.stdout).items():
            layers[layer][f"{subject}, ms"] = milliseconds
    most_first = sorted(layers, key=lambda layer: -sum(layers[layer].values()))
    rows = {layer: {subject: Spread([milliseconds]) for subject, milliseconds in layers[layer].items()} for layer in most_first}
    rows["all"] = {f"{subject}, ms": Spread([sum(row.get(f"{subject}, ms", 0) for row in layers.values())]) for subject in SUBJECTS}
    says = (
        "CPU time of a request in one worker that has a core to itself, by whose code ran. `python -m benchmarks.profile` says it by "
        "file and by function too."
    )
    return [Report("Where the time goes", says, rows)]
