"""What did not get to the message bus, for operators."""

from django.contrib import admin, messages
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from . import relay
from .admin_reach import on_the_stores_clock
from .admin_scope import ReadOnlyAdmin


class SetAsideAdmin(ReadOnlyAdmin):
    """No request touches the broker: "try again" is a mark for the relay, which takes the row away when it has succeeded."""

    operators_only = True
    list_display = ["number", "type", "time", "attempts", "error", "asked_again"]
    list_filter = ["type", "asked_again"]
    search_fields = ["number", "error"]
    fields = ["number", "type", "time", "attempts", "error", "asked_again", "body"]
    ordering = ["-at", "-id"]
    actions = ["try_again"]

    @admin.display(description=_("last attempt"), ordering="at")
    def time(self, event):
        return on_the_stores_clock(event.at, event.store)

    @admin.action(description=_("Try to deliver again"), permissions=["act"])
    def try_again(self, request, events):
        count = relay.try_again(events)
        done = ngettext(
            "%(count)d event will be tried again. It is gone from here when it has been delivered.",
            "%(count)d events will be tried again. Each is gone from here when it has been delivered.",
            count,
        )
        self.message_user(request, done % {"count": count}, messages.SUCCESS)
