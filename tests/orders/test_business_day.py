"""Order numbers count from 1 each business day, in the store's own time."""

import pytest

from orders.models import Order
from stores.models import Counters, Store
from tests.world import make_world, place


def number_at(world, clock, moment) -> str:
    clock.set(moment)
    order = place(world.table, world.item)
    assert order["order_number"].endswith(f"-{order['number']:04d}")
    return order["order_number"]


def test_the_night_belongs_to_the_evening_before(ours, clock):
    assert [
        number_at(ours, clock, moment)
        for moment in (
            "2026-11-20T23:59:59+09:00",
            "2026-11-21T00:00:00+09:00",
            "2026-11-21T04:59:59.999999+09:00",
            "2026-11-21T05:00:00+09:00",
            "2026-11-21T12:00:00+09:00",
            "2026-11-22T12:00:00+09:00",
        )
    ] == ["20261120-0001", "20261120-0002", "20261120-0003", "20261121-0001", "20261121-0002", "20261122-0001"]


def test_the_day_is_the_store_s_and_not_the_server_s(db, clock):
    moment = "2026-11-20T20:30:00+00:00"
    seoul, new_york = make_world("aurora"), make_world("borealis", timezone="America/New_York")
    assert number_at(seoul, clock, moment) == "20261121-0001"
    assert number_at(new_york, clock, moment) == "20261120-0001"


@pytest.mark.parametrize(("cut_off", "day"), [(0, "20261121"), (1, "20261121"), (2, "20261120"), (23, "20261120")])
def test_a_store_chooses_the_hour_at_which_its_day_begins(db, clock, cut_off, day):
    world = make_world("aurora", day_starts_at=cut_off)
    assert number_at(world, clock, "2026-11-21T01:30:00+09:00") == f"{day}-0001"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("2026-03-08T04:59:59-04:00", "2026-03-08T05:00:00-04:00"),  # the night that is an hour short
        ("2026-11-01T04:59:59-05:00", "2026-11-01T05:00:00-05:00"),  # the night that is an hour long
        ("2026-07-01T04:59:59-04:00", "2026-07-01T05:00:00-04:00"),
        ("2026-01-01T04:59:59-05:00", "2026-01-01T05:00:00-05:00"),
    ],
)
def test_the_day_begins_at_five_on_the_clock_on_the_wall(db, clock, before, after):
    world = make_world("borealis", timezone="America/New_York")
    assert number_at(world, clock, before).endswith("-0001")
    assert number_at(world, clock, after) == f"{after[:10].replace('-', '')}-0001"


def test_an_hour_that_comes_twice_is_one_day_with_one_count(db, clock):
    world = make_world("borealis", timezone="America/New_York", day_starts_at=1)
    moments = ("2026-11-01T00:59:59-04:00", "2026-11-01T01:00:00-04:00", "2026-11-01T01:59:59-04:00", "2026-11-01T01:00:00-05:00")
    assert [number_at(world, clock, moment) for moment in moments] == ["20261031-0001", "20261101-0001", "20261101-0002", "20261101-0003"]


def test_a_store_that_moves_its_clock_back_gives_no_number_twice(ours, clock):
    assert number_at(ours, clock, "2026-11-21T06:00:00+09:00") == "20261121-0001"
    Store.objects.filter(pk=ours.store.pk).update(day_starts_at=8)
    assert number_at(ours, clock, "2026-11-21T06:30:00+09:00") == "20261121-0002"
    assert number_at(ours, clock, "2026-11-21T09:00:00+09:00") == "20261121-0003"
    assert number_at(ours, clock, "2026-11-22T09:00:00+09:00") == "20261122-0001"


def test_numbers_have_no_gap_for_what_was_refused(tablet, ours, clock):
    place(ours.table, ours.item)
    tablet.post("tablet/orders", {"lines": [{"item": str(ours.item.pk), "quantity": 1}], "expected_total": 1}, key="tap-0001")
    tablet.post("tablet/orders", {"lines": []}, key="tap-0002")
    assert place(ours.table, ours.item)["number"] == 2


def test_a_party_over_the_cut_off_has_orders_of_two_days(ours, clock):
    first = number_at(ours, clock, "2026-11-21T04:30:00+09:00")
    second = number_at(ours, clock, "2026-11-21T05:30:00+09:00")
    assert (first, second) == ("20261120-0001", "20261121-0001")
    assert Order.objects.values("session").distinct().count() == 1


def test_a_number_may_outgrow_its_four_digits(ours, clock):
    number_at(ours, clock, "2026-11-21T12:00:00+09:00")
    Counters.objects.filter(store=ours.store).update(last_order_number=9999)
    assert place(ours.table, ours.item)["order_number"] == "20261121-10000"


def test_times_go_out_in_utc_with_their_offset(ours, clock):
    clock.set("2026-11-21T12:00:00+09:00")
    assert place(ours.table, ours.item)["placed_at"] == "2026-11-21T03:00:00+00:00"
