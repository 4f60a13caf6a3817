"""An endless stream of training texts in which style, source and length say as little as possible about the label.

Every draw goes through the same noise, whatever its label: frames of sellers around things, descriptions left out,
boilerplate of other sources added, digits changed, words disguised, the whole text hidden inside another harmless one
or put into a lot of harmless goods.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from models.recipes.listing_text import augment
from models.recipes.listing_text.corpus import Example, Frame, Thing

LONG_NUMBER = re.compile(r"\d{3,}")


@dataclass(frozen=True)
class Draw:
    """One training text. origin: the group it came from; market, decided, own, thing, harmless or neutral."""

    title: str
    description: str
    policy: str
    origin: str


class Mixture:
    """Draws texts. options: the recipe's [mixture]."""

    def __init__(
        self, examples: list[Example], things: list[Thing], frames: list[Frame], options: dict[str, Any], seed: int
    ) -> None:
        self.rng = random.Random(seed)
        self.options = options
        self.frames = frames
        self.groups = {
            name: [e for e in examples if e.group == name]
            for name in ("market", "decided", "own", "harmless", "neutral")
        }
        self.hosts = [e for e in examples if e.policy == "safe" and e.group in ("market", "own", "harmless")]
        self.tails = [e.description for e in self.hosts if 20 < len(e.description) < 200]
        self.balanced = {
            name: Balanced([(e, (e.source, e.policy)) for e in self.groups[name]], options["balance"])
            for name in ("market", "decided")
        }
        self.forbidden = Balanced([(t, t.policy) for t in things if t.policy != "safe"], 0.5)
        self.allowed = Balanced([(t, t.near) for t in things if t.policy == "safe"], 0.5)
        named = [t.name for t in things if t.policy == "safe"] + [short(e.title) for e in self.hosts]
        self.goods = [name for name in named if name.strip()]
        shares = options["share"]
        # What a smaller corpus lacks is not drawn.
        there = self.groups | {"thing": things if frames else []}
        self.names = [name for name in shares if there[name]]
        self.shares = [shares[name] for name in self.names]

    def draw(self) -> Draw:
        rng = self.rng
        origin = rng.choices(self.names, self.shares)[0]
        if origin == "thing":
            title, description, policy = self.framed()
        else:
            balanced = self.balanced.get(origin)
            example = balanced.draw(rng) if balanced else rng.choice(self.groups[origin])
            title, description, policy = example.title, example.description, example.policy
        if origin == "neutral":
            return Draw(title, description, policy, origin)
        return Draw(*self.noisy(title, description), policy, origin)

    def framed(self) -> tuple[str, str, str]:
        """A thing in a seller's frame; forbidden and harmless ones by the same frames, equally often."""
        rng = self.rng
        thing: Thing = (self.forbidden if rng.random() < 0.5 else self.allowed).draw(rng)
        frame = rng.choice(self.frames)
        return frame.title.replace("{}", thing.name), frame.description.replace("{}", thing.name), thing.policy

    def noisy(self, title: str, description: str) -> tuple[str, str]:
        rng, chance = self.rng, self.options["chance"]
        if rng.random() < chance["untouched"]:
            return title, description
        if description and rng.random() < chance["title_only"]:
            description = ""
        if rng.random() < chance["other_digits"]:
            title, description = other_digits(title, rng), other_digits(description, rng)
        if rng.random() < chance["obfuscate"]:
            title = augment.obfuscated(title, rng)
            if rng.random() < 0.5:
                description = augment.obfuscated(description, rng)
        if rng.random() < chance["tail"] and self.tails:
            description = f"{description} {rng.choice(self.tails)}".strip()
        if rng.random() < chance["hosted"] and self.hosts:
            title, description = augment.hosted(title, description, rng.choice(self.hosts), rng)
        elif rng.random() < chance["bundled"] and self.goods:
            title, description = self.in_a_lot(title, description)
        if rng.random() < chance["joined"] and description:
            title, description = f"{title} {description}", ""
        return augment.restyled(title, rng), augment.restyled(description, rng)

    def in_a_lot(self, title: str, description: str) -> tuple[str, str]:
        """The text as one thing of a lot of harmless ones."""
        if not self.goods:
            return title, description
        return augment.bundled(title, description, self.rng.choices(self.goods, k=self.rng.randint(2, 8)), self.rng)


def short(title: str) -> str:
    """What a title names before it goes into details."""
    return re.split(r"[,;(|]| - ", title, maxsplit=1)[0][:60]


class Balanced:
    """Draws items so that a group of n of them is drawn in proportion to n ** power."""

    def __init__(self, items: list[tuple[Any, Any]], power: float) -> None:
        groups: dict[Any, list[Any]] = defaultdict(list)
        for item, key in items:
            groups[key].append(item)
        self.groups = list(groups.values())
        self.shares = [len(group) ** power for group in self.groups]

    def draw(self, rng: random.Random) -> Any:
        return rng.choice(rng.choices(self.groups, self.shares)[0])


def other_digits(text: str, rng: random.Random) -> str:
    """Numbers of three digits and more become others of the same length: prices and codes are no reason."""
    return LONG_NUMBER.sub(lambda found: "".join(rng.choice("0123456789") for _ in found[0]), text)
