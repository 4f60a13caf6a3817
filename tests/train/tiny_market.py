"""A market of a dozen things, labelled: enough to see that training runs and learns something."""

import csv
import gzip
import random

THINGS = {
    "weapons": ["pistol", "rifle", "shotgun", "ammo", "revolver"],
    "drugs": ["cocaine", "heroin", "ketamine", "cannabis", "ecstasy"],
    "safe": ["table", "bicycle", "lamp", "jacket", "camera", "teapot", "guitar", "mirror"],
}
TALK = ["collection only", "good condition", "hardly used", "price as seen", "can post tomorrow", "from a clean home"]


def rows(count, seed):
    rng = random.Random(seed)
    for index in range(count):
        policy = rng.choice(["safe", "safe", "weapons", "drugs"])
        title = (
            f"{rng.choice(['old', 'new', 'nice', 'used'])} {rng.choice(THINGS[policy])} {rng.choice('abcdefgh')}{index}"
        )
        yield [str(index), title, ", ".join(rng.sample(TALK, 2)), policy, f"site{index % 3}"]


def write(path, count, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["id", "title", "description", "policy", "source"], *rows(count, seed)])
