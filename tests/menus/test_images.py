"""Pictures of dishes: what is taken in, what becomes of it, and what is left behind."""

import io
import os
import random
import struct
import subprocess
import sys
import zlib

import pytest
from django.conf import settings as django_settings
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage
from django.db import OperationalError
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from PIL import Image, ImageOps, PngImagePlugin

from menus import images, services
from stores.models import AuditEntry, Counters
from tests.test_manners import in_chunks
from tests.world import problem

SECRET = b"top-secret-metadata"


@pytest.fixture(autouse=True)
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def drawn(mode="RGB", size=(60, 40)) -> Image.Image:
    """Three plain quarters and a fourth of another colour, so that every turn of it looks different."""
    picture = Image.new(mode, size, (200, 30, 30, 255)[: len(mode)])
    picture.paste((30, 30, 200, 255)[: len(mode)], (0, 0, size[0] // 2, size[1] // 2))
    return picture


def file(picture: Image.Image, kind="JPEG", **how) -> bytes:
    picture.save(buffer := io.BytesIO(), kind, **how)
    return buffer.getvalue()


def upload(caller, item, raw, *, name="dish.jpg", field="image", **more):
    sent = io.BytesIO(raw)
    sent.name = name
    body = encode_multipart(BOUNDARY, {field: sent, **more})
    return caller.post(f"staff/items/{item.pk}/image", raw=body, content_type=MULTIPART_CONTENT)


def kept(media) -> list[str]:
    return sorted(path.name for path in media.rglob("*") if path.is_file())


def fetched(item: dict) -> dict[str, Image.Image]:
    """The picture in its sizes, as a browser gets it."""
    return {size: Image.open(io.BytesIO(b"".join(Client().get(url).streaming_content))) for size, url in item["image"].items()}


def near(one, other) -> bool:
    return all(abs(a - b) < 24 for a, b in zip(one, other, strict=True))


# --- What is taken in -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "mode", "how", "becomes"),
    [
        ("JPEG", "RGB", {}, "JPEG"),
        ("JPEG", "RGB", {"progressive": True}, "JPEG"),
        ("MPO", "RGB", {}, "JPEG"),
        ("PNG", "RGB", {}, "WEBP"),
        ("PNG", "RGBA", {}, "WEBP"),
        ("WEBP", "RGB", {}, "WEBP"),
        ("WEBP", "RGBA", {"lossless": True}, "WEBP"),
    ],
)
def test_jpeg_png_and_webp_are_kept_in_three_sizes(owner, ours, tablet, kind, mode, how, becomes):
    answer = upload(owner, ours.item, file(drawn(mode, (2400, 1200)), kind, **how))
    assert answer.status_code == 200
    item = answer.json()
    assert {size: (picture.format, picture.size) for size, picture in fetched(item).items()} == {
        "list": (becomes, (400, 200)),
        "detail": (becomes, (1000, 500)),
        "original": (becomes, (2000, 1000)),
    }
    assert tablet.get("tablet/menu").json()["categories"][0]["items"][0]["image"] == item["image"]
    assert owner.get(f"staff/items/{ours.item.pk}").json()["image"] == item["image"]


def test_names_lie_together_and_tell_the_store(owner, ours, media):
    upload(owner, ours.item, file(drawn()))
    ours.item.refresh_from_db()
    name = ours.item.image.name
    assert name.startswith(f"stores/{ours.store.pk}/items/")
    assert all((media / file).is_file() for file in images.names(name).values())
    assert len(kept(media)) == 3


def test_a_web_server_that_runs_as_somebody_else_can_read_them(owner, ours, media):
    """Also where the program's own files are nobody else's (UMask in deploy/systemd)."""
    before = os.umask(0o027)
    try:
        upload(owner, ours.item, file(drawn()))
    finally:
        os.umask(before)
    assert {(path.is_dir(), oct(path.stat().st_mode & 0o777)) for path in media.rglob("*")} == {(True, "0o755"), (False, "0o644")}


def test_a_small_picture_is_not_enlarged(owner, ours):
    pictures = fetched(upload(owner, ours.item, file(drawn(size=(500, 40)), "PNG")).json())
    assert {size: picture.size for size, picture in pictures.items()} == {"list": (400, 32), "detail": (500, 40), "original": (500, 40)}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_taken_sideways_stands_upright(owner, ours, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    raw = file(drawn(size=(300, 200)), quality=95, exif=exif)
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(raw)))
    picture = fetched(upload(owner, ours.item, raw).json())["original"]
    assert picture.size == expected.size
    across, down = picture.size
    for corner in ((8, 8), (across - 8, 8), (8, down - 8), (across - 8, down - 8)):
        assert near(picture.getpixel(corner), expected.getpixel(corner))


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_what_is_transparent_stays_so(owner, ours, kind):
    picture = drawn("RGBA", (4100, 200))
    picture.paste((0, 0, 0, 0), (0, 0, 2050, 200))
    for small in fetched(upload(owner, ours.item, file(picture, kind, lossless=True)).json()).values():
        assert small.mode == "RGBA"
        assert small.getpixel((2, 2))[3] == 0
        assert near(small.getpixel((small.width - 3, 3)), (200, 30, 30, 255))


