"""The menu in the admin: categories and items dragged into order, items with choices and a picture."""

from adminsortable2.admin import SortableAdminBase, SortableTabularInline
from django.contrib import admin, messages
from django.db.models import Count, Q
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from stores.admin_forms import OnlyWhatChanged
from stores.admin_reach import STORE_FILTER, chosen, chosen_store, reach, rows_for
from stores.admin_scope import ScopedFilter, ScopedInline
from stores.money import digits_of, money

from . import choices, images, services
from .admin_base import DraggableAdmin, MenuAdmin
from .admin_forms import (
    CategoryForm,
    ChoiceFormSet,
    ItemForm,
    LockedFormSet,
    OptionFormSet,
    OptionGroupForm,
    RowsOfTheForms,
    StockForm,
    in_smallest_unit,
)
from .models import MAX_OPTIONS, Category, Item, ItemOptionGroup, Option, OptionGroup

CATEGORY_FILTER = "category__id__exact"


def in_order(rows):
    return rows.alive().order_by("position", "pk")


@admin.register(Category)
class CategoryAdmin(DraggableAdmin):
    form = CategoryForm
    fields = ["name"]
    list_display = ["name", "items"]
    comes_first = _("Add a category: every item of the menu stands in one.")
    search_fields = ["name"]

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(live_items=Count("items", Q(items__deleted_at=None)))

    def get_ordering(self, request):
        return ["position", "pk"] if chosen_store(request) else ["store__name", "position", "pk"]

    @admin.display(description=_("items"))
    def items(self, category):
        query = {CATEGORY_FILTER: category.pk, STORE_FILTER: category.store_id}
        return format_html('<a href="{}">{}</a>', reverse("admin:menus_item_changelist", query=query), category.live_items)

    def call_service(self, request, form, formsets, change):
        category, fields = form.instance, {name: form.cleaned_data[name] for name in form.changed_columns if name != "store"}
        if change:
            services.change_category(category, **fields, actor=request.user)
        else:
            category.pk = services.create_category(category.store, **fields, actor=request.user).pk

    def delete_service(self, row, *, actor):
        services.delete_category(row, actor=actor)

    def what_keeps(self, rows):
        return [str(item) for item in Item.objects.alive().filter(category__in=rows).order_by("category", "position")]

    def shown_list(self, request):
        store = chosen_store(request)
        return store and in_order(Category.objects.in_store(store))

    def how_to_drag(self, request):
        return _("Choose a store in the filter to drag its categories into order.") if chosen_store(request) is None else None

    def list_of(self, row):
        return in_order(Category.objects.in_store(row.store))

    def put_in_order(self, row, ids, *, actor):
        services.order_categories(row.store, ids=ids, actor=actor)


class DraggableInline(ScopedInline, SortableTabularInline):
    form = OnlyWhatChanged
    ordering = ["position", "pk"]
    max_num = MAX_OPTIONS

    def get_formset(self, request, obj=None, **kwargs):
        # However many rows a page claims to send: Django would make two thousand empty ones of it, which takes ten seconds.
        return super().get_formset(request, obj, validate_max=True, absolute_max=2 * self.max_num, **kwargs)


class ChoiceInline(DraggableInline):
    """The option groups that an item offers."""

    model = ItemOptionGroup
    formset = ChoiceFormSet
    fields = ["group"]

    def get_queryset(self, request):
        return super().get_queryset(request).filter(group__deleted_at=None).select_related("group")

    def get_autocomplete_fields(self, request):
        return ("group",) if request.user.is_superuser else ()  # of a thousand stores there are too many for a list

    def get_formset(self, request, obj=None, **kwargs):
        formset = super().get_formset(request, obj, **kwargs)
        group = formset.form.base_fields["group"]
        if obj is not None:
            group.queryset = group.queryset.in_store(obj.store)
        if not self.get_autocomplete_fields(request):
            # With its options, for two groups may have one name; and once, not for every row.
            group.choices = [("", group.empty_label), *((row.pk, with_options(group, row)) for row in group.queryset.with_options())]
        return formset


