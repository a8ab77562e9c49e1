"""Staff create tables, rename them, switch them off, and cut off their tablets."""

import pytest

from stores.models import AuditEntry, Event, Table
from tests.snapshot import nothing_stored
from tests.world import TABLE_PASSWORD, Caller, place, problem, tablet_of

TABLES = "staff/tables"


def url(table) -> str:
    return f"{TABLES}/{table.pk}"


def last_event(world) -> Event:
    return Event.objects.in_store(world.store).order_by("number").last()


def signs_in(world, number, password=TABLE_PASSWORD) -> bool:
    return Caller().post("tablet/login", {"store": world.store.code, "table": number, "password": password}).status_code == 200


def test_a_new_table_takes_a_tablet(manager, ours):
    answer = manager.post(TABLES, {"number": "Terrace 3", "password": "4711"})
    assert answer.status_code == 201
    table = answer.json()
    assert table == {"id": table["id"], "number": "Terrace 3", "is_active": True, "version": 1}
    assert signs_in(ours, "Terrace 3", "4711")
    assert last_event(ours).type == "table.changed"
    assert str(last_event(ours).table_id) == table["id"]
    assert AuditEntry.objects.in_store(ours.store).get(action="table.created", subject="Terrace 3").actor == ours.manager
    assert any(row["number"] == "Terrace 3" for row in manager.get("staff/board").json()["tables"])


def test_a_table_may_begin_switched_off(manager, ours):
    assert manager.post(TABLES, {"number": "3", "password": "4711", "is_active": False}).json()["is_active"] is False
    assert not signs_in(ours, "3", "4711")


def test_the_password_is_nowhere_to_be_read(manager, owner, ours):
    manager.post(TABLES, {"number": "3", "password": "very secret 4711"})
    manager.patch(url(ours.table), {"password": "very secret 4712"})
    for staff in (manager, owner):
        assert b"secret" not in staff.get(TABLES).content + staff.get("staff/board").content
    assert not Event.objects.filter(body__contains="secret").exists()
    assert not any("secret" in str(entry.details) for entry in AuditEntry.objects.all())
    assert not Table.objects.filter(password__contains="secret").exists()


def test_two_tables_of_a_store_have_two_numbers(manager, ours, theirs):
    with nothing_stored():
        problem(manager.post(TABLES, {"number": "1", "password": "4711"}), 409, "TABLE_EXISTS")
        problem(manager.post(TABLES, {"number": " 1 ", "password": "4711"}), 409, "TABLE_EXISTS")
        problem(manager.patch(url(ours.table), {"number": "2"}), 409, "TABLE_EXISTS")
    assert Table.objects.filter(number="1").count() == 2  # theirs has one too


def test_a_number_of_a_table_that_is_switched_off_is_still_taken(manager, ours):
    manager.patch(url(ours.table), {"is_active": False})
    problem(manager.post(TABLES, {"number": "1", "password": "4711"}), 409, "TABLE_EXISTS")


def test_a_table_is_renamed(manager, ours):
    answer = manager.patch(url(ours.table), {"number": "Window"})
    assert (answer.status_code, answer.json()) == (200, {"id": str(ours.table.pk), "number": "Window", "is_active": True, "version": 2})
    assert signs_in(ours, "Window")
    assert not signs_in(ours, "1")
    assert last_event(ours).type == "table.changed"


def test_a_change_that_changes_nothing_is_not_told(manager, ours):
    for asked in ({}, {"number": "1"}, {"is_active": True}, {"number": " 1 ", "is_active": True}):
        with nothing_stored():
            assert manager.patch(url(ours.table), asked).json()["version"] == 1


def test_a_new_password_replaces_the_old_one(manager, ours):
    manager.patch(url(ours.table), {"password": "9999"})
    assert not signs_in(ours, "1")
    assert signs_in(ours, "1", "9999")
    entry = AuditEntry.objects.in_store(ours.store).get(action="table.changed")
    assert (entry.subject, entry.actor, entry.details) == ("1", ours.manager, {"changed": ["password"], "before": {}, "after": {}})


