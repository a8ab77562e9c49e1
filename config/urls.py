from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularSwaggerSplitView

from menus import media
from orders import board_page
from tableorder import api, health, metrics

from . import tablet_page
from .document import DocumentView

urlpatterns = [
    # Tried one after the other: those that tablets and boards ask most come first.
    path("api/v1/", include("orders.urls")),
    path("api/v1/", include("menus.urls")),
    path("api/v1/", include("stores.urls")),
    path("api/v1/", include("sessions_app.urls")),
    path("api/schema/", DocumentView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema", http_method_names=["get", "head"]), name="docs"),
    path("health", api.only_read(health.alive)),
    path("health/ready", api.only_read(health.ready)),
    path("metrics", api.only_read(metrics.expose)),
    path("favicon.ico", tablet_page.favicon),
    path("tablet/", tablet_page.tablet, name="tablet"),
    path("tablet/<path:path>", tablet_page.tablet),
    path("admin/board/", board_page.board, name="board"),
    path("admin/board/token", board_page.token, name="board-token"),
    path("admin/", admin.site.urls),
]
if not settings.S3_BUCKET_NAME:
    urlpatterns.append(path("media/<path:path>", media.picture))

handler400 = api.bad_request
handler403 = api.forbidden
handler404 = api.not_found
handler500 = api.server_error
