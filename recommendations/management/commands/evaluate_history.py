import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from models.manifest import ModelUnavailable
from recommendations import history_quality
from recommendations.retrieval_quality import NoCollection


class Command(BaseCommand):
    help = (
        "Measure what the newest events of a history are worth, and what blur costs and hides, on real histories over "
        "a scratch catalogue. The site's own listings are neither seen nor touched."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data", type=Path, required=True, metavar="PATH", help="cases.jsonl.gz, products.csv.gz")
        parser.add_argument(
            "--train", type=Path, metavar="PATH", help="sessions.jsonl.gz: what the site would have counted"
        )
        parser.add_argument("--cases", type=int, default=3_000, help="at most (3000)")
        parser.add_argument("--update", metavar="NAME", help="keep it under this name for the privacy page")
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = history_quality.report(options["data"], options["train"], options["cases"], self.say)
        except (NoCollection, ModelUnavailable) as error:
            raise CommandError(str(error)) from None
        if options["update"]:
            history_quality.save(found, options["update"])
        self.stdout.write(json.dumps(found) if options["json"] else table(found))

    def say(self, line: str) -> None:
        """Standard output is for the result alone."""
        self.stderr.write(line, self.style.NOTICE)


def table(found: dict[str, Any]) -> str:
    lines = [
        f"{found['cases']} cases",
        "",
        f"{'events missing':>14}  {'HR@10':>7}  {'MRR':>7}  what the whole adds (95 %)",
    ]
    for row in found["freshness"]:
        gain = row.get("gain")
        told = "".join(f"  {name} {low:+.4f} … {high:+.4f}" for name, (low, _, high) in gain.items()) if gain else ""
        lines.append(f"{row['missing']:>14}  {row['hr_at_10']:>7.4f}  {row['mrr']:>7.4f}{told}")
    lines += ["", f"{'noise':>14}  {'HR@10':>7}  {'loss':>7}  read back (by chance)"]
    for row in found["noise"]:
        read = "".join(
            f"  {what} {each['guessed']:.1%} ({each['by_chance']:.1%})" for what, each in row["read_back"].items()
        )
        lines.append(f"{row['amount']:>14}  {row['hr_at_10']:>7.4f}  {row['quality_loss']:>7.1%}{read}")
    return "\n".join(lines)
