"""Orders, bills, calls and the audit in the admin: to read, and what services still do with them."""

import ast
import html
import re
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from menus.models import Item
from orders.admin_days import CompletedOn
from orders.kitchen import CancelledLine, cancel_order
from orders.models import Order, Status
from sessions_app.models import ServiceCall, TableSession
from stores.audit_labels import ACTIONS
from stores.models import AuditEntry, Membership, Store, Table
from tests.world import events_of, make_choice, make_item, make_world, place, staff_of, tablet_of

from .desk import Desk, add_url, change_url, list_url, messages_of, page, saved


@pytest.fixture
def order(ours):
    (_, large) = make_choice(ours.item)
    body = {"lines": [{"item": str(ours.item.pk), "quantity": 2, "options": [str(large.pk)], "note": "no onions"}]}
    answer = tablet_of(ours.table).post("tablet/orders", body, key="the-order")
    assert answer.status_code == 201
    return Order.objects.get(pk=answer.json()["id"])


@pytest.fixture
def call(ours):
    return ServiceCall.objects.get(pk=tablet_of(ours.table).post("tablet/calls", {"kind": "bill"}).json()["id"])


def test_records_are_read_by_everybody_and_written_by_nobody(desk, operator, ours, order, call):
    session, entry = order.session, AuditEntry.objects.in_store(ours.store).first()
    for person in (desk, operator):
        for row in (order, session, call, entry):
            model = type(row)
            assert person.get(list_url(model)).status_code == person.get(change_url(row)).status_code == 200
            assert person.post(change_url(row), {"total": "1", "status": "served", "state": "completed"}).status_code == 403
            for path in (add_url(model), page("delete", model, row.pk)):
                assert person.get(path).status_code == person.post(path, {"post": "yes"}).status_code == 403
            assert "delete_selected" not in person.get(list_url(model)).content.decode()
    order.refresh_from_db()
    assert (order.status, order.total) == ("pending", 28000)


def test_every_link_on_a_record_can_be_followed(desk, ours, order, call):
    desk.confirm(TableSession, "complete", order.session, unserved=str(order.session_id))
    assert not ServiceCall.objects.open().exists()
    for row in (order, order.session, call):
        shown = desk.get(change_url(row)).content.decode()
        links = {link for link in re.findall(r'href="(/admin/[^"?]*)"', shown) if not link.startswith("/admin/jsi18n")}
        assert {link: desk.get(link).status_code for link in links} == dict.fromkeys(links, 200)
        assert row is order or str(ours.owner) in shown


def test_nobody_is_not_called_none(desk, ours, order, call):
    for row in (order.session, call):
        assert ">None<" not in desk.get(change_url(row)).content.decode()


def test_an_order_says_everything(desk, ours, order):
    text = desk.get(change_url(order)).content.decode()
    for said in (order.order_number, "ours bibimbap", "large (+₩2,000)", "₩14,000", "₩28,000", "no onions", "Pending"):
        assert said.lower() in text.lower(), said
    assert order.idempotency_key not in text


def test_orders_are_found_by_their_number(desk, ours, order):
    place(ours.tables[1], ours.item)

    def found(term):
        return [str(row) for row in desk.get(list_url(Order), q=term).context["cl"].result_list]

    assert found("1") == found("0001") == found(order.order_number) == [order.order_number]
    assert len(found("")) == 2
    for nothing in ("3", "bibimbap", "99999999-0001", "20200101-0001", "99999999999999", "1 2", "%", "-1"):
        assert found(nothing) == [], nothing


def test_lists_are_filtered_by_day_state_and_table(desk, ours, order):
    other = Order.objects.get(pk=place(ours.tables[1], ours.item)["id"])
    day = order.business_day

    def found(model=Order, **query):
        return {row.pk for row in desk.get(list_url(model), **query).context["cl"].result_list}

    assert found() == {order.pk, other.pk}
    assert found(table__id__exact=str(ours.table.pk)) == {order.pk}
    assert found(status__exact="served") == set()
    assert found(business_day__year=day.year, business_day__month=day.month, business_day__day=day.day) == {order.pk, other.pk}
    assert found(business_day__year=2020) == set()
    assert found(TableSession, state__exact="active") == {order.session_id, other.session_id}
    assert [row.pk for row in desk.get(list_url(Order)).context["cl"].result_list] == [other.pk, order.pk]  # newest first


