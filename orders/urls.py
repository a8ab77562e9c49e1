from django.urls import path

from .api import staff, tablet

urlpatterns = [
    path("tablet/quote", tablet.Quote.as_view()),
    path("tablet/orders", tablet.Orders.as_view()),
    path("tablet/session", tablet.Session.as_view()),
    path("staff/board", staff.Board.as_view()),
    path("staff/orders", staff.Orders.as_view()),
    path("staff/orders/<uuid:order_id>", staff.OrderDetail.as_view()),
    path("staff/orders/<uuid:order_id>/lines/<uuid:line_id>", staff.Line.as_view()),
    path("staff/orders/<uuid:order_id>/cancel", staff.Cancel.as_view()),
    path("staff/tables/<uuid:table_id>/complete", staff.Complete.as_view()),
    path("staff/tables/<uuid:table_id>/history", staff.TableHistory.as_view()),
    path("staff/history", staff.History.as_view()),
]
