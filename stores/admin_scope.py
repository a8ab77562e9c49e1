"""What every page of the admin keeps to: a person sees and touches the rows of their own stores only.

Lists, forms, choices, filters, actions, history and autocomplete all reach rows through `for_user`
(`stores/scoping.py`), by way of the few hooks below. Rights come from memberships; Django's permission tables
are not used. A row's store shows only to people who have more than one.
"""

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.core.validators import RegexValidator
from django.db import IntegrityError
from django.db.models import Exists, OuterRef
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from tableorder.errors import Malformed, Refusal
from tableorder.fields import CONTROL
from tableorder.transactions import whole

from .admin_forms import SOMEBODY_ELSE, OnlyWhatChanged
from .admin_reach import chosen_store, reach, rows_for
from .models import Store

# As the API does (tableorder/fields.py). What an office program leaves in a copied name, no tablet could sign in with.
no_control_characters = RegexValidator(
    CONTROL, _("There is a character in it that can't be seen. Please type it anew."), inverse_match=True
)

SIGNED_OUT = _("You are signed out, and nothing is saved yet. Sign in again here, in a new tab; then come back and save.")
GONE = _("This %(name)s is not there. Perhaps somebody has deleted it.")


class ScopedFilter(admin.RelatedFieldListFilter):
    """Choices from the person's own rows. What hangs on a store is offered once one store is chosen."""

    def has_output(self):
        # One is enough: dishes are put in order within the category that is chosen here. And what is chosen holds, also when
        # there are no choices any more because the store was taken out of the filter: Django forgets a filter without output.
        return bool(self.lookup_choices or self.lookup_val)

    def field_choices(self, field, request, model_admin):
        rows = rows_for(field.remote_field.model, request.user)
        if field.remote_field.model is not Store:
            store = chosen_store(request)
            rows = rows.in_store(store) if store else rows.none()
        return [(row.pk, str(row)) for row in rows.order_by(*self.field_admin_ordering(field, request, model_admin))]


def with_its_store(row) -> str:
    """As a choice among the rows of several stores."""
    return f"{row.store} · {row}" if hasattr(row, "store") else str(row)


class Scoped:
    """What lists, forms and inlines have in common."""

    acts = {"view", "add", "change", "delete"}  # what may be done with these rows at all
    operators_only = False  # then owners find nothing of them in the admin

    def get_queryset(self, request):
        rows = rows_for(self.model, request.user)
        if not reach(request).manages:
            return rows.none()
        return rows.order_by(*ordering) if (ordering := self.get_ordering(request)) else rows

    def get_field_queryset(self, db, db_field, request):
        """The choices of a form's field: another store's row is as wrong as one that does not exist."""
        model = db_field.remote_field.model
        ordering = self.admin_site.get_model_admin(model).get_ordering(request) if self.admin_site.is_registered(model) else ()
        return rows_for(model, request.user).order_by(*ordering)

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None and reach(request).only_store is None and hasattr(field.queryset.model, "store"):
            field.queryset = field.queryset.select_related("store").order_by("store__name", *field.queryset.query.order_by)
            field.label_from_instance = with_its_store
        return field

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None:
            field.widget.attrs.setdefault("aria-label", field.label)  # in lists and inlines there is no <label>
        if isinstance(field, forms.CharField):
            field.validators.append(no_control_characters)
        for shortcut in ("can_change_related", "can_delete_related", "can_view_related"):
            if hasattr(getattr(field, "widget", None), shortcut):
                setattr(field.widget, shortcut, False)
        return field

    def is_for(self, request) -> bool:
        """Has the person to do with such rows at all?"""
        return reach(request).manages and (request.user.is_superuser or not self.operators_only)

    def may(self, act, request, obj=None) -> bool:
        return act in self.acts and self.is_for(request) and (obj is None or reach(request).includes(obj))

    def has_view_permission(self, request, obj=None):
        return self.may("view", request, obj)

    def has_add_permission(self, request, obj=None):
        return self.may("add", request, obj)

    def has_change_permission(self, request, obj=None):
        return self.may("change", request, obj)

    def has_delete_permission(self, request, obj=None):
        return self.may("delete", request, obj)

    def has_module_permission(self, request):
        return self.is_for(request)


