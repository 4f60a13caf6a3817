import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from models.manifest import ModelUnavailable
from recommendations import feed_quality, rerank_examples
from recommendations.retrieval_quality import NoCollection


class Command(BaseCommand):
    help = (
        "What the device's re-ranker is fitted to: pages as the cloud answers them, with the history they are for. "
        "Writes DIR/SET.train.jsonl.gz and SET.dev.jsonl.gz for `node models/recipes/reranker/fit.mjs DIR`."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data", type=Path, required=True, action="append", metavar="SET", help="may be repeated")
        parser.add_argument("--out", type=Path, required=True, metavar="DIR")
        parser.add_argument("--moments", type=int, default=1_500, help="of each set and split, at most (1500)")
        parser.add_argument("--seed", type=int, default=13)

    def handle(self, *args: Any, **options: Any) -> None:
        most, seed = options["moments"], options["seed"]
        options["out"].mkdir(parents=True, exist_ok=True)
        for path in options["data"]:
            try:
                products, sessions = feed_quality.read_products(path), feed_quality.read_sessions(path / "train")
                cases = feed_quality.read_cases(path / "dev")
                with feed_quality.site(products, self.say) as ids:
                    moments = rerank_examples.of_sessions(path.name, sessions, ids, most, seed)
                    self.store(options["out"] / f"{path.name}.train.jsonl.gz", moments)
                    moments = rerank_examples.of_cases(path.name, cases, sessions, ids, most, seed)
                    self.store(options["out"] / f"{path.name}.dev.jsonl.gz", moments)
            except (NoCollection, ModelUnavailable) as error:
                raise CommandError(str(error)) from None

    def store(self, path: Path, moments: Iterable[dict[str, Any]]) -> None:
        number = 0
        with gzip.open(path, "wt", encoding="utf-8", compresslevel=3) as file:
            for moment in moments:
                number += 1
                file.write(json.dumps(moment, separators=(",", ":")) + "\n")
        self.say(f"{number} moments in {path}")

    def say(self, line: str) -> None:
        self.stderr.write(line, self.style.NOTICE)