@pytest.mark.parametrize(
    ("picture", "colour"),
    [
        (Image.new("L", (80, 60), 128), (128, 128, 128)),
        (Image.new("1", (80, 60), 1), (255, 255, 255)),
        (Image.new("P", (80, 60), 0), (0, 0, 0)),
        (Image.frombytes("I;16", (80, 60), struct.pack("<4800H", *[32768] * 4800)), (128, 128, 128)),
    ],
    ids=["grey", "black and white", "palette", "16 bits"],
)
def test_every_way_of_storing_colours_is_understood(owner, ours, picture, colour):
    assert near(fetched(upload(owner, ours.item, file(picture, "PNG")).json())["list"].getpixel((40, 30)), colour)


def test_a_jpeg_for_print_becomes_one_for_screens(owner, ours):
    picture = fetched(upload(owner, ours.item, file(Image.new("CMYK", (80, 60), (0, 255, 255, 0)))).json())["original"]
    assert picture.mode == "RGB"
    assert near(picture.getpixel((40, 30)), (255, 0, 0))


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_of_a_moving_picture_the_first_frame_stays(owner, ours, kind):
    frames = [Image.new("RGB", (80, 60), colour) for colour in ((200, 30, 30), (30, 200, 30))]
    raw = file(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
    picture = fetched(upload(owner, ours.item, raw).json())["original"]
    assert getattr(picture, "n_frames", 1) == 1
    assert near(picture.getpixel((40, 30)), (200, 30, 30))


def with_metadata(kind) -> bytes:
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    exif.get_ifd(0x8825)[1] = "N"
    how = {"exif": exif, "icc_profile": SECRET}
    if kind == "PNG":
        how["pnginfo"] = PngImagePlugin.PngInfo()
        how["pnginfo"].add_text("Comment", SECRET.decode())
    if kind == "JPEG":
        how["comment"] = SECRET
    if kind != "PNG":
        how["xmp"] = b"<x>" + SECRET + b"</x>"
    return file(drawn(), kind, **how) + b"<script>" + SECRET + b"</script>"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_nothing_but_the_picture_is_kept(owner, ours, media, kind):
    raw = with_metadata(kind)
    assert SECRET in raw
    assert upload(owner, ours.item, raw).status_code == 200
    assert len(kept(media)) == 3
    for path in media.rglob("*.*"):
        assert SECRET not in path.read_bytes()
        assert not Image.open(path).getexif()


def test_a_broken_note_does_not_make_a_broken_picture(owner, ours):
    assert upload(owner, ours.item, file(drawn(), exif=b"Exif\x00\x00nonsense")).status_code == 200


def test_neither_name_nor_type_of_the_file_counts(owner, ours, media):
    item = upload(owner, ours.item, file(drawn(), "PNG"), name="../../evil.html").json()
    assert item["image"]["original"].endswith(".webp")
    assert all(name.endswith(".webp") and "evil" not in name for name in kept(media))


# --- What is refused --------------------------------------------------------------------------------------------


def refused(owner, item, media, raw, status, code, **more):
    body = problem(upload(owner, item, raw, **more), status, code)
    item.refresh_from_db()
    assert not item.image
    assert kept(media) == []
    assert Counters.objects.get(store=item.store).menu_version == 1
    return body


@pytest.mark.parametrize(
    "raw",
    [
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b"<!doctype html><script>alert(1)</script>",
        b"GIF89a/*" + b"\x00" * 40,
        file(drawn().convert("P"), "GIF"),
        file(drawn(), "BMP"),
        file(drawn(), "TIFF"),
        file(drawn(), "PDF"),
        file(drawn(), "AVIF"),
        file(drawn(), "GIF") + file(drawn()),  # a GIF with a JPEG behind it
        b"\x00" + file(drawn()),
        b"%PDF-1.4\n" + file(drawn(), "PNG"),
        b"RIFF\x00\x00\x00\x00WAVEfmt ",
        b"x",
    ],
    ids="svg html gif-script gif bmp tiff pdf avif gif+jpeg shifted pdf+png wav letter".split(),
)
def test_other_files_are_refused_whatever_they_are_called(owner, ours, media, raw):
    refused(owner, ours.item, media, raw, 415, "IMAGE_TYPE")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("part", [0.02, 0.3, 0.9])
def test_a_file_that_ends_too_early_is_refused(owner, ours, media, kind, part):
    raw = file(Image.effect_noise((400, 300), 80).convert("RGB"), kind)
    refused(owner, ours.item, media, raw[: max(14, int(len(raw) * part))], 400, "IMAGE_INVALID")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_garbage_behind_a_good_beginning_never_breaks_the_server(owner, ours, kind):
    luck = random.Random(7)
    raw = file(Image.effect_noise((60, 50), 80).convert("RGB"), kind)
    for _ in range(30):
        broken = bytearray(raw)
        for _ in range(luck.randint(1, 20)):
            broken[luck.randrange(12, len(broken))] = luck.randrange(256)
        answer = upload(owner, ours.item, bytes(broken))
        assert answer.status_code == 200 or problem(answer, 400, "IMAGE_INVALID")


def chunk(name: bytes, data: bytes) -> bytes:
    """A part of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_of(width: int, height: int) -> bytes:
    """A PNG that says it is so large and has nothing in it."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\x00" * 1000)) + chunk(b"IEND", b"")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(("width", "height"), [(50_000, 50_000), (2_000_000_000, 1), (6000, 6000), (5001, 5000)])
