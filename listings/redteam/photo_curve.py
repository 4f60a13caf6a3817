"""How far forbidden photos get: shares past each stage, by kind of attack and by the attempts that it took."""

from __future__ import annotations

import csv
import hashlib
import io
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from PIL import Image

from listings import checks, live_models, outcome, photo_bank, photo_text, photos
from listings.models import Photo, Verdict, VerdictDecision, Where
from listings.redteam import curve, photo_edits, ruled
from listings.redteam.attack import PASS
from listings.redteam.curve import SAFE, Progress, RedteamError
from listings.redteam.photo_edits import KINDS, Scene
from listings.redteam.photo_network import Network
from models import photo as photo_model
from models import text

OWN = Path(__file__).with_name("photos") / "photos.csv"
LISTS = ("photos.csv", "dev.csv", "photos/dev.csv")  # in a folder that is given
PHOTOS = 24  # so many are attacked, spread over the list
# Of which photo the bank of removed ones knows: for these kinds the harmless one, which carries the offer or is it.
ON_HARMLESS = ("written", "removed")
KNOWN_BEFORE = "removed"
READ = "written"  # elsewhere the reader of text has nothing to find, and it takes half a second a photo


@dataclass(frozen=True)
class Source:
    id: str
    policy: str
    content: bytes  # of the file

    def image(self) -> Image.Image:
        return photo_edits.opened(self.content)


@dataclass(frozen=True)
class Case:
    """A photo to get through, and what goes with it."""

    source: Source
    harmless: Source
    words: str

    @property
    def title(self) -> str:
        """Of the listing: a harmless one, as the harmless photo's file is named."""
        return re.sub(r"[-_]+|\d+$", " ", Path(self.harmless.id).stem).strip()

    def scene(self) -> Scene:
        return Scene(self.source.image(), self.harmless.image(), self.words)


@dataclass(frozen=True)
class Stages:
    """What a file has to get past; the attacker sees the answers of `device` alone.

    kept: the photo as the site stores it. The others look at that: verdicts (the reader's with the listing's title
    beside), and whether the bank knows it again when the photo of that file was removed before. views: how many a
    listing of that title, with the gate's verdict on its photo, may have before the heavy checks.
    """

    device: Callable[[bytes], str]
    kept: Callable[[bytes], Image.Image]
    gate: Callable[[Image.Image], Verdict]
    cloud: Callable[[Image.Image], Verdict]
    reader: Callable[[Image.Image, str], Verdict]
    knows: Callable[[bytes, Image.Image], bool]
    views: Callable[[str, Verdict], int]


@dataclass(frozen=True)
class Outcome(curve.Outcome):
    """known: whether the bank would know the photo again, had the original been removed once."""

    known: bool = False


# --- The stages as the site runs them --------------------------------------------------------------------------------


def real_stages() -> Stages:
    at_gate = partial(photo_model.check_photo, digest="", variant="device", where=Where.GATE)
    in_cloud = partial(photo_model.check_photo_in_cloud, digest="", where=Where.CLOUD)
    return Stages(
        device=on_device,
        kept=as_stored,
        gate=lambda image: Verdict(**at_gate(image)),
        cloud=lambda image: Verdict(**in_cloud(image)),
        reader=words_in,
        knows=bank_knows,
        views=lambda title, verdict: ruled.views([("title", title), ("description", "")], [verdict]),
    )


@live_models.published_alone()
def words_in(image: Image.Image, title: str) -> Verdict:
    """The worker's verdict on the words in a photo."""
    return photo_text.judge("\n".join(line.text for line in photo_text.read(image)), title)


def on_device(file: bytes) -> str:
    """The decision of the merchant's browser, whose decoder is another one but shrinks as much."""
    return str(photo_model.check_photo(photo_edits.opened(file), digest="", where=Where.DEVICE)["decision"])


def as_stored(file: bytes) -> Image.Image:
    return photo_edits.opened(photos.prepare(io.BytesIO(file)).photo)


def bank_knows(removed: bytes, image: Image.Image) -> bool:
    """Whether the bank takes the photo for one that was removed, all of whose views it keeps."""
    bits = photo_bank.phash(image)
    return bits is not None and any(
        sum(one != other for one, other in zip(bits, kept, strict=True)) <= photo_bank.SAME for kept in banked(removed)
    )


@lru_cache(maxsize=4)
def banked(removed: bytes) -> list[str]:
    """Of all views, the hash; the same photo is asked about after each kind of attack."""
    return [bits for view in photo_bank.views(photo_edits.opened(removed)) if (bits := photo_bank.phash(view))]


def versions() -> dict[str, dict[str, str]]:
    """Of the published photo models, and of the one that judges the words read in a photo. Raises ModelUnavailable."""
    return curve.versions_of(((photo_model.MODEL, "device"), (photo_model.CLOUD, "cloud"), (text.CLOUD, "cloud")))


# --- Photos ----------------------------------------------------------------------------------------------------------


