"""The record: complete, in order, and not to be changed; what devices say beside the gate."""

import pytest
from django.db import IntegrityError, connection, transaction

from listings import submission, validation
from listings.models import Decision, Ruling, SettingChange, StatusChange, Verdict
from listings.trust import agreement, record
from tests.listings.conftest import WORDS

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"


def test_the_record_tells_everything_from_claim_to_payment(owing):
    debt = owing()
    for check in debt.job.checks.order_by("pk"):
        validation.run(check.pk)
    lines = record.of(debt.listing)
    assert [line.at for line in lines] == sorted(line.at for line in lines)
    said = [line.what for line in lines]
    for what in (
        "Pass on the words",
        "On sale before its heavy checks",
        "Published",
        "Light checks made",
        "Heavy checks made",
    ):
        assert what in said
    claimed = next(line for line in lines if "merchant's device" in line.who)
    assert claimed.who.startswith("listing-text ")
    assert claimed.policies_version


@pytest.mark.parametrize("model", [Verdict, Ruling, StatusChange])
def test_what_stands_in_the_record_is_not_changed(owing, model):
    owing()
    with pytest.raises(IntegrityError, match="a record"), transaction.atomic():
        model.objects.update(revision=7)


def test_nor_are_decisions_and_settings(make_case, moderator, set_to):
    case = make_case()
    Decision.objects.create(review_job=case, listing=case.listing, moderator=moderator, action="approve")
    set_to(heavy_cap=50)
    for rows, changes in ((Decision, {"reason": "another"}), (SettingChange, {"value": 9})):
        with pytest.raises(IntegrityError, match="a record"), transaction.atomic():
            rows.objects.update(**changes)


def test_only_who_says_so_dates_a_row_back(owing):
    debt = owing()
    long_ago = debt.opened_at.replace(year=2020)
    with pytest.raises(IntegrityError), transaction.atomic():
        StatusChange.objects.update(created_at=long_ago)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL marketplace.dating_back = 'on'")
        StatusChange.objects.update(created_at=long_ago)
        with pytest.raises(IntegrityError), transaction.atomic():
            StatusChange.objects.update(note="something else")


@pytest.mark.parametrize(
    ("told", "name"),
    [
        (CHROME, "Chrome 156"),
        (f"{CHROME} Edg/156.0.1.2", "Edge 156"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox 140"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/26.0 Mobile/15E148 Safari/604.1",
            "Safari 26",
        ),
        ("curl/8.5.0", "other"),
        ("", "other"),
        ("Chrome/" + "9" * 5000, "Chrome 9999"),
    ],
)
def test_a_browser_is_known_by_name_and_main_version(told, name):
    assert agreement.browser(told) == name


def test_differences_are_counted_by_browser_and_version(merchant, claim):
    def send(number: int, said: str, browser: str) -> None:
        words = WORDS | {"title": f"Wooden train set, {number} pieces"}
        submission.submit(seller=merchant, content=words, photos=[], claim=said, browser=browser)

    def off(number: int) -> str:
        verdict = submission.claims.Claim.model_validate_json(claim(title=f"Wooden train set, {number} pieces"))
        moved = verdict.scores | {"safe": verdict.scores["safe"] - 0.1}
        return verdict.model_copy(update={"scores": moved}).model_dump_json()

    send(1, claim(title="Wooden train set, 1 pieces"), "Chrome 156")
    send(2, off(2), "Chrome 156")
    send(3, claim(), "Firefox 140")
    first, second = agreement.rows()
    assert (first["browser"], first["claims"], first["differing"], first["disbelieved"]) == ("Chrome 156", 2, 1, 0)
    assert first["furthest"] == pytest.approx(0.1, abs=1e-3)
    assert (second["browser"], second["claims"], second["disbelieved"]) == ("Firefox 140", 1, 1)
    assert first["version"]
