from rest_framework import serializers

from sessions_app.models import ServiceCall, TableSession
from stores.api.schemas import TableReference
from tableorder.fields import Strict


class NewCall(Strict):
    kind = serializers.ChoiceField(ServiceCall.Kind.values)


class SessionOutput(serializers.Serializer):
    id = serializers.UUIDField()
    state = serializers.ChoiceField(TableSession.State.values)
    started_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    completed_at = serializers.DateTimeField(allow_null=True)
    ordering_open = serializers.BooleanField()


class CallOutput(serializers.Serializer):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(ServiceCall.Kind.values)
    table = TableReference()
    state = serializers.ChoiceField(ServiceCall.State.values)
    opened_at = serializers.DateTimeField()
    resolved_at = serializers.DateTimeField(allow_null=True)
