"""The worker's check: what it decides, and what happens when it is interrupted, repeated or overtaken."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from listings import checks, content, gate, selling, tasks, validation
from listings.lifecycle import Status
from listings.models import OwedCheck, Photo, ReviewJob, Verdict

UNSAFE = (
    "Butterfly knife, black handle",
    "Balisong with a sharp blade, opens one-handed. Also a taser and a box of 9mm ammo.",
)


@pytest.fixture
def owed(make_listing):
    def make(title="Wooden train set, 24 pieces", description="Beech tracks, two bridges and a red engine.", **fields):
        print_ = content.fingerprint(title, description)
        fields = {"status": Status.CHECKING, "published_at": None, "fingerprint": print_} | fields
        listing = make_listing(title, description=description, **fields)
        return checks.owe(listing, [])

    return make


def run(job) -> str:
    for check in job.checks.order_by("pk"):
        validation.run(check.pk)
    job.refresh_from_db()
    job.listing.refresh_from_db()
    return job.listing.status


def test_a_harmless_listing_is_published_with_a_verdict_of_every_check(owed):
    job = owed()
    assert run(job) == Status.PUBLISHED
    assert job.state == "done"
    assert job.listing.published_at
    assert set(Verdict.objects.values_list("where", "model")) == {
        ("gate", "listing-text"),
        ("cloud", "listing-text-cloud"),
        ("gate", "listing-text-gate"),
        ("cloud", "contact-details"),
        ("cloud", "duplicates"),
    }


def test_an_unsafe_listing_goes_to_a_moderator_with_the_suspected_policy_and_marked_words(owed):
    job = owed(*UNSAFE)
    assert run(job) == Status.IN_REVIEW
    review = ReviewJob.objects.get()
    assert review.policy == "weapons"
    cloud = Verdict.objects.get(where="cloud", model="listing-text-cloud")
    marked = {UNSAFE[0 if span["field"] == "title" else 1][span["start"] : span["end"]] for span in cloud.evidence}
    assert marked & {"knife,", "Butterfly", "Balisong", "taser", "ammo.", "9mm"}


def test_a_forged_pass_on_an_unsafe_listing_ends_in_review(owed):
    job = owed(*UNSAFE)
    Verdict.objects.create(
        listing=job.listing, revision=1, where="device", model="listing-text", decision="pass", scores={"safe": 1.0}
    )
    assert run(job) == Status.IN_REVIEW
    assert "claims that it found nothing" in ReviewJob.objects.get().cause


def test_a_device_warning_on_a_harmless_listing_is_shown_to_a_person(owed):
    job = owed()
    Verdict.objects.create(
        listing=job.listing, revision=1, where="device", model="listing-text", decision="warn", policy="weapons"
    )
    assert run(job) == Status.IN_REVIEW


def test_contact_details_come_back_to_the_merchant_with_the_reason(owed):
    job = owed(description="Nice beech train set for children. Call me on 079 123 45 67.")
    assert run(job) == Status.NEEDS_CHANGES
    assert "telephone number" in job.listing.status_note
    assert not ReviewJob.objects.exists()


def test_the_sellers_own_duplicate_comes_back_and_anothers_is_looked_at(owed, other_merchant):
    run(owed())
    assert run(owed("Wooden TRAIN set,  24 pieces")) == Status.NEEDS_CHANGES
    assert run(owed(seller=other_merchant)) == Status.IN_REVIEW


def test_of_two_equal_listings_that_wait_together_only_the_younger_is_the_duplicate(owed):
    first, second = owed(), owed()
    assert run(second) == Status.NEEDS_CHANGES
    assert run(first) == Status.PUBLISHED


def test_text_that_the_model_does_not_know_is_never_published_unseen(owed):
    job = owed("Продается деревянный поезд", description="Состояние хорошее, самовывоз, вечером после шести часов.")
    assert run(job) == Status.IN_REVIEW


def test_running_twice_writes_one_outcome(owed):
    job = owed(*UNSAFE)
    run(job)
    run(job)
    assert ReviewJob.objects.count() == 1
    assert Verdict.objects.filter(where="cloud", model="listing-text-cloud").count() == 1


def test_an_edit_during_the_check_wins(owed, monkeypatch):
    job = owed()

    def edited_meanwhile(listing):
        verdicts = validation.check_words(listing)
        type(listing).objects.filter(pk=listing.pk).update(revision=2, title=UNSAFE[0])
        return verdicts

    monkeypatch.setitem(validation.WORD_CHECKS, checks.WORDS, edited_meanwhile)
    assert run(job) == Status.CHECKING
    assert job.state == "dropped"
    assert set(job.checks.values_list("state", flat=True)) == {"dropped"}
    assert not Verdict.objects.filter(where="cloud").exists()


def test_a_listing_withdrawn_before_the_check_is_left_alone(owed, merchant):
    job = owed()
    selling.end(listing=job.listing, seller=merchant)
    assert run(job) == Status.ENDED
    assert job.state == "dropped"


def test_a_missing_model_leaves_the_listing_waiting_with_the_reason_until_it_is_back(owed, models_away, waited):
    job = owed()
    with models_away():
        for _ in range(validation.ATTEMPTS + 2):
            assert run(job) == Status.CHECKING
            waited()
    assert job.state == "owed"
    words = job.checks.get(name="words")
    assert words.due_at > timezone.now() and words.started_at is None
    assert "manifest" in words.last_error or "model" in words.last_error
    assert "waits" in job.listing.status_note
    assert run(job) == Status.PUBLISHED
    assert job.listing.status_note == ""


def broken(listing):
    raise RuntimeError("unforeseen")


def test_a_check_that_fails_again_and_again_is_given_to_a_person(owed, monkeypatch, waited):
    monkeypatch.setitem(validation.WORD_CHECKS, checks.DUPLICATES, broken)
    job = owed()
    for _ in range(validation.ATTEMPTS):
        assert run(job) == Status.CHECKING
        assert "unforeseen" in job.checks.get(name="duplicates").last_error
        waited()
    assert run(job) == Status.IN_REVIEW
    cause = ReviewJob.objects.get().cause
    assert cause == "The check for duplicates failed again and again. Last time: RuntimeError: unforeseen."
    assert Verdict.objects.filter(model="listing-text-cloud").count() == 1, "what the others found is kept"


def test_a_check_of_the_words_that_never_answers_publishes_nothing(owed, monkeypatch):
    monkeypatch.setitem(validation.WORD_CHECKS, checks.WORDS, broken)
    job = owed()
    OwedCheck.objects.update(attempts=validation.ATTEMPTS)
    OwedCheck.objects.exclude(name="words").update(attempts=0)
    assert run(job) == Status.IN_REVIEW


def test_a_check_whose_worker_was_killed_says_so_to_the_moderator(owed):
    job = owed()
    OwedCheck.objects.filter(name="duplicates").update(attempts=validation.ATTEMPTS, last_error=validation.NO_ANSWER)
    assert run(job) == Status.IN_REVIEW
    assert "its worker was killed" in ReviewJob.objects.get().cause


@pytest.mark.parametrize("step", ["decide_outcome", "_weigh", "settle"])
def test_an_outcome_that_nobody_foresaw_is_given_to_a_person_with_what_the_checks_found(
    owed, monkeypatch, caplog, step
):
    real, asked = getattr(validation, step), []

    def fails_once(*args):
        asked.append(args)
        if len(asked) == 1:
            raise KeyError("an outcome nobody thought of")
        return real(*args)

    monkeypatch.setattr(validation, step, fails_once)
    job = owed()
    assert run(job) == Status.IN_REVIEW
    assert set(job.checks.values_list("state", "attempts")) == {("done", 1)}
    assert "could not be worked out" in ReviewJob.objects.get().cause
    assert "an outcome nobody thought of" in caplog.text
    assert Verdict.objects.filter(where="cloud").count() == len(checks.OF_WORDS)


def test_a_job_that_cannot_be_settled_waits_like_a_check_that_fails(owed, monkeypatch, waited):
    def away(*args):
        raise OperationalError("the connection is lost")

    job = owed()
    with monkeypatch.context() as patch:
        patch.setattr(validation, "settle", away)
        for _ in range(validation.ATTEMPTS + 2):
            assert run(job) == Status.CHECKING
            waited()
    last = job.checks.get(state="owed")
    assert last.due_at > timezone.now()
    assert run(job) == Status.IN_REVIEW


# --- One delivery at a time ------------------------------------------------------------------------------------------
def test_a_check_that_is_at_work_is_not_started_by_a_second_delivery(owed, monkeypatch):
    job, runs = owed(), []
    check = job.checks.get(name=checks.DUPLICATES)

    def delivered_again(listing):
        runs.append(listing)
        if len(runs) == 1:
            validation.run(check.pk)
        return []

    monkeypatch.setitem(validation.WORD_CHECKS, checks.DUPLICATES, delivered_again)
    validation.run(check.pk)
    check.refresh_from_db()
    assert (len(runs), check.attempts, check.state) == (1, 1, "done")


def test_a_delivery_during_the_wait_after_a_fault_uses_up_no_attempt(owed, monkeypatch):
    monkeypatch.setitem(validation.WORD_CHECKS, checks.DUPLICATES, broken)
    check = owed().checks.get(name=checks.DUPLICATES)
    for _ in range(validation.ATTEMPTS + 2):
        validation.run(check.pk)
    check.refresh_from_db()
    assert (check.state, check.attempts) == ("owed", 1)
    assert check.due_at == check.not_before > timezone.now()


def test_a_check_is_tried_again_as_soon_as_its_wait_is_over(owed, monkeypatch):
    job = owed()
    check = job.checks.get(name=checks.DUPLICATES)
    with monkeypatch.context() as patch:
        patch.setitem(validation.WORD_CHECKS, checks.DUPLICATES, broken)
        validation.run(check.pk)
    OwedCheck.objects.update(not_before=timezone.now())
    validation.run(check.pk)
    check.refresh_from_db()
    assert (check.state, check.attempts) == ("done", 2)


def test_what_a_killed_worker_had_is_anothers_once_its_time_limit_is_over(owed):
    check, now = owed().checks.get(name=checks.DUPLICATES), timezone.now()
    limit = checks.TERMS[checks.DUPLICATES].limit
    for started_at, state in ((now - limit + timedelta(seconds=5), "owed"), (now - limit, "done")):
        OwedCheck.objects.filter(pk=check.pk).update(attempts=1, started_at=started_at)
        validation.run(check.pk)
        check.refresh_from_db()
        assert check.state == state


def test_the_sweeper_sends_what_is_at_work_no_sooner_than_another_may_have_it(owed, monkeypatch):
    seen = []
    monkeypatch.setitem(validation.WORD_CHECKS, checks.DUPLICATES, lambda listing: seen.append(OwedCheck.objects.get()))
    check = owed().checks.get(name=checks.DUPLICATES)
    OwedCheck.objects.exclude(pk=check.pk).delete()
    validation.run(check.pk)
    assert seen[0].due_at == seen[0].started_at + checks.TERMS[check.name].limit


def test_whoever_was_overtaken_leaves_the_claim_of_the_next_alone(owed, monkeypatch):
    check = owed().checks.get(name=checks.DUPLICATES)
    later = timezone.now() + timedelta(minutes=1)

    def overtaken(listing):
        OwedCheck.objects.filter(pk=check.pk).update(attempts=2, started_at=later)
        raise RuntimeError("too late")

    monkeypatch.setitem(validation.WORD_CHECKS, checks.DUPLICATES, overtaken)
    validation.run(check.pk)
    check.refresh_from_db()
    assert (check.attempts, check.started_at, check.not_before) == (2, later, None)


def test_the_sweeper_sends_what_is_overdue_once(owed, monkeypatch):
    sent = []
    monkeypatch.setattr(tasks, "enqueue", lambda pk, name, priority: sent.append((pk, priority)) or True)
    overdue, _ = owed(), owed("Another train set")
    overdue.checks.update(due_at=timezone.now() - timedelta(minutes=1))
    assert tasks.sweep() == 3
    assert tasks.sweep() == 0
    assert sent == [(check.pk, tasks.WAITED_FOR) for check in overdue.checks.order_by("pk")]


def test_a_seller_with_many_photos_leaves_others_room_at_the_reader(owed, merchant, other_merchant, monkeypatch):
    sent = {}
    monkeypatch.setattr(tasks, "enqueue", lambda pk, name, priority: sent.update({pk: priority}) or True)
    monkeypatch.setattr(tasks, "READ_IN_A_ROW", 2)

    def send(seller, number):
        listing = owed(f"Train set {number}", seller=seller).listing
        photo = Photo.objects.create(owner=seller, listing=listing, file="x", thumb="y", width=1, height=1)
        checks.owe_later(listing, [photo])
        tasks.enqueue_job(listing.validation_jobs.get().pk)
        return {name: sent[pk] for pk, name in OwedCheck.objects.filter(job__listing=listing).values_list("pk", "name")}

    mine = [send(merchant, number)[checks.PHOTO_TEXT] for number in range(4)]
    assert mine == [tasks.WAITED_FOR] * 2 + [tasks.BEHIND_OTHERS] * 2
    theirs = send(other_merchant, 5)
    assert set(theirs.values()) == {tasks.WAITED_FOR}
    OwedCheck.objects.update(due_at=timezone.now())
    first, second, third, fourth = OwedCheck.objects.filter(name=checks.PHOTO_TEXT, job__listing__seller=merchant)
    OwedCheck.objects.filter(pk__in=[first.pk, second.pk]).update(state="done")
    tasks.sweep()
    assert sent[third.pk] == sent[fourth.pk] == tasks.WAITED_FOR


def test_the_sweeper_tries_again_when_the_broker_is_away(owed, monkeypatch):
    answers = iter([False, True])
    monkeypatch.setattr(tasks, "enqueue", lambda pk, name, priority: next(answers))
    job = owed()
    job.checks.exclude(name="words").delete()
    job.checks.update(due_at=timezone.now())
    assert tasks.sweep() == 0
    assert tasks.sweep() == 1


def test_words_that_the_servers_own_model_has_not_read_go_to_a_person():
    claim = Verdict(where="device", model="listing-text", decision="pass")
    contacts = Verdict(where="cloud", model="contact-details", decision="pass")
    found = validation.decide_outcome([claim, contacts])
    assert found.status == Status.IN_REVIEW
    assert found.cause == "The server's model has not read these words."


def says(where, model, decision, policy="drugs"):
    return Verdict(where=where, model=model, decision=decision, policy="" if decision == "pass" else policy)


GATE, SECOND, CLOUD = ("gate", "listing-text"), ("gate", "listing-text-gate"), ("cloud", "listing-text-cloud")


@pytest.mark.parametrize(
    ("gate", "second", "cloud", "status"),
    [
        ("pass", "pass", "pass", Status.PUBLISHED),
        ("unsure", "pass", "pass", Status.PUBLISHED),
        ("pass", "unsure", "pass", Status.PUBLISHED),
        ("unsure", "unsure", "pass", Status.IN_REVIEW),
        ("pass", "pass", "unsure", Status.IN_REVIEW),
        ("warn", "pass", "pass", Status.IN_REVIEW),
        ("pass", "warn", "pass", Status.IN_REVIEW),
        ("pass", "pass", "warn", Status.IN_REVIEW),
    ],
)
def test_the_heavier_model_settles_what_one_model_of_the_gate_was_unsure_of(gate, second, cloud, status):
    verdicts = [says(*GATE, gate), says(*SECOND, second), says(*CLOUD, cloud)]
    assert validation.decide_outcome(verdicts).status == status


def test_a_moderator_reads_whether_the_larger_model_agrees():
    def cause(*verdicts):
        return validation.decide_outcome([says(*which, decision) for which, decision in verdicts]).cause

    alone = cause((GATE, "warn"), (CLOUD, "pass"))
    assert alone == "One of the quick checks suspects: Drugs and medicines. The larger model found nothing."
    assert cause((GATE, "warn"), (CLOUD, "unsure")).endswith(" The larger model is not sure.")
    assert cause((GATE, "block"), (CLOUD, "warn")).endswith(" The larger model warns too.")
    assert cause((GATE, "warn"), (CLOUD, "warn")) == "The server's check suspects: Drugs and medicines."


@pytest.mark.parametrize(
    ("title", "description"),
    [
        ("Продам пистолет Макарова", "Патроны в комплекте, доставка почтой. Самовывоз, торг уместен."),
        ("Кокаин высокой чистоты", "Пишите, доставка по всей стране. От одного грамма."),
        ("Копии часов Ролекс", "Швейцарский механизм, неотличимы от оригинала."),
        ("Πιστόλι με σφαίρες", "Σε άριστη κατάσταση, αποστολή με ταχυδρομείο."),
        ("Pistole mit Munition", "Guter Zustand, Versand per Post möglich, ohne Papiere."),
        ("Pistola con munición", "Buen estado, envío por correo, sin papeles ni preguntas."),
        ("Koop nu: pistool met munitie", "Goede staat, verzending per post, geen papieren."),
    ],
)
def test_an_unsafe_text_in_another_language_goes_to_a_person(db, title, description):
    fields = [("title", title), ("description", description)]
    verdicts = [*gate.run_gate(fields), gate.heavy_look(fields)]
    assert validation.decide_outcome(verdicts).status == Status.IN_REVIEW


def test_words_that_the_devices_model_never_met_are_not_settled_by_another():
    verdicts = [says(*GATE, "unsure", policy=""), says(*SECOND, "pass"), says(*CLOUD, "pass")]
    assert validation.decide_outcome(verdicts).status == Status.IN_REVIEW


def test_a_model_of_the_gate_that_fails_in_whatever_way_is_left_out(db, monkeypatch, caplog):
    def broken(fields):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(gate, "second_look", broken)
    found = gate.run_gate([("title", "Oak table"), ("description", "")])
    assert [verdict.model for verdict in found] == ["listing-text"]
    assert "the gate failed" in caplog.text
