import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Only the program calls it otherwise now: the table keeps its name, and a release before this one finds it."""

    dependencies = [("stores", "0007_drop_store_language")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameModel("Journal", "Counters"),
                migrations.AlterModelTable("counters", "stores_journal"),
                migrations.AlterField(
                    "counters",
                    "store",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="counters",
                        serialize=False,
                        to="stores.store",
                    ),
                ),
            ]
        )
    ]
