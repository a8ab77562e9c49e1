"""What stands in the database, to see that something left it as it was."""

from contextlib import contextmanager

from django.apps import apps

APPS = ["stores", "menus", "sessions_app", "orders"]


def models():
    return [model for app in APPS for model in apps.get_app_config(app).get_models(include_auto_created=True)]


def everything() -> dict:
    """{table: its rows} of all that is ours."""
    return {model._meta.label: list(model.objects.order_by("pk").values()) for model in models()}


def rows_of(store) -> dict:
    """{table: the rows that belong to this store}."""
    return {
        model._meta.label: list(model.objects.in_store(store).order_by("pk").values())
        for model in models()
        if hasattr(model, "store_lookup")
    }


@contextmanager
def nothing_stored():
    """What happens inside leaves no trace in any table."""
    before = everything()
    yield
    after = everything()
    changed = [table for table in before if before[table] != after[table]]
    assert not changed, changed
