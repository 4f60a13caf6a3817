"""Photos that a merchant takes out of a listing are kept as long as a decision about them may be looked at again."""

from datetime import timedelta

import pytest
from django.utils import timezone

from listings import photos, submission
from listings.lifecycle import Status
from listings.models import Appeal, Listing, Photo, ReviewJob, Revision
from listings.moderation import appeals, decisions, evidence, queue
from listings.moderation.decisions import Word
from tests.listings.conftest import WORDS
from tests.listings.moderation.conftest import REASON

WHY = "It is a comb in the shape of a knife, it has no blade."
pytestmark = pytest.mark.django_db(transaction=True)  # files go after the commit


@pytest.fixture
def media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.MEDIA_ROOT


@pytest.fixture
def case(merchant, jpeg, media):
    """In review with two photos, red and blue, and the case."""
    two = [photos.store_upload(merchant, jpeg(color=color)) for color in ("#a22", "#22a")]
    two[0].alt = "A knife on a table"
    listing = submission.submit(seller=merchant, content=WORDS, photos=two)
    Listing.objects.filter(pk=listing.pk).update(status=Status.IN_REVIEW)
    return queue.open_job(Listing.objects.get(pk=listing.pk), revision=1, cause="-", policy="weapons")


def take_out(case, *kept):
    """The merchant edits: only these photos stay."""
    listing = Listing.objects.get(pk=case.listing_id)
    submission.resubmit(
        listing=listing, seller=listing.seller, content=WORDS | {"title": "Wooden train set"}, photos=list(kept),
        base_edits=listing.edits,
    )  # fmt: skip


def swept(monkeypatch, days=0):
    """After so many days the sweeper comes by; how many photos are left."""
    with monkeypatch.context() as patch:
        later = timezone.now() + timedelta(days=days, seconds=1)
        patch.setattr(timezone, "now", lambda: later)
        photos.remove_abandoned(older_than=timedelta(0))
    return Photo.objects.count()


def files(media):
    return len(list(media.rglob("*.jpg")))


def reject(case, moderator):
    return decisions.reject(job=case, moderator=moderator, policy="weapons", reason=REASON)


def test_what_a_decision_names_is_kept_until_its_appeal_can_come_no_more(case, moderator, media, monkeypatch):
    reject(case, moderator)
    take_out(case)
    assert swept(monkeypatch, days=182) == 2 and files(media) >= 2
    assert swept(monkeypatch, days=184) == 0
    assert files(media) == 0


def test_while_an_appeal_is_open_they_are_kept_however_long_it_takes(case, moderator, merchant, media, monkeypatch):
    decision = reject(case, moderator)
    appeals.appeal(decision=decision, person=merchant, text=WHY)
    take_out(case)
    assert swept(monkeypatch, days=1_000) == 2
    asked = Appeal.objects.get().job
    assert [seen.photo.pk for seen in evidence.of_photos(asked)] == [
        said["id"] for said in Revision.objects.get(listing=case.listing_id, number=1).photos
    ]


def test_once_the_appeal_is_answered_and_its_time_over_they_go(case, moderator, second, merchant, media, monkeypatch):
    decision = reject(case, moderator)
    appeals.appeal(decision=decision, person=merchant, text=WHY)
    take_out(case)
    decisions.decide(job=Appeal.objects.get().job, moderator=second, word=Word("uphold", "", REASON))
    assert swept(monkeypatch, days=10) == 2, "the answer may be shown as long as the decision"
    assert swept(monkeypatch, days=184) == 0 and files(media) == 0


def test_the_time_is_that_of_the_decision_and_not_of_the_setting_now(case, moderator, set_to, media, monkeypatch):
    set_to(appeal_days=10)
    reject(case, moderator)
    set_to(appeal_days=183)
    take_out(case)
    assert swept(monkeypatch, days=9) == 2
    assert swept(monkeypatch, days=11) == 0


def test_neither_the_merchant_nor_want_of_room_removes_them(case, moderator, merchant, media, monkeypatch):
    reject(case, moderator)
    take_out(case)
    for photo in Photo.objects.all():
        assert not photos.remove_staged(merchant, photo.pk)
    monkeypatch.setattr("listings.limits.STAGED_PHOTOS", 0)
    with pytest.raises(Exception, match="wait"):
        photos._make_room(merchant)
    assert Photo.objects.count() == 2


def test_what_no_case_is_about_goes_as_ever(case, media, monkeypatch):
    take_out(case)
    assert ReviewJob.objects.get().state == "withdrawn"
    assert swept(monkeypatch) == 0 and files(media) == 0


def test_a_photo_of_somebody_elses_case_is_no_reason(case, moderator, other_merchant, jpeg, media, monkeypatch):
    reject(case, moderator)
    stranger = photos.store_upload(other_merchant, jpeg(color="#2a2"))
    swept(monkeypatch)
    assert not Photo.objects.filter(pk=stranger.pk).exists()


# --- What the case shows ---------------------------------------------------------------------------------------------
def test_a_case_shows_the_photos_of_its_revision_in_their_order_of_then(
    case, moderator, second, merchant, as_user, media, jpeg
):
    decision = reject(case, moderator)
    first, other = Photo.objects.order_by("position")
    new = photos.store_upload(merchant, jpeg(color="#2a2"))
    other.alt = "A train"
    take_out(case, new, other)
    appeals.appeal(decision=decision, person=merchant, text=WHY)
    asked = Appeal.objects.get().job
    assert [(seen.photo.pk, seen.number) for seen in evidence.of_photos(asked)] == [(first.pk, 1), (other.pk, 2)]
    assert [seen.photo.alt for seen in evidence.of_photos(asked)] == ["A knife on a table", ""]
    page = as_user(second).get(f"/moderation/{asked.pk}/").content.decode()
    assert first.url in page and new.url not in page and "gone" not in page
    assert page.index(first.url) < page.index(other.url)
    statement = as_user(second).get(f"/decisions/{decision.pk}/").content.decode()
    assert f"/moderation/{case.pk}/" in statement, "from the statement to the case with its photos"
    assert first.url in as_user(second).get(f"/moderation/{case.pk}/").content.decode()
    assert f"/moderation/{case.pk}/" not in as_user(merchant).get(f"/decisions/{decision.pk}/").content.decode()


def test_the_notice_counts_banned_photos_by_their_places_of_then(case, moderator, second, merchant, media):
    """A photo that moved up since is named as the merchant sees it in that version."""
    reject(case, moderator)
    other = Photo.objects.get(position=1)
    take_out(case, other)
    old = queue.open_job(Listing.objects.get(pk=case.listing_id), revision=1, kind="left", cause="-")
    assert Photo.objects.get(pk=other.pk).position == 0
    assert evidence.places(old, [other.pk]) == [2]


def test_a_photo_that_is_gone_is_said_in_a_sentence(case, moderator, as_user, media, monkeypatch):
    reject(case, moderator)
    kept = Photo.objects.get(position=1)
    take_out(case, kept)
    assert swept(monkeypatch, days=184) == 1
    page = as_user(moderator).get(f"/moderation/{case.pk}/").content.decode()
    assert "Photo 1 of this version is gone" in page
    assert kept.url in page and 'aria-label="Photos"' in page
    take_out(case)
    swept(monkeypatch, days=400)
    page = as_user(moderator).get(f"/moderation/{case.pk}/").content.decode()
    assert "Photos 1 and 2 of this version are gone" in page
