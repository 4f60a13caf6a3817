from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError, CommandParser

from models.manifest import ModelUnavailable
from recommendations import feed_quality, ranking
from recommendations.retrieval_quality import NoCollection


class Command(BaseCommand):
    help = (
        "What the ranker is trained on: candidates of real moments with all their numbers, as the site ranks them. "
        "Writes DIR/ranker/SET.train.npz and SET.dev.npz for `python -m models train ranker --data DIR`."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data", type=Path, required=True, action="append", metavar="SET", help="may be repeated")
        parser.add_argument("--out", type=Path, required=True, metavar="DIR")
        parser.add_argument("--moments", type=int, default=6_000, help="of each set, at most (6000)")
        parser.add_argument("--seed", type=int, default=11)

    def handle(self, *args: Any, **options: Any) -> None:
        folder = options["out"] / "ranker"
        folder.mkdir(parents=True, exist_ok=True)
        for path in options["data"]:
            try:
                products, sessions = feed_quality.read_products(path), feed_quality.read_sessions(path / "train")
                cases = feed_quality.read_cases(path / "dev")
                with feed_quality.site(products, self.say) as ids:
                    keys = {product: pk for pk, product in ids.items()}
                    learnt = feed_quality.examples(sessions, keys, options["moments"], options["seed"], self.say)
                    self.store(folder / f"{path.name}.train.npz", list(learnt))
                    held = feed_quality.examples_of_cases(cases, sessions, keys, options["moments"], options["seed"])
                    self.store(folder / f"{path.name}.dev.npz", list(held))
            except (NoCollection, ModelUnavailable) as error:
                raise CommandError(str(error)) from None

    def store(self, path: Path, found: list[feed_quality.Example]) -> None:
        np.savez(
            path,
            names=np.array(ranking.FEATURES),
            values=np.concatenate([values for values, _ in found]).astype(np.float16),
            sizes=np.array([len(values) for values, _ in found]),
            targets=np.array([target for _, target in found]),
        )
        self.say(f"{len(found)} examples in {path}")

    def say(self, line: str) -> None:
        self.stderr.write(line, self.style.NOTICE)
