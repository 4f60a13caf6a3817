"""What merchants do: submit, edit, withdraw, and deal with what came of it."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path
from typing import Any

from django.contrib.auth.hashers import make_password
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import QuerySet

from listings import contact_details, gate, photo_files, photos, selling, submission
from listings import content as words
from listings.lifecycle import Status
from listings.models import Decision, Listing, Photo, User, Where
from listings.moderation import appeals
from listings.submission import StaleRevision, Suspended, TooManySubmissions
from marketplace.demo import people
from marketplace.demo.replay import script, truth
from marketplace.demo.replay.script import SAFE, SENTENCE, Offer
from marketplace.demo.replay.stage import NEWCOMERS, Stage, person, short
from models import photo, text
from models.manifest import ModelUnavailable

REFUSED = (ValidationError, PermissionDenied, StaleRevision, TooManySubmissions)
FIELDS = ("title", "description", "category", "attributes", "price", "currency", "condition")
TITLES = 1_000  # that are tried before one is used twice
Action = Decision.Action


def submit(stage: Stage, rng: random.Random) -> None:
    found = script.offer(stage.goods, stage.minute, rng)
    seller = _seller(stage, found, rng)
    content = _unheard(found, rng)
    has_device = rng.random() < stage.habits.with_device
    try:
        sent = [_upload(seller, path) for path in found.photos]
        submission.submit(
            seller=seller, content=content, photos=sent, draft_key=truth.draft_key(),
            claim=_claim(content) if has_device else "", photo_claims=_photo_claims(sent) if has_device else "",
        )  # fmt: skip
    except Suspended:
        stage.tell(seller.username, f"cannot submit {short(content['title'])}: suspended")
        stage.tally["stopped by a suspension"] += 1
        return
    except REFUSED as error:
        stage.tell(seller.username, f"cannot submit {short(content['title'])}: {said(error)}")
        return
    stage.tell(seller.username, f"submits {short(content['title'])}")
    stage.tally["submitted"] += 1
    stage.tally["submitted, against a rule"] += found.truth != SAFE


def edit(stage: Stage, rng: random.Random) -> None:
    """Another price, a sentence more, or, rarely, something else altogether under a title that had passed."""
    listing = _any_of(_standing(stage).filter(seller__suspended_until=None), rng)
    if listing is None:
        return
    content = _content(listing)
    is_safe = stage.truths.of(listing.draft_key, listing.title, listing.description) == SAFE
    if listing.status == Status.PUBLISHED and is_safe and rng.random() < stage.habits.baits:
        other = script.varied(
            rng.choice(stage.goods.unsafe["midday" if stage.minute >= script.MIDDAY else "morning"]), rng
        )
        content |= {name: value for name, value in _unheard(other, rng).items() if name in ("title", "description")}
        what = f"turns {short(listing.title)} into {short(content['title'])}"
    elif rng.random() < 0.5:
        content["price"] = (content["price"] * rng.choice((8, 9, 11)) / 10).quantize(content["price"])
        what = f"changes the price of {short(listing.title)} to {content['price']} {content['currency']}"
    else:
        content["description"] += f" {rng.choice(script.CLOSINGS)}"
        what = f"adds a sentence to {short(listing.title)}"
    if _resubmit(stage, listing, content, what):
        stage.tally["edited"] += 1


def withdraw(stage: Stage, rng: random.Random) -> None:
    listing = _any_of(_standing(stage), rng)
    if listing is not None:
        _end(stage, listing)


def answer(stage: Stage, rng: random.Random) -> None:
    """The oldest decision that its merchant has not come to terms with; else what the checks alone sent back."""
    decision = _unanswered(stage)
    if decision is not None:
        _answer_decision(stage, decision, rng)
        return
    sent_back = Listing.objects.filter(truth.ours(), stage.touchable(), status=Status.NEEDS_CHANGES).select_related(
        "seller"
    )
    listing = next((each for each in sent_back.order_by("updated_at") if appeals.sent_back_by_checks(each)), None)
    if listing is None:
        return
    if rng.random() < stage.habits.asks_a_person:
        try:
            appeals.ask_for_a_person(listing=listing, seller=listing.seller)
            stage.tell(listing.seller.username, f"asks a person to look at {short(listing.title)}")
        except REFUSED as error:
            stage.tell(listing.seller.username, f"cannot ask a person: {said(error)}")
    else:
        _mend(stage, listing, rng)


def _answer_decision(stage: Stage, decision: Decision, rng: random.Random) -> None:
    stage.thought_about.add(decision.pk)
    listing, seller = decision.listing, decision.listing.seller
    was_right = truth_of_decision(stage, decision) not in (SAFE, "")
    chance = stage.habits.appeals_right if was_right else stage.habits.appeals_wrong
    if rng.random() >= chance:
        if truth_of_decision(stage, decision) in (SAFE, truth.CONTACT) and listing.status != Status.ENDED:
            _mend(stage, listing, rng)
        elif listing.status != Status.ENDED:
            _end(stage, listing)
        return
    said_why = rng.choice(GROUNDS_WEAK if was_right else GROUNDS_GOOD)
    try:
        appeals.appeal(decision=decision, person=seller, text=said_why)
    except REFUSED as error:
        stage.tell(seller.username, f"cannot appeal: {said(error)}")
        return
    stage.tell(seller.username, f"asks for another look at {short(listing.title)}: {said_why}")
    stage.tally["appeals"] += 1


GROUNDS_GOOD = (
    "It is an ordinary thing and breaks no rule. Please read the whole description.",
    "Only the name sounds like that. Nothing about it is forbidden.",
    "I have sold the same thing here before, and nobody minded.",
)
GROUNDS_WEAK = (
    "It is for collectors only, so where is the harm in it?",
    "Others sell the same here and nobody stops them.",
    "I did not know that this is not allowed. Let it stay until it is sold.",
)


def truth_of_decision(stage: Stage, decision: Decision) -> str:
    """Of the words that it was about; "" when they are not kept."""
    number = decision.revision or decision.review_job.revision
    kept = decision.listing.at(number)
    return stage.truths.of(decision.listing.draft_key, kept.title, kept.description) if kept else ""


def said(error: Exception) -> str:
    return error.messages[0] if isinstance(error, ValidationError) else str(error)


# --- Steps -----------------------------------------------------------------------------------------------------------
def _seller(stage: Stage, found: Offer, rng: random.Random) -> User:
    """Of a variation of the catalogue its seller; of our own goods anybody. What is forbidden comes from a new account
    half of the time."""
    name = found.seller or rng.choice(stage.merchants)
    seller = person(name)
    if found.truth == SAFE or not (seller.is_suspended or rng.random() < 0.5):
        return seller
    for number in range(1, 1_000):
        newcomer = _newcomer(number)
        if newcomer and newcomer.is_merchant and newcomer.is_active and not newcomer.is_suspended:
            return newcomer
    return seller


def _newcomer(number: int) -> User | None:
    """An account made here, with the password of the demo's people. None where somebody else has taken the name."""
    name, shop_name = f"{NEWCOMERS}_{number}", f"New here {number}"
    here = User.objects.filter(username=name).first()
    if here is None:
        password = make_password(people.PASSWORD)
        return User.objects.create(username=name, role=User.Role.MERCHANT, shop_name=shop_name, password=password)
    if here.shop_name != shop_name:
        return None
    if not here.has_usable_password():  # made by an earlier version
        here.password = make_password(people.PASSWORD)
        here.save(update_fields=["password"])
    return here


