from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("listings", "0004_checks_are_claimed"),
    ]

    operations = [
        migrations.AddField(
            model_name="photo",
            name="approved_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
