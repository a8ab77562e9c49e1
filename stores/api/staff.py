from rest_framework.response import Response

from stores import auth, services
from stores.errors import InvalidCredentials, LoginLocked, TableExists
from stores.models import Table
from stores.payloads import moment, staff_payload, store_payload, table_payload
from tableorder.errors import Absent
from tableorder.fields import Nothing
from tableorder.openapi import documented
from tableorder.paging import page

from .endpoint import Endpoint, Role
from .schemas import NewTable, StaffLoginInput, StaffLoginOutput, TableChange, TableOutput, TablePage


class StaffLogin(Endpoint):
    role = Role.ANYONE

    @documented(request=StaffLoginInput, answers={200: StaffLoginOutput}, refuses=[InvalidCredentials, LoginLocked], public=True)
    def post(self, request):
        membership, access = auth.log_in_staff(**self.body(StaffLoginInput), address=request.client_address)
        return Response(
            {
                "access": str(access),
                "expires_at": moment(auth.expiry(access)),
                "user": staff_payload(membership),
                "store": store_payload(membership.store),
            }
        )


class StaffLogout(Endpoint):
    role = Role.MANAGER

    @documented(request=Nothing, answers={204: None})
    def post(self, request):
        self.body(Nothing)
        auth.log_out_staff(self.caller)
        return Response(status=204)


class Tables(Endpoint):
    role = Role.MANAGER

    @documented(answers={200: TablePage}, listed=True)
    def get(self, request):
        tables, cursor = page(
            Table.objects.in_store(self.store).in_reading_order(), request.query_params, by=["number_length", "number", "id"]
        )
        return Response({"results": [table_payload(table) for table in tables], "next": cursor})

    @documented(request=NewTable, answers={201: TableOutput}, refuses=[TableExists])
    def post(self, request):
        table = services.create_table(self.store, **self.body(NewTable), actor=self.caller.user)
        return Response(table_payload(table), status=201)


class TableDetail(Endpoint):
    role = Role.MANAGER

    @documented(request=TableChange, answers={200: TableOutput}, refuses=[Absent, TableExists])
    def patch(self, request, table_id):
        table = Table.objects.in_store(self.store).get_or_absent(table_id)
        return Response(table_payload(services.change_table(table, **self.body(TableChange), actor=self.caller.user)))


class TableSignOut(Endpoint):
    role = Role.MANAGER

    @documented(request=Nothing, answers={204: None}, refuses=[Absent])
    def post(self, request, table_id):
        table = Table.objects.in_store(self.store).get_or_absent(table_id)
        self.body(Nothing)
        services.sign_out_table(table, actor=self.caller.user)
        return Response(status=204)
