import csv
import io

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import escape

from listings import policies
from listings.lifecycle import Status
from listings.models import Listing, Notice, Verdict
from listings.moderation import appeals, decisions, notices, statements
from tests.listings.moderation.conftest import REASON


@pytest.fixture
def marked(make_case):
    """A case whose words a model of the server and the device had marked."""
    case = make_case("Butterfly knife, sharp")
    span = {"field": "title", "start": 0, "end": 15, "weight": 2.0}
    common = {"listing": case.listing, "revision": 1, "decision": "warn", "policy": "weapons", "evidence": [span]}
    Verdict.objects.create(where="cloud", model="listing-text-cloud", version="2", **common)
    Verdict.objects.create(where="device", model="listing-text", version="3", **common)
    return case


def test_a_statement_has_all_that_article_17_asks_for(marked, moderator):
    decision = decisions.reject(job=marked, moderator=moderator, policy="weapons", reason=REASON)
    found = statements.of(decision)
    assert found.what == "Rejected" and "not on sale" in found.scope and "Until" in found.duration
    assert "“Butterfly knife”" in " ".join(found.facts)
    assert "listing-text-cloud 2" in found.automated_detection and "Your own device" in found.automated_detection
    assert "A person decided" in found.automated_decision
    assert "Weapons law" in found.legal_ground and "Firearms" in found.contractual_ground
    assert found.explanation == REASON and found.way_forward
    assert "another look" in found.redress[0] and "court" in found.redress[-1]


def test_only_words_that_tell_something_are_named_the_weightiest_first(make_case, moderator):
    case = make_case("Ask them. Sharp with \u201cTantō\u201d, Other")
    title, spans = case.listing.title, []
    for word, weight in (("them.", 9), ("Sharp", 1), ("with", 8), ("Tantō", 3), ("Ask", 7), ("Other", 6)):
        start = title.index(word)
        spans.append({"field": "title", "start": start, "end": start + len(word), "weight": weight})
    common = {"listing": case.listing, "revision": 1, "decision": "warn", "policy": "weapons"}
    doubt = Verdict.objects.create(where="cloud", model="listing-text-cloud", evidence=spans, **common)
    assert statements.marked([doubt]) == ["Marked: “Tantō”, “Sharp”."]
    doubt.evidence = spans[:1] + spans[-1:]
    assert statements.marked([doubt]) == []


def test_the_usual_words_stand_once(make_case, moderator, as_user, merchant):
    usual = policies.get("weapons")
    reason = f"{usual.merchant_text} {usual.what_to_do}"
    decision = decisions.reject(job=make_case("Butterfly knife"), moderator=moderator, policy="weapons", reason=reason)
    page = as_user(merchant).get(f"/decisions/{decision.pk}/").content.decode()
    assert page.count(escape(usual.what_to_do)) == 1
    assert "Edit and submit again" in page
    assert "\n".join(statements.preview("reject", "weapons", reason, title="-")).count(usual.what_to_do) == 1
    assert "\n".join(statements.preview("reject", "weapons", REASON, title="-")).count(usual.what_to_do) == 1


def test_an_edit_changes_nothing_about_what_was_said(marked, moderator):
    decision = decisions.reject(job=marked, moderator=moderator, policy="weapons", reason=REASON)
    before = statements.of(decision).facts
    type(marked.listing).objects.filter(pk=marked.listing.pk).update(title="A kettle", revision=2)
    decision.refresh_from_db()
    assert statements.of(decision).facts == before


def test_the_preview_is_what_is_sent(marked, moderator, merchant):
    shown = statements.preview("reject", "weapons", REASON, title=marked.listing.title)
    decisions.reject(job=marked, moderator=moderator, policy="weapons", reason=REASON)
    assert Notice.objects.get(person=merchant).text == "\n\n".join(shown)
    assert "“Butterfly knife, sharp”" in shown[0]


def test_the_export_has_a_row_a_decision_and_runs_no_formula(as_user, moderator, merchant, make_case):
    case = make_case('=HYPERLINK("http://example.com")')
    decisions.reject(job=case, moderator=moderator, policy="weapons", reason=REASON)
    decisions.approve(job=make_case("Kettle"), moderator=moderator)
    assert as_user(merchant).get("/moderation/statements.csv").status_code == 403
    body = b"".join(as_user(moderator).get("/moderation/statements.csv").streaming_content).decode()
    rows = list(csv.DictReader(io.StringIO(body)))
    assert [row["decision"] for row in rows] == ["Rejected", "Approved"]
    assert tuple(rows[0]) == statements.COLUMNS
    assert rows[0]["listing_title"].startswith("'=")
    for query in ("?from=2999-01-01", "?to=2001-01-01"):
        body = b"".join(as_user(moderator).get(f"/moderation/statements.csv{query}").streaming_content).decode()
        assert len(body.splitlines()) == 1
    assert as_user(moderator).get("/moderation/statements.csv?from=2026-02-31").status_code == 200


