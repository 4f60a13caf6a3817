"""Photos at the gate and by the worker: every check leaves its verdict, and what they come to."""

from __future__ import annotations

import io
import json
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from PIL import Image, ImageDraw, ImageFont, ImageOps

from listings import checks, claims, look_alikes, outcome, photo_bank, photo_text, photos, submission, tasks, validation
from listings.lifecycle import Status
from listings.models import Listing, OwedCheck, Photo, RemovedPhoto, ReviewJob, Verdict
from listings.moderation import decisions, evidence
from models import photo as photo_model
from tests.settings import ROOT

PICTURES = sorted((ROOT / "marketplace" / "demo" / "pictures").glob("*-1.jpg"))
CHAIR = next(path for path in PICTURES if path.name.startswith("ash-dining-chair"))
TRIPOD = next(path for path in PICTURES if path.name.startswith("aluminium-tripod"))
GLOCK = ("Glock 19 pistol", "with 9mm ammo", "and a silencer")


def encoded(image: Image.Image, kind: str = "JPEG", **options) -> bytes:
    data = io.BytesIO()
    image.save(data, kind, **options)
    return data.getvalue()


def opened(path: Path) -> Image.Image:
    return Image.open(path).convert("RGB")


def written(*lines: str) -> Image.Image:
    """A sheet of paper with large letters."""
    sheet = Image.new("RGB", (1200, 900), "#fbfaf5")
    draw = ImageDraw.Draw(sheet)
    for number, line in enumerate(lines):
        draw.text((60, 80 + 140 * number), line, fill="#111", font=ImageFont.load_default(56))
    return sheet


def check_all(listing) -> str:
    for check in OwedCheck.objects.filter(job__listing=listing, state="owed").order_by("pk"):
        validation.run(check.pk)
    listing.refresh_from_db()
    return listing.status


def verdict(listing, model: str, where: str = "cloud") -> Verdict:
    return Verdict.objects.get(listing=listing, model=model, where=where)


# --- The gate and the device's claims --------------------------------------------------------------------------------
def test_every_photo_meets_the_gate_and_is_owed_every_check(upload, send):
    first, second = upload(CHAIR), upload(TRIPOD)
    listing = send(first, second)
    seen = Verdict.objects.filter(where="gate", photo__isnull=False).order_by("photo__position")
    assert [(v.photo, v.model, v.digest) for v in seen] == [
        (first, photo_model.MODEL, first.sha256),
        (second, photo_model.MODEL, second.sha256),
    ]
    owed = OwedCheck.objects.filter(job__listing=listing)
    assert owed.count() == len(checks.OF_WORDS) + 2 * len(checks.OF_PHOTOS)
    assert all(len(photo.phash) == 256 for photo in Photo.objects.all())


def device_says(photo: Photo, **changes) -> dict:
    path = Path(settings.MEDIA_ROOT) / photo.file
    return photo_model.check_photo(opened(path), digest=photo.sha256, where="device") | changes


def test_an_honest_claim_is_kept_without_a_doubt(upload, send):
    photo = upload(CHAIR)
    listing = send(photo, photo_claims=json.dumps([device_says(photo)]))
    claim = verdict(listing, photo_model.MODEL, "device")
    assert (claim.photo, claim.detail) == (photo, {})
    assert verdict(listing, photo_model.MODEL, "gate").detail == {}


def test_a_missing_claim_is_noted_at_the_gates_verdict(upload, send):
    listing = send(upload(CHAIR))
    assert verdict(listing, photo_model.MODEL, "gate").detail == {"unclaimed": True}
    assert check_all(listing) == Status.PUBLISHED, "nobody is punished for a page without JavaScript"


def test_forged_scores_are_noted_and_change_nothing(upload, send):
    photo = upload(CHAIR)
    scores = {"drugs": 0.0, "tobacco_alcohol": 0.0, "weapons": 1.0, "safe": 0.0}
    listing = send(photo, photo_claims=json.dumps([device_says(photo, scores=scores)]))
    assert verdict(listing, photo_model.MODEL, "device").detail["differs_from_gate"] > 0.3


