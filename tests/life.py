"""The rules of an order's life, in memory: what the program is compared with. It knows neither rows nor locks."""

import datetime
from dataclasses import dataclass, field

PROGRESS = ["pending", "preparing", "ready", "served"]
STEPS = {4: PROGRESS, 3: ["pending", "preparing", "served"]}


@dataclass
class Line:
    id: str
    item: str
    unit_price: int
    quantity: int
    counted: bool
    cancelled: int = 0
    status: str = "pending"

    @property
    def left(self):
        return self.quantity - self.cancelled


@dataclass
class Ordered:
    id: str
    table: int
    bill: "Bill"
    key: str
    body: dict
    lines: list[Line]
    version: int = 1

    @property
    def status(self):
        live = [line.status for line in self.lines if line.left]
        return min(live, key=PROGRESS.index) if live else "cancelled"

    @property
    def total(self):
        return sum(line.unit_price * line.left for line in self.lines)

    def is_shown_by(self, shown: dict):
        """Asserts that this Order on the wire is this one."""
        assert (shown["id"], shown["version"], shown["status"], shown["total"]) == (self.id, self.version, self.status, self.total)
        assert [(row["id"], row["status"], row["cancelled_quantity"], row["total"]) for row in shown["lines"]] == [
            (row.id, row.status, row.cancelled, row.unit_price * row.left) for row in self.lines
        ]


@dataclass
class Bill:
    id: str
    table: int
    started_at: datetime.datetime
    last_order_at: datetime.datetime
    state: str = "active"
    orders: list[Ordered] = field(default_factory=list)

    @property
    def total(self):
        return sum(order.total for order in self.orders)

    @property
    def is_finished(self):
        return all(order.status in ("served", "cancelled") for order in self.orders)

    def has_run_out(self, now) -> bool:
        return now - self.started_at >= datetime.timedelta(hours=16) or now - self.last_order_at >= datetime.timedelta(hours=2)

    def is_shown_by(self, shown: dict):
        """Asserts that this bill on the board is this one."""
        assert (shown["session"]["id"], shown["session"]["state"]) == (self.id, self.state)
        assert shown["total"] == self.total == sum(order["total"] for order in shown["orders"])
        by_id = {order["id"]: order for order in shown["orders"]}
        assert by_id.keys() == {order.id for order in self.orders}
        for order in self.orders:
            order.is_shown_by(by_id[order.id])


def following(status: str, steps: int) -> str | None:
    """The state that comes after this one in a store with so many steps; None after the last."""
    states = STEPS[steps]
    return states[states.index(status) + 1] if status in states[:-1] else None


def nothing_went_back(orders):
    """Asserts it of orders and their lines, as events told them one after the other."""
    seen = {}
    for order in orders:
        for thing in [order, *order["lines"]]:
            now = [*PROGRESS, "cancelled"].index(thing["status"])
            assert now >= seen.get(thing["id"], 0), thing
            seen[thing["id"]] = now
