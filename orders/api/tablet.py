from rest_framework.response import Response

from orders import services
from orders.board import party_payload
from orders.errors import (
    EmptyOrder,
    IdempotencyKeyRequired,
    IdempotencyKeyReused,
    InvalidOption,
    ItemNotFound,
    OptionCount,
    PriceChanged,
    SessionChanged,
    SoldOut,
)
from orders.payloads import quote_payload
from sessions_app.services import active_session
from stores.api.endpoint import Endpoint, Role
from tableorder import rate_limits
from tableorder.openapi import OpenApiParameter, documented

from .schemas import NewOrderInput, OrderOutput, PartyOutput, QuoteInput, QuoteOutput

UNORDERABLE = (EmptyOrder, InvalidOption, OptionCount, ItemNotFound, SoldOut)
KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 8, "maxLength": 128, "pattern": "^[!-~][ -~]{6,126}[!-~]$"},
    OpenApiParameter.HEADER,
    required=True,
    description="One for each order that the guest means; the same for every repeat of it.",
)
REPLAYED = OpenApiParameter("Idempotent-Replayed", {"const": "true"}, OpenApiParameter.HEADER, response=[200])


class Quote(Endpoint):
    role = Role.TABLET

    @documented(request=QuoteInput, answers={200: QuoteOutput}, refuses=UNORDERABLE)
    def post(self, request):
        lines = tuple(self.body(QuoteInput)["lines"])
        return Response(quote_payload(services.quote(self.store, lines=lines)))


class Orders(Endpoint):
    role = Role.TABLET

    def limits(self):
        """Every POST counts, a repeat too. A token that isn't a tablet's has no table, and is refused after this."""
        table = self.holder.table if self.request.method == "POST" else None
        return super().limits() + ([rate_limits.of_orders(table)] if table else [])

    @documented(
        request=NewOrderInput,
        answers={201: OrderOutput, 200: OrderOutput},
        refuses=[*UNORDERABLE, IdempotencyKeyRequired, PriceChanged, SessionChanged, IdempotencyKeyReused],
        parameters=[KEY, REPLAYED],
    )
    def post(self, request):
        order, is_new = services.place_order(self.caller.table, asked=self.body(NewOrderInput), key=idempotency_key(request))
        return Response(order, status=201) if is_new else Response(order, headers={"Idempotent-Replayed": "true"})


class Session(Endpoint):
    role = Role.TABLET

    @documented(answers={200: PartyOutput})
    def get(self, request):
        table = self.caller.table
        return Response(party_payload(table, active_session(table)))


def idempotency_key(request) -> str:
    key = request.headers.get("Idempotency-Key", "")
    if not (8 <= len(key) <= 128 and key.isascii() and key.isprintable()):
        raise IdempotencyKeyRequired()
    return key