def test_bills_are_found_by_the_business_days_of_their_completion(desk, ours, clock):
    clock.set("2026-11-20T12:00:00+09:00")
    completed = ["2026-11-19T05:00:00+09:00", "2026-11-20T04:59:59+09:00", "2026-11-20T05:00:00+09:00", "2026-10-31T23:00:00+09:00"]
    for moment in completed:
        place(ours.table, ours.item)
        open_one = TableSession.objects.filter(completed_at=None)
        open_one.update(state="completed", completed_at=datetime.fromisoformat(moment), started_at=clock.now, last_order_at=clock.now)

    def found(**query):
        rows = desk.get(list_url(TableSession), **query).context["cl"].result_list
        return sorted(completed.index(row.completed_at.astimezone(ours.store.zone).isoformat()) for row in rows)

    assert found() == [0, 1, 2, 3]
    assert found(completed_from="2026-11-19", completed_to="2026-11-19") == [0, 1]
    assert found(completed_from="2026-11-20") == [2]
    assert found(completed_to="2026-11-18", state__exact="completed") == [3]
    assert found(completed_from="", completed_to="") == [0, 1, 2, 3]  # as a form sends what was left empty

    shown = desk.get(list_url(TableSession), completed_from="2026-11-20", completed_to="2026-11-20", state__exact="completed")
    (filter,) = [spec for spec in shown.context["cl"].filter_specs if isinstance(spec, CompletedOn)]
    choices = {choice["display"]: choice for choice in filter.choices(shown.context["cl"])}
    assert [name for name, choice in choices.items() if choice["selected"]] == ["Today"]
    queries = {name: dict(parse_qsl(choice["query_string"][1:])) for name, choice in choices.items()}
    assert {name: found(**query) for name, query in queries.items()} == {
        "Any date": [0, 1, 2, 3],
        "Today": [2],
        "Yesterday": [0, 1],
        "Past 7 days": [0, 1, 2],
        "This month": [0, 1, 2],
        "Last month": [3],
    }
    assert all(query["state__exact"] == "completed" for query in queries.values())
    assert '<input type="hidden" name="state__exact" value="completed">' in shown.content.decode()
    assert '<input type="date" name="completed_to" value="2026-11-20">' in shown.content.decode()
    for nonsense in ("20261120", "tomorrow", "2026-02-30"):
        assert desk.get(list_url(TableSession), completed_from=nonsense).headers["Location"].endswith("?e=1")


def test_a_last_day_before_the_first_is_said_and_finds_nothing(desk, chain, ours, clock):
    bill(ours, "2026-11-20T12:00:00+09:00")
    for person in (desk, *chain):
        answer = person.get(list_url(TableSession), completed_from="2026-11-21", completed_to="2026-11-19")
        assert "The last day lies before the first one." in answer.content.decode()
        assert len(answer.context["cl"].result_list) == 0
        assert '<input type="date" name="completed_to" value="2026-11-19">' in answer.content.decode()
    whole = desk.get(list_url(TableSession), completed_from="2026-11-20", completed_to="2026-11-20")
    assert len(whole.context["cl"].result_list) == 1
    assert "errornote" not in whole.content.decode()


@pytest.fixture
def chain(ours, theirs, operator):
    """Two stores with clocks of their own, and who looks at both: their one owner, and the operator."""
    Membership.objects.create(user=ours.owner, store=theirs.store, role="owner")
    theirs.store.timezone, theirs.store.day_starts_at = "America/New_York", 0
    theirs.store.save()
    return [Desk(ours.owner), operator]