def test_a_claim_about_another_photo_counts_for_none(upload, send):
    photo, other = upload(CHAIR), upload(TRIPOD)
    listing = send(photo, photo_claims=json.dumps([device_says(other)]))
    claim = verdict(listing, photo_model.MODEL, "device")
    assert claim.photo is None
    assert "not in this listing" in claim.detail["disbelieved"]
    assert check_all(listing) == Status.PUBLISHED


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"version": "1900.1"}, "another version"),
        ({"model": "my-own"}, "not the photo model"),
        ({"scores": {"safe": 1.0}}, "not those of the model"),
        ({"policy": "spaceships", "decision": "warn"}, "does not have"),
    ],
)
def test_a_claim_of_another_kind_says_why_it_is_not_believed(upload, send, changes, why):
    photo = upload(CHAIR)
    listing = send(photo, photo_claims=json.dumps([device_says(photo, **changes)]))
    assert why in Verdict.objects.get(listing=listing, where="device").detail["disbelieved"]


@pytest.mark.parametrize(
    "raw",
    [
        *("x", "{}", "[1]", "[null, {}]", "1e999", '["\\ud800"]', "[" * 70_000, "[" + "1," * 90_000 + "1]", "\ud800"),
        json.dumps([{"model": "listing-photo", "decision": "pass", "evidence": [{"heat": [1] * 5000}]}]),
    ],
)
def test_whatever_stands_in_the_claims_the_listing_is_stored(upload, send, raw):
    listing = send(upload(CHAIR), photo_claims=raw)
    strange = Verdict.objects.get(listing=listing, where="device")
    assert "could not be read" in strange.detail["disbelieved"] or "too large" in strange.detail["disbelieved"]


def test_many_claims_leave_a_bounded_number_of_verdicts(upload, send):
    photo = upload(CHAIR)
    said = [device_says(photo, digest=f"{number:064x}") for number in range(40)]
    listing = send(photo, photo_claims=json.dumps([*said[:10], device_says(photo), *said[10:]]))
    assert Verdict.objects.filter(listing=listing, where="device").count() == 2
    assert claims.PHOTO_CLAIMS_CHARS <= 512 * 1024


# --- The worker ------------------------------------------------------------------------------------------------------
def test_a_harmless_photo_is_published_with_a_verdict_of_every_check(upload, send):
    listing = send(upload(CHAIR))
    assert check_all(listing) == Status.PUBLISHED
    about_photo = Verdict.objects.filter(listing=listing, photo__isnull=False).values_list("where", "model")
    assert sorted(about_photo) == [
        ("cloud", "listing-photo-cloud"),
        ("cloud", "look-alikes"),
        ("cloud", "photo-bank"),
        ("cloud", "photo-text"),
        ("gate", "listing-photo"),
    ]


def test_the_worker_looks_for_the_gate_that_had_no_model(upload, send, models_away, waited):
    with models_away():
        listing = send(upload(CHAIR))
        assert check_all(listing) == Status.CHECKING
    assert not Verdict.objects.filter(where="gate").exists()
    waited()
    assert check_all(listing) == Status.PUBLISHED
    assert verdict(listing, photo_model.MODEL, "gate").photo is not None


def test_words_in_a_photo_are_read_and_judged(upload, send):
    photo = upload(encoded(written(*GLOCK)))
    listing = send(photo)
    assert check_all(listing) == Status.IN_REVIEW
    found = verdict(listing, checks.PHOTO_TEXT)
    assert "Glock 19 pistol" in found.detail["text"]
    assert (found.policy, found.photo) == ("weapons", photo)
    span = found.evidence[0]
    assert found.detail["text"][span["start"] : span["end"]] in found.detail["text"].split()
    left, top, width, height = found.detail["boxes"][0]
    assert 0 <= left < 0.2 and 0 < top < 0.25 and 0.2 < width < 0.9 and 0.02 < height < 0.2
    assert "Photo 1: the text in it suggests: Weapons." in ReviewJob.objects.get().cause
    assert "Photo 1" in listing.status_note or "photo 1" in listing.status_note


def test_a_telephone_number_in_a_photo_is_shown_to_a_person(upload, send):
    listing = send(upload(encoded(written("Sunday only", "call 079 123 45 67"))))
    assert check_all(listing) == Status.IN_REVIEW
    assert "Photo 1: It shows a telephone number." in listing.status_note


def test_a_makers_link_on_a_photo_is_kept_as_evidence_alone(upload, send):
    listing = send(upload(encoded(written("Holder and Sons", "www.holder-sons.com"))))
    assert check_all(listing) == Status.PUBLISHED
    assert verdict(listing, checks.PHOTO_TEXT).detail["contacts"] == ["link"]


def test_a_photo_without_text_costs_the_search_alone(upload):
    assert photo_text.read(Image.new("RGB", (800, 600), "#a0b0c0")) == []
    assert photo_text.judge("", "Oak table").decision == "pass"


