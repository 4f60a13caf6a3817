"""How often devices say something else than the gate, by browser and version of the model.

A browser that counts in another way, or a file that went wrong on its way, shows here before anybody complains. Nobody
is punished for a difference: whoever forges claims gains nothing by them.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from django.db.models import Count, FloatField, Max, Q
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from django.utils import timezone

from models import photo, text

from ..models import Verdict, Where

MOST = 50  # rows that are shown
# Each names the ones it descends from as well; the first that is found counts.
BROWSERS = (
    ("Edge", re.compile(r"\bEdg(?:e|A|iOS)?/(\d+)")),
    ("Opera", re.compile(r"\bOPR/(\d+)")),
    ("Samsung Internet", re.compile(r"\bSamsungBrowser/(\d+)")),
    ("Firefox", re.compile(r"\b(?:Firefox|FxiOS)/(\d+)")),
    ("Chrome", re.compile(r"\b(?:HeadlessChrome|Chrome|CriOS)/(\d+)")),
    ("Safari", re.compile(r"\bVersion/(\d+)[.\d]* (?:Mobile/\S+ )?Safari/")),
)


def browser(user_agent: str) -> str:
    """Name and main version, no more of it than that; "other" for what is none of them."""
    for name, pattern in BROWSERS:
        if found := pattern.search(user_agent[:500]):
            return f"{name} {found[1][:4]}"
    return "other"


def rows(days: int = 30) -> list[dict[str, Any]]:
    """Of the last days, the most frequent first: {browser, model, version, variant, provider, claims, disbelieved,
    differing, decided_otherwise, furthest}; furthest: the largest difference of a score, None without any."""
    since = timezone.now() - timedelta(days=days)
    ours = (text.MODEL, photo.MODEL)  # a claim may name anything
    claims = Verdict.objects.filter(where=Where.DEVICE, created_at__gte=since, model__in=ours)
    grouped = claims.order_by().values("model", "version", "variant", "provider", browser=KT("detail__browser"))
    counted = grouped.annotate(
        claims=Count("pk"),
        disbelieved=Count("pk", filter=Q(detail__has_key="disbelieved")),
        differing=Count("pk", filter=Q(detail__has_key="differs_from_gate")),
        decided_otherwise=Count("pk", filter=Q(detail__has_key="gate_decided")),
        furthest=Max(Cast(KT("detail__differs_from_gate"), FloatField())),
    )
    return [dict(row) for row in counted.order_by("-claims", "model", "version")[:MOST]]
