"""What was on sale owing its checks and is edited, withdrawn or sold is checked all the same, or drawn for it."""

import json
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from listings import checks, content, gate, orders, photo_files, photos, selling, submission, tasks, validation
from listings.lifecycle import Status
from listings.models import Cell, Debt, Listing, OwedCheck, Photo, ReviewJob, Ruling, ValidationJob, Verdict
from listings.moderation import decisions, evidence
from listings.trust import cells, debts, exposure, record, savings, settings, tiers
from models import contract, photo
from tests.listings.conftest import WORDS

OTHER_WORDS = {"description": "Beech tracks, two bridges, a red engine and a station."}
DOUBT = {"where": "cloud", "model": "listing-text-cloud", "decision": "block", "policy": "weapons"}


@pytest.fixture
def seen(owing, set_to):
    """A listing on sale that owes its checks and was seen once, which is enough to be looked at."""

    def make(**changes):
        set_to(left_views=1)
        debt = owing(**changes)
        exposure.shown([debt.listing_id])
        debt.refresh_from_db()
        return debt

    return make


@pytest.fixture
def withdrawn(seen, merchant):
    def make(**changes):
        debt = seen(**changes)
        selling.end(listing=Listing.objects.get(pk=debt.listing_id), seller=merchant)
        debt.refresh_from_db()
        return debt

    return make


@pytest.fixture
def edit(merchant, claim):
    def change(listing, photos=None, **words):
        listing = Listing.objects.get(pk=listing.pk)
        words = words or OTHER_WORDS
        return submission.resubmit(
            listing=listing,
            seller=merchant,
            content=WORDS | words,
            photos=list(listing.photos.all()) if photos is None else photos,
            claim=claim(**words),
            base_edits=listing.edits,
        )

    return change


def long_gone(debt, **ago):
    Debt.objects.filter(pk=debt.pk).update(left_at=timezone.now() - timedelta(**ago))


def run_all(debt):
    for pk in debt.job.checks.order_by("pk").values_list("pk", flat=True):
        validation.run(pk)
    debt.refresh_from_db()


def doubt(debt):
    """The words' heavy check finds a weapon, the others what they find."""
    validation.finish(debt.job.checks.get(name=checks.WORDS), [Verdict(**DOUBT)])
    run_all(debt)


def test_what_was_seen_and_withdrawn_is_checked_for_the_record(withdrawn):
    debt = withdrawn()
    assert (debt.state, debt.impressions) == ("left", 1)
    assert debts.pay() == 1
    debt.refresh_from_db()
    assert debt.cause == "left"
    run_all(debt)
    assert debt.state == "paid"
    assert set(debt.job.checks.values_list("state", flat=True)) == {"done"}
    assert Listing.objects.get(pk=debt.listing_id).status == Status.ENDED
    assert not ReviewJob.objects.exists(), "nothing was found"
    assert any("owed still" in line.what for line in record.of(debt.listing))


def test_a_finding_goes_before_a_moderator_and_counts_like_any_other(withdrawn, moderator, merchant):
    debt = withdrawn()
    debts.pay()
    doubt(debt)
    case = ReviewJob.objects.get()
    assert (case.kind, case.policy, case.state) == ("left", "weapons", "open")
    assert tiers.standing(merchant, "toys", settings.values()).violation is None, "a model's word is no violation"
    decisions.reject(job=case, moderator=moderator, policy="weapons", reason="Not a train set at all.")
    listing = Listing.objects.get(pk=debt.listing_id)
    assert listing.status == Status.ENDED
    assert "Not a train set at all." in listing.status_note
    assert tiers.standing(merchant, "toys", settings.values()).violation
    found = savings.count(7)
    assert (found.audits.left.missed, found.audits.left.decided) == (1, 1)
    assert (found.views.unsafe_debts, found.views.unsafe) == (1, 1)
    assert found.audits.all.decided == 0, "it was not drawn"
    Cell.objects.all().delete()
    cells.refresh()
    assert Cell.objects.get(category="toys", policy="weapons").missed == 1