@pytest.mark.parametrize(
    ("title", "words", "decisions"),
    [
        ("Scented candle in a glass, fig and cedar", "FIG&CEDAR\n220g", ("unsure",)),
        ("Pair of hex dumbbells 20 lb, rubber coated", "8kg", ("unsure",)),
        ("Tea towels", "cocaine 5g", ("warn", "block")),
        ("Oak dining table with four chairs", "Glock 17 9mm", ("warn", "block")),
    ],
)
def test_a_title_explains_a_label_but_hides_no_offer(db, title, words, decisions):
    assert photo_text.judge(words, title).decision in decisions


def test_a_photo_whose_file_is_damaged_comes_before_a_person_with_the_cause(upload, send, waited):
    photo = upload(CHAIR)
    listing = send(photo)
    (Path(settings.MEDIA_ROOT) / photo.file).write_bytes(b"no photo any more")
    OwedCheck.objects.filter(photo=photo).update(attempts=validation.ATTEMPTS - 1)
    assert check_all(listing) == Status.CHECKING
    waited()
    assert check_all(listing) == Status.IN_REVIEW
    cause = ReviewJob.objects.get().cause
    assert "The automatic check of photo 1 failed again and again. Last time: UnidentifiedImageError" in cause
    assert "Reading the text in photo 1 failed" in cause
    assert Verdict.objects.filter(model="listing-text-cloud").exists(), "the words were judged all the same"


def test_an_edit_drops_the_checks_of_the_photos_too(upload, send, merchant):
    listing = send(upload(CHAIR))
    owed = OwedCheck.objects.filter(job__listing=listing)
    check_one = owed.get(name=checks.PHOTO_BANK)
    content = {name: getattr(listing, name) for name in ("title", "category", "attributes", "price", "currency")}
    content |= {"description": "Other words.", "condition": "good"}
    submission.resubmit(listing=listing, seller=merchant, content=content, photos=[], base_edits=1)
    validation.run(check_one.pk)
    check_one.refresh_from_db()
    assert check_one.state == "dropped"
    assert not Verdict.objects.filter(model=checks.PHOTO_BANK).exists()


def test_a_check_delivered_twice_leaves_one_verdict(upload, send):
    listing = send(upload(CHAIR))
    pk = OwedCheck.objects.get(job__listing=listing, name=checks.PHOTO_BANK).pk
    check = OwedCheck.objects.select_related("job__listing", "photo").get(pk=pk)
    both = [photo_bank.check(listing, check.photo) for _ in range(2)]
    for found in both:  # two workers had it at the same moment
        validation.finish(check, found)
    assert Verdict.objects.filter(model=checks.PHOTO_BANK).count() == 1


# --- Photos that came to a listing after its check -------------------------------------------------------------------
@pytest.fixture
def on_sale(make_listing):
    """A listing that left its check with these words passed or doubted."""

    def make(decision="pass", **fields):
        listing = make_listing(**fields)
        policy = "" if decision == "pass" else "weapons"
        said = {"where": "cloud", "model": "listing-text-cloud", "decision": decision, "policy": policy}
        Verdict.objects.create(listing=listing, revision=1, **said)
        return listing

    return make


def comes_to(listing, photo: Photo) -> Photo:
    Photo.objects.filter(pk=photo.pk).update(listing=listing)
    photo.refresh_from_db()
    checks.owe_later(listing, [photo])
    return photo


def test_photos_of_a_published_listing_are_checked_later_and_it_stays_on_sale(upload, on_sale):
    listing = on_sale()
    photo = comes_to(listing, upload(CHAIR))
    assert check_all(listing) == Status.PUBLISHED
    assert Verdict.objects.filter(photo=photo).count() == 5


def test_a_later_check_with_a_doubt_puts_it_before_a_moderator(upload, on_sale):
    listing = on_sale()
    comes_to(listing, upload(encoded(written(*GLOCK))))
    assert check_all(listing) == Status.IN_REVIEW
    assert ReviewJob.objects.get().policy == "weapons"


def test_a_later_check_ends_without_verdicts_on_the_words(upload, make_listing):
    listing = make_listing()
    comes_to(listing, upload(CHAIR))
    assert check_all(listing) == Status.PUBLISHED
    assert not OwedCheck.objects.filter(state="owed").exists()
    assert listing.validation_jobs.get().state == "done"


