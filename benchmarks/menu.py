"""The guest's menu of 60 items, beside the same bytes from a bare Django view and a bare ASGI application."""

import tempfile
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

from .cast import open_menu
from .figures import Promise, Report, Spread
from .layout import WORKERS, bare
from .load import fetch, repeat
from .scene import Scene
from .statements import in_trips

PATH = "/api/v1/tablet/menu"
CLIENTS, DISHES = 50, 60


def measure(scene: Scene) -> list[Report]:
    token = open_menu("sixty", dishes=DISHES).token
    ours = {"Authorization": f"Bearer {token}"}
    menu = scene.program.api.address + PATH
    plain = fetch(menu, ours)
    gzip = fetch(menu, ours | {"Accept-Encoding": "gzip"})
    unchanged = fetch(menu, ours | {"If-None-Match": plain.headers["ETag"]})
    assert (plain.status, gzip.status, unchanged.status) == (200, 200, 304)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        said = {"said": {token: in_trips(token)}, "database": scene.program.database}
        django, asgi = map(stack.enter_context, bare(Path(folder), plain=plain.body, gzip=gzip.body, **said))
        questions = {
            "menu": (scene.program.api, PATH, ours),
            "menu, 304": (scene.program.api, PATH, ours | {"If-None-Match": plain.headers["ETag"]}),
            "menu, gzip": (scene.program.api, PATH, ours | {"Accept-Encoding": "gzip"}),
            "bare Django view": (django, "/", {}),
            "bare Django view, gzip": (django, "/gzip", {}),
            "bare Django view, one statement": (django, "/said", ours),
            "bare ASGI application": (asgi, "/", {}),
        }
        figures = defaultdict(lambda: defaultdict(list))
        for _ in range(scene.rounds):
            for name, (service, path, headers) in questions.items():
                with scene.cost_of(service) as cost:
                    answers = repeat(service.address + path, headers, clients=CLIENTS, seconds=scene.seconds / 2)
                figures[name]["requests/s"].append(answers.rate)
                figures[name]["p99 ms"].append(answers.p99)
                figures[name]["Python ms"].append(1000 * cost.python / answers.count)
            for name in ("menu", "menu, 304", "menu, gzip", "bare Django view, one statement"):
                limit = "bare Django view, gzip" if name == "menu, gzip" else "bare Django view"
                figures[name]["share of the bare view"].append(figures[name]["requests/s"][-1] / figures[limit]["requests/s"][-1])
            scene.say("menu: a round")
    rows = {name: {measure: Spread(values) for measure, values in found.items()} for name, found in figures.items()}
    packed = f", {len(gzip.body):,} compressed" if gzip.headers.get("Content-Encoding") == "gzip" else " (the program does not compress it)"
    report = Report(
        "Menu",
        f"{DISHES} items, {len(plain.body):,} bytes{packed}, {CLIENTS} clients, {WORKERS} workers each. "
        "The bare ones send the very same bytes and do nothing else: no token, no database, no middleware. The one that says one "
        "statement says the one that finds the caller, and makes nothing of the answer: no Django view here that asks the database for "
        "each menu is quicker.",
        rows,
        [
            Promise("Menu as a share of a bare Django view's rate", rows["menu"]["share of the bare view"], at_least=0.6),
            Promise("Menu, compressed, likewise", rows["menu, gzip"]["share of the bare view"], at_least=0.6),
            Promise("Menu unchanged (304), likewise", rows["menu, 304"]["share of the bare view"], at_least=0.8),
        ],
    )
    return [report]
