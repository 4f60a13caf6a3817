"""The console: queue, case, decision, and what a moderator does with a claim."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse, JsonResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from .. import categories, limits, policies
from ..forms import DecisionForm
from ..models import Decision, JobEvent, PendingDecision, ReviewJob, Suspension, User
from ..moderation import (
    claims,
    decisions,
    diff,
    evidence,
    notices,
    queue,
    reports,
    sellers,
    site_statements,
    statements,
)
from ..moderation.decisions import Word
from ..moderation.queue import Filters
from ..outcome import photos_named
from .requests import SignedInRequest

Action = Decision.Action
BULK_MOST = 50
REPORTS_SHOWN = 20
LABELS = {
    Action.APPROVE: ("Approve", "a"),
    Action.REJECT: ("Reject", "r"),
    Action.CHANGES: ("Ask for changes", "c"),
    Action.UPHOLD: ("Uphold", "a"),
    Action.OVERTURN: ("Overturn", "r"),
    Action.MODIFY: ("Modify", "c"),
}


def moderator_required(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    @wraps(view)
    @login_required
    def guarded(request: SignedInRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_moderator:
            raise PermissionDenied("This page is for moderators.")
        return view(request, *args, **kwargs)

    return guarded


# --- The queue -------------------------------------------------------------------------------------------------------
@moderator_required
@require_safe
def review_queue(request: SignedInRequest) -> HttpResponse:
    filters = Filters.of(request.GET)
    jobs, further = queue.page(filters, request.GET.get("after", ""))
    counted = queue.tally()
    waiting = queue.waiting(counted)
    return render(
        request,
        "listings/moderation_queue.html",
        _console(request)
        | {
            "jobs": [(job, *evidence.head(job), claims.holder(job)) for job in jobs],
            "further": further,
            "is_first": "after" not in request.GET,
            "filters": filters,
            "lanes": [(lane, label, waiting[lane], _query(filters, lane=lane))
                      for lane, (label, _) in queue.LANES.items()],
            "here": waiting[filters.lane],
            "policies": [(id or queue.NO_POLICY, name, number, _query(filters, policy=id or queue.NO_POLICY))
                         for id, name, number in queue.counts(filters.lane, counted)],
            "all_policies": _query(filters, policy=""),
            "orders": [(queue.URGENT, "Most urgent first", _query(filters, order=queue.URGENT)),
                       (queue.OLDEST, "Oldest first", _query(filters, order=queue.OLDEST))],
            "query": _query(filters),
            "form": DecisionForm(),
        },
    )  # fmt: skip


@moderator_required
@require_POST
def next_case(request: SignedInRequest) -> HttpResponse:
    """The first job of the queue that nobody holds is this moderator's from now on."""
    return _go_on(request, Filters.of(request.GET), is_asked=True)


def _go_on(request: SignedInRequest, filters: Filters, is_asked: bool = False) -> HttpResponse:
    """To the next case; where there is none to the queue, with the reason if somebody asked for one."""
    job = claims.take_next(request.user, filters)
    if job is not None:
        return redirect(_address("moderation-case", filters, job.pk))
    if is_asked:
        messages.info(request, queue.why_nothing(request.user, filters))
    return redirect(_address("moderation-queue", filters))


def _query(filters: Filters, **changes: str) -> str:
    found = QueryDict(mutable=True)
    found.update(Filters(**(vars(filters) | changes)).as_query())
    return f"?{found.urlencode()}" if found else "?"


def _address(name: str, filters: Filters, *args: Any) -> str:
    return reverse(name, args=args) + (_query(filters) if filters.as_query() else "")


def _console(request: SignedInRequest) -> dict[str, Any]:
    """What every page of the console shows: decisions of this moderator that can still be taken back, and those that
    could not be made (each told once)."""
    decisions.settle_due(moderator=request.user)  # workers may be busy
    for failed in decisions.untold(request.user):
        messages.error(request, f"“{failed.job.listing.title}”: your decision could not be made. {failed.failure}")
    waiting = PendingDecision.objects.filter(
        moderator=request.user, state=PendingDecision.State.PENDING, due_at__gt=timezone.now()
    )
    pending: dict[Any, list[PendingDecision]] = {}
    for each in waiting.select_related("job__listing").order_by("-pk")[:BULK_MOST]:
        pending.setdefault(each.batch or each.pk, []).append(each)
    return {"pending": list(pending.values()), "section": "moderation"}


