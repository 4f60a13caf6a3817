from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("recommendations", "0001_vector")]
    operations = [
        migrations.CreateModel(
            name="CatalogueWords",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("built_at", models.DateTimeField()),
                ("of_change", models.CharField(max_length=60)),
                ("listings", models.PositiveIntegerField()),
                ("average_words", models.FloatField()),
                ("counts", models.BinaryField()),
            ],
        ),
    ]
