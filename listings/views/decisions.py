"""What a merchant reads of decisions and can do about them; notices; reports from whoever sees a listing."""

from __future__ import annotations

import csv
import heapq
from collections.abc import Callable, Iterator
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from .. import senders
from ..forms import AppealForm, ReportForm
from ..lifecycle import Status
from ..models import Decision, Listing, Notice, StatusChange, Suspension, User
from ..moderation import appeals, claims, notices, reports, site_statements, statements, strikes
from ..pages import Pages
from .moderation import moderator_required
from .requests import SignedInRequest

SENT_BACK_SHOWN = 20
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a cell begins that a spreadsheet would run


# --- For merchants ---------------------------------------------------------------------------------------------------
@login_required
@require_safe
def mine(request: SignedInRequest) -> HttpResponse:
    rows = Decision.objects.filter(listing__seller=request.user).select_related("listing", "review_job")
    page = Pages(rows.prefetch_related("answers"), 20).get_page(request.GET.get("page"))
    return render(
        request,
        "listings/decisions.html",
        {
            "page": page,
            "page_range": list(page.paginator.get_elided_page_range(page.number, on_each_side=1)),
            "strikes": strikes.living(request.user).select_related("decision__listing"),
            "suspensions": request.user.suspensions.all(),
            "sent_back": site_statements.sent_back()
            .filter(listing__seller=request.user)
            .select_related("listing")
            .order_by("-pk")[:SENT_BACK_SHOWN],
            "section": "decisions",
        },
    )


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def decision(request: SignedInRequest, pk: int) -> HttpResponse:
    """The statement of reasons, for its merchant and for moderators; for everybody else there is no such page."""
    rows = Decision.objects.select_related("listing__seller", "review_job", "moderator", "about")
    found = get_object_or_404(rows, pk=pk)
    is_mine = found.listing.seller_id == request.user.pk
    if not is_mine and not request.user.is_moderator:
        raise Http404("There is no such decision.")
    if not is_mine:
        claims.refuse_while_blind(found.listing, request.user)
    form = AppealForm(request.POST or None)
    if request.method == "POST":
        form.is_valid()
        try:
            appeals.appeal(decision=found, person=request.user, text=form.cleaned_data.get("text", ""))
        except ValidationError as error:
            _explain(form, error)
        else:
            messages.success(request, "Sent. Another moderator looks at it; you hear from us here and by e-mail.")
            return redirect("decision", pk)
    return render(
        request,
        "listings/decision.html",
        {
            "decision": found,
            "statement": statements.of(found),
            "appeal": getattr(found, "appeal", None),
            "answer": found.answers.select_related("moderator").first(),
            "why_not": appeals.why_not(found, request.user),
            "is_mine": is_mine,
            "form": form,
            "section": "decisions" if is_mine else "moderation",
        },
        status=400 if form.errors else 200,
    )


@login_required
@require_safe
def sent_back(request: SignedInRequest, pk: int) -> HttpResponse:
    """The statement of reasons of what the checks alone sent back."""
    change = _sent_back(request, pk)
    listing = change.listing
    is_mine = listing.seller_id == request.user.pk
    stands = listing.revision == change.revision and appeals.sent_back_by_checks(listing)
    return render(
        request,
        "listings/statement.html",
        {
            "heading": listing.title,
            "about": f"“{listing.title}”",
            "statement": site_statements.of_checks(change),
            "json": reverse("sent-back-json", args=[pk]),
            "is_mine": is_mine,
            "mend": listing if is_mine and stands else None,
            "section": "decisions" if is_mine else "moderation",
        },
    )


def _sent_back(request: SignedInRequest, pk: int) -> StatusChange:
    rows = site_statements.sent_back().select_related("listing__seller")
    found = get_object_or_404(rows, pk=pk)
    if found.listing.seller_id != request.user.pk and not request.user.is_moderator:
        raise Http404("There is no such decision.")
    return found


@login_required
@require_safe
def sent_back_json(request: SignedInRequest, pk: int) -> JsonResponse:
    return JsonResponse(_for_machines(request, site_statements.row_of_checks(_sent_back(request, pk))))


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def suspension(request: SignedInRequest, pk: int) -> HttpResponse:
    """The statement of reasons of a suspension, and the one appeal against it."""
    found = _suspension(request, pk)
    form = AppealForm(request.POST or None)
    if request.method == "POST":
        form.is_valid()
        try:
            appeals.appeal_suspension(suspension=found, person=request.user, text=form.cleaned_data.get("text", ""))
        except ValidationError as error:
            _explain(form, error)
        else:
            messages.success(request, "Sent. Another moderator looks at it; you hear from us here and by e-mail.")
            return redirect("suspension", pk)
    is_mine = found.seller_id == request.user.pk
    return render(
        request,
        "listings/statement.html",
        {
            "heading": "Account suspended",
            "about": f"The account of {found.seller.display_name}",
            "statement": site_statements.of_suspension(found),
            "json": reverse("suspension-json", args=[pk]),
            "suspension": found,
            "strikes": found.strikes.select_related("decision__listing").order_by("pk"),
            "why_not": appeals.why_not_suspension(found, request.user),
            "is_mine": is_mine,
            "form": form,
            "section": "decisions" if is_mine else "moderation",
        },
        status=400 if form.errors else 200,
    )


def _suspension(request: SignedInRequest, pk: int) -> Suspension:
    rows = Suspension.objects.select_related("seller", "answered_by", "decision__listing", "decision__review_job")
    found = get_object_or_404(rows, pk=pk)
    if found.seller_id != request.user.pk and not request.user.is_moderator:
        raise Http404("There is no such decision.")
    if found.seller_id != request.user.pk:
        for strike in found.strikes.select_related("decision__listing"):
            claims.refuse_while_blind(strike.decision.listing, request.user)
    return found


