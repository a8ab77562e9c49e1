"""The writes of option groups and their options, with the rules of `services.py`; the group is locked before its options."""

import uuid
from collections.abc import Sequence
from typing import NotRequired, TypedDict

from django.utils import timezone
from django.utils.translation import gettext as _

from stores.models import Store, User
from stores.services import UNCHANGED, apply
from tableorder.errors import Malformed
from tableorder.transactions import whole

from .models import ItemOptionGroup, Option, OptionGroup
from .payloads import option_payload
from .services import absent, record_change


class AskedOption(TypedDict):
    """An option as it shall be. With `id`: one of the group's that stays."""

    id: NotRequired[uuid.UUID]
    name: str
    price_delta: int
    sold_out: NotRequired[bool]


@whole
def create_option_group(
    store: Store, *, name: str, min: int, max: int, options: Sequence[AskedOption], actor: User | None = None
) -> OptionGroup:
    """Raises Malformed if nobody could choose so many or so few."""
    group = OptionGroup(store=store, name=name, min=min, max=max)
    _refuse_impossible(group, len(options), named=["min", "max"])
    group.save(force_insert=True)
    Option.objects.bulk_create(Option(group=group, position=place, **asked) for place, asked in enumerate(options))
    record_change(store, "option_group.created", name, actor=actor)
    return _with_options(group)


@whole
def change_option_group(
    group: OptionGroup, *, options: Sequence[AskedOption] = UNCHANGED, actor: User | None = None, **fields
) -> OptionGroup:
    """`fields` are those of OptionGroup; `options` are all that it shall have, in their order.

    Raises Malformed as above, and Absent for an option that is not the group's.
    """
    group = OptionGroup.objects.in_store(group.store).alive().locked().get_or_absent(group.pk)
    before, after = apply(group, **fields)
    present = list(group.options.alive().locked().in_owners_order())
    was = _said(present)
    wanted = present if options is UNCHANGED else _wanted(group, present, options)
    if options is not UNCHANGED or after.keys() & {"min", "max"}:
        _refuse_impossible(group, len(wanted), named=fields)
    if after:
        group.save(update_fields=after)
    if (becomes := _said(wanted)) != was:
        before["options"], after["options"] = was, becomes
        _replace(present, wanted)
    if after:
        record_change(group.store, "option_group.changed", group.name, actor=actor, changed=list(after), before=before, after=after)
    return _with_options(group)


@whole
def delete_option_group(group: OptionGroup, *, actor: User | None = None):
    """Items no longer offer it; old orders keep what was chosen."""
    group = OptionGroup.objects.in_store(group.store).alive().locked().get_or_absent(group.pk)
    now = timezone.now()
    ItemOptionGroup.objects.filter(group=group).delete()
    group.options.alive().update(deleted_at=now)
    group.deleted_at = now
    group.save(update_fields=["deleted_at"])
    record_change(group.store, "option_group.deleted", group.name, actor=actor)


@whole
def change_option(option: Option, *, sold_out: bool = UNCHANGED, actor: User | None = None) -> Option:
    option = Option.objects.alive().locked().get_or_absent(option.pk)
    before, after = apply(option, sold_out=sold_out)
    if after:
        option.save(update_fields=after)
        store = option.group.store
        record_change(store, "option.changed", option.name, actor=actor, changed=list(after), before=before, after=after)
    return option


def _refuse_impossible(group, count, *, named):
    """`named`: what the caller sent; the complaint points there."""
    if group.min > group.max:
        raise _impossible("/min" if "min" in named else "/max", _("At least must not be more than at most."))
    if group.max > count:
        raise _impossible("/max" if "max" in named else "/options", _("There are fewer options than may be taken."))


def _impossible(pointer, detail):
    return Malformed(errors=[{"pointer": pointer, "code": "IMPOSSIBLE", "detail": detail}])


def _wanted(group, present, options) -> list[Option]:
    """The options as they shall be, rows of the group where they name one; nothing is written."""
    there = {row.pk: row for row in present}
    wanted = []
    for place, asked in enumerate(options):
        id = asked.get("id")
        if id is not None and id not in there:
            raise absent(f"/options/{place}/id")
        row = there.pop(id) if id is not None else Option(group=group)
        apply(row, **asked)
        wanted.append(row)
    return wanted


def _replace(present, wanted):
    """Writes `wanted` in its order; what it leaves out is deleted."""
    kept, there = {row.pk for row in wanted}, {row.pk for row in present}
    for place, row in enumerate(wanted):
        row.position = place
    Option.objects.filter(pk__in=there - kept).update(deleted_at=timezone.now())
    Option.objects.bulk_update([row for row in wanted if row.pk in there], ["name", "price_delta", "sold_out", "position"])
    Option.objects.bulk_create(row for row in wanted if row.pk not in there)


def _said(options) -> list[dict]:
    return [option_payload(option) for option in options]


def _with_options(group):
    return OptionGroup.objects.in_store(group.store).with_options().get(pk=group.pk)
