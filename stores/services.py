"""Stores and tables: changing a row is the whole story, and these are the changes that the journal tells."""

from django.db import IntegrityError, models, transaction

from tableorder.errors import Malformed
from tableorder.transactions import whole

from . import audit, journal
from .errors import TableExists
from .models import Counters, Store, Table, User
from .payloads import table_payload

UNCHANGED = object()


def apply(row: models.Model, **fields) -> tuple[dict, dict]:
    """Sets what differs on the row and returns that: ({field: before}, {field: after})."""
    after = {name: value for name, value in fields.items() if value is not UNCHANGED and value != getattr(row, name)}
    before = {name: getattr(row, name) for name in after}
    for name, value in after.items():
        setattr(row, name, value)
    return before, after


@whole
def create_store(*, actor: User | None = None, **fields) -> Store:
    """A store with its counters; `fields` are those of Store."""
    store = Store(**fields)
    store.full_clean()
    store.save(force_insert=True)
    Counters.objects.create(store=store)
    audit.note(store, "store.created", store.code, actor=actor)
    return store


def create_table(store: Store, *, number: str, password: str, is_active: bool = True, actor: User | None = None) -> Table:
    """A table whose tablet signs in with this password. Raises TableExists."""
    [table] = create_tables(store, numbers=[number], password=password, is_active=is_active, actor=actor)
    return table


@whole
def create_tables(store: Store, *, numbers: list[str], password: str, is_active: bool = True, actor: User | None = None) -> list[Table]:
    """Tables that share a password: all of them, or none. Raises TableExists.

    The password is hashed once, which takes up to a second, and the journal is told once, of them all: it takes the
    counter row, and orders of this store would wait for that until the last table is there.
    """
    kept = Table()
    kept.set_password(password)
    tables = [Table(store=store, number=number, password=kept.password, epoch=kept.epoch, is_active=is_active) for number in numbers]
    for table in tables:
        _save(table)
        audit.note(store, "table.created", table.number, actor=actor)
    journal.record(store.pk, *map(_changed, tables))
    return tables


@whole
def change_table(
    table: Table, *, number: str = UNCHANGED, password: str = UNCHANGED, is_active: bool = UNCHANGED, actor: User | None = None
) -> Table:
    """A new password or switching it off cuts its tablets off at once. Raises TableExists."""
    table = Table.objects.in_store(table.store).lock(table.pk)
    before, after = apply(table, number=number, is_active=is_active)
    changed = list(after)
    if after.get("is_active") is False:
        table.epoch += 1
    if password is not UNCHANGED:
        table.set_password(password)
        changed.append("password")
    if not changed:
        return table
    table.version += 1
    _save(table)
    audit.note(table.store, "table.changed", table.number, actor=actor, changed=changed, before=before, after=after)
    journal.record(table.store_id, _changed(table))
    return table


@whole
def sign_out_table(table: Table, *, actor: User | None) -> Table:
    """Every tablet of the table is out with its next request; signing in again needs the password."""
    table = Table.objects.in_store(table.store).lock(table.pk)
    table.epoch += 1
    table.version += 1
    table.save()
    audit.note(table.store, "table.signed_out", table.number, actor=actor)
    journal.record(table.store_id, _changed(table))
    return table


def _save(table):
    if not table.number.strip():
        raise Malformed()
    try:
        with transaction.atomic():
            table.save()
    except IntegrityError as error:
        raise TableExists() from error


def _changed(table):
    return journal.NewEvent("table.changed", table_payload(table), table_id=table.pk)
