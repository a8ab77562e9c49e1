"""`make vendor`: what we keep of other people's JavaScript, from the npm registry, with version, licence and checksums.

Only needed to move to another version: change it here, run it, look at the difference, run the tests.
"""

import hashlib
import json
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
LIT = [*("lit-html.js", "directive.js", "directive-helpers.js"), *(f"directives/{name}.js" for name in ("class-map", "live", "repeat"))]
KEPT = {
    # Both pages draw with it.
    "lit-html": {"version": "3.3.3", "folder": "tablet/vendor/lit-html", "files": [*LIT, "LICENSE"]},
    # Looks for barriers in the tests; nobody is served it.
    "axe-core": {"version": "4.14.1", "folder": "tests/screens/vendor/axe-core", "files": ["axe.min.js", "LICENSE"]},
}


def fetch(name: str, version: str, folder: str, files: list[str]):
    with tempfile.TemporaryDirectory() as place:
        packed = subprocess.run(["npm", "pack", "--json", f"{name}@{version}"], cwd=place, check=True, capture_output=True, text=True)
        [package] = json.loads(packed.stdout)  # npm has compared the archive with the registry's checksum
        with tarfile.open(Path(place) / package["filename"]) as archive:
            content = {file: archive.extractfile(f"package/{file}").read() for file in files}
            licence = json.load(archive.extractfile("package/package.json"))["license"]
    kept = {file: without_source_map(text) if file.endswith(".js") else text for file, text in content.items()}
    for file, text in kept.items():
        target = ROOT / folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text)
    facts = {
        "name": name,
        "version": version,
        "licence": licence,
        "integrity": package["integrity"],
        "sha256": {file: hashlib.sha256(text).hexdigest() for file, text in sorted(kept.items())},
    }
    (ROOT / folder / "VERSION.json").write_text(json.dumps(facts, indent=2) + "\n")


def without_source_map(text: bytes) -> bytes:
    """A browser's developer tools would ask for a file that we don't have."""
    return re.sub(rb"\n//# sourceMappingURL=.*\n?", b"\n", text)


if __name__ == "__main__":
    for name, wanted in KEPT.items():
        fetch(name, **wanted)
