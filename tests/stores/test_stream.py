"""What comes through a live stream, and what never does. On the real database, with other threads that write."""

import asyncio
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import transaction

from stores import journal, stream, stream_hub, stream_places, wakeup
from stores.models import Counters, Event
from stores.stream_hub import in_database
from tests import world

from .stream_client import PATIENCE, STAFF, TABLET, Client, last_number, listening, write

LOOK_EVERY = stream_hub.LOOK_EVERY  # before a test changes it

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("hub")]


def test_events_come_in_order_and_as_they_were_written(ours, staff):
    begin = last_number(ours.store)

    async def story():
        async with listening(STAFF, staff) as client:
            await in_database(lambda: write(ours.store, 3, table=ours.table, note="한식\n\"'\x85\u2028\u2029"))
            assert await client.got(3) == [begin + 1, begin + 2, begin + 3]
            return client

    client = asyncio.run(story())
    assert client.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert client.headers["cache-control"] == "no-store"
    assert client.headers["x-accel-buffering"] == "no"
    assert client.headers["x-content-type-options"] == "nosniff"
    assert len(client.headers["x-request-id"]) == 32 and float(client.headers["x-process-time"]) >= 0
    assert client.frames()[0] == "retry: 2000"
    assert all(frame.splitlines() == frame.split("\n") for frame in client.frames()), (
        "a line break that not all clients take for a character"
    )
    assert [data for _, _, data in client.events()] == [
        json.loads(body)
        for body in Event.objects.filter(number__gt=begin).in_store(ours.store).order_by("number").values_list("body", flat=True)
    ]
    assert {type for _, type, _ in client.events()} == {"order.placed"}


def test_what_another_process_writes_is_seen_without_a_wake_up(ours, staff, monkeypatch):
    assert LOOK_EVERY <= 0.5
    monkeypatch.setattr(stream_hub, "LOOK_EVERY", 0.05)
    monkeypatch.setattr(wakeup, "_listeners", [])
    begin = last_number(ours.store)

    async def story():
        async with listening(STAFF, staff) as client:
            await in_database(write, ours.store)
            assert await client.got(1) == [begin + 1]

    asyncio.run(story())


def test_a_hint_that_any_store_may_have_news_is_followed(ours, staff, hub, monkeypatch):
    monkeypatch.setattr(wakeup, "_listeners", [])
    hub.wake(None)  # nobody listens: nothing happens

    async def story():
        async with listening(STAFF, staff) as client:
            await in_database(write, ours.store)
            hub.wake(None)
            await client.got(1)

    asyncio.run(story())


def test_it_begins_with_what_comes_next(ours, staff):
    write(ours.store, 5)
    begin = last_number(ours.store)

    async def story():
        async with listening(STAFF, staff) as first, listening(STAFF, staff) as second:
            await in_database(write, ours.store)
            assert await first.got(1) == await second.got(1) == [begin + 1]

    asyncio.run(story())


def test_who_is_ahead_of_the_reader_gets_nothing_twice(ours, staff, monkeypatch):
    monkeypatch.setattr(wakeup, "_listeners", [])
    begin = last_number(ours.store)

    async def story():
        async with listening(STAFF, staff) as first:
            await in_database(write, ours.store, 4)  # which the reader doesn't know of yet
            async with listening(STAFF, staff) as newcomer, listening(STAFF, staff, f"after={begin + 2}") as back_again:
                await in_database(write, ours.store)
                stream.hub.wake(ours.store.pk)
                assert await first.got(5) == list(range(begin + 1, begin + 6))
                assert await newcomer.got(1) == [begin + 5]
                assert await back_again.got(3) == [begin + 3, begin + 4, begin + 5]

    asyncio.run(story())


@pytest.mark.parametrize("by_header", [True, False])
def test_a_resume_gives_exactly_what_was_missed(ours, staff, by_header, monkeypatch):
    monkeypatch.setattr(stream_hub, "BATCH", 2)
    write(ours.store, 7)
    end = last_number(ours.store)
    headers = {"last_event_id": str(end - 5)} if by_header else {}
    query = "after=1" if by_header else f"after={end - 5}"  # the header wins

    async def story():
        async with listening(STAFF, staff, query, **headers) as client:
            assert await client.got(5) == [end - 4, end - 3, end - 2, end - 1, end]
            await in_database(write, ours.store, 5)
            assert await client.got(10) == list(range(end - 4, end + 6))

    asyncio.run(story())


def test_nothing_is_lost_or_doubled_while_events_are_written(ours, staff, monkeypatch):
    monkeypatch.setattr(stream_hub, "BATCH", 3)
    monkeypatch.setattr(stream_places, "STREAMS_PER_TOKEN", 50)
    begin, end = last_number(ours.store), last_number(ours.store) + 40

    async def resumes(delay):
        seen = []
        await asyncio.sleep(delay)
        while not seen or seen[-1] < end:
            after = seen[-1] if seen else begin
            async with listening(STAFF, staff, last_event_id=str(after)) as client:
                await client.got(min(9, end - after))
                seen += client.numbers()
        return seen

    async def story():
        writing = asyncio.create_task(in_database(lambda: [(write(ours.store), time.sleep(0.005)) for _ in range(40)]))
        everyone = await asyncio.gather(*(resumes(delay / 30) for delay in range(6)))
        await writing
        return everyone

    assert asyncio.run(story()) == [list(range(begin + 1, end + 1))] * 6


