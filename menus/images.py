"""Pictures of dishes: what is taken in, in which sizes it is kept, and where.

What comes in is decoded and encoded anew, so nothing else that a file may carry (metadata, a place, a script
behind the picture) is ever served. Files lie in Django's default storage: this code only saves, deletes and asks
for addresses, so it doesn't matter whether that is a folder or a bucket.
"""

import contextlib
import io
import logging
import threading
import uuid
from dataclasses import dataclass
from typing import BinaryIO

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.translation import gettext_lazy as _
from PIL import ExifTags, Image, PngImagePlugin

from tableorder.errors import TooLarge, Unavailable

from .errors import ImageInvalid, ImageType

log = logging.getLogger(__name__)

MAX_BYTES = 5 * 1024 * 1024
MAX_PIXELS = 25_000_000
MAX_MEMORY = 130_000_000  # bytes that decoding may take
MAX_SCANS = 64  # a progressive JPEG has about 10; each costs a walk over the whole picture, and can be 30 bytes short
MAX_PROFILES = 8  # a PNG has one at most; each is unpacked, to a megabyte from a kilobyte, and five thousand take ten seconds
TOO_LARGE = _("An image may have at most 5 MB.")
TOO_MANY_PIXELS = _("This image has too many pixels. Please make it smaller.")

# The longest side of each size in pixels. A smaller picture is never enlarged.
SIZES = {"original": 2000, "detail": 1000, "list": 400}

# What comes in as (extension, how it is encoded). WebP keeps what is transparent.
_WEBP = ("webp", {"format": "WEBP", "quality": 85, "alpha_quality": 70, "method": 2})
KEPT_AS = {"JPEG": ("jpg", {"format": "JPEG", "quality": 85, "progressive": True, "optimize": True}), "PNG": _WEBP, "WEBP": _WEBP}

# Pillow's own guards, for every picture in this process: it warns above so many pixels and refuses twice as many
# before it decodes anything.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
PngImagePlugin.MAX_TEXT_MEMORY = 4 * 1024 * 1024  # bytes of unpacked comments

# EXIF orientation, and what makes it upright.
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# One picture at a time in a process: two threads would need twice the memory.
_decoding = threading.Lock()


# --- Files ------------------------------------------------------------------------------------------------------


def names(name: str) -> dict[str, str]:
    """{size: storage name} of the picture whose largest size has this name."""
    stem, _, extension = name.rpartition(".")
    return {"list": f"{stem}-list.{extension}", "detail": f"{stem}-detail.{extension}", "original": name}


def urls(name: str) -> dict[str, str] | None:
    """{size: address}, or None where there is no picture, or none to be had: a menu without pictures is still a menu."""
    try:
        return {size: default_storage.url(file) for size, file in names(name).items()} if name else None
    except Unavailable:
        return None


@dataclass(frozen=True)
class Picture:
    """What was taken in: encoded in all sizes, to be stored."""

    extension: str
    sizes: dict[str, bytes]


def read(upload: BinaryIO) -> Picture:
    """Decodes it, one at a time. Raises TooLarge, ImageType, ImageInvalid for what is not a picture of ours."""
    raw = upload.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise TooLarge(TOO_LARGE)
    kind = _kind(raw)
    extension, how = KEPT_AS[kind]
    with _decoding:
        return Picture(extension, _encoded(_decoded(raw, kind), **how))


def save(store_id, picture: Picture) -> str:
    """Keeps the picture in all sizes and returns its name.

    Raises Unavailable if the storage doesn't take it; then no file stays, or `manage.py sweep_images` finds it.
    """
    name = f"stores/{store_id}/items/{uuid.uuid4()}.{picture.extension}"
    kept = []
    try:
        for size, file in names(name).items():
            default_storage.save(file, ContentFile(picture.sizes[size]))
            kept.append(file)
    except Exception as error:  # whatever a disk or a bucket raises: each storage has errors of its own
        log.warning("could not store %s", name, exc_info=error)
        with contextlib.suppress(Exception):  # one that hangs is not asked again: the caller has waited long enough
            for file in kept:
                default_storage.delete(file)
        raise Unavailable() from error
    return name


