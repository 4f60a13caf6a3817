from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from listings.moderation import training_rows


class Command(BaseCommand):
    help = (
        "Moderators' decisions as a CSV that listing-text learns from. The same as: python -m models export-decisions"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--out", type=Path, required=True, help="FILE.csv or FILE.csv.gz; one that is there is replaced"
        )
        parser.add_argument("--since", default="", help="the first day, 2026-11-01 (default: of the first decision)")
        parser.add_argument("--until", default="", help="the last day, itself included")

    def handle(self, *args: Any, **options: Any) -> None:
        since, until = _day("--since", options["since"]), _day("--until", options["until"])
        if since and until and since > until:
            raise CommandError("--since comes after --until: no day lies between them.")
        out: Path = options["out"]
        if not out.name.endswith((".csv", ".csv.gz")):
            raise CommandError(f"{out.name}: name a file that ends in .csv or .csv.gz; training looks for these.")
        if not out.parent.is_dir():
            raise CommandError(f"There is no folder {out.parent}. Make it first.")
        try:
            report = training_rows.write(out, since, until)
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error.strerror}") from None
        self.stdout.write(said(out, report))


def said(out: Path, report: training_rows.Exported) -> str:
    left = ", ".join(f"{number:,} {reason}" for reason, number in sorted(report.left_out.items()))
    left = f" Left out: {left}." if left else ""
    if not report.first or not report.last:
        return f"{out}: no decisions.{left}"
    return (
        f"{out}: {report.rows:,} decisions from {report.first:%Y-%m-%d} to {report.last:%Y-%m-%d}, "
        f"{report.unsafe:,} of them against a policy.{left}"
    )


def _day(name: str, written: str) -> date | None:
    if not written:
        return None
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise CommandError(f"{name}: write the day as 2026-11-01.") from None