def test_words_that_were_never_read_are_shown_to_a_person_when_the_photos_of_a_new_listing_are(upload, make_listing):
    listing = make_listing(status=Status.CHECKING)
    comes_to(listing, upload(CHAIR))
    assert check_all(listing) == Status.IN_REVIEW
    assert ReviewJob.objects.get().cause == "The server's model has not read these words."


def test_a_later_check_that_fails_again_and_again_is_told(upload, on_sale):
    listing = on_sale()
    comes_to(listing, upload(CHAIR))
    OwedCheck.objects.filter(name=checks.PHOTO_BANK).update(attempts=validation.ATTEMPTS)
    assert check_all(listing) == Status.IN_REVIEW
    assert ReviewJob.objects.get().cause.startswith("Comparing photo 1 with removed photos failed again and again.")


def test_words_that_a_moderator_approved_stay_approved_when_photos_come(upload, on_sale, moderator):
    listing = on_sale("warn", status=Status.IN_REVIEW)
    job = ReviewJob.objects.create(listing=listing, revision=1, cause="Weapons.", policy="weapons")
    decisions.approve(job=job, moderator=moderator)
    comes_to(listing, upload(CHAIR))
    listing.refresh_from_db()
    assert check_all(listing) == Status.PUBLISHED


def test_a_photo_that_a_moderator_approved_stays_approved_when_another_comes(upload, on_sale, moderator):
    listing = on_sale()
    comes_to(listing, upload(encoded(written(*GLOCK))))
    assert check_all(listing) == Status.IN_REVIEW
    decisions.approve(job=ReviewJob.objects.get(), moderator=moderator)
    listing.refresh_from_db()
    comes_to(listing, upload(CHAIR))
    assert check_all(listing) == Status.PUBLISHED


def test_an_approved_photo_is_not_doubted_again_by_models_after_an_edit(upload, send, moderator):
    photo = upload(encoded(written(*GLOCK)))
    listing = send(photo)
    assert check_all(listing) == Status.IN_REVIEW
    decisions.approve(job=ReviewJob.objects.get(), moderator=moderator)
    photo.refresh_from_db()
    assert photo.approved_at
    listing.refresh_from_db()
    photo.alt = "A box"
    assert check_all(edit(listing, photo)) == Status.PUBLISHED
    again = Verdict.objects.get(listing=listing, revision=2, model=checks.PHOTO_TEXT)
    assert again.decision in ("warn", "block"), "it was read again all the same"


def test_an_approved_photo_is_held_when_the_like_was_removed_since(
    upload, send, remove, moderator, django_capture_on_commit_callbacks
):
    photo = upload(encoded(written(*GLOCK)))
    listing = send(photo)
    check_all(listing)
    decisions.approve(job=listing.review_jobs.get(), moderator=moderator)
    with django_capture_on_commit_callbacks(execute=True):
        remove(upload(encoded(written(*GLOCK), quality=60)))
    listing.refresh_from_db()
    assert check_all(listing) == Status.IN_REVIEW
    assert "looks the same as a photo that a moderator removed" in listing.review_jobs.get(state="open").cause


@pytest.fixture
def approved(upload, send, moderator):
    """A listing with a photo of doubtful text that a moderator has approved, and the photo."""
    photo = upload(encoded(written(*GLOCK)))
    listing = send(photo)
    check_all(listing)
    decisions.approve(job=ReviewJob.objects.get(), moderator=moderator)
    listing.refresh_from_db()
    return listing, photo


def test_a_later_rejection_takes_the_approval_of_the_photos_back(approved, upload, moderator):
    listing, photo = approved
    edit(listing, photo, upload(CHAIR))
    type(listing).objects.filter(pk=listing.pk).update(status=Status.IN_REVIEW)
    listing.refresh_from_db()
    job = ReviewJob.objects.create(listing=listing, revision=listing.revision, cause="Reported.")
    decisions.reject(job=job, moderator=moderator, policy="weapons", reason="This is a real gun")
    listing.refresh_from_db()
    assert listing.status_note == "Weapons: This is a real gun."
    assert check_all(edit(listing, photo)) == Status.IN_REVIEW


@pytest.mark.parametrize("changed", [{"title": "Something else"}, {"category": "toys"}])
def test_an_approval_is_for_the_thing_that_the_listing_was_about(approved, changed):
    listing, photo = approved
    assert check_all(edit(listing, photo, **changed)) == Status.IN_REVIEW