def test_too_many_pixels_are_refused_by_the_header(owner, ours, media, monkeypatch, width, height):
    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", lambda self: pytest.fail("it was decoded"))
    assert "pixels" in refused(owner, ours.item, media, png_of(width, height), 400, "IMAGE_INVALID")["detail"]


def test_a_jpeg_of_a_thousand_scans_is_refused(owner, ours, media):
    """Nine kilobytes of them take five seconds to decode."""
    raw = file(Image.new("RGB", (400, 400)), progressive=True)
    head, _, last = raw[:-2].rpartition(b"\xff\xda")
    refused(owner, ours.item, media, head + (b"\xff\xda" + last) * 1000 + b"\xff\xd9", 400, "IMAGE_INVALID")


def test_a_png_of_a_thousand_profiles_is_refused_before_anything_is_unpacked(owner, ours, media, monkeypatch):
    """Five megabytes of them take ten seconds, before anything is known of the picture."""
    raw = file(drawn(), "PNG", icc_profile=b"as it should be")
    head, rest = raw[:33], raw[33:]
    profile = chunk(b"iCCP", b"x\x00\x00" + zlib.compress(bytes(1_000_000)))
    with monkeypatch.context() as patch:
        patch.setattr(Image, "open", lambda *given, **more: pytest.fail("it was opened"))
        refused(owner, ours.item, media, head + profile * 1000 + rest, 400, "IMAGE_INVALID")
    assert upload(owner, ours.item, raw).status_code == 200


def test_five_megabytes_are_the_limit(owner, ours, media):
    raw = file(drawn())
    for size in (images.MAX_BYTES + 1, 6_000_000):
        refused(owner, ours.item, media, raw + b"\x00" * (size - len(raw)), 413, "TOO_LARGE")
    assert upload(owner, ours.item, raw + b"\x00" * (images.MAX_BYTES - len(raw))).status_code == 200


