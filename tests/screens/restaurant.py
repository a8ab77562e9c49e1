"""The demo's restaurant behind the screens: what staff and other tablets do over the API while a page is looked at."""

import json
import subprocess
import sys
import uuid

import httpx

from tests.own_server import ROOT, OwnServer

PASSWORDS = {"hanok": "demo-seoul-77", "plaza": "demo-harbor-88", "admin": "demo-operator-99"}
TABLE_PASSWORDS = {"hanok": "hanok-1234", "plaza": "plaza-5678"}
NO_LIMITS = dict.fromkeys(("RATE_LIMIT_PER_MINUTE", "ORDER_RATE_PER_MINUTE", "LOGIN_RATE_PER_MINUTE"), "0")


def open_restaurant(folder) -> OwnServer:
    """The real program on a fresh database with the demo's stores."""
    server = OwnServer(folder, MEDIA_ROOT=str(folder / "media"), **NO_LIMITS)
    for command in (["migrate", "--verbosity", "0"], ["demo", "--json"]):
        subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=server.environment, check=True, capture_output=True)
    return server


class Restaurant:
    """One store, with its owner at work."""

    def __init__(self, url: str, code: str, *, password: str = "", table_password: str = ""):
        self.url, self.code = url, code
        self.table_password = table_password or TABLE_PASSWORDS[code]
        self.http = httpx.Client(base_url=f"{url}/api/v1/", timeout=30)
        signed_in = self.ask("POST", "staff/login", store=code, username=f"{code}-owner", password=password or PASSWORDS[code])
        self.http.headers["Authorization"] = f"Bearer {signed_in['access']}"
        self.store = signed_in["store"]
        self._devices = {}
        self._before = {}  # items that were changed, as they were
        self._sold_out = []  # options
        self.read_again()

    def read_again(self):
        self.tables = {table["number"]: table["id"] for table in self.ask("GET", "staff/tables?limit=100")["results"]}
        self.items = {item["name"]: item for item in self.ask("GET", "staff/items?limit=100")["results"]}

    def ask(self, method: str, path: str, headers=None, **body):
        answer = self.http.request(method, path, json=body if method != "GET" else None, headers=headers)
        assert answer.is_success, (answer.status_code, answer.text)
        return answer.json() if answer.content else None

    # --- Tables ---

    def device(self, number: str) -> dict:
        """What a tablet keeps once it is signed in at this table."""
        if number not in self._devices:
            signed_in = self.ask("POST", "tablet/login", store=self.code, table=number, password=self.table_password)
            self._devices[number] = signed_in | {"endsAt": 4_000_000_000_000}
        return self._devices[number]

    def forget_device(self, number: str):
        self._devices.pop(number, None)

    def at_the_tablet(self, number: str) -> dict:
        return {"Authorization": f"Bearer {self.device(number)['access']}"}

    def order(self, number: str, *names: str, quantity: int = 1, note: str = "", line_note: str = "") -> dict:
        """As another page of that tablet would place it. With the choices that each dish demands."""
        lines = [
            {"item": self.items[name]["id"], "quantity": quantity, "options": self.demanded(name), "note": line_note} for name in names
        ]
        headers = self.at_the_tablet(number) | {"Idempotency-Key": uuid.uuid4().hex}
        return self.ask("POST", "tablet/orders", headers, lines=lines, note=note)

    def demanded(self, name: str) -> list[str]:
        groups = self.items[name]["option_groups"]
        return [option["id"] for group in groups for option in [o for o in group["options"] if not o["sold_out"]][: group["min"]]]

    def call(self, number: str, kind: str) -> dict:
        return self.ask("POST", "tablet/calls", self.at_the_tablet(number), kind=kind)

    def board(self, number: str) -> dict:
        tables = self.ask("GET", "staff/board")["tables"]
        return next(table for table in tables if table["number"] == number)

    def orders(self, number: str) -> list[dict]:
        """All of the present party, and of those that are unsettled."""
        shown = self.board(number)
        return shown["orders"] + [order for bill in shown["unsettled"] for order in bill["orders"]]

    def move(self, order: dict, status: str) -> dict:
        return self.ask("PATCH", f"staff/orders/{order['id']}", status=status, version=order["version"])

    def complete(self, number: str):
        self.ask("POST", f"staff/tables/{self.tables[number]}/complete", force=True)

    def rename(self, number: str, other: str):
        self.ask("PATCH", f"staff/tables/{self.tables[number]}", number=other)
        self.read_again()
        self.forget_device(number)

    def cut_off(self, number: str):
        self.ask("POST", f"staff/tables/{self.tables[number]}/sign-out")
        self.forget_device(number)

    def clear(self, number: str):
        shown = self.board(number)
        for _ in range(bool(shown["session"]) + len(shown["unsettled"])):
            self.complete(number)
        for call in self.board(number)["calls"]:
            self.ask("POST", f"staff/calls/{call['id']}/resolve")

    # --- The menu ---

    def change_item(self, name: str, /, **fields):
        item = self.items[name]
        before = self._before.setdefault(item["id"], {})
        for field in fields:
            before.setdefault(field, item[field])
        self.ask("PATCH", f"staff/items/{item['id']}", **fields)

    def sell_out(self, *options: str):
        for id in options:
            self._sold_out.append(id)
            self.ask("PATCH", f"staff/options/{id}", sold_out=True)

    def has_again(self, *options: str):
        for id in options:
            self._sold_out.remove(id)
            self.ask("PATCH", f"staff/options/{id}", sold_out=False)

    def change_back(self):
        self.has_again(*self._sold_out)
        for id, fields in self._before.items():
            self.ask("PATCH", f"staff/items/{id}", **fields)
        self._before.clear()


def as_text(value) -> str:
    return json.dumps(value, ensure_ascii=False)
