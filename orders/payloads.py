"""What orders look like on the wire: in answers and in the journal."""

import datetime
from collections import defaultdict
from collections.abc import Iterable

from django.db.models import QuerySet

from sessions_app.models import TableSession
from stores.models import Table
from stores.payloads import moment
from tableorder.statements import columns

from .models import Order, OrderLine, OrderLineOption, line_total, order_number

VALUES = 30_000  # of a statement: SQLite takes 32,766 of them, PostgreSQL twice as many. Bills that nobody settles can be as many


def order_payload(order: Order) -> dict:
    """Load orders `with_lines()`."""
    return _order(order, order.table.number, [_line(line, line.options.all()) for line in order.lines.all()])


def placed_payload(order, table: Table, lines) -> dict:
    """That of an order which is just being placed and has no `numbers` yet. `lines`: [(line, its options)]."""
    return _order(order, table.number, [_line(line, options) for line, options in lines])


def numbers(business_day: datetime.date | None, number: int | None) -> dict:
    return {"number": number, "order_number": number and order_number(business_day, number)}


def order_payloads(orders: Iterable) -> list[dict]:
    """Those of many orders, given `as_rows()`, with two statements more: instances would take five times as long."""
    orders = list(orders)
    asked = OrderLine.objects.order_by("order_id", "position").values_list(*columns(OrderLine), named=True)
    asked = _of(asked, "order", [order.id for order in orders])
    chosen = OrderLineOption.objects.order_by("id").values_list("line_id", "option_id", "name", "price_delta", named=True)
    options = defaultdict(list)
    for option in _of(chosen, "line", [line.id for line in asked]):
        options[option.line_id].append(option)
    lines = defaultdict(list)
    for line in asked:
        lines[line.order_id].append(_line(line, options[line.id]))
    return [_order(order, order.table__number, lines[order.id]) for order in orders]


def _of(rows: QuerySet, field: str, ids: list) -> list:
    """Those of these parents, in as many statements as their ids need."""
    parts = [ids[start : start + VALUES] for start in range(0, len(ids), VALUES)]
    return [row for part in parts for row in rows.filter(**{f"{field}__in": part})]


def orders_by_session(sessions: Iterable[TableSession]) -> dict[str, list[dict]]:
    """{id of the session: its orders, newest first}"""
    # Not by a join with sessions: a planner that thinks of few orders would read all that the store ever had.
    found = defaultdict(list)
    for order in order_payloads(Order.objects.filter(session__in=sessions).newest_first().as_rows()):
        found[order["session"]].append(order)
    return found


def _order(order, table_number, lines):
    return {
        "id": str(order.id),
        **numbers(order.business_day, order.number),
        "status": order.status,
        "total": order.total,
        "currency": order.currency,
        "placed_at": moment(order.placed_at),
        "table": {"id": str(order.table_id), "number": table_number},
        "session": str(order.session_id),
        "version": order.version,
        "note": order.note,
        "lines": lines,
    }


def _line(line, options):
    return {
        "id": str(line.id),
        "item": str(line.item_id),
        "name": line.name,
        "quantity": line.quantity,
        "cancelled_quantity": line.cancelled_quantity,
        "unit_price": line.unit_price,
        "options": [{"id": str(option.option_id), "name": option.name, "price_delta": option.price_delta} for option in options],
        "total": line_total(line),
        "status": line.status,
        "note": line.note,
    }


def quote_payload(priced) -> dict:
    return {
        "lines": [
            {
                "item": str(line.item.id),
                "quantity": line.quantity,
                "options": [str(option.id) for option in line.options],
                "unit_price": line.unit_price,
                "total": line.total,
            }
            for line in priced
        ],
        "total": sum(line.total for line in priced),
    }


def unfinished_payload(line: OrderLine) -> dict:
    return {
        "order": str(line.order_id),
        "line": str(line.pk),
        "name": line.name,
        "quantity": line.live_quantity,
        "status": line.status,
    }
