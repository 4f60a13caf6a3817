from django.db import migrations, models
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Greatest


def when_photos_were_listed(apps, schema_editor):
    """As near as the record tells: with their listing, or when they came if that was later."""
    Listing, Photo = apps.get_model("listings", "Listing"), apps.get_model("listings", "Photo")
    began = Listing.objects.filter(pk=OuterRef("listing")).values("created_at")
    Photo.objects.filter(listing__isnull=False).update(listed_at=Greatest("created_at", Subquery(began)))


class Migration(migrations.Migration):
    dependencies = [
        ("listings", "0003_photo_checks"),
    ]

    operations = [
        migrations.AddField(
            model_name="photo",
            name="listed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
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
        migrations.RunPython(when_photos_were_listed, migrations.RunPython.noop),
    ]
