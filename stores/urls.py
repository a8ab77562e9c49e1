from django.urls import path

from .api import events, staff, tablet

urlpatterns = [
    path("tablet/login", tablet.TabletLogin.as_view()),
    path("tablet/refresh", tablet.TabletRefresh.as_view()),
    path("tablet/events", events.TabletEvents.as_view()),
    path("staff/events", events.Events.as_view()),
    path("staff/login", staff.StaffLogin.as_view()),
    path("staff/logout", staff.StaffLogout.as_view()),
    path("staff/tables", staff.Tables.as_view()),
    path("staff/tables/<uuid:table_id>", staff.TableDetail.as_view()),
    path("staff/tables/<uuid:table_id>/sign-out", staff.TableSignOut.as_view()),
]
