from django.http import HttpResponse
from rest_framework.response import Response

from orders import kitchen
from orders.board import rendered_board
from orders.errors import IllegalTransition, NoActiveSession, OrdersUnfinished, VersionConflict
from orders.history import history_page
from orders.models import Order, Status
from orders.payloads import order_payload, order_payloads
from sessions_app.payloads import session_payload
from stores.api.endpoint import Endpoint, Role
from stores.models import Table
from tableorder.errors import Absent
from tableorder.openapi import OpenApiParameter, documented
from tableorder.paging import id_in, invalid_parameter, page

from .schemas import BoardOutput, CancelInput, CompleteInput, CompletionOutput, HistoryPage, Move, OrderOutput, OrderPage

DATES = [
    OpenApiParameter("from", {"type": "string", "format": "date"}, description="First business date of completion."),
    OpenApiParameter("to", {"type": "string", "format": "date"}, description="Last business date of completion."),
]
FILTERS = [
    OpenApiParameter("table", {"type": "string", "format": "uuid"}),
    OpenApiParameter("session", {"type": "string", "format": "uuid"}),
    OpenApiParameter("status", {"type": "string", "enum": Status.values}),
]


class Board(Endpoint):
    role = Role.MANAGER

    @documented(answers={200: BoardOutput})
    def get(self, request):
        return HttpResponse(rendered_board(self.store), content_type="application/json")


class Orders(Endpoint):
    role = Role.MANAGER

    @documented(answers={200: OrderPage}, parameters=FILTERS, listed=True)
    def get(self, request):
        asked = request.query_params
        filters = {name: id_in(asked, name) for name in ("table", "session") if name in asked}
        if "status" in asked:
            filters["status"] = status_in(asked)
        orders = Order.objects.in_store(self.store).filter(**filters).as_rows()
        rows, cursor = page(orders, asked, by=["placed_at", "id"], descending=True)
        return Response({"results": order_payloads(rows), "next": cursor})


class OrderDetail(Endpoint):
    role = Role.MANAGER

    @documented(answers={200: OrderOutput}, refuses=[Absent])
    def get(self, request, order_id):
        return Response(order_payload(Order.objects.in_store(self.store).with_lines().get_or_absent(order_id)))

    @documented(request=Move, answers={200: OrderOutput}, refuses=[Absent, IllegalTransition, VersionConflict])
    def patch(self, request, order_id):
        order = order_of(self.store, order_id)
        return Response(order_payload(kitchen.move_order(order, **self.body(Move), actor=self.caller.user)))


class Line(Endpoint):
    role = Role.MANAGER

    @documented(request=Move, answers={200: OrderOutput}, refuses=[Absent, IllegalTransition, VersionConflict])
    def patch(self, request, order_id, line_id):
        order = order_of(self.store, order_id)
        return Response(order_payload(kitchen.move_line(order, line_id=line_id, **self.body(Move), actor=self.caller.user)))


class Cancel(Endpoint):
    role = Role.MANAGER

    @documented(request=CancelInput, answers={200: OrderOutput}, refuses=[Absent, IllegalTransition, VersionConflict])
    def post(self, request, order_id):
        order = order_of(self.store, order_id)
        asked = self.body(CancelInput)
        return Response(order_payload(kitchen.cancel_order(order, **asked, actor=self.caller.user, is_owner=self.caller.is_owner)))


class Complete(Endpoint):
    role = Role.MANAGER

    @documented(request=CompleteInput, answers={200: CompletionOutput}, refuses=[Absent, NoActiveSession, OrdersUnfinished])
    def post(self, request, table_id):
        table = Table.objects.in_store(self.store).get_or_absent(table_id)
        asked = self.body(CompleteInput)
        done = kitchen.complete_session(table, session_id=asked.get("session"), force=asked["force"], actor=self.caller.user)
        return Response(
            {
                "session": session_payload(done.session),
                "orders": [order_payload(order) for order in done.orders],
                "total": done.session.total,
                "unfinished": [str(line.pk) for line in done.unfinished],
            }
        )


class TableHistory(Endpoint):
    role = Role.MANAGER

    @documented(answers={200: HistoryPage}, refuses=[Absent], parameters=DATES, listed=True)
    def get(self, request, table_id):
        table = Table.objects.in_store(self.store).get_or_absent(table_id)
        return Response(history_page(self.store, request.query_params, table=table))


class History(Endpoint):
    role = Role.MANAGER

    @documented(answers={200: HistoryPage}, parameters=DATES, listed=True)
    def get(self, request):
        return Response(history_page(self.store, request.query_params))


def order_of(store, order_id) -> Order:
    """Without its lines: what is done with it reads it again under its lock."""
    return Order.objects.in_store(store).get_or_absent(order_id)


def status_in(params) -> str:
    if params["status"] not in Status.values:
        raise invalid_parameter("status", f"{', '.join(Status.values)}.")
    return params["status"]