@pytest.mark.parametrize("distance", ["older", "ahead", "far ahead"])
def test_a_number_out_of_reach_is_reset_once(ours, staff, distance):
    write(ours.store, 5)
    end = last_number(ours.store)
    Counters.objects.filter(pk=ours.store.pk).update(purged_number=end - 2)
    after = {"older": end - 3, "ahead": end + 1, "far ahead": 2**53}[distance]

    async def story():
        async with listening(STAFF, staff, f"after={after}") as client:
            await in_database(write, ours.store, 2)
            await client.got(3)
            assert client.events()[0] == (end, "reset", {})
            assert client.numbers() == [end, end + 1, end + 2]
        async with listening(STAFF, staff, last_event_id=str(end)) as client:  # goes on from the reset
            assert await client.got(2) == [end + 1, end + 2]

    asyncio.run(story())


def test_the_oldest_number_kept_is_no_reset(ours, staff):
    write(ours.store, 5)
    end = last_number(ours.store)
    Counters.objects.filter(pk=ours.store.pk).update(purged_number=end - 2)
    Event.objects.in_store(ours.store).filter(number__lte=end - 2).delete()

    async def story():
        async with listening(STAFF, staff, f"after={end - 2}") as client:
            assert await client.got(2) == [end - 1, end]

    asyncio.run(story())


def test_what_is_purged_during_a_resume_ends_it(ours, staff, monkeypatch):
    write(ours.store, 5)
    end = last_number(ours.store)
    read_missed = stream_hub.read_missed

    def purged_first(*args):
        Counters.objects.filter(pk=ours.store.pk).update(purged_number=end - 1)
        return read_missed(*args)

    monkeypatch.setattr(stream_hub, "read_missed", purged_first)

    async def story():
        client = Client(STAFF, f"after={end - 3}", authorization=f"Bearer {staff}")
        assert await client.has_ended() and client.numbers() == []

    asyncio.run(story())


def test_a_tablet_gets_its_own_table_and_the_menu(ours, theirs, tablet_token):
    mine, other = ours.tables
    begin = last_number(ours.store)

    def life():
        write(ours.store, table=mine)
        write(ours.store, table=other)
        write(ours.store, type="call.opened")
        write(theirs.store, 3, table=theirs.table)
        journal.menu_changed(theirs.store.pk)
        journal.menu_changed(ours.store.pk)
        write(ours.store, table=mine)

    async def story():
        async with listening(TABLET, tablet_token) as client:
            await in_database(transaction.atomic(life))
            assert await client.got(3) == [begin + 1, begin + 4, begin + 5]
        async with listening(TABLET, tablet_token, f"after={begin}") as client:
            assert await client.got(3) == [begin + 1, begin + 4, begin + 5]
            assert {data["store"] for _, _, data in client.events()} == {str(ours.store.pk)}
            assert {data["table"] for _, _, data in client.events()} == {str(mine.pk), None}

    asyncio.run(story())


@pytest.mark.parametrize("end", ["session.expired", "session.completed"])
def test_a_tablet_resumes_without_what_an_earlier_party_ate(ours, tablet_token, end, monkeypatch):
    monkeypatch.setattr(stream_hub, "BATCH", 3)
    own, other = ours.tables
    begin = last_number(ours.store)
    for type in ("session.started", "order.placed", "call.opened", "menu.changed", end, "table.changed", "session.started", "order.placed"):
        write(ours.store, type=type, table=own)
    write(ours.store, type=end, table=other)

    async def story():
        async with listening(TABLET, tablet_token, f"after={begin}") as client:
            await client.got(6)
            await in_database(lambda: write(ours.store, table=own))
            await client.got(7)
            return [type for _, type, _ in client.events()]

    lasting = ["call.opened", "menu.changed", end, "table.changed"]
    assert asyncio.run(story()) == [*lasting, "session.started", "order.placed", "order.placed"]


def test_a_tablet_hears_nothing_of_a_bill_that_an_earlier_party_left(ours, tablet_token, clock):
    unsettled = world.place(ours.table, ours.item)
    clock.advance(hours=24)
    present = world.place(ours.table, ours.item)
    begin = last_number(ours.store)
    manager = world.staff_of(ours.store, ours.manager)

    def settle():
        manager.patch(f"staff/orders/{unsettled['id']}", {"status": "preparing", "version": 1})
        manager.post(f"staff/orders/{unsettled['id']}/cancel", {"reason": "gone", "version": 2})
        manager.post(f"staff/tables/{ours.table.pk}/complete", {"session": unsettled["session"]})
        manager.patch(f"staff/orders/{present['id']}", {"status": "preparing", "version": 1})

    async def story():
        async with listening(TABLET, tablet_token) as tablet, listening(STAFF, manager.token) as board:
            await in_database(settle)
            await board.got(4)
            await tablet.got(1)
            assert [(type, data["data"]["id"]) for _, type, data in tablet.events()] == [("order.changed", present["id"])]
            assert {data["table"] for _, _, data in board.events()} == {str(ours.table.pk)}
        async with listening(TABLET, tablet_token, f"after={begin - 1}") as tablet:
            await tablet.got(2)
            assert [data["data"]["id"] for _, _, data in tablet.events()] == [present["id"]] * 2

    asyncio.run(story())


