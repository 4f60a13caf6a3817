"""What the site counts of visits to listings: from which query or which other listing a page was opened, and on which
day. From the request's own Referer, without an account, a session, an address or a time of day.

A count is no record of a person: rows say "so often", never who or when. What somebody types only once or twice stays
unreadable and is used for nobody (`RememberedQuery`): a rare query may say too much about whoever typed it. A query
counts for others once it led to listings on settings.REMEMBERED_QUERY_DAYS different days.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
from datetime import date
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest
from django.urls import Resolver404, resolve
from django.utils import timezone

from listings.forms import QUERY_CHARS
from listings.models import Listing

log = logging.getLogger(__name__)
FROM_SEARCH, FROM_ITEM = ("browse", "category"), "item"
ROBOT = re.compile(r"bot\b|crawl|spider|slurp|preview|headless", re.IGNORECASE)


def count_visit(request: HttpRequest, listing: Listing) -> None:
    """A published listing's page is shown to somebody. Never raises: a page is worth more than a count."""
    if not _is_visit(request) or listing.seller == request.user:
        return
    query, other = came_from(request.headers.get("Referer", ""), request.get_host())
    today = timezone.localdate()
    try:
        with transaction.atomic():
            count_view(listing.pk, today)
            if query:
                count_click(query, listing.pk, today)
            elif other and other != listing.public_id:
                before = Listing.objects.filter(public_id=other).values_list("pk", flat=True).first()
                if before is not None:
                    count_step(before, listing.pk)
    except DatabaseError as error:
        log.warning("a visit was not counted: %s", error)


def _is_visit(request: HttpRequest) -> bool:
    """Somebody opened the page: no machine, and no browser that only thinks somebody might."""
    purpose = request.headers.get("Sec-Purpose", "") + request.headers.get("Purpose", "")
    return (
        request.method == "GET"
        and "prefetch" not in purpose
        and not ROBOT.search(request.headers.get("User-Agent", ""))
    )


def came_from(referer: str, host: str) -> tuple[str, str]:
    """(query, public id of a listing): whichever of our own pages led here; empty where it was another or none."""
    try:
        address = urlsplit(referer)
        if address.netloc != host:
            return "", ""
        page = resolve(address.path)
    except (ValueError, Resolver404):
        return "", ""
    if page.url_name in FROM_SEARCH:
        return normal(parse_qs(address.query).get("q", [""])[0]), ""
    return "", page.kwargs["public_id"] if page.url_name == FROM_ITEM else ""


def normal(query: str) -> str:
    """One spelling of queries that differ in case and spaces alone."""
    return " ".join(query.replace("\x00", " ").lower().split())[:QUERY_CHARS]


def digest(query: str) -> str:
    """Keyed: whoever has the table alone cannot try words on it."""
    return hmac.new(settings.SECRET_KEY.encode(), query.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


VIEW = (
    "INSERT INTO recommendations_listingviews AS kept (listing_id, day, count) VALUES (%s, %s, %s)"
    " ON CONFLICT (listing_id, day) DO UPDATE SET count = kept.count + excluded.count"
)
STEP = (
    "INSERT INTO recommendations_covisit AS kept (before_id, after_id, count) VALUES (%s, %s, %s)"
    " ON CONFLICT (before_id, after_id) DO UPDATE SET count = kept.count + excluded.count"
)
CLICK = (
    "INSERT INTO recommendations_queryclick AS kept (query_id, listing_id, count) VALUES (%s, %s, %s)"
    " ON CONFLICT (query_id, listing_id) DO UPDATE SET count = kept.count + excluded.count"
)


def count_view(listing: int, day: date, number: int = 1) -> None:
    _add(VIEW, listing, day, number)


def count_step(before: int, after: int, number: float = 1) -> None:
    _add(STEP, before, after, number)


def count_click(query: str, listing: int, day: date) -> None:
    """query: as `normal` returns it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO recommendations_rememberedquery AS kept (digest, text, model_version, days, last_day)"
            " VALUES (%(digest)s, CASE WHEN 1 >= %(enough)s THEN %(text)s ELSE '' END, '', 1, %(day)s)"
            " ON CONFLICT (digest) DO UPDATE SET"
            "  days = kept.days + (kept.last_day < excluded.last_day)::int,"
            "  last_day = greatest(kept.last_day, excluded.last_day),"
            "  text = CASE WHEN kept.days + (kept.last_day < excluded.last_day)::int >= %(enough)s"
            "   THEN %(text)s ELSE kept.text END"
            " RETURNING id",
            {"digest": digest(query), "text": query, "day": day, "enough": settings.REMEMBERED_QUERY_DAYS},
        )
        (remembered,) = cursor.fetchone()
    _add(CLICK, remembered, listing, 1)


def _add(statement: str, first: int, second: int | date, number: float) -> None:
    """One statement, so that no two at once lose a count."""
    with connection.cursor() as cursor:
        cursor.execute(statement, [first, second, number])