def test_a_moderator_who_finds_nothing_leaves_it_where_it_is(withdrawn, moderator, merchant):
    debt = withdrawn()
    debts.pay()
    doubt(debt)
    decisions.approve(job=ReviewJob.objects.get(), moderator=moderator)
    assert Listing.objects.get(pk=debt.listing_id).status == Status.ENDED
    assert tiers.standing(merchant, "toys", settings.values()).violation is None
    assert (savings.count(7).audits.left.missed, savings.count(7).audits.left.decided) == (0, 1)


def test_an_edit_does_not_wash_the_earlier_words_off(seen, edit, claim):
    debt = seen()
    edit(debt.listing)
    debt.refresh_from_db()
    assert debt.state == "left"
    debts.pay()
    run_all(debt)
    assert debt.state == "paid"
    earlier = content.text_fields(
        title=WORDS["title"], description=WORDS["description"], category="toys", attributes={}, alts=[]
    )
    heavy = Verdict.objects.get(listing=debt.listing_id, revision=1, model="listing-text-cloud")
    assert heavy.digest == contract.digest(contract.pack(earlier))


def test_a_finding_in_earlier_words_shows_these_words(seen, edit, moderator, merchant, as_user):
    debt = seen()
    edit(debt.listing, title="Wooden train set without a bridge")
    debts.pay()
    doubt(debt)
    case = ReviewJob.objects.get(kind="left")
    assert evidence.words_of(case)["title"] == WORDS["title"]
    page = as_user(moderator).get(f"/moderation/{case.pk}/").content.decode()
    assert f"<h1>{WORDS['title']}</h1>" in page
    assert "those that were on sale" in page
    queue = as_user(moderator).get("/moderation/").content.decode()
    assert "was on sale, now edited" in queue
    decisions.reject(job=case, moderator=moderator, policy="weapons", reason="Not a train set at all.")
    now = Listing.objects.get(pk=debt.listing_id)
    assert (now.status, now.title) == (Status.CHECKING, "Wooden train set without a bridge")


def test_an_edit_of_what_owes_is_checked_in_full_first(seen, edit):
    debt = seen()
    again = edit(debt.listing)
    assert again.status == Status.CHECKING
    ruling = Ruling.objects.filter(listing=again).latest("pk")
    assert (ruling.granted, "still owes its checks" in " ".join(ruling.grounds)) == (False, True)
    for check in OwedCheck.objects.filter(job__listing=again, job__revision=2):
        validation.run(check.pk)
    assert Listing.objects.get(pk=again.pk).status == Status.PUBLISHED
    assert edit(again, description="Beech tracks and a station.").status == Status.CHECKING, "it still owes"
    debts.pay()
    run_all(debt)
    assert edit(again, description="Beech tracks and two stations.").status == Status.PUBLISHED, "all is paid"


def test_light_checks_of_earlier_words_read_these(seen, edit):
    debt = seen()
    edit(debt.listing)
    check = debt.job.checks.get(name=checks.DUPLICATES)
    other = Listing.objects.get(pk=debt.listing_id)
    twin = Listing.objects.create(
        seller=other.seller,
        title="Another",
        category="toys",
        price=5,
        status=Status.PUBLISHED,
        fingerprint=content.fingerprint(WORDS["title"], WORDS["description"]),
    )
    validation.run(check.pk)
    found = Verdict.objects.get(listing=other, revision=1, model=checks.DUPLICATES)
    assert found.detail["of"] == twin.public_id


def test_what_is_bought_unchecked_is_checked_all_the_same(seen, shopper):
    debt = seen()
    listing = Listing.objects.get(pk=debt.listing_id)
    orders.place(listing=listing, buyer=shopper, price_seen=str(listing.price))
    debt.refresh_from_db()
    assert debt.state == "left"
    assert debts.pay() == 1
    run_all(debt)
    assert debt.state == "paid"


