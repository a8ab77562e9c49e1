"""The forms of the menu: what is wrong is said beside the field, before a service would refuse it."""

from adminsortable2.admin import CustomInlineFormSet
from django import forms
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.db.models import prefetch_related_objects
from django.forms.models import BaseModelFormSet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from stores.admin_forms import SOMEBODY_ELSE, OnlyWhatChanged
from stores.money import money
from tableorder.errors import Conflict, TooLarge

from . import images
from .errors import ImageInvalid, ImageType


class StockMoved(Conflict):
    detail = _("Meanwhile the number of portions has changed. Please look at it and enter it again.")


def in_smallest_unit(text, store):
    """The help of a price field, with an example in the store's currency; without one, as long as the store is open."""
    example = _("%(number)d is %(money)s.") % {"number": 1850, "money": money(1850, store.currency)} if store else ""
    return f"{text} {example}".strip()


class CategoryForm(OnlyWhatChanged):
    unique_in = ("store", "name")
    unique_message = _("There is a category with this name already.")


class StockForm(OnlyWhatChanged):
    """Refuses a stock that was counted before the last orders took from it."""

    def shown_stock(self):
        """(whether it is known, the stock that the person saw when changing it)"""
        field = self.fields.get("stock")
        if field is None or not field.show_hidden_initial or "stock" not in self.changed_data:
            return False, None
        try:
            return True, field.to_python(self.data.get(self.add_initial_prefix("stock")))
        except ValidationError:
            return False, None

    def clean(self):
        known, shown = self.shown_stock()
        now = self.instance.stock  # before the typed number is put there
        if known and shown != now:
            left = _("not counted") if now is None else now
            self.add_error("stock", _("Orders have come in meanwhile: now %(left)s. Please enter the number again.") % {"left": left})
            self.data = self.data.copy()
            self.data[self.add_initial_prefix("stock")] = "" if now is None else now
        return super().clean()

    def refuse_stale_stock(self, now):
        """Once more, with the stock of the locked row."""
        known, shown = self.shown_stock()
        if known and shown != now:
            raise StockMoved()


class ItemForm(StockForm):
    # Not an ImageField, which goes by the file's name and lets every decoder of Pillow look at it. Asked for these types
    # a phone turns its own format into JPEG.
    new_image = forms.FileField(
        label=_("New image"),
        required=False,
        widget=forms.FileInput(
            attrs={
                "accept": "image/jpeg,image/png,image/webp",
                "data-most-bytes": images.MAX_BYTES,  # for menus_admin/photo.js
                "data-most-pixels": images.MAX_PIXELS,
                "data-longest-side": images.SIZES["original"],
                "data-too-large": images.TOO_LARGE,
            }
        ),
        help_text=_("JPEG, PNG or WebP, at most 5 MB. It replaces the present one."),
    )
    drop_image = forms.BooleanField(label=_("Remove the image"), required=False)

    unique_in = ("category", "name")
    unique_message = _("This category has an item with this name already.")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        store = self.reach.only_store if self.instance._state.adding else self.instance.store
        if "price" in self.fields:
            self.fields["price"].help_text = in_smallest_unit(_("In the currency's smallest unit."), store)
        if "category" in self.fields and not self.instance._state.adding:
            self.fields["category"].queryset = self.fields["category"].queryset.in_store(store)
        if not self.instance.image:
            self.fields.pop("drop_image", None)

    def clean_new_image(self):
        """The Picture, decoded: only storing it is left to the service, whose refusal leads away from what was typed."""
        upload = self.cleaned_data["new_image"]
        if not upload:
            return None
        upload.seek(0)  # read before, if the database asked for another attempt
        try:
            return images.read(upload)
        except (TooLarge, ImageType, ImageInvalid) as error:
            raise ValidationError(error.detail) from error

    def clean(self):
        cleaned = super().clean()
        if self.instance._state.adding and cleaned.get("category"):
            self.instance.store = cleaned["category"].store
        return cleaned


class OptionGroupForm(OnlyWhatChanged):
    def clean(self):
        cleaned = super().clean()
        least, most = cleaned.get("min"), cleaned.get("max")
        if least is not None and most is not None and least > most:
            self.add_error("min", _("At least must not be more than at most."))
        if most == 0:
            self.add_error("max", _("The guest must be able to take one."))
        return cleaned


class OrderedFormSet(CustomInlineFormSet):
    """Rows that are dragged: `kept` are those that shall be, in their order."""

    @property
    def kept(self):
        forms = [form for form in self.initial_forms if not self._should_delete_form(form)]
        forms.sort(key=lambda form: form.cleaned_data.get("position") or 0)  # stable: ties stay as they were shown
        return forms + [form for form in self.extra_forms if form.has_changed() and not self._should_delete_form(form)]

    def add_fields(self, form, index):
        super().add_fields(form, index)
        form.fields["DELETE"].widget.attrs["aria-label"] = form.fields["DELETE"].label

    def clean(self):
        super().clean()
        if any(form.instance._state.adding for form in self.initial_forms):  # an id that is not, or no longer, one of these rows
            raise ValidationError(SOMEBODY_ELSE)


class OptionFormSet(OrderedFormSet):
    def clean(self):
        super().clean()
        if any(self.errors) or not isinstance(self.instance.max, int):
            return
        if self.instance.max > len(self.kept):
            raise ValidationError(
                ngettext(
                    "The guest may take %(max)d of them, but there is only %(count)d option.",
                    "The guest may take %(max)d of them, but there are only %(count)d options.",
                    len(self.kept),
                )
                % {"max": self.instance.max, "count": len(self.kept)}
            )


class ChoiceFormSet(OrderedFormSet):
    def get_unique_error_message(self, unique_check):
        return _("This stands here twice.")

    def clean(self):
        super().clean()
        if any(self.errors):
            return
        groups = [form.cleaned_data["group"] for form in self.kept]
        if self.instance.store_id and any(group.store_id != self.instance.store_id for group in groups):
            raise ValidationError(_("Choose option groups of the same store as the category."))


class RowsOfTheForms(ChangeList):
    """Forms that come back with a complaint stand beside the items they are of.

    Django puts them beside the list as it is by now, one after the other: since a dish was added, moved or marked as sold
    out, each price could stand beside its neighbour's name.
    """

    @property
    def formset(self):
        return self._formset

    @formset.setter
    def formset(self, formset):
        self._formset = formset
        if formset is not None and formset.is_bound:
            self.result_list = [form.instance for form in formset.forms]
            prefetch_related_objects(self.result_list, *self.list_select_related)


class LockedFormSet(BaseModelFormSet):
    """Items edited in the list: those that change are locked in the order of their ids, as orders lock them."""

    def clean(self):
        super().clean()
        if any(form.instance._state.adding for form in self.forms):  # deleted since the list was shown
            raise Conflict(SOMEBODY_ELSE)
        changed = [form.instance.pk for form in self.forms if form.has_changed()]
        list(self.model._default_manager.filter(pk__in=changed).locked().values_list("pk"))
