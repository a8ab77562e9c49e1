"""What stores, people and tables take and answer: input serializers, and the shapes of payloads for OpenAPI."""

from rest_framework import serializers

from stores.models import TABLE_PASSWORD, Membership
from tableorder.fields import Boolean, Secret, Strict, Text


class TabletLoginInput(Strict):
    store = Text(max_length=40)
    table = Text(max_length=20)
    password = Secret(max_length=128)


class RefreshInput(Strict):
    refresh = Secret(max_length=4096)


class StaffLoginInput(Strict):
    store = Text(max_length=40)
    username = Text(max_length=64)
    password = Secret(max_length=128)


class NewTable(Strict):
    number = Text(max_length=20)
    password = Secret(**TABLE_PASSWORD)
    is_active = Boolean(default=True)


class TableChange(Strict):
    number = Text(max_length=20, required=False)
    password = Secret(**TABLE_PASSWORD, required=False)
    is_active = Boolean(required=False)


class StoreOutput(serializers.Serializer):
    id = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField()
    currency = serializers.CharField()
    timezone = serializers.CharField()
    steps = serializers.ChoiceField([3, 4])


class TableReference(serializers.Serializer):
    id = serializers.UUIDField()
    number = serializers.CharField()


class TableOutput(TableReference):
    is_active = serializers.BooleanField()
    version = serializers.IntegerField()


class TablePage(serializers.Serializer):
    results = TableOutput(many=True)
    next = serializers.CharField(allow_null=True)


class StaffOutput(serializers.Serializer):
    id = serializers.UUIDField()
    username = serializers.CharField()
    name = serializers.CharField()
    role = serializers.ChoiceField(Membership.Role.values)


class TabletTokensOutput(serializers.Serializer):
    access = serializers.CharField()
    refresh = serializers.CharField()
    expires_at = serializers.DateTimeField()
    store = StoreOutput()
    table = TableReference()


class StaffLoginOutput(serializers.Serializer):
    access = serializers.CharField()
    expires_at = serializers.DateTimeField()
    user = StaffOutput()
    store = StoreOutput()