def bill(world, completed):
    place(world.table, world.item)
    moment = datetime.fromisoformat(completed)
    TableSession.objects.filter(completed_at=None).update(
        state="completed", completed_at=moment, started_at=moment, last_order_at=moment, total=1
    )
    return TableSession.objects.get(completed_at=moment, store=world.store).pk


def test_among_several_stores_each_bill_counts_to_the_day_of_its_own_store(chain, ours, theirs, clock):
    clock.set("2026-11-20T12:00:00+09:00")
    late = bill(ours, "2026-11-20T04:59:00+09:00")  # the evening of the 19th goes on until 5
    early = bill(ours, "2026-11-20T05:00:00+09:00")
    before = bill(theirs, "2026-11-19T23:59:00-05:00")  # hours later, yet still the 19th there
    after = bill(theirs, "2026-11-20T00:00:00-05:00")

    def found(person, **query):
        return {row.pk for row in person.get(list_url(TableSession), **query).context["cl"].result_list}

    for person in chain:
        assert found(person) == {late, early, before, after}
        assert found(person, completed_from="2026-11-19", completed_to="2026-11-19") == {late, before}
        assert found(person, completed_from="2026-11-20", completed_to="2026-11-20") == {early, after}
        assert found(person, completed_from="2026-11-20") == {early, after}
        assert found(person, completed_to="2026-11-19") == {late, before}
        one = {"store__id__exact": str(ours.store.pk)}
        assert found(person, completed_from="2026-11-20", completed_to="2026-11-20", **one) == {early}


def test_a_thousand_stores_with_one_clock_are_one_term_of_the_query(operator, ours, theirs):
    Store.objects.bulk_create(Store(code=f"s{number}", name="S") for number in range(1000))
    with CaptureQueriesContext(connection) as queries:
        operator.get(list_url(TableSession), completed_from="2026-11-19")
    asked = [sql for query in queries if "day_starts_at" in (sql := re.sub('["`]', "", query["sql"])) and "completed_at >=" in sql]
    assert asked
    assert all(sql.count("completed_at >=") == 2 for sql in asked)


@pytest.mark.parametrize("model", [Order, TableSession, ServiceCall, AuditEntry])
def test_records_are_counted_once_for_a_page_and_only_those_asked_for(desk, order, call, model):
    """There are a million of them."""
    with CaptureQueriesContext(connection) as queries:
        assert desk.get(list_url(model), q="12").status_code == 200
    counted = [sql for query in queries if "COUNT(" in (sql := query["sql"]) and f"FROM {model._meta.db_table} " in re.sub('["`]', "", sql)]
    assert len(counted) == 1, counted


def test_before_a_store_is_chosen_today_is_the_first_stores_business_day(chain, clock):
    clock.set("2026-11-20T04:00:00+09:00")
    for person in chain:
        shown = person.get(list_url(TableSession), completed_from="2026-11-19", completed_to="2026-11-19")
        (filter,) = [spec for spec in shown.context["cl"].filter_specs if isinstance(spec, CompletedOn)]
        first = min(Store.objects.all(), key=lambda store: store.name)
        today = first.business_day(clock.now)
        (choice,) = [choice for choice in filter.choices(shown.context["cl"]) if choice["display"] == "Today"]
        assert f"completed_from={today}" in choice["query_string"]


def test_cancelling_asks_for_a_reason(desk, ours, order):
    item = make_item(ours, stock=3)
    counted = Order.objects.get(pk=place(ours.tables[1], item)["id"])
    asked = desk.act(Order, "cancel", order, counted)
    assert asked.status_code == 200
    assert order.order_number in asked.content.decode()
    assert 'name="reason"' in asked.content.decode()
    assert "required" in desk.confirm(Order, "cancel", order, reason=" ").content.decode()
    order.refresh_from_db()
    assert order.status == "pending"

    answer = desk.confirm(Order, "cancel", order, counted, reason="kitchen is closed")
    assert "2 orders were cancelled" in messages_of(answer, desk)
    for row in (order, counted):
        row.refresh_from_db()
        assert (row.status, row.total) == ("cancelled", 0)
    assert Item.objects.get(pk=item.pk).stock == 3
    assert events_of(ours).count("order.cancelled") == 2
    assert "kitchen is closed" in desk.get(change_url(order)).content.decode()
    assert "kitchen is closed" in desk.get(list_url(AuditEntry)).content.decode()