def with_options(field, group) -> str:
    options = ", ".join(option.name for option in group.options.all())
    return f"{field.label_from_instance(group)} ({options})" if options else field.label_from_instance(group)


@admin.register(Item)
class ItemAdmin(DraggableAdmin):
    form = ItemForm
    list_form = StockForm
    asks_store = False  # it is the category's
    fieldsets = [
        (None, {"fields": ["category", "name", "description"]}),
        (_("Price and stock"), {"fields": ["price", "sold_out", "stock"]}),
        (_("Image"), {"fields": ["picture", "new_image", "drop_image"]}),
    ]
    readonly_fields = ["picture"]
    inlines = [ChoiceInline]
    list_display = ["thumbnail", "name", "category", "price", "price_in_words", "sold_out", "stock"]
    list_display_links = ["name"]
    list_editable = ["price", "sold_out", "stock"]
    list_filter = [("category", ScopedFilter), "sold_out"]
    list_select_related = ["store", "category"]
    list_per_page = list_max_show_all = 100  # Django takes a thousand fields a form; a row here has seven
    search_fields = ["name"]
    comes_first = _("Add the items of the menu: there is nothing to order yet.")
    add_form_template = "admin/menus/item/add_form.html"

    def get_fieldsets(self, request, obj=None):
        if obj is not None and obj.image:
            return super().get_fieldsets(request, obj)
        *others, (title, options) = super().get_fieldsets(request, obj)
        return [*others, (title, {**options, "fields": ["new_image"]})]

    def get_autocomplete_fields(self, request):
        return ("category",) if request.user.is_superuser else ()  # likewise

    def render_change_form(self, request, context, add=False, **more):
        if add:
            store = chosen_store(request, "store")
            categories = rows_for(Category, request.user)
            if not (categories.in_store(store) if store else categories).exists():
                context["category_first"] = reverse("admin:menus_category_add", query={"store": store.pk} if store else None)
        if context["errors"] and "new_image" in request.FILES and "new_image" not in context["adminform"].form.errors:
            # No browser fills in a file again, and an empty field says nothing of the one that was there.
            self.message_user(request, _("Nothing is saved yet. Please choose the image again too."), messages.WARNING)
        return super().render_change_form(request, context, add=add, **more)

    # --- The list ---

    def get_ordering(self, request):
        return [*([] if chosen_store(request) else ["store__name"]), "category__position", "category", "position", "pk"]

    def get_list_display(self, request):
        columns = super().get_list_display(request)
        with_a_point = any(digits_of(store.currency) for store in reach(request).stores) or reach(request).only_store is None
        return [column for column in columns if column != "price_in_words" or with_a_point]

    def get_changelist(self, request, **kwargs):
        return RowsOfTheForms

    def get_changelist_formset(self, request, **kwargs):
        most = {"max_num": self.list_per_page, "absolute_max": self.list_per_page}
        return super().get_changelist_formset(request, **{"formset": LockedFormSet, **most, **kwargs})

    def how_to_drag(self, request):
        store = chosen_store(request)
        if store is None:
            return _("Choose a store and a category in the filter to drag its items into order.")
        if not Category.objects.alive().in_store(store).exists():
            return None  # nor is there a filter
        return _("Choose a category in the filter to drag its items into order.")

    @admin.display(description="", empty_value="")
    def thumbnail(self, item):
        sizes = images.urls(item.image.name)
        return sizes and format_html('<img src="{}" alt="" width="56" height="42" style="object-fit: cover" loading="lazy">', sizes["list"])

    @admin.display(description="")
    def price_in_words(self, item):
        return money(item.price, item.store.currency)

    @admin.display(description=_("image"))
    def picture(self, item):
        sizes = images.urls(item.image.name)
        return format_html('<img src="{}" alt="" style="max-width: 320px; max-height: 240px">', sizes["detail"]) if sizes else ""

    # --- Dragging ---

    def shown_list(self, request):
        category = chosen(request, Category, CATEGORY_FILTER)
        return category and in_order(category.items)

    def list_of(self, row):
        return in_order(Item.objects.filter(category=row.category_id))

    def put_in_order(self, row, ids, *, actor):
        services.order_items(row.store, category=row.category_id, ids=ids, actor=actor)

    # --- Writing ---

    def call_service(self, request, form, formsets, change):
        item, cleaned = form.instance, form.cleaned_data
        fields = {name: cleaned[name] for name in form.changed_columns}
        if "category" in fields:
            fields["category"] = fields["category"].pk
        for formset in formsets:
            if formset.has_changed():
                fields["option_groups"] = [choice.cleaned_data["group"].pk for choice in formset.kept]
        if change:
            # What follows locks the item, and before it, as everywhere, comes what the change of it locks too.
            homes = {item.category_id, form.initial["category"]} if fields.keys() & {"name", "category"} else ()
            list(Category.objects.filter(pk__in=homes).locked().values_list("pk"))
            services.lock_groups(item.store, fields.get("option_groups", ()))
        else:
            item.pk = services.create_item(item.store, **fields, actor=request.user).pk
        if cleaned.get("new_image"):
            services.store_image(item, cleaned["new_image"], actor=request.user)
        elif cleaned.get("drop_image"):
            services.remove_image(item, actor=request.user)
        if change:
            if "stock" in fields:
                form.refuse_stale_stock(Item.objects.alive().locked().get_or_absent(item.pk).stock)
            services.change_item(item, **fields, actor=request.user)

    def delete_queryset(self, request, queryset):
        services.lock_to_delete(queryset)
        super().delete_queryset(request, queryset)

    def delete_service(self, row, *, actor):
        services.delete_item(row, actor=actor)


