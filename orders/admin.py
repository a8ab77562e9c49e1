"""Orders and bills in the admin: to read. What may still be done with them, the services do."""

import re
from copy import copy
from datetime import datetime

from django import forms
from django.contrib import admin, messages
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from sessions_app.models import TableSession
from stores.admin_confirm import confirm
from stores.admin_reach import chosen_store, on_the_stores_clock
from stores.admin_scope import ReadOnlyAdmin, ScopedFilter, ScopedInline
from stores.models import Store
from stores.money import money
from tableorder.errors import Refusal

from .admin_days import CompletedOn
from .errors import OrdersUnfinished
from .kitchen import cancel_order, complete_session
from .models import FINISHED, Order, OrderLine, Status

_NUMBER = re.compile(r"(?:(\d{8})-)?(\d{1,9})")


def state_in_words(status, store):
    """Three kitchen steps end with "completed", four with "served"."""
    return _("completed") if status == Status.SERVED and store.steps == 3 else Status(status).label


def is_history(order) -> bool:
    """Its bill is completed: nothing of it changes any more."""
    return order.session.state == TableSession.State.COMPLETED


def _portions(line, quantity):
    return f"{line.name} × {quantity}"


def signed(amount, currency):
    return f"{'+' if amount >= 0 else ''}{money(amount, currency)}"


class StateFilter(admin.ChoicesFieldListFilter):
    """Offers the states of the store that the list is about, in the words of its column. Of several stores: all that there are."""

    def __init__(self, field, request, *args, **more):
        if (store := chosen_store(request)) and store.steps == Store.Steps.THREE:
            field = copy(field)  # the model's own keeps all
            # An order may have been left ready when the store went over to three steps; it is still there under “All”.
            field.choices = [(status, state_in_words(status, store)) for status in Status if status != Status.READY]
        super().__init__(field, request, *args, **more)


class LineInline(ScopedInline, admin.TabularInline):
    model = OrderLine
    acts = {"view"}
    fields = readonly_fields = ["what", "options", "quantity", "unit", "sum", "state", "note", "cancellations"]
    ordering = ["position"]
    verbose_name_plural = _("what was ordered")

    def get_queryset(self, request):
        lines = super().get_queryset(request).select_related("order__store")
        return lines.prefetch_related("options", "cancellations__cancelled_by")

    @admin.display(description=_("item"))
    def what(self, line):
        return line.name

    @admin.display(description=_("options"))
    def options(self, line):
        currency = line.order.currency
        return ", ".join(
            f"{option.name} ({signed(option.price_delta, currency)})" if option.price_delta else option.name
            for option in line.options.all()
        )

    @admin.display(description=_("unit price"))
    def unit(self, line):
        return money(line.unit_price, line.order.currency)

    @admin.display(description=_("total"))
    def sum(self, line):
        return money(line.total, line.order.currency)

    @admin.display(description=_("state"))
    def state(self, line):
        return state_in_words(line.status, line.order.store)

    @admin.display(description=_("cancelled"))
    def cancellations(self, line):
        store = line.order.store
        said = [
            (cancelled.quantity, cancelled.reason, cancelled.cancelled_by or "", on_the_stores_clock(cancelled.cancelled_at, store))
            for cancelled in line.cancellations.all()
        ]
        return format_html_join("", "<div>{} × “{}” {} {}</div>", said)


class Reason(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=200, help_text=_("Stays with the order, for whoever asks later."))


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    list_display = ["order_number", "placed", "table", "state", "amount"]
    list_filter = [("status", StateFilter), ("table", ScopedFilter)]
    list_select_related = ["store", "table"]
    date_hierarchy = "business_day"
    search_fields = ["number"]
    search_help_text = _("Order number: 12, or with its day 20261120-0012.")
    fields = ["order_number", "placed", "table", "session", "state", "amount", "note"]
    ordering = ["-placed_at", "-id"]
    inlines = [LineInline]
    actions = ["cancel"]

    def changelist_view(self, request, extra_context=None):
        # Django takes the chosen business day for midnight in the store's zone and reads that back in the default
        # one: the day before, in Seoul. With both the same, a day stays a day. The columns name their zone anyway.
        with timezone.override(timezone.get_default_timezone()):
            return super().changelist_view(request, extra_context)

    def get_search_results(self, request, queryset, search_term):
        if not search_term.strip():
            return queryset, False
        asked = _NUMBER.fullmatch(search_term.strip())
        if asked is None:
            return queryset.none(), False
        day, number = asked.groups()
        try:
            on_day = {"business_day": datetime.strptime(day, "%Y%m%d").date()} if day else {}
        except ValueError:
            return queryset.none(), False
        return queryset.filter(number=int(number), **on_day), False

    def not_offered(self, obj):
        return super().not_offered(obj) | ({"cancel"} if is_history(obj) or obj.status == Status.CANCELLED else set())

    @admin.display(description=_("order number"), ordering="placed_at")
    def order_number(self, order):
        return order.order_number

    @admin.display(description=_("placed"), ordering="placed_at")
    def placed(self, order):
        return on_the_stores_clock(order.placed_at, order.store)

    @admin.display(description=_("state"), ordering="status")
    def state(self, order):
        return state_in_words(order.status, order.store)

    @admin.display(description=_("total"), ordering="total")
    def amount(self, order):
        return money(order.total, order.currency)

    @admin.action(description=_("Cancel the order"), permissions=["act"])
    def cancel(self, request, orders):
        live, closed = [], []
        for order in orders.exclude(status=Status.CANCELLED).select_related("session"):
            (closed if is_history(order) else live).append(order)
        if closed:  # said before anybody thinks of a reason
            said = _("The bill is completed and can't be changed any more: %(orders)s") % {"orders": ", ".join(map(str, closed))}
            self.message_user(request, said, messages.ERROR)
        form = Reason(request.POST if "confirmed" in request.POST else None)
        if live and not form.is_valid():
            return confirm(
                self,
                request,
                action="cancel",
                title=_("Cancel orders"),
                sentence=_("Everything in these orders that is not cancelled yet will be cancelled, and taken off the bill:"),
                button=_("Cancel now"),
                rows=live,
                lines=[f"{order} · {_('table')} {order.table} · {money(order.total, order.currency)}" for order in live],
                form=form,
            )
        cancelled = 0
        for order in live:
            try:
                # Whoever reaches an order here owns its store, or runs the platform.
                cancel_order(order, reason=form.cleaned_data["reason"], version=order.version, actor=request.user, is_owner=True)
                cancelled += 1
            except Refusal as refusal:
                self.message_user(request, f"{order}: {refusal.detail}", messages.ERROR)
        if cancelled or not (live or closed):
            done = ngettext("%(count)d order was cancelled.", "%(count)d orders were cancelled.", cancelled)
            self.message_user(request, done % {"count": cancelled}, messages.SUCCESS if cancelled else messages.WARNING)
        return None


