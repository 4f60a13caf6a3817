"""The JSON interface, documented at /api/docs. Every refusal is {"error": {"code", "message", "fields"}}."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Callable
from datetime import datetime
from functools import partial, wraps
from typing import Annotated, Any

import pydantic
from django.core.exceptions import PermissionDenied, RequestDataTooBig, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import URLPattern, re_path
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.http import quote_etag
from ninja import Field, NinjaAPI, Schema
from ninja import errors as ninja_errors
from ninja.openapi.docs import Swagger
from ninja.openapi.views import openapi_view
from ninja.parser import Parser
from ninja.responses import Status as Reply
from ninja.security import SessionAuth
from ninja.utils import check_csrf
from pydantic import ConfigDict

from models import manifest
from models import photo as photo_model

from . import device_check, drafts, limits, live_models, photo_refusals, photos, policies, second_opinion
from .lifecycle import Status
from .models import Draft, Listing, Photo
from .views.requests import SignedInRequest

PAGE_SIZE = 24
PAGE_MAX = 10_000
PUBLIC_ID = re.compile(r"[a-z0-9]{1,12}")
UUID_EXAMPLE = "3b6d1c9e-6a53-4f0e-9a55-0c5b4c2f0d11"
DRAFT_DATA_EXAMPLE = {"title": "Blue enamel kettle", "description": "Holds a litre and a half.", "price": "18.50"}

DEPTH = 32
BODY = "body"  # as a place where something is wrong
BODY_BYTES = limits.DRAFT_BYTES * 8  # of JSON, where a character may be written as \uXXXX and more
CODES = {
    400: "bad_request",
    401: "sign_in_needed",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "other_content_type",
    429: "too_often",
}
MESSAGES = {
    400: "The request could not be read. Its body must be one JSON object.",
    401: "Sign in first.",
    403: "Your account may not do this.",
    404: "There is nothing at this address.",
    413: f"A request here may have {BODY_BYTES // 1024} KB.",
    415: "Send application/octet-stream (an activation) or application/json (words).",
    429: "You have asked very often. Wait a little.",
}


# --- Shapes ----------------------------------------------------------------------------------------------------------
def shape(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"example": example})


class ErrorBody(Schema):
    code: str
    message: str
    fields: dict[str, str] = Field(default_factory=dict, description="what is wrong, by the name of the field")


class Error(Schema):
    error: ErrorBody

    model_config = shape({"error": {"code": "not_found", "message": "There is no such draft.", "fields": {}}})


class DraftOut(Schema):
    key: uuid.UUID
    version: int
    data: dict[str, Any]
    updated_at: datetime

    model_config = shape(
        {"key": UUID_EXAMPLE, "version": 3, "data": DRAFT_DATA_EXAMPLE, "updated_at": "2026-03-01T10:42:00Z"}
    )


class DraftIn(Schema):
    base_version: int = Field(
        ge=0, le=2_000_000_000, strict=True, description="the version that this one was written on; 0: a new draft"
    )
    data: dict[str, Any] = Field(description="the fields of the form, as the page keeps them")

    model_config = shape({"base_version": 2, "data": DRAFT_DATA_EXAMPLE})


class Conflict(Error):
    current: DraftOut

    model_config = shape(
        {
            "error": {"code": "conflict", "message": "This draft was saved in another tab.", "fields": {}},
            "current": {
                "key": UUID_EXAMPLE,
                "version": 4,
                "data": DRAFT_DATA_EXAMPLE,
                "updated_at": "2026-03-01T10:43:00Z",
            },
        }
    )


class Words(Schema):
    """What a merchant asks a second opinion on: named texts, title first."""

    fields: list[tuple[Annotated[str, Field(max_length=20)], str]] = Field(
        min_length=1, max_length=second_opinion.FIELDS
    )

    model_config = shape({"fields": [["title", "Blue enamel kettle"], ["description", "Holds a litre and a half."]]})


class SecondOpinion(Schema):
    model: str
    version: str
    policies_version: str
    variant: str
    where: str
    scores: dict[str, float]
    decision: str = Field(description="pass, unsure, warn or block")
    policy: str = Field(description="the suspected one; empty for a pass")
    evidence: list[dict[str, Any]] = Field(
        description="marked words {field, start, end, weight}, or of a photo {rows, columns, heat, box}"
    )
    ms: float
    provider: str
    digest: str

    model_config = shape(
        {
            "model": "listing-photo-tail",
            "version": "1",
            "policies_version": "2026.11.2",
            "variant": "int8",
            "where": "cloud",
            "scores": {"drugs": 0.01, "tobacco_alcohol": 0.02, "weapons": 0.11, "safe": 0.86},
            "decision": "pass",
            "policy": "",
            "evidence": [],
            "ms": 1.9,
            "provider": "cpu",
            "digest": "",
        }
    )


class ListingStatus(Schema):
    status: str = Field(description=f"one of {', '.join(Status.values)}")
    label: str
    note: str = Field(description="what the merchant should know or do")
    settled: bool = Field(description="false while the check is still at work: ask again")

    model_config = shape({"status": "published", "label": "Published", "note": "", "settled": True})


class PhotoOut(Schema):
    id: int = Field(description="names it in the form's `photo_order`, as `id:<id>`")
    url: str
    thumb: str = Field(description="address of the small one")
    width: int
    height: int
    colour: str = Field(description="its average, to show until the photo is there")
    sha256: str = Field(description="of the file as it came; verdicts of the device name it")

    model_config = shape(
        {
            "id": 4711,
            "url": "/media/4f/9b2c6c1e0d7a4b3f8e5d2a1c0b9f8e7d.jpg",
            "thumb": "/media/a0/1c0b9f8e7d5e5d2a9b2c6c1e0d7a4b3f.webp",
            "width": 1600,
            "height": 1200,
            "colour": "#8a8f83",
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        }
    )


# --- The interface as a whole ----------------------------------------------------------------------------------------
class Refused(Exception):
    """An answer other than the one asked for."""

    def __init__(self, status: int, code: str, message: str, fields: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.fields = status, code, message, fields or {}


class StrictParser(Parser):
    """JSON as its standard has it: no NaN, no Infinity. The size is looked at before anything is parsed."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        body = request.body
        if len(body) > BODY_BYTES:
            raise RequestDataTooBig
        parsed = json.loads(body, parse_constant=_no_number)
        if not isinstance(parsed, dict):
            raise ValueError("not an object")
        if _depth(parsed) > DEPTH:
            raise ValueError("nested too deeply")
        return parsed