@login_required
@require_safe
def suspension_json(request: SignedInRequest, pk: int) -> JsonResponse:
    return JsonResponse(_for_machines(request, site_statements.row_of_suspension(_suspension(request, pk))))


def _explain(form: Any, error: ValidationError) -> None:
    """What is wrong, beside the field it is about."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error.messages)
        return
    for name, said in error.message_dict.items():
        if name not in form.errors:  # the form has said it in its own words
            form.add_error(name, said)


@login_required
@require_POST
def ask_for_a_person(request: SignedInRequest, public_id: str) -> HttpResponse:
    listing = get_object_or_404(Listing, public_id=public_id, seller=request.user)
    try:
        appeals.ask_for_a_person(listing=listing, seller=request.user)
    except ValidationError as error:
        messages.error(request, error.messages[0])
    else:
        messages.success(request, f"A moderator looks at “{listing.title}” as it is.")
    return redirect("my-listings")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def my_notices(request: SignedInRequest) -> HttpResponse:
    rows = Notice.objects.filter(person=request.user)
    if request.method == "POST":
        notices.mark_read(rows)
        return redirect("notices")
    page = Pages(rows, 20).get_page(request.GET.get("page"))
    return render(
        request,
        "listings/notices.html",
        {
            "page": page,
            "page_range": list(page.paginator.get_elided_page_range(page.number, on_each_side=1)),
            "unread": notices.unread(request.user),
            "section": "notices",
        },
    )


@login_required
@require_POST
def open_notice(request: SignedInRequest, pk: int) -> HttpResponse:
    notice = get_object_or_404(Notice, pk=pk, person=request.user)
    notices.mark_read(Notice.objects.filter(pk=notice.pk))
    return redirect(notice.url or "notices")


# --- For whoever sees a listing --------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest, public_id: str) -> HttpResponse:
    listing = get_object_or_404(Listing, public_id=public_id, status=Status.PUBLISHED)
    form = ReportForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            found = reports.report(
                listing=listing,
                reporter=request.user if isinstance(request.user, User) else None,
                address=senders.address(request.META),
                **form.cleaned_data,
            )
        except reports.TooMany as error:
            return render(request, "429.html", {"message": str(error)}, status=429)
        except ValidationError as error:
            _explain(form, error)
        else:
            told = " You hear from us what came of it." if request.user.is_authenticated else ""
            if reports.is_answered(found):
                messages.info(request, f"Thank you. {reports.ANSWERED}")
            else:
                messages.success(request, f"Thank you: a moderator looks at it.{told}")
            return redirect(listing)
    return render(
        request, "listings/report.html", {"listing": listing, "form": form}, status=400 if form.errors else 200
    )


# --- For staff -------------------------------------------------------------------------------------------------------
class _Echo:
    """A file that gives back what is written, for csv over a stream."""

    def write(self, text: str) -> str:
        return text


@moderator_required
@require_safe
def export(request: HttpRequest) -> HttpResponseBase:
    """Every decision of a period as a statement of reasons, a row each, the oldest first: those of moderators, what the
    checks alone sent back, suspensions."""
    within: dict[str, Any] = {}
    for name, lookup in (("from", "created_at__date__gte"), ("to", "created_at__date__lte")):
        try:
            day = parse_date(request.GET.get(name, ""))
        except ValueError:  # such as 31 February
            day = None
        if day:
            within[lookup] = day
    answer = StreamingHttpResponse(_lines(within), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="statements-of-reasons.csv"'
    return answer


def _lines(within: dict[str, Any]) -> Iterator[str]:
    writer = csv.DictWriter(_Echo(), statements.COLUMNS)
    yield "".join(writer.writer.writerow(statements.COLUMNS))
    for _, found, row_of in _all_statements(within):
        yield writer.writerow({name: _harmless(value) for name, value in row_of(found).items()})


def _all_statements(within: dict[str, Any]) -> Iterator[tuple[tuple[Any, int, int], Any, Callable[[Any], Any]]]:
    kinds: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
        (statements.decided(), statements.as_row),
        (site_statements.sent_back_in_full(), site_statements.row_of_checks),
        (site_statements.suspensions(), site_statements.row_of_suspension),
    )
    return heapq.merge(*(_in_time(place, rows.filter(**within), row) for place, (rows, row) in enumerate(kinds)))


def _in_time(
    place: int, rows: Any, row_of: Callable[[Any], Any]
) -> Iterator[tuple[tuple[Any, int, int], Any, Callable[[Any], Any]]]:
    for found in rows.order_by("created_at", "pk").iterator(chunk_size=500):
        yield (found.created_at, place, found.pk), found, row_of


def _harmless(value: Any) -> str:
    """A spreadsheet runs nothing that somebody wrote into a title or a reason."""
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


@login_required
@require_safe
def statement_json(request: SignedInRequest, pk: int) -> JsonResponse:
    """One statement of reasons for machines; its merchant's and moderators' alone."""
    found = get_object_or_404(statements.decided(), pk=pk)
    if not request.user.is_moderator and found.listing.seller_id != request.user.pk:
        raise Http404("There is no such decision.")
    return JsonResponse(_for_machines(request, statements.as_row(found)))


def _for_machines(request: SignedInRequest, row: dict[str, Any]) -> dict[str, Any]:
    """Who decided is for staff alone."""
    return row if request.user.is_moderator else {name: value for name, value in row.items() if name != "moderator"}
