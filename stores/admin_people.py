"""Staff accounts for owners, people for operators.

An owner creates people and decides who works in their stores. A name, a username, a password belong to the person,
who may work elsewhere too: they are the owner's to change only if every workplace of that person is a store of
this owner. Nobody else's account is ever shown, offered or touched.
"""

from collections import Counter

from django import forms
from django.contrib import admin
from django.contrib.auth import admin as auth_admin
from django.contrib.auth import forms as auth_forms
from django.forms.models import fields_for_model
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from . import audit, auth
from .admin_forms import OnlyThePassword, OnlyWhatChanged
from .admin_reach import chosen_store
from .admin_scope import ScopedFilter, ScopedInline, StoreScopedAdmin
from .models import Membership, Store, User

PERSON_FIELDS = fields_for_model(User, ["username", "name"], field_classes={"username": auth_forms.UsernameField})


def may_edit_person(editor: User, person: User) -> bool:
    """Is this person's name and password this editor's business?"""
    if editor.is_superuser:
        return True
    elsewhere = person.memberships.exclude(store__in=Store.objects.for_user(editor))
    return not person.is_superuser and not elsewhere.exists()


class AccountForm(OnlyWhatChanged):
    """Only the work in this store; the person is somebody else's too."""


class PersonForm(AccountForm):
    """With the person's own fields."""

    username = PERSON_FIELDS["username"]
    name = PERSON_FIELDS["name"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        adding = self.instance._state.adding
        self.person = User() if adding else User.objects.get(pk=self.instance.user_id)
        if not adding:
            self.initial |= {"username": self.person.username, "name": self.person.name}

    def _post_clean(self):
        super()._post_clean()
        for field in ("username", "name"):
            if field in self.cleaned_data:
                setattr(self.person, field, self.cleaned_data[field])
        try:
            self.person.clean_fields(exclude={field.name for field in User._meta.fields} - {"username", "name"} | self.errors.keys())
            self.person.clean()
        except forms.ValidationError as error:
            self.add_error(None, error)


class PersonWithPasswordForm(auth_forms.SetPasswordMixin, PersonForm):
    password1, password2 = auth_forms.SetPasswordMixin.create_password_fields()

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            for field in ("password1", "password2"):
                self.fields[field].required = False

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("password1", "") != cleaned.get("password2", "") and not self.errors:
            self.add_error("password2", self.error_messages["password_mismatch"])
        return cleaned

    def _post_clean(self):
        super()._post_clean()
        self.validate_password_for_user(self.person)


class MembershipAdmin(StoreScopedAdmin):
    acts = {"view", "add", "change"}  # owners switch people off: the audit names them
    list_display = ["username", "name", "role", "is_active"]
    list_filter = ["role", "is_active"]
    list_select_related = ["store", "user"]
    search_fields = ["user__username", "user__name"]
    ordering = ["user__username"]

    @admin.display(description=PERSON_FIELDS["username"].label, ordering="user__username")
    def username(self, membership):
        return membership.user.username

    @admin.display(description=PERSON_FIELDS["name"].label, ordering="user__name")
    def name(self, membership):
        return membership.user.name

    @admin.display(description=_("Note"))
    def why_not(self, membership):
        return _("This person works in other stores too, so name and password can't be changed here.")

    def has_delete_permission(self, request, obj=None):
        return request.user.is_superuser  # a person that an operator deletes takes these along

    def get_deleted_objects(self, objs, request):
        *_, lacking, keeps = super().get_deleted_objects(objs, request)
        return *named(list(objs)), lacking, keeps

    def delete_model(self, request, obj):
        note_removed([obj], request.user)
        super().delete_model(request, obj)

    def delete_queryset(self, request, queryset):
        note_removed(queryset, request.user)
        super().delete_queryset(request, queryset)

    def _form_for(self, request, membership):
        if membership is None:
            return PersonWithPasswordForm
        if not may_edit_person(request.user, membership.user):
            return AccountForm
        return PersonForm if membership.user_id == request.user.pk else PersonWithPasswordForm

    def get_form(self, request, obj=None, change=False, **kwargs):
        return super().get_form(request, obj, change=change, **{"form": self._form_for(request, obj), **kwargs})

    def get_fieldsets(self, request, obj=None):
        form = self._form_for(request, obj)
        fields = ["username", "name", "role", *(["is_active"] if obj else []), *(["why_not"] if form is AccountForm else [])]
        fieldsets = [(None, {"fields": fields})]
        if form is PersonWithPasswordForm:
            title = _("New password") if obj else _("Password")
            keep = _("Leave empty to keep the present one. A new password ends all sign-ins of this person.") if obj else ""
            fieldsets.append((title, {"fields": ["password1", "password2"], "description": keep}))
        return self.with_store(request, fieldsets, obj)

    def get_readonly_fields(self, request, obj=None):
        fields = [*super().get_readonly_fields(request, obj)]
        if obj is not None and not may_edit_person(request.user, obj.user):
            fields += ["why_not", "username", "name"]
        if obj is not None and obj.user_id == request.user.pk and not request.user.is_superuser:
            fields += ["role", "is_active"]  # nobody locks themselves out
        return fields

    def get_changeform_initial_data(self, request):
        """The first account of a store is its owner's."""
        initial = super().get_changeform_initial_data(request)
        store = chosen_store(request, "store")
        if store is not None and not store.memberships.filter(role=Membership.Role.OWNER).exists():
            initial.setdefault("role", Membership.Role.OWNER)
        return initial

    def save_model(self, request, obj, form, change):
        if isinstance(form, PersonForm):
            changed = [name for name in ("username", "name") if name in form.changed_data]
            if form.cleaned_data.get("password1"):
                form.person.set_password(form.cleaned_data["password1"])
                changed.append("password")
            if changed:
                form.person.save(update_fields=changed if change else None)  # the rest may have changed while it was hashed
            obj.user = form.person
        if not change:
            obj.save()
            audit.note(obj.store, "staff.created", obj.user.username, actor=request.user, role=obj.role)
            return
        if form.changed_columns:
            obj.save(update_fields=form.changed_columns)
        if was_switched_off(form):
            auth.sign_out_of_store(obj)
        told = audit.change_in(form, [name for name in form.changed_data if not name.startswith("password")])
        told["changed"] += ["password"] if form.cleaned_data.get("password1") else []
        if told["changed"]:
            audit.note(obj.store, "staff.changed", obj.user.username, actor=request.user, **told)


def was_switched_off(form) -> bool:
    return "is_active" in form.changed_data and not form.instance.is_active


def named(rows: list[User | Membership]) -> tuple[list[str], dict[str, int]]:
    """(what is deleted, how many of each kind) for the page that asks for confirmation: people and their work.

    What else goes along, tokens and the entries of Django's log, would be named by numbers.
    """
    kinds = Counter(row._meta.verbose_name_plural for row in rows)
    return [f"{capfirst(row._meta.verbose_name)}: {row}" for row in rows], dict(kinds)


def note_removed(memberships, actor: User):
    for membership in memberships:
        audit.note(membership.store, "staff.removed", membership.user.username, actor=actor)


class WorkplaceForm(OnlyWhatChanged):
    """Which store it is, is chosen when adding, and then it stays: the audit of that store would miss the person."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["store"].disabled = not self.instance._state.adding


class WorkplaceInline(ScopedInline, admin.TabularInline):
    model = Membership
    form = WorkplaceForm
    fields = ["store", "role", "is_active"]
    autocomplete_fields = ["store"]
    verbose_name = _("workplace")
    verbose_name_plural = _("workplaces")


class NewPersonForm(auth_forms.BaseUserCreationForm):
    class Meta:
        model = User
        fields = ["username", "name"]
        field_classes = {"username": auth_forms.UsernameField}


class SetPasswordForm(OnlyThePassword, auth_forms.AdminPasswordChangeForm):
    """Without the choice to have no password at all: there is no other way to sign in here."""

    def __init__(self, user, *args, **kwargs):
        super().__init__(user, *args, **kwargs)
        self.fields.pop("usable_password", None)
        for field in self.fields.values():
            field.required = True


class PersonAdmin(StoreScopedAdmin, auth_admin.UserAdmin):
    operators_only = True
    store_first = False
    add_form = NewPersonForm
    change_password_form = SetPasswordForm
    list_select_related = False
    list_display = ["username", "name", "is_active", "is_superuser", "last_login"]
    list_filter = ["is_superuser", "is_active", ("memberships__store", ScopedFilter)]
    search_fields = ["username", "name"]
    ordering = ["username"]
    filter_horizontal = ()
    inlines = [WorkplaceInline]
    fieldsets = [
        (None, {"fields": ["username", "name", "password_link"]}),
        (None, {"fields": ["is_active", "is_superuser"]}),
        (None, {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [(None, {"fields": ["username", "name", "password1", "password2"]})]

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and obj != request.user

    def get_readonly_fields(self, request, obj=None):
        fields = ["password_link", "last_login", "date_joined"]
        return fields + (["is_active", "is_superuser"] if obj == request.user else [])  # nobody locks themselves out

    @admin.display(description=_("password"))
    def password_link(self, person):
        return format_html('<a href="{}">{}</a>', reverse("admin:auth_user_password_change", args=[person.pk]), _("Set a new password"))

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        if change and was_switched_off(form):
            auth.sign_out_everywhere(obj)

    def save_formset(self, request, form, formset, change):
        super().save_formset(request, form, formset, change)
        username = form.instance.username
        for membership in formset.new_objects:
            audit.note(membership.store, "staff.created", username, actor=request.user, role=membership.role)
        for work in formset.initial_forms:
            if work.has_changed() and work not in formset.deleted_forms:
                told = audit.change_in(work, work.changed_data)
                audit.note(work.instance.store, "staff.changed", username, actor=request.user, **told)
                if was_switched_off(work):
                    auth.sign_out_of_store(work.instance)
        note_removed(formset.deleted_objects, request.user)

    def get_deleted_objects(self, objs, request):
        *_, lacking, keeps = super().get_deleted_objects(objs, request)
        return *named([*objs, *_work_of(objs)]), lacking, keeps

    def delete_model(self, request, obj):
        note_removed(_work_of([obj]), request.user)
        super().delete_model(request, obj)

    def delete_queryset(self, request, queryset):
        note_removed(_work_of(queryset), request.user)
        super().delete_queryset(request, queryset)


def _work_of(people):
    return Membership.objects.filter(user__in=people).select_related("store", "user")
