import pytest

from listings.lifecycle import Status
from listings.models import Decision


@pytest.mark.parametrize("path", ["/moderation/", "/moderation/1/"])
def test_only_moderators_enter(client, as_user, merchant, shopper, path):
    assert client.get(path).status_code == 302
    assert as_user(merchant).get(path).status_code == 403
    assert as_user(shopper).get(path).status_code == 403


def test_approving_publishes_and_rejecting_tells_the_merchant_why(as_user, moderator, merchant, make_case):
    good, bad = make_case("Shotgun microphone"), make_case("Butterfly knife")
    client = as_user(moderator)
    assert client.post(f"/moderation/{good.pk}/", {"action": "approve"}).status_code == 302
    good.listing.refresh_from_db()
    assert good.listing.status == Status.PUBLISHED
    reason = "Butterfly knives cannot be sold here, blunt or not."
    client.post(f"/moderation/{bad.pk}/", {"action": "reject", "policy": "weapons", "reason": reason})
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
    answer = as_user(moderator).post(f"/moderation/{case.pk}/", {"action": "reject"} | data)
    assert answer.status_code == 400
    assert not Decision.objects.exists()
    if len(data.get("reason", "")) > 10:
        assert data["reason"] in answer.content.decode()


def test_a_second_decision_changes_nothing_and_says_so(as_user, moderator, make_case):
    case = make_case()
    client = as_user(moderator)
    client.post(f"/moderation/{case.pk}/", {"action": "approve"})
    reason = "Too late, this was decided already."
    answer = client.post(
        f"/moderation/{case.pk}/", {"action": "reject", "policy": "weapons", "reason": reason}, follow=True
    )
    assert "notice--error" in answer.content.decode()
    case.listing.refresh_from_db()
    assert case.listing.status == Status.PUBLISHED
    assert Decision.objects.count() == 1


def test_html_in_a_reason_is_shown_as_text(as_user, moderator, merchant, make_case):
    case = make_case()
    reason = "<b onclick=alert(1)>This cannot be sold</b>"
    as_user(moderator).post(f"/moderation/{case.pk}/", {"action": "reject", "policy": "weapons", "reason": reason})
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
