"""Which stores and rows the person behind a request of the admin may reach."""

import uuid
from functools import cached_property

from django.db.models import Model, QuerySet
from django.utils import formats, timezone

from .models import Store

STORE_FILTER = "store__id__exact"


class Reach:
    """Which stores the person behind a request manages; read once a request."""

    def __init__(self, user):
        self.user = user
        self.all_stores = user.is_active and user.is_superuser

    @cached_property
    def stores(self) -> list[Store]:
        """All that an owner owns. Of an operator's, who has them all, the first two: enough to know one from many."""
        stores = Store.objects.for_user(self.user)
        return list(stores[:2] if self.all_stores else stores)

    @property
    def manages(self) -> bool:
        return self.all_stores or bool(self.stores)

    @property
    def only_store(self) -> Store | None:
        return self.stores[0] if len(self.stores) == 1 else None

    def includes(self, row: Model) -> bool:
        return self.all_stores or store_id_of(row) in {store.pk for store in self.stores}


def reach(request) -> Reach:
    if not hasattr(request, "reach"):
        request.reach = Reach(request.user)
    return request.reach


def store_id_of(row: Model):
    """The id of the store that a row belongs to, along its `store_lookup`."""
    *path, last = row.store_lookup.split("__")
    for name in path:
        row = getattr(row, name)
    return row.pk if last == "pk" else getattr(row, f"{last}_id")


def rows_for(model: type[Model], user) -> QuerySet:
    """The live rows that this person may see or choose; of a model that is in no store: none but an operator's."""
    if not hasattr(model, "store_lookup"):
        return model._default_manager.all() if user.is_active and user.is_superuser else model._default_manager.none()
    rows = model._default_manager.get_queryset().for_user(user)
    return rows.alive() if hasattr(rows, "alive") else rows


def chosen(request, model: type[Model], parameter: str):
    """The row that a list is filtered by, if it is one that the person may see."""
    known = request.__dict__.setdefault("chosen", {})
    if parameter not in known:
        try:
            known[parameter] = rows_for(model, request.user).filter(pk=uuid.UUID(request.GET.get(parameter, ""))).first()
        except ValueError:
            known[parameter] = None
    return known[parameter]


def chosen_store(request, parameter: str = STORE_FILTER) -> Store | None:
    """The one store that a list is about: the person's only one, or the one they filter by. For a form: `parameter="store"`."""
    return reach(request).only_store or chosen(request, Store, parameter)


def zone_of(request):
    """Whose clock times are shown in: the store's; among several the chosen or else the first one's."""
    user = getattr(request, "user", None)
    if user is None or not user.is_active or not reach(request).manages:
        return timezone.get_default_timezone()
    store = chosen_store(request) or next(iter(reach(request).stores if not user.is_superuser else []), None)
    return store.zone if store else timezone.get_default_timezone()


def on_the_stores_clock(moment, store: Store) -> str:
    """A time in a row of a list that may mix stores of several time zones."""
    return formats.date_format(timezone.localtime(moment, store.zone), "SHORT_DATETIME_FORMAT") if moment else ""