def _unheard(found: Offer, rng: random.Random) -> dict[str, Any]:
    """Under a title and in words that are not on the site yet: the demo, or an earlier replay, may have used the
    same."""
    content = dict(found.content)
    plain = next(
        (content["title"].removesuffix(tail) for tail in script.TAILS[1:] if content["title"].endswith(tail)),
        content["title"],
    )
    others = [script.titled(plain, tail) for tail in rng.sample(script.TAILS, len(script.TAILS))]
    numbered = (script.titled(plain, f", no. {number}") for number in itertools.count(2))
    for title in itertools.islice(itertools.chain([content["title"]], others, numbered), TITLES):
        if not Listing.objects.filter(title=title).exists():
            content["title"] = title
            break
    number, description = 1, content["description"]
    while Listing.objects.filter(fingerprint=words.fingerprint(content["title"], content["description"])).exists():
        number += 1
        content["description"] = f"{description} Piece {number} of several."
    return content


def _upload(seller: User, path: Path) -> Photo:
    """As the sell page sends it. Raises ValidationError."""
    return photos.store_upload(seller, SimpleUploadedFile(path.name, path.read_bytes(), "image/jpeg"))


def _photo_claims(sent: list[Photo]) -> str:
    """As `_claim`, of photos."""
    try:
        longest = gate.photo_longest()
        return json.dumps(
            [
                photo.check_photo(photo_files.decoded(each, longest), digest=each.sha256, where=Where.DEVICE)
                for each in sent
            ]
        )
    except (ModelUnavailable, OSError):
        return ""


