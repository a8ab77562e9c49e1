"""What placing an order asks and changes besides its own rows, each made once (tableorder/statements.py)."""

from django.db.models import BigIntegerField, CharField, DateTimeField, FilteredRelation, OuterRef, Q, Subquery, UUIDField

from sessions_app.models import TableSession
from stores.models import Table
from tableorder.statements import Given, Select, Update

from .models import Order

locked_table = Select(
    lambda: Table.objects.in_store(Given("store", UUIDField())).filter(pk=Given("table", UUIDField())).locked().order_by().values_list("pk")
)
PARTY = ["id", "state", "started_at", "last_order_at", "completed_at", "total"]
party = Select(
    lambda: (
        Table.objects.filter(pk=Given("table", UUIDField()))
        .order_by()
        .annotate(party=FilteredRelation("sessions", condition=Q(sessions__active_marker=1)))
        .values_list(
            *(f"party__{field}" for field in PARTY),
            Subquery(Order.objects.filter(store=OuterRef("store"), idempotency_key=Given("key", CharField())).order_by().values("pk")),
        )
    )
)
bill = Update(
    lambda: (
        TableSession.objects.filter(pk=Given("session", UUIDField())),
        {"last_order_at": Given("last_order_at", DateTimeField()), "total": Given("total", BigIntegerField())},
    )
)
