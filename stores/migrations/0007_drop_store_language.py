from django.db import migrations


class Migration(migrations.Migration):
    """Since 0004 no release knows of the column."""

    dependencies = [("stores", "0006_tabletlogin_used_earlier")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE stores_store DROP COLUMN language",
            reverse_sql="ALTER TABLE stores_store ADD COLUMN language varchar(2) NOT NULL DEFAULT 'ko'",
        )
    ]
