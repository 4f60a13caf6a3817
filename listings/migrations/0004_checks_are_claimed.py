from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("listings", "0003_photo_checks"),
    ]

    operations = [
        migrations.AddField(
            model_name="owedcheck",
            name="not_before",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
