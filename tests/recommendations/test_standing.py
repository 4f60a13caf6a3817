from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from listings.models import Listing, Order
from recommendations import counting, standing
from recommendations.models import ListingViews, Standing

TODAY = timezone.localdate()


def test_views_count_half_after_a_fortnight_and_are_forgotten_later(make_listing):
    new, old, ancient = make_listing("New"), make_listing("Old"), make_listing("Ancient")
    counting.count_view(new.pk, TODAY, 8)
    counting.count_view(old.pk, TODAY - timedelta(days=standing.HALF_LIFE), 8)
    counting.count_view(ancient.pk, TODAY - timedelta(days=standing.OLD), 8)
    standing.refresh()
    found = {row.listing.title: row.popularity for row in Standing.objects.all()}
    assert found == {"New": 8, "Old": pytest.approx(4), "Ancient": 0}
    assert ListingViews.objects.count() == 2


def test_prices_are_told_against_others_of_the_category(make_listing):
    for price in (0, 10, 20, 40):
        make_listing(f"Kettle at {price}", price=Decimal(price))
    standing.refresh()
    found = dict(Standing.objects.order_by("listing__price").values_list("listing__price", "price"))
    assert found[Decimal(0)] == 0, "a missing price is neutral"
    assert found[Decimal(20)] == pytest.approx(0, abs=1e-6)
    assert found[Decimal(10)] == pytest.approx(-found[Decimal(40)])


def test_sales_are_those_that_were_handed_over(make_listing, shopper, other_merchant):
    sold, promised = make_listing("Sold", status="ended"), make_listing("Promised", status="paused")
    make_listing("Still here")
    make_listing("Of another", seller=other_merchant)
    for listing, status in ((sold, Order.State.SETTLED), (promised, Order.State.PLACED)):
        Order.objects.create(listing=listing, buyer=shopper, price=1, currency="EUR", status=status)
    standing.refresh()
    found = dict(Standing.objects.values_list("listing__title", "seller_sales"))
    assert found == {"Still here": 1, "Of another": 0}


def test_rows_leave_with_their_listing(make_listing):
    kettle = make_listing()
    standing.refresh()
    Listing.objects.filter(pk=kettle.pk).update(status="paused")
    standing.refresh()
    assert not Standing.objects.exists()
