from django.db import migrations
from pgvector.django import VectorExtension


class Migration(migrations.Migration):
    """Vectors live beside the listings, in the same database."""

    dependencies: list[tuple[str, str]] = []
    operations = [VectorExtension()]
