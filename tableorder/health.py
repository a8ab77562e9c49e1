"""Is the process alive, and could it take an order now?

`/health` touches nothing but the process, so that a load balancer does not kill every machine because one
database is away. `/health/ready` looks at what ordering needs.
"""

import logging
import time
import uuid
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock

from cachetools import TTLCache, cached
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.files.storage import default_storage
from django.db import transaction
from django.http import JsonResponse
from django.utils import timezone

from . import broker, redis

log = logging.getLogger(__name__)


def alive(request):
    return JsonResponse({"status": "ok"})


def ready(request):
    """`status`: ok; degraded (something is down that ordering can do without); down, with 503."""
    checks = {"database": _timed(_database), "redis": _timed(_redis), "broker": _timed(_broker), "storage": _timed(_storage)}
    if checks["database"]["status"] == "down":
        status = "down"
    else:
        status = "degraded" if any(check["status"] == "down" for check in checks.values()) else "ok"
    answer = JsonResponse({"status": status, "checks": checks}, status=503 if status == "down" else 200)
    if status == "down":
        answer["Retry-After"] = "5"
    answer["Cache-Control"] = "no-store"
    return answer


def _timed(check):
    began = time.perf_counter()
    try:
        status = check()
    except Exception:  # whatever is wrong with a dependency: that it is wrong is the answer
        log.warning("not ready: %s", check.__name__.strip("_"), exc_info=True)
        status = "down"
    return {"status": status, "ms": round((time.perf_counter() - began) * 1000, 1)}


def _database():
    """Written and read: a database that has failed over to a read-only copy still answers SELECT."""
    with transaction.atomic():
        probe = Session.objects.create(
            session_key=f"readiness-{uuid.uuid4().hex[:30]}", session_data="", expire_date=timezone.now() + timedelta(minutes=1)
        )
        found = Session.objects.filter(pk=probe.pk).exists()
        transaction.set_rollback(True)  # leaves nothing behind
    return "ok" if found else "down"


def _redis():
    """Degraded without it: hints come half a second later, and rates are counted by each process alone."""
    if not redis.is_on():
        return "off"
    return "ok" if redis.reachable() else "down"


def _broker():
    """Degraded without it: events wait in the journal until it is back."""
    if not broker.is_on():
        return "off"
    return "ok" if broker.reachable() else "down"


STORAGE_KEPT = 30  # seconds that its answer is kept: S3 costs money by the request, and seconds when it hangs


@cached(TTLCache(1, STORAGE_KEPT), lock=Lock())
def _storage():
    """Degraded without it: menus name pictures that don't load, and none can be uploaded."""
    try:
        if settings.S3_BUCKET_NAME:
            default_storage.exists("readiness")
        else:  # there `exists` never fails
            Path(settings.MEDIA_ROOT).mkdir(parents=True, exist_ok=True)
            with TemporaryFile(dir=settings.MEDIA_ROOT) as file:
                file.write(b"readiness")
    except Exception:  # whatever a disk or a bucket raises
        log.warning("not ready: storage", exc_info=True)
        return "down"
    return "ok"