def _depth(value: Any) -> int:
    """How deeply lists and objects stand in each other, level by level: a recursion would be the attack's aim."""
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
    return depth


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


class MerchantSession(SessionAuth):
    """The session of a signed-in merchant; whatever changes something needs the CSRF token as well."""

    def __call__(self, request: HttpRequest) -> Any:
        if not request.user.is_authenticated:
            return None  # answered with 401
        if check_csrf(request) is not None:
            raise Refused(403, "csrf", "The page is from an earlier session. Reload it and try again.")
        if not request.user.is_merchant:
            raise Refused(403, "forbidden", "Only merchants have drafts, photos and listings.")
        return request.user


class Api(NinjaAPI):
    """Ninja with our answer to a wrong method or address, and HEAD wherever GET is."""

    def _get_urls(self) -> list[Any]:
        patterns = super()._get_urls()
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                pattern.callback = _in_our_words(pattern.callback)
        return [*patterns, re_path(r"", _no_such_address)]

    def get_openapi_schema(self, **options: Any) -> Any:
        """Ninja's schema, where each refusal shows what that one looks like."""
        schema = super().get_openapi_schema(**options)
        for operation in (found for path in schema["paths"].values() for found in path.values()):
            for status, response in operation["responses"].items():
                if int(status) in MESSAGES:
                    error = {"code": CODES[int(status)], "message": MESSAGES[int(status)], "fields": {}}
                    response["content"]["application/json"].setdefault("example", {"error": error})
        return schema


class DocsPage(Swagger):
    """Ninja's page with files of our own site, and the CSRF token for its "Execute" buttons."""

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        self.settings["url"] = self.get_openapi_url(api, kwargs)
        context = {"swagger_settings": json.dumps(self.settings), "api": api, "add_csrf": True}
        return render(request, self.template, context)