def test_an_owner_cancels_even_what_was_served(desk, ours, order):
    staff = staff_of(ours.store, ours.owner)
    version = order.version
    for status in ("preparing", "ready", "served"):
        version = staff.patch(f"staff/orders/{order.pk}", {"status": status, "version": version}).json()["version"]
    assert "1 order was cancelled" in messages_of(desk.confirm(Order, "cancel", order, reason="cold"), desk)


def test_what_is_history_is_not_cancelled_and_says_so_before_it_asks_for_a_reason(desk, ours, order):
    staff_of(ours.store, ours.owner).post(f"staff/tables/{ours.table.pk}/complete", {"force": True})
    for step, typed in ((desk.act, {}), (desk.confirm, {"reason": "too late"})):
        assert messages_of(step(Order, "cancel", order, **typed), desk) == f"The bill is completed and can't be changed any more: {order}"
    order.refresh_from_db()
    assert order.status == "pending"
    assert 'name="action" value="cancel"' not in desk.get(change_url(order)).content.decode()

    running = Order.objects.get(pk=place(ours.tables[1], ours.item)["id"])
    asked = desk.act(Order, "cancel", order, running)
    assert asked.context["rows"] == [running]
    assert "any more: " + str(order) in html.unescape(asked.content.decode())


def test_completing_asks_and_says_what_was_not_served(desk, ours, order, call):
    staff = staff_of(ours.store, ours.owner)
    place(ours.tables[1], ours.item)
    done = Order.objects.get(table=ours.tables[1])
    version = done.version
    for status in ("preparing", "ready", "served"):
        version = staff.patch(f"staff/orders/{done.pk}", {"status": status, "version": version}).json()["version"]

    asked = desk.act(TableSession, "complete", order.session, done.session)
    bills = asked.context["lines"]
    assert [row.pk for row in asked.context["rows"]] == [order.session_id, done.session_id]
    assert "₩28,000 · not served yet: ours bibimbap × 2" in bills[0]
    assert "not served" not in bills[1]
    assert not TableSession.objects.completed().exists()

    shown = asked.context["form"].initial
    assert "2 tables were completed" in messages_of(desk.confirm(TableSession, "complete", order.session, done.session, **shown), desk)
    order.session.refresh_from_db()
    call.refresh_from_db()
    assert (order.session.state, order.session.completed_by, call.state) == ("completed", ours.owner, "resolved")
    assert events_of(ours).count("session.completed") == 2
    assert "0 tables" in messages_of(desk.act(TableSession, "complete", order.session), desk)
    assert 'value="complete"' not in desk.get(change_url(order.session)).content.decode()


def test_what_is_ordered_while_one_thinks_about_completing_is_asked_about(desk, ours, order):
    """Else it would leave the board, and nobody in the kitchen would see it."""
    staff = staff_of(ours.store, ours.owner)
    for version, status in enumerate(("preparing", "ready", "served"), start=1):
        staff.patch(f"staff/orders/{order.pk}", {"status": status, "version": version})
    shown = desk.act(TableSession, "complete", order.session).context["form"].initial
    place(ours.table, ours.items[1])
    asked = desk.confirm(TableSession, "complete", order.session, **shown)
    assert f"not served yet: {ours.items[1].name} × 1" in asked.context["lines"][0]
    assert not TableSession.objects.completed().exists()


def test_a_bill_shows_its_orders_and_total(desk, ours, order):
    text = desk.get(change_url(order.session)).content.decode()
    assert order.order_number in text
    assert change_url(order) in text
    assert text.count("₩28,000") == 2


