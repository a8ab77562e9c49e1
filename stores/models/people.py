"""People, and where they work."""

import uuid

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from stores.scoping import StoreScoped

from .places import Store


class UserManager(BaseUserManager):
    def create_user(self, username, password=None, **fields):
        user = self.model(username=self.model.normalize_username(username), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, username, password=None, **fields):
        return self.create_user(username, password, is_superuser=True, **fields)

    def get_by_natural_key(self, username):
        """Who signs in at the admin: of this very name, as `stores/auth.py` finds people too."""
        user = super().get_by_natural_key(username)
        if user.username != username:
            raise self.model.DoesNotExist
        return user


class User(AbstractBaseUser):
    """A person who signs in. What they may do comes from their memberships; there are no groups or permissions."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    username = models.CharField(
        _("username"),
        max_length=64,
        unique=True,
        validators=[RegexValidator(r"\A[\w.@+-]+\Z", _("Letters, digits and @ . + - _ only."))],
        help_text=_("For signing in, here and at the board. Letters, digits and @ . + - _ only."),
        error_messages={"unique": _("This username is taken. Please choose another.")},
    )
    name = models.CharField(_("name"), max_length=100, blank=True, help_text=_("As colleagues know this person."))
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Switched off, this person is out at once, everywhere."))
    is_superuser = models.BooleanField(_("platform operator"), default=False, help_text=_("May see and do everything."))
    date_joined = models.DateTimeField(_("since"), default=now, editable=False)
    epoch = models.PositiveIntegerField(default=0, db_default=0, editable=False)  # goes up when all sign-ins end

    objects = UserManager()
    USERNAME_FIELD = "username"

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        ordering = ["username"]

    def __str__(self):
        return self.name or self.username

    def clean(self):
        """Names that differ only by case would be one and the same to people."""
        super().clean()
        # Not `iexact`: on MySQL that is a LIKE, which heeds the case in our binary collation.
        others = User.objects.exclude(pk=self.pk).alias(lowered=models.functions.Lower("username"))
        if others.filter(lowered=self.username.lower()).exists():
            raise ValidationError({"username": ValidationError(self._meta.get_field("username").error_messages["unique"], code="unique")})

    @property
    def is_staff(self):
        """May this person enter the admin site at all? Whoever works somewhere may: the board lives there."""
        return self.is_superuser or self.memberships.working().exists()

    def has_perm(self, perm, obj=None):
        return self.is_active and self.is_superuser

    def has_module_perms(self, app_label):
        return self.is_active and self.is_superuser

    def _get_session_auth_hash(self, secret=None):
        """Django's, by which sessions of the admin live and die; it changes with the epoch too."""
        mark = super()._get_session_auth_hash(secret)
        return f"{self.epoch}.{mark}" if self.epoch else mark

    def password_mark(self) -> str:
        """Changes whenever the password or the epoch does, whoever changed it: tokens carry it and die with it. With SECRET_KEY too."""
        return self.get_session_auth_hash()[:16]


class MembershipQuerySet(StoreScoped):
    def working(self):
        """Of people who may work there now."""
        return self.filter(is_active=True, user__is_active=True, store__is_active=True)


class Membership(models.Model):
    """A person works in a store."""

    store_lookup = "store"

    class Role(models.TextChoices):
        OWNER = "owner", _("owner")
        MANAGER = "manager", _("manager")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    store = models.ForeignKey(Store, models.CASCADE, related_name="memberships", verbose_name=_("store"))
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships", verbose_name=_("person"))
    role = models.CharField(
        _("role"),
        max_length=10,
        choices=Role,
        default=Role.MANAGER,
        help_text=_("Owners may do everything in the store; managers have the board, tables and sold-out."),
    )
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Switched off, this person is out of this store at once."))

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("staff account")
        verbose_name_plural = _("staff accounts")
        ordering = ["store__name", "user__username"]
        constraints = [
            models.UniqueConstraint(fields=["store", "user"], name="one_membership_per_store_and_user"),
            models.CheckConstraint(condition=Q(role__in=["owner", "manager"]), name="membership_role_is_known"),
        ]

    def __str__(self):
        return f"{self.user} · {self.store}"
