from django.urls import path

from .api import calls

urlpatterns = [
    path("tablet/calls", calls.TabletCalls.as_view()),
    path("staff/calls/<uuid:call_id>/resolve", calls.ResolveCall.as_view()),
]
