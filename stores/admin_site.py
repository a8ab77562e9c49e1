"""Django's admin site, open to whoever works in a store. What each sees there, `stores/scoping.py` decides."""

from django.contrib import admin


class StoreAdminSite(admin.AdminSite):
    site_title = site_header = "Table Order"
