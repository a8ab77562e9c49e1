from django.db import migrations, models


class Migration(migrations.Migration):
    """Nobody reads a store's language. The column stays for the release before this one, and goes with the next."""

    dependencies = [("stores", "0003_event_store_without_index")]

    operations = [
        migrations.AlterField("store", "language", models.CharField(max_length=2, default="ko", db_default="ko")),
        migrations.SeparateDatabaseAndState(state_operations=[migrations.RemoveField("store", "language")]),
    ]
