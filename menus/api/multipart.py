"""A form with one file in it, for uploading pictures."""

import io

from rest_framework.parsers import MultiPartParser

from menus.images import MAX_BYTES
from tableorder.api import read_body

FORM = 16 * 1024  # what the form around the file may take


class ImageForm(MultiPartParser):
    """Read up to the limit before anything is parsed: Django itself would spool any length to the disk."""

    def parse(self, stream, media_type=None, parser_context=None):
        raw = read_body(parser_context["request"], stream, limit=MAX_BYTES + FORM)
        return super().parse(io.BytesIO(raw), media_type, parser_context)
