from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("stores", "0005_token_ends_with_session")]

    operations = [migrations.AddField("tabletlogin", "used_earlier", models.JSONField(null=True))]
