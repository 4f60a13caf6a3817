from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("listings", "0009_moderation"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="verdict",
            index=models.Index(fields=["model", "where", "-created_at"], name="verdict_model"),
        ),
    ]
