"""The shadow of other model files: what it looks at, when it ends, and what it refuses."""

from __future__ import annotations

import time

import pytest
from django.core.exceptions import ValidationError
from django.db import connections
from django.utils import timezone

from listings import live_models, releases, shadow, tasks
from listings.lifecycle import Status
from listings.models import Listing, Photo, Release, ShadowLook
from models import photo, sets, text
from tests.listings.model_sets.made_up import (
    WHY,
    blind,
    damaged,
)
from tests.listings.test_photo_checks import CHAIR, TRIPOD
from tests.models.decided import HARMLESS


def test_the_shadow_of_a_model_for_photos_looks_at_photos_by_a_worker(
    candidate,
    upload,
    send,
    moderator,
    monkeypatch,
    django_capture_on_commit_callbacks,
):
    stored = send(upload(CHAIR))
    sent = []
    monkeypatch.setattr(tasks, "enqueue_look", sent.append)
    made = releases.draft_set(moderator=moderator, name=candidate(photo.MODEL, photo.TAIL), reason=WHY)
    releases.start_shadow(release=made, moderator=moderator, reason=WHY)
    live_models.forget()
    with django_capture_on_commit_callbacks(execute=True):
        listing = send(upload(TRIPOD), title="Aluminium tripod")
    assert sent == [listing.pk] and not ShadowLook.objects.exists()
    tasks.look_in_shadow(listing.pk)
    look = ShadowLook.objects.get()
    assert look.submitted and look.decided in ("pass", "unsure") and look.would_be == "warn"
    Photo.objects.filter(listing=stored).update(file="photos/gone.jpg")
    assert shadow.compare_stored(made.pk)
    assert ShadowLook.objects.get(listing=stored).would_be == "pass", "a photo that is gone is left out"
    assert shadow.figures(made)["new_warnings"] == 1


def test_the_shadow_of_a_model_of_words_is_asked_at_once(candidate, moderator, make_listing, monkeypatch):
    listing = make_listing()
    made = releases.draft_set(moderator=moderator, name=candidate(text.MODEL), reason=WHY)
    releases.start_shadow(release=made, moderator=moderator, reason=WHY)
    live_models.forget()
    monkeypatch.setattr(tasks, "enqueue_look", None)
    shadow.look_at(listing.pk)
    assert ShadowLook.objects.get().would_be == "warn"


def test_a_stopped_comparison_goes_on_where_it_was(candidate, moderator, make_listing, monkeypatch):
    for words in HARMLESS[:4]:
        make_listing(words[0], description=words[1])
    made = releases.draft_set(moderator=moderator, name=candidate(text.CLOUD, points=dict), reason=WHY)
    releases.start_shadow(release=made, moderator=moderator, reason=WHY)
    looked, sent, real = [], [], shadow.gravest

    def slow(listing, *releases):
        looked.append(listing.pk)
        if len(looked) == 2:
            monkeypatch.setattr(shadow, "SLICE_SECONDS", 30)
            time.sleep(0.6)
        return real(listing, *releases)

    monkeypatch.setattr(shadow, "gravest", slow)
    monkeypatch.setattr(shadow, "SLICE_SECONDS", 0.5)
    monkeypatch.setattr(tasks, "enqueue_shadow", sent.append)
    tasks.compare_stored(made.pk)
    assert 1 <= len(looked) <= 2 and sent == [made.pk] and Release.objects.get().compared_at is None
    tasks._send_shadow()
    assert sent == [made.pk], "it was sent a moment ago"
    Release.objects.update(compare_due_at=timezone.now())
    for _ in range(2):
        tasks._send_shadow()
    assert sent == [made.pk] * 2, "if that was lost, the sweeper sends it, once"
    monkeypatch.setattr(shadow, "SLICE_SECONDS", 30)
    tasks.compare_stored(made.pk)
    assert sorted(looked) == sorted(Listing.objects.values_list("pk", flat=True)), "none twice"
    Release.objects.update(compare_due_at=timezone.now())
    tasks._send_shadow()
    assert sent == [made.pk] * 2 and shadow.is_compared(Release.objects.get())


def test_one_worker_alone_compares(candidate, moderator, make_listing):
    make_listing()
    made = releases.draft_set(moderator=moderator, name=candidate(text.MODEL), reason=WHY)
    releases.start_shadow(release=made, moderator=moderator, reason=WHY)
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s, %s)", [shadow.LOCK, made.pk])
        assert shadow.compare_stored(made.pk) and not ShadowLook.objects.exists()
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [shadow.LOCK, made.pk])
    finally:
        other.close()
    assert shadow.compare_stored(made.pk) and ShadowLook.objects.count() == 1