@pytest.mark.parametrize("how", ["withdrawn", "sold"])
def test_what_few_saw_is_looked_at_as_its_place_in_the_lot_says(earn, open_cells, send, set_to, merchant, shopper, how):
    """120 views of 400: whoever lies among the first .3 is drawn."""
    earn(12)
    open_cells()
    set_to(left_views=400, audit_share=0)
    found = {}
    for number, place in enumerate((0.299, 0.3, 0.9)):
        debt = Debt.objects.get(listing=send(title=f"Wooden train set, {number} pieces"))
        Debt.objects.filter(pk=debt.pk).update(place=place, impressions=120)
        listing = Listing.objects.get(pk=debt.listing_id)
        if how == "withdrawn":
            selling.end(listing=listing, seller=merchant)
        else:
            orders.place(listing=listing, buyer=shopper, price_seen=str(listing.price))
        found[place] = debt
    assert debts.pay() == 1
    for debt in found.values():
        long_gone(debt, minutes=11)
    debts.pay()
    for debt in found.values():
        debt.refresh_from_db()
    assert [(d.state, d.cause) for d in found.values()] == [("left", "left"), ("void", ""), ("void", "")]
    fates = savings.count(7).revisions.fates
    assert (fates["avoided"], fates["owed"]) == (2, 1)


def test_an_edit_is_looked_at_wherever_it_lies_in_the_lot(owing, set_to, edit):
    set_to(left_views=1_000_000)
    debt = owing()
    exposure.shown([debt.listing_id])
    Debt.objects.filter(pk=debt.pk).update(place=0.999)
    edit(debt.listing)
    assert debts.pay() == 1


def test_whoever_withdraws_and_sends_again_begins_where_it_was(owing, set_to, edit, merchant):
    set_to(left_views=1_000_000, heavy_cap=100)
    debt = owing()
    debt.job.checks.filter(name__in=checks.LIGHT).update(state=OwedCheck.State.DONE)
    Debt.objects.filter(pk=debt.pk).update(place=0.999, impressions=98, light_at=timezone.now())
    selling.end(listing=Listing.objects.get(pk=debt.listing_id), seller=merchant)
    long_gone(debt, minutes=11)
    debts.pay()
    debt.refresh_from_db()
    assert debt.state == "void"
    again = edit(debt.listing)
    assert again.status == Status.PUBLISHED, "nothing is owed of what it said before"
    owed = Debt.objects.get(listing=again, state="open")
    assert owed.impressions == 98
    Debt.objects.filter(pk=owed.pk).update(light_at=timezone.now())
    exposure.shown([again.pk])
    assert Listing.objects.get(pk=again.pk).status == Status.PUBLISHED
    exposure.shown([again.pk])
    owed.refresh_from_db()
    assert (owed.impressions, owed.cause) == (100, "views")
    assert Listing.objects.get(pk=again.pk).status == Status.CHECKING


def test_what_was_paid_begins_anew(seen, edit):
    debt = seen()
    Debt.objects.filter(pk=debt.pk).update(impressions=70)
    edit(debt.listing)
    debts.pay()
    run_all(debt)
    assert debt.state == "paid"
    for check in OwedCheck.objects.filter(job__listing=debt.listing_id, job__revision=2):
        validation.run(check.pk)
    again = edit(debt.listing, description="Beech tracks and two stations.")
    assert Debt.objects.get(listing=again, state="open").impressions == 0


def test_what_nobody_saw_owes_nothing(owing, merchant):
    debt = owing()
    selling.end(listing=debt.listing, seller=merchant)
    assert debts.pay() == 0
    debt.refresh_from_db()
    assert debt.state == "left", "a page that is being made may still show it"
    long_gone(debt, minutes=11)
    assert debts.pay() == 0
    debt.refresh_from_db()
    assert debt.state == "void"
    assert not OwedCheck.objects.filter(job=debt.job, name=checks.WORDS, state="owed").exists()
    assert ValidationJob.objects.get(pk=debt.job_id).state == "dropped"
    assert savings.count(7).revisions.fates["avoided"] == 1


def test_a_page_that_was_being_made_counts(owing, merchant, set_to):
    set_to(left_views=1)
    debt = owing()
    selling.end(listing=debt.listing, seller=merchant)
    exposure.shown([debt.listing_id])
    long_gone(debt, minutes=11)
    assert debts.pay() == 1


def test_the_first_view_is_never_lost(owing):
    debt = owing()
    exposure.shown([debt.listing_id])
    debt.refresh_from_db()
    assert debt.impressions == 1, "in the database, whatever becomes of Redis"


def test_an_audit_is_made_also_of_what_nobody_saw(owing, merchant):
    debt = owing()
    Debt.objects.update(audit=True)
    selling.end(listing=debt.listing, seller=merchant)
    long_gone(debt, minutes=11)
    assert debts.pay() == 1
    run_all(debt)
    found = savings.count(7).audits
    assert (found.all.decided, found.left.decided) == (1, 1)


