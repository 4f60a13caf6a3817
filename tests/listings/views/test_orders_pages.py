from listings.lifecycle import Status
from listings.models import Order


def test_a_shopper_buys_and_the_seller_hands_over(as_user, shopper, merchant, make_listing):
    listing = make_listing()
    buyer, seller = as_user(shopper), as_user(merchant)
    assert buyer.post(f"/item/{listing.public_id}/buy/", {"price": "18.50"}).url == "/orders/"
    listing.refresh_from_db()
    assert listing.status == Status.ENDED
    order = Order.objects.get()
    assert listing.title in buyer.get("/orders/").content.decode()
    assert listing.title in seller.get("/sales/").content.decode()
    seller.post(f"/orders/{order.pk}/settle/")
    order.refresh_from_db()
    assert order.status == "settled"
    mine = seller.get("/sell/").content.decode()
    assert "See the sale" in mine
    assert "List again" not in mine


def test_a_thing_is_sold_once(as_user, shopper, other_merchant, make_listing):
    listing = make_listing()
    as_user(shopper).post(f"/item/{listing.public_id}/buy/", {"price": "18.50"})
    as_user(other_merchant).post(f"/item/{listing.public_id}/buy/", {"price": "18.50"})
    assert Order.objects.get().buyer == shopper


def test_nobody_buys_at_a_price_they_did_not_see_or_from_themselves(as_user, shopper, merchant, make_listing):
    listing = make_listing()
    for user, price in ((shopper, "1.00"), (shopper, ""), (shopper, "1e400"), (merchant, "18.50")):
        answer = as_user(user).post(f"/item/{listing.public_id}/buy/", {"price": price}, follow=True)
        assert "notice--error" in answer.content.decode()
    assert not Order.objects.exists()


def test_strangers_cannot_touch_an_order_and_only_the_seller_settles_it(as_user, shopper, other_merchant, make_listing):
    listing = make_listing()
    as_user(shopper).post(f"/item/{listing.public_id}/buy/", {"price": "18.50"})
    order = Order.objects.get()
    assert as_user(other_merchant).post(f"/orders/{order.pk}/cancel/").status_code == 404
    as_user(shopper).post(f"/orders/{order.pk}/settle/")
    order.refresh_from_db()
    assert order.status == "placed"


def test_an_item_that_is_not_on_sale_cannot_be_bought(as_user, shopper, make_listing):
    for status in (Status.CHECKING, Status.IN_REVIEW, Status.REJECTED, Status.PAUSED, Status.ENDED):
        listing = make_listing(status=status)
        as_user(shopper).post(f"/item/{listing.public_id}/buy/", {"price": "18.50"})
    assert not Order.objects.exists()
