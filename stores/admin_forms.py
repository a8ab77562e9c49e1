"""Forms that write what the person changed, and nothing else."""

from functools import cached_property

from django import forms
from django.core.exceptions import FieldDoesNotExist
from django.utils.translation import gettext_lazy as _

SOMEBODY_ELSE = _("Somebody else has just changed this. Please look at it again.")


class OnlyWhatChanged(forms.ModelForm):
    """Compares what comes back with what was shown, and not with what is in the database by now.

    A form lies open while orders take portions and the kitchen marks dishes as sold out. Compared with the row, its
    old numbers would look like changes. So each field carries the value it was shown with (hidden), an untouched
    field keeps what the row has by now, and `changed_columns` names what is to be written.
    """

    reach = None  # the Reach of the person; set by the admin for the request
    # (its owner, the field): rows of one owner must differ there. The database's constraint can't say so in a form
    # that does not show all of its columns.
    unique_in = None
    unique_message = _("There is one with this name already.")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance._state.adding:
            if self.reach is not None and self.reach.only_store is not None and "store" not in self.fields and self._has_column("store"):
                self.instance.store = self.reach.only_store
            return
        for name, field in self.fields.items():
            if self._has_column(name) and not field.widget.is_hidden and not isinstance(field, forms.FileField):
                # A program that posts the bare fields shows nothing first; there the row is all there is to compare.
                field.show_hidden_initial = not self.is_bound or self.add_initial_prefix(name) in self.data

    def _has_column(self, name):
        try:
            field = self._meta.model._meta.get_field(name)
        except FieldDoesNotExist:
            return False
        return field.concrete and not field.many_to_many and not field.primary_key

    @cached_property
    def changed_columns(self) -> list[str]:
        return [name for name in self.changed_data if self._has_column(name)]

    def clean(self):
        cleaned = super().clean() or self.cleaned_data
        if not self.instance._state.adding:
            for name in cleaned.keys() - set(self.changed_data):
                if self._has_column(name):
                    cleaned[name] = getattr(self.instance, name)
        return cleaned

    def _post_clean(self):
        if not self.instance._state.adding and not self.changed_data:
            return  # nothing to check, which in a long list is hundreds of queries
        super()._post_clean()
        if self.unique_in and not self.errors:
            owner, name = self.unique_in
            rows = self._meta.model._default_manager.get_queryset()
            rows = rows.alive() if hasattr(rows, "alive") else rows
            same = {owner: getattr(self.instance, f"{owner}_id"), name: getattr(self.instance, name)}
            if name in self.fields and rows.filter(**same).exclude(pk=self.instance.pk).exists():
                self.add_error(name, self.unique_message)

    def save(self, commit=True):
        """Inlines are saved by their formset, by this; single objects by the admin's `save_model`."""
        if not commit or self.instance._state.adding or self.errors:
            return super().save(commit)
        self.instance.save(update_fields=self.changed_columns)
        self._save_m2m()
        return self.instance


class OnlyThePassword:
    """For Django's forms for passwords, which write the whole row as it was before the password was hashed: somebody who
    was switched off meanwhile would be on again."""

    def set_password_and_save(self, user, *args, commit=True, **kwargs):
        user = super().set_password_and_save(user, *args, commit=False, **kwargs)
        user.save(update_fields=["password"])
        return user