def _in_our_words(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @wraps(view, updated=())
    def answering(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "HEAD":
            request.method = "GET"  # the middleware takes the body away
        try:
            response = view(request, *args, **kwargs)
        except Http404:
            return _no_such_address(request)
        if response.status_code == 405:
            allowed = ", ".join(sorted(response.headers["Allow"].split(", ")))
            refusal = _error(405, "method_not_allowed", f"This address answers to {allowed} only.")
            refusal["Allow"] = allowed
            return refusal
        return response

    answering.csrf_exempt = getattr(view, "csrf_exempt", False)  # type: ignore[attr-defined]
    return answering


def _no_such_address(request: HttpRequest, **_: Any) -> HttpResponse:
    return _error(404, CODES[404], MESSAGES[404])


_no_such_address.csrf_exempt = True  # type: ignore[attr-defined]


api = Api(
    title="Tandem",
    version="1",
    description="What the pages of the market ask the server for. Photos, drafts and statuses need the session of "
    "a signed-in merchant; changes need the CSRF token of the page in the header `X-CSRFToken`.",
    urls_namespace="api",
    parser=StrictParser(),
    docs=DocsPage({"validatorUrl": None, "tryItOutEnabled": True}),
    openapi_url="/openapi.json",
)
merchant_session = MerchantSession()
docs = partial(openapi_view, api=api)


def _error(status: int, code: str, message: str, fields: dict[str, str] | None = None, **more: Any) -> JsonResponse:
    body = {"error": {"code": code, "message": message, "fields": fields or {}}, **more}
    response = JsonResponse(body, status=status)
    patch_cache_control(response, no_store=True)
    return response


@api.exception_handler(Refused)
def _on_refused(request: HttpRequest, error: Refused) -> HttpResponse:
    return _error(error.status, error.code, error.message, error.fields)


@api.exception_handler(ninja_errors.HttpError)
def _on_http_error(request: HttpRequest, error: ninja_errors.HttpError) -> HttpResponse:
    if isinstance(error.__cause__, RequestDataTooBig):  # Ninja's reader wraps whatever its parser raises
        return _on_too_big(request, error.__cause__)
    status = error.status_code
    return _error(status, CODES.get(status, "refused"), MESSAGES.get(status, str(error)))


@api.exception_handler(RequestDataTooBig)
def _on_too_big(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    return _error(413, CODES[413], MESSAGES[413])


@api.exception_handler(ninja_errors.ValidationError)
def _on_invalid(request: HttpRequest, error: ninja_errors.ValidationError) -> HttpResponse:
    """Pydantic's findings by field name. The values themselves are not repeated."""
    fields = {
        _field_name(found["loc"]): "Send a JSON object." if _is_body(found["loc"]) else found["msg"]
        for found in error.errors
    }
    return _error(400, "invalid", "Some of the request's values cannot be used.", fields)


def _is_body(location: tuple[Any, ...]) -> bool:
    """There is no body: one that is no object is refused by the parser."""
    return location[0] == BODY and len(location) == 2


def _field_name(location: tuple[Any, ...]) -> str:
    """("body", "content", "base_version") -> "base_version"; Ninja puts the source and its parameter's name first.
    ("body", "content") is about the body as a whole, and its parameter's name is nobody's business."""
    if _is_body(location):
        return BODY
    return ".".join(str(part) for part in location[2:3] or location[-1:]).encode("utf-8", "replace").decode()


@api.exception_handler(ValidationError)
def _on_django_invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    fields = (
        {name: " ".join(found) for name, found in error.message_dict.items()} if hasattr(error, "error_dict") else {}
    )
    return _error(400, "invalid", error.messages[0], fields)


@api.exception_handler(PermissionDenied)
def _on_forbidden(request: HttpRequest, error: PermissionDenied) -> HttpResponse:
    return _error(403, CODES[403], str(error) or MESSAGES[403])


@api.exception_handler(Http404)
def _on_not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return _error(404, CODES[404], str(error) or MESSAGES[404])


@api.exception_handler(manifest.ModelUnavailable)
def _on_no_model(request: HttpRequest, error: manifest.ModelUnavailable) -> HttpResponse:
    return _error(503, "models_unavailable", "The check is not available at the moment. Listings can be sent anyway.")


@api.exception_handler(second_opinion.TooManyQuestions)
def _on_too_many_questions(request: HttpRequest, error: second_opinion.TooManyQuestions) -> HttpResponse:
    return _error(429, CODES[429], str(error))


@api.exception_handler(second_opinion.OtherVersion)
def _on_other_version(request: HttpRequest, error: second_opinion.OtherVersion) -> HttpResponse:
    return _error(409, "other_version", str(error))


@api.exception_handler(drafts.DraftConflict)
def _on_conflict(request: HttpRequest, error: drafts.DraftConflict) -> HttpResponse:
    return _error(409, "conflict", str(error), current=_draft(error.current).model_dump(mode="json"))


# --- Public data -----------------------------------------------------------------------------------------------------
def _public(request: HttpRequest, data: dict[str, Any], *, max_age: int) -> HttpResponse:
    """JSON that is the same for everybody, with an ETag: an unchanged one costs the browser no bytes."""
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    etag = quote_etag(hashlib.sha256(body).hexdigest()[:32])
    response = HttpResponse(body, content_type="application/json", headers={"ETag": etag})
    response = get_conditional_response(request, etag=etag, response=response) or response
    patch_cache_control(response, public=True, max_age=max_age)
    return response


@api.get(
    "/models/manifest",
    summary="What the browser may load",
    tags=["models"],
    openapi_extra={
        "responses": {
            200: {
                "description": "Runtime and models by content-hashed address, with what is needed to use them.",
                "content": {
                    "application/json": {
                        "example": {
                            "manifest": 1,
                            "runtime": {
                                "mjs": "/static/ort/ort-wasm-simd-threaded.4f0c.mjs",
                                "wasm": "/static/ort/x.wasm",
                            },
                            "models": {
                                "listing-text": {
                                    "version": "1",
                                    "labels": ["drugs", "weapons", "safe"],
                                    "window_bytes": 2048,
                                    "variant": "int8",
                                    "url": "/static/models/listing-text-int8.onnx",
                                    "sha256": "1f63283d…",
                                    "bytes": 1100000,
                                    "tolerance": 0.0001,
                                }
                            },
                            "policies_version": "2026.11.2",
                        }
                    }
                },
            }
        }
    },
)
def models_manifest(request: HttpRequest) -> HttpResponse:
    """Files are named by their content and may be kept for ever; this list may be kept for a minute. Where a release
    counts, the text model's entry has `release`: the number, and a patch to put in the place of the
    last `replaces` bytes of the model's file, which then has `patched_sha256`."""
    subset = live_models.for_browsers()
    try:
        for entry in subset["models"].values():
            entry["url"] = device_check.model_url(entry.pop("file"))
        runtime = device_check.runtime()
    except ValueError as error:  # the static files were collected without them
        raise manifest.ModelUnavailable(f"A file for browsers is missing: {error}. Run: make run") from error
    data = {
        "manifest": subset["manifest"],
        "runtime": runtime,
        "models": subset["models"],
        "policies_version": policies.version(),
    }
    return _public(request, data, max_age=60)


@api.get(
    "/models/patches/{sha256}",
    summary="A patch of the text model",
    tags=["models"],
    response={404: Error},
    openapi_extra={
        "responses": {
            200: {
                "description": "What takes the place of the end of the model's file; named by its SHA-256.",
                "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
            }
        }
    },
)
def model_patch(request: HttpRequest, sha256: str) -> HttpResponse:
    """The content of an address never changes: it may be kept for ever. Patches that never were live have none."""
    made = live_models.bytes_of(sha256)
    if made is None:
        raise Refused(404, "not_found", "There is no such patch.")
    response = HttpResponse(made, content_type="application/octet-stream", headers={"ETag": quote_etag(sha256)})
    response = get_conditional_response(request, etag=quote_etag(sha256), response=response) or response
    patch_cache_control(response, public=True, max_age=31_536_000, immutable=True)
    return response


@api.get(
    "/policies",
    summary="The rules of the market",
    tags=["models"],
    openapi_extra={
        "responses": {
            200: {
                "description": "Every policy with the words that merchants read.",
                "content": {
                    "application/json": {
                        "example": {
                            "version": "2026.11.2",
                            "policies": [{"id": "weapons", "name": "Weapons", "severity": 3, "forbids": "Firearms …"}],
                        }
                    }
                },
            }
        }
    },
)
def policy_list(request: HttpRequest) -> HttpResponse:
    return _public(request, policies.as_json(), max_age=300)


# --- The merchant's own ----------------------------------------------------------------------------------------------
def _private(response: HttpResponse) -> None:
    patch_cache_control(response, private=True, no_store=True)


@api.get(
    "/listings/{public_id}/status",
    auth=merchant_session,
    response={200: ListingStatus, 401: Error, 403: Error, 404: Error},
    summary="How far the check of one of my listings is",
    tags=["listings"],
)
def listing_status(request: SignedInRequest, response: HttpResponse, public_id: str) -> dict[str, Any]:
    listing = None
    if PUBLIC_ID.fullmatch(public_id):
        rows = Listing.objects.filter(public_id=public_id, seller=request.user)
        listing = rows.only("status", "status_note").first()
    if listing is None:  # somebody else's is no different from none
        raise Refused(404, CODES[404], "You have no such listing.")
    _private(response)
    return {
        "status": listing.status,
        "label": listing.get_status_display(),
        "note": listing.status_note,
        "settled": listing.status != Status.CHECKING,
    }


def _draft(draft: Draft) -> DraftOut:
    return DraftOut(key=draft.key, version=draft.version, data=draft.data, updated_at=draft.updated_at)


DRAFT_ERRORS = {400: Error, 401: Error, 403: Error}
JSON, BYTES = "application/json", "application/octet-stream"


@api.post(
    "/drafts/second-opinion",
    auth=merchant_session,
    response={200: SecondOpinion, 409: Error, 413: Error, 415: Error, 429: Error, **DRAFT_ERRORS},
    summary="What the server would say of a draft, without having it",
    tags=["drafts"],
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                BYTES: {"schema": {"type": "string", "format": "binary", "description": "the activation at the split"}},
                JSON: {
                    "schema": Words.json_schema(),
                    "example": {"fields": [["title", "Blue enamel kettle"], ["description", "Holds a litre."]]},
                },
            },
        }
    },
)
def get_second_opinion(request: SignedInRequest, response: HttpResponse, model: str = "", version: str = "") -> Any:
    """Of a photo its activation is sent, as `listing-photo` on the device computed it, with `model=listing-photo` and
    that model's `version`; of words, the words. Neither is stored or logged."""
    second_opinion.count(request.user)
    _private(response)
    if request.content_type == BYTES:
        return _opinion_of_photo(request, model, version)
    if request.content_type == JSON:
        return second_opinion.about_words(_words_of(request))
    raise Refused(415, CODES[415], MESSAGES[415])


