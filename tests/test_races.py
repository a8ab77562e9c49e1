"""Two at the same moment. What the locks and constraints promise, on the database that the tests run on.

A test called `control` runs the naive program in the same situation and shows that there it goes wrong: otherwise
the test beside it would prove nothing.
"""

import time
from collections import Counter
from unittest import mock

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import F, Max
from django.test.utils import CaptureQueriesContext

from menus.models import Item
from orders import kitchen, services
from orders.models import Order, OrderLine
from sessions_app.models import ServiceCall, TableSession
from stores import audit, journal, login_limits
from stores.models import Event, Journal, Table, TableQuerySet, User
from tableorder import transactions
from tests.threads import at_once, begin, connections_for, is_waiting, stopped_before
from tests.world import (
    PASSWORD,
    TABLE_PASSWORD,
    Caller,
    make_item,
    make_world,
    new_key,
    order_for,
    place,
    problem,
    staff_of,
    tablet_of,
)

ORDERS = "tablet/orders"

# SQLite has no row locks: BEGIN IMMEDIATE lets one writer in at a time, so a program without our locks is safe there too.
needs_row_locks = pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite lets one writer in at a time anyway")


@pytest.fixture
def ours(transactional_db):
    return make_world("ours")


@pytest.fixture
def theirs(transactional_db):
    return make_world("theirs")


@pytest.fixture
def without_the_lock(monkeypatch):
    """The naive program: it looks at the table's row and does not lock it."""
    monkeypatch.setattr(TableQuerySet, "lock", TableQuerySet.get_or_absent)


@pytest.fixture
def deadlocks(monkeypatch):
    """How often the database gave up a transaction because of another one. `whole` would hide it by trying again."""
    found = []

    def spy(error, original=transactions.wants_retry):
        asked_for = original(error)
        found.extend([error] * asked_for)
        return asked_for

    monkeypatch.setattr(transactions, "wants_retry", spy)
    return found


def orders_from(token: str, *bodies_and_keys):
    """A tablet that sends these orders one after the other; its answers."""
    tablet = Caller(token)
    return [tablet.post(ORDERS, body, key=key) for body, key in bodies_and_keys]


def statuses(answers) -> Counter:
    return Counter(answer.status_code for answer in answers)


def events_of(world, *types) -> list[str]:
    found = Event.objects.in_store(world.store).order_by("number")
    return list((found.filter(type__in=types) if types else found).values_list("type", flat=True))


# --- The same order twice ---------------------------------------------------------------------------------------


def test_the_same_key_from_many_threads_is_one_order(ours):
    token, body = tablet_of(ours.table).token, order_for(ours.item, quantity=2)
    with connections_for(16):
        answers = [answer for (answer,) in at_once(*[lambda: orders_from(token, (body, "tap-0001"))] * 16)]
    assert statuses(answers) == {201: 1, 200: 15}
    assert len({answer.content for answer in answers}) == 1
    assert all((answer.status_code == 200) == (answer.get("Idempotent-Replayed") == "true") for answer in answers)
    assert Order.objects.count() == 1
    assert OrderLine.objects.count() == 1
    assert TableSession.objects.get().total == 24000
    assert events_of(ours, "session.started", "order.placed") == ["session.started", "order.placed"]


def test_a_repeat_waits_for_the_first_and_gets_its_order(ours):
    body, tablet, again = order_for(ours.item), tablet_of(ours.table), tablet_of(ours.table)
    with stopped_before(journal, "turn") as stop:
        first = begin(tablet.post, ORDERS, body, key="tap-0001")
        stop.wait_until_reached()
        second = begin(again.post, ORDERS, body, key="tap-0001")
        assert is_waiting(second)
        stop.let_go()
        assert (first.result().status_code, second.result().status_code) == (201, 200)
    assert first.result().json() == second.result().json()