def test_an_approved_photo_is_not_proposed_for_the_bank(approved, upload, moderator):
    listing, photo = approved
    photo.alt = "Seen from above"
    check_all(edit(listing, photo))
    job = ReviewJob.objects.create(listing=listing, revision=2, cause="Reported.")
    assert evidence.flagged(job) == []
    Photo.objects.filter(pk=photo.pk).update(approved_at=None)
    assert evidence.flagged(job) == [photo.pk]


def test_an_approval_is_for_the_listing_that_the_photo_is_in(upload, send, moderator):
    photo, chair = upload(encoded(written(*GLOCK))), upload(CHAIR)
    listing = send(photo, chair)
    check_all(listing)
    decisions.approve(job=ReviewJob.objects.get(), moderator=moderator)
    listing.refresh_from_db()
    edit(listing, chair)
    photo.refresh_from_db()
    assert photo.listing is None
    assert check_all(send(photo, title="Something else")) == Status.IN_REVIEW


def test_what_a_check_says_that_ended_after_the_approval_is_still_a_doubt(upload, on_sale, moderator):
    """It began before: the moderator could not see what it found."""
    listing = on_sale("warn", status=Status.IN_REVIEW)
    job = ReviewJob.objects.create(listing=listing, revision=1, cause="Weapons.", policy="weapons")
    photo = comes_to(listing, upload(encoded(written(*GLOCK))))
    check = OwedCheck.objects.select_related("job__listing", "photo").get(name=checks.PHOTO_TEXT)
    OwedCheck.objects.exclude(pk=check.pk).update(state="done")
    found = photo_text.check(listing, photo)
    decisions.approve(job=job, moderator=moderator)
    validation.finish(check, found)
    listing.refresh_from_db()
    assert listing.status == Status.IN_REVIEW
    assert listing.review_jobs.get(state="open").cause == "Photo 1: the text in it suggests: Weapons."


def test_a_paused_listing_whose_photo_was_doubted_is_paused_again_after_the_approval(upload, on_sale, moderator):
    listing = on_sale(status=Status.PAUSED)
    comes_to(listing, upload(encoded(written(*GLOCK))))
    assert check_all(listing) == Status.IN_REVIEW
    decisions.approve(job=ReviewJob.objects.get(), moderator=moderator)
    listing.refresh_from_db()
    assert listing.status == Status.PAUSED


# --- The bank of removed photos --------------------------------------------------------------------------------------
@pytest.fixture
def remove(send, moderator):
    def make(photo: Photo, policy: str = "weapons") -> None:
        listing = send(photo)
        type(listing).objects.filter(pk=listing.pk).update(status=Status.IN_REVIEW)
        job = ReviewJob.objects.create(listing=listing, revision=1, cause="Reported.")
        decisions.reject(job=job, moderator=moderator, policy=policy, reason="Not sold here.", photos=[photo.pk])

    return make


SQUEEZED = {
    "the same file": lambda image: image,
    "poor JPEG": lambda image: Image.open(io.BytesIO(encoded(image, quality=25))),
    "half the size": lambda image: image.reduce(2),
    "grey": lambda image: image.convert("L"),
    "mirrored": ImageOps.mirror,
    "turned": lambda image: image.transpose(Image.Transpose.ROTATE_90),
    "cropped a little": lambda image: image.crop((8, 8, image.width - 8, image.height - 8)),
}


@pytest.mark.parametrize("how", SQUEEZED)
def test_a_removed_photo_is_known_again(upload, send, remove, other_merchant, how):
    remove(upload(CHAIR))
    copy = upload(encoded(SQUEEZED[how](opened(CHAIR)), quality=90), owner=other_merchant)
    listing = send(copy, seller=other_merchant)
    assert check_all(listing) == Status.IN_REVIEW
    found = verdict(listing, checks.PHOTO_BANK)
    assert (found.policy, found.decision) == ("weapons", "warn")
    assert found.detail["distance"] <= photo_bank.SAME
    assert "a photo that a moderator removed under: Weapons" in listing.review_jobs.get().cause
    assert "was removed from this market" in listing.status_note


def test_another_photo_is_not_taken_for_a_removed_one(upload, send, remove):
    remove(upload(CHAIR))
    listing = send(upload(TRIPOD), title="Tripod of aluminium with a geared column")
    assert check_all(listing) == Status.PUBLISHED


