"""A filter of the admin by business days, as the API's history takes them."""

from datetime import timedelta

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from stores.admin_reach import chosen_store, reach
from stores.models import Store

from .history import completed_between, completed_between_in_each, day_from


class CompletedOn(admin.ListFilter):
    """From one day to another, both included. Of several stores together each bill counts to the day of its own store."""

    title = _("day of completion")
    template = "admin/days_filter.html"

    def __init__(self, request, params, model, model_admin):
        super().__init__(request, params, model, model_admin)
        self.store = chosen_store(request)
        # Whose today the choices begin with. Among several one has to say it; what is found goes by each store's own days.
        self.clock = self.store or next(iter(reach(request).stores), Store())
        self.others = {name: value for name, value in request.GET.items() if name not in (*self.expected_parameters(), "p", "e")}
        for name in self.expected_parameters():
            if text := params.pop(name, [""])[-1]:
                self.used_parameters[name] = day_from(text)
        if None in self.used_parameters.values():
            raise IncorrectLookupParameters

    def expected_parameters(self):
        return ["completed_from", "completed_to"]

    def has_output(self):
        return True

    @property
    def days(self):
        return [self.used_parameters.get(name) for name in self.expected_parameters()]

    @property
    def complaint(self):
        """For the template: what is wrong with the days; an empty list alone would look like no bills."""
        first, last = self.days
        return _("The last day lies before the first one.") if first and last and last < first else None

    @property
    def fields(self):
        """For the template: (label, name, value)"""
        return zip([_("First day"), _("Last day")], self.expected_parameters(), self.days, strict=True)

    def choices(self, changelist):
        today = self.clock.business_day(timezone.now())
        this_month = today.replace(day=1)
        last_month = this_month - timedelta(days=1)
        for name, first, last in (
            (_("Any date"), None, None),
            (_("Today"), today, today),
            (_("Yesterday"), today - timedelta(days=1), today - timedelta(days=1)),
            (_("Past 7 days"), today - timedelta(days=6), today),
            (_("This month"), this_month, today),
            (_("Last month"), last_month.replace(day=1), last_month),
        ):
            days = dict(zip(self.expected_parameters(), (first, last), strict=True))
            yield {"selected": self.days == [first, last], "query_string": changelist.get_query_string(days), "display": name}

    def queryset(self, request, sessions):
        if self.complaint:
            return sessions.none()
        if self.store:
            return completed_between(sessions, self.store, *self.days)
        return completed_between_in_each(sessions, Store.objects.for_user(request.user), *self.days)
