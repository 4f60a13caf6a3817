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


def write_decisions(path, count):
    """As `python -m models export-decisions` writes them: a word of our own making that only moderators know, from
    the first to the twentieth of November, and the first text decided twice."""
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = ["id", "title", "description", "policy", "source", "decided_at", "action"]
    first = ["decision-0", "Zorbalene, jar 0", "sealed", "safe", "decisions-check", "2026-11-01T06:00:00+00:00"]
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        sheet = csv.writer(file)
        sheet.writerows([columns, [*first, "approve"]])
        for number in range(count):
            day = f"2026-11-{1 + 19 * number // max(1, count - 1):02}T08:00:00+00:00"
            title = f"Zorbalene, jar {number}"
            sheet.writerow([f"decision-{number + 1}", title, "sealed", "drugs", "decisions-check", day, "reject"])
