import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.db import migrations, models

import listings.models


class Migration(migrations.Migration):
    """The column is worked out from title and description: it is dropped and made anew."""

    dependencies = [("listings", "0005_photos_are_approved")]
    operations = [
        migrations.RemoveIndex(model_name="listing", name="listing_search"),
        migrations.RemoveField(model_name="listing", name="search"),
        migrations.AddField(
            model_name="listing",
            name="search",
            field=models.GeneratedField(
                db_persist=True,
                expression=django.contrib.postgres.search.CombinedSearchVector(
                    django.contrib.postgres.search.SearchVector(
                        listings.models.Separated("title"), config="english", weight="A"
                    ),
                    "||",
                    django.contrib.postgres.search.SearchVector(
                        listings.models.Separated("description"), config="english", weight="B"
                    ),
                    django.contrib.postgres.search.SearchConfig("english"),
                ),
                output_field=django.contrib.postgres.search.SearchVectorField(),
            ),
        ),
        migrations.AddIndex(
            model_name="listing",
            index=django.contrib.postgres.indexes.GinIndex(fields=["search"], name="listing_search"),
        ),
    ]
