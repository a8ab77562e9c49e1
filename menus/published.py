"""The menu as guests read it: the whole of it in one statement, rendered once per version."""

import gzip
import hashlib
from functools import cache
from pathlib import Path
from threading import Lock

from cachetools import LRUCache, cached
from django.conf import settings
from django.db.models import FilteredRelation, Q
from django.utils.crypto import constant_time_compare, salted_hmac

from stores.models import Store
from tableorder import json, redis

from . import images
from .models import Category

SHARED_FOR = 600  # seconds that a menu stays in Redis: long enough for every process to fetch it once
SEAL = 32  # bytes


@cached(LRUCache(maxsize=8_000_000, getsizeof=len), lock=Lock())  # bytes; 60 dishes have 5,000
def compressed_menu(store: Store, version: int, epoch: str = "") -> bytes:
    """The same by gzip, once and not for every tablet."""
    return gzip.compress(rendered_menu(store, version, epoch), mtime=0)


@cached(LRUCache(maxsize=8_000_000, getsizeof=len), lock=Lock())  # bytes; 60 dishes have 30,000
def rendered_menu(store: Store, version: int, epoch: str = "") -> bytes:
    """The menu as JSON, with addresses of pictures that hold in this `epoch` (menus/images.py).

    `version` must have been read before this is called, never after.
    Then what is read here is of that version or newer. Newer under an older number does no harm: the tablet reads
    again when it hears of the newer one, which has a place of its own in this cache. Older under a newer number
    would stay on the tablet.
    """
    key = f"tableorder:menu:{store.mark}:{version}:{epoch}:{made_by()}"
    kept = redis.ask(lambda client: client.get(key)) or b""
    seal, menu = kept[:SEAL], kept[SEAL:]
    if not constant_time_compare(seal, _seal(key, menu)):  # else whatever else stands there would stay here until the next version
        menu = json.dumps({"version": version, "categories": _categories(store.pk)})
        redis.ask(lambda client: client.set(key, _seal(key, menu) + menu, ex=SHARED_FOR))
    return menu


def _seal(key: str, menu: bytes) -> bytes:
    """Only we can make it, and for this place only: others may write into Redis too."""
    return salted_hmac(key, menu, algorithm="sha256").digest()


def made_by() -> str:
    """Another one for each release of this code, and for pictures that lie elsewhere."""
    return _digest(settings.MEDIA_URL, settings.S3_BUCKET_NAME, settings.AWS_S3_ENDPOINT_URL)


@cache
def _digest(*pictures) -> str:
    code = Path(__file__).read_bytes() + Path(images.__file__).read_bytes()
    return hashlib.sha256(code + repr(pictures).encode()).hexdigest()[:12]


def _categories(store_id):
    categories, items, groups = {}, {}, {}
    for (category, category_name), (item, *item_fields), (group, *group_fields), (option, *option_fields) in _rows(store_id):
        if category not in categories:
            categories[category] = {"id": str(category), "name": category_name, "items": []}
        if item is None:
            continue
        if item not in items:
            items[item] = _item(item, *item_fields)
            categories[category]["items"].append(items[item])
        if group is None:
            continue
        if (item, group) not in groups:
            groups[item, group] = _group(group, *group_fields)
            items[item]["option_groups"].append(groups[item, group])
        if option is not None:
            groups[item, group]["options"].append(_option(option, *option_fields))
    return list(categories.values())


def _item(id, name, description, price, image, sold_out, stock):
    return {
        "id": str(id),
        "name": name,
        "description": description,
        "price": price,
        "image": images.urls(image),
        "sold_out": sold_out or stock == 0,
        "stock": stock,
        "option_groups": [],
    }


def _group(id, name, least, most):
    return {"id": str(id), "name": name, "min": least, "max": most, "options": []}


def _option(id, name, price_delta, sold_out):
    return {"id": str(id), "name": name, "price_delta": price_delta, "sold_out": sold_out}


def _rows(store_id):
    """A row for each option of each item, with all that stands above it; what has nothing below it has one row."""
    rows = (
        Category.objects.in_store(store_id)
        .alive()
        .annotate(
            live_item=FilteredRelation("items", condition=Q(items__deleted_at=None)),
            live_group=FilteredRelation("live_item__choices__group", condition=Q(live_item__choices__group__deleted_at=None)),
            live_option=FilteredRelation("live_group__options", condition=Q(live_group__options__deleted_at=None)),
        )
        .order_by(
            *("position", "pk", "live_item__position", "live_item__pk"),
            *("live_item__choices__position", "live_item__choices__pk", "live_option__position", "live_option__pk"),
        )
        .values_list(
            *("pk", "name"),
            *(f"live_item__{field}" for field in ("pk", "name", "description", "price", "image", "sold_out", "stock")),
            *(f"live_group__{field}" for field in ("pk", "name", "min", "max")),
            *(f"live_option__{field}" for field in ("pk", "name", "price_delta", "sold_out")),
        )
    )
    for row in rows:
        yield row[:2], row[2:9], row[9:13], row[13:]
