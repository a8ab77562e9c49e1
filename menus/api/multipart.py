"""A form with one file in it, for uploading pictures."""

import io

from rest_framework.parsers import MultiPartParser

from menus.images import MAX_BYTES
from tableorder.api import read_body

FORM = 16 * 1024  # what the form around the file may take


class ImageForm(MultiPartParser):
    """Read up to the limit before anything is parsed: Django itself would spool any length to the disk."""

    def parse(self, stream, media_type=None, parser_context=None):
        request = parser_context["request"]
        raw = read_body(request, stream, limit=MAX_BYTES + FORM)
        # What Django looks at: a length, which a body in chunks doesn't say, and the type in small letters.
        request.META["CONTENT_LENGTH"] = str(len(raw))
        kind, parameters = media_type.partition(";")[::2]
        return super().parse(io.BytesIO(raw), f"{kind.lower()};{parameters}", parser_context)
