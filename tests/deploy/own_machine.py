"""A machine of our own inside this one: its /etc, /srv, /var and /run can be changed and it has a network for itself,
so everything may lie and listen where it does in production. It is gone with the process, and so is all that it started.

Needs root. systemd can't run in it; tests/deploy/systemctl.py does with the units what systemd would.
"""

import os
import subprocess
import sys
from pathlib import Path

PRIVATE = ("/etc", "/srv", "/var", "/run", "/usr/local/sbin")


def enter(module: str):
    """Begins the program anew inside; returns in there only."""
    if os.environ.get("OWN_MACHINE") != "inside":
        os.environ["OWN_MACHINE"] = "inside"
        own = ["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
        os.execvp("unshare", ["unshare", *own, sys.executable, "-m", module, *sys.argv[1:]])
    _run("ip", "link", "set", "lo", "up")
    _run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/mnt")
    for place in PRIVATE:
        _cover(Path(place))
    # The Python of whoever runs this may lie where only root may look.
    for python in (Path(sys.prefix), Path(sys.base_prefix).resolve()):
        for folder in reversed(python.parents):
            if not folder.stat().st_mode & 0o001:
                _cover(folder)


def _cover(place: Path):
    """What is written to it from now on goes into memory, and everybody may look into it."""
    upper, work = (Path("/mnt") / kind / str(place).strip("/").replace("/", "-") for kind in ("upper", "work"))
    for folder in (upper, work):
        folder.mkdir(parents=True, mode=0o755)
    _run("mount", "-t", "overlay", "-o", f"lowerdir={place},upperdir={upper},workdir={work}", "overlay", place)


def _run(*command):
    subprocess.run([str(part) for part in command], check=True)
