import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from models.manifest import ModelUnavailable
from recommendations import retrieval_quality
from recommendations.retrieval_quality import NoCollection


class Command(BaseCommand):
    help = (
        "Measure search on graded queries, over a scratch catalogue: the towers alone, words alone, and what the "
        "search box returns. The site's own listings are neither seen nor touched."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data", type=Path, required=True, metavar="PATH", help="queries.csv, labels.csv.gz, ...")
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = retrieval_quality.report(retrieval_quality.read(options["data"]), self.say)
        except (NoCollection, ModelUnavailable) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(json.dumps(found) if options["json"] else table(found))

    def say(self, line: str) -> None:
        """Standard output is for the result alone."""
        self.stderr.write(line, self.style.NOTICE)


def table(found: dict[str, Any]) -> str:
    lines = [f"{found['queries']} queries, {found['ms_per_query_1thread']} ms each", ""]
    lines.append(f"{'':<8}  {'NDCG@10':>8}  {'recall@100':>10}  {'MRR':>6}")
    for way in ("dense", "keyword", "fused"):
        each = found[way]
        lines.append(f"{way:<8}  {each['ndcg_at_10']:>8.4f}  {each['recall_at_100']:>10.4f}  {each['mrr']:>6.4f}")
    return "\n".join(lines)
