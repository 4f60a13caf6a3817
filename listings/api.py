"""The HTTP interface (OpenAPI at /api/docs). Every error is {"error": {"code", "message", "fields"}}."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Annotated, Any, Literal

from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.templatetags.static import static
from django.utils.cache import patch_cache_control
from django.utils.http import quote_etag
from django.views.decorators.http import condition
from ninja import Field, NinjaAPI, Query, Schema
from ninja.decorators import decorate_view
from ninja.errors import AuthenticationError, HttpError
from ninja.errors import ValidationError as RequestError
from ninja.security import SessionAuth

from models import manifest

from . import drafts, limits, policies, queries
from .lifecycle import Status
from .models import Draft, Listing
from .views.requests import SignedInRequest

PAGE_SIZE = 24
api = NinjaAPI(
    title="Tandem",
    version="1",
    description="Models for the browser, drafts in the account, search. Where a person is meant: session and CSRF token.",
    urls_namespace="api",
)
signed_in = SessionAuth()


class Error(Schema):
    code: str
    message: str
    fields: dict[str, str] = {}


class ErrorAnswer(Schema):
    error: Error


def error_answer(
    status: int, code: str, message: str, fields: dict[str, str] | None = None, **more: Any
) -> JsonResponse:
    return JsonResponse({"error": {"code": code, "message": message, "fields": fields or {}}, **more}, status=status)


# --- Models and policies ---------------------------------------------------------------------------------------------
def _manifest_etag(request: HttpRequest) -> str | None:
    try:
        return quote_etag(f"{manifest.fingerprint()}-{policies.version()}")
    except manifest.ModelUnavailable:
        return None


@api.get("/models/manifest", tags=["models"], summary="What the browser may load, by content hash")
@decorate_view(condition(etag_func=_manifest_etag))
def models_manifest(request: HttpRequest, response: HttpResponse) -> dict[str, Any]:
    found = manifest.browser_subset(manifest.load())
    for model in found["models"].values():
        model["url"] = static(f"models/{model.pop('file')}")
    found["runtime"] = {name: static(f"ort/ort-wasm-simd-threaded.{name}") for name in ("mjs", "wasm")}
    patch_cache_control(response, no_cache=True)
    return found | {"policies_version": policies.version()}


@api.get("/policies", tags=["models"], summary="The market's rules")
def all_policies(request: HttpRequest, response: HttpResponse) -> dict[str, Any]:
    patch_cache_control(response, max_age=300)
    return policies.as_json()


# --- Drafts ----------------------------------------------------------------------------------------------------------
class DraftIn(Schema):
    base_version: Annotated[int, Field(ge=0, le=1_000_000_000, description="0 for a new draft")] = 0
    data: Annotated[
        dict[str, Any], Field(description="names and values of the sell form", examples=[{"title": "Kettle"}])
    ]


def _draft(draft: Draft) -> dict[str, Any]:
    return {"key": draft.key, "version": draft.version, "data": draft.data, "updated_at": draft.updated_at}


class DraftOut(Schema):
    key: uuid.UUID
    version: int
    data: dict[str, Any]
    updated_at: Any


@api.get("/drafts/{uuid:key}", auth=signed_in, tags=["drafts"], response={200: DraftOut, 404: ErrorAnswer})
def read_draft(request: SignedInRequest, key: uuid.UUID) -> dict[str, Any]:
    draft = Draft.objects.filter(owner=request.user, key=key).first()
    if draft is None:
        raise Http404
    return _draft(draft)


@api.put("/drafts/{uuid:key}", auth=signed_in, tags=["drafts"], response={200: DraftOut, 400: ErrorAnswer})
def write_draft(request: SignedInRequest, key: uuid.UUID, body: DraftIn) -> Any:
    """409 with the stored draft under `current` when somebody saved a newer version meanwhile."""
    if not request.user.is_merchant:
        return error_answer(403, "forbidden", "Only merchants keep drafts.")
    try:
        return _draft(drafts.save_draft(request.user, key, body.base_version, body.data))
    except drafts.DraftConflict as conflict:
        return error_answer(409, "conflict", str(conflict), current=_draft(conflict.current))


@api.delete("/drafts/{uuid:key}", auth=signed_in, tags=["drafts"], response={204: None})
def remove_draft(request: SignedInRequest, key: uuid.UUID) -> tuple[int, None]:
    drafts.delete_draft(request.user, key)
    return 204, None


# --- Listings --------------------------------------------------------------------------------------------------------
class SearchIn(Schema):
    q: Annotated[str, Field(max_length=200)] = ""
    category: Annotated[str, Field(max_length=30)] = ""
    min_price: Annotated[Decimal | None, Field(ge=0, le=limits.PRICE_MAX)] = None
    max_price: Annotated[Decimal | None, Field(ge=0, le=limits.PRICE_MAX)] = None
    sort: Literal["", "relevance", "newest", "price", "-price"] = ""
    page: Annotated[int, Field(ge=1, le=10_000)] = 1


@api.get("/search", tags=["listings"], summary="Published listings by words and filters")
def search(request: HttpRequest, filters: Query[SearchIn]) -> dict[str, Any]:
    if "\x00" in filters.q + filters.category:
        raise ValidationError({"q": "Take the null character out."})
    wanted = filters.dict() | {"sort": filters.sort or ("relevance" if filters.q else "newest")}
    page = Paginator(queries.browse(wanted), PAGE_SIZE).get_page(filters.page)
    return {
        "count": page.paginator.count,
        "page": page.number,
        "pages": page.paginator.num_pages,
        "items": [_item(row) for row in page],
    }


def _item(listing: Listing) -> dict[str, Any]:
    return {
        "id": listing.public_id,
        "seller": listing.seller.username,
        "title": listing.title,
        "price": str(listing.price),
        "currency": listing.currency,
        "photo": listing.cover.thumb_url if listing.cover else None,
        "url": listing.get_absolute_url(),
    }


@api.get("/listings/{public_id}/status", auth=signed_in, tags=["listings"], summary="How a listing of yours is doing")
def listing_status(request: SignedInRequest, public_id: str) -> dict[str, Any]:
    listing = Listing.objects.filter(public_id=public_id, seller=request.user).first()
    if listing is None:
        raise Http404
    return {
        "status": listing.status,
        "label": listing.get_status_display(),
        "note": listing.status_note,
        "settled": listing.status != Status.CHECKING,
    }


# --- Errors ----------------------------------------------------------------------------------------------------------
@api.exception_handler(RequestError)
def _bad_request(request: HttpRequest, error: RequestError) -> HttpResponse:
    fields = {".".join(str(part) for part in row["loc"][1:]) or "body": str(row["msg"]) for row in error.errors}
    return error_answer(400, "invalid", "Something in the request is not as documented: see the fields.", fields)


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    if hasattr(error, "error_dict"):
        fields = {name: " ".join(messages) for name, messages in error.message_dict.items()}
        return error_answer(400, "invalid", "Please look at the named fields.", fields)
    return error_answer(400, "invalid", error.messages[0])


@api.exception_handler(AuthenticationError)
def _not_signed_in(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    return error_answer(401, "signed_out", "Sign in first.")


@api.exception_handler(Http404)
def _not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return error_answer(404, "not_found", "There is nothing of yours or of the market's under this address.")


@api.exception_handler(HttpError)
def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    codes = {400: "invalid", 403: "forbidden", 405: "method_not_allowed"}
    return error_answer(error.status_code, codes.get(error.status_code, "error"), str(error))


@api.exception_handler(manifest.ModelUnavailable)
def _no_model(request: HttpRequest, error: manifest.ModelUnavailable) -> HttpResponse:
    return error_answer(404, "no_model", "No model can be loaded at the moment; the server checks instead.")
