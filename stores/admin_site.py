"""Django's admin site, open to whoever works in a store. What each sees there, `stores/scoping.py` decides."""

import functools

from django.contrib import admin
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.core.exceptions import BadRequest, PermissionDenied, ValidationError
from django.db.models import ForeignKey, ManyToManyField
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop, ngettext_lazy

# Django's own texts whose Korean is not fit for a shop: named here, they are translated with ours, which come first.
SAID_ANEW = (
    gettext_noop("Select %s to change"),
    gettext_noop("Select %s to view"),
    gettext_noop("View %s"),
    gettext_noop("None available"),
    gettext_noop(" By %(filter_title)s "),
    gettext_noop("Any date"),
    gettext_noop("All dates"),
    gettext_noop("Start typing to filter…"),
    gettext_noop("Action:"),
    gettext_noop("Delete selected %(verbose_name_plural)s"),
    gettext_noop("Select this object for an action - {}"),
    gettext_noop("Select all objects on this page for an action"),
    gettext_noop("No action selected."),
    gettext_noop("Items must be selected in order to perform actions on them. No items have been changed."),
    gettext_noop("You don’t have permission to view or edit anything."),
    gettext_noop("Move to first position"),
    gettext_noop("Move to last position"),
    # Saved
    gettext_noop("Save and add another"),
    gettext_noop("Save and continue editing"),
    gettext_noop("The {name} “{obj}” was added successfully."),
    gettext_noop("The {name} “{obj}” was added successfully. You may add another {name} below."),
    gettext_noop("You may edit it again below."),
    gettext_noop("The {name} “{obj}” was changed successfully."),
    gettext_noop("The {name} “{obj}” was changed successfully. You may add another {name} below."),
    gettext_noop("The {name} “{obj}” was changed successfully. You may edit it again below."),
    ngettext_lazy("%(count)s %(name)s was changed successfully.", "%(count)s %(name)s were changed successfully."),
    # Refused
    ngettext_lazy(
        "Ensure this value has at least %(limit_value)d character (it has %(show_value)d).",
        "Ensure this value has at least %(limit_value)d characters (it has %(show_value)d).",
    ),
    ngettext_lazy(
        "Ensure this value has at most %(limit_value)d character (it has %(show_value)d).",
        "Ensure this value has at most %(limit_value)d characters (it has %(show_value)d).",
    ),
    # Deleted
    gettext_noop("Delete multiple objects"),
    gettext_noop("Objects"),
    gettext_noop(
        'Are you sure you want to delete the %(object_name)s "%(escaped_object)s"? All of the following related items will be deleted:'
    ),
    gettext_noop(
        "Are you sure you want to delete the selected %(objects_name)s? "
        "All of the following objects and their related items will be deleted:"
    ),
    gettext_noop("Yes, I’m sure"),
    gettext_noop("The %(name)s “%(obj)s” was deleted successfully."),
    gettext_noop("Successfully deleted %(count)d %(items)s."),
    # What has changed
    gettext_noop("History"),
    gettext_noop("Change history: %s"),
    gettext_noop("This object doesn’t have a change history. It probably wasn’t added via this admin site."),
    gettext_noop("Action"),
    gettext_noop("Added."),
    gettext_noop("Changed {fields}."),
    gettext_noop("Added {name} “{object}”."),
    gettext_noop("Changed {fields} for {name} “{object}”."),
    gettext_noop("Deleted {name} “{object}”."),
    gettext_noop("and"),
    # Passwords
    gettext_noop("Please enter the correct %(username)s and password for a staff account. Note that both fields may be case-sensitive."),
    gettext_noop(
        "Please enter your old password, for security’s sake, and then enter your new password twice "
        "so we can verify you typed it in correctly."
    ),
    gettext_noop("Your password can’t be a commonly used password."),
)


class Autocomplete(AutocompleteJsonView):
    def process_request(self, request):
        asked = super().process_request(request)
        if not isinstance(asked[2], ForeignKey | ManyToManyField):  # Django's view falls over relations seen from behind
            raise PermissionDenied
        return asked

    def get_queryset(self):
        rows = super().get_queryset()
        return rows.select_related("store") if hasattr(rows.model, "store") else rows

    def serialize_result(self, obj, to_field_name):
        from .admin_scope import with_its_store

        return {**super().serialize_result(obj, to_field_name), "text": with_its_store(obj)}


class StoreAdminSite(admin.AdminSite):
    site_title = site_header = "Table Order"
    index_title = _("Your store")
    index_template = "admin/store_index.html"
    site_url = None  # there is no page for guests to go to from here
    empty_value_display = "—"
    app_order = ["menus", "orders", "sessions_app", "stores"]

    @property
    def login_form(self):
        from .admin_login import LoginForm  # the site is made before any model is

        return LoginForm

    def admin_view(self, view, cacheable=False):
        """The view, with times as the clock on the store's wall shows them."""
        inner = super().admin_view(view, cacheable)

        @functools.wraps(inner)
        def in_the_stores_time(request, *args, **kwargs):
            from .admin_reach import zone_of

            if "%00" in request.META["QUERY_STRING"]:  # filters and searches go to the database as they come; PostgreSQL takes no NUL
                raise BadRequest
            with timezone.override(zone_of(request)):
                try:
                    response = inner(request, *args, **kwargs)
                    # Rendered now, for a template that is rendered later would be out of the zone again.
                    return response.render() if callable(getattr(response, "render", None)) else response
                except ValidationError as error:  # Django's pages take whatever stands in the address for an id
                    raise BadRequest from error

        return in_the_stores_time

    def password_change(self, request, extra_context=None):
        """Django's own, with our form."""
        from django.contrib.auth.views import PasswordChangeView

        from .admin_login import PasswordChangeForm

        request.current_app = self.name
        return PasswordChangeView.as_view(
            form_class=functools.partial(PasswordChangeForm, address=request.client_address),
            success_url=reverse("admin:password_change_done", current_app=self.name),
            extra_context=self.each_context(request) | (extra_context or {}),
        )(request)

    def autocomplete_view(self, request):
        return Autocomplete.as_view(admin_site=self)(request)

    def index(self, request, extra_context=None):
        return super().index(request, {"next_steps": self._next_steps(request), **(extra_context or {})})

    def _next_steps(self, request):
        """For the template: what a new store still needs, as (sentence, where to add it, which store; None: the only one)."""
        from .admin_reach import reach

        models = [model for app in self.get_app_list(request) for model in app["models"]]
        admins = [(self.get_model_admin(model["model"]), model["add_url"]) for model in models]
        lacking = [(admin.comes_first, url, admin.store_without(request)) for admin, url in admins if admin.comes_first]
        only = reach(request).only_store
        return [(sentence, f"{url}?store={store.pk}", store if store != only else None) for sentence, url, store in lacking if store]

    def get_app_list(self, request, app_label=None):
        """In the order of a working day, each app's models as they are registered, and not by the alphabet."""
        apps = self._build_app_dict(request, app_label)
        return [apps[label] for label in [*self.app_order, *(apps.keys() - set(self.app_order))] if label in apps]
