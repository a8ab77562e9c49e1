from django.apps import AppConfig
from django.contrib.admin import apps


class AdminConfig(apps.AdminConfig):
    default_site = "stores.admin_site.StoreAdminSite"


class ProjectConfig(AppConfig):
    name = "config"
    default = False

    def ready(self):
        from tableorder import metrics

        from . import checks  # noqa: F401  registers them
        from .gauges import in_database

        metrics.at_scrape(in_database)
