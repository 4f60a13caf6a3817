import os
import random
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from kombu.exceptions import OperationalError

from marketplace.catalogue import CatalogueError
from marketplace.celery import app
from marketplace.demo import load
from marketplace.demo.replay import moderators, play, script, stage

SEEDS = 10_000
ANSWERS_WITHIN = 2.0  # seconds


class Command(BaseCommand):
    help = "Play a day of the demo's people on the running site: they sell, look, report, moderate and appeal."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--speed", type=float, default=60.0, help="60 (default): a day in 24 minutes")
        parser.add_argument("--hours", type=float, default=24.0, help="of the day, which begins at six in the morning")
        parser.add_argument("--seed", type=int, help="the same plan again (default: another one each time)")
        parser.add_argument("--folder", type=Path, default=load.FOLDER, help="people.toml, catalogue.csv, cases.toml")

    def handle(self, *args: Any, **options: Any) -> None:
        _only_where_it_is_a_demo()
        speed, hours = options["speed"], options["hours"]
        if not 0 < speed <= 1e6 or not 0 < hours <= 24:  # false of NaN
            raise CommandError("--speed is a number above 0, --hours one above 0 and up to 24.")
        seed = random.SystemRandom().randrange(SEEDS) if options["seed"] is None else options["seed"]
        try:
            scene = stage.set_up(options["folder"], self.say)
        except (stage.NoDemo, CatalogueError) as error:
            raise CommandError(str(error)) from None
        acts = script.day(seed, hours)
        if not _a_worker_answers():
            self.say("No worker answers: what is submitted waits until the site runs (make run).")
        self.say(
            f"{len(acts)} doings in {hours:g} hours, played in {hours * 60 / speed:.1f} minutes. The day begins at "
            f"{script.clock(0)}; --seed {seed} plans the same one again. Ctrl-C ends it."
        )
        began, waited, late = timezone.now(), moderators.waiting(), 0.0
        try:
            late = play.play(scene, acts, speed)
        except KeyboardInterrupt:
            self.say(f"Ended at {script.clock(scene.minute)}. What was begun stays as it is.")
        for line in play.summary(scene, began, waited, late):
            self.say(line)

    def say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _only_where_it_is_a_demo() -> None:
    """Beside `make run` nobody says DEMO: the database under var/ is for trying things unless DEMO=0 says otherwise."""
    if not settings.DEMO and (settings.DATABASE_URL or os.environ.get("DEMO")):
        raise CommandError(
            "This plays invented people on the site, and DEMO is off here. If this database is for trying things, say "
            "so: DEMO=1 python manage.py replay"
        )


def _a_worker_answers() -> bool:
    try:
        return bool(app.control.ping(timeout=ANSWERS_WITHIN, limit=1))
    except (OperationalError, OSError):
        return False
