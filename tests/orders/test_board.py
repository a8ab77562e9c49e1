"""What staff see: a card for each table."""

import pytest
from django.db.models import F

import orders.board
from sessions_app.models import TableSession
from stores.models import Counters, Event, Table
from stores.services import create_table
from tests.world import TABLE_PASSWORD, place, problem, tablet_of


@pytest.fixture
def board(manager):
    return lambda: manager.get("staff/board").json()


def card(board, table) -> dict:
    return next(row for row in board["tables"] if row["id"] == str(table.pk))


def test_a_quiet_table_is_an_empty_card(board, ours):
    shown = card(board(), ours.table)
    empty = {"id": str(ours.table.pk), "number": "1", "session": None, "total": 0, "orders": [], "unsettled": [], "calls": []}
    assert shown | empty == shown


def test_tables_stand_in_reading_order(board, ours):
    for number in ("10", "9", "Terrace 1", "011"):
        create_table(ours.store, number=number, password=TABLE_PASSWORD)
    assert [row["number"] for row in board()["tables"]] == ["1", "2", "9", "10", "011", "Terrace 1"]


def test_a_card_shows_the_party_its_orders_newest_first_and_their_total(board, ours, clock):
    first = place(ours.table, ours.item)
    clock.advance(minutes=5)
    second = place(ours.table, ours.items[1], quantity=2)
    shown = card(board(), ours.table)
    assert shown["orders"] == [second, first]
    assert shown["total"] == 12000 + 18000
    assert shown["session"]["id"] == first["session"] == second["session"]
    assert shown["session"]["state"] == "active"
    assert card(board(), ours.tables[1])["orders"] == []


def test_the_tablet_and_the_board_say_the_same(board, tablet, ours):
    place(ours.table, ours.item)
    shown, bill = card(board(), ours.table), tablet.get("tablet/session").json()
    assert (shown["session"], shown["orders"], shown["total"]) == (bill["session"], bill["orders"], bill["total"])


@pytest.mark.parametrize("read", ["orders_by_session", "order_payloads"])
def test_a_total_is_that_of_the_orders_beside_it(board, tablet, ours, monkeypatch, read):
    """However many come while the board or the bill is read."""
    place(ours.table, ours.item)
    original = getattr(orders.board, read)

    def somebody_orders_first(rows):
        place(ours.table, ours.item)
        return original(rows)

    monkeypatch.setattr(orders.board, read, somebody_orders_first)
    shown = card(board(), ours.table) if read == "orders_by_session" else tablet.get("tablet/session").json()
    assert (len(shown["orders"]), shown["total"]) == (2, 24000)


def test_the_cursor_is_the_number_of_the_last_event(board, tablet, ours):
    assert board()["cursor"] == Event.objects.in_store(ours.store).count()
    place(ours.table, ours.item)
    tablet.post("tablet/calls", {"kind": "water"})
    assert board()["cursor"] == tablet.get("tablet/session").json()["cursor"] == Event.objects.in_store(ours.store).count()


def test_the_snapshot_is_never_older_than_its_cursor(board, ours, monkeypatch):
    """What happens while the board is read comes again after the cursor; a cursor read last would lose it."""
    read_sessions = orders.board._sessions

    def sessions_and_then_an_order(store):
        found = read_sessions(store)
        place(ours.table, ours.item)
        return found

    before = Counters.objects.get(store=ours.store).last_number
    monkeypatch.setattr(orders.board, "_sessions", sessions_and_then_an_order)
    assert board()["cursor"] == before


def test_calls_are_shown_until_somebody_takes_them(board, tablet, manager, ours, clock):
    water = tablet.post("tablet/calls", {"kind": "water"}).json()
    clock.advance(seconds=1)
    bill = tablet.post("tablet/calls", {"kind": "bill"}).json()
    assert card(board(), ours.table)["calls"] == [water, bill]
    assert card(board(), ours.tables[1])["calls"] == []
    manager.post(f"staff/calls/{water['id']}/resolve")
    assert card(board(), ours.table)["calls"] == [bill]