class OptionInline(DraggableInline):
    model = Option
    formset = OptionFormSet
    fields = ["name", "price_delta", "sold_out"]

    def get_extra(self, request, obj=None, **kwargs):
        return 0 if obj else 3

    def get_formset(self, request, obj=None, **kwargs):
        formset = super().get_formset(request, obj, **kwargs)
        store = obj.store if obj else reach(request).only_store
        formset.form.base_fields["price_delta"].help_text = in_smallest_unit(_("Added to the item's price. May be negative."), store)
        # Django would refuse to delete an option that was ever ordered; here it is only marked.
        formset.form.hand_clean_DELETE = lambda form: None
        return formset


@admin.register(OptionGroup)
class OptionGroupAdmin(SortableAdminBase, MenuAdmin):
    form = OptionGroupForm
    fields = ["name", "min", "max"]
    inlines = [OptionInline]
    list_display = ["name", "min", "max", "options"]
    search_fields = ["name"]
    ordering = ["name"]

    def get_queryset(self, request):
        return super().get_queryset(request).with_options()

    @admin.display(description=_("options"))
    def options(self, group):
        return ", ".join(option.name for option in group.options.all())

    def call_service(self, request, form, formsets, change):
        group = form.instance
        fields = {name: form.cleaned_data[name] for name in form.changed_columns if name != "store"}
        (formset,) = formsets
        if change:
            # Locked, then laid under what was changed: a sold-out switched meanwhile stays switched.
            OptionGroup.objects.alive().locked().get_or_absent(group.pk)
            present = {option.pk: option for option in group.options.alive().locked()}
            choices.change_option_group(group, options=self._asked(formset, present), **fields, actor=request.user)
        else:
            fields = {name: form.cleaned_data[name] for name in self.fields}
            group.pk = choices.create_option_group(group.store, options=self._asked(formset, {}), **fields, actor=request.user).pk

    @staticmethod
    def _asked(formset, present):
        asked = []
        for form in formset.kept:
            row = present.get(form.instance.pk)
            kept = {name: getattr(row, name) for name in OptionInline.fields if name not in form.changed_columns} if row else {}
            typed = {name: form.cleaned_data[name] for name in OptionInline.fields}
            asked.append({**({"id": row.pk} if row else {}), **typed, **kept})
        return asked

    def delete_service(self, row, *, actor):
        choices.delete_option_group(row, actor=actor)

    def what_is_lost(self, row):
        dishes = row.items.alive().order_by("category__position", "position", "pk")
        return [_("%(item)s is offered without it") % {"item": item} for item in dishes]