def test_a_repeat_of_an_order_that_is_refused_meanwhile_is_tried_on_its_own(ours):
    """The first fails at its very end, as when its worker dies; the second does not wait for ever and orders."""
    body, tablet, again = order_for(ours.item), tablet_of(ours.table), tablet_of(ours.table)
    failing_once = mock.patch.object(journal, "write", wraps=journal.write, side_effect=[OperationalError("gone"), mock.DEFAULT])
    with stopped_before(journal, "turn") as stop, failing_once:
        first = begin(tablet.post, ORDERS, body, key="tap-0001")
        stop.wait_until_reached()
        second = begin(again.post, ORDERS, body, key="tap-0001")
        assert is_waiting(second)
        stop.let_go()
        problem(first.result(), 503, "SERVICE_UNAVAILABLE")
        assert second.result().status_code == 201
    assert Order.objects.count() == 1
    assert events_of(ours, "session.started", "order.placed") == ["session.started", "order.placed"]


def test_the_same_key_from_two_tables_is_one_order_and_one_refusal(ours):
    body, here, there = order_for(ours.item), tablet_of(ours.tables[0]), tablet_of(ours.tables[1])
    with stopped_before(journal, "turn") as stop:
        first = begin(here.post, ORDERS, body, key="tap-0001")
        stop.wait_until_reached()
        second = begin(there.post, ORDERS, body, key="tap-0001")
        assert is_waiting(second)
        stop.let_go()
        assert first.result().status_code == 201
        problem(second.result(), 422, "IDEMPOTENCY_KEY_REUSED")
    assert Order.objects.get().table == ours.tables[0]
    assert TableSession.objects.count() == 1


# --- Stock ------------------------------------------------------------------------------------------------------


def test_the_last_five_portions_have_five_winners(ours, deadlocks):
    item = make_item(ours, stock=5)
    with connections_for(20):
        tokens = [tablet_of(table).token for table in make_tables(ours, 20)]
        rounds = [[(order_for(item), new_key()) for _ in range(10)] for _ in tokens]
        calls = [lambda token=token, asked=asked: orders_from(token, *asked) for token, asked in zip(tokens, rounds, strict=True)]
        answers = [answer for some in at_once(*calls) for answer in some]
    assert statuses(answers) == {201: 5, 409: 195}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"SOLD_OUT"}
    assert Order.objects.count() == 5
    assert Item.objects.get(pk=item.pk).stock == 0
    assert sum(TableSession.objects.values_list("total", flat=True)) == 50000
    assert not deadlocks


def test_control_reading_and_then_writing_sells_the_last_portion_twice(ours):
    item = make_item(ours, stock=1)

    def take():
        stock = Item.objects.get(pk=item.pk).stock
        time.sleep(0.2)
        if stock > 0:
            Item.objects.filter(pk=item.pk).update(stock=stock - 1)
        return stock > 0

    assert at_once(take, take) == [True, True]


def test_the_same_dishes_in_opposite_order_never_deadlock(ours, deadlocks):
    first, second = sorted((make_item(ours, stock=1000), make_item(ours, stock=1000)), key=lambda item: item.pk)
    with connections_for(8):
        tokens = [tablet_of(table).token for table in make_tables(ours, 8)]
        rounds = [
            [(order_for(*((first, second) if (turn + row) % 2 else (second, first))), new_key()) for row in range(8)]
            for turn in range(len(tokens))
        ]
        calls = [lambda token=token, asked=asked: orders_from(token, *asked) for token, asked in zip(tokens, rounds, strict=True)]
        answers = [answer for some in at_once(*calls) for answer in some]
    assert statuses(answers) == {201: 64}
    assert set(Item.objects.filter(pk__in=[first.pk, second.pk]).values_list("stock", flat=True)) == {936}
    assert not deadlocks


@needs_row_locks
def test_control_stock_taken_in_the_order_of_the_lines_deadlocks(ours):
    items = make_item(ours, stock=1000), make_item(ours, stock=1000)

    def take(*items):
        try:
            with transaction.atomic():
                for item in items:
                    Item.objects.filter(pk=item.pk).update(stock=F("stock") - 1)
                    time.sleep(0.2)
        except OperationalError as error:
            if not transactions.wants_retry(error):
                raise
            return False
        return True

    assert sorted(at_once(lambda: take(*items), lambda: take(*reversed(items)))) == [False, True]


