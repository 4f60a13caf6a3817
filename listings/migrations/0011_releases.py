import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("listings", "0010_what_left"),
    ]

    operations = [
        migrations.CreateModel(
            name="Release",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("shadow", "In its shadow"),
                            ("live", "Live"),
                            ("retired", "Retired"),
                        ],
                        default="draft",
                        max_length=7,
                    ),
                ),
                ("model_version", models.CharField(max_length=40)),
                ("model_sha256", models.CharField(max_length=64)),
                ("manifest_sha256", models.CharField(max_length=64)),
                ("patch", models.BinaryField(default=bytes)),
                ("patch_sha256", models.CharField(blank=True, db_index=True, max_length=64)),
                ("points", models.JSONField(default=dict)),
                ("figures", models.JSONField(default=dict)),
                ("reason", models.CharField(max_length=500)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("shadow_at", models.DateTimeField(blank=True, null=True)),
                ("compared_at", models.DateTimeField(blank=True, null=True)),
                ("live_at", models.DateTimeField(blank=True, null=True)),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("examples", models.ManyToManyField(related_name="releases", to="listings.decision")),
            ],
            options={
                "ordering": ["-number"],
            },
        ),
        migrations.CreateModel(
            name="ReleaseChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.CharField(blank=True, max_length=7)),
                (
                    "target",
                    models.CharField(
                        choices=[
                            ("draft", "Draft"),
                            ("shadow", "In its shadow"),
                            ("live", "Live"),
                            ("retired", "Retired"),
                        ],
                        max_length=7,
                    ),
                ),
                ("reason", models.CharField(max_length=500)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "actor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "release",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="changes", to="listings.release"
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at", "-id"],
            },
        ),
        migrations.CreateModel(
            name="ShadowLook",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("revision", models.PositiveIntegerField()),
                ("submitted", models.BooleanField()),
                (
                    "decided",
                    models.CharField(
                        choices=[("pass", "Pass"), ("unsure", "Unsure"), ("warn", "Warn"), ("block", "Block")],
                        max_length=6,
                    ),
                ),
                (
                    "would_be",
                    models.CharField(
                        choices=[("pass", "Pass"), ("unsure", "Unsure"), ("warn", "Warn"), ("block", "Block")],
                        max_length=6,
                    ),
                ),
                ("policy", models.CharField(blank=True, max_length=30)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "listing",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="listings.listing"
                    ),
                ),
                (
                    "release",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="looks", to="listings.release"
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="release",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "live")), fields=("state",), name="one_live_release"
            ),
        ),
        migrations.AddConstraint(
            model_name="release",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "shadow")), fields=("state",), name="one_shadow_release"
            ),
        ),
        migrations.AddConstraint(
            model_name="shadowlook",
            constraint=models.UniqueConstraint(
                fields=("release", "listing", "revision"), name="one_shadow_look_a_revision"
            ),
        ),
        # Its steps are the record of who gave devices what.
        migrations.RunSQL(
            "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON listings_releasechange"
            " FOR EACH ROW EXECUTE FUNCTION listings_append_only()",
            "DROP TRIGGER append_only ON listings_releasechange",
        ),
    ]
