"""Signing in to the admin and changing one's password there, with the same limit on guessing as everywhere else."""

import math
from contextlib import contextmanager

from django.contrib.admin.forms import AdminAuthenticationForm, AdminPasswordChangeForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from tableorder import rate_limits
from tableorder.errors import TooMany

from .admin_forms import OnlyThePassword
from .errors import LoginLocked
from .login_limits import Attempt, subject_of


class LoginForm(AdminAuthenticationForm):
    def clean(self):
        username, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if not username or not password:
            return self.cleaned_data
        budget = rate_limits.Spending(rate_limits.of_logins(self.request.client_address)).budget()
        if budget and budget.refused:
            raise ValidationError(TooMany.detail, code="limited")
        with _one_guess(username, self.request.client_address):
            return super().clean()


class PasswordChangeForm(OnlyThePassword, AdminPasswordChangeForm):
    """Whoever finds a board that is signed in must not try out passwords there."""

    def __init__(self, *args, address: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.address = address

    def clean_old_password(self):
        with _one_guess(self.user.username, self.address):
            return super().clean_old_password()


@contextmanager
def _one_guess(username, address):
    """Around what looks at the password, and raises ValidationError for a wrong one."""
    try:
        attempt = Attempt(subject_of("admin", username), address, kind="admin")
    except LoginLocked as locked:
        # Said without having looked at the password: a right guess learns nothing either.
        said = _("Too many failed attempts. Minutes until you may try again: %(minutes)d.")
        raise ValidationError(said, code="locked", params={"minutes": math.ceil(locked.retry_after / 60)}) from locked
    try:
        yield
    except ValidationError:
        attempt.failed()
        raise
    attempt.succeeded()
