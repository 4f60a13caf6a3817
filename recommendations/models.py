"""What recommendations and search store beside the listings."""

from __future__ import annotations

from django.db import models


class CatalogueWords(models.Model):
    """The one row of the catalogue's own statistics (vocabulary.py): made anew by a task, read by every process."""

    built_at = models.DateTimeField()
    of_change = models.CharField(max_length=60)  # what the catalogue's state was: vocabulary.state()
    listings = models.PositiveIntegerField()
    average_words = models.FloatField()  # of a title
    counts = (
        models.BinaryField()
    )  # zlib of JSON {"words": {word: listings}, "stems": {...}, "pairs": {"two words": ...}}