def test_what_left_comes_after_what_is_on_sale_but_certainly(withdrawn, send, set_to, monkeypatch):
    gone = withdrawn()
    set_to(worth=0)
    living = Debt.objects.get(listing=send(title="Wooden train set, 30 pieces"))
    monkeypatch.setattr(debts, "PAID_AT_ONCE", 1)
    assert debts.pay() == 1
    living.refresh_from_db()
    gone.refresh_from_db()
    assert (living.cause, gone.cause) == ("idle", "")
    monkeypatch.setattr(debts, "PAID_AT_ONCE", 9)
    monkeypatch.setattr(debts, "_idle", lambda: False)
    assert debts.pay() == 0
    long_gone(gone, hours=25)
    assert debts.pay() == 1, "idle or not"


def test_nobody_waits_for_what_left(withdrawn, edit, monkeypatch):
    debt = withdrawn()
    debts.pay()
    edit(debt.listing)
    ValidationJob.objects.filter(pk=debt.job_id).update(created_at=timezone.now() - timedelta(hours=1))
    Debt.objects.update(called_at=timezone.now() - timedelta(hours=1))
    assert debts._idle(), "its listing is being checked, in other words"
    sent = {}
    monkeypatch.setattr(tasks, "enqueue", lambda pk, name, priority: sent.update({pk: priority}) or True)
    OwedCheck.objects.update(due_at=timezone.now())
    tasks.sweep()
    assert sent[debt.job.checks.get(name=checks.WORDS).pk] == tasks.CAN_WAIT
    assert set(sent.values()) == {tasks.CAN_WAIT, tasks.WAITED_FOR}


def test_withdrawn_while_a_moderator_looks_is_looked_at_to_the_end(seen, merchant, moderator):
    debt = seen()
    debts.call_in(debt, Debt.Cause.IDLE)
    doubt(debt)
    listing = Listing.objects.get(pk=debt.listing_id)
    assert listing.status == Status.IN_REVIEW
    selling.end(listing=listing, seller=merchant)
    case = ReviewJob.objects.get()
    assert (case.state, case.kind) == ("open", "left")
    decisions.reject(job=case, moderator=moderator, policy="weapons", reason="Not a train set at all.")
    assert Listing.objects.get(pk=debt.listing_id).status == Status.ENDED
    assert tiers.standing(merchant, "toys", settings.values()).violation


def test_what_never_was_on_sale_unchecked_is_withdrawn_as_ever(make_case, merchant):
    case = make_case()
    selling.end(listing=case.listing, seller=merchant)
    case.refresh_from_db()
    assert (case.state, case.kind) == ("withdrawn", "check")


def test_views_and_doubts_that_come_late_take_nothing_off_the_market(seen, edit):
    debt = seen()
    listing = edit(debt.listing)
    for check in OwedCheck.objects.filter(job__listing=listing, job__revision=2):
        validation.run(check.pk)
    for cause in (Debt.Cause.VIEWS, Debt.Cause.DOUBT):
        assert not debts.call_in(debt, cause)
    assert Listing.objects.get(pk=listing.pk).status == Status.PUBLISHED


def test_earlier_debts_count_as_debts_of_the_seller(withdrawn, send, set_to):
    withdrawn()
    set_to(seller_debts=1, trusted_after=1_000)  # a trusted seller may have more
    listing = send(title="Wooden train set, 30 pieces")
    assert listing.status == Status.CHECKING


def test_a_deleted_listing_troubles_nobody(withdrawn, monkeypatch):
    debt = withdrawn()
    keys = list(debt.job.checks.values_list("pk", flat=True))
    real = debts._call_in_each

    def deleted_meanwhile(rows, cause):
        rows = list(rows)
        Listing.objects.filter(pk=debt.listing_id).delete()
        return real(rows, cause)

    monkeypatch.setattr(debts, "_call_in_each", deleted_meanwhile)
    assert debts.pay() == 0
    for pk in keys:
        validation.run(pk)
    assert not Verdict.objects.filter(revision=1, where="cloud").exists()