def test_a_bill_shows_what_was_cancelled_of_its_orders(desk, ours, order):
    def cancelled():
        shown = re.findall(r'<td class="field-cancelled">(.*?)</td>', desk.get(change_url(order.session)).content.decode(), re.DOTALL)
        return [html.unescape(re.sub(r"<[^>]+>", "", cell)).strip() for cell in shown]

    other = Order.objects.get(pk=place(ours.table, ours.items[0], ours.items[1], quantity=3)["id"])
    assert cancelled() == ["", ""]
    line = order.lines.get()
    cancel_order(order, reason="cold", version=order.version, lines=[CancelledLine(line.pk, 1)], actor=ours.owner, is_owner=True)
    cancel_order(other, reason="left", version=other.version, actor=ours.owner, is_owner=True)
    assert cancelled() == ["ours bibimbap × 3, ours noodles × 3 (₩63,000)", "ours bibimbap × 1 (₩14,000)"]


def test_a_bill_of_many_orders_takes_no_more_queries(desk, ours, order):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert desk.get(change_url(order.session)).status_code == 200
        return len(captured)

    queries()  # what is read once a process
    few = queries()
    for _ in range(4):
        more = Order.objects.get(pk=place(ours.table, *ours.items, quantity=2)["id"])
        cancel_order(more, reason="left", version=more.version, actor=ours.owner, is_owner=True)
    assert queries() == few


def test_the_search_of_the_audit_says_what_it_finds(desk, ours, order):
    assert "What it was done to" in desk.get(list_url(AuditEntry)).content.decode()
    cancel_order(order, reason="cold", version=order.version, actor=ours.owner, is_owner=True)
    for term in (order.order_number, ours.owner.name):
        assert "Order cancelled" in desk.get(list_url(AuditEntry), q=term).content.decode().split('id="result_list"')[1]


def test_taking_care_of_calls(desk, ours, call):
    assert "1 call is taken care of" in messages_of(desk.act(ServiceCall, "resolve", call), desk)
    call.refresh_from_db()
    assert (call.state, call.resolved_by) == ("resolved", ours.owner)
    assert events_of(ours)[-1] == "call.resolved"
    assert "0 calls" in messages_of(desk.act(ServiceCall, "resolve", call), desk)


def test_buttons_on_the_page_of_one_row(desk, order, call):
    for row, action in ((order, "cancel"), (order.session, "complete"), (call, "resolve")):
        assert f'name="action" value="{action}"' in desk.get(change_url(row)).content.decode()


def test_records_have_no_history_of_changes(desk, order, ours):
    """Nobody changes them in a form, so that page would be empty; what was done with them stands in the audit."""
    assert "historylink" not in desk.get(change_url(order)).content.decode()
    assert "historylink" in desk.get(change_url(ours.item)).content.decode()


def test_three_steps_end_with_completed(db):
    three = make_world("three", steps=3, currency="USD", timezone="America/New_York")
    order = Order.objects.get(pk=place(three.table, three.item)["id"])
    staff = staff_of(three.store, three.owner)
    version = staff.patch(f"staff/orders/{order.pk}", {"status": "preparing", "version": order.version}).json()["version"]
    staff.patch(f"staff/orders/{order.pk}", {"status": "served", "version": version})
    text = Desk(three.owner).get(change_url(order)).content.decode().lower()
    assert "completed" in text
    assert "served" not in text
    assert "$120.00" in text


