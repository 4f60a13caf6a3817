"""What listing-text learns from: labelled listings, moderators' decisions, our own examples, our lists of things,
harmless product titles."""

from __future__ import annotations

import hashlib
import itertools
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.steps.data import TextRow, read_dicts, read_text
from models.steps.errors import StepError

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE / "examples"
NEUTRAL = HERE / "neutral.toml"
THINGS = HERE / "things"
FRAMES = HERE / "frames.csv"
VALIDATION = HERE / "validation" / "listings.csv"
ORDINARY = HERE / "validation" / "ordinary.csv"
TRAIN = Path("text") / "train.csv.gz"
DEV = (Path("text") / "dev.csv.gz", Path("text") / "challenge_dev.csv")
DECISIONS = Path("decisions")  # files of `python -m models export-decisions`
HARMLESS = {  # unlabelled product lists, taken as safe once the words of our own lists are filtered out
    "crowdflower": Path("retrieval/crowdflower/products.csv.gz"),
    "home_depot": Path("retrieval/home_depot/products.csv.gz"),
    "amazon_industrial": Path("feed/amazon_industrial/products.csv.gz"),
    "amazon_office": Path("feed/amazon_office/products.csv.gz"),
    "retrotech": Path("texts/products_extra_retrotech.csv.gz"),
}
WORD = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True)
class Example:
    """One training text. group: market, decided, own, neutral or harmless. kind: for our own, plain, euphemism, …;
    decided_at: of a moderator's decision, ISO 8601."""

    title: str
    description: str
    policy: str
    source: str
    group: str
    kind: str = ""
    decided_at: str = ""


def share_of(text: str) -> float:
    """A number in 0..1 that depends on the text alone, for splits that never move."""
    return int(hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:8], 16) / 2**32


def market(data: Path) -> list[Example]:
    """The labelled listings of the data root."""
    return [Example(r.title, r.description, r.policy, r.source, "market") for r in read_text(data / TRAIN)]


def decisions(data: Path) -> list[Example]:
    """What moderators decided, from every CSV(.gz) in the data root's decisions/; each text once, as it was decided
    last, and none that a model is measured or chosen by. None where there is no such folder."""
    found: dict[tuple[str, str], Example] = {}
    for path in sorted((data / DECISIONS).glob("*.csv*")):
        if not path.name.endswith((".csv", ".csv.gz")):
            continue
        for row in read_dicts(path, ("id", "title", "description", "policy", "source", "decided_at")):
            example = Example(
                row["title"], row["description"], row["policy"], row["source"], "decided", decided_at=row["decided_at"]
            )
            known = found.get(same_text(example))
            if known is None or known.decided_at <= example.decided_at:
                found[same_text(example)] = example
    if not found:
        return []
    never = held_out(data)
    return [example for text, example in found.items() if text not in never]


def held_out(data: Path) -> set[tuple[str, str]]:
    """The texts that models are measured and chosen by."""
    measured = [row for path in DEV if (data / path).is_file() for row in read_text(data / path)]
    chosen_by = [*validation(), *ordinary()]
    return {same_text(row) for row in measured} | {same_text(row) for row in chosen_by}


def same_text(row: Example | TextRow) -> tuple[str, str]:
    """Equal for texts that differ in case and spaces alone."""
    return " ".join(row.title.casefold().split()), " ".join(row.description.casefold().split())


def decided(examples: list[Example]) -> dict[str, Any] | None:
    """Of the decisions among the examples: {rows, first, last}, days in ISO 8601; None where there are none."""
    days = sorted(e.decided_at[:10] for e in examples if e.group == "decided")
    return {"rows": len(days), "first": days[0], "last": days[-1]} if days else None


def own(folder: Path = EXAMPLES) -> list[Example]:
    """Our own listings, from every CSV below the folder; a subfolder is another hand."""
    found = []
    for path in sorted(folder.rglob("*.csv")):
        hand = "" if path.parent == folder else f"{path.parent.name}-"
        for row in read_dicts(path, ("id", "title", "description", "policy", "kind")):
            source = f"own-{hand}{path.stem}"
            found.append(Example(row["title"], row["description"], row["policy"], source, "own", row["kind"]))
    return found


def validation(path: Path = VALIDATION, source: str = "own-validation") -> list[Example]:
    """Our own listings by an independent hand: models are chosen by them, none is trained on them."""
    rows = read_dicts(path, ("id", "title", "description", "policy", "kind"))
    return [Example(r["title"], r["description"], r["policy"], source, "own", r["kind"]) for r in rows]


def ordinary() -> list[Example]:
    """Our own ordinary harmless listings by another independent hand: thresholds are set by them, none is learned."""
    return validation(ORDINARY, "own-ordinary")


