"""What the menu's admin pages share: every save is one change of the menu, deleting is soft, rows are dragged.

The rules are those of the services, which the API calls too; here are only the ways to them.
"""

import json
import uuid

from adminsortable2.admin import SortableAdminMixin
from django.contrib import admin
from django.forms import Script
from django.http import HttpResponse, HttpResponseBadRequest, HttpResponseForbidden, HttpResponseNotAllowed
from django.utils.html import format_html
from django.utils.translation import gettext as _

from stores.admin_reach import rows_for
from stores.admin_scope import StoreScopedAdmin
from tableorder.errors import Malformed, Refusal
from tableorder.transactions import whole

from .one_change import one_change


class MenuAdmin(StoreScopedAdmin):
    """Writes by services: `save_model` writes nothing, `save_related` calls one when the inlines are known too."""

    class Media:
        js = [Script("menus_admin/keys.js", defer=True), Script("menus_admin/photo.js", defer=True)]

    @whole
    def write(self, request, view, *args):
        with one_change():
            return view(request, *args)

    def save_model(self, request, obj, form, change):
        pass

    def save_related(self, request, form, formsets, change):
        for formset in formsets:
            formset.save(commit=False)  # writes nothing; the history page reads from it what has changed
        self.call_service(request, form, formsets, change)

    def call_service(self, request, form, formsets, change):
        raise NotImplementedError

    def delete_service(self, row, *, actor):
        raise NotImplementedError

    def delete_model(self, request, obj):
        self.delete_service(obj, actor=request.user)

    def delete_queryset(self, request, queryset):
        for row in queryset.order_by("pk"):
            self.delete_service(row, actor=request.user)

    def get_deleted_objects(self, objs, request):
        """Nothing hangs on a row that is only marked; Django's own walk would offer to delete old orders along."""
        rows = list(objs)
        lines = []
        for row in rows:
            lines += filter(None, (str(row), self.what_is_lost(row)))
        names = {self.opts.verbose_name_plural if len(rows) > 1 else self.opts.verbose_name: len(rows)}
        lacking = set() if all(self.has_delete_permission(request, row) for row in rows) else {self.opts.verbose_name}
        return lines, names, lacking, self.what_keeps(rows)

    def what_is_lost(self, row) -> list[str]:
        """What else changes with it, for the page that asks for confirmation: below the row."""
        return []

    def what_keeps(self, rows) -> list[str]:
        """What stands against deleting these, for the page that asks for confirmation."""
        return []


class DraggableAdmin(SortableAdminMixin, MenuAdmin):
    """Drag and drop by django-admin-sortable2: its handles, script and styles.

    Not its endpoint, which sets any position on any row, and not its state, which one instance keeps for all
    requests: here it is decided per request whether the list may be dragged, and a drag goes to the service.
    """

    ordering = ["position"]

    def shown_list(self, request):
        """The whole list that the page shows a part of, in its order; None if it is not one that has an order."""
        raise NotImplementedError

    def how_to_drag(self, request):
        """A sentence for a list that can't be dragged as it is shown."""
        raise NotImplementedError

    def list_of(self, row):
        """The whole list that a row stands in, in its order."""
        raise NotImplementedError

    def put_in_order(self, row, ids, *, actor):
        raise NotImplementedError

    def may_drag(self, request) -> bool:
        sorted_otherwise = {"o", "q", "_popup"} & request.GET.keys()
        return not sorted_otherwise and self.has_change_permission(request) and self.shown_list(request) is not None

    def _add_reorder_method(self):
        """The package's way to its column; ours is the method below."""

    @admin.display(description="")
    def _reorder_(self, row):
        how = _("Drag it, or move it with the arrow keys")
        return format_html(
            '<div class="drag handle" pk="{}" order="{}" role="button" aria-label="{}: {}" title="{}">&nbsp;</div>',
            *(row.pk, row.position, row, how, how),
        )

    def get_list_display(self, request):
        columns = super().get_list_display(request)
        return columns if self.may_drag(request) else [column for column in columns if column != "_reorder_"]

    def changelist_view(self, request, extra_context=None):
        hint = None if self.may_drag(request) or "_popup" in request.GET else self.how_to_drag(request)
        return super().changelist_view(request, {"how_to_drag": hint, **(extra_context or {})})

    def get_changelist_instance(self, request):
        return super(SortableAdminMixin, self).get_changelist_instance(request)

    def get_actions(self, request):
        return super(SortableAdminMixin, self).get_actions(request)

    def update_order(self, request):
        """{"updatedItems": [[id, position], ...]}: the rows that a drag has moved, as they stand now.

        They share the places that they had before. So a page that shows a part of the list, or one that is a
        minute old, moves nothing that it did not show.
        """
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_change_permission(request):
            return HttpResponseForbidden()
        try:
            moved = [uuid.UUID(id) for id, place in json.loads(request.body)["updatedItems"]]
            self.write(request, self._move, moved)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return HttpResponseBadRequest(Malformed.detail)
        except Refusal as refusal:
            return HttpResponseBadRequest(refusal.detail)
        return HttpResponse(status=200)

    def _move(self, request, moved):
        row = rows_for(self.model, request.user).filter(pk=moved[0]).first() if moved else None
        if row is None or len(set(moved)) != len(moved):
            raise Malformed()
        ids = list(self.list_of(row).values_list("pk", flat=True))
        if not set(moved) <= set(ids):
            raise Malformed()
        new = iter(moved)
        self.put_in_order(row, [next(new) if id in set(moved) else id for id in ids], actor=request.user)
