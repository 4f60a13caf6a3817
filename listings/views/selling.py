"""What merchants do: write, edit, submit, pause and end their listings."""

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from .. import categories, device_check, drafts, limits, policies, queries, selling, submission
from ..forms import ListingForm
from ..lifecycle import Status
from ..models import Draft, Listing, Photo, User
from ..pages import Pages
from ..trust import agreement
from . import sell_photos
from .requests import SignedInRequest

TEXT_FIELDS = ("title", "description", "price", "currency", "condition", "category")


def merchant_required(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @wraps(view)
    @login_required
    def guarded(request: SignedInRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_moderator:
            raise PermissionDenied("A moderator's account cannot sell. Use another account for that.")
        if not request.user.is_merchant:
            return render(request, "listings/start_selling.html")
        return view(request, *args, **kwargs)

    return guarded


@login_required
@require_POST
def start_selling(request: SignedInRequest) -> HttpResponse:
    if request.user.role == User.Role.SHOPPER:
        User.objects.filter(pk=request.user.pk, role=User.Role.SHOPPER).update(role=User.Role.MERCHANT)
        messages.success(request, "You can sell now.")
    return redirect("sell-new")


@merchant_required
@require_safe
def my_listings(request: SignedInRequest) -> HttpResponse:
    status = request.GET.get("status", "")
    rows = queries.my_listings(request.user)
    if status in Status.values:
        rows = rows.filter(status=status)
    page = Pages(rows, 20).get_page(request.GET.get("page"))
    if key := _uuid(request.GET.get("submitted", "")):
        messages.success(request, _sent(request.user, key), extra_tags="sent")
    return render(
        request,
        "listings/my_listings.html",
        {
            "page": page,
            "page_range": list(page.paginator.get_elided_page_range(page.number, on_each_side=1)),
            "counts": queries.status_counts(request.user),
            "status": status,
            "drafts": Draft.objects.filter(owner=request.user) if page.number == 1 and not status else [],
            "drafts_url": "/api/drafts/",
            "section": "my-listings",
        },
    )


def _sent(seller: User, key: uuid.UUID) -> str:
    """What is said of the listing that a form with this draft key was about."""
    mine = Listing.objects.filter(seller=seller, status=Status.CHECKING)
    if mine.filter(draft_key=key) or any(_edit_key(listing) == key for listing in mine.only("public_id")):
        return "Sent. A check of some seconds follows; if it finds nothing, the listing is on sale."
    return "Sent."


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    if request.method != "POST" and request.GET.get("shell") == "1":
        return shell(request)
    return signed_in_new(request)


def shell(request: HttpRequest) -> HttpResponse:
    """The page as the service worker keeps it for offline writing: no account, no token, nobody's data."""
    return _page(request, ListingForm(initial={"currency": "EUR"}), draft_key="", offline=True)


@merchant_required
def signed_in_new(request: SignedInRequest) -> HttpResponse:
    if request.method == "POST":
        return _handle_post(request, listing=None)
    key = _uuid(request.GET.get("draft", "")) or uuid.uuid4()
    draft = Draft.objects.filter(owner=request.user, key=key).first()
    data: dict[str, Any] = draft.data if draft else {}
    photos = sell_photos.staged(request.user, data.get("photo_order", ""))
    if source_id := request.GET.get("from"):
        source = get_object_or_404(Listing, public_id=source_id, seller=request.user)
        data = _form_data(source)
        photos = list(source.photos.all())  # copied when the form is sent
    form = ListingForm(initial=data or {"currency": "EUR"})
    return _page(request, form, draft_key=key, values=data, photos=photos, draft_version=draft.version if draft else 0)


@merchant_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: SignedInRequest, public_id: str) -> HttpResponse:
    listing = get_object_or_404(Listing.objects.prefetch_related("photos"), public_id=public_id, seller=request.user)
    if request.method == "POST":
        return _handle_post(request, listing=listing)
    data = _form_data(listing)
    return _page(
        request, ListingForm(initial=data), listing=listing, draft_key=_edit_key(listing), values=data,
        photos=list(listing.photos.all()),
    )  # fmt: skip


@merchant_required
@require_POST
def change_status(request: SignedInRequest, public_id: str, step: str) -> HttpResponse:
    listing = get_object_or_404(Listing, public_id=public_id, seller=request.user)
    try:
        {"pause": selling.pause, "resume": selling.resume, "end": selling.end}[step](
            listing=listing, seller=request.user
        )
    except ValidationError as error:
        messages.error(request, error.messages[0])
    return redirect("my-listings")


@merchant_required
@require_POST
def delete_draft(request: SignedInRequest, key: uuid.UUID) -> HttpResponse:
    drafts.delete_draft(request.user, key)
    messages.success(request, "The draft is deleted.")
    return redirect("my-listings")


def _handle_post(request: SignedInRequest, *, listing: Listing | None) -> HttpResponse:
    form = ListingForm(request.POST)
    chosen = sell_photos.collect(request, listing)
    key = _uuid(request.POST.get("draft_key", "")) or (_edit_key(listing) if listing else uuid.uuid4())
    again: dict[str, Any] = {
        "listing": listing,
        "draft_key": key,
        "values": request.POST,
        "photos": chosen.photos,
        "photo_errors": chosen.errors,
        "draft_version": request.POST.get("draft_version", 0),
    }
    match request.POST.get("action"):
        case "details":
            return _page(request, ListingForm(initial=request.POST.dict()), **again)
        case "save-draft":
            return _save_draft(request, key, chosen, again)
    if not form.is_valid() or chosen.errors:
        return _page(request, form, status=400, **again)
    content = {name: form.cleaned_data[name] for name in (*TEXT_FIELDS, "attributes")}
    common: dict[str, Any] = {
        "seller": request.user,
        "content": content,
        "photos": chosen.photos,
        "claim": request.POST.get("claim", ""),
        "photo_claims": request.POST.get("photo_claims", ""),
        "browser": agreement.browser(request.headers.get("User-Agent", "")),
    }
    try:
        if listing:
            submission.resubmit(listing=listing, base_edits=_int(request.POST.get("base_edits")), **common)
        else:
            submission.submit(draft_key=key, **common)
    except submission.StaleRevision as error:
        return _page(request, form, status=409, conflict=str(error), **again)
    except submission.Suspended as error:
        return _page(request, form, status=403, conflict=str(error), **again)
    except submission.TooManySubmissions as error:
        return render(request, "429.html", {"message": str(error)}, status=429)
    except ValidationError as error:
        form.add_error(None, error)
        return _page(request, form, status=400, **again)
    drafts.delete_draft(request.user, key)
    return redirect(f"{reverse('my-listings')}?submitted={key}")


def _save_draft(
    request: SignedInRequest, key: uuid.UUID, chosen: "sell_photos.Chosen", again: dict[str, Any]
) -> HttpResponse:
    data = {name: value for name, value in request.POST.items() if name in TEXT_FIELDS or name.startswith("attr-")}
    data["photo_order"] = chosen.order
    try:
        drafts.save_draft(request.user, key, _int(request.POST.get("draft_version")), data)
    except drafts.DraftConflict as error:
        return _page(request, ListingForm(request.POST), status=409, conflict=str(error), **again)
    except ValidationError as error:
        form = ListingForm(initial=request.POST.dict())
        return _page(request, form, status=400, conflict=error.messages[0], **again)
    for photo in chosen.photos:  # their words wait with them
        Photo.objects.filter(pk=photo.pk, owner=request.user, listing=None).update(alt=photo.alt)
    messages.success(request, "The draft is in your account.")
    return redirect("my-listings")


def _page(
    request: HttpRequest,
    form: ListingForm,
    *,
    draft_key: uuid.UUID | str,
    listing: Listing | None = None,
    values: Any = None,
    photos: list[Any] | None = None,
    photo_errors: list[str] | None = None,
    conflict: str = "",
    draft_version: int | str = 0,
    offline: bool = False,
    status: int = 200,
) -> HttpResponse:
    values, photos = values or {}, photos or []
    return render(
        request,
        "listings/sell.html",
        {
            "form": form,
            "listing": listing,
            "shell": offline,
            "limits": limits,
            "worker_imports": device_check.worker_imports(),
            "runtime_url": device_check.runtime_url(),
            "draft_key": draft_key,
            "draft_version": draft_version,
            "base_edits": listing.edits if listing else 0,
            "photos": photos,
            "photo_order": ",".join(f"id:{photo.pk}" for photo in photos),
            "photo_errors": photo_errors or [],
            "conflict": conflict,
            "chosen_category": values.get("category", ""),
            "attribute_fieldsets": _attribute_fieldsets(form, values),
            "sell_data": _sell_data(form, photos),
            "section": "sell",
        },
        status=status,
    )


def _attribute_fieldsets(form: ListingForm, values: Any) -> list[dict[str, Any]]:
    chosen = values.get("category", "")

    def row(category: Any, attribute: Any) -> dict[str, Any]:
        name = f"attr-{category.id}-{attribute.id}"
        errors = form.attribute_errors.get(attribute.id, []) if category.id == chosen else []
        return {"name": name, "attribute": attribute, "value": values.get(name, ""), "error": " ".join(errors)}

    return [{"category": c, "rows": [row(c, attribute) for attribute in c.attributes]} for c in categories.all()]


def _sell_data(form: ListingForm, photos: list[Any]) -> dict[str, Any]:
    return {
        "limits": {
            "title": limits.TITLE_CHARS,
            "description": limits.DESCRIPTION_CHARS,
            "alt": limits.ALT_CHARS,
            "photos": limits.PHOTOS,
            "photo_bytes": limits.PHOTO_BYTES,
            "types": limits.PHOTO_TYPES,
        },
        "needed": _needed(form),
        "categories": [
            {
                "id": category.id,
                "name": category.name,
                "attributes": [{"id": a.id, "kind": a.kind, "label": a.label} for a in category.attributes],
            }
            for category in categories.all()
        ],
        "photos": [{"id": photo.pk, "thumb": photo.thumb_url, "alt": photo.alt} for photo in photos],
        "policies_version": policies.version(),
    }


def _needed(form: ListingForm) -> dict[str, str]:
    """What to say when a field that a listing cannot do without is empty, by its name in the form."""
    fields = {name: str(field.error_messages["required"]) for name, field in form.fields.items() if field.required}
    details = {f"attr-{c.id}-{a.id}": a.needed for c in categories.all() for a in c.attributes if a.required}
    return fields | details


def _form_data(listing: Listing) -> dict[str, Any]:
    data = {name: getattr(listing, name) for name in TEXT_FIELDS}
    for attribute, value in listing.attributes.items():
        data[f"attr-{listing.category}-{attribute}"] = value
    return data


def _edit_key(listing: Listing) -> uuid.UUID:
    """The device draft of an edit: the same for every visit, so that a reload finds it again."""
    return uuid.uuid5(uuid.NAMESPACE_URL, listing.public_id)


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _int(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0
