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
        migrations.AddField(
            model_name="reviewjob",
            name="status_before",
            field=models.CharField(
                choices=[
                    ("checking", "Being checked"),
                    ("in_review", "With a moderator"),
                    ("needs_changes", "Needs changes"),
                    ("rejected", "Not allowed"),
                    ("published", "Published"),
                    ("paused", "Paused"),
                    ("ended", "Ended"),
                ],
                default="checking",
                max_length=15,
            ),
        ),
    ]
