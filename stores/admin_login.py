"""Signing in to the admin, with the same limit on guessing as everywhere else."""

from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError

from tableorder import rate_limits
from tableorder.errors import TooMany

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
        try:
            attempt = Attempt(subject_of("admin", username), self.request.client_address, kind="admin")
        except LoginLocked as locked:
            # Said without having looked at the password: a right guess learns nothing either.
            raise ValidationError(locked.detail, code="locked") from locked
        try:
            cleaned = super().clean()
        except ValidationError:
            attempt.failed()
            raise
        attempt.succeeded()
        return cleaned
