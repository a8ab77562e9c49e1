"""Years of orders in a minute: copies of one real order of each store, with days, numbers and bills that agree."""

from collections.abc import Iterable

from django.db import connection
from django.db.models import GeneratedField

from orders.models import Order, OrderLine, OrderLineOption
from sessions_app.models import TableSession

ORDERS_OF_A_PARTY = 2


def fill(stores: Iterable, *, orders: int, days_ago: int = 1, days: int = 100):
    """So many orders for each of these stores, settled and paid, spread over the `days` that lie before `days_ago`.

    Every store must have an order to copy; the copies are spread over its tables.
    """
    parties = max(1, orders // ORDERS_OF_A_PARTY)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # the copies refer to rows that are there; asking takes most of the time
        cursor.execute(PARTIES, [-(-parties // days), days_ago, parties, [str(store) for store in stores]])
        cursor.execute(ORDERS, [ORDERS_OF_A_PARTY])
        cursor.execute(LINES)
        paid = {"table_id": "past.table_id", "started_at": "past.at", "last_order_at": "past.at", "completed_at": "past.at"}
        bill = {"state": "'completed'", "total": f"past.price * {ORDERS_OF_A_PARTY}"}
        cursor.execute(_copies(TableSession, "past_parties", {"id": "past.id"} | paid | bill))
        served = {"id": "past.id", "session_id": "past.session_id", "table_id": "past.table_id", "status": "'served'"}
        served |= {"business_day": "past.at::date", "number": "past.number", "placed_at": "past.at"}
        served |= {"idempotency_key": "replace(past.id::text || past.session_id, '-', '')"}
        cursor.execute(_copies(Order, "past_orders", served))
        cursor.execute(_copies(OrderLine, "past_lines", {"id": "past.id", "order_id": "past.order_id", "status": "'served'"}))
        cursor.execute(_copies(OrderLineOption, "past_lines", {"line_id": "past.id"}, by="line_id"))
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("DROP TABLE past_parties, past_orders, past_lines")
        cursor.execute("VACUUM ANALYZE")  # a database that has grown by itself has been looked at


# `copied` is the row that a new one is like.
PARTIES = """
CREATE TEMP TABLE past_parties AS
WITH parameters AS (SELECT %s::int AS of_a_day, %s::int AS days_ago)
SELECT gen_random_uuid() AS id, real.session_id AS copied, real.id AS real_order, real.total AS price, party,
       date_trunc('day', now()) - (days_ago + party / of_a_day) * interval '1 day' + interval '3 hours' AS at, of_a_day,
       seats[1 + party %% cardinality(seats)] AS table_id
FROM parameters, generate_series(0, %s - 1) AS party,
     (SELECT DISTINCT ON (store_id) id, store_id, session_id, total FROM orders_order WHERE store_id = ANY(%s::uuid[])
      ORDER BY store_id, placed_at DESC) AS real
     JOIN (SELECT store_id, array_agg(id) AS seats FROM stores_table GROUP BY store_id) AS room USING (store_id)
"""
ORDERS = """
CREATE TEMP TABLE past_orders AS
WITH parameters AS (SELECT %s::int AS of_a_party)
SELECT gen_random_uuid() AS id, real_order AS copied, id AS session_id, table_id, at, party %% of_a_day * of_a_party + nth AS number
FROM past_parties, parameters, generate_series(1, of_a_party) AS nth
"""
LINES = """
CREATE TEMP TABLE past_lines AS
SELECT gen_random_uuid() AS id, line.id AS copied, past_orders.id AS order_id
FROM past_orders JOIN orders_orderline AS line ON line.order_id = past_orders.copied
"""


def _copies(model, past: str, changed: dict[str, str], by: str = "id") -> str:
    """For each row of `past` one like `copied`, whatever columns the model has, but for what is `changed`."""
    fields = [field for field in model._meta.local_concrete_fields if not isinstance(field, GeneratedField)]
    columns = [field.column for field in fields if field.column != "id" or "id" in changed]
    values = [changed.get(column, f"copied.{column}") for column in columns]
    table = model._meta.db_table
    found = f"{past} past JOIN {table} copied ON copied.{by} = past.copied"
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {found}"
