"""What order endpoints take and answer: input serializers, and the shapes of payloads for OpenAPI."""

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from menus.models import MAX_OPTIONS
from orders.kitchen import CancelledLine
from orders.models import MAX_LINES, MAX_QUANTITY, Status
from orders.pricing import NewLine
from orders.services import NOT_SAID, NewOrder
from sessions_app.api.schemas import CallOutput, SessionOutput
from stores.api.schemas import TableOutput, TableReference
from tableorder.fields import Boolean, Id, Integer, Many, Strict, Text


class NewLineInput(Strict):
    item = Id()
    quantity = Integer(min_value=1, max_value=MAX_QUANTITY)
    options = Many(child=Id(), max_length=MAX_OPTIONS, default=list)
    note = Text(max_length=200, allow_blank=True, default="")

    def to_internal_value(self, data):
        line = super().to_internal_value(data)
        return NewLine(line["item"], line["quantity"], tuple(line["options"]), line["note"])


class QuoteInput(Strict):
    lines = Many(child=NewLineInput(), max_length=MAX_LINES)


class NewOrderInput(QuoteInput):
    expected_total = Integer(min_value=0, max_value=2**53, required=False, allow_null=True)
    session = Id(required=False, allow_null=True)
    note = Text(max_length=200, allow_blank=True, default="")

    def to_internal_value(self, data):
        asked = super().to_internal_value(data)
        return NewOrder(tuple(asked["lines"]), asked["note"], asked.get("expected_total"), asked.get("session", NOT_SAID))


class Move(Strict):
    status = serializers.ChoiceField(Status.values)
    version = Integer(default=None, help_text="Required unless the object is in that state already.")


class CancelledLineInput(Strict):
    line = Id()
    quantity = Integer(min_value=1, max_value=MAX_QUANTITY)

    def to_internal_value(self, data):
        return CancelledLine(**super().to_internal_value(data))


class CancelInput(Strict):
    reason = Text(max_length=200)
    version = Integer(default=None, help_text="Required unless all of it is cancelled already.")
    lines = Many(child=CancelledLineInput(), min_length=1, max_length=MAX_LINES, required=False, help_text="None: all that is live.")

    def validate_lines(self, lines):
        if len({line.line for line in lines}) != len(lines):
            raise serializers.ValidationError(_("A line may be named once."), code="unique")
        return lines


class CompleteInput(Strict):
    session = Id(required=False)
    force = Boolean(default=False)


class OptionTaken(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    price_delta = serializers.IntegerField()


class LineOutput(serializers.Serializer):
    id = serializers.UUIDField()
    item = serializers.UUIDField()
    name = serializers.CharField()
    quantity = serializers.IntegerField()
    cancelled_quantity = serializers.IntegerField()
    unit_price = serializers.IntegerField()
    options = OptionTaken(many=True)
    total = serializers.IntegerField()
    status = serializers.ChoiceField(Status.values)
    note = serializers.CharField(allow_blank=True)


class OrderOutput(serializers.Serializer):
    id = serializers.UUIDField()
    number = serializers.IntegerField()
    order_number = serializers.CharField()
    status = serializers.ChoiceField(Status.values)
    total = serializers.IntegerField()
    currency = serializers.CharField()
    placed_at = serializers.DateTimeField()
    table = TableReference()
    session = serializers.UUIDField()
    version = serializers.IntegerField()
    note = serializers.CharField(allow_blank=True)
    lines = LineOutput(many=True)


class OrderPage(serializers.Serializer):
    results = OrderOutput(many=True)
    next = serializers.CharField(allow_null=True)


class QuoteLine(serializers.Serializer):
    item = serializers.UUIDField()
    quantity = serializers.IntegerField()
    options = serializers.ListField(child=serializers.UUIDField())
    unit_price = serializers.IntegerField()
    total = serializers.IntegerField()


class QuoteOutput(serializers.Serializer):
    lines = QuoteLine(many=True)
    total = serializers.IntegerField()


class PartyOutput(serializers.Serializer):
    """The present party at a table, and what it ordered."""

    session = SessionOutput(allow_null=True)
    orders = OrderOutput(many=True)
    total = serializers.IntegerField()
    cursor = serializers.IntegerField(help_text="Number of the last event that this snapshot is not older than.")


class UnsettledOutput(serializers.Serializer):
    session = SessionOutput()
    total = serializers.IntegerField()
    orders = OrderOutput(many=True)


class BoardTable(TableOutput):
    session = SessionOutput(allow_null=True)
    total = serializers.IntegerField()
    orders = OrderOutput(many=True)
    unsettled = UnsettledOutput(many=True)
    calls = CallOutput(many=True)


class BoardOutput(serializers.Serializer):
    cursor = serializers.IntegerField(help_text="Number of the last event that this snapshot is not older than.")
    tables = BoardTable(many=True)


class CompletionOutput(serializers.Serializer):
    session = SessionOutput()
    orders = OrderOutput(many=True)
    total = serializers.IntegerField()
    unfinished = serializers.ListField(child=serializers.UUIDField())


class HistoryEntry(serializers.Serializer):
    id = serializers.UUIDField()
    table = TableReference()
    started_at = serializers.DateTimeField()
    completed_at = serializers.DateTimeField()
    total = serializers.IntegerField()
    orders = OrderOutput(many=True)


class HistoryPage(serializers.Serializer):
    results = HistoryEntry(many=True)
    next = serializers.CharField(allow_null=True)
