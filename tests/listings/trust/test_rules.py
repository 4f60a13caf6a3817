"""Who may be on sale before the heavy checks, and what keeps everybody else waiting."""

from datetime import timedelta

import pytest
from django.utils import timezone

from listings import checks, policies, submission, validation
from listings.lifecycle import Status
from listings.models import (
    Cell,
    Debt,
    Decision,
    Listing,
    Order,
    OwedCheck,
    Photo,
    ReviewJob,
    Ruling,
    StatusChange,
    ValidationJob,
    Verdict,
    Where,
)
from listings.trust import rules, savings, settings, tiers
from models import manifest, text
from tests.listings.conftest import WORDS

GATES = (text.MODEL, text.SECOND)


@pytest.fixture
def ready(earn, open_cells):
    earn(12)
    open_cells()


def grounds(listing) -> str:
    return " ".join(Ruling.objects.get(listing=listing, revision=listing.revision).grounds)


def test_a_known_sellers_listing_is_on_sale_at_once_and_owes_its_heavy_checks(ready, send):
    listing = send()
    assert grounds(listing) == ""
    assert listing.__class__.objects.get(pk=listing.pk).status == Status.PUBLISHED
    debt = Debt.objects.get()
    assert (debt.state, debt.tier, debt.impressions) == ("open", tiers.Tier.TRUSTED, 0)
    assert 0 < debt.risk < 0.5
    due = dict(OwedCheck.objects.values_list("name", "due_at"))
    assert {name for name, at in due.items() if at == checks.DEFERRED} <= set(checks.HEAVY)
    assert set(checks.LIGHT) & set(due) == {checks.CONTACT_DETAILS, checks.DUPLICATES}
    last = StatusChange.objects.order_by("-pk")[0]
    assert (last.source, last.target, last.actor) == (Status.CHECKING, Status.PUBLISHED, None)


def test_the_ruling_names_the_terms_by_which_it_was_made(ready, send, set_to):
    set_to(heavy_cap=33)
    listing = send()
    assert Ruling.objects.get(listing=listing).terms["heavy_cap"] == 33


def test_a_new_seller_is_checked_in_full_first(earn, open_cells, send):
    earn(4)
    open_cells()
    listing = send()
    assert listing.status == Status.CHECKING
    assert "new in this category (4 of 5)" in grounds(listing)
    assert not Debt.objects.exists()
    assert not OwedCheck.objects.filter(due_at=checks.DEFERRED).exists()


def test_trust_of_another_category_counts_for_nothing(earn, open_cells, send):
    earn(20, category="books")
    open_cells()
    assert "new in this category (0 of 5)" in grounds(send())


def test_no_more_trust_is_earned_in_a_day_than_the_setting_says(earn, open_cells, send):
    earn(50, a_day=50)
    open_cells()
    listing = send()
    assert Ruling.objects.get(listing=listing).tier == tiers.Tier.KNOWN


def test_an_account_that_may_have_changed_hands_begins_anew(ready, send, merchant):
    merchant.trust_from = timezone.now()
    merchant.save()
    assert "new in this category" in grounds(send())


def test_another_shop_name_means_it_may_have_changed_hands(ready, merchant, as_user):
    page = {"town": "Ghent", "about": "", "email": ""}
    as_user(merchant).post("/accounts/settings/", page | {"shop_name": merchant.shop_name})
    merchant.refresh_from_db()
    assert merchant.trust_from is None
    as_user(merchant).post("/accounts/settings/", page | {"shop_name": "Under new owners"})
    merchant.refresh_from_db()
    assert merchant.trust_from is not None


@pytest.fixture
def rejected(make_case, moderator):
    """A rejection under another category, so many days ago."""

    def make(days: float) -> None:
        case = make_case()
        Decision.objects.create(
            review_job=case,
            listing=case.listing,
            moderator=moderator,
            action="reject",
            policy="weapons",
            created_at=timezone.now() - timedelta(days=days),
        )

    return make


def test_after_a_rejection_trust_is_earned_anew(ready, send, rejected, merchant, set_to):
    rejected(days=5.5)  # `ready` earned one a day before, and five since
    standing = tiers.standing(merchant, "toys", settings.values())
    assert (standing.tier, standing.points) == (tiers.Tier.KNOWN, 5)
    assert grounds(send()) == ""
    set_to(trusted_after=5)
    assert tiers.standing(merchant, "toys", settings.values()).tier == tiers.Tier.KNOWN, "trusted by none of it"
    set_to(known_after=6)
    assert "rejected not long ago (5 of 6 in this category since)" in grounds(send(title="Wooden train set, 9 pieces"))


def test_sales_from_before_a_rejection_count_for_nothing(ready, rejected, merchant, shopper):
    first = Listing.objects.filter(seller=merchant, category="toys").order_by("created_at").first()
    Order.objects.create(
        listing=first, buyer=shopper, price=first.price, status="settled", created_at=timezone.now() - timedelta(days=9)
    )
    rejected(days=5.5)
    assert tiers.standing(merchant, "toys", settings.values()).points == 5


