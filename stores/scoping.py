"""THE tenant rule: which rows belong to a store, and which a person may see.

API, admin and streams reach rows only through these methods, so a forgotten filter has no place to be
forgotten in. A model says where its store is by `store_lookup`.
"""

from django.db import connection, models

from tableorder.errors import Absent


class StoreScoped(models.QuerySet):
    def in_store(self, store):
        """The rows of this store."""
        return self.filter(**{self.model.store_lookup: store})

    def for_user(self, user):
        """The rows a person may see in the admin: of the stores they own; a superuser's are all."""
        if not user.is_active:
            return self.none()
        if user.is_superuser:
            return self
        from .models import Membership

        owned = Membership.objects.filter(user=user, role=Membership.Role.OWNER, is_active=True, store__is_active=True)
        return self.filter(**{f"{self.model.store_lookup}__in": owned.values("store")})

    def locked(self):
        """The rows, locked in the order of their ids until the transaction ends.

        PostgreSQL: NO KEY, or the foreign keys of new orders would wait for it. SQLite has no row locks; there
        the transaction itself is exclusive (BEGIN IMMEDIATE).
        """
        return self.order_by("pk").select_for_update(no_key=connection.features.has_select_for_no_key_update)

    def get_or_absent(self, id):
        """The row, or Absent: the same for another store's as for one that does not exist."""
        # Without the model's own order: it may lead over other tables, and a lock would take their rows too.
        found = self.filter(pk=id).order_by("pk").first()
        if found is None:
            raise Absent()
        return found
