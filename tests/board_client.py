"""The smallest board that is right: a snapshot, then the events after its cursor.

What has a version is kept by the highest one. A session or a call has none, but goes one way only, so its furthest
state is kept. Whatever comes twice, or is in the snapshot already, changes nothing then.
"""

FURTHER = ["active", "expired", "completed", "open", "resolved"]


class BoardClient:
    def __init__(self, snapshot: dict):
        self.cursor = snapshot["cursor"]
        self.tables, self.orders, self.sessions, self.calls = {}, {}, {}, {}
        for shown in snapshot["tables"]:
            self.tables[shown["id"]] = {name: shown[name] for name in ("id", "number", "is_active", "version")}
            for bill in [shown, *shown["unsettled"]]:
                if bill["session"]:
                    self.sessions[bill["session"]["id"]] = bill["session"] | {"table": shown["id"]}
                self.orders |= {order["id"]: order for order in bill["orders"]}
            self.calls |= {call["id"]: call for call in shown["calls"]}

    def hear(self, event: dict):
        assert event["number"] == self.cursor + 1, "a hole in the journal"
        self.cursor = event["number"]
        kind, data = event["type"].partition(".")[0], event["data"]
        if kind in ("order", "table"):
            kept = getattr(self, f"{kind}s")
            if data["version"] > kept.get(data["id"], {"version": 0})["version"]:
                kept[data["id"]] = data
        elif kind in ("session", "call"):
            kept = getattr(self, f"{kind}s")
            if data["id"] not in kept or FURTHER.index(data["state"]) > FURTHER.index(kept[data["id"]]["state"]):
                kept[data["id"]] = data | {"table": event["table"]} if kind == "session" else data

    def shown(self) -> list[dict]:
        """The board's tables, as a fresh snapshot would have them."""
        tables = [self._table(table) for table in self.tables.values()]
        seen = [table for table in tables if table["is_active"] or table["session"] or table["unsettled"] or table["calls"]]
        return sorted(seen, key=lambda table: (len(table["number"]), table["number"], table["id"]))

    def _table(self, table):
        reference = {"id": table["id"], "number": table["number"]}
        bills = [self._bill(session, reference) for session in self.sessions.values() if session["table"] == table["id"]]
        active = next((bill for bill in bills if bill["session"]["state"] == "active"), {"session": None, "total": 0, "orders": []})
        unsettled = [bill for bill in bills if bill["session"]["state"] == "expired"]
        calls = [
            call | {"table": reference} for call in self.calls.values() if call["table"]["id"] == table["id"] and call["state"] == "open"
        ]
        return {
            **table,
            **active,
            "unsettled": sorted(unsettled, key=lambda bill: (bill["session"]["started_at"], bill["session"]["id"])),
            "calls": sorted(calls, key=lambda call: (call["opened_at"], call["id"])),
        }

    def _bill(self, session, table):
        orders = [order | {"table": table} for order in self.orders.values() if order["session"] == session["id"]]
        orders.sort(key=lambda order: (order["placed_at"], order["id"]), reverse=True)
        told = {name: session[name] for name in ("id", "state", "started_at", "completed_at", "ordering_open")}
        return {"session": told, "total": sum(order["total"] for order in orders), "orders": orders}


def comparable(snapshot: dict) -> list[dict]:
    """A snapshot's tables without `expires_at`, which moves with every order and is no event."""
    tables = []
    for table in snapshot["tables"]:
        bills = [{**bill, "session": _without_expiry(bill["session"])} for bill in table["unsettled"]]
        tables.append({**table, "session": _without_expiry(table["session"]), "unsettled": bills})
    return tables


def _without_expiry(session):
    return session and {name: value for name, value in session.items() if name != "expires_at"}
