"""The first moderation page: queue, evidence, decision with a reason."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from .. import categories, policies
from ..forms import RejectForm
from ..models import ReviewJob
from ..moderation import decisions, evidence, queue
from ..pages import Pages
from .requests import SignedInRequest


def moderator_required(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @wraps(view)
    @login_required
    def guarded(request: SignedInRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_moderator:
            raise PermissionDenied("This page is for moderators.")
        return view(request, *args, **kwargs)

    return guarded


@moderator_required
@require_safe
def review_queue(request: HttpRequest) -> HttpResponse:
    policy = request.GET.get("policy", "")
    page = Pages(queue.open_jobs(policy=policy), 25).get_page(request.GET.get("page"))
    return render(
        request,
        "listings/moderation_queue.html",
        {
            "page": page,
            "page_range": list(page.paginator.get_elided_page_range(page.number, on_each_side=1)),
            "counts": queue.counts(),
            "policy": policy,
            "section": "moderation",
        },
    )


@moderator_required
@require_http_methods(["GET", "HEAD", "POST"])
def case(request: SignedInRequest, pk: int) -> HttpResponse:
    job = get_object_or_404(ReviewJob.objects.select_related("listing__seller"), pk=pk)
    about = {"policy": job.policy, "photos": evidence.flagged(job)}
    seen = evidence.of_photos(job)
    photos = [each.photo for each in seen]
    form = RejectForm(initial=about, of=photos)
    if request.method == "POST":
        form = RejectForm(request.POST, of=photos)
        approved = request.POST.get("action") == "approve"
        if approved or form.is_valid():
            try:
                if approved:
                    decisions.approve(job=job, moderator=request.user)
                else:
                    decisions.reject(job=job, moderator=request.user, **form.cleaned_data)
            except ValidationError as error:
                messages.error(request, error.messages[0])
            else:
                verb = "Approved" if approved else "Rejected"
                told = "It stands in the record." if approved and job.left else "The merchant can see it."
                messages.success(request, f"{verb}: “{job.listing.title}”. {told}")
                return _next_case(job)
            return redirect("moderation-case", pk)
        if approved:
            form = RejectForm(initial=about, of=photos)
    return render(
        request,
        "listings/moderation_case.html",
        {
            "job": job,
            "listing": job.listing,
            "category": categories.get(job.listing.category),
            "attributes": categories.labelled(job.listing.category, job.listing.attributes),
            "evidence": evidence.of_words(job),
            "photos": seen,
            "words": evidence.words_of(job),
            "history": evidence.history(job.listing),
            "suspected": policies.get(job.policy),
            "policies": policies.all(),
            "form": form,
            "section": "moderation",
        },
        status=400 if form.errors else 200,
    )


def _next_case(done: ReviewJob) -> HttpResponse:
    following = queue.open_jobs().exclude(pk=done.pk).first()
    return redirect("moderation-case", following.pk) if following else redirect("moderation-queue")