def test_completed_parties_leave_the_board(board, manager, ours):
    place(ours.table, ours.item)
    manager.post(f"staff/tables/{ours.table.pk}/complete", {"force": True})
    shown = card(board(), ours.table)
    assert (shown["session"], shown["orders"], shown["total"], shown["unsettled"]) == (None, [], 0, [])


def test_unsettled_bills_stay_oldest_first_beside_the_present_party(board, ours, clock):
    placed = []
    for _ in range(3):
        placed.append(place(ours.table, ours.item))
        clock.advance(hours=3)
    placed.append(place(ours.table, ours.items[1]))
    shown = card(board(), ours.table)
    assert shown["orders"] == [placed[3]]
    assert shown["total"] == 9000
    assert [(row["session"]["state"], row["total"], row["orders"]) for row in shown["unsettled"]] == [
        ("expired", 12000, [order]) for order in placed[:3]
    ]


def test_a_board_that_was_looked_at_shows_the_end_of_a_party_by_the_clock(board, ours, clock):
    place(ours.table, ours.item)
    assert card(board(), ours.table)["session"]["state"] == "active"
    clock.advance(hours=2, seconds=-1)
    assert card(board(), ours.table)["session"]["state"] == "active"
    clock.advance(seconds=1)
    shown = card(board(), ours.table)
    assert shown["session"] is None and shown["unsettled"][0]["session"]["state"] == "expired"


def test_parties_that_never_run_out_stay_on_the_board(board, ours, settings, clock):
    settings.SESSION_EXPIRE_HOURS = settings.SESSION_LAST_ORDER_TIMEOUT_HOURS = 0
    placed = [place(table, ours.item) for table in ours.tables]
    clock.advance(days=400)
    assert [row["orders"] for row in board()["tables"]] == [[order] for order in placed]


def test_a_board_is_made_anew_after_half_a_minute_whatever_the_journal_says(board, ours, clock):
    """A database that is put back from a backup counts its events anew: the same number may be another moment."""
    shown = board()
    Table.objects.filter(pk=ours.table.pk).update(number="Terrace 1")
    assert board() == shown, "the control: it is kept"
    clock.advance(seconds=30)
    assert card(board(), ours.table)["number"] == "Terrace 1"


def test_a_table_that_is_switched_off_leaves_the_board_with_its_last_party(board, manager, ours):
    place(ours.table, ours.item)
    Table.objects.in_store(ours.store).update(is_active=False)
    assert [row["number"] for row in board()["tables"]] == ["1"]
    TableSession.objects.update(state="expired")
    assert [row["number"] for row in board()["tables"]] == ["1"]
    manager.post(f"staff/tables/{ours.table.pk}/complete", {"force": True})
    assert board()["tables"] == []


def test_a_call_from_a_table_that_was_switched_off_stays_until_somebody_takes_it(board, tablet, manager, ours):
    call = tablet.post("tablet/calls", {"kind": "help"}).json()
    Table.objects.in_store(ours.store).update(is_active=False)
    assert [row["calls"] for row in board()["tables"]] == [[call]]
    manager.post(f"staff/calls/{call['id']}/resolve")
    assert board()["tables"] == []


def test_more_unsettled_lines_than_a_statement_has_values(board, ours, monkeypatch):
    for table in ours.tables:
        for _ in range(3):
            place(table, ours.item)
    shown = board()
    monkeypatch.setattr("orders.payloads.VALUES", 2)
    Counters.objects.update(last_number=F("last_number") + 1)  # or the board would be the one that was made before
    assert board()["tables"] == shown["tables"]


def test_the_board_shows_one_store(manager, ours, theirs):
    place(theirs.table, theirs.item)
    tablet_of(theirs.table).post("tablet/calls", {"kind": "help"})
    place(ours.table, ours.item)
    answer = manager.get("staff/board")
    assert {row["id"] for row in answer.json()["tables"]} == {str(table.pk) for table in ours.tables}
    assert "theirs" not in answer.content.decode()


def test_the_board_is_for_staff(tablet, anyone):
    problem(tablet.get("staff/board"), 403, "FORBIDDEN")
    problem(anyone.get("staff/board"), 401, "NOT_AUTHENTICATED")
