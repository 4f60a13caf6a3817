import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from listings.redteam import committed, curve
from models.manifest import ModelUnavailable

REPORT_EVERY = 20  # listings


class Command(BaseCommand):
    help = (
        "Attack the text checks with rewritten unsafe listings, and compare how many get through with the committed "
        "curve. The attacker sees the public model alone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--budget", type=int, default=100, metavar="N", help="attempts for each listing (100)")
        parser.add_argument("--seed", type=int, default=1, metavar="S", help="of the attacker's dice (1)")
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
        parser.add_argument("--listings", type=Path, default=curve.LISTINGS, metavar="PATH", help="CSV of listings")
        parser.add_argument("--limit", type=int, metavar="K", help="only so many of them; nothing is compared")
        parser.add_argument("--update", action="store_true", help="write the committed curve instead of comparing")

    def handle(self, *args: Any, **options: Any) -> None:
        check(options)
        try:
            report = self.run(options)
            self.stdout.write(json.dumps(report) if options["json"] else table(report))
            self.conclude(report, options)
        except (curve.RedteamError, ModelUnavailable) as error:
            raise CommandError(str(error)) from None

    def run(self, options: dict[str, Any]) -> dict[str, Any]:
        return curve.report(
            curve.read(options["listings"], options["limit"]),
            curve.real_stages(),
            budget=options["budget"],
            seed=options["seed"],
            views_per_listing=settings.REDTEAM_VIEWS_PER_LISTING,
            models=curve.versions(),
            progress=self.progress,
        )

    def progress(self, done: int, total: int) -> None:
        if done % REPORT_EVERY == 0 or done == total:
            self.say(f"{done} of {total} listings attacked")

    def conclude(self, report: dict[str, Any], options: dict[str, Any]) -> None:
        if options["limit"]:
            self.say("Not compared with the committed curve: --limit leaves listings out.")
        elif options["update"]:
            committed.save(report, committed.PATH)
            self.say(f"Written: {committed.PATH.name}. Commit it.")
        else:
            kept = committed.load(committed.PATH)
            if unlike := committed.differences(report, kept):
                if options["seed"] == kept["seed"] and options["listings"] == curve.LISTINGS:
                    raise curve.RedteamError(
                        f"The listings are not those of the committed curve ({'; '.join(unlike)}). Look at what gets "
                        "through, write the curve anew with --update, and commit it."
                    )
                self.say(f"Not compared with the committed curve, which is of another kind: {'; '.join(unlike)}.")
                return
            committed.compare(report, kept)
            most = committed.compared_up_to(report, kept)
            self.say(f"Up to {most} attempts, no more listings get through than in the committed curve.")
            if changed := committed.changed_models(report, kept):
                self.say(f"It was made with other models ({', '.join(changed)}): write it anew with --update.")

    def say(self, line: str) -> None:
        """Standard output is for the result alone."""
        self.stderr.write(line, self.style.NOTICE)


def check(options: dict[str, Any]) -> None:
    """Refuse what makes no sense before anything is attacked."""
    if options["budget"] < 1:
        raise CommandError(
            f"--budget must be at least 1, not {options['budget']}: the first attempt is the text as is."
        )
    if options["limit"] is not None and options["limit"] < 1:
        raise CommandError(f"--limit must be at least 1, not {options['limit']}.")
    if options["limit"] and options["update"]:
        raise CommandError("--update needs all listings: leave out --limit.")


def table(report: dict[str, Any]) -> str:
    lines = [f"{report['listings']} unsafe listings, seed {report['seed']}", ""]
    lines.append(f"{'attempts':>8}  {'past device':>11}  {'past gate':>9}  {'published':>9}  {'views':>7}")
    lines += [
        f"{row['attempts']:>8}  {row['past_device']:>11.1%}  {row['past_gate']:>9.1%}  {row['published']:>9.1%}"
        f"  {row['views']:>7.2f}"
        for row in report["curve"]
    ]
    edits = ", ".join(f"{edit} {part:.0%}" for edit, part in list(report["won_by"].items())[:8])
    return "\n".join([*lines, "", f"edits that it took: {edits or 'none'}"])
