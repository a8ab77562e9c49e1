"""Who did what, written in the transaction that did it."""

from .models import AuditEntry, Store, User


def note(store: Store, action: str, subject: str, *, actor: User | None, **details):
    """`action` in the form "order.cancelled"; `subject` names the thing as people know it; `details` as JSON."""
    AuditEntry.objects.create(
        store=store,
        actor=actor,
        actor_name=str(actor) if actor else "",
        action=action,
        subject=subject[:120],
        details=details,
    )


def change_in(form, names) -> dict:
    """Of a form: which fields were changed, from what and to what, as it was shown and as it came back."""
    before, after = ({name: said[name] for name in names} for said in (form.initial, form.cleaned_data))
    return {"changed": [*names], "before": before, "after": after}