@needs_row_locks
def test_an_order_locks_its_table_first_then_its_items_by_id_then_the_counter(ours):
    items = [make_item(ours, stock=9) for _ in range(3)]
    tablet = tablet_of(ours.table)
    with CaptureQueriesContext(connection) as statements:
        assert tablet.post(ORDERS, order_for(*items), key=new_key()).status_code == 201
    sql = [statement["sql"].replace("`", '"') for statement in statements]
    locks = [text for text in sql if " FOR " in text and "UPDATE" in text.rpartition(" FOR ")[2]]
    assert [text.partition(' FROM "')[2].partition('"')[0] for text in locks] == ["stores_table", "menus_item"]
    assert 'ORDER BY "menus_item"."id" ASC FOR ' in locks[1]
    counter = next(place for place, text in enumerate(sql) if text.startswith("UPDATE stores_journal"))
    assert counter > sql.index(locks[1])
    assert not [text for text in sql[counter:] if text.startswith("INSERT") and "stores_event" not in text]


def test_cancelling_twice_at_once_gives_the_stock_back_once(ours):
    item = make_item(ours, stock=3)
    order = place(ours.table, item, quantity=2)
    token, body = staff_of(ours.store, ours.manager).token, {"reason": "dropped", "version": order["version"]}
    with connections_for(8):
        answers = at_once(*[lambda: Caller(token).post(f"staff/orders/{order['id']}/cancel", body)] * 8)
    assert statuses(answers) == {200: 8}
    assert {answer.json()["version"] for answer in answers} == {2}
    assert Item.objects.get(pk=item.pk).stock == 3
    assert events_of(ours, "order.cancelled") == ["order.cancelled"]
    assert TableSession.objects.get().total == 0


def test_cancelling_one_of_two_twice_at_once_cancels_one(ours):
    item = make_item(ours, stock=3)
    order = place(ours.table, item, quantity=2)
    token = staff_of(ours.store, ours.manager).token
    body = {"reason": "dropped", "version": order["version"], "lines": [{"line": order["lines"][0]["id"], "quantity": 1}]}
    with connections_for(8):
        answers = at_once(*[lambda: Caller(token).post(f"staff/orders/{order['id']}/cancel", body)] * 8)
    assert statuses(answers) == {200: 1, 409: 7}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"VERSION_CONFLICT"}
    assert Item.objects.get(pk=item.pk).stock == 2
    assert TableSession.objects.get().total == 10000


# --- Parties ----------------------------------------------------------------------------------------------------


def test_first_orders_of_a_table_at_once_begin_one_session(ours):
    token = tablet_of(ours.table).token
    with connections_for(8):
        answers = at_once(*[lambda: Caller(token).post(ORDERS, order_for(ours.item), key=new_key())] * 8)
    assert statuses(answers) == {201: 8}
    assert len({answer.json()["session"] for answer in answers}) == 1
    assert TableSession.objects.get().total == 8 * 12000
    assert events_of(ours, "session.started") == ["session.started"]


@needs_row_locks
def test_control_without_the_lock_only_one_first_order_gets_through(ours, without_the_lock):
    here, there = tablet_of(ours.table), tablet_of(ours.table)
    with stopped_before(services, "_take_stock") as stop:
        first = begin(here.post, ORDERS, order_for(ours.item), key=new_key())
        stop.wait_until_reached()
        assert there.post(ORDERS, order_for(ours.item), key=new_key()).status_code == 201
        stop.let_go()
        assert first.result().status_code == 500  # only the database's own constraint keeps it to one session
    assert TableSession.objects.count() == 1


def test_an_order_that_was_first_is_on_the_bill_that_is_completed(ours):
    place(ours.table, ours.item)
    tablet, manager = tablet_of(ours.table), staff_of(ours.store, ours.manager)
    with stopped_before(services, "_take_stock") as stop:
        ordering = begin(tablet.post, ORDERS, order_for(ours.items[1]), key=new_key())
        stop.wait_until_reached()
        completing = begin(manager.post, f"staff/tables/{ours.table.pk}/complete", {"force": True})
        assert is_waiting(completing)
        stop.let_go()
        order, done = ordering.result().json(), completing.result().json()
    assert order["session"] == done["session"]["id"]
    assert order["id"] in [row["id"] for row in done["orders"]]
    assert done["total"] == 21000
    assert tablet.get("tablet/session").json()["session"] is None


