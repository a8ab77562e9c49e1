"""Stores, tables and the audit in the admin; people are in `stores/admin_people.py`."""

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.db.models.functions import Length
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from . import admin_people, admin_relay, audit, services
from .admin_confirm import confirm
from .admin_forms import OnlyWhatChanged
from .admin_reach import on_the_stores_clock
from .admin_scope import ReadOnlyAdmin, StoreScopedAdmin
from .audit_labels import ACTIONS, told
from .models import TABLE_PASSWORD, AuditEntry, Membership, SetAsideEvent, Store, Table, User
from .table_cards import table_cards

admin.site.unregister(Group)  # rights come from memberships

MOST_AT_ONCE = 100  # tables


@admin.register(Table)
class TableAdmin(StoreScopedAdmin):
    """Changes go through the services: the journal and the tablets must hear of them."""

    class Form(OnlyWhatChanged):
        new_password = forms.CharField(
            label=_("Tablet password"),
            strip=False,
            widget=forms.TextInput(attrs={"autocomplete": "off"}),
            **TABLE_PASSWORD,
        )
        up_to = forms.IntegerField(
            label=_("Up to"),
            required=False,
            max_value=10**9,
            widget=forms.NumberInput(attrs={"class": "vIntegerField"}),
            help_text=_("Only to add many at once: number 1 up to 20 adds 1, 2, 3 … 20, all with this password."),
        )
        unique_in = ("store", "number")
        unique_message = _("This store has a table with that number.")

        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            password = self.fields["new_password"]
            password.required = self.instance._state.adding
            if self.instance._state.adding:
                password.help_text = _("At least 4 characters. Typed in once at the tablet; it is not shown again here.")
            else:
                del self.fields["up_to"]
                password.help_text = _(
                    "Leave empty to keep the present one. A new password cuts off the tablet until it is typed in there."
                )

        @property
        def numbers(self) -> list[str]:
            """Those of the tables to add: from `number` up to `up_to`, 01 as 01, 02, 03."""
            number, last = self.cleaned_data["number"], self.cleaned_data.get("up_to")
            return [number] if last is None else [str(each).zfill(len(number)) for each in range(int(number), last + 1)]

        def _post_clean(self):
            super()._post_clean()
            if not self.errors and self.cleaned_data.get("up_to") is not None:
                self._check_series(self.cleaned_data["number"], self.cleaned_data["up_to"])

        def _check_series(self, number, last):
            if not (number.isascii() and number.isdigit()):
                self.add_error("number", _("To add many at once, the first number must be a whole number."))
            elif last < int(number):
                self.add_error("up_to", _("The last number must not be smaller than the first."))
            elif last - int(number) >= MOST_AT_ONCE:
                self.add_error("up_to", _("At most %(most)d tables can be added at once.") % {"most": MOST_AT_ONCE})
            elif there := Table.objects.in_store(self.instance.store).filter(number__in=self.numbers).in_reading_order():
                said = _("Nothing was added: this store has these tables already: %(numbers)s.")
                self.add_error("up_to", said % {"numbers": ", ".join(map(str, there))})

    form = Form
    acts = {"view", "add", "change"}  # old orders hang on the table; it is switched off instead
    fields = ["number", "up_to", "new_password", "is_active"]
    asked_as = {"new_password": "password"}  # the model's field of that name holds the hash and is in no form
    list_display = ["number", "is_active"]
    list_filter = ["is_active"]
    search_fields = ["number"]
    ordering = [Length("number"), "number"]  # 1, 2, 10
    actions = ["print_cards", "sign_out"]
    comes_first = _("Add the tables: a tablet signs in with the number of its table.")

    def get_fields(self, request, obj=None):
        return [name for name in self.fields if obj is None or name != "up_to"]

    def save_model(self, request, obj, form, change):
        if not change:
            new = {"password": form.cleaned_data["new_password"], "is_active": form.cleaned_data["is_active"]}
            obj.series = services.create_tables(obj.store, numbers=form.numbers, **new, actor=request.user)
            obj.pk = obj.series[0].pk
        else:
            asked = {self.asked_as.get(name, name): form.cleaned_data[name] for name in form.changed_data if name in self.fields}
            services.change_table(obj, **asked, actor=request.user)
        obj.refresh_from_db()

    def log_addition(self, request, obj, message):
        return [super(TableAdmin, self).log_addition(request, table, message) for table in obj.series]

    def response_add(self, request, obj, post_url_continue=None):
        """Of a series, whichever button was pressed: to the list, where all of them are."""
        count = len(obj.series)
        if count == 1:
            return super().response_add(request, obj, post_url_continue)
        done = ngettext("%(count)d table was added: %(first)s to %(last)s.", "%(count)d tables were added: %(first)s to %(last)s.", count)
        self.message_user(request, done % {"count": count, "first": obj, "last": obj.series[-1]}, messages.SUCCESS)
        return self.response_post_save_add(request, obj)

    @admin.action(description=_("Print table cards"), permissions=["view"])
    def print_cards(self, request, tables):
        return table_cards(request, tables.select_related("store"))

    @admin.action(description=_("Cut off the tablet"), permissions=["change"])
    def sign_out(self, request, tables):
        tables = list(tables.select_related("store"))
        if "confirmed" not in request.POST:
            return confirm(
                self,
                request,
                action="sign_out",
                title=_("Cut off the tablet"),
                sentence=_("The tablets of these tables are signed out at once. To go on there, their password has to be typed in:"),
                button=_("Cut off now"),
                rows=tables,
            )
        for table in tables:
            services.sign_out_table(table, actor=request.user)
        done = ngettext(
            "The tablet of %(count)d table is cut off. To go on there, type in the table's password.",
            "The tablets of %(count)d tables are cut off. To go on there, type in the tables' passwords.",
            len(tables),
        )
        self.message_user(request, done % {"count": len(tables)}, messages.SUCCESS)
        return None


