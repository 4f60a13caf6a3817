"""Search on the market's front page. What it shows without a search: tests/listings/views/test_browsing.py."""

import pytest
from django.utils import timezone

from listings.models import Listing
from recommendations import counting, retrieval, standing
from recommendations.views.browse import OFFERED, PAGE_SIZE


def page(client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_corrected_search_says_so_and_offers_the_other(client, on_sale):
    text = page(client, "/?q=kettel&page=1")
    assert "Showing results for <strong>kettle</strong>" in text
    assert 'href="?q=kettel&amp;exact=1"' in text
    assert "Blue enamel kettle" in text
    as_typed = page(client, "/?q=kettel&exact=1")
    assert "Showing results for" not in as_typed
    assert "Nothing found for “kettel”" in as_typed


def test_the_tab_names_the_corrected_words(client, on_sale):
    assert "<title>“kettle”" in page(client, "/?q=kettel")


def test_a_long_word_is_shortened_where_the_page_repeats_it(client, on_sale):
    text = page(client, "/?q=" + "x" * 500)
    assert f"<h1>Results for “{'x' * 59}…”</h1>" in text
    assert f"Nothing found for “{'x' * 59}…”" in text
    assert f"<title>“{'x' * 59}…”" in text


def test_a_range_upside_down_is_said_and_does_not_hide_everything(client, make_listing):
    make_listing("Kettle", price=30)
    text = page(client, "/?q=kettle&min_price=50&max_price=10")
    assert "From: This is above the highest price, 10. Swap the two." in text
    assert "Nothing found" not in text
    assert "Swap" not in page(client, "/?q=kettle&min_price=30&max_price=30")


@pytest.mark.parametrize("query", ["alice", "Alice's Attic", "ALICE'S AT", "  ali ", "ghent"])
def test_a_shop_is_named_where_the_query_is_its_name_or_town(client, make_listing, query):
    make_listing("Kettle")
    text = client.get("/", {"q": query}).content.decode()
    assert 'Shop: <a href="/seller/alice/">Alice&#x27;s Attic</a>' in text
    assert client.get("/", {"q": "kettle"}).context["shops"] == []


def test_a_shop_without_anything_on_sale_and_one_that_left_are_not_named(client, make_listing, merchant, shopper):
    make_listing("Kettle", status="paused")
    for name in ("alice", "carol", "al", "x\x00"):
        assert client.get("/", {"q": name}).context["shops"] == []
    make_listing("Kettle")
    merchant.is_active = False
    merchant.save()
    assert client.get("/", {"q": "alice"}).context["shops"] == []


def test_there_are_no_pages_of_what_hardly_fits(client, make_listing, place):
    for number in range(3):
        place(make_listing(f"Lamp {number}"), 2)
    for number in range(80):
        place(make_listing(f"Clay pot {number}"), 9)
    context = client.get("/?q=lamp").context
    assert (context["number"], context["page"].paginator.num_pages) == (3, 1)
    assert len(context["near"]) <= PAGE_SIZE
    assert client.get("/?q=lamp&page=7").context["page"].number == 1


@pytest.mark.parametrize(("asked", "number"), [("0", 1), ("-1", 1), ("x", 1), ("", 1), ("2", 2), ("999", 2), ("²", 1)])
@pytest.mark.parametrize("address", ["/", "/?q=kettle", "/seller/alice/"])
def test_a_page_that_is_not_there_is_the_nearest_one(client, make_listing, address, asked, number):
    for each in range(30):
        make_listing(f"Kettle {each}")
    assert (
        client.get(address, {**({"q": "kettle"} if "q" in address else {}), "page": asked}).context["page"].number
        == number
    )


def test_filters_say_how_many_there_would_be(client, make_listing):
    make_listing("Kettle", condition="new")
    make_listing("Kettle", condition="good", category="toys")
    text = page(client, "/?q=kettle")
    assert "New (1)" in text
    assert 'href="/c/toys/?q=kettle"' in text
    assert "Toys" in text


def test_a_chosen_facet_can_be_taken_away(client, make_listing):
    for price in (5, 30, 70):
        make_listing("Kettle", price=price)
    text = page(client, "/?q=kettle&min_price=25&max_price=50&page=1")
    assert 'href="/?q=kettle" rel="nofollow" aria-current="true"' in text
    assert 'href="/?q=kettle&amp;min_price=50&amp;max_price=100&amp;currency=EUR"' in text


def test_nothing_found_still_helps(client, make_listing):
    make_listing("Blue kettle")
    text = page(client, "/?q=zeppelin")
    assert "Nothing found for “zeppelin”" in text
    assert "For you" in text
    assert "Blue kettle" in text
    narrowed = page(client, "/?q=kettle&min_price=5000")
    assert "Search without them" in narrowed


def test_cards_carry_what_the_device_ranks_by(client, on_sale, place, monkeypatch):
    place(on_sale["Blue enamel kettle"], 2)
    text = page(client, "/?q=blue+enamel+kettle")
    assert "&quot;score&quot;" in text
    assert f"&quot;id&quot;: &quot;{on_sale['Blue enamel kettle'].public_id}&quot;" in text
    assert 'data-vector="AAB/' in text


@pytest.mark.parametrize(
    "query",
    [
        "q=" + "kettle+" * 1_500,
        "q=%00kettle%00",
        "q=%21%21%21",
        "q=%27%20OR%201%3D1%20--",
        "q=a%26%7C%21%28%29%3A%2A%3C-%3E",
        "q=%E6%97%A5%E6%9C%AC%E8%AA%9E",
        "q=%ED%A0%80",
        "q=kettle&min_price=-5",
        "q=kettle&page=1000000000",
        "q=kettle&page=-1",
        "q=kettle&sort=nonsense",
        "q=kettle&exact=%00",
        "q=&exact=1",
    ],
)
def test_nonsense_in_a_search_never_breaks_the_page(client, on_sale, query):
    page(client, f"/?{query}")
    page(client, f"/c/kitchen/?{query}")


# --- For you ---------------------------------------------------------------------------------------------------------
def test_the_front_page_offers_what_is_popular_and_new(client, make_listing, place):
    for number in range(30):
        place(make_listing(f"Kettle {number}"), 3)
    counting.count_view(Listing.objects.get(title="Kettle 7").pk, timezone.localdate(), 5)
    standing.refresh()
    shown = client.get("/").context
    titles = [listing.title for listing in shown["offered"]]
    assert len(titles) == len(set(titles)) == OFFERED
    assert titles[0] == "Kettle 7" and "Kettle 29" in titles, "the popular one and the newest one"
    assert shown["offered"][0].wire_vector and shown["source"] == "popular"


@pytest.mark.parametrize(
    "address", ["/?page=2", "/?q=kettle", "/?min_price=1", "/?condition=good", "/?sort=price", "/c/kitchen/"]
)
def test_whoever_looks_for_something_is_not_interrupted(client, make_listing, address):
    for number in range(30):
        make_listing(f"Kettle {number}")
    assert client.get(address).context["offered"] == []


def test_only_what_is_on_sale_now_is_offered(client, make_listing):
    make_listing("Here")
    gone = make_listing("Gone")
    assert len(client.get("/").context["offered"]) == 2
    Listing.objects.filter(pk=gone.pk).update(status="paused")
    assert [listing.title for listing in client.get("/").context["offered"]] == ["Here"]


def test_a_market_that_changed_at_once_is_read_again(client, make_listing, monkeypatch):
    monkeypatch.setattr(retrieval, "SECONDS_OF_SMALL", 3_600.0)
    gone = make_listing("Gone")
    assert len(client.get("/").context["offered"]) == 1
    Listing.objects.filter(pk=gone.pk).update(status="paused")
    make_listing("Just come")
    assert [listing.title for listing in client.get("/").context["offered"]] == ["Just come"]


def test_an_empty_market_offers_nothing(client, db):
    assert "For you" not in page(client, "/")