def test_an_order_that_was_second_begins_a_new_bill(ours):
    first = place(ours.table, ours.item)
    tablet, manager = tablet_of(ours.table), staff_of(ours.store, ours.manager)
    with stopped_before(audit, "note") as stop:
        completing = begin(manager.post, f"staff/tables/{ours.table.pk}/complete", {"force": True})
        stop.wait_until_reached()
        ordering = begin(tablet.post, ORDERS, order_for(ours.items[1]), key=new_key())
        assert is_waiting(ordering)
        stop.let_go()
        order, done = ordering.result().json(), completing.result().json()
    assert (done["session"]["id"], done["total"]) == (first["session"], 12000)
    assert order["session"] != first["session"]
    party = tablet.get("tablet/session").json()
    assert (party["session"]["id"], party["total"]) == (order["session"], 9000)


def test_an_order_of_the_party_that_has_just_left_is_refused(ours):
    first = place(ours.table, ours.item)
    tablet, manager = tablet_of(ours.table), staff_of(ours.store, ours.manager)
    with stopped_before(audit, "note") as stop:
        completing = begin(manager.post, f"staff/tables/{ours.table.pk}/complete", {"force": True})
        stop.wait_until_reached()
        ordering = begin(tablet.post, ORDERS, order_for(ours.item, session=first["session"]), key=new_key())
        stop.let_go()
        assert problem(ordering.result(), 409, "SESSION_CHANGED")["session"] is None
        assert completing.result().status_code == 200
    assert Order.objects.count() == 1


@needs_row_locks
def test_control_without_the_lock_the_order_is_lost_on_a_bill_that_is_closed(ours, without_the_lock):
    place(ours.table, ours.item)
    tablet, manager = tablet_of(ours.table), staff_of(ours.store, ours.manager)
    with stopped_before(services, "_take_stock") as stop:
        ordering = begin(tablet.post, ORDERS, order_for(ours.items[1]), key=new_key())
        stop.wait_until_reached()
        done = manager.post(f"staff/tables/{ours.table.pk}/complete", {"force": True}).json()
        stop.let_go()
        order = ordering.result().json()
    assert order["session"] == done["session"]["id"]
    assert order["id"] not in [row["id"] for row in done["orders"]]
    assert TableSession.objects.get().state == "completed"


def test_orders_while_the_table_is_completed_again_and_again_are_all_on_one_bill(ours, deadlocks):
    tokens, manager = [tablet_of(ours.table).token for _ in range(3)], staff_of(ours.store, ours.manager)

    def complete():
        return [manager.post(f"staff/tables/{ours.table.pk}/complete", {"force": True}) for _ in range(12)]

    with connections_for(4):
        orders = [lambda token=token: orders_from(token, *[(order_for(ours.item), new_key()) for _ in range(8)]) for token in tokens]
        *answers, completions = at_once(*orders, complete)
    placed = [answer.json() for some in answers for answer in some]
    assert {answer.status_code for some in answers for answer in some} == {201}
    assert set(statuses(completions)) <= {200, 409}
    assert {answer.json()["code"] for answer in completions if answer.status_code == 409} <= {"NO_ACTIVE_SESSION"}
    # What staff were told at the table is what the guests were told, and nothing came to a bill afterwards.
    billed = {answer.json()["session"]["id"]: answer.json() for answer in completions if answer.status_code == 200}
    for session, bill in billed.items():
        assert {row["id"] for row in bill["orders"]} == {order["id"] for order in placed if order["session"] == session}
        assert bill["total"] == sum(order["total"] for order in placed if order["session"] == session)
    assert sum(TableSession.objects.values_list("total", flat=True)) == 24 * 12000
    assert TableSession.objects.active().count() == len({order["session"] for order in placed} - set(billed))
    assert not deadlocks


def test_the_same_call_twice_at_once_is_one_call(ours):
    token = tablet_of(ours.table).token
    with connections_for(8):
        answers = at_once(*[lambda: Caller(token).post("tablet/calls", {"kind": "bill"})] * 8)
    assert statuses(answers) == {201: 1, 200: 7}
    assert ServiceCall.objects.count() == 1
    assert events_of(ours, "call.opened") == ["call.opened"]


# --- The kitchen ------------------------------------------------------------------------------------------------


