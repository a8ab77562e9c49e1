"""Numbers, and those who read along."""

import json
import time

from django.db import transaction
from django.db.models import Max

from orders.models import Order
from stores import audit
from stores.models import Counters, Event
from tests.board_client import BoardClient, comparable
from tests.threads import at_once, begin, connections_for, stopped_before
from tests.world import Caller, new_key, order_for, place, staff_of, tablet_of

from .scene import ORDERS, make_tables, needs_row_locks


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
        last = Counters.objects.get(store=world.store).last_number
        assert last == Event.objects.in_store(world.store).count()
        assert read[world.store.pk] == list(range(1, last + 1))
    assert not deadlocks


def test_a_snapshot_from_the_middle_and_the_events_after_it_are_a_fresh_snapshot(ours):
    """Whatever was committed while the snapshot was being read: it is never older than its cursor says."""
    guests = [tablet_of(table) for table in ours.tables]
    staff, boards, busy = [staff_of(ours.store, person) for person in (ours.owner, ours.manager)], [], [True]

    def eat(guest):
        for kind in ["help", "water", "cutlery", "bill"] * 2:
            guest.post(ORDERS, order_for(ours.item), key=new_key())
            guest.post("tablet/calls", {"kind": kind})

    def serve(person, table):
        for _ in range(8):
            party = next(row for row in person.get("staff/board").json()["tables"] if row["id"] == str(table.pk))
            for order in party["orders"][:1]:
                person.patch(f"staff/orders/{order['id']}", {"status": "preparing", "version": order["version"]})
            for call in party["calls"][:1]:
                person.post(f"staff/calls/{call['id']}/resolve")
            person.post(f"staff/tables/{table.pk}/complete", {"force": True})

    def look(token=staff[0].token):
        while busy:
            boards.append(Caller(token).get("staff/board").json())

    with connections_for(6):
        looking = begin(look)
        at_once(
            *[lambda guest=guest: eat(guest) for guest in guests],
            *[lambda person=person, table=table: serve(person, table) for person, table in zip(staff, ours.tables, strict=True)],
        )
        busy.clear()
        looking.result()
    fresh = staff[0].get("staff/board").json()
    events = [json.loads(body) for body in Event.objects.in_store(ours.store).order_by("number").values_list("body", flat=True)]
    assert len({board["cursor"] for board in boards}) > 5
    for board in boards:
        client = BoardClient(board)
        for event in events[board["cursor"] :]:
            client.hear(event)
        assert client.shown() == comparable(fresh)


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