def test_a_form_may_come_in_chunks_and_its_type_in_any_letters(owner, ours):
    path, body = f"staff/items/{ours.item.pk}/image", encode_multipart(BOUNDARY, {"image": ContentFile(file(drawn()), "dish.jpg")})
    assert in_chunks(owner, path, body, MULTIPART_CONTENT).status_code == 200
    assert (
        owner.post(path, raw=body, content_type=MULTIPART_CONTENT.replace("multipart/form-data", "Multipart/Form-Data")).status_code == 200
    )
    problem(in_chunks(owner, path, body + bytes(images.MAX_BYTES + 16_384), MULTIPART_CONTENT), 413, "TOO_LARGE")


def test_the_form_must_be_right(owner, ours, media):
    path = f"staff/items/{ours.item.pk}/image"
    nothing = encode_multipart(BOUNDARY, {})
    empty = owner.post(path, raw=nothing, content_type=MULTIPART_CONTENT)
    for answer in (empty, upload(owner, ours.item, b""), owner.post(path)):
        assert problem(answer, 400, "VALIDATION")["errors"][0]["pointer"] == "/image"
    text = encode_multipart(BOUNDARY, {"image": "just text"})
    assert problem(owner.post(path, raw=text, content_type=MULTIPART_CONTENT), 400, "VALIDATION")["errors"][0]["pointer"] == "/image"
    for more in (upload(owner, ours.item, file(drawn()), price="1"), upload(owner, ours.item, file(drawn()), field="price")):
        assert problem(more, 400, "VALIDATION")["errors"][0]["pointer"] == "/price"
    problem(owner.post(path, raw=b"--nothing", content_type="multipart/form-data"), 400, "VALIDATION")
    for content_type in ("application/json", "image/jpeg", "application/x-www-form-urlencoded"):
        problem(owner.post(path, raw=file(drawn()), content_type=content_type), 415, "UNSUPPORTED_MEDIA_TYPE")
    problem(owner.patch(f"staff/items/{ours.item.pk}", raw=text, content_type=MULTIPART_CONTENT), 415, "UNSUPPORTED_MEDIA_TYPE")
    assert kept(media) == []


def test_only_the_owner_of_the_store_may(owner, manager, tablet, anyone, ours, theirs, media):
    raw = file(drawn())
    problem(upload(owner, theirs.item, raw), 404, "NOT_FOUND")
    problem(upload(manager, ours.item, raw), 403, "FORBIDDEN")
    problem(upload(tablet, ours.item, raw), 403, "FORBIDDEN")
    problem(upload(anyone, ours.item, raw), 401, "NOT_AUTHENTICATED")
    assert kept(media) == []


# --- What is left behind ----------------------------------------------------------------------------------------


def test_a_new_picture_replaces_the_old_one_after_the_commit(owner, ours, media, django_capture_on_commit_callbacks):
    first = upload(owner, ours.item, file(drawn())).json()["image"]
    with django_capture_on_commit_callbacks() as callbacks:
        second = upload(owner, ours.item, file(drawn())).json()["image"]
        assert len(kept(media)) == 6
    for callback in callbacks:
        callback()
    assert first != second
    assert kept(media) == sorted(url.rpartition("/")[2] for url in second.values())
    assert Counters.objects.get(store=ours.store).menu_version == 3
    assert AuditEntry.objects.filter(action="item.image_changed", actor=ours.owner).count() == 2


def test_a_removed_picture_is_gone(owner, ours, media, django_capture_on_commit_callbacks):
    url = upload(owner, ours.item, file(drawn())).json()["image"]["list"]
    with django_capture_on_commit_callbacks(execute=True):
        assert owner.delete(f"staff/items/{ours.item.pk}/image").status_code == 204
    assert AuditEntry.objects.get(action="item.image_removed").actor == ours.owner
    assert owner.get(f"staff/items/{ours.item.pk}").json()["image"] is None
    assert kept(media) == []
    assert Client().get(url).status_code == 404
    assert Counters.objects.get(store=ours.store).menu_version == 3


