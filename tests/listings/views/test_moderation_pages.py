import re

import pytest

from listings import photos
from listings.lifecycle import Status
from listings.models import Decision, RemovedPhoto, Verdict

pytestmark = pytest.mark.usefixtures("no_undo")


def decide(client, case, action, follow=False, **said):
    case.refresh_from_db()
    data = {"action": action, "revision": case.revision} | said
    return client.post(f"/moderation/{case.pk}/", data, follow=follow)


FIGURES = ["/moderation/quality/", "/moderation/savings/", "/moderation/statements.csv"]


@pytest.mark.parametrize("path", FIGURES)
def test_figures_are_only_shown(as_user, moderator, path):
    assert as_user(moderator).post(path).status_code == 405


@pytest.mark.parametrize(
    "path", ["/moderation/", "/moderation/1/", "/moderation/trust/", "/moderation/models/", *FIGURES]
)
def test_only_moderators_enter(client, as_user, merchant, shopper, path):
    assert client.get(path).status_code == 302
    assert as_user(merchant).get(path).status_code == 403
    assert as_user(shopper).get(path).status_code == 403


def test_approving_publishes_and_rejecting_tells_the_merchant_why(as_user, moderator, merchant, make_case):
    good, bad = make_case("Shotgun microphone"), make_case("Butterfly knife")
    client = as_user(moderator)
    assert decide(client, good, "approve").status_code == 302
    good.listing.refresh_from_db()
    assert good.listing.status == Status.PUBLISHED
    reason = "Butterfly knives cannot be sold here, blunt or not."
    decide(client, bad, "reject", policy="weapons", reason=reason)
    bad.listing.refresh_from_db()
    assert bad.listing.status == Status.REJECTED
    page = as_user(merchant).get("/sell/").content.decode()
    assert reason in page
    assert "Edit and submit again" in page


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"policy": "weapons", "reason": "no"},
        {"policy": "nonsense", "reason": "Long enough a reason"},
        {"reason": "Long enough a reason"},
    ],
)
def test_a_rejection_needs_a_policy_and_a_reason(as_user, moderator, make_case, data):
    case = make_case()
    answer = decide(as_user(moderator), case, "reject", **data)
    assert answer.status_code == 400
    assert not Decision.objects.exists()
    if len(data.get("reason", "")) > 10:
        assert data["reason"] in answer.content.decode()


def test_a_second_decision_changes_nothing_and_says_so(as_user, moderator, make_case):
    case = make_case()
    client = as_user(moderator)
    decide(client, case, "approve")
    reason = "Too late, this was decided already."
    answer = decide(client, case, "reject", policy="weapons", reason=reason)
    assert answer.status_code == 409
    assert "notice--error" in answer.content.decode()
    case.listing.refresh_from_db()
    assert case.listing.status == Status.PUBLISHED
    assert Decision.objects.count() == 1


def test_html_in_a_reason_is_shown_as_text(as_user, moderator, merchant, make_case):
    case = make_case()
    reason = "<b onclick=alert(1)>This cannot be sold</b>"
    decide(as_user(moderator), case, "reject", policy="weapons", reason=reason)
    page = as_user(merchant).get("/sell/").content.decode()
    assert reason not in page
    assert "&lt;b onclick=alert(1)&gt;This cannot be sold" in page


def test_the_queue_narrows_to_a_policy_and_counts(as_user, moderator, make_case):
    make_case("Gun-shaped lighter", policy="weapons")
    make_case("Odd leaflet", policy="")
    client = as_user(moderator)
    everything = client.get("/moderation/").content.decode()
    assert "Gun-shaped lighter" in everything
    assert "Odd leaflet" in everything
    weapons = client.get("/moderation/?policy=weapons").content.decode()
    assert "Odd leaflet" not in weapons
    assert "Gun-shaped lighter" not in client.get("/moderation/?policy=none").content.decode()


