"""The writes of categories and items, with their pictures. Choices: `choices.py`.

Every change locks its rows in one order (category, option groups by id, items by id) and ends with the journal's
counter row, which also gives the menu its new version, once. A change of an item's name or category, or its
deletion, takes that row before it writes (`journal.hold_commits`). What changes nothing writes nothing.
"""

import uuid
from collections.abc import Collection, Sequence
from functools import partial

from django.db import DatabaseError, IntegrityError, models, transaction
from django.utils import timezone

from stores import audit, journal
from stores.models import Store, User
from stores.services import UNCHANGED, apply
from tableorder.errors import Absent
from tableorder.transactions import whole

from . import images
from .errors import CategoryNotEmpty, NameExists, OrderMismatch
from .models import Category, Item, ItemOptionGroup, OptionGroup
from .one_change import menu_changed

# --- Categories -------------------------------------------------------------------------------------------------


@whole
def create_category(store: Store, *, name: str, actor: User | None = None) -> Category:
    """At the end of the list. Raises NameExists."""
    category = Category(store=store, name=name, position=_end_of(Category.objects.in_store(store)))
    save_row(category)
    record_change(store, "category.created", name, actor=actor)
    return category


@whole
def change_category(category: Category, *, name: str = UNCHANGED, actor: User | None = None) -> Category:
    """Raises NameExists."""
    category = Category.objects.in_store(category.store).alive().locked().get_or_absent(category.pk)
    before, after = apply(category, name=name)
    if after:
        save_row(category, fields=after)
        record_change(category.store, "category.changed", category.name, actor=actor, changed=list(after), before=before, after=after)
    return category


@whole
def delete_category(category: Category, *, actor: User | None = None):
    """Raises CategoryNotEmpty."""
    category = Category.objects.in_store(category.store).alive().locked().get_or_absent(category.pk)
    if Item.objects.alive().filter(category=category).exists():
        raise CategoryNotEmpty()
    category.deleted_at = timezone.now()
    category.save(update_fields=["deleted_at"])
    record_change(category.store, "category.deleted", category.name, actor=actor)


@whole
def order_categories(store: Store, *, ids: Sequence[uuid.UUID], actor: User | None = None) -> list[Category]:
    """The store's categories, in the order of `ids`, which must be all of them. Raises OrderMismatch."""
    rows, moved = _put_in_order(Category.objects.in_store(store).alive(), ids)
    if moved:
        record_change(store, "category.ordered", store.name, actor=actor)
    return rows


# --- Items ------------------------------------------------------------------------------------------------------


@whole
def create_item(store: Store, *, category: uuid.UUID, option_groups: Sequence[uuid.UUID] = (), actor: User | None = None, **fields) -> Item:
    """At the end of its category; `fields` are those of Item. Raises NameExists, and Absent for another store's ids."""
    home = _lock_category(store, category)
    groups = lock_groups(store, option_groups)
    item = Item(store=store, category=home, position=_end_of(home.items), **fields)
    save_row(item)
    _offer(item, groups)
    record_change(store, "item.created", item.name, actor=actor, price=item.price)
    return _with_choices(item)


@whole
def change_item(
    item: Item,
    *,
    category: uuid.UUID = UNCHANGED,
    option_groups: Sequence[uuid.UUID] = UNCHANGED,
    actor: User | None = None,
    **fields,
) -> Item:
    """`fields` are those of Item. Another category: at its end. Raises NameExists, and Absent for another store's ids.

    Only what was given is written: portions that orders take meanwhile stay taken.
    """
    store = item.store
    home = _lock_category(store, category) if category is not UNCHANGED else None
    if home is None and "name" in fields:
        _lock_category(store, item.category_id)  # as in delete_item
    groups = lock_groups(store, option_groups) if option_groups is not UNCHANGED else None
    item = Item.objects.in_store(store).alive().locked().get_or_absent(item.pk)
    before, after = apply(item, **fields)
    written = list(after)
    if home is not None and home.pk != item.category_id:
        before["category"], after["category"] = item.category.name, home.name
        item.category, item.position = home, _end_of(home.items)
        written += ["category", "position"]
    if groups is not None and groups != (offered := _offered(item)):
        before["option_groups"], after["option_groups"] = [group.name for group in offered], [group.name for group in groups]
        ItemOptionGroup.objects.filter(item=item).delete()
        _offer(item, groups)
    if {"name", "category"} & set(written):
        journal.hold_commits(store.pk)
    if written:
        save_row(item, fields=written)
    if after:
        record_change(store, "item.changed", item.name, actor=actor, changed=list(after), before=before, after=after)
    return _with_choices(item)


@whole
def delete_item(item: Item, *, actor: User | None = None):
    """Its name is free again; old orders keep their lines.

    The category is locked first, because MySQL does so afterwards, as a parent of the index over category, name
    and being alive: locked in that order, two changes could wait for each other.
    """
    _lock_category(item.store, item.category_id)
    item = Item.objects.in_store(item.store).alive().locked().get_or_absent(item.pk)
    journal.hold_commits(item.store_id)
    item.deleted_at = timezone.now()
    item.save(update_fields=["deleted_at"])
    record_change(item.store, "item.deleted", item.name, actor=actor)


