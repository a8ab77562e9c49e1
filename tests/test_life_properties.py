"""Whatever guests and staff do, in whatever order: every answer is the one that the rules say, and it all adds up.

Hypothesis plays guests and staff through HTTP, beside a model in memory that knows the rules and nothing else.
"""

import datetime
import json
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, precondition, rule, run_state_machine_as_test

from menus.models import Item
from orders.models import Order
from stores.models import Event, Journal
from tests.board_client import BoardClient, comparable
from tests.world import line, make_choice, make_item, make_world, new_key, problem, staff_of, tablet_of

PROGRESS = ["pending", "preparing", "ready", "served"]
STEPS = {4: PROGRESS, 3: ["pending", "preparing", "served"]}
KINDS = ["help", "water", "cutlery", "bill"]


# --- The model --------------------------------------------------------------------------------------------------


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


@dataclass
class Bill:
    id: str
    table: int
    last_order_at: datetime.datetime
    state: str = "active"
    orders: list[Ordered] = field(default_factory=list)

    @property
    def total(self):
        return sum(order.total for order in self.orders)

    @property
    def is_finished(self):
        return all(order.status in ("served", "cancelled") for order in self.orders)


# --- The play ---------------------------------------------------------------------------------------------------


class Life(RuleBasedStateMachine):
    """One store with two tables; the menu has a dish, one with a size, and one of which there are few."""

    clock = None  # set by the test
    steps = 4
    count = 0

    orders, bills, calls, snapshots = Bundle("orders"), Bundle("bills"), Bundle("calls"), Bundle("snapshots")
    tables, versions, who = st.sampled_from([0, 1]), st.sampled_from(["right", "right", "right", "wrong"]), st.sampled_from(["manager", "owner"])

    def __init__(self):
        super().__init__()
        Life.count += 1
        self.world = make_world(f"life{Life.count}", steps=self.steps)
        self.large = make_choice(self.world.items[1], options=[("large", 2000)])[0]
        make_item(self.world, price=700, stock=6)
        self.tablets = [tablet_of(table) for table in self.world.tables]
        self.staff = {"manager": staff_of(self.world.store, self.world.manager), "owner": staff_of(self.world.store, self.world.owner)}
        self.prices, self.stock, self.sold_out = [12000, 9000, 700], 6, False
        self.present: list[Bill | None] = [None, None]
        self.unsettled: list[list[Bill]] = [[], []]
        self.open_calls: list[dict] = [{}, {}]
        self.numbers: dict[str, int] = {}

    # Guests

    @rule(target=orders, table=tables, wanted=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3)), min_size=1, max_size=3), large=st.booleans())
    def order(self, table, wanted, large):
        items = self.world.items
        lines = [line(items[dish], quantity, *([self.large] if dish == 1 and large else [])) for dish, quantity in wanted]
        units = [self.prices[dish] + 2000 * (dish == 1 and large) for dish, _ in wanted]
        total = sum(unit * quantity for unit, (_, quantity) in zip(units, wanted, strict=True))
        body, key = {"lines": lines, "expected_total": total}, new_key()
        answer = self.tablets[table].post("tablet/orders", body, key=key)
        few = sum(quantity for dish, quantity in wanted if dish == 2)
        if few and (self.sold_out or few > self.stock):
            problem(answer, 409, "SOLD_OUT")
            return multiple()
        assert answer.status_code == 201, answer.content
        order = answer.json()
        bill = self.present[table]
        if bill is None:
            bill = self.present[table] = Bill(order["session"], table, self.clock.now)
        bill.last_order_at = self.clock.now
        self.stock -= few
        day = (self.clock.now.astimezone(ZoneInfo("Asia/Seoul")) - datetime.timedelta(hours=5)).strftime("%Y%m%d")
        self.numbers[day] = self.numbers.get(day, 0) + 1
        assert (order["session"], order["total"], order["version"]) == (bill.id, total, 1)
        assert order["order_number"] == f"{day}-{self.numbers[day]:04d}"
        made = [
            Line(row["id"], row["item"], unit, quantity, dish == 2)
            for row, unit, (dish, quantity) in zip(order["lines"], units, wanted, strict=True)
        ]
        bill.orders.append(Ordered(order["id"], table, bill, key, body, made))
        return bill.orders[-1]

    @rule(order=orders)
    def send_again(self, order):
        """Whatever has become of it meanwhile."""
        answer = self.tablets[order.table].post("tablet/orders", order.body, key=order.key)
        assert answer.status_code == 200
        self.check(order, answer.json())

    @rule(table=tables)
    def order_for_a_party_that_is_not_there(self, table):
        body = {"lines": [line(self.world.item)], "session": "00000000-0000-4000-8000-000000000000"}
        current = problem(self.tablets[table].post("tablet/orders", body, key=new_key()), 409, "SESSION_CHANGED")["session"]
        assert (current and current["id"]) == (self.present[table] and self.present[table].id)

    @rule(target=calls, table=tables, kind=st.sampled_from(KINDS))
    def call(self, table, kind):
        answer = self.tablets[table].post("tablet/calls", {"kind": kind})
        assert answer.status_code == (200 if kind in self.open_calls[table] else 201)
        call = answer.json()
        assert self.open_calls[table].setdefault(kind, call["id"]) == call["id"]
        return table, kind, call["id"]

    # Staff

    @rule(order=orders, status=st.sampled_from([*PROGRESS, "cancelled"]), version=versions)
    def move_order(self, order, status, version):
        answer = self.staff["manager"].patch(f"staff/orders/{order.id}", {"status": status, "version": self.version(order, version)})
        if order.status == status:
            return self.check(order, self.ok(answer))
        behind = [line for line in order.lines if line.left and status in PROGRESS and PROGRESS.index(line.status) < PROGRESS.index(status)]
        self.move(answer, order, behind, status, version)

    @rule(order=orders, which=st.integers(0, 2), status=st.sampled_from([*PROGRESS, "cancelled"]), version=versions)
    def move_line(self, order, which, status, version):
        row = order.lines[which % len(order.lines)]
        body = {"status": status, "version": self.version(order, version)}
        answer = self.staff["manager"].patch(f"staff/orders/{order.id}/lines/{row.id}", body)
        if row.status == status:
            return self.check(order, self.ok(answer))
        self.move(answer, order, [row], status, version)

    def move(self, answer, order, lines, status, version):
        steps = STEPS[self.steps]
        if version == "wrong":
            return self.check(order, problem(answer, 409, "VERSION_CONFLICT")["current"])
        legal = lines and all(row.status in steps[:-1] and steps[steps.index(row.status) + 1] == status for row in lines)
        if not legal or order.bill.state == "completed":
            return self.check(order, problem(answer, 409, "ILLEGAL_TRANSITION")["current"])
        for row in lines:
            row.status = status
        order.version += 1
        self.check(order, self.ok(answer))

    @rule(order=orders, who=who, version=versions)
    def cancel_order(self, order, who, version):
        body = {"reason": "left", "version": self.version(order, version)}
        answer = self.staff[who].post(f"staff/orders/{order.id}/cancel", body)
        if order.status == "cancelled":
            return self.check(order, self.ok(answer))
        self.cancel(answer, order, [(row, row.left) for row in order.lines if row.left], who, version)

    @rule(order=orders, which=st.integers(0, 2), quantity=st.integers(1, 3), who=who, version=versions)
    def cancel_line(self, order, which, quantity, who, version):
        row = order.lines[which % len(order.lines)]
        body = {"reason": "cold", "version": self.version(order, version), "lines": [{"line": row.id, "quantity": quantity}]}
        answer = self.staff[who].post(f"staff/orders/{order.id}/cancel", body)
        self.cancel(answer, order, [(row, quantity)], who, version)

    def cancel(self, answer, order, asked, who, version):
        if version == "wrong":
            return self.check(order, problem(answer, 409, "VERSION_CONFLICT")["current"])
        if who == "manager" and any(row.status in ("ready", "served") for row, _ in asked):
            return problem(answer, 403, "FORBIDDEN")
        if order.bill.state == "completed" or any(quantity > row.left for row, quantity in asked):
            return self.check(order, problem(answer, 409, "ILLEGAL_TRANSITION")["current"])
        for row, quantity in asked:
            row.cancelled += quantity
            row.status = row.status if row.left else "cancelled"
            self.stock += quantity * row.counted
        order.version += 1
        self.check(order, self.ok(answer))

    @rule(target=bills, table=tables, force=st.sampled_from([True, False]))
    def complete(self, table, force):
        answer = self.staff["manager"].post(f"staff/tables/{self.world.tables[table].pk}/complete", {"force": force})
        bill = self.present[table] or next(iter(self.unsettled[table]), None)
        if bill is None:
            problem(answer, 409, "NO_ACTIVE_SESSION")
            return multiple()
        if not bill.is_finished and not force:
            unfinished = {row["line"] for row in problem(answer, 409, "ORDERS_UNFINISHED")["lines"]}
            assert unfinished == {row.id for order in bill.orders for row in order.lines if row.left and row.status != "served"}
            return multiple()
        done = self.ok(answer)
        assert (done["session"]["id"], done["session"]["state"], done["total"]) == (bill.id, "completed", bill.total)
        assert [order["id"] for order in done["orders"]] != [] and {order["id"] for order in done["orders"]} == {order.id for order in bill.orders}
        if bill is self.present[table] or self.present[table] is None:
            self.open_calls[table].clear()
        self.settle(bill)
        return bill

    def settle(self, bill):
        bill.state = "completed"
        if self.present[bill.table] is bill:
            self.present[bill.table] = None
        else:
            self.unsettled[bill.table].remove(bill)

    @rule(bill=bills)
    def complete_again(self, bill):
        path = f"staff/tables/{self.world.tables[bill.table].pk}/complete"
        done = self.ok(self.staff["owner"].post(path, {"session": bill.id}))
        assert (done["session"]["id"], done["total"]) == (bill.id, bill.total)

    @rule(call=consumes(calls))
    def resolve(self, call):
        table, kind, id = call
        assert self.ok(self.staff["manager"].post(f"staff/calls/{id}/resolve"))["state"] == "resolved"
        if self.open_calls[table].get(kind) == id:
            del self.open_calls[table][kind]

    @rule(sold_out=st.booleans(), price=st.sampled_from([700, 800]))
    def change_the_menu(self, sold_out, price):
        self.ok(self.staff["owner"].patch(f"staff/items/{self.world.items[2].pk}", {"sold_out": sold_out, "price": price}))
        self.sold_out, self.prices[2] = sold_out, price

    @rule(table=tables, number=st.sampled_from(["1", "2", "12", "Terrace"]))
    def rename_a_table(self, table, number):
        answer = self.staff["manager"].patch(f"staff/tables/{self.world.tables[table].pk}", {"number": number})
        if number == self.world.tables[1 - table].number:
            problem(answer, 409, "TABLE_EXISTS")
        else:
            self.world.tables[table].number = self.ok(answer)["number"]

    @rule(table=tables, is_active=st.booleans())
    def switch_a_table(self, table, is_active):
        """Its tablet is out when it is switched off, and signs in again when it is on."""
        self.ok(self.staff["manager"].patch(f"staff/tables/{self.world.tables[table].pk}", {"is_active": False}))
        problem(self.tablets[table].get("tablet/session"), 401, "TOKEN_INVALID")
        self.is_as_modelled()
        self.ok(self.staff["manager"].patch(f"staff/tables/{self.world.tables[table].pk}", {"is_active": True}))
        self.tablets[table] = tablet_of(self.world.tables[table])

    @rule(minutes=st.sampled_from([1, 45, 130, 60 * 24]))
    def time_passes(self, minutes):
        self.clock.advance(minutes=minutes)
        for table, bill in enumerate(self.present):
            if bill and self.clock.now - bill.last_order_at >= datetime.timedelta(hours=2):
                bill.state = "expired"
                self.unsettled[table].append(bill)
                self.unsettled[table].sort(key=lambda bill: bill.last_order_at)
                self.present[table] = None

    # What must hold

    @rule(target=snapshots)
    def look_at_the_board(self):
        return self.board()

    @invariant()
    def is_as_modelled(self):
        board = self.board()
        shown = {table["id"]: table for table in board["tables"]}
        for place, table in enumerate(self.world.tables):
            row, bill = shown.get(str(table.pk)), self.present[place]
            if row is None:
                assert not (bill or self.unsettled[place] or self.open_calls[place])
                continue
            assert row["number"] == table.number
            assert (row["session"] and row["session"]["id"]) == (bill and bill.id)
            self.check_bill(bill, row)
            assert [unsettled["session"]["id"] for unsettled in row["unsettled"]] == [bill.id for bill in self.unsettled[place]]
            for unsettled, expected in zip(row["unsettled"], self.unsettled[place], strict=True):
                self.check_bill(expected, unsettled)
            assert {call["kind"]: call["id"] for call in row["calls"]} == self.open_calls[place]
        assert Item.objects.get(pk=self.world.items[2].pk).stock == self.stock

    def check_bill(self, bill, shown):
        assert shown["total"] == (bill.total if bill else 0) == sum(order["total"] for order in shown["orders"])
        assert {order["id"] for order in shown["orders"]} == {order.id for order in bill.orders} if bill else not shown["orders"]
        for order in bill.orders if bill else ():
            self.check(order, next(row for row in shown["orders"] if row["id"] == order.id))

    def check(self, order, shown):
        assert (shown["id"], shown["version"], shown["status"], shown["total"]) == (order.id, order.version, order.status, order.total)
        assert [(row["id"], row["status"], row["cancelled_quantity"], row["total"]) for row in shown["lines"]] == [
            (row.id, row.status, row.cancelled, row.unit_price * row.left) for row in order.lines
        ]

    @precondition(lambda self: self.world)
    @rule(snapshot=consumes(snapshots))
    def a_snapshot_and_the_events_after_it_are_a_fresh_snapshot(self, snapshot):
        self.check_snapshot(snapshot)

    def check_snapshot(self, snapshot):
        fresh, board = self.board(), BoardClient(snapshot)
        for event in self.events(after=snapshot["cursor"]):
            board.hear(event)
        assert board.shown() == comparable(fresh)

    def teardown(self):
        store = self.world.store
        events, last = self.events(), Journal.objects.get(store=store).last_number
        assert [event["number"] for event in events] == list(range(1, last + 1))
        self.check_snapshot({"cursor": 0, "tables": []})  # the journal alone tells everything
        for day, count in self.numbers.items():
            orders = Order.objects.in_store(store).filter(business_day=datetime.datetime.strptime(day, "%Y%m%d").date())
            assert sorted(orders.values_list("number", flat=True)) == list(range(1, count + 1))
        self.check_that_nothing_went_back(event["data"] for event in events if event["type"].startswith("order."))

    def check_that_nothing_went_back(self, orders):
        seen = {}
        for order in orders:
            for thing in [order, *order["lines"]]:
                now = [*PROGRESS, "cancelled"].index(thing["status"])
                assert now >= seen.get(thing["id"], 0)
                seen[thing["id"]] = now

    # Tools

    def board(self):
        return self.ok(self.staff["manager"].get("staff/board"))

    def events(self, after=0):
        bodies = Event.objects.in_store(self.world.store).filter(number__gt=after).order_by("number").values_list("body", flat=True)
        return [json.loads(body) for body in bodies]

    def ok(self, answer):
        assert answer.status_code == 200, answer.content
        return answer.json()

    def version(self, order, which):
        return order.version if which == "right" else order.version + 1


@pytest.mark.parametrize("steps", [4, 3])
def test_any_sequence_of_guests_and_staff_adds_up(db, clock, steps):
    play = type("Play", (Life,), {"clock": clock, "steps": steps})
    few = settings(
        max_examples=12, stateful_step_count=40, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(play, settings=few)
