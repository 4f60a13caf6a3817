import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from models.manifest import ModelUnavailable
from recommendations import feed_quality
from recommendations.retrieval_quality import NoCollection


class Command(BaseCommand):
    help = (
        "Measure recommendations on real histories, over a scratch catalogue: the towers as a device runs them, then "
        "retrieval and ranking as the site runs them. The site's own listings are neither seen nor touched."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data", type=Path, required=True, metavar="PATH", help="cases.jsonl.gz, products.csv.gz")
        parser.add_argument(
            "--train", type=Path, metavar="PATH", help="sessions.jsonl.gz: what the site would have counted"
        )
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = feed_quality.report(options["data"], options["train"], self.say)
        except (NoCollection, ModelUnavailable) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(json.dumps(found) if options["json"] else table(found))

    def say(self, line: str) -> None:
        """Standard output is for the result alone."""
        self.stderr.write(line, self.style.NOTICE)


def table(found: dict[str, Any]) -> str:
    lines = [f"{found['cases']} cases, {found['ms_per_user_1thread']} ms each", ""]
    lines.append(f"{'':<10}  {'HR@10':>7}  {'NDCG@10':>7}  {'MRR':>7}")
    for way, each in (("as is", found), ("fp32", found["fp32"]), ("popularity", found["popularity"])):
        lines.append(f"{way:<10}  {each['hr_at_10']:>7.4f}  {each['ndcg_at_10']:>7.4f}  {each['mrr']:>7.4f}")
    return "\n".join(lines)
