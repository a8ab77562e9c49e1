import django.db.models.deletion
from django.db import migrations, models

from tableorder.migration_operations import DropKeyIndex


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("stores", "0002_relaycursor_setasideevent")]

    operations = [
        DropKeyIndex(
            model_name="event",
            name="store",
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="events", to="stores.store"),
        ),
    ]
