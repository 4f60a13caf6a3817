"""Words that stand in a photo: found, read and put before the same checks as words that were typed.

RapidOCR (PP-OCRv4) carries its models and keeps half a gigabyte; it is loaded by the first photo, in the one process
that reads (checks.READER_QUEUE). Most photos hold no text: they cost the search alone, on a smaller copy.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from PIL import Image

from models import manifest, text

from . import contact_details, live_models, photo_files
from .checks import PHOTO_TEXT
from .models import Listing, Photo, Verdict, VerdictDecision, Where

READ_SIDE, SEARCH_SIDE = 1600, 960  # pixels, longer side: lines are found on the small copy, read on the large one
LINES = 60  # the largest; a page of a book has fewer in sight that can be read
LEAST_SIGNS = 2  # alone, a sign is more often the leg of a chair than a letter
LEAST_SURE = 0.5  # a line read less surely is not text, but a pattern that looks like it
THREADS = 1
FIELD = "photo"  # what evidence calls the text
GRAVE = (VerdictDecision.WARN, VerdictDecision.BLOCK)
# A link on a product or its box is the maker's; what leads to the seller is a number, an address, a name.
LEADS_AWAY = (contact_details.TELEPHONE, contact_details.MAIL, contact_details.MESSENGER)
READER = "The reader of text in photos"
_loading = threading.Lock()


@dataclass(frozen=True)
class Line:
    text: str
    sure: float
    box: list[float]  # left, top, width, height in 0..1 of the photo


def check(listing: Listing, photo: Photo) -> list[Verdict]:
    """An unsaved verdict on the words in the photo: of the server's text model, and whether they lead to the seller.

    Raises ModelUnavailable, and OSError when the photo's file is missing or damaged.
    """
    began = time.perf_counter()
    lines = read(photo_files.decoded(photo, READ_SIDE))
    verdict = judge("\n".join(line.text for line in lines), listing.title)
    verdict.photo, verdict.digest = photo, photo.sha256
    verdict.detail |= {"boxes": [[round(share, 4) for share in line.box] for line in lines]}
    verdict.ms = round((time.perf_counter() - began) * 1000, 3)
    return [verdict]


def judge(words: str, title: str) -> Verdict:
    """An unsaved verdict on words that were read. Raises ModelUnavailable.

    They are read alone, so that a harmless title cannot talk them down; but a few words of a label mean little ("220 g"
    is a drug to the model, and a candle's weight): a suspicion that the listing's title dispels is a doubt only.
    """
    verdict = Verdict(where=Where.CLOUD, model=PHOTO_TEXT, decision=VerdictDecision.PASS, detail={"text": words})
    if not words:
        return verdict
    fields, folder = [(FIELD, words)], live_models.folder(text.CLOUD)
    said = text.check_text_in_cloud(fields, where=Where.CLOUD, folder=folder)
    for name in ("version", "policies_version", "variant", "scores", "decision", "policy", "evidence", "provider"):
        setattr(verdict, name, said[name])
    verdict.detail |= {"coverage": said["coverage"], "by": said["model"]}
    if verdict.decision in GRAVE:
        beside = text.check_text_in_cloud([("title", title), *fields], where=Where.CLOUD, folder=folder)
        if beside["decision"] == VerdictDecision.PASS:
            verdict.decision = VerdictDecision.UNSURE
            verdict.detail["alone"] = said["decision"]
    contacts = contact_details.find(fields)
    verdict.evidence = [*verdict.evidence, *contacts]
    if kinds := sorted({span["kind"] for span in contacts}):
        verdict.detail["contacts"] = kinds
        if verdict.decision not in GRAVE and any(kind in LEADS_AWAY for kind in kinds):
            verdict.decision, verdict.policy = VerdictDecision.WARN, ""
    return verdict


def read(image: Image.Image) -> list[Line]:
    """The lines of text in a picture, from top to bottom; the largest LINES. Raises ModelUnavailable."""
    engine = _engine()
    large = image.copy()
    large.thumbnail((READ_SIDE, READ_SIDE), Image.Resampling.LANCZOS)
    small = large.copy()
    small.thumbnail((SEARCH_SIDE, SEARCH_SIDE), Image.Resampling.LANCZOS)
    boxes, _ = engine(_bgr(small), use_det=True, use_cls=False, use_rec=False)
    if not boxes:
        return []
    scale = np.array([large.width / small.width, large.height / small.height], dtype=np.float32)
    corners = [np.array(box, dtype=np.float32) * scale for box in boxes]
    largest = sorted(range(len(corners)), key=lambda index: -_height(corners[index]))[:LINES]
    corners = [corners[index] for index in sorted(largest)]
    cuttings, _, _ = engine.text_cls(engine.get_crop_img_list(_bgr(large), corners))
    texts, _ = engine.text_rec(cuttings, False)
    return [
        Line(str(found[0]), float(found[1]), _box(corner, large.size))
        for corner, found in zip(corners, texts, strict=True)
        if len(found[0].strip()) >= LEAST_SIGNS and float(found[1]) >= LEAST_SURE
    ]


def _engine() -> Any:
    with _loading:
        return _loaded()


@cache
def _loaded() -> Any:
    try:
        from rapidocr_onnxruntime import RapidOCR

        return RapidOCR(intra_op_num_threads=THREADS, inter_op_num_threads=1)
    except ImportError as error:
        raise manifest.ModelUnavailable(f"{READER} is not installed ({error}). Run: make run") from error
    except Exception as error:  # RapidOCR and ONNX Runtime name no classes of their own for a damaged file
        raise manifest.ModelUnavailable(f"{READER} does not start ({error}). Run: make run") from error


def _bgr(image: Image.Image) -> Any:
    return np.ascontiguousarray(np.asarray(image.convert("RGB"))[:, :, ::-1])


def _height(corners: Any) -> float:
    return float(np.linalg.norm(corners[0] - corners[3]))


def _box(corners: Any, size: tuple[int, int]) -> list[float]:
    left, top = corners.min(axis=0) / size
    right, bottom = corners.max(axis=0) / size
    return [float(left), float(top), float(right - left), float(bottom - top)]