def read(path: Path, limit: int = PHOTOS) -> list[Source]:
    """The unsafe photos of a list (a CSV with the columns path or file, and policy), or `limit` of them spread evenly
    over it. path may be the folder that the list is in. Raises RedteamError."""
    if path.is_dir():
        path = next((path / name for name in LISTS if (path / name).is_file()), path / LISTS[0])
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise RedteamError(f"{path} cannot be read ({error.strerror}). Name a list of photos with --photos.") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise RedteamError(f"{path} is not a CSV file in UTF-8: {error}.") from None
    found = [(row.get("path") or row.get("file"), row.get("policy")) for row in rows]
    if not all(name and policy for name, policy in found):
        raise RedteamError(f"{path}: the columns path and policy are needed in every row.")
    unsafe = [(str(name), str(policy)) for name, policy in found if policy != SAFE]
    if not unsafe:
        raise RedteamError(f"{path} has no unsafe photo to attack with. Add rows whose policy is not “{SAFE}”.")
    return [source(path.parent / name, policy, name) for name, policy in spread(unsafe, limit)]


def source(path: Path, policy: str, name: str) -> Source:
    """Raises RedteamError."""
    try:
        found = Source(name, policy, path.read_bytes())
        found.image()
    except (OSError, ValueError) as error:
        raise RedteamError(f"{path} cannot be opened as a photo ({error}).") from None
    return found


def cases(sources: Sequence[Source], harmless: Path) -> list[Case]:
    """Each photo with a harmless one of that folder and a sentence of an unsafe listing. Raises RedteamError."""
    paths = sorted(harmless.glob("*.jpg"))
    if not paths:
        raise RedteamError(f"There is no harmless photo in {harmless}. Restore the folder from git.")
    beside = [source(path, SAFE, path.name) for path in spread(paths, len(sources))]
    words = [listing.draft.title for listing in curve.read(curve.LISTINGS, len(sources))]
    many = range(len(sources))
    return [Case(sources[at], beside[at % len(beside)], words[at % len(words)]) for at in many]


def spread(all_: Sequence[Any], count: int) -> list[Any]:
    count = min(count, len(all_))
    return [all_[place * len(all_) // count] for place in range(count)]


def digest(given: Sequence[Case]) -> str:
    """Names what was attacked with, whatever files it came from."""
    content = hashlib.sha256()
    for case in given:
        for part in (case.source.content, case.harmless.content, case.words.encode()):
            content.update(hashlib.sha256(part).digest())
    return content.hexdigest()[: curve.SHA_CHARS]


# --- The run ---------------------------------------------------------------------------------------------------------


def attack(case: Case, kind: str, network: Network, stages: Stages, *, budget: int, seed: int) -> Outcome:
    """The first file that the device lets through is submitted. Each photo and kind has its own dice."""
    dice = random.Random(f"{seed}:{kind}:{case.source.id}")
    files = KINDS[kind](case.scene(), network, dice)
    for attempt, file in zip(range(1, budget + 1), files, strict=False):
        if stages.device(file) == PASS:
            return submitted(case, kind, stages, attempt, file)
    return Outcome(case.source.policy, None)


def submitted(case: Case, kind: str, stages: Stages, attempt: int, file: bytes) -> Outcome:
    image = stages.kept(file)
    original = case.harmless if kind in ON_HARMLESS else case.source
    known = stages.knows(original.content, image)
    verdicts = [stages.gate(image)]
    past_gate = not doubted(verdicts)
    views = 0
    if past_gate:
        # The bank is among the light checks, and asked before anything is on sale.
        views = 0 if kind == KNOWN_BEFORE and known else stages.views(case.title, verdicts[0])
        verdicts.append(stages.cloud(image))
        if kind == READ:
            verdicts.append(stages.reader(image, case.title))
        if kind == KNOWN_BEFORE and known:
            verdicts.append(Verdict(where=Where.CLOUD, model=checks.PHOTO_BANK, decision=VerdictDecision.WARN))
    published = past_gate and not doubted(verdicts)
    return Outcome(case.source.policy, attempt, past_gate, published, (), views, known)


def doubted(verdicts: list[Verdict]) -> bool:
    """Whether these alone would keep a listing from being published."""
    for verdict in verdicts:
        verdict.photo = Photo(position=0)
    return bool(outcome.doubts_about_photos(verdicts))


def report(
    given: Sequence[Case],
    network: Network,
    stages: Stages,
    *,
    budget: int,
    seed: int,
    models: dict[str, Any],
    own: bool,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """What `--json` prints under "photos" and `--update` commits. own: whether these are our own pictures."""
    outcomes: dict[str, list[Outcome]] = {kind: [] for kind in KINDS}
    for done, case in enumerate(given, start=1):
        for kind, found in outcomes.items():
            found.append(attack(case, kind, network, stages, budget=budget, seed=seed))
        if progress:
            progress(done, len(given))
    return {
        "own": own,
        "seed": seed,
        "budget": budget,
        "photos": len(given),
        "photos_sha256": digest(given),
        "gradient_most": photo_edits.MOST,
        "models": models,
        "by_kind": {
            kind: {
                "known_again": known_again(found),
                "curve": curve.curve(found, budget),
            }
            for kind, found in outcomes.items()
        },
    }


def known_again(outcomes: Sequence[Outcome]) -> float | None:
    """Of the photos past the device, those that the bank would know again; None when none got past."""
    passed = [o for o in outcomes if o.attempts is not None]
    return curve.share(sum(o.known for o in passed), len(passed)) if passed else None
