"""One arm's market: a clock, a heap of events, and the site's rules on each of them."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np

from listings import checks, claims, content, gate, live_models
from listings.lifecycle import Status
from listings.models import Photo, Verdict, Where
from listings.outcome import Outcome, a_person_decides, decide_outcome
from listings.trust import cells, debts, exposure, lot, rules
from models import photo as photo_model
from models import text

from .arms import Arm
from .known import Known, day
from .looks import Looks
from .merchant import Draft, Forgery, Merchants, Written, size, without
from .parameters import DAY, HOUR, Parameters
from .stream import Offer


@dataclass
class Debt:
    """impressions: counted until it is closed. cap: views that it may have before the heavy checks, as it is now.
    place: in the lot."""

    risk: float
    tier: int
    since: float
    cap: int
    place: float
    impressions: int = 0
    cause: str = ""
    until: float | None = None

    @property
    def open(self) -> bool:
        return self.until is None


@dataclass
class Fate:
    """What became of an offer in this arm, and what it cost. Times in seconds of the simulated clock, but for *_ms:
    measured."""

    offer: Offer
    written: Written
    status: Status = Status.CHECKING
    submits: int = 0
    heavy_drafting: int = 0
    heavy_before: int = 0  # before it was on sale
    heavy_after: int = 0
    light: int = 0
    spared: int = 0  # heavy ones that a person's decision stood in for
    bytes_drafting: int = 0
    bytes_submit: int = 0
    server_ms: float = 0.0
    verdict_ms: float = 0.0
    published_at: float | None = None
    on_sale_at: float | None = None  # while it is
    views: int = 0
    debt: Debt | None = None
    rejected: bool = False
    refused: bool = False  # sent back for changes
    reviewed: bool = False
    grounds: list[str] = field(default_factory=list)
    draft: Draft | None = None
    verdicts: list[Verdict] = field(default_factory=list)
    gate_clear: bool = False
    revision: int = 0
    heavy_due: int = 0  # revision whose heavy checks are called in

    @property
    def unsafe_views(self) -> int:
        return self.views if self.offer.unsafe else 0

    @property
    def live(self) -> bool:
        return not self.written.dropped and self.status not in (Status.ENDED, Status.REJECTED)

    @property
    def checked_for_the_record(self) -> bool:
        """It left the market, and somebody looks all the same."""
        return self.debt is not None and self.debt.cause == "left"


class Market:
    """stopped: an hour (begin, end) in which no worker works. rush: times of further views, of every listing that is
    on sale then. forgery: what forging sellers send, in place of all ways by turns."""

    def __init__(
        self,
        arm: Arm,
        merchants: Merchants,
        p: Parameters,
        terms: dict[str, float],
        *,
        obey: float | None = None,
        stopped: tuple[float, float] | None = None,
        rush: Sequence[float] = (),
        forgery: Forgery | None = None,
    ) -> None:
        self.arm, self.merchants, self.p, self.terms = arm, merchants, p, terms
        self.looks: Looks = merchants.looks
        self.obey = p.obey if obey is None else obey
        self.stopped, self.rush, self.forgery = stopped, np.array(rush), forgery
        self.known = Known(terms)
        self.events: list[tuple[float, int, Any, Fate, int]] = []
        self.order = count()
        self.views: dict[int, Any] = {}
        self.owing: dict[int, dict[int, Fate]] = defaultdict(dict)  # open debts: by seller and listing

    @live_models.published_alone()
    def run(self, offers: Sequence[Offer]) -> list[Fate]:
        """The fate of each, in the order of the offers."""
        fates = []
        for offer in offers:
            written = self.merchants.write(offer, self.arm, self.obey)
            fate = Fate(offer, written, draft=written.draft)
            fate.heavy_drafting, fate.bytes_drafting, fate.server_ms = (
                written.looks,
                written.bytes_up,
                written.server_ms,
            )
            fate.verdict_ms = self._drafting_ms(written)
            fates.append(fate)
            # The draft is done at `at`, in every arm: what takes longer there is told apart, not added to the clock.
            if not written.dropped:
                self._at(offer.at, self._submit, fate)
                self._at(offer.end, self._end, fate)
        while self.events:
            now, _, step, fate, revision = heapq.heappop(self.events)
            if (fate.live or fate.checked_for_the_record) and revision in (0, fate.revision):
                step(fate, now)
        return fates

    def _at(self, when: float, step: Any, fate: Fate, revision: int = 0) -> None:
        heapq.heappush(self.events, (when, next(self.order), step, fate, revision))

    def _worked(self, when: float) -> float:
        """When workers are through with what they would do by `when`."""
        if self.stopped and self.stopped[0] <= when < self.stopped[1]:
            return self.stopped[1] + self.p.heavy_seconds
        return when

    # --- A submit -----------------------------------------------------------------------------------------------------
    def _submit(self, fate: Fate, now: float) -> None:
        fate.submits += 1
        fate.revision += 1
        fate.status = Status.CHECKING
        draft, offer = fate.draft, fate.offer
        assert draft is not None
        fate.bytes_submit += size(draft.fields) + self.p.request_bytes
        if draft.photo:
            fate.bytes_submit += (self.looks.size(draft.photo) + self.p.request_bytes) if fate.submits == 1 else 0
        fate.verdicts = self._at_gate(fate, draft) if self.arm.gate else []
        if self.arm.debts and self._granted(fate, draft, now):
            self._publish(fate, now)
            self._begin(fate, draft, now)
        else:
            self.known.waiting[offer.number] = now
            spared = self.terms["spare_checks"] and a_person_decides(fate.verdicts)
            if not spared:
                self._call_in(fate, now)
            lightly = self._spared if spared else self._light
            self._at(self._worked(now + self.p.light_seconds), lightly, fate, fate.revision)
        if not fate.verdict_ms:
            fate.verdict_ms = self._verdict_ms(fate, draft)

    def _at_gate(self, fate: Fate, draft: Draft) -> list[Verdict]:
        """The gate's verdicts, and the device's claims beside them, as `submission.submit` stores them."""
        fate.light += 1
        words = [self.looks.words(model, draft.fields, Where.GATE) for model in (text.MODEL, text.SECOND)]
        seen = [self.looks.photo(photo_model.MODEL, draft.photo, Where.GATE)] if draft.photo else []
        fate.server_ms += sum(verdict.ms or 0.0 for verdict in (*words, *seen))
        if not self.arm.claims:
            return [*words, *seen]
        raw, raw_photos = self.merchants.claim(fate.offer, draft, self.forgery)
        fate.bytes_submit += len(raw) + len(raw_photos)
        told = []
        if said := claims.parse_claim(raw, draft.fields):
            claims.compare(said, words[0], gate.tolerance())
            told.append(said)
        told += claims.photo_claims(raw_photos, self._photos(draft), seen)
        return [*words, *seen, *told]

    def _photos(self, draft: Draft) -> list[Photo]:
        return [self.looks.stored(draft.photo)] if draft.photo else []

    def _granted(self, fate: Fate, draft: Draft, now: float) -> bool:
        """By the rules of listings/trust/rules.py. Their quick checks are contact details alone here."""
        offer, terms, photos = fate.offer, self.terms, self._photos(draft)
        against = list(rules.by_gate(photos, fate.verdicts, terms))
        if self.arm.claims:
            against += rules.by_device(photos, fate.verdicts)
        fate.gate_clear = not against
        known = self.known.standing(offer.seller, offer.category, now)
        fate.grounds = [
            *against,
            *rules.by_seller(offer.price, known, terms),
            *rules.by_place(cells.shut(self.known.cells(offer.category), terms), photos, fate.verdicts, terms),
            *rules.by_load(self.known.load(offer.seller, now), known, terms),
        ]
        if not fate.grounds and self.looks.words(checks.CONTACT_DETAILS, draft.fields, Where.CLOUD).evidence:
            fate.grounds.append("The words hold contact details.")
        return not fate.grounds

    # --- What is owed -------------------------------------------------------------------------------------------------
    def _begin(self, fate: Fate, draft: Draft, now: float) -> None:
        offer, terms = fate.offer, self.terms
        tier = self.known.standing(offer.seller, offer.category, now).tier
        cap = exposure.cap(tier, False, terms)
        risk = rules.risk(fate.verdicts, self.known.cells(offer.category), terms)
        words = dict(draft.fields)
        fingerprint = content.fingerprint(words["title"], words["description"])
        drawn = lot.place(lot.draw(offer.seller, day(now), fingerprint, key=f"simulation {self.p.seed}"))
        fate.debt = Debt(risk, tier, now, cap, drawn)
        self.known.begin(offer.seller, now)
        self.owing[offer.seller][offer.number] = fate
        self._at(self._worked(now + self.p.light_seconds), self._light, fate, fate.revision)
        self._at(now + self.p.idle_seconds, self._idle, fate, fate.revision)
        self._at(now + terms["debt_days"] * DAY, self._age, fate, fate.revision)
        if drawn < debts.audit_share(tier, terms):
            fate.debt.cause = "audit"
            self._call_in(fate, now)
        self._next_view(fate, now)

    def _light(self, fate: Fate, now: float) -> None:
        assert fate.draft is not None
        found = self.looks.words(checks.CONTACT_DETAILS, fate.draft.fields, Where.CLOUD)
        fate.server_ms += found.ms or 0.0
        fate.verdicts = [*fate.verdicts, found]
        if fate.debt and fate.debt.open:
            fate.debt.cap = exposure.cap(fate.debt.tier, True, self.terms)

    def _spared(self, fate: Fate, now: float) -> None:
        """With the light checks all are made: a person decides."""
        self._light(fate, now)
        fate.spared += 1
        self.known.waiting.pop(fate.offer.number, None)
        self._settle(fate, decide_outcome(fate.verdicts), now)

    def _next_view(self, fate: Fate, now: float) -> None:
        """Views one by one while something is owed; without debts they are counted in one go (`_leave`)."""
        times = self._times(fate)
        place = int(np.searchsorted(times, now, side="right"))
        if place < len(times) and times[place] < fate.offer.end:
            self._at(float(times[place]), self._view, fate, fate.revision)

    def _view(self, fate: Fate, now: float) -> None:
        debt = fate.debt
        if debt is None or not debt.open or fate.status != Status.PUBLISHED:
            return
        debt.impressions += 1
        fate.views += 1
        if debt.impressions >= debt.cap:
            self._off_the_market(fate, "views", now)
            return
        self._idle(fate, now)
        self._next_view(fate, now)

    def _off_the_market(self, fate: Fate, cause: str, now: float) -> None:
        assert fate.debt is not None
        fate.debt.cause = cause
        self._leave(fate, now)
        fate.status = Status.CHECKING
        self.known.waiting[fate.offer.number] = now
        self._call_in(fate, now)

    def _idle(self, fate: Fate, now: float) -> None:
        """Workers are idle unless they are stopped: what is worth a check gets it. Between two views the worth only
        falls, so it is looked at after each."""
        debt = fate.debt
        if debt is None or not debt.open or debt.cause or self._worked(now) > now:
            return
        if debts.harm(debt.risk, debt.impressions, (now - debt.since) / HOUR) >= self.terms["worth"]:
            debt.cause = "idle"
            self._call_in(fate, now)

    def _age(self, fate: Fate, now: float) -> None:
        if fate.debt and fate.debt.open and not fate.debt.cause:
            fate.debt.cause = "age"
            self._call_in(fate, now)

    def _call_in(self, fate: Fate, now: float) -> None:
        if fate.heavy_due < fate.revision:
            fate.heavy_due = fate.revision
            self._at(self._worked(now + self.p.heavy_seconds), self._heavy, fate, fate.revision)

    def _close(self, fate: Fate, now: float) -> None:
        if fate.debt and fate.debt.open:
            fate.debt.until = now
            self.known.close(fate.offer.seller)
            self.owing[fate.offer.seller].pop(fate.offer.number, None)

    # --- The heavy checks and what comes of them ----------------------------------------------------------------------
    def _heavy(self, fate: Fate, now: float) -> None:
        draft, offer = fate.draft, fate.offer
        assert draft is not None
        found = [self.looks.words(text.CLOUD, draft.fields, Where.CLOUD)]
        if draft.photo:
            found.append(self.looks.photo(photo_model.CLOUD, draft.photo, Where.CLOUD))
        fate.server_ms += sum(verdict.ms or 0.0 for verdict in found)
        fate.verdicts = [*fate.verdicts, *found]
        owed = fate.debt is not None and fate.debt.open
        fate.heavy_before += not owed
        fate.heavy_after += owed
        self.known.waiting.pop(offer.number, None)
        self._close(fate, now)
        self._settle(fate, decide_outcome(fate.verdicts), now)

    def _settle(self, fate: Fate, found: Outcome, now: float) -> None:
        offer = fate.offer
        if fate.checked_for_the_record:
            self._for_the_record(fate, found, now)
            return
        if found.status == Status.IN_REVIEW:
            self._leave(fate, now)
            fate.status, fate.reviewed = Status.IN_REVIEW, True
            self._at(now + offer.moderator_seconds, self._decided, fate, fate.revision)
            return
        if found.status == Status.PUBLISHED:
            self._came_through(fate, now)
            if fate.status != Status.PUBLISHED:
                self._publish(fate, now)
            return
        self._leave(fate, now)
        fate.status, fate.refused = Status.NEEDS_CHANGES, True
        self._take_out_contacts(fate, now)

    def _came_through(self, fate: Fate, now: float) -> None:
        offer = fate.offer
        if fate.gate_clear:
            self.known.looked_at(offer.seller, offer.category)
        self.known.came_through(offer.seller, offer.category, offer.number, offer.price, now)

    def _take_out_contacts(self, fate: Fate, now: float) -> None:
        """Whoever is asked to does it once; who is asked again gives up."""
        draft = fate.draft
        if fate.submits > 1 or draft is None:
            fate.status = Status.ENDED
            return
        spans = [span for v in fate.verdicts if v.model == checks.CONTACT_DETAILS for span in v.evidence]
        fate.draft = Draft([(name, without(name, value, spans)) for name, value in draft.fields], draft.photo)
        self._at(now + self.p.after_refusal, self._submit, fate, fate.revision)

    def _decided(self, fate: Fate, now: float) -> None:
        """Moderators are right."""
        offer = fate.offer
        if fate.gate_clear:
            self.known.looked_at(offer.seller, offer.category, offer.case.policy if offer.unsafe else "")
        if offer.unsafe:
            fate.rejected = True
            fate.status = fate.status if fate.checked_for_the_record else Status.REJECTED
            self.known.was_rejected(offer.seller, offer.category, offer.number, now)
            for other in list(self.owing[offer.seller].values()):
                if other.status == Status.PUBLISHED:
                    self._off_the_market(other, "doubt", now)
            return
        self.known.came_through(offer.seller, offer.category, offer.number, offer.price, now)
        if not fate.checked_for_the_record:
            self._publish(fate, now)

    # --- On sale ------------------------------------------------------------------------------------------------------
    def _times(self, fate: Fate) -> Any:
        if not len(self.rush):
            return fate.offer.views
        if fate.offer.number not in self.views:
            self.views[fate.offer.number] = np.sort(np.concatenate([fate.offer.views, self.rush]))
        return self.views[fate.offer.number]

    def _publish(self, fate: Fate, now: float) -> None:
        fate.status, fate.on_sale_at = Status.PUBLISHED, now
        fate.published_at = now if fate.published_at is None else fate.published_at

    def _leave(self, fate: Fate, now: float) -> None:
        """Off the market. Views while it owed were counted one by one; those after that are counted here."""
        if fate.on_sale_at is None:
            return
        begin = fate.on_sale_at
        if fate.debt:
            begin = now if fate.debt.open else max(begin, fate.debt.until or begin)
        times = self._times(fate)
        fate.views += max(
            0, int(np.searchsorted(times, now, side="right") - np.searchsorted(times, begin, side="right"))
        )
        fate.on_sale_at = None

    def _end(self, fate: Fate, now: float) -> None:
        """Sold or withdrawn. What owes its checks is looked at for the record, if it is drawn."""
        offer, debt = fate.offer, fate.debt
        if fate.status == Status.PUBLISHED and offer.sale:
            self.known.was_sold(offer.seller, offer.category, offer.number, now)
        self._leave(fate, now)
        self.known.waiting.pop(offer.number, None)
        fate.status = Status.ENDED
        if debt and debt.open and not debt.cause and debt.impressions > debts.drawn_after(debt.place, self.terms):
            debt.cause = "left"
            self._call_in(fate, now)
        else:
            self._close(fate, now)

    def _for_the_record(self, fate: Fate, found: Outcome, now: float) -> None:
        """It is off the market, whatever was found; what counts is its seller's record, and the category's."""
        offer = fate.offer
        if found.status == Status.IN_REVIEW:
            fate.reviewed = True
            self._at(now + offer.moderator_seconds, self._decided, fate, fate.revision)
        elif found.status == Status.PUBLISHED:
            self._came_through(fate, now)
            if offer.sale:
                self.known.was_sold(offer.seller, offer.category, offer.number, now)

    # --- How long the merchant waits for a first word -----------------------------------------------------------------
    def _drafting_ms(self, written: Written) -> float:
        """0: nothing is said before the submit."""
        if not written.said:
            return 0.0
        milliseconds = sum(verdict.ms or 0.0 for verdict in written.said)
        if self.arm.on_device:
            return milliseconds * self.p.device_slowdown
        return milliseconds + self.p.round_trip_ms

    def _verdict_ms(self, fate: Fate, draft: Draft) -> float:
        p = self.p
        milliseconds = p.round_trip_ms + sum(v.ms or 0.0 for v in fate.verdicts if v.where == Where.GATE)
        if fate.status != Status.PUBLISHED:
            milliseconds += p.queue_ms + (self.looks.words(text.CLOUD, draft.fields, Where.CLOUD).ms or 0.0)
            if draft.photo:
                milliseconds += self.looks.photo(photo_model.CLOUD, draft.photo, Where.CLOUD).ms or 0.0
        return milliseconds