def test_two_boards_that_move_the_same_line_move_it_once(ours):
    order = place(ours.table, ours.item)
    tokens = [staff_of(ours.store, person).token for person in (ours.owner, ours.manager)]
    path, body = f"staff/orders/{order['id']}/lines/{order['lines'][0]['id']}", {"status": "preparing", "version": order["version"]}
    with connections_for(8):
        answers = at_once(*[lambda token=token: Caller(token).patch(path, body) for token in tokens * 4])
    assert statuses(answers) == {200: 8}
    assert {(answer.json()["version"], answer.json()["status"]) for answer in answers} == {(2, "preparing")}
    assert events_of(ours, "order.changed") == ["order.changed"]


@pytest.mark.parametrize("first", ["move", "cancel"])
def test_moving_and_cancelling_at_once_is_one_after_the_other(ours, first):
    order = place(ours.table, ours.item)
    manager, owner = staff_of(ours.store, ours.manager), staff_of(ours.store, ours.owner)
    calls = {
        "move": lambda: manager.patch(f"staff/orders/{order['id']}", {"status": "preparing", "version": order["version"]}),
        "cancel": lambda: owner.post(f"staff/orders/{order['id']}/cancel", {"reason": "left", "version": order["version"]}),
    }
    with stopped_before(audit, "note") as stop:
        winner = begin(calls.pop(first))
        stop.wait_until_reached()
        loser = begin(*calls.values())
        assert is_waiting(loser)
        stop.let_go()
        assert winner.result().status_code == 200
        current = problem(loser.result(), 409, "VERSION_CONFLICT")["current"]
    assert current == winner.result().json()
    assert TableSession.objects.get().total == (12000 if first == "move" else 0)


@needs_row_locks
def test_control_without_the_lock_one_of_two_changes_is_overwritten(ours, without_the_lock):
    order = place(ours.table, ours.item)
    manager, owner = staff_of(ours.store, ours.manager), staff_of(ours.store, ours.owner)
    with stopped_before(kitchen, "_require_version") as stop:
        moving = begin(manager.patch, f"staff/orders/{order['id']}", {"status": "preparing", "version": order["version"]})
        stop.wait_until_reached()
        cancelled = owner.post(f"staff/orders/{order['id']}/cancel", {"reason": "left", "version": order["version"]}).json()
        stop.let_go()
        moving.exception()
    # Either the cancelled order comes back to life, or the line's own constraint stops the kitchen with an error.
    moved = moving.result()
    assert moved.status_code == 500 or (moved.status_code, moved.json()["version"]) == (200, cancelled["version"])


# --- Numbers and the journal ------------------------------------------------------------------------------------


def test_order_and_event_numbers_are_dense_and_nobody_reading_along_misses_one(ours, theirs, deadlocks):
    worlds, read, writing = [ours, theirs], {ours.store.pk: [], theirs.store.pk: []}, [True]

    def serve(world, table):
        tablet, manager = tablet_of(table), staff_of(world.store, world.manager)
        for _ in range(6):
            order = tablet.post(ORDERS, order_for(world.item), key=new_key()).json()
            moved = manager.patch(f"staff/orders/{order['id']}", {"status": "preparing", "version": 1})
            assert moved.status_code == 200

    def read_along():
        """As the stream reads: what comes after the last number it has."""
        while True:
            is_last = not writing
            for store_id, numbers in read.items():
                after = numbers[-1] if numbers else 0
                numbers.extend(Event.objects.filter(store=store_id, number__gt=after).order_by("number").values_list("number", flat=True))
            if is_last:
                return

    with connections_for(10):
        reader = begin(read_along)
        tables = [(world, table) for world in worlds for table in make_tables(world, 4)]
        at_once(*[lambda world=world, table=table: serve(world, table) for world, table in tables])
        writing.clear()
        reader.result()
    for world in worlds:
        orders = Order.objects.in_store(world.store)
        assert sorted(orders.values_list("number", flat=True)) == list(range(1, 25))
        last = Journal.objects.get(store=world.store).last_number
        assert last == Event.objects.in_store(world.store).count()
        assert read[world.store.pk] == list(range(1, last + 1))
    assert not deadlocks


def test_control_the_highest_number_plus_one_is_given_twice(ours):
    place(ours.table, ours.item)

    def next_number():
        highest = Order.objects.in_store(ours.store).aggregate(Max("number"))["number__max"]
        time.sleep(0.2)
        return highest + 1

    assert at_once(next_number, next_number) == [2, 2]