def test_a_comparison_that_cannot_be_made_says_why(candidate, root, moderator, make_listing):
    make_listing()
    name = candidate(text.MODEL)
    made = releases.draft_set(moderator=moderator, name=name, reason=WHY)
    releases.start_shadow(release=made, moderator=moderator, reason=WHY)
    damaged(root / name)
    assert shadow.compare_stored(made.pk)
    assert "damaged" in Release.objects.get().compare_problem
    with pytest.raises(ValidationError, match="damaged"):
        releases.publish(release=made, moderator=moderator, reason=WHY)


def test_a_model_that_fails_on_everything_is_not_compared(candidate, moderator, make_listing, monkeypatch):
    for words in HARMLESS[:5]:
        make_listing(words[0], description=words[1])
    made = releases.draft_set(moderator=moderator, name=candidate(text.CLOUD), reason=WHY)
    releases.start_shadow(release=made, moderator=moderator, reason=WHY)

    def fails(*rest):
        raise RuntimeError("Invalid input name")

    monkeypatch.setattr(shadow, "gravest", fails)
    assert shadow.compare_stored(made.pk)
    assert shadow.figures(made)["looked"] == 0
    with pytest.raises(ValidationError, match="failed on 5 of 5 stored listings"):
        releases.publish(release=made, moderator=moderator, reason=WHY)


def test_a_draft_that_was_in_the_shadow_before_is_compared_anew(candidate, moderator, make_listing):
    make_listing()
    first = releases.draft_set(moderator=moderator, name=candidate(text.SECOND, points=dict), reason=WHY)
    second = releases.draft_set(moderator=moderator, name=candidate(text.SECOND, version="61", points=dict), reason=WHY)
    releases.start_shadow(release=first, moderator=moderator, reason=WHY)
    shadow.compare_stored(first.pk)
    assert releases.start_shadow(release=second, moderator=moderator, reason=WHY) == first
    first.refresh_from_db()
    releases.start_shadow(release=first, moderator=moderator, reason=WHY)
    with pytest.raises(ValidationError, match="not gone over"):
        releases.publish(release=first, moderator=moderator, reason=WHY)


def test_a_rollback_while_it_is_compared_is_not_lost(candidate, publish, moderator, make_listing, monkeypatch):
    make_listing()
    live = publish(candidate(text.CLOUD, points=dict))
    made = releases.draft_set(moderator=moderator, name=candidate(text.SECOND, version="61", points=dict), reason=WHY)
    releases.start_shadow(release=made, moderator=moderator, reason=WHY)
    real = shadow.gravest

    def meanwhile(*rest):
        if Release.objects.filter(pk=live.pk, state="live").exists():
            Release.objects.filter(pk=live.pk).update(state="retired")
        return real(*rest)

    monkeypatch.setattr(shadow, "gravest", meanwhile)
    assert shadow.compare_stored(made.pk) is False, "it goes on beside what counts now"
    assert shadow.compare_stored(made.pk) is True


def test_one_listing_that_cannot_be_looked_at_holds_up_nothing(candidate, moderator, make_listing, monkeypatch):
    odd, calm = make_listing(), make_listing()
    made = releases.draft_set(moderator=moderator, name=candidate(text.MODEL, points=dict), reason=WHY)
    releases.start_shadow(release=made, moderator=moderator, reason=WHY)
    real = shadow.gravest

    def stumbles(listing, *rest):
        if listing == odd:
            raise ValueError("a photo of its own kind")
        return real(listing, *rest)

    monkeypatch.setattr(shadow, "gravest", stumbles)
    assert shadow.compare_stored(made.pk)
    assert shadow.figures(made)["looked"] == 1 and shadow.is_compared(Release.objects.get())
    assert ShadowLook.objects.get(would_be="").listing == odd and calm.pk != odd.pk


def test_figures_beside_another_deployment_count_for_nothing(candidate, moderator, make_listing, monkeypatch):
    make_listing()
    made = releases.draft_set(moderator=moderator, name=candidate(text.MODEL, points=dict), reason=WHY)
    releases.start_shadow(release=made, moderator=moderator, reason=WHY)
    shadow.compare_stored(made.pk)
    monkeypatch.setattr(sets, "state", lambda release: "another")
    with pytest.raises(ValidationError, match="not gone over"):
        releases.publish(release=made, moderator=moderator, reason=WHY)
    ShadowLook.objects.update(would_be="block")
    shadow.compare_stored(made.pk)
    assert ShadowLook.objects.get().would_be == "pass", "looked at anew"


def test_a_model_that_warns_of_what_is_on_sale_is_not_published(candidate, publish, make_listing):
    for words in HARMLESS[:4]:
        make_listing(words[0], description=words[1])
    with pytest.raises(ValidationError, match="on sale or were approved it would warn"):
        publish(candidate(text.MODEL))


def test_nor_one_that_no_longer_sees_what_was_rejected(candidate, publish, make_listing):
    for number in range(3):
        make_listing(f"Cocaine, {number + 4} grams, pure", description="", status=Status.REJECTED)
    with pytest.raises(ValidationError, match="of 3 rejected listings that are warned now it would let 3 pass"):
        publish(candidate(text.MODEL, points=blind))