# --- A case ----------------------------------------------------------------------------------------------------------
@moderator_required
@require_http_methods(["GET", "HEAD", "POST"])
def case(request: SignedInRequest, pk: int) -> HttpResponse:
    job = get_object_or_404(ReviewJob.objects.select_related("listing__seller", "about__moderator"), pk=pk)
    filters = Filters.of(request.GET)
    action = request.POST.get("action", "")
    if request.method != "POST":
        return _case_page(request, job, filters, _form_of(job))
    form = DecisionForm(request.POST, of=evidence.as_they_stood(job))
    try:
        match action:
            case "take":
                claims.take(job.pk, request.user)
                return redirect(_address("moderation-case", filters, job.pk))
            case "release":
                claims.release(job.pk, request.user)
                return redirect(_address("moderation-queue", filters))
            case "skip":
                claims.skip(job.pk, request.user)
                return _go_on(request, filters, is_asked=True)
            case "escalate":
                claims.escalate(job.pk, request.user, str(request.POST.get("reason", "")))
                messages.success(request, f"Passed on: “{job.listing.title}”. Another moderator decides.")
                return _go_on(request, filters)
            case "preview":
                return _case_page(request, job, filters, form, preview=_messages([job], request.POST))
        if not form.is_valid():
            return _case_page(request, job, filters, form, status=400)
        word = Word(action, **{name: form.cleaned_data.get(name, ()) for name in ("policy", "reason", "photos")})
        word = replace(_without_what_it_lacks(word), reports_seen=_int(request.POST.get("reports")))
        decisions.propose(job=job, moderator=request.user, word=word, revision=_int(request.POST.get("revision")))
    except claims.Taken as error:
        messages.error(request, error.messages[0])
        return _case_page(request, job, filters, form, status=409)
    except PermissionDenied:  # the page says why, in place of the form, and keeps what was written
        return _case_page(request, job, filters, form, status=403)
    except ValidationError as error:
        if hasattr(error, "error_dict"):
            for name, said in error.message_dict.items():
                form.add_error(name if name in form.fields else None, said)
        else:
            messages.error(request, error.messages[0])
        return _case_page(request, job, filters, form, status=400)
    return _go_on(request, filters)


def _without_what_it_lacks(word: Word) -> Word:
    """An approval names no policy, and only a rejection bans photos: the form has them filled in beforehand."""
    if word.action in (Action.APPROVE, Action.OVERTURN, Action.UPHOLD):
        return Word(word.action, "", word.reason)
    return word if word.action == Action.REJECT else Word(word.action, word.policy, word.reason)


def _form_of(job: ReviewJob) -> DecisionForm:
    return DecisionForm(initial={"policy": job.policy, "photos": evidence.flagged(job)}, of=evidence.as_they_stood(job))