@pytest.mark.django_db(transaction=True)
def test_two_workers_pay_what_left_once(withdrawn):
    debt = withdrawn()
    debts.pay()
    keys = list(debt.job.checks.order_by("pk").values_list("pk", flat=True))
    start = threading.Barrier(2)

    def work() -> None:
        try:
            start.wait()
            for pk in keys:
                validation.run(pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    debt.refresh_from_db()
    assert debt.state == "paid"
    said = Verdict.objects.filter(listing=debt.listing_id, where="cloud").values_list("model", flat=True)
    assert len(said) == len(set(said))


# --- Photos ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def with_photo(earn, open_cells, set_to, claim, merchant, jpeg, settings, tmp_path):
    """On sale with a photo, owing, seen once."""
    settings.MEDIA_ROOT = tmp_path / "media"
    earn(12)
    open_cells()
    set_to(audit_share=0)
    stored = photos.store_upload(merchant, jpeg())
    image = photo_files.decoded(stored, gate.photo_longest())
    said = photo.check_photo(image, digest=stored.sha256, variant="device", where="device")
    listing = submission.submit(
        seller=merchant, content=WORDS, photos=[stored], claim=claim(), photo_claims=json.dumps([said])
    )
    exposure.shown([listing.pk])
    return Debt.objects.get(listing=listing), stored


def test_photos_stay_until_they_are_checked(with_photo, edit, merchant):
    debt, stored = with_photo
    edit(debt.listing, photos=[], **OTHER_WORDS)
    assert Photo.objects.get(pk=stored.pk).listing_id is None
    assert not photos.remove_staged(merchant, stored.pk), "its merchant cannot"
    assert photos.remove_abandoned(timedelta(0)) == 0, "nor does the sweeper"
    debts.pay()
    run_all(debt)
    assert debt.state == "paid"
    assert Verdict.objects.filter(photo=stored, model=photo.CLOUD, where="cloud").exists()
    assert photos.remove_staged(merchant, stored.pk)


def test_a_photo_that_was_taken_out_is_held_against_the_bank_and_its_case_shows_it(with_photo, edit, moderator):
    debt, stored = with_photo
    edit(debt.listing, photos=[], **OTHER_WORDS)
    debts.pay()
    found = Verdict(where="cloud", model=photo.CLOUD, decision="block", policy="weapons", photo=stored)
    validation.finish(debt.job.checks.get(name=checks.PHOTO_MODEL), [found])
    run_all(debt)
    case = ReviewJob.objects.get(kind="left")
    assert [seen.photo.pk for seen in evidence.of_photos(case)] == [stored.pk]
    decisions.reject(
        job=case, moderator=moderator, policy="weapons", reason="A knife in the picture.", photos=[stored.pk]
    )
    assert case.decision.removed_photos.count() == 1


# --- What a merchant can see -----------------------------------------------------------------------------------------
def test_a_submit_does_not_tell_who_is_drawn(earn, open_cells, set_to, send, django_capture_on_commit_callbacks):
    earn(12)
    open_cells()
    costs = {}
    for number, share in enumerate([0, 1, 0, 1]):
        set_to(audit_share=share)
        with (
            CaptureQueriesContext(connection) as caught,
            django_capture_on_commit_callbacks(execute=True) as told,
        ):
            listing = send(title=f"Wooden train set, {number} pieces")
        assert Debt.objects.get(listing=listing).audit == bool(share)
        costs.setdefault(share, []).append((len(caught), len(told)))
    assert costs[0][-1] == costs[1][-1]


def test_a_merchant_reads_the_same_of_both(earn, open_cells, set_to, send, merchant, as_user):
    earn(12)
    open_cells()
    seen = []
    for number, share in enumerate([0, 1]):
        set_to(audit_share=share)
        listing = send(title=f"Wooden train set, {number} pieces")
        debts.pay()
        status = as_user(merchant).get(f"/api/listings/{listing.public_id}/status").json()
        row = Listing.objects.values("status", "status_note", "edits", "revision").get(pk=listing.pk)
        seen.append((status, row, Listing.objects.get(pk=listing.pk).updated_at == listing.updated_at))
    assert seen[0] == seen[1]
    assert Debt.objects.filter(cause="audit").count() == 1
