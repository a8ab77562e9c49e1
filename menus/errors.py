from django.utils.translation import gettext_lazy as _

from tableorder.errors import Conflict, Malformed, UnsupportedMedia


class NameExists(Conflict):
    code = "NAME_EXISTS"
    detail = _("There is something of that name already.")


class CategoryNotEmpty(Conflict):
    code = "CATEGORY_NOT_EMPTY"
    detail = _("This category still has items. Move or delete them first.")


class OrderMismatch(Conflict):
    code = "ORDER_MISMATCH"
    detail = _("This is not the whole list as it is now.")


class ImageType(UnsupportedMedia):
    code = "IMAGE_TYPE"
    detail = _("Only JPEG, PNG and WebP images are accepted.")


class ImageInvalid(Malformed):
    code = "IMAGE_INVALID"
    detail = _("This image is damaged.")