def test_a_tablet_hears_nothing_of_a_party_that_has_run_out_before_anybody_has_marked_it(ours, tablet_token, clock):
    order = world.place(ours.table, ours.item)
    clock.advance(hours=24)
    manager = world.staff_of(ours.store, ours.manager)

    async def story():
        async with listening(TABLET, tablet_token) as tablet, listening(STAFF, manager.token) as board:
            await in_database(lambda: manager.patch(f"staff/orders/{order['id']}", {"status": "preparing", "version": 1}))
            await in_database(lambda: write(ours.store, type="menu.changed"))
            await board.got(2)
            await tablet.got(1)
            assert [type for _, type, _ in tablet.events()] == ["menu.changed"]

    asyncio.run(story())


def test_nobody_hears_of_another_store(ours, theirs, staff):
    their_staff = world.staff_of(theirs.store, theirs.owner).token

    async def story():
        async with listening(STAFF, staff) as client, listening(STAFF, their_staff) as neighbour:
            await in_database(write, theirs.store, 2)
            await in_database(write, ours.store)
            await client.got(1)
            await neighbour.got(2)
            assert {data["store"] for _, _, data in client.events()} == {str(ours.store.pk)}
            assert {data["store"] for _, _, data in neighbour.events()} == {str(theirs.store.pk)}

    asyncio.run(story())


# --- When things go wrong ---------------------------------------------------------------------------------------


def test_streams_stay_open_while_the_database_is_away(ours, staff, monkeypatch, away_at_first):
    monkeypatch.setattr(stream_hub, "LOOK_EVERY", 0.05)
    away = away_at_first("read_news")

    async def story():
        async with listening(STAFF, staff) as client:
            await in_database(write, ours.store)
            await client.got(1)
            assert not away

    asyncio.run(story())


def test_a_rush_of_newcomers_does_not_delay_what_is_new(ours, staff):
    rush_is_over = threading.Event()

    async def story():
        async with listening(STAFF, staff) as client:
            rush = [asyncio.create_task(in_database(rush_is_over.wait, PATIENCE)) for _ in range(8)]
            try:
                with ThreadPoolExecutor() as kitchen:
                    await in_database(write, ours.store, pool=kitchen)
                await client.got(1)
            finally:
                rush_is_over.set()
            await asyncio.gather(*rush)

    asyncio.run(story())


def test_events_that_are_missing_are_waited_for(ours, staff, monkeypatch):
    begin = last_number(ours.store)
    read_news, holes = stream_hub.read_news, [True]

    def with_a_hole(positions):
        news = read_news(positions)
        if holes and any(news.values()):
            holes.pop()
            return {store_id: events[1:] for store_id, events in news.items()}
        return news

    monkeypatch.setattr(stream_hub, "read_news", with_a_hole)

    async def story():
        async with listening(STAFF, staff) as client:
            await in_database(transaction.atomic(lambda: [write(ours.store), write(ours.store)]))
            await in_database(write, ours.store)
            assert await client.got(3) == [begin + 1, begin + 2, begin + 3]

    asyncio.run(story())


def test_events_that_are_read_twice_are_handed_out_once(ours, staff, monkeypatch):
    begin = last_number(ours.store)
    read_news = stream_hub.read_news
    monkeypatch.setattr(stream_hub, "read_news", lambda positions: read_news({id: position - 1 for id, position in positions.items()}))

    async def story():
        async with listening(STAFF, staff) as client:
            for _ in range(3):
                await in_database(write, ours.store)
            assert await client.got(3) == [begin + 1, begin + 2, begin + 3]

    asyncio.run(story())


def test_a_journal_that_was_put_back_ends_its_streams(ours, theirs, staff, hub):
    write(ours.store, 5)
    theirs_token = world.staff_of(theirs.store, theirs.owner).token

    def put_back():
        Event.objects.in_store(ours.store).filter(number__gt=3).delete()
        Counters.objects.filter(pk=ours.store.pk).update(last_number=3)
        wakeup.announce(ours.store.pk)

    async def story():
        async with listening(STAFF, staff) as client, listening(STAFF, theirs_token) as neighbour:
            await in_database(put_back)
            assert await client.has_ended()
            async with listening(STAFF, staff) as again:
                await in_database(write, ours.store)
                assert await again.got(1) == [4]
            assert not neighbour.finished

    asyncio.run(story())
