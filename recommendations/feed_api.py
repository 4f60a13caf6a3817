"""Recommendations in the JSON interface: some vectors come, a page of items goes.

Nothing here reads a cookie, a session or an address, and nothing is stored or logged of a request; an answer
is kept for some seconds in memory, under a digest of the vectors it was for.
"""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Literal

import numpy as np
from django.http import HttpRequest, HttpResponse
from ninja import Field, Schema
from numpy.typing import NDArray

from listings.api import Error, Refused, api, shape
from listings.trust import exposure
from models.towers import DIMENSIONS

from . import feed
from .api import VECTOR_EXAMPLE, Found

ENCODED = 4 * -(-DIMENSIONS // 3)  # characters of base64
Encoded = Annotated[str, Field(max_length=ENCODED)]
LIKE_A_VECTOR = f"Each vector is {DIMENSIONS} signed bytes, round(127 x), in base64."


class EventIn(Schema):
    kind: Literal["search", "view", "favourite", "purchase", "dismissal"]
    age: float = Field(ge=0, le=36_500, description="in days")
    vector: Encoded


class FeedQuery(Schema):
    model_version: str = Field(
        "",
        max_length=20,
        description="the space that the vectors are of: `space` of query-tower in `/api/models/manifest`",
    )
    vectors: list[Encoded] = Field(
        default_factory=list, max_length=feed.MOST_VECTORS, description=f"the most telling first. {LIKE_A_VECTOR}"
    )
    limit: int = Field(60, ge=1, le=feed.MOST, strict=True)
    events: list[EventIn] = Field(
        default_factory=list,
        max_length=feed.MOST_EVENTS,
        description="only from a device that cannot read its own history, and only if its owner agreed: the last "
        "events, oldest first, in place of vectors. They are read and forgotten.",
    )
    consent: bool = Field(
        False, strict=True, description="the owner agreed to send `events`; without it they are refused"
    )

    model_config = shape({"model_version": "1", "vectors": [VECTOR_EXAMPLE], "limit": 60})


class FeedPage(Schema):
    items: list[Found]
    source: str = Field(description="nearest, or popular where no vector could be used")
    model_version: str = Field(description="the space of the items' vectors; empty while there are none")

    model_config = shape(
        {
            "items": [
                {
                    "id": "k3v9qzt7wm",
                    "title": "Blue enamel kettle",
                    "price": "18.50",
                    "currency": "EUR",
                    "condition": "good",
                    "condition_label": "Good",
                    "category": "kitchen",
                    "seller": "merchant",
                    "town": "Ghent",
                    "photo": "/media/4f/9b2c6c1e0d7a4b3f8e5d2a1c0b9f8e7d.webp",
                    "url": "/item/k3v9qzt7wm/",
                    "published_at": "2026-03-01T10:42:00Z",
                    "vector": VECTOR_EXAMPLE,
                    "score": 2.41,
                }
            ],
            "source": "nearest",
            "model_version": "1",
        }
    )


@api.post(
    "/recommendations",
    response={200: FeedPage, 400: Error, 413: Error},
    summary="What may be of interest, by vectors alone",
    tags=["recommendations"],
)
def recommendations(request: HttpRequest, asked: FeedQuery) -> HttpResponse:
    """Of what is published now, each item once; more than a page, so that the device can leave out what it knows.
    Without a vector of the present space: what is popular and new, in the same shape. Asking again changes nothing."""
    if asked.events and not asked.consent:
        message = "Events are taken only with the consent of whoever they are of: send `consent` as well."
        raise Refused(400, "consent_needed", message, {"events": message})
    vectors = _decoded(asked.vectors, "vectors")
    if asked.events and not vectors.any():
        told = _decoded([event.vector for event in asked.events], "events")
        vectors = feed.interests_of(
            [feed.Event(row, event.kind, event.age) for row, event in zip(told, asked.events, strict=True)]
        )
    found = feed.page(asked.model_version, vectors, asked.limit)
    exposure.shown(found.keys)
    # Written by hand: the rows keep their JSON, and two hundred items through a schema cost more than ranking them.
    return HttpResponse(
        feed.as_json(found), content_type="application/json; charset=utf-8", headers={"Cache-Control": "no-store"}
    )


def _decoded(encoded: list[str], field: str) -> NDArray[np.int8]:
    """int8 [k, 128]. Raises Refused."""
    try:
        rows = [base64.b64decode(each, validate=True) for each in encoded]
    except (binascii.Error, ValueError):
        rows = [b""]
    if any(len(row) != DIMENSIONS for row in rows):
        raise Refused(400, "invalid", "A vector cannot be read.", {field: LIKE_A_VECTOR})
    return np.frombuffer(b"".join(rows), np.int8).reshape(len(rows), DIMENSIONS)