@pytest.fixture
def photo_case(make_case, merchant, jpeg):
    """A case of two photos: a warning with its heat map, text that was read, a match in the bank, a look-alike."""
    case = make_case("Box from the attic")
    stored = [photos.store_upload(merchant, jpeg(color=color)) for color in ("#822", "#282")]
    for position, photo in enumerate(stored):
        photo.listing, photo.position = case.listing, position
        photo.save()
    first, second = stored
    heat = {"photo": first.sha256, "rows": 2, "columns": 2, "heat": [90, 10, 0, 55], "box": [0.4, 0, 0.6, 0.6]}
    common = {"listing": case.listing, "revision": 1, "decision": "warn"}
    scores = {"drugs": 0.01, "tobacco_alcohol": 0.02, "weapons": 0.9, "safe": 0.07}
    cloud = {"where": "cloud", "policy": "weapons"}
    Verdict.objects.create(
        photo=first, model="listing-photo-cloud", version="1", scores=scores, evidence=[heat], **cloud, **common
    )
    Verdict.objects.create(
        photo=first, model="listing-photo", where="device", listing=case.listing, revision=1, decision="pass"
    )
    read = {"text": "Glock <19>\nammo", "boxes": [[0.1, 0.2, 0.3, 0.05]]}
    span = {"field": "photo", "start": 0, "end": 5, "weight": 2.0}
    Verdict.objects.create(photo=second, model="photo-text", evidence=[span], detail=read, **cloud, **common)
    match = {"removed": 1, "case": case.pk, "distance": 6}
    Verdict.objects.create(photo=second, model="photo-bank", detail=match, **cloud, **common)
    other = {"of": "abc234", "title": "Somebody's chair", "distance": 4}
    Verdict.objects.create(photo=second, model="look-alikes", where="cloud", detail=other, **common)
    return case, first, second


def test_every_check_of_a_photo_stands_beside_it(as_user, moderator, photo_case):
    case, first, _ = photo_case
    page = as_user(moderator).get(f"/moderation/{case.pk}/").content.decode()
    assert first.url in page
    assert '<rect x="40.0000" y="0.0000" width="30.0000" height="30.0000" fill-opacity="0.7680"/>' in page
    assert page.count("fill-opacity") == 2, "the cold places are not drawn"
    assert '<rect class="heated__line" x="10.0000" y="20.0000" width="30.0000" height="5.0000"/>' in page
    assert '<mark class="hit">Glock</mark> &lt;19&gt;' in page
    assert "98% of its pattern agrees with a photo that was removed" in page
    assert f'href="/moderation/{case.pk}/">Case {case.pk}, in which it was removed' in page
    assert 'href="/item/abc234/"' in page
    assert "1 check found nothing" in page
    assert "Toy guns, airsoft and replica arms" in page


def test_the_photos_that_were_flagged_are_chosen_for_the_bank(as_user, moderator, photo_case):
    case, first, second = photo_case
    Verdict.objects.filter(photo=second).exclude(model="look-alikes").delete()
    page = as_user(moderator).get(f"/moderation/{case.pk}/").content.decode()
    chosen = re.findall(r'name="photos" value="(\d+)"[^>]*checked', page)
    assert chosen == [str(first.pk)], "another seller's photo is not put in the bank unasked"


def test_a_rejection_puts_the_chosen_photos_into_the_bank(as_user, moderator, photo_case):
    case, first, second = photo_case
    data = {"policy": "weapons", "reason": "Not sold here, sorry.", "photos": [second.pk]}
    assert decide(as_user(moderator), case, "reject", **data).status_code == 302
    removed = RemovedPhoto.objects.get()
    assert (removed.sha256, removed.policy) == (second.sha256, "weapons")
    assert first.sha256 != second.sha256


@pytest.mark.parametrize("photos", [["x"], ["999999"]])
def test_a_photo_that_is_none_of_the_listings_is_refused(as_user, moderator, photo_case, photos):
    case, *_ = photo_case
    data = {"policy": "weapons", "reason": "Not sold here, sorry.", "photos": photos}
    assert decide(as_user(moderator), case, "reject", **data).status_code == 400
    assert not Decision.objects.exists() and not RemovedPhoto.objects.exists()


def test_a_new_price_alone_is_shown_and_an_older_revision_keeps_its_own(as_user, moderator, make_case):
    case = make_case()
    type(case.listing).objects.filter(pk=case.listing_id).update(price="999.99")
    shown = as_user(moderator).get(f"/moderation/{case.pk}/").content.decode()
    assert "999.99" in shown and "18.50" not in shown
    type(case.listing).objects.filter(pk=case.listing_id).update(revision=2)
    shown = as_user(moderator).get(f"/moderation/{case.pk}/").content.decode()
    assert "18.50" in shown and "999.99" not in shown