def test_a_flat_photo_matches_nothing_but_its_own_file(upload, send, remove):
    flat, sky = Image.new("RGB", (640, 480), "#cdd"), Image.linear_gradient("L").convert("RGB").resize((640, 480))
    assert photo_bank.phash(flat) is None and photo_bank.phash(sky) is None
    remove(upload(encoded(flat)))
    listing = send(upload(encoded(Image.new("RGB", (640, 480), "#ccd"))), title="Another sheet of paper")
    assert check_all(listing) == Status.PUBLISHED
    again = send(upload(encoded(flat)), title="The same sheet of paper")
    assert check_all(again) == Status.IN_REVIEW


def test_only_the_photos_that_the_moderator_chose_go_into_the_bank(upload, send, moderator):
    bad, fine = upload(CHAIR), upload(TRIPOD)
    listing = send(bad, fine)
    type(listing).objects.filter(pk=listing.pk).update(status=Status.IN_REVIEW)
    job = ReviewJob.objects.create(listing=listing, revision=1, cause="Reported.")
    elsewhere = upload(encoded(opened(TRIPOD), quality=40))
    keys = [bad.pk, elsewhere.pk]
    decisions.reject(job=job, moderator=moderator, policy="weapons", reason="Not sold here.", photos=keys)
    assert list(RemovedPhoto.objects.values_list("sha256", flat=True)) == [bad.sha256]
    listing.refresh_from_db()
    assert listing.status_note == "Weapons: Not sold here. Photo 1: not allowed here, also in other listings."
    assert RemovedPhoto.objects.get().hashes.count() > 8


def test_a_copy_that_is_on_sale_already_is_found_when_a_moderator_removes_the_photo(
    upload, send, remove, other_merchant, django_capture_on_commit_callbacks
):
    copy = upload(encoded(ImageOps.mirror(opened(CHAIR)), quality=60), owner=other_merchant)
    theirs = send(copy, seller=other_merchant, title="A chair for the kitchen table")
    assert check_all(theirs) == Status.PUBLISHED
    check_all(send(upload(TRIPOD), title="Tripod of aluminium with a geared column"))
    with django_capture_on_commit_callbacks(execute=True):
        remove(upload(CHAIR))
    owed = OwedCheck.objects.filter(state="owed").exclude(job__listing__status=Status.REJECTED)
    assert [(check.name, check.photo, check.attempts) for check in owed] == [(checks.PHOTO_BANK, copy, 0)]
    assert check_all(theirs) == Status.IN_REVIEW
    assert "a photo that a moderator removed under: Weapons" in theirs.review_jobs.get().cause


# --- Other sellers' photos -------------------------------------------------------------------------------------------
def test_another_sellers_photo_is_shown_to_a_person_with_the_listing_it_is_from(upload, send, other_merchant):
    first = send(upload(CHAIR))
    assert check_all(first) == Status.PUBLISHED
    copy = encoded(ImageOps.mirror(opened(CHAIR)).reduce(2), quality=60)
    listing = send(upload(copy, owner=other_merchant), seller=other_merchant, title="A chair for the kitchen table")
    assert check_all(listing) == Status.IN_REVIEW
    found = verdict(listing, checks.LOOK_ALIKES)
    assert found.detail["of"] == first.public_id
    assert found.detail["distance"] <= look_alikes.NEAR_IDENTICAL
    assert f"of “{first.title}”" in ReviewJob.objects.get().cause


def test_own_photos_and_those_of_ended_listings_may_come_again(upload, send, other_merchant):
    first = send(upload(CHAIR))
    check_all(first)
    again = send(upload(CHAIR), title="The second chair of the pair")
    assert check_all(again) == Status.PUBLISHED
    type(first).objects.update(status=Status.ENDED)
    theirs = send(upload(CHAIR, owner=other_merchant), seller=other_merchant, title="A chair I bought here")
    assert check_all(theirs) == Status.PUBLISHED


def test_whoever_put_the_photo_up_first_is_at_ease(upload, send, other_merchant, merchant):
    first = send(upload(CHAIR))
    check_all(first)
    copy = send(upload(CHAIR, owner=other_merchant), seller=other_merchant, title="A chair for the kitchen table")
    type(copy).objects.filter(pk=copy.pk).update(status=Status.PUBLISHED)
    later = send(upload(CHAIR), title="The second chair of the pair")
    assert check_all(later) == Status.PUBLISHED