def _case_page(
    request: SignedInRequest,
    job: ReviewJob,
    filters: Filters,
    form: DecisionForm,
    status: int = 200,
    preview: list[Message] | None = None,
) -> HttpResponse:
    job.refresh_from_db()
    if lacking := next((name for name in form.errors if name in form.fields), ""):
        form.fields[lacking].widget.attrs["autofocus"] = True  # or what is typed next would be keys
    listing = job.listing
    # What is judged: an appeal is about the words of then. A new price alone makes no revision: of the present one the
    # listing itself says what it costs now.
    then = None if job.revision == listing.revision else listing.at(job.revision)
    shown = then or listing
    holder = claims.holder(job)
    is_open = job.state == ReviewJob.State.OPEN
    pending = job.pending.filter(state=PendingDecision.State.PENDING).select_related("moderator").first()
    decided = Decision.objects.filter(review_job=job).select_related("moderator").first()
    why = claims.why_never(job, request.user)
    about_seller = job.kind == ReviewJob.Kind.SELLER
    suspension = Suspension.objects.filter(decision=job.about_id).first() if about_seller else None
    return render(
        request,
        "listings/moderation_case.html",
        _console(request)
        | {
            "job": job,
            "listing": listing,
            "shown": shown,
            "category": categories.get(shown.category),
            "attributes": categories.labelled(shown.category, shown.attributes),
            "evidence": evidence.of_words(job),
            "photos": evidence.of_photos(job),
            "gone": photos_named(gone) if (gone := evidence.gone_photos(job)) else "",
            "gone_number": len(gone),
            "edits": diff.edits(listing),
            # Blind: the record would say how it was decided.
            "history": evidence.history(job),
            "standing": sellers.of(job),
            "look_alikes": sellers.look_alikes(job),
            "reports": [
                (policies.name(each.policy) or "Something else", each)
                for each in listing.reports.select_related("reporter").order_by("-pk")[:REPORTS_SHOWN]
            ],
            "last_report": reports.last(listing.pk),
            "past": decisions.is_past(job),
            "appealed": statements.of(job.about) if job.kind == ReviewJob.Kind.APPEAL and job.about else None,
            "suspension": suspension,
            "suspended": site_statements.of_suspension(suspension) if suspension else None,
            "passed_on": job.events.filter(kind=JobEvent.Kind.ESCALATED).select_related("actor").last(),
            "suspected": policies.get(job.policy),
            "form": form,
            "preview": preview,
            "actions": [(action.value, *LABELS[action]) for action in decisions.WORDS[job.kind]],
            "holder": holder,
            "is_mine": holder is not None and holder.pk == request.user.pk,
            "may_decide": is_open and not pending and not why and (holder is None or holder.pk == request.user.pk),
            "why_never": why,
            "waits": pending,
            "decided": decided,
            "query": _query(filters),
            "lease_minutes": claims.lease().total_seconds() / 60,
            "usual": {p.id: f"{p.merchant_text} {p.what_to_do}" for p in policies.all()},
        },
        status=status,
    )


@moderator_required
@require_POST
def renew(request: SignedInRequest, pk: int) -> JsonResponse:
    """While somebody works on a case. 409: it is not theirs any more."""
    until = claims.renew(pk, request.user)
    if until is None:
        return JsonResponse({"message": _lost(pk, request.user)}, status=409)
    return JsonResponse({"until": until.isoformat()})


def _lost(pk: int, moderator: User) -> str:
    job = get_object_or_404(ReviewJob.objects.select_related("claimed_by"), pk=pk)
    if job.state != ReviewJob.State.OPEN:
        return "This case is decided, or its merchant has withdrawn it. What you wrote is still here."
    other = claims.holder(job)
    if other is not None and other.pk != moderator.pk:
        return f"{other.username} has taken this case: your time was over. What you wrote is still here."
    return "This case is not yours any more: take it again. What you wrote is still here."


@moderator_required
@require_POST
def preview(request: SignedInRequest) -> JsonResponse:
    """What the merchants of these cases would read, for the page that is being written on."""
    rows = ReviewJob.objects.filter(pk__in=[_int(value) for value in request.POST.getlist("job")[:BULK_MOST]])
    jobs = rows.select_related("listing").order_by("rank_at", "pk")
    return JsonResponse({"messages": [asdict(each) for each in _messages(jobs, request.POST)]})


@dataclass(frozen=True)
class Message:
    title: str
    paragraphs: list[str]


def _messages(jobs: Iterable[ReviewJob], said: QueryDict) -> list[Message]:
    """Of each case, what its merchant will get if it is decided so: title and text as notices.py sends them."""
    wanted, policy = said.get("of", ""), str(said.get("policy", ""))[:30]
    reason = str(said.get("reason", ""))[: limits.REASON_MOST].strip() or statements.PLACEHOLDER
    keys = [_int(value) for value in said.getlist("photos")]
    return [_message(job, wanted, policy, reason, keys) for job in jobs]


def _message(job: ReviewJob, wanted: str, policy: str, reason: str, photos: list[int]) -> Message:
    words = decisions.WORDS[job.kind]
    action = wanted if wanted in words else next(each for each in (Action.REJECT, Action.OVERTURN) if each in words)
    word = _without_what_it_lacks(Word(action, policy, reason, photos))
    title, _ = evidence.head(job)
    if wanted == "escalate":
        return Message(title, ["Its merchant gets no message: another moderator decides, and reads this."])
    if not notices.is_told(job, action):
        return Message(title, ["Its merchant gets no message: nothing changes for them."])
    places = evidence.places(job, word.photos)
    title, text = notices.message(job, action, word.policy, reason, places, past=decisions.is_past(job))
    return Message(title, text.split("\n\n"))