@needs_row_locks
def test_control_ids_do_not_commit_in_their_order(ours):
    """Who reads `id > last` never sees an event whose id was given earlier and committed later."""

    def write(number):
        with transaction.atomic():
            event = Event.objects.create(store=ours.store, number=number, type="control", at=ours.store.created_at, body="{}")
            audit.note(ours.store, "control", "", actor=None)
        return event.pk

    with stopped_before(audit, "note") as stop:
        slow = begin(write, 1001)
        stop.wait_until_reached()
        last = write(1002)
        assert list(Event.objects.filter(type="control").values_list("pk", flat=True)) == [last]
        stop.let_go()
        assert slow.result() < last


# --- Signing in -------------------------------------------------------------------------------------------------


def guess_at_once(count: int, password: str, path="staff/login", **names):
    """The answers to so many sign-ins at the same moment."""
    body = {"store": "ours", "password": password, **(names or {"username": "ours-manager"})}
    with connections_for(count):
        return at_once(*[lambda: Caller().post(path, body)] * count)


@pytest.fixture
def looked_at():
    """The passwords that were looked at, each for as long as a real check takes."""
    seen = []

    def watch(original):
        def check_password(self, raw):
            seen.append(raw)
            time.sleep(0.1)
            return original(self, raw)

        return check_password

    with (
        mock.patch.object(User, "check_password", watch(User.check_password)),
        mock.patch.object(Table, "check_password", watch(Table.check_password)),
    ):
        yield seen


@pytest.mark.parametrize(("path", "names"), [("staff/login", {"username": "ours-manager"}), ("tablet/login", {"table": "1"})])
def test_of_fifty_guesses_at_once_five_are_looked_at(ours, looked_at, deadlocks, path, names):
    answers = guess_at_once(50, "wrong", path, **names)
    assert statuses(answers) == {401: 5, 429: 45}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 429} == {"LOGIN_LOCKED"}
    assert len(looked_at) == 5
    assert not deadlocks
    right = {"staff/login": PASSWORD, "tablet/login": TABLE_PASSWORD}[path]
    problem(Caller().post(path, {"store": "ours", "password": right, **names}), 429, "LOGIN_LOCKED")
    assert len(looked_at) == 5


def test_control_counted_after_the_check_every_guess_is_looked_at(ours, looked_at, monkeypatch):
    class CountsAfterwards(login_limits.Attempt):
        def __init__(self, subject, address):
            self.subject, self.address = subject, address
            if any(row.locked_until for row in self._look()):
                raise login_limits.LoginLocked(retry_after=1)

        @transactions.whole
        def _look(self):
            return self._rows()

        def failed(self):
            self._reserve()
            self._settle_failure()

    monkeypatch.setattr("stores.auth.Attempt", CountsAfterwards)
    guess_at_once(20, "wrong")
    assert len(looked_at) > 10


def test_twenty_right_sign_ins_at_once_all_pass(ours, looked_at, deadlocks):
    assert statuses(guess_at_once(20, PASSWORD)) == {200: 20}
    assert statuses(guess_at_once(20, TABLE_PASSWORD, "tablet/login", table="1")) == {200: 20}
    assert not deadlocks


def test_a_refresh_token_used_twice_at_once_gives_the_same_successor(ours):
    tokens = Caller().post("tablet/login", {"store": "ours", "table": "1", "password": TABLE_PASSWORD}).json()
    with connections_for(8):
        answers = at_once(*[lambda: Caller().post("tablet/refresh", {"refresh": tokens["refresh"]})] * 8)
    assert statuses(answers) == {200: 8}
    (successor,) = {answer.json()["refresh"] for answer in answers}
    assert successor != tokens["refresh"]
    assert all(Caller(answer.json()["access"]).get("tablet/session").status_code == 200 for answer in answers)
    problem(Caller().post("tablet/refresh", {"refresh": "x" + successor}), 401, "TOKEN_INVALID")
    assert Caller().post("tablet/refresh", {"refresh": successor}).status_code == 200
    problem(Caller().post("tablet/refresh", {"refresh": tokens["refresh"]}), 401, "TOKEN_INVALID")


def make_tables(world, count: int) -> list[Table]:
    """So many tables, the world's own among them."""
    from stores.services import create_table

    while len(world.tables) < count:
        world.tables.append(create_table(world.store, number=str(len(world.tables) + 1), password=TABLE_PASSWORD))
    return world.tables[:count]
