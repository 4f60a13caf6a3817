import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from listings.redteam import committed, curve, photo_curve, photo_network
from marketplace.demo import load
from models.manifest import ModelUnavailable

REPORT_EVERY = 20  # listings
TEXTS, PHOTOS = "texts", "photos"
VIEWS = "views: of one unsafe listing before its heavy checks, at most; a trusted seller's, where the gate is measured"


class Command(BaseCommand):
    help = (
        "Attack the checks of texts and photos with rewritten unsafe listings and changed unsafe photos, and compare "
        "how many get through with the committed curves. The attacker sees the public models alone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--budget", type=int, default=100, metavar="N", help="attempts for each listing, photo and kind (100)"
        )
        parser.add_argument("--seed", type=int, default=1, metavar="S", help="of the attacker's dice (1)")
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
        parser.add_argument("--only", choices=(TEXTS, PHOTOS), help="one half of it")
        parser.add_argument("--listings", type=Path, default=curve.LISTINGS, metavar="PATH", help="CSV of listings")
        parser.add_argument(
            "--photos",
            type=Path,
            default=photo_curve.OWN,
            metavar="PATH",
            help="CSV of photos (columns path and policy) or its folder; without it, pictures that we rendered",
        )
        parser.add_argument("--limit", type=int, metavar="K", help="only so many of them; nothing is compared")
        parser.add_argument("--update", action="store_true", help="write the committed curves instead of comparing")

    def handle(self, *args: Any, **options: Any) -> None:
        check(options)
        try:
            texts = self.run_texts(options) if options["only"] != PHOTOS else None
            photos = self.run_photos(options) if options["only"] != TEXTS else None
        except (curve.RedteamError, ModelUnavailable) as error:
            raise CommandError(str(error)) from None
        if options["json"]:
            self.stdout.write(json.dumps((texts or {}) | ({"photos": photos} if photos else {})))
        else:
            self.stdout.write(
                "\n\n".join([*([table(texts)] if texts else []), *([photo_table(photos)] if photos else [])])
            )
        ends: list[Callable[[], None]] = []
        if texts:
            ends.append(lambda: self.conclude(texts, options))
        if photos:
            ends.append(lambda: self.conclude_photos(photos, options))
        self.end(ends)

    def end(self, conclusions: list[Callable[[], None]]) -> None:
        """Each has its say before one of them ends the command with an error."""
        errors = []
        for conclude in conclusions:
            try:
                conclude()
            except curve.RedteamError as error:
                errors.append(str(error))
        if errors:
            raise CommandError("\n".join(errors))

    def run_texts(self, options: dict[str, Any]) -> dict[str, Any]:
        return curve.report(
            curve.read(options["listings"], options["limit"]),
            curve.real_stages(),
            budget=options["budget"],
            seed=options["seed"],
            models=curve.versions(),
            progress=self.progress,
        )

    def run_photos(self, options: dict[str, Any]) -> dict[str, Any]:
        sources = photo_curve.read(options["photos"], options["limit"] or photo_curve.PHOTOS)
        return photo_curve.report(
            photo_curve.cases(sources, load.FOLDER / "pictures"),
            photo_network.public(),
            photo_curve.real_stages(),
            budget=options["budget"],
            seed=options["seed"],
            models=photo_curve.versions(),
            own=options["photos"] == photo_curve.OWN,
            progress=lambda done, total: self.say(f"{done} of {total} photos attacked"),
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

    def conclude_photos(self, report: dict[str, Any], options: dict[str, Any]) -> None:
        name = committed.PHOTOS_PATH.name
        if options["limit"]:
            self.say("Not compared with the committed curve: --limit leaves photos out.")
        elif options["update"]:
            committed.save_photos(report, committed.PHOTOS_PATH)
            self.say(f"Written: {name}. Commit it.")
        else:
            kept = committed.of_same_photos(report, committed.load_photos(committed.PHOTOS_PATH))
            if kept is None:
                self.say(f"Not compared: {name} has no curve of these photos, kinds and seed. --update adds it.")
                return
            committed.compare_photos(report, kept)
            self.say("No more photos get through than in the committed curve.")
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
    return "\n".join([*lines, "", f"edits that it took: {edits or 'none'}", VIEWS])


def photo_table(report: dict[str, Any]) -> str:
    """A line for each kind of attack: the first row, the one of 10 attempts where there is one, and the last."""
    which = "pictures that we rendered, no photographs" if report["own"] else "photos of yours"
    lines = [f"{report['photos']} unsafe photos ({which}), seed {report['seed']}", ""]
    lines.append(
        f"{'':<10}  past device within {'1':>4}  {'10':>6}  {report['budget']:>6}  {'past gate':>9}  {'published':>9}"
        f"  {'views':>7}  {'known again':>11}"
    )
    for kind, found in report["by_kind"].items():
        rows = found["curve"]
        first, last = rows[0], rows[-1]
        ten = next((row for row in reversed(rows) if row["attempts"] <= 10), first)
        known = "–" if found["known_again"] is None else f"{found['known_again']:.0%}"
        lines.append(
            f"{kind:<10}  {first['past_device']:>23.0%}  {ten['past_device']:>6.0%}  {last['past_device']:>6.0%}"
            f"  {last['past_gate']:>9.0%}  {last['published']:>9.0%}  {last['views']:>7.2f}  {known:>11}"
        )
    return "\n".join([*lines, "", VIEWS])
