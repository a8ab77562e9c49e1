from rest_framework.response import Response

from sessions_app import services
from sessions_app.models import ServiceCall
from sessions_app.payloads import call_payload
from stores.api.endpoint import Endpoint, Role
from tableorder.errors import Absent
from tableorder.fields import Nothing
from tableorder.openapi import documented

from .schemas import CallOutput, NewCall


class TabletCalls(Endpoint):
    role = Role.TABLET

    @documented(request=NewCall, answers={201: CallOutput, 200: CallOutput})
    def post(self, request):
        call, is_new = services.open_call(self.caller.table, kind=self.body(NewCall)["kind"])
        return Response(call_payload(call), status=201 if is_new else 200)


class ResolveCall(Endpoint):
    role = Role.MANAGER

    @documented(request=Nothing, answers={200: CallOutput}, refuses=[Absent])
    def post(self, request, call_id):
        call = ServiceCall.objects.in_store(self.store).get_or_absent(call_id)
        self.body(Nothing)
        return Response(call_payload(services.resolve_call(call, actor=self.caller.user)))