def test_of_two_sellers_the_one_who_kept_the_picture_in_a_draft_is_not_the_first(upload, send, other_merchant):
    kept = upload(CHAIR)
    copy = upload(encoded(opened(CHAIR), quality=60), owner=other_merchant)
    theirs = send(copy, seller=other_merchant, title="A chair for the kitchen table")
    assert check_all(theirs) == Status.PUBLISHED
    own = send(kept)
    assert check_all(own) == Status.IN_REVIEW
    assert verdict(own, checks.LOOK_ALIKES).detail["of"] == theirs.public_id


def test_whoever_sells_again_what_they_sold_is_not_held_for_a_copy_made_meanwhile(
    upload, send, merchant, other_merchant
):
    sold = send(upload(CHAIR))
    assert check_all(sold) == Status.PUBLISHED
    copy = send(upload(CHAIR, owner=other_merchant), seller=other_merchant, title="A chair for the kitchen table")
    type(copy).objects.filter(pk=copy.pk).update(status=Status.PUBLISHED)
    type(sold).objects.filter(pk=sold.pk).update(status=Status.ENDED)
    again = send(photos.copy_staged(sold.photos.get(), merchant), title="The second chair of the pair")
    assert check_all(again) == Status.PUBLISHED
    assert look_alikes.find(copy, copy.photos.get()).listing == again


def test_no_two_sellers_of_the_demo_share_a_picture(db):
    """The demo's drawings of like things stay apart; the threshold is set by them."""
    bits = [photo_bank.phash(opened(path)) for path in PICTURES[::4]]
    nearest = min(
        sum(a != b for a, b in zip(one, other, strict=True))
        for index, one in enumerate(bits)
        for other in bits[:index]
        if one and other
    )
    assert nearest > look_alikes.NEAR_IDENTICAL


# --- The outcome, as one pure function -------------------------------------------------------------------------------
WORDS = Verdict(where="cloud", model="listing-text-cloud", decision="pass")


def of_photo(where: str, decision: str, policy: str = "weapons", model: str = "", position: int = 1) -> Verdict:
    model = model or (photo_model.CLOUD if where == "cloud" else photo_model.MODEL)
    policy = "" if decision == "pass" else policy
    return Verdict(
        photo=Photo(pk=position, position=position), where=where, model=model, decision=decision, policy=policy
    )


@pytest.mark.parametrize(
    ("device", "gate", "cloud", "policy", "status"),
    [
        ("pass", "pass", "pass", "weapons", Status.PUBLISHED),
        ("pass", "unsure", "pass", "weapons", Status.PUBLISHED),
        ("warn", "warn", "pass", "weapons", Status.PUBLISHED),  # the larger model settles it
        ("pass", "block", "pass", "weapons", Status.IN_REVIEW),
        ("block", "pass", "pass", "weapons", Status.IN_REVIEW),
        ("pass", "pass", "unsure", "weapons", Status.IN_REVIEW),
        ("pass", "pass", "unsure", "drugs", Status.PUBLISHED),  # an experiment
        ("pass", "pass", "warn", "drugs", Status.IN_REVIEW),
        ("pass", "pass", "block", "tobacco_alcohol", Status.IN_REVIEW),
    ],
)
def test_what_the_photo_models_come_to(device, gate, cloud, policy, status):
    said = [of_photo("device", device, policy), of_photo("gate", gate, policy), of_photo("cloud", cloud, policy)]
    assert outcome.decide_outcome([WORDS, *said]).status == status


def test_the_merchant_reads_which_photo_and_why_and_the_moderator_all_of_it():
    found = outcome.decide_outcome(
        [
            WORDS,
            of_photo("device", "pass"),
            of_photo("cloud", "warn"),
            of_photo("cloud", "block", "tobacco_alcohol", position=3),
        ]
    )
    assert found.note == (
        "Photo 2: This photo looks like a weapon or a part of one. Photo 4: This photo looks like tobacco, a vape or "
        "alcohol. A moderator looks at this listing before it goes on sale. You need not do anything. If a photo "
        "should not be here, take it out and submit again."
    )
    assert found.cause == (
        "Photo 2: the server's check suspects: Weapons. The merchant's device claims that it found nothing.\n"
        "Photo 4: the server's check suspects: Tobacco, vapes and alcohol."
    )
    assert found.policy == "weapons"


def test_what_holds_for_several_photos_is_said_once():
    said = [of_photo("cloud", "warn", position=place) for place in (0, 2, 5)]
    note = outcome.decide_outcome([WORDS, *said]).note
    assert note.startswith("Photos 1, 3 and 6, each: This photo looks like a weapon")
    assert note.count("looks like a weapon") == 1