class OrderInline(ScopedInline, admin.TabularInline):
    model = Order
    acts = {"view"}
    show_change_link = True
    fields = readonly_fields = ["placed", "dishes", "cancelled", "state", "amount", "note"]
    ordering = ["-placed_at", "-id"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("store").prefetch_related("lines")

    @admin.display(description=_("what was ordered"))
    def dishes(self, order):
        return ", ".join(_portions(line, line.live_quantity) for line in order.lines.all() if line.live_quantity)

    @admin.display(description=_("cancelled"))
    def cancelled(self, order):
        """What it was, and what is off the bill for it; when, why and by whom stands on the order's own page."""
        lines = [line for line in order.lines.all() if line.cancelled_quantity]
        off = sum(line.unit_price * line.cancelled_quantity for line in lines)
        what = ", ".join(_portions(line, line.cancelled_quantity) for line in lines)
        return f"{what} ({money(off, order.currency)})" if lines else ""

    placed = OrderAdmin.placed
    state = OrderAdmin.state
    amount = OrderAdmin.amount


@admin.register(TableSession)
class TableSessionAdmin(ReadOnlyAdmin):
    list_display = ["began", "table", "state", "completed", "amount"]
    list_filter = ["state", CompletedOn, ("table", ScopedFilter)]
    list_select_related = ["store", "table"]
    fields = ["table", "state", "began", "completed", "who", "amount"]
    ordering = ["-started_at", "-id"]
    inlines = [OrderInline]
    actions = ["complete"]

    @admin.display(description=_("began"), ordering="started_at")
    def began(self, session):
        return on_the_stores_clock(session.started_at, session.store)

    @admin.display(description=_("completed"), ordering="completed_at")
    def completed(self, session):
        return on_the_stores_clock(session.completed_at, session.store)

    @admin.display(description=_("completed by"))
    def who(self, session):
        return session.completed_by or ""  # the field itself would be a link to the person, which only operators may follow

    @admin.display(description=_("total"), ordering="total")
    def amount(self, session):
        return money(session.total, session.store.currency)

    def not_offered(self, obj):
        return super().not_offered(obj) | ({"complete"} if obj.state == TableSession.State.COMPLETED else set())

    @admin.action(description=_("Complete the table"), permissions=["act"])
    def complete(self, request, sessions):
        """The bill becomes history, for good: so it asks first, and once more where something was ordered meanwhile."""
        agreed = set(request.POST.get("unserved", "").split(","))  # the bills that were shown with something not yet served
        open_bills = list(sessions.on_the_board().select_related("store", "table").order_by("started_at", "id"))
        completed, asked_about = 0, [] if "confirmed" in request.POST else open_bills
        for session in open_bills if "confirmed" in request.POST else []:
            try:
                complete_session(session.table, session_id=session.pk, force=str(session.pk) in agreed, actor=request.user)
                completed += 1
            except OrdersUnfinished:
                asked_about.append(session)
        if completed or not asked_about:
            done = ngettext("%(count)d table was completed.", "%(count)d tables were completed.", completed)
            self.message_user(request, done % {"count": completed}, messages.SUCCESS if completed else messages.WARNING)
        if not asked_about:
            return None
        unserved = {}
        lines = OrderLine.objects.filter(order__session__in=asked_about).exclude(status__in=FINISHED)
        for line in lines.select_related("order").order_by("order__placed_at", "position"):
            unserved.setdefault(line.order.session_id, []).append(_portions(line, line.live_quantity))
        return confirm(
            self,
            request,
            action="complete",
            title=_("Complete tables"),
            sentence=_("These bills become history, and the next party begins anew. What is not served yet stays on the bill:"),
            button=_("Complete now"),
            rows=asked_about,
            lines=[_bill_in_words(session, unserved.get(session.pk)) for session in asked_about],
            form=Shown(initial={"unserved": ",".join(map(str, unserved))}),
        )


class Shown(forms.Form):
    unserved = forms.CharField(widget=forms.HiddenInput)


def _bill_in_words(session, unserved):
    said = [str(session), money(session.total, session.store.currency)]
    if unserved:
        said.append(_("not served yet: %(dishes)s") % {"dishes": ", ".join(unserved)})
    return " · ".join(said)
