from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from listings.lifecycle import Status
from marketplace.catalogue import CatalogueError
from marketplace.demo import load, people
from models.manifest import ModelUnavailable


class Command(BaseCommand):
    help = "Fill the market with invented people, listings, moderation cases and orders. May be repeated."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--folder", type=Path, default=load.FOLDER, help="people.toml, catalogue.csv, cases.toml")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.DATABASE_URL and not settings.DEMO:
            raise CommandError(
                "The demo's accounts have a password that everybody knows, one of them a moderator's. "
                "If this database is for trying things, say so: DEMO=1 python manage.py demo"
            )
        try:
            report = load.load(self.say, options["folder"])
        except (load.Faulty, CatalogueError, people.NameTaken, ModelUnavailable) as error:
            raise CommandError(str(error)) from None
        meant_for_sale = [entered for entered in report.stopped if entered.wanted == Status.PUBLISHED]
        if waiting := [entered for entered in meant_for_sale if entered.listing.status == Status.IN_REVIEW]:
            self.say(
                "Harmless listings that wait in the moderators' queue, because a check was not sure or wrong: "
                f"{len(waiting)}"
            )
        if options["verbosity"] > 1:
            for entered in report.stopped:
                said = "; ".join(entered.scores)
                self.say(
                    f"  “{entered.listing.title}” should be {entered.wanted} and is {entered.listing.status}: {said}"
                )
        if report.missing_pictures:
            number, first = len(report.missing_pictures), report.missing_pictures[0]
            self.say(f"{number} pictures are not drawn yet ({first} …); run this again when they are")
        self.say(
            f"added: {report.people} people, {report.listings} listings, {report.orders} orders, {report.photos} photos"
        )
        self.say(f"Sign in as merchant, shopper, moderator or mod_iris (a second moderator). The password of every demo account is: {people.PASSWORD}")

    def say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
