"""What the ranker is told of each published listing beside its vector: worked out for all at once, by a task."""

from __future__ import annotations

from datetime import date

from django.db import connection
from django.utils import timezone

from listings.lifecycle import Status
from listings.models import Order

HALF_LIFE = 14  # days after which a view counts half
OLD = 120  # days after which it counts no more
MOST_APART = 3.0  # standard deviations

STATEMENT = """
WITH views AS (
  SELECT listing_id, sum(count * power(0.5, (%(today)s - day)::float / %(half)s)) AS popularity
  FROM recommendations_listingviews WHERE day > %(today)s - %(old)s GROUP BY listing_id
), sales AS (
  SELECT l.seller_id, count(*) AS sold FROM listings_order o JOIN listings_listing l ON l.id = o.listing_id
  WHERE o.status = %(settled)s GROUP BY l.seller_id
), prices AS (
  SELECT category, currency, avg(ln(price)) AS mean, greatest(stddev_pop(ln(price)), 0.1) AS spread
  FROM listings_listing WHERE status = %(published)s AND price > 0 GROUP BY category, currency
)
INSERT INTO recommendations_standing AS kept (listing_id, category, popularity, price, seller_sales)
SELECT l.id, l.category, coalesce(views.popularity, 0),
  CASE WHEN l.price > 0 THEN greatest(least((ln(l.price) - prices.mean) / prices.spread, %(apart)s), -%(apart)s)
  ELSE 0 END,
  coalesce(sales.sold, 0)
FROM listings_listing l
LEFT JOIN views ON views.listing_id = l.id
LEFT JOIN sales ON sales.seller_id = l.seller_id
LEFT JOIN prices ON prices.category = l.category AND prices.currency = l.currency
WHERE l.status = %(published)s
ORDER BY l.id
ON CONFLICT (listing_id) DO UPDATE SET
  category = excluded.category, popularity = excluded.popularity, price = excluded.price,
  seller_sales = excluded.seller_sales
WHERE (kept.category, kept.popularity, kept.price, kept.seller_sales)
  IS DISTINCT FROM (excluded.category, excluded.popularity, excluded.price, excluded.seller_sales)
"""


def refresh(today: date | None = None) -> None:
    """Missing prices are neutral; so is a listing that no row speaks of yet. Rows of what left the market go."""
    today = today or timezone.localdate()
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM recommendations_standing kept USING listings_listing l"
            " WHERE l.id = kept.listing_id AND l.status <> %s",
            [Status.PUBLISHED],
        )
        cursor.execute("DELETE FROM recommendations_listingviews WHERE day <= %s - %s", [today, OLD])
        cursor.execute(
            STATEMENT,
            {
                "today": today,
                "half": HALF_LIFE,
                "old": OLD,
                "settled": Order.State.SETTLED,
                "published": Status.PUBLISHED,
                "apart": MOST_APART,
            },
        )
