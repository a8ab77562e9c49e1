from django.db import models
from django.utils.timezone import now
from django.utils.translation import gettext_lazy as _

from stores.scoping import StoreScoped

from .people import User
from .places import Store


class AuditEntry(models.Model):
    """Who did what. Written with the change itself, never changed."""

    store_lookup = "store"

    id = models.BigAutoField(primary_key=True)
    store = models.ForeignKey(Store, models.CASCADE, related_name="audit", verbose_name=_("store"))
    at = models.DateTimeField(_("time"), default=now)
    actor = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", verbose_name=_("person"))
    actor_name = models.CharField(_("name"), max_length=100)
    action = models.CharField(_("action"), max_length=40)
    subject = models.CharField(_("about"), max_length=120)
    details = models.JSONField(_("details"), default=dict)

    objects = StoreScoped.as_manager()

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit")
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["store", "-at"], name="audit_newest_first")]

    def __str__(self):
        return f"{self.action} {self.subject}"
