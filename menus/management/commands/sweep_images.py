from datetime import timedelta

from django.core.files.storage import default_storage
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from menus.images import names
from menus.models import Item

YOUNGEST = timedelta(days=1)  # an upload under way has its files before its item names them


class Command(BaseCommand):
    help = "Removes image files that no item names, older than a day: what an interrupted upload or a crash left behind."

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="Only counts what would go.")

    def handle(self, *, dry_run, **options):
        named = {file for name in Item.objects.exclude(image="").values_list("image", flat=True) for file in names(name).values()}
        latest = timezone.now() - YOUNGEST
        try:
            orphans = [file for file in _files("stores") if file not in named and default_storage.get_modified_time(file) < latest]
            for file in orphans if not dry_run else ():
                default_storage.delete(file)
        except Exception as error:  # whatever a disk or a bucket raises
            raise CommandError(f"The storage of images: {error}") from error
        self.stdout.write(f"{len(orphans)} image files {'would go' if dry_run else 'removed'}")


def _files(folder):
    """Every file below the folder, in any storage."""
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    yield from (f"{folder}/{file}" for file in files if file)
    for inner in folders:
        yield from _files(f"{folder}/{inner}")
