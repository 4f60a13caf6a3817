"""The bank of removed photos, and the perceptual hash by which a photo is known again after it was re-encoded.

The hash is pHash (ImageHash) of 256 bits: the signs of the low frequencies of the photo's brightness. Measured with 300
photos in the bank, by bits that differ: copies in poor JPEG, of half the size, mirrored, turned by 90 degrees or
cropped by 2 % are all within 44 to 48; of copies cropped by 5 %, 91 of 100 are within SAME, turned by 2 degrees 97,
with a white border of 4 % 47, cropped by 10 % 16. Of 1,200 other photos one was within it, the same shirt in another
colour; the next had 70, and the demo's drawings 76 and more.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence

import imagehash
import numpy as np
from django.db.models import Q, QuerySet
from pgvector.django import HammingDistance
from PIL import Image

from . import photo_files
from .checks import ASKED, PHOTO_BANK, owe_again
from .models import Decision, Listing, Photo, RemovedPhoto, RemovedPhotoHash, Verdict, VerdictDecision, Where

SIDE = 256  # pixels; the hash looks at 64 x 64
SAME = 60  # bits of 256 that may differ
AT_ONCE = 24  # hashes that one pass over the market's photos compares: those of one removed photo
FRAMINGS = (0.0, 0.06, 0.12)  # of width and height cut off all round, for copies that were cropped
# How much grey (0 to 255) a place of 32 x 32 differs from its neighbours, four times the mean. A wall, a sky or a sheet
# of paper has 2 at most, noise of the camera in it; of 1,300 photos none has less than 3.7. Below, a hash is noise.
LEAST_STRUCTURE = 3.0
TURNS = (
    None,
    Image.Transpose.FLIP_LEFT_RIGHT,
    Image.Transpose.FLIP_TOP_BOTTOM,
    Image.Transpose.ROTATE_90,
    Image.Transpose.ROTATE_180,
    Image.Transpose.ROTATE_270,
    Image.Transpose.TRANSPOSE,
    Image.Transpose.TRANSVERSE,
)


def phash(image: Image.Image) -> str | None:
    """256 zeros and ones; None when there is too little in the photo to tell it from others."""
    if structure(image) < LEAST_STRUCTURE:
        return None
    return "".join("01"[bit] for bit in imagehash.phash(image, hash_size=16).hash.ravel().astype(int))


def structure(image: Image.Image) -> float:
    grey = np.asarray(image.convert("L").resize((32, 32), Image.Resampling.BOX), dtype=np.float32)
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return float(np.abs(4 * grey[1:-1, 1:-1] - around).mean())


def known(photo: Photo) -> str | None:
    """The photo's hash, computed and kept now if it was not when the photo came. Raises OSError."""
    if photo.phash is None:
        photo.phash = phash(photo_files.decoded(photo, SIDE))
        Photo.objects.filter(pk=photo.pk).update(phash=photo.phash)
    return photo.phash


def check(listing: Listing, photo: Photo) -> list[Verdict]:
    """An unsaved verdict: is this photo, or one that looks the same, in the bank? Raises OSError."""
    began = time.perf_counter()
    found = nearest(photo)
    detail = {}
    if found:
        removed, distance = found
        detail = {"removed": removed.pk, "case": removed.decision.review_job_id, "distance": distance}
    return [
        Verdict(
            photo=photo,
            where=Where.CLOUD,
            model=PHOTO_BANK,
            decision=VerdictDecision.WARN if found else VerdictDecision.PASS,
            policy=found[0].policy if found else "",
            digest=photo.sha256,
            detail=detail,
            ms=round((time.perf_counter() - began) * 1000, 3),
        )
    ]


def nearest(photo: Photo) -> tuple[RemovedPhoto, int] | None:
    """The removed photo that this one is, and how many bits differ: the same file, or the nearest within SAME."""
    removed = RemovedPhoto.objects.select_related("decision").order_by("-pk")
    if same := removed.filter(sha256=photo.sha256).first():
        return same, 0
    bits = known(photo)
    if bits is None:
        return None
    near = near_to(RemovedPhotoHash.objects.select_related("removed__decision"), bits, SAME).first()
    return (near.removed, int(near.distance)) if near else None


def alike(rows: QuerySet[Photo], hashes: Sequence[str], within: int) -> list[tuple[int, list[int]]]:
    """(key, bits that differ from each of `hashes`) of the photos that are within so many bits of any of them.

    Exact, as near_to is, and one pass over the index of hashes (photo_phash) however many are asked about, as long as
    `rows` are told apart by what that index holds: the listing. Other columns would fetch every row of the table.
    """
    if not hashes:
        return []
    names = [f"bits_{place}" for place in range(len(hashes))]
    near = Q()
    for name in names:
        near |= Q(**{f"{name}__lte": within})
    asked = {name: HammingDistance("phash", bits) for name, bits in zip(names, hashes, strict=True)}
    found = rows.filter(phash__isnull=False).order_by().annotate(**asked).filter(near).values_list("pk", *names)
    return [(pk, [int(each) for each in distances]) for pk, *distances in found]


def near_to(rows: QuerySet, bits: str, within: int) -> QuerySet:
    """Rows with a `phash` at most `within` bits from `bits`, the nearest first, with their `distance`.

    An exact search on purpose: an index for neighbours (HNSW) may overlook the one that matters.
    """
    near = rows.annotate(distance=HammingDistance("phash", bits)).filter(distance__lte=within)
    return near.order_by("distance", "pk")


def add(decision: Decision, photos: Iterable[Photo]) -> None:
    """Into the bank: the photos of a listing that was rejected. One whose file has gone is known by its bytes alone."""
    for photo in photos:
        removed, _ = RemovedPhoto.objects.get_or_create(
            decision=decision, sha256=photo.sha256, defaults={"policy": decision.policy}
        )
        try:
            image = photo_files.decoded(photo, SIDE * 2)
        except OSError:
            continue
        hashes = {bits for view in views(image) if (bits := phash(view))}
        RemovedPhotoHash.objects.bulk_create([RemovedPhotoHash(removed=removed, phash=bits) for bits in hashes])


def look_again(decision: Decision) -> None:
    """Photos on the market that may be those just removed are held against the bank once more."""
    on_market = Photo.objects.filter(listing__status__in=ASKED)
    removed = RemovedPhoto.objects.filter(decision=decision)
    found = set(on_market.filter(sha256__in=removed.values("sha256")).values_list("pk", flat=True))
    hashes = list(RemovedPhotoHash.objects.filter(removed__in=removed).values_list("phash", flat=True))
    for at in range(0, len(hashes), AT_ONCE):
        near = alike(Photo.objects.filter(listing__isnull=False), hashes[at : at + AT_ONCE], SAME)
        found.update(pk for pk, _ in near)
    for photo in on_market.filter(pk__in=found).order_by("pk"):
        owe_again(photo, PHOTO_BANK)


def views(image: Image.Image) -> Iterator[Image.Image]:
    """The photo turned and mirrored every way, whole and cropped."""
    for share in FRAMINGS:
        left, top = round(image.width * share / 2), round(image.height * share / 2)
        framed = image.crop((left, top, image.width - left, image.height - top))
        for turn in TURNS:
            yield framed if turn is None else framed.transpose(turn)