@dataclass(frozen=True)
class Thing:
    """A noun phrase. policy: the one it goes against, or safe; near: the policy whose words it shares."""

    name: str
    policy: str
    near: str


def things(folder: Path = THINGS) -> list[Thing]:
    """Our lists of forbidden things and of their harmless neighbours: <policy>.toml below the folder."""
    found: dict[str, Thing] = {}
    for path in sorted(folder.rglob("*.toml")):
        book: dict[str, str] = tomllib.loads(path.read_text(encoding="utf-8"))
        for key, policy in (("forbidden", path.stem), ("allowed", "safe")):
            for name in things_in(book.get(key, "")):
                found.setdefault(name.lower(), Thing(name, policy, path.stem))
    return list(found.values())


@dataclass(frozen=True)
class Frame:
    """How a seller writes about any thing; {} stands for it."""

    title: str
    description: str


def frames(path: Path = FRAMES) -> list[Frame]:
    return [Frame(row["title"], row["description"]) for row in read_dicts(path, ("title", "description"))]


def neutral(path: Path = NEUTRAL) -> list[Example]:
    """Frames with nothing in them, closing sentences, the beginnings of words: nothing said is nothing unsafe."""
    book: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    bare = [
        (" ".join(f.title.replace("{}", "").split()), " ".join(f.description.replace("{}", "").split()))
        for f in frames()
    ]
    letters = [
        *"abcdefghijklmnopqrstuvwxyz",
        *(" ".join(pair) for pair in itertools.pairwise("neutralwordsofnoweight")),
    ]
    titles = ["", *book["tails"], *letters, *book["beginnings"]]
    texts = [*bare, *itertools.product(titles, ["", *book["tails"][:4]])]
    return [Example(title, text, "safe", "neutral", "neutral") for title, text in texts]


def telling_words(folder: Path = THINGS) -> frozenset[str]:
    """Things of one word that go against a policy and that no harmless thing mentions: tequila, but not gun."""
    listed = things(folder)
    harmless_words = {word for thing in listed if thing.policy == "safe" for word in WORD.findall(thing.name.lower())}
    return frozenset({thing.name.lower() for thing in listed if thing.policy != "safe"} - harmless_words)


def things_in(text: str) -> list[str]:
    """The things of a list, written one between two semicolons; each once, in order."""
    return list(dict.fromkeys(" ".join(thing.split()) for thing in text.split(";") if thing.strip()))


def harmless(data: Path, limit: int, unsafe_words: frozenset[str]) -> list[Example]:
    """Titles from product lists, in a fixed order by hash, without those that hold a word of our unsafe lists."""
    found: list[Example] = []
    for source, path in HARMLESS.items():
        if not (data / path).is_file():
            continue
        rows = read_dicts(data / path, ("title", "description"))
        clean = (row for row in rows if row["title"] and not unsafe_words & set(WORD.findall(row["title"].lower())))
        ordered = sorted(clean, key=lambda row: share_of(row["title"]))
        found += [
            Example(row["title"], row["description"][:600], "safe", source, "harmless")
            for row in itertools.islice(ordered, limit)
        ]
    return found


def gather(data: Path, recipe: dict[str, Any]) -> list[Example]:
    """Everything to learn from but the things. Raises StepError when the data root holds no training text, or a label
    is unknown."""
    if not (data / TRAIN).is_file():
        raise StepError(f"{data} does not hold {TRAIN}: give the data root, the folder that holds text/.")
    found = market(data) + decisions(data) + own() + neutral()
    found += harmless(data, recipe["data"]["harmless_per_source"], telling_words())
    unknown = {e.policy for e in found} - set(recipe["labels"])
    if unknown:
        raise StepError(f"Labels that the recipe does not know: {', '.join(sorted(unknown))}.")
    return found


def word_grams(text: str, size: int = 8) -> set[tuple[str, ...]]:
    """Every run of `size` words; case and punctuation do not count."""
    words = WORD.findall(text.lower())
    return {tuple(words[at : at + size]) for at in range(len(words) - size + 1)}


def leaked(examples: list[Example], held_out: list[TextRow], size: int = 8) -> list[tuple[Example, str]]:
    """Examples that share a run of `size` words with held-out rows (a shorter row: all its words), with the row's id.

    Text that was in a public corpus all along cannot be excused here: give only what is ours or was chosen by us.
    """
    known: dict[tuple[str, ...], str] = {}
    for row in held_out:
        for gram in word_grams(f"{row.title}\n{row.description}", size):
            known.setdefault(gram, row.id)
    found = []
    for example in examples:
        for gram in word_grams(f"{example.title}\n{example.description}", size):
            if gram in known:
                found.append((example, known[gram]))
                break
    return found
