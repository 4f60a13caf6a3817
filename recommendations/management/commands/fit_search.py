from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from models.manifest import ModelUnavailable
from recommendations import fitting, search
from recommendations.retrieval_quality import NoCollection


class Command(BaseCommand):
    help = (
        "Fit the weights of search to graded queries: each folder has train/ and dev/ as evaluate_retrieval reads "
        "them. Writes recommendations/search.toml: look at the figures, and commit it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data", type=Path, required=True, action="append", metavar="DIR", help="may be repeated")
        parser.add_argument(
            "--queries", type=int, default=3_000, metavar="N", help="at most so many of each split (3000)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            sets = [fitting.measure(folder, options["queries"], self.say) for folder in options["data"]]
        except (NoCollection, ModelUnavailable) as error:
            raise CommandError(str(error)) from None
        best = fitting.fit(sets, self.say)
        search.WEIGHTS.write_text(fitting.written(best.weights, search.settings()["floors"]))
        self.say(f"Written: {search.WEIGHTS.name}. Commit it.")

    def say(self, line: str) -> None:
        self.stderr.write(line, self.style.NOTICE)
