"""Whatever guests and staff do, in whatever order: every answer is the one that the rules say, and it all adds up.

Hypothesis plays guests and staff through HTTP, beside a model in memory that knows the rules and nothing else.
"""

import datetime
import json
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from menus.models import Item
from orders.models import Order
from stores.models import Counters, Event
from tests.board_client import BoardClient, comparable
from tests.life import PROGRESS, Bill, Line, Ordered, following, nothing_went_back
from tests.world import line, make_choice, make_item, make_world, new_key, problem, staff_of, tablet_of

NOBODY = "00000000-0000-4000-8000-000000000000"
KINDS = ["help", "water", "cutlery", "bill"]


class Life(RuleBasedStateMachine):
    """One store with two tables; the menu has a dish, one with a size, and one of which there are few."""

    clock = None  # set by the test
    steps = 4
    count = 0

    orders, bills, calls, snapshots = Bundle("orders"), Bundle("bills"), Bundle("calls"), Bundle("snapshots")
    tables, who, versions = st.sampled_from([0, 1]), st.sampled_from(["manager", "owner"]), st.sampled_from(["right"] * 5 + ["wrong"])
    statuses = st.sampled_from(["the next"] * 8 + [*PROGRESS, "cancelled"])
    dishes = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3)), min_size=1, max_size=3)

    def __init__(self):
        super().__init__()
        Life.count += 1
        self.clock.set("2026-11-20T18:30:00+09:00")
        self.world = make_world(f"life{Life.count}", steps=self.steps)
        self.large = make_choice(self.world.items[1], options=[("large", 2000)])[0]
        make_item(self.world, price=700, stock=6)
        self.tablets = [tablet_of(table) for table in self.world.tables]
        self.staff = {"manager": staff_of(self.world.store, self.world.manager), "owner": staff_of(self.world.store, self.world.owner)}
        self.prices, self.stock, self.sold_out = [12000, 9000, 700], 6, False
        self.present: list[Bill | None] = [None, None]
        self.unsettled: list[list[Bill]] = [[], []]
        self.open_calls: list[dict] = [{}, {}]
        self.off: set[int] = set()
        self.numbers: dict[str, int] = {}

    # Guests

    @initialize(target=orders, first=dishes, second=dishes)
    def two_parties(self, first, second):
        placed = [self.place(0, first), self.place(1, second)]
        return multiple(*(order for order in placed if isinstance(order, Ordered)))

    @rule(target=orders, table=tables, wanted=dishes, large=st.booleans())
    def order(self, table, wanted, large):
        return self.place(table, wanted, large)

    @rule(target=orders, table=tables, wanted=dishes, belief=st.sampled_from(["right", "right", "another price", "another party"]))
    def order_with_a_belief(self, table, wanted, belief):
        return self.place(table, wanted, belief=belief)

    def place(self, table, wanted, large=False, belief=None):
        """The order, if the rules let it be one."""
        self.pass_time(seconds=1)  # newest first: two at the same instant would stand in any order
        items, bill = self.world.items, self.present[table]
        lines = [line(items[dish], quantity, *([self.large] if dish == 1 and large else [])) for dish, quantity in wanted]
        units = [self.prices[dish] + 2000 * (dish == 1 and large) for dish, _ in wanted]
        total = sum(unit * quantity for unit, (_, quantity) in zip(units, wanted, strict=True))
        body, key = {"lines": lines}, new_key()
        if belief:
            party = NOBODY if belief == "another party" else bill and bill.id
            body |= {"expected_total": total + (belief == "another price"), "session": party}
        answer = self.tablets[table].post("tablet/orders", body, key=key)
        if table in self.off:
            problem(answer, 401, "TOKEN_INVALID")
            return multiple()
        if belief == "another party":
            current = problem(answer, 409, "SESSION_CHANGED")["session"]
            assert (current and current["id"]) == (bill and bill.id)
            return multiple()
        few = sum(quantity for dish, quantity in wanted if dish == 2)
        if few and (self.sold_out or few > self.stock):
            problem(answer, 409, "SOLD_OUT")
            return multiple()
        if belief == "another price":
            assert problem(answer, 409, "PRICE_CHANGED")["total"] == total
            return multiple()
        assert answer.status_code == 201, answer.content
        order = answer.json()
        if bill is None:
            bill = self.present[table] = Bill(order["session"], table, self.clock.now, self.clock.now)
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
        if order.table not in self.off:
            answer = self.tablets[order.table].post("tablet/orders", order.body, key=order.key)
            order.is_shown_by(self.ok(answer))
            assert answer["Idempotent-Replayed"] == "true"

    @rule(target=calls, table=tables, kind=st.sampled_from(KINDS))
    def call(self, table, kind):
        answer = self.tablets[table].post("tablet/calls", {"kind": kind})
        if table in self.off:
            problem(answer, 401, "TOKEN_INVALID")
            return multiple()
        assert answer.status_code == (200 if kind in self.open_calls[table] else 201)
        call = answer.json()
        assert self.open_calls[table].setdefault(kind, call["id"]) == call["id"]
        return table, kind, call["id"]

    # Staff

    @rule(order=orders, status=statuses, version=versions)
    def move_order(self, order, status, version):
        status = following(order.status, self.steps) or order.status if status == "the next" else status
        answer = self.staff["manager"].patch(f"staff/orders/{order.id}", {"status": status, "version": self.version(order, version)})
        if order.status == status:
            return order.is_shown_by(self.ok(answer))
        behind = [line for line in order.lines if line.left and status in PROGRESS and PROGRESS.index(line.status) < PROGRESS.index(status)]
        self.move(answer, order, behind, status, version)

    @rule(order=orders, which=st.integers(0, 2), status=statuses, version=versions)
    def move_line(self, order, which, status, version):
        row = order.lines[which % len(order.lines)]
        status = following(row.status, self.steps) or row.status if status == "the next" else status
        body = {"status": status, "version": self.version(order, version)}
        answer = self.staff["manager"].patch(f"staff/orders/{order.id}/lines/{row.id}", body)
        if row.status == status:
            return order.is_shown_by(self.ok(answer))
        self.move(answer, order, [row], status, version)

    def move(self, answer, order, lines, status, version):
        if version == "wrong":
            return order.is_shown_by(problem(answer, 409, "VERSION_CONFLICT")["current"])
        legal = lines and all(following(row.status, self.steps) == status for row in lines)
        if not legal or order.bill.state == "completed":
            return order.is_shown_by(problem(answer, 409, "ILLEGAL_TRANSITION")["current"])
        for row in lines:
            row.status = status
        order.version += 1
        order.is_shown_by(self.ok(answer))

    @rule(order=orders, who=who, version=versions)
    def cancel_order(self, order, who, version):
        body = {"reason": "left", "version": self.version(order, version)}
        answer = self.staff[who].post(f"staff/orders/{order.id}/cancel", body)
        self.cancel(answer, order, [(row, row.left) for row in order.lines if row.left], who, version)

    @rule(order=orders, which=st.integers(0, 2), quantity=st.integers(1, 3), who=who, version=versions)
    def cancel_line(self, order, which, quantity, who, version):
        row = order.lines[which % len(order.lines)]
        body = {"reason": "cold", "version": self.version(order, version), "lines": [{"line": row.id, "quantity": quantity}]}
        answer = self.staff[who].post(f"staff/orders/{order.id}/cancel", body)
        self.cancel(answer, order, [(row, quantity)], who, version)

    def cancel(self, answer, order, asked, who, version):
        if not any(row.left for row, _ in asked):
            return order.is_shown_by(self.ok(answer))
        if version == "wrong":
            return order.is_shown_by(problem(answer, 409, "VERSION_CONFLICT")["current"])
        if who == "manager" and any(row.status in ("ready", "served") for row, _ in asked):
            return problem(answer, 403, "FORBIDDEN")
        if order.bill.state == "completed" or any(quantity > row.left for row, quantity in asked):
            return order.is_shown_by(problem(answer, 409, "ILLEGAL_TRANSITION")["current"])
        for row, quantity in asked:
            row.cancelled += quantity
            row.status = row.status if row.left else "cancelled"
            self.stock += quantity * row.counted
        order.version += 1
        order.is_shown_by(self.ok(answer))

    @precondition(lambda self: any(self.present) or any(self.unsettled))
    @rule(target=bills, table=tables, force=st.sampled_from([False, False, True]))
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
        assert {order["id"] for order in done["orders"]} == {order.id for order in bill.orders}
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

    @rule(data=st.data(), what=st.sampled_from(["menu", "number", "switch"]), table=tables)
    def manage(self, data, what, table):
        if what == "menu":
            self.change_the_menu(data.draw(st.booleans()), data.draw(st.sampled_from([700, 800])))
        elif what == "number":
            self.rename_a_table(table, data.draw(st.sampled_from(["1", "2", "12", "Terrace"])))
        else:
            self.switch_a_table(table)

    def change_the_menu(self, sold_out, price):
        self.ok(self.staff["owner"].patch(f"staff/items/{self.world.items[2].pk}", {"sold_out": sold_out, "price": price}))
        self.sold_out, self.prices[2] = sold_out, price

    def rename_a_table(self, table, number):
        answer = self.staff["manager"].patch(f"staff/tables/{self.world.tables[table].pk}", {"number": number})
        if number == self.world.tables[1 - table].number:
            problem(answer, 409, "TABLE_EXISTS")
        else:
            self.world.tables[table].number = self.ok(answer)["number"]

    def switch_a_table(self, table):
        """Off, and its tablet is out; on, and it signs in again."""
        self.ok(self.staff["manager"].patch(f"staff/tables/{self.world.tables[table].pk}", {"is_active": table in self.off}))
        self.off ^= {table}
        if table in self.off:
            problem(self.tablets[table].get("tablet/session"), 401, "TOKEN_INVALID")
        else:
            self.tablets[table] = tablet_of(self.world.tables[table])

    @rule(minutes=st.sampled_from([1, 5, 45, 130, 60 * 24]))
    def time_passes(self, minutes):
        self.pass_time(minutes=minutes)

    def pass_time(self, **amount):
        self.clock.advance(**amount)
        for table, bill in enumerate(self.present):
            if bill and bill.has_run_out(self.clock.now):
                bill.state = "expired"
                self.unsettled[table].append(bill)
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
                assert place in self.off and not (bill or self.unsettled[place] or self.open_calls[place])
                continue
            assert row["is_active"] == (place not in self.off)
            assert row["number"] == table.number
            assert bool(row["session"]) == bool(bill)
            if bill:
                bill.is_shown_by(row)
            else:
                assert (row["orders"], row["total"]) == ([], 0)
            assert [unsettled["session"]["id"] for unsettled in row["unsettled"]] == [bill.id for bill in self.unsettled[place]]
            for unsettled, expected in zip(row["unsettled"], self.unsettled[place], strict=True):
                expected.is_shown_by(unsettled)
            assert {call["kind"]: call["id"] for call in row["calls"]} == self.open_calls[place]
        assert Item.objects.get(pk=self.world.items[2].pk).stock == self.stock

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
        events, last = self.events(), Counters.objects.get(store=store).last_number
        assert [event["number"] for event in events] == list(range(1, last + 1))
        self.check_snapshot({"cursor": 0, "tables": []})  # the journal alone tells everything
        for day, count in self.numbers.items():
            orders = Order.objects.in_store(store).filter(business_day=datetime.datetime.strptime(day, "%Y%m%d").date())
            assert sorted(orders.values_list("number", flat=True)) == list(range(1, count + 1))
        nothing_went_back(event["data"] for event in events if event["type"].startswith("order."))

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
        max_examples=8 if steps == 4 else 4,
        stateful_step_count=40,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(play, settings=few)
