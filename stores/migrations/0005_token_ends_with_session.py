import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sessions", "0001_initial"),
        ("stores", "0004_store_without_language"),
    ]

    operations = [
        migrations.AddField(
            "stafftoken",
            "session",
            models.ForeignKey(
                db_constraint=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="sessions.session"
            ),
        ),
    ]
