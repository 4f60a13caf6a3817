"""What is owed again for photos that came later counts in its cell, so the index of cells holds it too."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("listings", "0017_follow_ups")]

    operations = [
        migrations.RemoveIndex(model_name="validationjob", name="validation_cell"),
        migrations.AddIndex(
            model_name="validationjob",
            index=models.Index(
                condition=models.Q(("gate_clear", True)),
                fields=["category", "-finished_at"],
                name="validation_cell",
            ),
        ),
    ]