def test_a_storage_that_fails_leaves_everything_as_it_was(owner, ours, media, monkeypatch, django_capture_on_commit_callbacks):
    before = upload(owner, ours.item, file(drawn())).json()
    there = kept(media)
    store, calls = FileSystemStorage._save, []

    def full_disk(self, name, content):
        calls.append(name)
        if len(calls) == 2:
            raise OSError("no space left on device")
        return store(self, name, content)

    monkeypatch.setattr(FileSystemStorage, "_save", full_disk)
    with django_capture_on_commit_callbacks(execute=True):
        answer = upload(owner, ours.item, file(drawn()))
    problem(answer, 503, "SERVICE_UNAVAILABLE")
    assert answer["Retry-After"]
    assert kept(media) == there
    assert owner.get(f"staff/items/{ours.item.pk}").json() == before


def test_a_change_that_fails_leaves_no_files(owner, ours, media, monkeypatch):
    def lost(*args, **kwargs):
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(services, "record_change", lost)
    problem(upload(owner, ours.item, file(drawn())), 503, "SERVICE_UNAVAILABLE")
    assert kept(media) == []


def test_a_commit_whose_answer_got_lost_keeps_its_files(ours, media, monkeypatch):
    change = services._set_image

    def committed_and_lost(*args, **kwargs):
        change(*args, **kwargs)
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(services, "_set_image", committed_and_lost)
    with pytest.raises(OperationalError):
        services.store_image(ours.item, images.read(io.BytesIO(file(drawn()))), actor=ours.owner)
    assert len(kept(media)) == 3


def test_an_item_deleted_meanwhile_leaves_no_files(owner, ours, media, monkeypatch):
    save = images.save

    def slow(*args):
        name = save(*args)
        services.delete_item(ours.item, actor=ours.owner)
        return name

    monkeypatch.setattr(images, "save", slow)
    problem(upload(owner, ours.item, file(drawn())), 404, "NOT_FOUND")
    assert kept(media) == []


def test_files_that_cannot_be_removed_do_not_matter(owner, ours, media, monkeypatch, django_capture_on_commit_callbacks):
    upload(owner, ours.item, file(drawn()))

    def locked(self, name):
        raise PermissionError(name)

    monkeypatch.setattr(FileSystemStorage, "delete", locked)
    with django_capture_on_commit_callbacks(execute=True):
        assert owner.delete(f"staff/items/{ours.item.pk}/image").status_code == 204


# --- How it is served -------------------------------------------------------------------------------------------


def test_pictures_are_served_for_good_and_as_what_they_are(owner, ours, media):
    url = upload(owner, ours.item, file(drawn())).json()["image"]["list"]
    answer = Client().get(url)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
    assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer["X-Content-Type-Options"] == "nosniff"
    for name in ("", "stores/", "../manage.py", "%2e%2e/manage.py", "nothing.jpg", f"{'x' * 300}.jpg"):
        assert Client().get(f"/media/{name}").status_code == 404


# --- What it costs ----------------------------------------------------------------------------------------------

COST = """
import resource, sys, django
django.setup()
from menus import images
from PIL import WebPImagePlugin, JpegImagePlugin
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
with open(sys.argv[1], "rb") as upload:
    raw = upload.read()
kind = images._kind(raw)
images._encoded(images._decoded(raw, kind), **images.KEPT_AS[kind][1])
print((peak() - before) * (1 if sys.platform == "darwin" else 1024))
"""


@pytest.mark.parametrize(
    ("kind", "mode", "size", "how"),
    [
        ("PNG", "RGBA", (4990, 5000), {"compress_level": 1}),
        ("PNG", "RGBA", (3990, 4000), {"compress_level": 1}),
        ("JPEG", "RGB", (4990, 5000), {"progressive": True}),
        ("WEBP", "RGBA", (3200, 2500), {"lossless": True, "method": 0, "quality": 0}),
    ],
)
def test_no_picture_takes_more_than_150_megabytes(tmp_path, kind, mode, size, how):
    (tmp_path / "picture").write_bytes(file(drawn(mode, size), kind, **how))
    python = [sys.executable, "-c", COST, str(tmp_path / "picture")]
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    done = subprocess.run(python, env=environment, cwd=django_settings.BASE_DIR, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 150_000_000