@moderator_required
@require_POST
def undo(request: SignedInRequest) -> HttpResponse:
    """Take back what is not in force yet; one case is opened again."""
    keys = [_int(value) for value in request.POST.getlist("pending")]
    asked = PendingDecision.objects.filter(pk__in=keys, moderator=request.user).select_related("job__listing")
    found = decisions.undo(asked, request.user)
    before = [each for each in asked if each.state == PendingDecision.State.UNDONE]  # the key was pressed twice
    if len(found) + len(before) < len(asked) or not asked:
        messages.error(request, "Too late: the decision is in force. The merchant can ask for another look.")
    if len(found) == 1 or (before and not found):
        messages.success(request, "Taken back. The case is yours again.")
        return redirect("moderation-case", (found or before)[0].job_id)
    if found:
        messages.success(request, f"{len(found)} decisions are taken back.")
    return redirect("moderation-queue")


# --- Several at once -------------------------------------------------------------------------------------------------
@moderator_required
@require_POST
def bulk(request: SignedInRequest) -> HttpResponse:
    """First the chosen cases with what their merchants will read, each with a box to leave it out; then the decisions,
    in force after the time for taking them back."""
    keys = list(dict.fromkeys(_int(value) for value in request.POST.getlist("job")))
    rows = ReviewJob.objects.filter(pk__in=keys, state=ReviewJob.State.OPEN).select_related("listing__seller")
    jobs = list(rows.prefetch_related("listing__photos").order_by("rank_at", "pk"))
    form = DecisionForm(request.POST)
    if not jobs or len(keys) > BULK_MOST:
        few = "Choose at least one case that still waits." if not jobs else f"Choose {BULK_MOST} cases at most."
        messages.error(request, few)
        return redirect("moderation-queue")
    fit = [(job, _why_not(job, request.user)) for job in jobs]
    action = request.POST.get("action", "")
    if request.POST.get("sure") and form.is_valid():
        word = _without_what_it_lacks(Word(action, form.cleaned_data["policy"], form.cleaned_data["reason"]))
        done, errors = _decide_all([job for job, why in fit if not why], request, word)
        for error in errors:
            form.add_error(None, error)
            if done:
                messages.error(request, error)
        if done:
            messages.success(request, f"{done} decided. You can still take them back.")
            return redirect("moderation-queue")
    return render(
        request,
        "listings/moderation_bulk.html",
        _console(request)
        | {
            "jobs": [(job, *evidence.head(job), why) for job, why in fit],
            "form": form,
            "action": action,
            "actions": [(each.value, LABELS[each][0]) for each in decisions.WORDS[ReviewJob.Kind.CHECK]],
            "preview": _messages([job for job, why in fit if not why], _as_of(request.POST, action)),
        },
        status=400 if form.errors else 200,
    )


def _as_of(said: QueryDict, action: str) -> QueryDict:
    found = said.copy()
    found["of"] = action
    return found


def _why_not(job: ReviewJob, moderator: User) -> str:
    """Why this case cannot be among those decided together; "" if it can."""
    if job.listing.seller_id == moderator.pk:
        return "your own listing"
    if job.kind in (ReviewJob.Kind.APPEAL, ReviewJob.Kind.SELLER):
        return "has to be looked at by itself"
    other = claims.holder(job)
    if other is not None and other.pk != moderator.pk:
        return f"{other.username} is at work on it"
    if job.pending.filter(state=PendingDecision.State.PENDING).exists():
        return "decided already"
    return ""


def _decide_all(jobs: list[ReviewJob], request: SignedInRequest, word: Word) -> tuple[int, list[str]]:
    batch, done, errors = uuid.uuid4(), 0, []
    for job in jobs:
        try:
            decisions.propose(
                job=job, moderator=request.user, word=word, batch=batch,
                revision=_int(request.POST.get(f"revision-{job.pk}")),
            )  # fmt: skip
            done += 1
        except (ValidationError, PermissionDenied) as error:
            said = error.messages if isinstance(error, ValidationError) else [str(error)]
            errors += [sentence for sentence in said if sentence not in errors]
    return done, errors


def _int(value: Any) -> int:
    try:
        return min(int(str(value)), 2**31 - 1)
    except ValueError:
        return -1
