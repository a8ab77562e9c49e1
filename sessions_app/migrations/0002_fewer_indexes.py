import django.db.models.deletion
from django.db import migrations, models

from tableorder.migration_operations import AddIndex, DropKeyIndex, RemoveIndex


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("sessions_app", "0001_initial")]

    operations = [
        AddIndex(model_name="tablesession", index=models.Index(fields=["state"], name="sessions_by_state")),
        RemoveIndex(model_name="tablesession", name="sessions_running_out"),
        DropKeyIndex(
            model_name="tablesession",
            name="store",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="sessions",
                to="stores.store",
                verbose_name="store",
            ),
        ),
        DropKeyIndex(
            model_name="tablesession",
            name="table",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="sessions",
                to="stores.table",
                verbose_name="table",
            ),
        ),
    ]