def test_a_disbelieved_claim_about_a_photo_counts_for_nothing():
    claim = of_photo("device", "block")
    claim.detail = {"disbelieved": "It comes from another version of the model."}
    assert outcome.decide_outcome([WORDS, claim, of_photo("cloud", "pass")]).status == Status.PUBLISHED


def test_a_doubt_about_a_photo_keeps_what_there_is_to_say_of_the_words():
    contacts = Verdict(where="cloud", model="contact-details", decision="warn", evidence=[{"kind": "link"}])
    found = outcome.decide_outcome([WORDS, contacts, of_photo("cloud", "warn")])
    assert found.status == Status.IN_REVIEW
    assert "The text holds a link." in found.note and "Photo 2" in found.note
    assert found.note.endswith(outcome.ALSO_NOTE)
    assert "need not do anything" not in found.note, "the link is to be taken out"


def test_two_checks_of_one_photo_name_it_once():
    removed = of_photo("cloud", "block", model=checks.PHOTO_BANK)
    note = outcome.decide_outcome([WORDS, removed, of_photo("cloud", "warn")]).note
    assert note.count("Photo 2") == 1
    assert "looks like a weapon" in note and "removed" in note


def test_a_photos_pass_does_not_stand_for_the_words():
    assert outcome.decide_outcome([of_photo("cloud", "pass")]).status == Status.IN_REVIEW
    without_its_row = of_photo("cloud", "pass")
    without_its_row.photo = None
    assert outcome.decide_outcome([without_its_row]).status == Status.IN_REVIEW


# --- Editing ---------------------------------------------------------------------------------------------------------
def edit(listing: Listing, *stored: Photo, **changed: str) -> Listing:
    names = ("title", "description", "category", "attributes", "price", "currency", "condition")
    content = {name: getattr(listing, name) for name in names} | changed
    return submission.resubmit(
        listing=listing, seller=listing.seller, content=content, photos=list(stored), base_edits=listing.edits
    )


def test_words_that_move_to_another_photo_are_kept(upload, send):
    chair, tripod = upload(CHAIR), upload(TRIPOD)
    chair.alt = "Seen from the left"
    listing = send(chair, tripod)
    chair, tripod = listing.photos.all()
    chair.alt, tripod.alt = "", chair.alt
    edit(listing, chair, tripod)
    assert [photo.alt for photo in listing.photos.order_by("position")] == ["", "Seen from the left"]


def test_a_photo_that_was_taken_out_waits_from_then_on(upload, send):
    chair = upload(CHAIR)
    listing = send(chair)
    Photo.objects.update(created_at=timezone.now() - timedelta(days=40))
    edit(listing, upload(TRIPOD))
    tasks.sweep()
    assert Photo.objects.get(pk=chair.pk).listing is None
    Photo.objects.filter(pk=chair.pk).update(created_at=timezone.now() - timedelta(days=40))
    tasks.sweep()
    assert not Photo.objects.filter(pk=chair.pk).exists()


def test_a_photo_of_a_case_is_not_wiped_by_taking_it_out(upload, send, merchant, moderator):
    chair = upload(CHAIR)
    listing = send(chair)
    Listing.objects.update(status=Status.IN_REVIEW)
    job = ReviewJob.objects.create(listing=listing, revision=1, cause="Reported.")
    decisions.reject(job=job, moderator=moderator, policy="weapons", reason="Not sold here.", photos=[])
    listing.refresh_from_db()
    edit(listing, upload(TRIPOD))
    Photo.objects.filter(pk=chair.pk).update(created_at=timezone.now() - timedelta(days=40))
    tasks.sweep()
    assert not photos.remove_staged(merchant, chair.pk)
    assert chair.verdicts.filter(revision=1).exists()


@pytest.mark.django_db(transaction=True)
def test_two_forms_with_the_same_photos_in_opposite_order_both_come_through(upload, send, monkeypatch):
    pks = [upload(encoded(Image.effect_noise((60, 40), 10 + n).convert("RGB"))).pk for n in range(8)]
    barrier, keep, errors = threading.Barrier(2), submission._keep, []

    def at_once(*args) -> None:
        barrier.wait(20)
        keep(*args)

    monkeypatch.setattr(submission, "_keep", at_once)

    def submit(order: str) -> None:
        try:
            send(*Photo.objects.filter(pk__in=pks).order_by(order), title=f"A chair of ash wood, {order}")
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=submit, args=[order]) for order in ("pk", "-pk")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert [listing.photos.count() for listing in Listing.objects.all()] == [8, 8]
