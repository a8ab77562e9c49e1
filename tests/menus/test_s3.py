"""Images in S3, spoken to over HTTP (moto's server)."""

import io
import time
from datetime import timedelta

import boto3
import httpx
import pytest
from boto3.session import Session
from botocore.config import Config
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from moto.server import ThreadedMotoServer
from PIL import Image

from menus import published
from menus.images import names
from menus.models import Item
from tableorder import storage
from tests.bad_ports import badly_behaved
from tests.world import problem, staff_of, tablet_of

BUCKET = "table-order-images-test"


@pytest.fixture(scope="module")
def aws():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(aws, settings, monkeypatch):
    """The storage as `config/settings.py` makes it with S3_BUCKET_NAME and AWS_S3_ENDPOINT_URL."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATESTTESTTEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    client = boto3.client("s3", endpoint_url=aws, region_name="ap-northeast-2")
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-2"})
    use(settings, aws)
    published.rendered_menu.cache_clear()
    yield client
    for row in client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        client.delete_object(Bucket=BUCKET, Key=row["Key"])
    client.delete_bucket(Bucket=BUCKET)


def use(settings, endpoint):
    config = Config(
        signature_version="s3v4",
        connect_timeout=1,
        read_timeout=1.5,
        retries={"total_max_attempts": 1},
        s3={"addressing_style": "path"},
    )
    options = {
        "bucket_name": BUCKET,
        "region_name": "ap-northeast-2",
        "endpoint_url": endpoint,
        "client_config": config,
        "default_acl": None,
        "file_overwrite": True,
    }
    settings.STORAGES = settings.STORAGES | {"default": {"BACKEND": "tableorder.storage.SignedStorage", "OPTIONS": options}}


def picture():
    file = io.BytesIO()
    Image.new("RGB", (640, 480), "#a63d20").save(file, "JPEG")
    return file.getvalue()


def upload(world, item):
    client = staff_of(world.store, world.owner)
    body = (
        b'--b\r\nContent-Disposition: form-data; name="image"; filename="dish.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
        + picture()
        + b"\r\n--b--\r\n"
    )
    return client.post(f"staff/items/{item.pk}/image", raw=body, content_type="multipart/form-data; boundary=b")


def keys(client):
    return sorted(row["Key"] for row in client.list_objects_v2(Bucket=BUCKET).get("Contents", []))


def test_an_upload_lies_in_the_bucket_in_three_sizes_under_a_random_key(ours, bucket):
    answer = upload(ours, ours.item)
    assert answer.status_code == 200, answer.content
    name = Item.objects.get(pk=ours.item.pk).image.name
    assert keys(bucket) == sorted(names(name).values())
    assert name.startswith(f"stores/{ours.store.pk}/items/")


def test_the_address_in_the_menu_opens_and_stays_the_same(ours, bucket):
    upload(ours, ours.item)
    tablet = tablet_of(ours.table)
    addresses = []
    for _ in range(2):
        published.rendered_menu.cache_clear()  # as another process would make it
        menu = tablet.get("tablet/menu").json()
        addresses.append(menu["categories"][0]["items"][0]["image"]["list"])
        time.sleep(1.1)  # a signature has a second of its own
    assert addresses[0] == addresses[1]
    answer = httpx.get(addresses[0])
    assert answer.status_code == 200
    assert answer.content[:3] == b"\xff\xd8\xff"


def test_a_menu_is_never_kept_beyond_its_signatures(ours, bucket, monkeypatch):
    upload(ours, ours.item)
    tablet = tablet_of(ours.table)
    first = tablet.get("tablet/menu")
    assert tablet.get("tablet/menu", **{"if-none-match": first["ETag"]}).status_code == 304
    window = storage._window()
    monkeypatch.setattr(storage, "_window", lambda: window + 1)
    second = tablet.get("tablet/menu", **{"if-none-match": first["ETag"]})
    assert second.status_code == 200
    assert image_of(second) != image_of(first)


def image_of(answer):
    return answer.json()["categories"][0]["items"][0]["image"]["list"]


def test_an_address_holds_for_at_least_a_window(ours, bucket):
    upload(ours, ours.item)
    query = httpx.URL(default_storage.url(Item.objects.get(pk=ours.item.pk).image.name)).params
    assert int(query["X-Amz-Expires"]) == 2 * storage.WINDOW


def test_reading_the_menu_makes_no_request_to_s3(ours, bucket, settings):
    upload(ours, ours.item)
    published.rendered_menu.cache_clear()
    with badly_behaved("hangs") as (endpoint, connections):
        use(settings, endpoint)
        assert image_of(tablet_of(ours.table).get("tablet/menu"))
    assert not connections


def test_an_old_picture_goes_when_a_new_one_comes(ours, bucket, django_capture_on_commit_callbacks):
    upload(ours, ours.item)
    with django_capture_on_commit_callbacks(execute=True):
        upload(ours, ours.item)
    assert keys(bucket) == sorted(names(Item.objects.get(pk=ours.item.pk).image.name).values())


@pytest.mark.parametrize("way", ["hangs", "refuses", "fails"])
def test_a_bucket_that_is_away_makes_an_upload_503_within_5_seconds_and_changes_nothing(ours, bucket, settings, way):
    upload(ours, ours.item)
    before = Item.objects.get(pk=ours.item.pk).image.name
    with badly_behaved(way) as (endpoint, connections):
        use(settings, endpoint)
        began = time.monotonic()
        problem(upload(ours, ours.item), 503, "SERVICE_UNAVAILABLE")
        assert time.monotonic() - began < 5
        assert bool(connections) == (way != "refuses")
    assert Item.objects.get(pk=ours.item.pk).image.name == before


def test_orphans_are_swept_and_what_is_named_or_young_stays(ours, bucket, monkeypatch):
    upload(ours, ours.item)
    named = keys(bucket)
    bucket.put_object(Bucket=BUCKET, Key=f"stores/{ours.store.pk}/items/orphan.jpg", Body=b"x")
    call_command("sweep_images", stdout=io.StringIO())
    assert len(keys(bucket)) == len(named) + 1  # a minute old: perhaps an upload under way
    monkeypatch.setattr("menus.management.commands.sweep_images.YOUNGEST", timedelta(seconds=-5))
    call_command("sweep_images", dry_run=True, stdout=io.StringIO())
    assert len(keys(bucket)) == len(named) + 1
    call_command("sweep_images", stdout=io.StringIO())
    assert keys(bucket) == named


def test_a_sweep_says_in_a_sentence_that_the_bucket_is_away(bucket, settings, db):
    with badly_behaved("refuses") as (endpoint, _):
        use(settings, endpoint)
        with pytest.raises(CommandError, match="The storage of images: Could not connect"):
            call_command("sweep_images")


# --- Without credentials ----------------------------------------------------------------------------------------


class Expired:
    def get_frozen_credentials(self):
        raise RuntimeError("Credentials were refreshed, but the refreshed credentials are still expired.")


@pytest.mark.parametrize("lost", [None, Expired()], ids=["none", "expired"])
def test_without_credentials_guests_still_have_a_menu(ours, bucket, lost, caplog, monkeypatch):
    upload(ours, ours.item)
    tablet = tablet_of(ours.table)

    def image():
        answer = tablet.get("tablet/menu")
        assert answer.status_code == 200
        return answer.json()["categories"][0]["items"][0]["image"]

    assert image()
    with monkeypatch.context() as patch:
        patch.setattr(Session, "get_credentials", lambda session: lost)
        assert image() is None and image() is None
        assert staff_of(ours.store, ours.owner).get("staff/items").status_code == 200
    assert [record.message for record in caplog.records].count("no credentials for S3, so dishes have no pictures") == 1
    default_storage._not_before = 0  # as after ASK_AGAIN
    assert image()