def lock_to_delete(items: Collection[Item]):
    """Before several are deleted in one transaction: the first would hold the counter row while the next waits for its locks."""
    list(Category.objects.filter(pk__in={item.category_id for item in items}).locked().values_list("pk"))
    list(Item.objects.filter(pk__in={item.pk for item in items}).locked().values_list("pk"))
    for store_id in sorted({item.store_id for item in items}):
        journal.hold_commits(store_id)


@whole
def order_items(store: Store, *, category: uuid.UUID, ids: Sequence[uuid.UUID], actor: User | None = None) -> list[Item]:
    """The category's items, in the order of `ids`, which must be all of them. Raises OrderMismatch."""
    home = _lock_category(store, category)
    _, moved = _put_in_order(home.items.alive(), ids)
    if moved:
        record_change(store, "item.ordered", home.name, actor=actor)
    return list(home.items.alive().with_choices().order_by("position"))


def store_image(item: Item, picture: images.Picture, *, actor: User | None = None) -> Item:
    """The item with this picture instead of the one it had. Raises Unavailable; then nothing has changed.

    Storing takes its time, so it is done before anything is locked here.
    """
    name = images.save(item.store_id, picture)
    try:
        return _set_image(item, name, actor=actor)
    except BaseException:
        _discard(item, name)
        raise


def remove_image(item: Item, *, actor: User | None = None) -> Item:
    return _set_image(item, "", actor=actor)


@whole
def _set_image(item, name, *, actor):
    item = Item.objects.in_store(item.store).alive().locked().get_or_absent(item.pk)
    old = item.image.name
    if name != old:
        item.image = name
        item.save(update_fields=["image"])
        if old:
            transaction.on_commit(partial(images.delete, old))
        record_change(item.store, "item.image_changed" if name else "item.image_removed", item.name, actor=actor)
    return _with_choices(item)


def _discard(item, name):
    """Removes a new picture that was not wanted after all.

    A commit whose answer got lost has happened all the same. So the row is asked; if nobody can tell, the files
    stay: better too many files than an item without its picture.
    """
    try:
        used = Item.objects.in_store(item.store).filter(pk=item.pk, image=name).exists()
    except DatabaseError:
        return
    if not used:
        images.delete(name)


# --- What changes have in common --------------------------------------------------------------------------------


def save_row(row: models.Model, *, fields=None):
    """Raises NameExists."""
    try:
        with transaction.atomic():
            row.save(update_fields=fields)
    except IntegrityError as error:
        raise NameExists() from error


def record_change(store: Store, action: str, subject: str, *, actor: User | None, **details):
    """The end of every change: the audit, and the menu's new version."""
    audit.note(store, action, subject, actor=actor, **details)
    menu_changed(store.pk)


def absent(pointer: str) -> Absent:
    """An id in the body, of something that isn't there."""
    return Absent(errors=[{"pointer": pointer, "code": Absent.code, "detail": str(Absent.detail)}])


def _end_of(rows) -> int:
    last = rows.alive().aggregate(last=models.Max("position"))["last"]
    return 0 if last is None else last + 1


def _put_in_order(rows, ids):
    """(the rows in the order of `ids`, whether that is a new one)"""
    # By id and nothing else: MySQL locks every row that it looks at, in the order of the index that it goes by.
    theirs = list(rows.filter(pk__in=ids).values_list("pk", flat=True))
    list(rows.model.objects.filter(pk__in=theirs).locked().values_list("pk"))
    found = rows.in_bulk(theirs)
    if not len(ids) == len(found) == rows.count():
        raise OrderMismatch()
    ordered = [found[id] for id in ids]
    positions = [row.position for row in ordered]
    if positions == sorted(set(positions)):
        return ordered, False
    for position, row in enumerate(ordered):
        row.position = position
    rows.model.objects.bulk_update(ordered, ["position"])
    return ordered, True


def _lock_category(store, id):
    """Held until the commit: a category that gets an item can't be deleted meanwhile."""
    category = Category.objects.in_store(store).alive().locked().filter(pk=id).first()
    if category is None:
        raise absent("/category")
    return category


def lock_groups(store: Store, ids: Sequence[uuid.UUID]) -> list[OptionGroup]:
    """In the order of `ids`; Absent for another store's. By this query everywhere: MySQL locks the index that it reads by
    too, and two who come by different ones could wait for each other.
    """
    found = {group.pk: group for group in OptionGroup.objects.in_store(store).alive().locked().filter(pk__in=ids)}
    for place, id in enumerate(ids):
        if id not in found:
            raise absent(f"/option_groups/{place}")
    return [found[id] for id in ids]


def _offered(item):
    choices = ItemOptionGroup.objects.filter(item=item, group__deleted_at=None).select_related("group")
    return [choice.group for choice in choices.order_by("position", "pk")]


def _offer(item, groups):
    ItemOptionGroup.objects.bulk_create(ItemOptionGroup(item=item, group=group, position=place) for place, group in enumerate(groups))


def _with_choices(item):
    return Item.objects.in_store(item.store).with_choices().get(pk=item.pk)
