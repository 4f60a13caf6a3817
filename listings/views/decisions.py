"""What a merchant reads of decisions and can do about them; notices; reports from whoever sees a listing."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from .. import senders
from ..forms import AppealForm, ReportForm
from ..lifecycle import Status
from ..models import Decision, Listing, Notice, User
from ..moderation import appeals, claims, notices, reports, statements, strikes
from ..pages import Pages
from .moderation import moderator_required
from .requests import SignedInRequest

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
    """Every decision of a period as a statement of reasons, a row each, the oldest first."""
    rows = Decision.objects.select_related("listing", "review_job", "moderator").order_by("pk")
    for name, lookup in (("from", "created_at__date__gte"), ("to", "created_at__date__lte")):
        try:
            day = parse_date(request.GET.get(name, ""))
        except ValueError:  # such as 31 February
            day = None
        if day:
            rows = rows.filter(**{lookup: day})
    answer = StreamingHttpResponse(_lines(rows), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="statements-of-reasons.csv"'
    return answer


def _lines(rows: Any) -> Iterator[str]:
    writer = csv.DictWriter(_Echo(), statements.COLUMNS)
    yield "".join(writer.writer.writerow(statements.COLUMNS))
    for found in rows.iterator(chunk_size=500):
        yield writer.writerow({name: _harmless(value) for name, value in statements.as_row(found).items()})


def _harmless(value: Any) -> str:
    """A spreadsheet runs nothing that somebody wrote into a title or a reason."""
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


@login_required
@require_safe
def statement_json(request: SignedInRequest, pk: int) -> JsonResponse:
    """One statement of reasons for machines; its merchant's and moderators' alone."""
    found = get_object_or_404(Decision.objects.select_related("listing", "review_job", "moderator"), pk=pk)
    if not request.user.is_moderator and found.listing.seller_id != request.user.pk:
        raise Http404("There is no such decision.")
    row = statements.as_row(found)
    if not request.user.is_moderator:
        del row["moderator"]
    return JsonResponse(row)