def epoch() -> str:
    """Changes when the addresses of pictures do; empty where they never do."""
    try:
        return getattr(default_storage, "epoch", str)()
    except Unavailable:
        return "without"


def delete(name: str):
    """Removes all sizes. A file that can't be removed stays behind: it costs space and nothing else."""
    for file in names(name).values():
        try:
            default_storage.delete(file)
        except Exception as error:  # as above
            log.warning("could not delete %s", file, exc_info=error)


# --- Pictures ---------------------------------------------------------------------------------------------------


def _kind(raw: bytes) -> str:
    """By how the file begins; neither its name nor what the sender says of it counts."""
    if raw.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if raw.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if raw.startswith(b"RIFF") and raw[8:12] == b"WEBP":
        return "WEBP"
    raise ImageType()


def _decoded(raw: bytes, kind: str) -> Image.Image:
    """The first frame, upright, in RGB or RGBA, no larger than the largest size. Raises ImageInvalid."""
    try:
        if raw.count(b"iCCP") > MAX_PROFILES:  # by chance these letters are in a picture once or twice
            raise ImageInvalid()
        with Image.open(io.BytesIO(raw), formats=[kind]) as image:
            _refuse_costly(image, raw)
            if kind == "JPEG":
                image.draft("RGB", (SIZES["original"],) * 2)  # decodes it at a half, a quarter or an eighth
            image.load()
            turn = UPRIGHT.get(_orientation(image))
            picture = _shrunk(image)
        del image  # what follows needs its memory
        picture.thumbnail((SIZES["original"],) * 2, Image.Resampling.LANCZOS)
        if picture.mode == "RGBa":
            picture = picture.convert("RGBA")
        return picture.transpose(turn) if turn is not None else picture
    except ImageInvalid:
        raise
    except Image.DecompressionBombError as error:
        raise ImageInvalid(TOO_MANY_PIXELS) from error
    except Exception as error:  # decoders trip over broken files in every way there is
        raise ImageInvalid() from error


def _refuse_costly(image, raw):
    """By the header, before anything is decoded.

    What decoding takes, measured with Pillow 13 (libjpeg-turbo 3.2, libwebp 1.6): WebP holds four copies of the
    picture at once; a JPEG in several scans two bytes of every sample in full size, whatever `draft` says.
    """
    pixels = image.width * image.height
    cost = 5 * pixels
    if image.format == "WEBP":
        cost = 16 * pixels
    elif image.format != "PNG":
        scans = raw.count(b"\xff\xda")
        if scans > MAX_SCANS:
            raise ImageInvalid()
        if scans > 1:
            samples = [across * down for _, across, down, _ in image.layer]
            cost = max(cost, pixels + 2 * pixels * sum(samples) // max(samples))
    if pixels > MAX_PIXELS or cost > MAX_MEMORY:
        raise ImageInvalid(TOO_MANY_PIXELS)


def _orientation(image) -> int | None:
    try:
        return image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # broken notes do not make a broken picture
        return None


def _shrunk(image) -> Image.Image:
    """In RGB, or RGBa (with premultiplied alpha), by a whole number smaller, yet no smaller than the largest size.

    In strips, because a conversion of the whole picture would need its memory once more.
    """
    mode = "RGBa" if image.has_transparency_data else "RGB"
    factor = max(1, max(image.size) // SIZES["original"])
    shrunk = Image.new(mode, (-(-image.width // factor), -(-image.height // factor)))
    for top in range(0, image.height, height := 64 * factor):
        strip = image.crop((0, top, image.width, min(top + height, image.height)))
        if strip.mode.startswith("I"):
            strip = strip.point(lambda level: level / 256).convert("L")  # 16 bits of grey
        if mode == "RGBa":
            strip = strip.convert("RGBA")
        shrunk.paste(strip.convert(mode).reduce(factor), (0, top // factor))
    return shrunk


def _encoded(picture: Image.Image, **how) -> dict[str, bytes]:
    """{size: file}"""
    files = {}
    for size, side in SIZES.items():  # from the largest down, each made of the one before
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
        picture.save(file := io.BytesIO(), **how)
        files[size] = file.getvalue()
    return files
