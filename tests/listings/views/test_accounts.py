import pytest

from listings.models import User
from tests.conftest import PASSWORD


def test_somebody_signs_up_as_a_merchant_and_lands_at_their_listings(client, db):
    answer = client.post(
        "/accounts/sign-up/",
        {
            "username": "nora",
            "email": "",
            "role": "merchant",
            "shop_name": "Nora",
            "password1": "walnut-stool-7",
            "password2": "walnut-stool-7",
        },
    )
    assert answer.status_code == 302
    assert answer.url == "/sell/"
    assert User.objects.get(username="nora").is_merchant


def test_nobody_signs_up_as_a_moderator(client, db):
    answer = client.post(
        "/accounts/sign-up/",
        {"username": "mallory", "role": "moderator", "password1": "walnut-stool-7", "password2": "walnut-stool-7"},
    )
    assert answer.status_code == 400
    assert not User.objects.filter(username="mallory").exists()


def test_a_role_cannot_be_raised_through_the_account_page(as_user, shopper):
    as_user(shopper).post("/accounts/settings/", {"role": "moderator", "is_staff": "on", "town": "Basel"})
    shopper.refresh_from_db()
    assert (shopper.role, shopper.is_staff, shopper.town) == ("shopper", False, "Basel")


def test_signing_in_and_out(client, merchant):
    assert client.post("/accounts/sign-in/", {"username": "alice", "password": "wrong"}).status_code == 200
    assert client.post("/accounts/sign-in/", {"username": "alice", "password": PASSWORD}).url == "/sell/"
    client.post("/accounts/sign-out/")
    assert client.get("/sell/").status_code == 302


def test_a_foreign_next_address_is_not_followed(client, merchant):
    answer = client.post(
        "/accounts/sign-in/?next=https://evil.example/",
        {"username": "alice", "password": PASSWORD, "next": "https://evil.example/"},
    )
    assert answer.url == "/sell/"


@pytest.mark.parametrize("role", ["merchant", "shopper", "moderator"])
def test_demo_accounts_are_one_click_only_in_demo_mode(client, db, settings, role):
    User.objects.create_user(role, password="demo", role=role)
    settings.DEMO = False
    assert "demo" not in client.get("/accounts/sign-in/").content.decode().lower()
    assert client.post(f"/accounts/demo/{role}/").status_code == 404
    settings.DEMO = True
    page = client.get("/accounts/sign-in/").content.decode()
    assert "demo mode" in page
    assert all(f"<code>{name}</code>" in page for name in ("merchant", "shopper", "moderator", "mod_iris"))
    assert client.post(f"/accounts/demo/{role}/").status_code == 302
    assert client.session["_auth_user_id"]


def test_a_demo_click_never_opens_an_account_of_another_role(client, settings, db):
    settings.DEMO = True
    User.objects.create_user("merchant", password="x", role="moderator")
    client.post("/accounts/demo/merchant/")
    assert "_auth_user_id" not in client.session


def test_a_shopper_becomes_a_merchant_with_one_click_and_a_moderator_never(as_user, shopper, moderator):
    client = as_user(shopper)
    assert "Start selling" in client.get("/sell/new/").content.decode()
    client.post("/sell/start/")
    assert client.get("/sell/new/").status_code == 200
    as_user(moderator).post("/sell/start/")
    moderator.refresh_from_db()
    assert moderator.role == "moderator"
    assert as_user(moderator).get("/sell/new/").status_code == 403
