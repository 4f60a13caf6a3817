import json
from dataclasses import fields
from typing import Any

from django.conf import settings as django_settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from listings.simulation import report, texts
from listings.simulation.parameters import Parameters
from listings.trust import settings
from models.manifest import ModelUnavailable

GIVEN = ("listings", "seed")  # by options of their own
ASKED_ABOUT = ("debts", "spare_checks")  # switches that are off as the site comes


class Command(BaseCommand):
    help = (
        "Send one drawn stream of real listings through four markets (a cloud call at each pause in typing; one at "
        "submit; the server's gate alone; device and gate) and say what each costs and lets through. Real models and "
        "rules, drawn sellers and views; the site's own listings are neither seen nor touched."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--listings", type=int, default=1_500, metavar="N", help="counted listings (1500)")
        parser.add_argument("--seed", type=int, default=1, metavar="S", help="of all dice (1)")
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
        parser.add_argument(
            "--with",
            dest="changes",
            action="append",
            default=[],
            metavar="NAME=NUMBER",
            help="another parameter (listings/simulation/parameters.py) or setting (listings/trust/settings.py)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["listings"] < 1:
            raise CommandError(f"--listings must be at least 1, not {options['listings']}.")
        parameters, terms = changed(options["changes"])
        parameters = {"views": float(django_settings.REDTEAM_VIEWS_PER_LISTING)} | parameters
        p = Parameters(listings=options["listings"], seed=options["seed"], **parameters)
        try:
            found = report.run(texts.pool(), p, terms, self.say)
        except (texts.NoTexts, ModelUnavailable) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(json.dumps(found) if options["json"] else table(found))

    def say(self, line: str) -> None:
        """Standard output is for the result alone."""
        self.stderr.write(line, self.style.NOTICE)


def changed(changes: list[str]) -> tuple[dict[str, Any], dict[str, float]]:
    """Parameters that differ from their defaults, and all settings. Raises CommandError."""
    known = {field.name: field.type for field in fields(Parameters) if field.name not in GIVEN}
    parameters: dict[str, Any] = {}
    terms = {name: setting.default for name, setting in settings.ALL.items()} | dict.fromkeys(ASKED_ABOUT, 1.0)
    for change in changes:
        name, _, number = change.partition("=")
        try:
            value = float(number)
        except ValueError:
            raise CommandError(f"--with {change}: write NAME=NUMBER.") from None
        if setting := settings.ALL.get(name):
            if not setting.low <= value <= setting.high:
                raise CommandError(f"--with {change}: from {setting.low:g} to {setting.high:g}.")
            terms[name] = value
        elif name in known:
            parameters[name] = int(value) if known[name] == "int" else value
        else:
            raise CommandError(f"--with {change}: there is no such parameter or setting.")
        if not 0 <= value < float("inf"):
            raise CommandError(f"--with {change}: a number from 0 on.")
    return parameters, terms


def table(found: dict[str, Any]) -> str:
    arms, said = found["arms"], found["intervals"]["targets"]
    rows = list(next(iter(arms.values())))
    lines = [f"{found['listings']} listings, {found['unsafe']} unsafe, seed {found['seed']}; {found['data']}", ""]
    lines.append(f"{'':<26}" + "".join(f"{name:>17}" for name in arms))
    lines += [f"{row:<26}" + "".join(f"{arm[row]:>17,}" for arm in arms.values()) for row in rows]
    lines += ["", "hybrid against the cloud at submit, with 95 % intervals"]
    for name, each in said.items():
        bound = f"at most {each['at_most']}" if "at_most" in each else f"at least {each['at_least']}"
        met = {True: "met", False: "missed", None: "cannot be said"}[each["met"]]
        lines.append(f"{name:<26} {each['value']} [{each['low']}, {each['high']}]  {bound}: {met}")
    return "\n".join(lines)
