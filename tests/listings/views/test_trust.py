"""The operator's page: what is owed, what may be changed, and by whom."""

import pytest

from listings.models import SettingChange
from listings.trust import cells, settings
from tests.listings.trust.conftest import claim, earn, open_cells, owing, send, set_to  # noqa: F401  (fixtures)

PAGE = "/moderation/trust/"
WHY = "Too many unsafe views last week."


@pytest.fixture
def page(as_user, moderator):
    return as_user(moderator)


def test_an_empty_site_owes_nothing_and_measured_nothing(page):
    said = page.get(PAGE).content.decode()
    assert "Everything on sale was checked in full." in said
    assert "Nothing was counted yet" in said
    assert all(setting.label in said for setting in settings.ALL.values())


def test_what_is_owed_stands_there_with_its_risk_and_views(page, owing):  # noqa: F811
    debt = owing()
    cells.refresh()
    said = page.get(PAGE).content.decode()
    assert debt.listing.title in said
    assert "owes heavy checks" in said
    assert f"/moderation/record/{debt.listing.public_id}/" in said


def test_a_change_needs_a_number_and_a_reason(page):
    for value, reason, says in (
        ("many", WHY, "Write a number"),
        ("-4", WHY, "from 0 to"),
        ("nan", WHY, "from 0 to"),
        ("50", "so", "Say why"),
    ):
        answer = page.post(PAGE, {"name": "heavy_cap", "value": value, "reason": reason})
        assert answer.status_code == 400
        said = answer.content.decode()
        assert says in said
        assert f'value="{value}"' in said, "what was typed is kept"
    assert not SettingChange.objects.exists()


def test_a_change_is_made_and_listed(page):
    answer = page.post(PAGE, {"name": "heavy_cap", "value": "50", "reason": WHY}, follow=True)
    said = answer.content.decode()
    assert "100 → 50" in said
    assert WHY in said
    assert settings.values()["heavy_cap"] == 50


def test_a_decimal_comma_is_understood(page):
    page.post(PAGE, {"name": "margin", "value": "0,25", "reason": WHY})
    assert settings.values()["margin"] == 0.25


def test_an_unknown_setting_is_refused(page):
    assert page.post(PAGE, {"name": "nothing", "value": "1", "reason": WHY}).status_code == 400


@pytest.mark.parametrize("path", [PAGE, "/moderation/record/abcdefghjk/"])
def test_only_moderators_see_it(path, as_user, merchant, client):
    assert as_user(merchant).get(path).status_code == 403
    assert client.get(path).status_code == 302


def test_the_record_of_a_listing(page, owing):  # noqa: F811
    debt = owing()
    said = page.get(f"/moderation/record/{debt.listing.public_id}/").content.decode()
    assert "On sale before its heavy checks" in said
    assert page.get("/moderation/record/abcdefghjk/").status_code == 404


def test_a_switch_is_on_or_off(page):
    before = page.get(PAGE).content.decode()
    assert "<strong>on </strong>" in before
    assert "This is switched off now" not in before
    page.post(PAGE, {"name": "debts", "value": "0", "reason": WHY})
    said = page.get(PAGE).content.decode()
    assert "<strong>off </strong>" in said
    assert "This is switched off now" in said
    assert "Publish before the heavy checks</strong>: 1 → 0" in said