def _opinion_of_photo(request: HttpRequest, model: str, version: str) -> dict[str, Any]:
    if model != photo_model.MODEL:
        raise Refused(400, "invalid", f"Only activations of {photo_model.MODEL} can be judged.", {"model": "Unknown."})
    activation = _body(request, second_opinion.ACTIVATION_BYTES)
    try:
        return second_opinion.about_photo(activation, version)
    except ValueError as error:
        raise Refused(400, "invalid", str(error)) from None


def _words_of(request: HttpRequest) -> list[tuple[str, str]]:
    try:
        words = Words.model_validate_json(_body(request, BODY_BYTES))
    except pydantic.ValidationError:
        message = 'The body must be {"fields": [["title", "…"], …]}, with one to eight named texts.'
        raise Refused(400, "invalid", message, {"fields": "Cannot be read."}) from None
    if sum(len(text) for _, text in words.fields) > second_opinion.WORDS_CHARS:
        raise Refused(413, CODES[413], f"A draft has at most {second_opinion.WORDS_CHARS:,} characters of text.")
    return words.fields


def _body(request: HttpRequest, at_most: int) -> bytes:
    """Looked at before it is read, and after: a sender may say nothing of its length, or something wrong."""
    if int(request.headers.get("Content-Length") or 0) > at_most or len(request.body) > at_most:
        raise Refused(413, CODES[413], f"A request here may have {at_most // 1024} KB.")
    return request.body


