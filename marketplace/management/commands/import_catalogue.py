from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from marketplace import catalogue, importing


class Command(BaseCommand):
    help = (
        "Take over the listings of DIR/catalogue.csv with their photos from DIR or DIR/pictures. Each goes through the "
        "same checks as one typed into the sell page. May be repeated: a row is found again by its ref."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("dir", type=Path, metavar="DIR")
        parser.add_argument("--dry-run", action="store_true", help="check every row and change nothing")
        parser.add_argument("--seller", default="", metavar="USERNAME", help="list all rows as this merchant's")

    def handle(self, *args: Any, **options: Any) -> None:
        steps: Counter[str] = Counter()
        try:
            for result in importing.import_rows(options["dir"], seller=options["seller"], dry_run=options["dry_run"]):
                steps[result.step] += 1
                for problem in result.row.problems:
                    self.stderr.write(str(problem))
                if sum(steps.values()) % 50 == 0:
                    self.stdout.write(f"{sum(steps.values())} rows read")
        except catalogue.CatalogueError as error:
            raise CommandError(str(error)) from None
        would = "would be " if options["dry_run"] else ""
        self.stdout.write(
            f"{would}added: {steps['added']}, {would}changed: {steps['changed']}, unchanged: {steps['unchanged']}, "
            f"left alone because they have ended: {steps['ended']}, wrong: {steps['wrong']}"
        )
        if steps["wrong"]:
            number = f"{steps['wrong']} of {sum(steps.values())} rows"
            raise CommandError(f"{number} were left out; the lines above say why. Correct them and import again.")