class ScopedInline(Scoped):
    """For inlines: their parent is reached already, the rows and choices are checked all the same."""

    extra = 0


class StoreScopedAdmin(Scoped, admin.ModelAdmin):
    """The base of every ModelAdmin here."""

    form = OnlyWhatChanged
    list_form = OnlyWhatChanged
    show_facets = admin.ShowFacets.NEVER
    store_first = True  # lists and forms name the store first, to people who have several
    asks_store = True  # and ask for it when a row is added, unless it follows from another field
    list_select_related = ["store"]
    comes_first = None  # what the index says as long as a store has no row of these

    class Media:
        css = {"all": ["stores_admin/admin.css"]}
        js = [
            forms.Script("stores_admin/once.js", **{"data-signed-out": SIGNED_OUT}),
            forms.Script("stores_admin/labels.js", defer=True),
        ]

    # --- The store, where it is not plain anyway ---

    def shows_store(self, request) -> bool:
        return self.store_first and reach(request).only_store is None

    def get_list_display(self, request):
        columns = list(super().get_list_display(request))
        if self.shows_store(request):
            columns.insert(1, "store")
        return columns

    def get_list_filter(self, request):
        filters = list(super().get_list_filter(request))
        if self.shows_store(request):
            filters.insert(0, ("store", ScopedFilter))
        return filters

    def get_search_fields(self, request):
        fields = super().get_search_fields(request)
        return [*fields, "store__name"] if fields and self.shows_store(request) else fields

    def shows_store_field(self, request, obj) -> bool:
        return self.shows_store(request) and (obj is not None or self.asks_store)

    def get_exclude(self, request, obj=None):
        """One store: it is set by itself. Several: chosen when adding, and then it stays."""
        if not self.store_first or self.shows_store_field(request, obj):
            return super().get_exclude(request, obj)
        return ["store"]

    def get_readonly_fields(self, request, obj=None):
        fields = tuple(super().get_readonly_fields(request, obj))
        return (*fields, "store") if obj is not None and self.shows_store(request) else fields

    def get_autocomplete_fields(self, request):
        return ("store",) if request.user.is_superuser else ()  # an operator's list of stores may be long

    def get_fieldsets(self, request, obj=None):
        return self.with_store(request, super().get_fieldsets(request, obj), obj)

    def with_store(self, request, fieldsets, obj):
        if not self.shows_store_field(request, obj) or "store" in flatten_fieldsets(fieldsets):
            return fieldsets
        (title, options), *others = fieldsets
        return [(title, {**options, "fields": ["store", *options["fields"]]}), *others]

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change=change, **kwargs)
        form.reach = reach(request)
        return form

    def get_changelist_form(self, request, **kwargs):
        return super().get_changelist_form(request, **{"form": self.list_form, **kwargs})

    def store_without(self, request) -> Store | None:
        """The first of the person's stores that has no such row yet."""
        rows = rows_for(self.model, request.user).filter(**{self.model.store_lookup: OuterRef("pk")})
        return Store.objects.for_user(request.user).filter(~Exists(rows), is_active=True).first()

    # --- What a query string may ask for ---

    def lookup_allowed(self, lookup, value, request=None):
        """Fields of ours only as the list's own filters ask for them: no guessing at `password__startswith`."""
        try:
            self.opts.get_field(lookup.split("__")[0])
        except FieldDoesNotExist:
            return super().lookup_allowed(lookup, value, request)
        paths = [spec[0] if isinstance(spec, tuple) else spec for spec in self.get_list_filter(request) if not isinstance(spec, type)]
        paths += [self.date_hierarchy] if self.date_hierarchy else []
        paths += ["store"] if self.store_first else []  # links between lists say it, also to people of one store, who have no such filter
        endings = ("", "__exact", "__id__exact", "__isnull", "__gte", "__gt", "__lte", "__lt")
        if any(lookup == f"{path}{ending}" for path in paths for ending in endings):
            return True
        of_a_date = [f"{self.date_hierarchy}__{part}" for part in ("year", "month", "day")]
        return lookup in of_a_date and len(value) <= len("2026")  # a longer number is none to Python's dates

    # --- Actions, in the list and on the page of a single row ---

    change_form_template = "admin/store_change_form.html"

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        if obj is not None and not context["is_popup"]:
            actions = self.get_action_choices(request, default_choices=[])
            context["object_actions"] = [choice for choice in actions if choice[0] not in self.not_offered(obj)]
        return super().render_change_form(request, context, add, change, form_url, obj)

    def not_offered(self, obj) -> set[str]:
        """The list's actions that the page of this row is without."""
        return {"delete_selected"}

    # --- Writing ---

    def construct_change_message(self, request, form, formsets, add=False):
        """With the model's own names of its fields, which are translated; Django takes the form's, which begin with a capital."""
        said = super().construct_change_message(request, form, formsets, add)
        with translation.override(None):
            for change in said:
                if set(change.get("changed", ())) == {"fields"}:
                    change["changed"]["fields"] = [self._name_of(name, form) for name in form.changed_data]
        return said

    def _name_of(self, name, form):
        try:
            return str(self.opts.get_field(name).verbose_name)
        except FieldDoesNotExist:
            return str(form.fields[name].label)

    def _get_obj_does_not_exist_redirect(self, request, opts, object_id):
        self.message_user(request, GONE % {"name": opts.verbose_name}, messages.WARNING)  # Django's names its id
        return HttpResponseRedirect(reverse("admin:index", current_app=self.admin_site.name))

    def save_model(self, request, obj, form, change):
        """Only what was changed is written: a form that was opened an hour ago must not bring old values back."""
        obj.save(update_fields=form.changed_columns if change else None)

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        return self.guarded(request, super().changeform_view, object_id, form_url, extra_context)

    def delete_view(self, request, object_id, extra_context=None):
        return self.guarded(request, super().delete_view, object_id, extra_context)

    def changelist_view(self, request, extra_context=None):
        # An action is as many changes as it has rows: each service takes its locks anew, in the one order, which
        # a transaction around them all would turn upside down.
        whole_change = "_save" in request.POST or request.POST.get("action") == "delete_selected"
        return self.guarded(request, super().changelist_view, extra_context, whole_change=whole_change)

    def response_action(self, request, queryset):
        try:
            for id in request.POST.getlist(ACTION_CHECKBOX_NAME):
                self.opts.pk.clean(id, None)
        except ValidationError as error:  # no page of ours sends such an id
            raise Malformed() from error
        return super().response_action(request, queryset)

    def guarded(self, request, view, *args, whole_change=True):
        """A POST is one whole change; what the services refuse is said in a message and nothing of it stays."""
        if request.method != "POST":
            return view(request, *args)
        try:
            return self.write(request, view, *args) if whole_change else view(request, *args)
        except Refusal as refusal:
            self.message_user(request, refusal.detail, messages.ERROR)
        except IntegrityError:
            self.message_user(request, SOMEBODY_ELSE, messages.ERROR)
        return HttpResponseRedirect(request.get_full_path())

    @whole
    def write(self, request, view, *args):
        return view(request, *args)


class ReadOnlyAdmin(StoreScopedAdmin):
    """Records of what happened: to look at. What may still be done with them, services do, by way of actions."""

    acts = {"view"}
    show_full_result_count = False  # all that ever happened would be counted for every page of it, also for a filtered one

    def has_act_permission(self, request):
        """Whether actions are offered. Each acts on rows of the list, which is scoped."""
        return self.is_for(request)
