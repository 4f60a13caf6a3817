"""Who is given a photo's file: everybody while it is on sale, afterwards whom it concerns."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from listings import photos, renditions
from listings.models import Listing, Order, Photo


@pytest.fixture
def addresses(settings, tmp_path, merchant, make_listing, jpeg):
    """Every address of a listing's photo: as stored, small, and in the other sizes."""
    settings.MEDIA_ROOT = tmp_path / "media"

    def make(status: str) -> list[str]:
        photo = photos.store_upload(merchant, jpeg(size=(1000, 800)))
        renditions.make(photo.pk)
        Photo.objects.filter(pk=photo.pk).update(listing=make_listing(status=status))
        photo.refresh_from_db()
        made = [each[kind] for each in photo.renditions for kind in ("jpeg", "webp")]
        found = [reverse("media", args=[name]) for name in {photo.file, photo.thumb, *made}]
        assert len(found) > 4
        return found

    return make


def answers(client, addresses) -> set[int]:
    return {client.get(address).status_code for address in addresses}


def test_everybody_sees_what_is_on_sale(client, addresses):
    found = addresses("published")
    assert answers(client, found) == {200}
    response = client.get(found[0])
    assert response["Cache-Control"] == "public, max-age=86400"
    assert "Cookie" not in response.get("Vary", "")
    assert client.get(found[0], headers={"If-None-Match": response["ETag"]}).status_code == 304


def test_nobody_needs_a_session_for_what_is_on_sale(as_user, shopper, addresses):
    signed_in = as_user(shopper)
    with CaptureQueriesContext(connection) as caught:
        assert signed_in.get(addresses("published")[0]).status_code == 200
    assert not [query for query in caught if "session" in query["sql"]]


@pytest.mark.parametrize("status", ["rejected", "in_review", "checking", "needs_changes", "paused", "ended"])
def test_what_is_not_on_sale_is_for_its_merchant_and_moderators(
    client, as_user, addresses, merchant, other_merchant, moderator, shopper, status
):
    found = addresses(status)
    assert answers(client, found) == {404}
    assert answers(as_user(shopper), found) == {404}
    assert answers(as_user(other_merchant), found) == {404}
    assert answers(as_user(merchant), found) == {200}
    assert answers(as_user(moderator), found) == {200}
    assert as_user(merchant).get(found[0])["Cache-Control"] == "private, max-age=86400"


def test_what_a_moderator_takes_down_is_gone_for_those_who_kept_its_address(client, addresses):
    found = addresses("published")
    etag = client.get(found[0])["ETag"]
    Listing.objects.update(status="rejected")
    assert answers(client, found) == {404}
    assert client.get(found[0], headers={"If-None-Match": etag}).status_code == 404


def test_whoever_bought_it_sees_what_they_bought(as_user, addresses, shopper, other_merchant):
    found = addresses("ended")
    listing = Listing.objects.get()
    Order.objects.create(listing=listing, buyer=shopper, price=listing.price)
    assert answers(as_user(shopper), found) == {200}
    assert answers(as_user(other_merchant), found) == {404}


def test_a_photo_that_waits_for_its_form_is_its_merchants(client, as_user, settings, tmp_path, merchant, jpeg):
    settings.MEDIA_ROOT = tmp_path / "media"
    photo = photos.store_upload(merchant, jpeg())
    assert answers(client, [photo.url, photo.thumb_url]) == {404}
    assert answers(as_user(merchant), [photo.url, photo.thumb_url]) == {200}


def test_a_copy_on_sale_keeps_the_file_public(client, addresses, merchant, make_listing):
    found = addresses("ended")
    copy = photos.copy_staged(Photo.objects.get(), merchant)
    assert answers(client, found) == {404}
    Photo.objects.filter(pk=copy.pk).update(listing=make_listing())
    assert answers(client, found) == {200}