def test_the_filter_of_states_has_the_words_of_the_stores_steps(operator, ours):
    three = make_world("three", steps=3)

    def offered(person, **query):
        shown = person.get(list_url(Order), **query).context["cl"]
        (states,) = [spec for spec in shown.filter_specs if spec.title == "state"]
        return [str(choice["display"]) for choice in states.choices(shown)]

    of_three, of_four = ["pending", "preparing", "completed", "cancelled"], ["pending", "preparing", "ready", "served", "cancelled"]
    chosen = {"store__id__exact": str(three.store.pk)}
    assert offered(Desk(three.owner)) == offered(operator, **chosen) == ["All", *of_three]
    assert offered(operator) == offered(Desk(ours.owner)) == ["All", *of_four]

    order = Order.objects.get(pk=place(three.table, three.item)["id"])
    Order.objects.update(status="served")
    found = operator.get(list_url(Order), status__exact="served", **chosen).context["cl"].result_list
    assert [row.pk for row in found] == [order.pk]


def test_every_action_in_the_audit_has_words():
    """Collected from the program: what is passed to `note` and `record_change`."""
    missing = set()
    for app in ("stores", "menus", "sessions_app", "orders"):
        for path in (Path(settings.BASE_DIR) / app).rglob("*.py"):
            for call in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(call, ast.Call) and getattr(call.func, "attr", getattr(call.func, "id", "")) in ("note", "record_change"):
                    said = {text for text in strings_of(call.args[1]) if "." in text}
                    missing |= said - {"order."} - ACTIONS.keys()
    missing |= {f"order.{status}" for status in Status if status != Status.PENDING} - ACTIONS.keys()
    assert missing == set()


def test_who_cancelled_what_and_why_is_found_among_everything_else(desk, ours, order):
    """Four entries an order: on a busy evening a cancellation is one in hundreds."""
    desk.confirm(Order, "cancel", order, reason="the guest left")
    found = desk.get(list_url(AuditEntry), what="order.cancelled").content.decode()
    assert re.findall(r'class="field-subject">([^<]*)<', found) == [order.order_number]
    what = f"off the bill: ₩28,000 · cancelled: {ours.item} × 2 · reason: the guest left"
    assert what in found and str(ours.owner) in found
    assert "?what=order.cancelled" in desk.get(list_url(AuditEntry)).content.decode()


def test_the_audit_tells_what_changed_from_what_to_what(desk, ours):
    saved(desk.form(Item, ours.item).send(price="13000", sold_out="on", description="long " * 50))
    saved(desk.form(Membership, ours.manager.memberships.get()).send(role="owner"))
    text = desk.get(list_url(AuditEntry)).content.decode()
    assert "price: ₩12,000 → ₩13,000" in text
    assert "sold out: no → yes" in text
    assert "long long" not in text
    assert "Staff account changed" in text


def strings_of(node):
    return [inner.value for inner in ast.walk(node) if isinstance(inner, ast.Constant) and isinstance(inner.value, str)]


def test_the_audit_tells_of_tables_people_and_the_store_too_from_what_to_what(desk, ours):
    saved(desk.form(Table, ours.table).send(number="Terrace", is_active=None))
    work = Membership.objects.get(user=ours.manager)
    saved(desk.form(Membership, work).send(role="owner", password1="kimchi stew 4711", password2="kimchi stew 4711"))
    saved(desk.form(Store, ours.store).send(day_starts_at="3"))
    shown = desk.get(list_url(AuditEntry)).content.decode()
    for said in ("number: 1 → Terrace", "active: yes → no", "role: manager → owner", "day begins at: 5 → 3"):
        assert said in shown
    assert "password" in shown and "4711" not in shown and "pbkdf2" not in shown


def test_the_history_of_a_row_names_its_fields_as_people_do(desk, ours):
    saved(desk.form(Store, ours.store).send(day_starts_at="3"))
    desk.http.cookies["django_language"] = "ko"
    assert "하루 시작 시각" in desk.get(page("history", Store, ours.store.pk)).content.decode()


def test_who_saves_what_was_deleted_meanwhile_is_told_so_without_its_id(desk, ours):
    form = desk.form(Item, ours.item)
    staff_of(ours.store, ours.owner).delete(f"staff/items/{ours.item.pk}")
    answer = form.send(name="renamed")
    assert "This item is not there" in messages_of(answer, desk)
    assert str(ours.item.pk) not in messages_of(answer, desk)
