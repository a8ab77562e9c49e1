import django.db.models.deletion
from django.db import migrations, models

from tableorder.migration_operations import DropKeyIndex


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("orders", "0001_initial")]

    operations = [
        DropKeyIndex(
            model_name="order",
            name="store",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="orders",
                to="stores.store",
                verbose_name="store",
            ),
        ),
        DropKeyIndex(
            model_name="order",
            name="table",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="orders",
                to="stores.table",
                verbose_name="table",
            ),
        ),
        DropKeyIndex(
            model_name="order",
            name="session",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="orders",
                to="sessions_app.tablesession",
                verbose_name="table session",
            ),
        ),
        DropKeyIndex(
            model_name="orderline",
            name="order",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="lines",
                to="orders.order",
                verbose_name="order",
            ),
        ),
        DropKeyIndex(
            model_name="orderlineoption",
            name="line",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="options",
                to="orders.orderline",
                verbose_name="order line",
            ),
        ),
    ]
