"""Ordinary listing texts of a wanted length, each a little different, the same in every run."""

from __future__ import annotations

import random

THINGS = (
    "table lamp",
    "oak chair",
    "garden spade",
    "road bicycle",
    "record player",
    "wool coat",
    "board game",
    "kettle",
)
SENTENCES = (
    "It stood in our hall for {n} years and was used on weekends only.",
    "The finish shows {n} small marks on the left side, all in the photos.",
    "Cleaned last week; everything works as it should.",
    "It measures {n} centimetres across and fits into a small car.",
    "We are moving to a flat with less room, so it needs a new home.",
    "The original box is gone, the instructions are still here.",
    "Pick-up in town after {n} o'clock, or by post at the buyer's cost.",
    "One handle was replaced with a matching one in 20{n}.",
)


def text(characters: int, seed: int) -> tuple[str, str]:
    """(title, description), together with their separator exactly `characters` long, ASCII."""
    dice = random.Random(seed)
    title = f"Used {dice.choice(THINGS)}, well kept, number {seed}"
    body = ""
    while len(body) < characters:
        body += dice.choice(SENTENCES).format(n=dice.randint(11, 29)) + " "
    return title, body[: characters - len(title) - 1]


KINDS = ("used", "white", "oak", "small", "vintage", "18 inch", "waterproof", "folding")


def query(seed: int) -> str:
    """Two to four words, as people search."""
    dice = random.Random(seed)
    return " ".join([*dice.sample(KINDS, dice.randint(1, 2)), dice.choice(THINGS)])