def test_after_a_rejection_everything_of_the_seller_is_checked_first(ready, send, make_case, moderator):
    case = make_case()
    said = {
        "review_job": case,
        "listing": case.listing,
        "moderator": moderator,
        "action": "reject",
        "policy": "weapons",
    }
    Decision.objects.create(**said)
    assert "rejected not long ago" in grounds(send())
    Decision.objects.all().delete()
    Decision.objects.create(**said, created_at=timezone.now() - timedelta(days=91))
    assert grounds(send(title="Wooden train set, 30 pieces")) == ""


def test_another_price_level_is_checked_first(ready, send):
    assert "price is of another level" in grounds(send(price=100))


def test_what_came_back_for_changes_earns_no_trust(earn, open_cells, send):
    earn(12)
    open_cells()
    ValidationJob.objects.update(outcome="needs_changes")
    assert "new in this category (0 of 5)" in grounds(send())


def test_a_price_of_another_level_afterwards_calls_the_debt_in(ready, send, set_to, merchant):
    set_to(audit_share=0)
    listing = send()
    for price, status in ((55, Status.PUBLISHED), (7000, Status.CHECKING)):
        listing = submission.resubmit(
            listing=listing, seller=merchant, content=WORDS | {"price": price}, photos=[], base_edits=listing.edits
        )
        assert listing.__class__.objects.get(pk=listing.pk).status == status


def test_a_category_where_the_gate_was_not_measured_is_checked_first(earn, send):
    earn(12)
    assert "not measured well enough" in grounds(send())


def test_one_policy_that_the_gate_misses_closes_the_category(ready, send):
    Cell.objects.filter(policy="weapons").update(upper=0.06)
    said = grounds(send())
    assert said == f"The gate is not measured well enough in this category for: {policies.name('weapons')}."


def test_without_a_claim_the_heavier_models_look_first(ready, send):
    assert "did not check everything" in grounds(send(said=""))


def test_a_claim_that_differs_from_the_gate_is_looked_at_but_costs_no_trust(ready, send, claim, merchant):
    forged = claim().replace('"safe":', '"safe": 0.5, "was":')
    listing = send(said=forged)
    assert grounds(listing)
    assert grounds(send(title="Wooden train set, 30 pieces")) == "", "only this listing waits"


def test_what_the_gate_suspects_is_checked_first_whoever_sells_it(ready, send):
    listing = send(
        title="Butterfly knife, black handle", description="Balisong with a sharp blade, opens one-handed. And a taser."
    )
    assert "does not pass the words" in grounds(listing)
    assert ValidationJob.objects.get(listing=listing).gate_clear is False


def of_gate(model: str, unsafe: float) -> Verdict:
    return Verdict(where=Where.GATE, model=model, decision="pass", scores={"safe": 1 - unsafe, "drugs": unsafe})


def of_words(device: float, second: float) -> list[Verdict]:
    """Shares of the point from which each model is unsure."""
    points = {name: manifest.model(manifest.load(), name)["operating_points"]["unsure"] for name in GATES}
    return [of_gate(name, share * points[name]) for name, share in zip(GATES, (device, second), strict=True)]


@pytest.mark.parametrize(("device", "second", "passes"), [(0.4, 0.4, True), (0.05, 0.9, False), (0.9, 0.05, False)])
def test_each_model_passes_with_margin_however_little_the_other_sees(db, device, second, passes):
    found = list(rules.by_gate([], of_words(device, second), {"margin": 0.5}))
    assert found == [] if passes else "without margin" in found[0]


def test_a_doubt_stays_one_whatever_the_other_model_says():
    device, second = of_words(1.1, 0.0)
    device.decision = "unsure"
    assert "does not pass the words" in next(rules.by_gate([], [device, second], {"margin": 0.5}))


def test_risk_is_what_was_measured_and_less_far_from_the_margin(db):
    terms, upper = {"margin": 0.5}, {"drugs": 0.02, "weapons": 0.01}
    assert rules.risk(of_words(0.5, 0.1), upper, terms) == pytest.approx(0.02)
    assert rules.risk(of_words(0.1, 0.05), upper, terms) == pytest.approx(0.004)
    assert rules.risk([], upper, terms) == rules.risk(of_words(0.1, 0.1), {}, terms) == 1.0


KNIFE = {
    "title": "Butterfly knife, black handle",
    "description": "Balisong with a sharp blade, opens one-handed. And a taser.",
}


def test_what_a_person_decides_in_any_case_is_spared_the_heavy_checks(ready, send, set_to):
    set_to(spare_checks=1)
    listing = send(**KNIFE)
    job = ValidationJob.objects.get(listing=listing)
    assert set(job.checks.filter(state="dropped").values_list("name", flat=True)) == {checks.WORDS}
    for check in job.checks.filter(state="owed"):
        validation.run(check.pk)
    case = ReviewJob.objects.get(listing=listing)
    assert case.policy == "weapons" and "was not asked" in case.cause
    job.refresh_from_db()
    assert job.state == "done" and savings.count(1).revisions.fates["spared"] == 1


