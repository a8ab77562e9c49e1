from django.core.management.base import BaseCommand

from sessions_app.services import expire_run_out_sessions


class Command(BaseCommand):
    help = "Marks table sessions that have run out as unsettled. Safe to run at any time, by a timer every minute."

    def handle(self, **options):
        self.stdout.write(f"{expire_run_out_sessions()} sessions expired")
