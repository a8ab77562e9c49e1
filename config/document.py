"""Where the OpenAPI document is read."""

from drf_spectacular.renderers import OpenApiJsonRenderer2
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularJSONAPIView


class DocumentView(SpectacularJSONAPIView):
    """In the caller's language, like everything else, and there is one version of it.

    The library also takes both from the address, any text at all: for each it would make a document of a megabyte and
    keep it, and a line break in it would break the answer's header.
    """

    http_method_names = ["get", "head"]
    renderer_classes = [OpenApiJsonRenderer2]  # application/json: what clients ask for, and browsers show

    @extend_schema(exclude=True)
    def get(self, request):
        return self._get_schema_response(request)

    def _get_version_parameter(self, request):
        return None
