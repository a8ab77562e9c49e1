from django.http import HttpResponse, HttpResponseNotModified
from django.utils.http import parse_etags

from menus import images
from menus.published import rendered_menu
from stores.api.endpoint import Endpoint, Role
from tableorder.openapi import OpenApiParameter, documented

from .schemas import MenuOutput

CONDITIONAL = [OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER, description="`ETag` of the menu that is there already.")]


class TabletMenu(Endpoint):
    role = Role.TABLET

    @documented(answers={200: MenuOutput, 304: None}, parameters=CONDITIONAL)
    def get(self, request):
        """The whole menu in the owner's order; 304 while it is the one that the tablet has."""
        version, epoch = self.store.journal.menu_version, images.epoch()
        headers = {"ETag": f'"{self.store.pk.hex}-{version}{epoch and "-"}{epoch}"', "Cache-Control": "private, no-cache"}
        if names(request.headers.get("If-None-Match", ""), headers["ETag"]):
            return HttpResponseNotModified(headers=headers)
        return HttpResponse(rendered_menu(self.store, version, epoch), content_type="application/json", headers=headers)


def names(if_none_match: str, etag: str) -> bool:
    """Does the header name this tag? Weak ones count too: proxies make them of ours (RFC 9110, 13.1.2)."""
    known = parse_etags(if_none_match)
    return known == ["*"] or etag in (tag.removeprefix("W/") for tag in known)