@api.get(
    "/drafts/{key}",
    auth=merchant_session,
    response={200: DraftOut, 404: Error, **DRAFT_ERRORS},
    summary="A draft that I keep in my account",
    tags=["drafts"],
)
def get_draft(request: SignedInRequest, response: HttpResponse, key: uuid.UUID) -> DraftOut:
    draft = Draft.objects.filter(owner=request.user, key=key).first()
    if draft is None:
        raise Refused(404, CODES[404], "There is no such draft.")
    _private(response)
    return _draft(draft)


@api.put(
    "/drafts/{key}",
    auth=merchant_session,
    response={200: DraftOut, 409: Conflict, 413: Error, **DRAFT_ERRORS},
    summary="Keep a draft in my account",
    tags=["drafts"],
)
def put_draft(request: SignedInRequest, response: HttpResponse, key: uuid.UUID, content: DraftIn) -> DraftOut:
    """409 when the draft was saved elsewhere after `base_version`; the answer holds what stands there now."""
    _private(response)
    return _draft(drafts.save_draft(request.user, key, content.base_version, content.data))


@api.delete(
    "/drafts/{key}",
    auth=merchant_session,
    response={204: None, **DRAFT_ERRORS},
    summary="Delete a draft of mine",
    tags=["drafts"],
)
def delete_draft(request: SignedInRequest, key: uuid.UUID) -> Reply[None]:
    """Deleting twice is no error."""
    drafts.delete_draft(request.user, key)
    return Reply(204, None)