admin.site.register(Membership, admin_people.MembershipAdmin)
admin.site.register(User, admin_people.PersonAdmin)


@admin.register(Store)
class StoreAdmin(StoreScopedAdmin):
    store_first = False
    acts = {"view", "add", "change"}  # a store is switched off, never deleted: its history stays
    list_select_related = False
    list_display = ["name", "code", "currency", "timezone", "is_active"]
    search_fields = ["name", "code"]
    fieldsets = [
        (None, {"fields": ["name", "code", "is_active"]}),
        (_("How it works"), {"fields": ["steps", "timezone", "day_starts_at", "currency"]}),
    ]

    def get_readonly_fields(self, request, obj=None):
        return () if request.user.is_superuser else ("code", "is_active", "currency")

    def has_add_permission(self, request):
        return request.user.is_superuser

    def response_post_save_add(self, request, obj):
        self.message_user(request, _("Now add the account of its owner, who sets up everything else."), messages.INFO)
        return HttpResponseRedirect(reverse("admin:stores_membership_add", query={"store": obj.pk}))

    def save_model(self, request, obj, form, change):
        if change:
            super().save_model(request, obj, form, change)
            if form.changed_columns:
                audit.note(obj, "store.changed", obj.code, actor=request.user, **audit.change_in(form, form.changed_columns))
        else:
            obj.pk = services.create_store(**form.cleaned_data, actor=request.user).pk
            obj.refresh_from_db()


class WhatWasDone(admin.SimpleListFilter):
    """All actions that there are words for. Asked of the rows, of which each order makes four, it would take a second."""

    title = _("action")
    parameter_name = "what"

    def lookups(self, request, model_admin):
        return list(ACTIONS.items())

    def queryset(self, request, entries):
        return entries.filter(action=self.value()) if self.value() else entries


@admin.register(AuditEntry)
class AuditAdmin(ReadOnlyAdmin):
    list_display = ["time", "actor_name", "what", "subject", "more"]
    list_display_links = None
    list_filter = ["at", WhatWasDone]
    search_fields = ["subject", "actor_name"]
    search_help_text = _("What it was done to (an item, a table, an order number, a username), or who did it.")
    fields = ["time", "actor_name", "what", "subject", "more"]
    ordering = ["-at", "-id"]

    @admin.display(description=_("time"), ordering="at")
    def time(self, entry):
        return on_the_stores_clock(entry.at, entry.store)

    @admin.display(description=_("action"), ordering="action")
    def what(self, entry):
        return ACTIONS.get(entry.action, entry.action)

    @admin.display(description=_("details"))
    def more(self, entry):
        return " · ".join(told(entry.details, entry.store.currency))


admin.site.register(SetAsideEvent, admin_relay.SetAsideAdmin)
