"""What orders look like on the wire: in answers and in the journal."""

from stores.payloads import moment, table_reference

from .models import Order, OrderLine


def order_payload(order: Order, lines=None) -> dict:
    """`lines`: [(line, its options)]; without them they are read, so load orders `with_lines()`."""
    if lines is None:
        lines = [(line, line.options.all()) for line in order.lines.all()]
    return {
        "id": str(order.pk),
        "number": order.number,
        "order_number": order.order_number,
        "status": order.status,
        "total": order.total,
        "currency": order.currency,
        "placed_at": moment(order.placed_at),
        "table": table_reference(order.table),
        "session": str(order.session_id),
        "version": order.version,
        "note": order.note,
        "lines": [_line(line, options) for line, options in lines],
    }


def _line(line: OrderLine, options):
    return {
        "id": str(line.pk),
        "item": str(line.item_id),
        "name": line.name,
        "quantity": line.quantity,
        "cancelled_quantity": line.cancelled_quantity,
        "unit_price": line.unit_price,
        "options": [{"id": str(option.option_id), "name": option.name, "price_delta": option.price_delta} for option in options],
        "total": line.total,
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