NO_PHOTO = "No photo came, or not all of it. Send it in the multipart field “photo”."
PHOTO_STATUS = {"too_large": 413, "too_many_staged": 409, "too_many_uploads": 429, "not_stored": 503, "busy": 503}


def _refused_photo(code: str, message: str) -> dict[str, Any]:
    error = {"code": code, "message": message, "fields": {"photo": message}}
    return {"content": {"application/json": {"example": {"error": error}}}}


PHOTO_FIELD = {
    "type": "string",
    "format": "binary",
    "description": f"{photo_refusals.KINDS}, at most {limits.PHOTO_MEGABYTES} MB",
}
PHOTO_SHAPE = {"type": "object", "required": ["photo"], "properties": {"photo": PHOTO_FIELD}}
PHOTO_DOCS = {
    "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": PHOTO_SHAPE}}},
    "responses": {
        400: _refused_photo("cut_off", photo_refusals.CUT_OFF),
        409: _refused_photo("too_many_staged", photo_refusals.TOO_MANY_STAGED),
        413: _refused_photo("too_large", photo_refusals.TOO_MANY_BYTES),
        429: _refused_photo("too_many_uploads", photo_refusals.TOO_MANY_UPLOADS),
        503: _refused_photo("not_stored", photo_refusals.NOT_STORED),
    },
}


@api.post(
    "/photos",
    auth=merchant_session,
    response={201: PhotoOut, 400: Error, 401: Error, 403: Error, 409: Error, 413: Error, 429: Error, 503: Error},
    summary="Send a photo for a listing of mine",
    tags=["photos"],
    openapi_extra=PHOTO_DOCS,
)
def add_photo(request: SignedInRequest, response: HttpResponse) -> Reply[PhotoOut]:
    """The photo waits for the form that names it. Place, time and camera are taken out of it. Sending the same bytes
    again while it waits gives the same photo, so a request whose answer was lost may be repeated."""
    file = request.FILES.get("photo")
    if file is None:
        raise Refused(400, "no_photo", NO_PHOTO, {"photo": NO_PHOTO})
    try:
        photo = photos.store_upload(request.user, file)
    except ValidationError as error:
        code, message = error.code or "invalid", error.messages[0]
        raise Refused(PHOTO_STATUS.get(code, 400), code, message, {"photo": message}) from None
    _private(response)
    return Reply(201, _photo(photo))


def _photo(photo: Photo) -> PhotoOut:
    names = ("id", "url", "width", "height", "colour", "sha256")
    return PhotoOut(thumb=photo.thumb_url, **{name: getattr(photo, name) for name in names})


@api.delete(
    "/photos/{pk}",
    auth=merchant_session,
    response={204: None, 401: Error, 403: Error},
    summary="Delete a photo of mine that no listing has yet",
    tags=["photos"],
)
def delete_photo(request: SignedInRequest, pk: int) -> Reply[None]:
    """Deleting twice is no error. A photo that a listing shows stays: edit the listing to take it out."""
    photos.remove_staged(request.user, pk)
    return Reply(204, None)
