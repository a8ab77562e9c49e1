"""What a load balancer and an operator ask."""

import pytest
from django.contrib.sessions.models import Session
from django.db import OperationalError, connection

from tableorder import health
from tests.world import problem


def test_health_touches_no_dependency(client, django_assert_num_queries):
    with connection.execute_wrapper(refuse):
        assert client.get("/health").json() == {"status": "ok"}


def refuse(*args):
    raise OperationalError("the database is away")


@pytest.mark.django_db
def test_ready_writes_and_reads_the_database_and_leaves_nothing(client, settings):
    settings.REDIS_URL = ""
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    body = answer.json()
    assert body["status"] == "ok"
    assert {name: check["status"] for name, check in body["checks"].items()} == {
        "database": "ok",
        "redis": "off",
        "broker": "off",
        "storage": "ok",
    }
    assert all(check["ms"] >= 0 for check in body["checks"].values())
    assert not Session.objects.exists()


@pytest.mark.django_db
def test_ready_is_down_without_the_database(client, monkeypatch):
    monkeypatch.setattr(health, "_database", refuse)
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer["Retry-After"]
    assert answer.json()["status"] == "down"


@pytest.mark.django_db
def test_ready_is_degraded_without_the_images_which_it_asks_for_now_and_then(client, monkeypatch, settings):
    settings.S3_BUCKET_NAME = "images"
    asked = []

    def away(name):
        asked.append(name)
        raise OSError

    monkeypatch.setattr(health.default_storage, "exists", away)
    health._storage.cache_clear()
    for _ in range(2):
        answer = client.get("/health/ready")
        assert answer.status_code == 200
        assert (answer.json()["status"], answer.json()["checks"]["storage"]["status"]) == ("degraded", "down")
    assert len(asked) == 1
    health._storage.cache_clear()


@pytest.mark.django_db
def test_ready_is_degraded_where_no_image_could_be_stored(client, settings, tmp_path):
    (tmp_path / "full").touch()
    for folder, status in ((tmp_path / "full" / "media", "down"), (tmp_path / "media", "ok")):
        settings.MEDIA_ROOT = folder
        health._storage.cache_clear()
        assert client.get("/health/ready").json()["checks"]["storage"]["status"] == status
    health._storage.cache_clear()
    assert not list(folder.iterdir())


@pytest.mark.parametrize("path", ["/health", "/health/ready", "/metrics", "/api/docs/", "/api/schema/"])
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_these_are_only_read(client, path, method):
    answer = getattr(client, method)(path)
    problem(answer, 405, "METHOD_NOT_ALLOWED")
    assert set(answer["Allow"].split(", ")) == {"GET", "HEAD"}