def test_a_table_switched_off_keeps_its_party_on_the_board(manager, tablet, ours):
    order = place(ours.table, ours.item)
    assert manager.patch(url(ours.table), {"is_active": False}).status_code == 200
    problem(tablet.get("tablet/session"), 401, "TOKEN_INVALID")
    (card,) = [row for row in manager.get("staff/board").json()["tables"] if row["number"] == "1"]
    assert card["orders"] == [order]
    assert manager.post(f"{url(ours.table)}/complete", {"force": True}).status_code == 200


def test_a_cut_off_is_told_and_needs_no_body(manager, tablet, ours):
    answer = manager.post(f"{url(ours.table)}/sign-out")
    assert (answer.status_code, answer.content) == (204, b"")
    problem(tablet.get("tablet/session"), 401, "TOKEN_INVALID")
    assert last_event(ours).type == "table.changed"
    assert AuditEntry.objects.in_store(ours.store).get(action="table.signed_out").actor == ours.manager


def test_tables_are_listed_in_reading_order_and_in_pages(manager, ours):
    for number in ("10", "9", "Bar", "100"):
        manager.post(TABLES, {"number": number, "password": "4711"})
    manager.patch(url(ours.table), {"is_active": False})
    seen, query = [], "?limit=4"
    while query:
        page = manager.get(TABLES + query).json()
        seen += [row["number"] for row in page["results"]]
        query = page["next"] and f"?limit=4&cursor={page['next']}"
    assert seen == ["1", "2", "9", "10", "100", "Bar"]


BAD = [
    *({"number": value} for value in ("", "   ", "x" * 21, None, 1, True, ["1"], "bell \x07")),
    *({"password": value} for value in ("", "123", "x" * 129, None, 2580, True)),
    *({"is_active": value} for value in (None, 1, "true", "")),
    {"store": "theirs"},
    {"epoch": 1},
    {"id": "00000000-0000-4000-8000-000000000000"},
]


def test_a_malformed_table_is_refused(manager, ours):
    with nothing_stored():
        for asked in BAD:
            problem(manager.post(TABLES, {"number": "3", "password": "4711"} | asked), 400, "VALIDATION")
            problem(manager.patch(url(ours.table), asked), 400, "VALIDATION")


@pytest.mark.parametrize("missing", ["number", "password"])
def test_a_table_needs_a_number_and_a_password(manager, missing):
    asked = {"number": "3", "password": "4711"}
    del asked[missing]
    with nothing_stored():
        assert problem(manager.post(TABLES, asked), 400, "VALIDATION")["errors"][0]["pointer"] == f"/{missing}"


@pytest.mark.parametrize("number", ["Terrasse №3", "창가 3", "🪟", "x" * 20, "a/b?c#d"])
def test_a_number_is_any_short_text(manager, ours, number):
    assert manager.post(TABLES, {"number": number, "password": "4711"}).json()["number"] == number
    assert signs_in(ours, number, "4711")


def test_another_store_s_table_is_absent(manager, ours, theirs):
    their_tablet = tablet_of(theirs.table)
    with nothing_stored():
        problem(manager.patch(url(theirs.table), {"number": "9"}), 404, "NOT_FOUND")
        problem(manager.post(f"{url(theirs.table)}/sign-out"), 404, "NOT_FOUND")
    assert their_tablet.get("tablet/session").status_code == 200


def test_tables_are_for_staff(tablet, anyone, ours):
    with nothing_stored():
        for method, path in (("GET", TABLES), ("POST", TABLES), ("PATCH", url(ours.table)), ("POST", f"{url(ours.table)}/sign-out")):
            problem(tablet.request(method, path, {}), 403, "FORBIDDEN")
            problem(anyone.request(method, path, {}), 401, "NOT_AUTHENTICATED")


def test_a_number_that_is_empty_is_refused_in_whole_korean(manager):
    refused = manager.post(TABLES, {"number": "", "password": "4711"}, **{"accept-language": "ko"})
    assert problem(refused, 400, "VALIDATION")["errors"] == [
        {"pointer": "/number", "code": "BLANK", "detail": "이 항목은 비워 둘 수 없습니다."}
    ]