@pytest.fixture
def decided(make_case, moderator, merchant):
    """Decisions of moderators, with appeals, and listings that the checks sent back: of each so many."""

    def make(number: int) -> None:
        for n in range(number):
            case = make_case(f"Butterfly knife {n}")
            decisions.reject(job=case, moderator=moderator, policy="weapons", reason=REASON)
            appeals.appeal(decision=case.decision, person=merchant, text="It is a kettle, look again please.")
            Verdict.objects.create(
                listing=case.listing, revision=1, where="cloud", model="words", decision="block",
                evidence=[{"field": "title", "start": 0, "end": 9}], created_at=case.created_at,
            )  # fmt: skip
            back = make_case(f"Call me {n}").listing
            Listing.objects.move(back.pk, source=back.status, target=Status.CHECKING)
            Listing.objects.move(back.pk, source=Status.CHECKING, target=Status.NEEDS_CHANGES, note="A number.")

    return make


def test_the_export_asks_as_often_for_many_rows_as_for_few(as_user, moderator, decided):
    asked = []
    for more in (3, 17):  # three strikes suspend: that has a statement too
        decided(more)
        with CaptureQueriesContext(connection) as caught:
            body = b"".join(as_user(moderator).get("/moderation/statements.csv").streaming_content).decode()
        asked.append((len(list(csv.DictReader(io.StringIO(body)))), len(caught)))
    (few, for_few), (many, for_many) = asked
    assert (few, many) == (7, 41)
    assert for_many == for_few
    assert "Marked: “Butterfly”" in body


# --- E-mail ----------------------------------------------------------------------------------------------------------
def test_a_notice_is_mailed_once_with_its_address(merchant, settings):
    merchant.email = "alice@example.com"
    merchant.save()
    notices.tell(merchant, "Hello", "A text.", "/decisions/1/")
    assert (notices.mail_due(), notices.mail_due()) == (1, 0)
    (sent,) = mail.outbox
    assert sent.to == ["alice@example.com"] and f"{settings.SITE_URL}/decisions/1/" in sent.body


def test_whoever_gave_no_address_is_told_on_the_site(merchant):
    merchant.email = ""
    notices.tell(merchant, "Hello", "A text.")
    assert notices.mail_due() == 0 and notices.unread(merchant) == 1


def test_a_mail_that_cannot_be_sent_is_tried_again_later_and_at_last_given_up(merchant, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    merchant.email = "alice@example.com"
    merchant.save()
    notice = notices.tell(merchant, "Hello", "A text.")
    for attempt in range(1, notices.ATTEMPTS + 1):
        Notice.objects.filter(pk=notice.pk).update(mail_due_at=timezone.now())
        assert notices.mail_due() == 0
        notice.refresh_from_db()
        assert notice.mail_attempts == attempt
    assert notice.mail_due_at is None and notices.unread(merchant) == 1


def test_one_that_cannot_be_written_holds_up_no_other_and_is_given_up(merchant, other_merchant):
    merchant.email, other_merchant.email = "alice@example.com\nBcc: everybody@example.com", "bob@example.com"
    merchant.save()
    other_merchant.save()
    bad = notices.tell(merchant, "Two\nlines", "A text.")
    notices.tell(other_merchant, "Two\nlines", "A text.")
    assert notices.mail_due() == 1
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == (["bob@example.com"], "Two lines")
    for _ in range(notices.ATTEMPTS - 1):
        Notice.objects.filter(pk=bad.pk).update(mail_due_at=timezone.now())
        assert notices.mail_due() == 0
    bad.refresh_from_db()
    assert bad.mail_due_at is None


def test_a_claim_on_a_notice_outlasts_a_slow_server(merchant, settings, monkeypatch):
    merchant.email = "alice@example.com"
    merchant.save()
    notice = notices.tell(merchant, "Hello", "A text.")

    def slowly(*args):
        notice.refresh_from_db()
        left = (notice.mail_due_at - timezone.now()).total_seconds()
        assert left > 4 * settings.EMAIL_TIMEOUT, "to connect, to be greeted, to send, to be answered"
        assert notices.mail_due() == 0, "another worker has nothing to send meanwhile"

    monkeypatch.setattr(notices, "send_mail", slowly)
    assert notices.mail_due() == 1


@pytest.mark.parametrize("action", ["approve", "reject", "changes", "uphold", "overturn", "modify"])
def test_every_decision_can_be_told(db, action):
    paragraphs = statements.preview(action, "weapons", REASON, title="Kettle")
    assert REASON in " ".join(paragraphs) and all(paragraphs)
