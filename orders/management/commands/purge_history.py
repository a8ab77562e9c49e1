from django.core.management.base import BaseCommand
from django.utils import timezone

from orders.retention import what_is_old


class Command(BaseCommand):
    help = "Removes what is older than HISTORY_RETENTION_MONTHS and JOURNAL_RETENTION_DAYS, in small batches. Unsettled bills stay."

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="Only counts what would go.")

    def handle(self, *, dry_run, **options):
        for old in what_is_old(timezone.now()):
            count = old.rows.count() if dry_run else sum(old.purge())
            self.stdout.write(f"{count} {old.name} {'would go' if dry_run else 'removed'}")
