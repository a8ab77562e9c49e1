"""Service calls in the admin. Table sessions are in `orders/admin.py`: completing one settles its orders."""

from django.contrib import admin, messages
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from stores.admin_reach import on_the_stores_clock
from stores.admin_scope import ReadOnlyAdmin, ScopedFilter

from . import services
from .models import ServiceCall


@admin.register(ServiceCall)
class ServiceCallAdmin(ReadOnlyAdmin):
    list_display = ["opened", "table", "kind", "state", "resolved", "resolved_by"]
    list_filter = ["state", "kind", "opened_at", ("table", ScopedFilter)]
    list_select_related = ["store", "table", "resolved_by"]
    fields = ["table", "kind", "state", "opened", "resolved", "who"]
    ordering = ["-opened_at", "-id"]
    actions = ["resolve"]

    @admin.display(description=_("opened"), ordering="opened_at")
    def opened(self, call):
        return on_the_stores_clock(call.opened_at, call.store)

    @admin.display(description=_("resolved at"), ordering="resolved_at")
    def resolved(self, call):
        return on_the_stores_clock(call.resolved_at, call.store)

    @admin.display(description=_("resolved by"))
    def who(self, call):
        return call.resolved_by or ""  # the field itself would be a link to the person, which only operators may follow

    @admin.action(description=_("Taken care of"), permissions=["act"])
    def resolve(self, request, calls):
        open_calls = list(calls.open())
        for call in open_calls:
            services.resolve_call(call, actor=request.user)
        done = ngettext("%(count)d call is taken care of.", "%(count)d calls are taken care of.", len(open_calls))
        self.message_user(request, done % {"count": len(open_calls)}, messages.SUCCESS)