def test_by_itself_a_moderator_reads_what_the_larger_model_says(ready, send, set_to):
    listing = send(**KNIFE)
    set_to(spare_checks=1)
    plain = send(title="Wooden train set, 30 pieces", price=100)
    for one in (listing, plain):
        assert not OwedCheck.objects.filter(job__listing=one, state="dropped").exists()


def test_contact_details_and_duplicates_are_found_before_it_is_on_sale(ready, send):
    called = send(description="Beech tracks and a red engine. Call 079 123 45 67.")
    assert "contact details" in grounds(called)
    send()
    assert "Another listing has the same words" in grounds(send())


def test_a_seller_has_few_debts_at_a_time_and_a_day(ready, send, set_to):
    set_to(seller_debts=1, trusted_after=12)
    send()
    second = send(title="Wooden train set, 30 pieces")
    assert "too many listings that still owe" in grounds(second)
    set_to(trusted_after=6)
    assert grounds(send(title="Wooden train set, 33 pieces")) == "", "twice as much was checked as makes one trusted"
    Debt.objects.update(state="paid")
    set_to(seller_day=1)
    assert "within a day" in grounds(send(title="Wooden train set, 36 pieces"))


def test_while_workers_are_behind_nothing_is_waved_through(ready, send, make_listing, other_merchant):
    waiting = make_listing(seller=other_merchant, status=Status.CHECKING)
    job = checks.owe(waiting, [])
    long_ago = timezone.now() - timedelta(minutes=11)
    ValidationJob.objects.filter(pk=job.pk).update(created_at=long_ago)
    OwedCheck.objects.filter(job=job).update(due_at=long_ago)
    assert "workers are behind" in grounds(send())


def test_a_doubt_that_was_edited_away_earns_nothing(earn, open_cells, send):
    earn(12)
    open_cells()
    ValidationJob.objects.update(outcome="in_review")
    assert "(0 of 5)" in grounds(send())


def test_it_is_on_and_opens_no_category_that_was_not_measured(earn, send):
    earn(12)
    said = grounds(send())
    assert "(setting)" not in said
    assert "not measured well enough in this category" in said


def test_of_a_seller_few_listings_count_in_a_cell(earn, merchant):
    from listings.trust import cells

    earn(30)
    ValidationJob.objects.update(gate_clear=True)
    cells.refresh()
    assert set(Cell.objects.values_list("seen", flat=True)) == {cells.SELLER_MOST}


def test_photos_that_come_later_close_no_cell_and_take_no_trust(earn, merchant):
    from listings.trust import cells

    earn(12)
    ValidationJob.objects.update(gate_clear=True)
    Listing.objects.update(status=Status.PUBLISHED)
    terms = settings.values()
    cells.refresh()
    before = (cells.measured("toys"), tiers.standing(merchant, "toys", terms).points)
    for listing in Listing.objects.all():
        photo = Photo.objects.create(owner=merchant, listing=listing, file="x", thumb="y", width=1, height=1)
        checks.owe_later(listing, [photo])
    assert set(ValidationJob.objects.values_list("state", flat=True)) == {"owed"}
    cells.refresh()
    assert (cells.measured("toys"), tiers.standing(merchant, "toys", terms).points) == before
    assert set(Cell.objects.values_list("seen", flat=True)) == {12}


def test_the_operator_can_switch_it_off(ready, send, set_to):
    set_to(debts=0)
    assert "(setting)" in grounds(send())


def test_without_a_model_nothing_is_granted(ready, send, models_away, claim):
    said = claim()
    with models_away():
        listing = send(said=said)
    assert "could not look at everything" in grounds(listing)


def test_an_edit_is_ruled_on_anew_and_keeps_the_lot(ready, send, set_to, merchant, claim):
    set_to(audit_share=0)
    listing = send()
    for check in ValidationJob.objects.get(listing=listing).checks.all():
        validation.run(check.pk)
    listing.refresh_from_db()
    drawn = listing.lot
    changed = {"description": "Beech tracks, two bridges, a red engine and a station."}
    submission.resubmit(
        listing=listing,
        seller=merchant,
        content=WORDS | changed,
        photos=[],
        claim=claim(**changed),
        base_edits=listing.edits,
    )
    first, second = Debt.objects.order_by("pk")
    assert (first.state, second.state) == ("paid", "open")
    assert Listing.objects.get(pk=listing.pk).lot == drawn


def test_the_gates_pass_and_what_came_of_it_are_counted_per_cell(ready, send, moderator):
    from listings.trust import cells

    Cell.objects.all().delete()
    clean = send()
    for check in ValidationJob.objects.get(listing=clean).checks.all():
        validation.run(check.pk)
    assert cells.refresh() > 0
    assert set(Cell.objects.filter(category="toys").values_list("seen", "missed")) == {(1, 0)}
    job = ReviewJob.objects.create(listing=clean, revision=1, cause="Reported.", state="decided")
    Decision.objects.create(review_job=job, listing=clean, moderator=moderator, action="reject", policy="weapons")
    cells.refresh()
    weapons = Cell.objects.get(category="toys", policy="weapons")
    assert (weapons.seen, weapons.missed, weapons.upper) == (1, 1, 1.0)