def _claim(content: dict[str, Any]) -> str:
    """What an honest browser sends along: it runs the same file as the gate. "" where the model is away."""
    fields = words.text_fields(
        title=content["title"], description=content["description"], category=content["category"],
        attributes=content["attributes"], alts=[],
    )  # fmt: skip
    try:
        return json.dumps(text.check_text(fields, where=Where.DEVICE))
    except ModelUnavailable:
        return ""


def _standing(stage: Stage) -> QuerySet[Listing]:
    return Listing.objects.filter(
        truth.ours(),
        stage.touchable(),
        status__in=[Status.PUBLISHED, Status.PAUSED, Status.IN_REVIEW, Status.NEEDS_CHANGES],
    ).select_related("seller")


def _any_of(rows: QuerySet[Listing], rng: random.Random) -> Listing | None:
    keys = list(rows.order_by("pk").values_list("pk", flat=True))
    return rows.get(pk=rng.choice(keys)) if keys else None


def _content(listing: Listing) -> dict[str, Any]:
    return {name: getattr(listing, name) for name in FIELDS}


def _unanswered(stage: Stage) -> Decision | None:
    rows = Decision.objects.filter(
        truth.ours("listing__"), stage.touchable("listing__"), action__in=[Action.REJECT, Action.CHANGES], appeal=None
    ).exclude(pk__in=stage.thought_about)
    rows = rows.select_related("listing__seller", "review_job").order_by("created_at", "pk")
    return next((each for each in rows if not appeals.why_not(each, each.listing.seller)), None)


def _mend(stage: Stage, listing: Listing, rng: random.Random) -> None:
    """Without the sentences that tell how to get in touch, and said another way."""
    content = _content(listing)
    kept = [each for each in SENTENCE.split(content["description"]) if not contact_details.find([("", each)])]
    content["description"] = " ".join([*kept, rng.choice(script.CLOSINGS)])
    if _resubmit(stage, listing, content, f"mends {short(listing.title)} and submits it again"):
        stage.tally["mended"] += 1


def _resubmit(stage: Stage, listing: Listing, content: dict[str, Any], what: str) -> bool:
    seller = listing.seller
    claim = _claim(content)
    try:
        submission.resubmit(
            listing=listing, seller=seller, content=content, photos=list(listing.photos.all()), claim=claim,
            base_edits=listing.edits,
        )  # fmt: skip
    except REFUSED as error:
        stage.tell(seller.username, f"cannot change {short(listing.title)}: {said(error)}")
        return False
    stage.tell(seller.username, what)
    return True


def _end(stage: Stage, listing: Listing) -> None:
    try:
        selling.end(listing=listing, seller=listing.seller)
    except REFUSED as error:
        stage.tell(listing.seller.username, f"cannot withdraw {short(listing.title)}: {said(error)}")
        return
    stage.tell(listing.seller.username, f"withdraws {short(listing.title)}")
    stage.tally["withdrawn"] += 1
