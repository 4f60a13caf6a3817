"""The item page's and the seller page's vectors, and what is similar."""

from pgvector import HalfVector

from models import towers
from recommendations import similar
from recommendations.models import ItemVector


def test_what_is_similar_is_shown_with_vectors(client, make_listing, place):
    kettle, teapot, hidden = make_listing(), make_listing("Teapot"), make_listing("Hidden", status="paused")
    for listing in (kettle, teapot, hidden):
        place(listing, 3)
    page = client.get(kettle.get_absolute_url())
    assert [listing.title for listing in page.context["similar"]] == ["Teapot"]
    assert page.context["space"] == towers.space()
    assert page.context["listing"].wire_vector == page.context["similar"][0].wire_vector != ""
    assert "Similar things" in page.content.decode()


def test_a_listing_without_a_vector_has_no_likes(client, make_listing, place):
    kettle = make_listing()
    place(make_listing("Teapot"), 3)
    page = client.get(kettle.get_absolute_url())
    assert page.context["similar"] == [] and "Similar things" not in page.content.decode()


def test_the_same_thing_again_is_not_similar_and_one_sellers_stock_waits(make_listing, other_merchant, place):
    kettle = make_listing()
    for listing in [kettle, make_listing("BLUE enamel kettle"), *(make_listing(f"Kettle {n}") for n in range(9))]:
        place(listing, 3)
    others = [make_listing(f"Another's {n}", seller=other_merchant) for n in range(2)]
    for other in others:
        place(other, 3)
    found = similar.to(kettle)
    assert len(found) == similar.SHOWN
    assert set(others) < set(found[: similar.OF_ONE_SELLER + 2])
    assert "BLUE enamel kettle" not in [listing.title for listing in found]


def test_what_has_nothing_in_common_is_not_similar(make_listing, place):
    kettle, drill = make_listing(), make_listing("Drill")
    place(kettle, 3)
    place(drill, 4)
    assert similar.to(kettle) == []


def test_what_is_of_its_category_comes_before_what_shares_only_a_colour(make_listing):
    radio, of_the_colour = make_listing("Radio", category="audio"), make_listing("Orange", category="pets-baby")
    speaker, far = make_listing("Speaker", category="audio"), make_listing("Amplifier", category="audio")

    def at(cosine):
        return HalfVector([cosine, (1 - cosine**2) ** 0.5, *[0.0] * 126])

    for listing, cosine in ((radio, 1.0), (of_the_colour, 0.45), (speaker, 0.35), (far, 0.1)):
        ItemVector.objects.create(listing=listing, vector=at(cosine), model_version=towers.space(), revision=1)
    assert similar.to(radio) == [speaker, of_the_colour], "and what has nothing in common stays away"


def test_a_sellers_page_has_vectors(client, make_listing, place):
    place(make_listing(), 3)
    page = client.get("/seller/alice/")
    assert page.context["page"].object_list[0].wire_vector
    assert page.context["space"] == towers.space()
