from django.http import HttpResponse, HttpResponseNotModified
from django.utils.http import parse_etags

from menus import images
from menus.published import compressed_menu, made_by, rendered_menu
from stores.api.endpoint import Endpoint, Role
from tableorder.encodings import accepts_gzip
from tableorder.openapi import OpenApiParameter, documented

from .schemas import MenuOutput

CONDITIONAL = [
    OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER, description="`ETag` of the menu that is there already."),
    OpenApiParameter("ETag", str, OpenApiParameter.HEADER, response=[200, 304]),
]


class TabletMenu(Endpoint):
    role = Role.TABLET

    @documented(answers={200: MenuOutput, 304: None}, parameters=CONDITIONAL)
    def get(self, request):
        """The whole menu in the owner's order; 304 while it is the one that the tablet has."""
        version, epoch = self.store.counters.menu_version, images.epoch()
        tag = f"{self.store.pk.hex}-{version}-{made_by()}{epoch and '-'}{epoch}"
        as_it_is, compressed = f'"{tag}"', f'"{tag}-gzip"'  # two representations, so two tags (RFC 9110, 8.8.3.3)
        wants_gzip = accepts_gzip(request.headers.get("Accept-Encoding", ""))
        headers = {"ETag": compressed if wants_gzip else as_it_is, "Cache-Control": "private, no-cache", "Vary": "Accept-Encoding"}
        if names(request.headers.get("If-None-Match", ""), {as_it_is, compressed}):
            return HttpResponseNotModified(headers=headers)
        if wants_gzip:
            menu = compressed_menu(self.store, version, epoch)
            headers["Content-Encoding"] = "gzip"
        else:
            menu = rendered_menu(self.store, version, epoch)
        return HttpResponse(menu, content_type="application/json", headers=headers)


def names(if_none_match: str, tags: set[str]) -> bool:
    """Does the header name one of these? Weak ones count too: proxies make them of ours (RFC 9110, 13.1.2)."""
    known = parse_etags(if_none_match)
    return known == ["*"] or any(tag.removeprefix("W/") in tags for tag in known)
