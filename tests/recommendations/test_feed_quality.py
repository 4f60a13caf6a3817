"""evaluate_feed: real histories through the site's own code, over a scratch catalogue."""

import json
from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from listings.models import Listing
from models import towers
from recommendations import feed_quality, ranking, retrieval, scratch
from recommendations.feed_quality import Case, Event
from recommendations.models import CoVisit, QueryClick, RememberedQuery, Standing
from recommendations.scratch import Product
from tests.recommendations.histories import TITLES

pytestmark = pytest.mark.django_db(transaction=True)


def measure(folder, *more) -> dict:
    out = StringIO()
    call_command("evaluate_feed", "--data", str(folder), *map(str, more), "--json", stdout=out, stderr=StringIO())
    assert len(out.getvalue().splitlines()) == 1, "one JSON object and nothing else"
    return json.loads(out.getvalue())


def test_what_the_command_says(collection, make_listing):
    make_listing("Real kettle")
    found = measure(collection / "dev", "--train", collection / "train")
    assert set(found) == {
        "cases", "hr_at_10", "ndcg_at_10", "mrr", "fp32", "popularity", "ms_per_user_1thread", "user_tower_bytes",
    }  # fmt: skip
    assert found["cases"] == 4
    assert found["hr_at_10"] == 1.0, "a market of six fits the first page"
    assert 0 < found["mrr"] <= 1
    assert set(found["fp32"]) == set(found["popularity"]) == {"hr_at_10", "ndcg_at_10", "mrr"}
    assert 1_000 < found["user_tower_bytes"] < 1_000_000
    assert [listing.title for listing in Listing.objects.all()] == ["Real kettle"], "the site's own are not touched"
    assert not CoVisit.objects.exists()


def test_what_the_site_counted_finds_what_words_do_not(collection):
    with feed_quality.site(feed_quality.read_products(collection), str) as ids:
        keys = {product: pk for pk, product in ids.items()}
        device = feed_quality.Device(keys)
        case = Case([Event("view", "hose")], "lamp")

        def place(sessions) -> int:
            feed_quality.count(sessions, keys)
            sent = device.sends(case.history)
            return feed_quality.answer(towers.space(), sent, ids).index("lamp")

        # Set beside each other with the same popularity: only the steps differ.
        all_alone = [[Event("view", name)] for name in TITLES] * 6
        steps = feed_quality.read_sessions(collection / "train")[:6]
        others = [session for session in all_alone if session[0].about not in ("hose", "lamp")]
        assert place(steps + others) < place(all_alone)


def test_counters_hold_what_visits_would_have_left(collection):
    with feed_quality.site(feed_quality.read_products(collection), str) as ids:
        keys = {product: pk for pk, product in ids.items()}
        feed_quality.count(feed_quality.read_sessions(collection / "train"), keys)
        (step,) = CoVisit.objects.all()
        assert (step.before_id, step.after_id, step.count) == (keys["hose"], keys["lamp"], 6)
        assert Standing.objects.get(listing=keys["hose"]).popularity == 6
        assert Standing.objects.get(listing=keys["bits"]).popularity == 0
        often = RememberedQuery.objects.get(text="hot water")
        assert often.vector is not None
        assert QueryClick.objects.get(query=often).count == 4
        (rare,) = RememberedQuery.objects.exclude(pk=often.pk)
        assert (rare.text, rare.vector) == ("", None), "what one session searched for is not remembered in words"


def test_only_the_page_before_is_known_and_a_search_is_a_page(collection):
    with feed_quality.site(feed_quality.read_products(collection), str) as ids:
        keys = {product: pk for pk, product in ids.items()}
        names = ("kettle", "pot", "drill")
        session = [*(Event("view", name) for name in names), Event("search", "bits"), Event("view", "bits")]
        feed_quality.count([session], keys)
        steps = set(CoVisit.objects.values_list("before_id", "after_id", "count"))
        assert steps == {(keys["kettle"], keys["pot"], 1), (keys["pot"], keys["drill"], 1)}
        assert [click.listing_id for click in QueryClick.objects.all()] == [keys["bits"]]


def test_the_device_sends_small_numbers_and_nothing_for_what_it_does_not_know(collection):
    with feed_quality.site(feed_quality.read_products(collection), str) as ids:
        device = feed_quality.Device({product: pk for pk, product in ids.items()})
        sent = device.sends([Event("search", "drill"), Event("view", "kettle")])
        assert sent.dtype == np.int8
        assert sent.shape == (4, 128)
        assert device.sends([Event("view", "unknown")]).shape == (0, 128)


def test_examples_never_know_the_answer_from_the_counters(collection):
    """A session is ranked by counters that do not know it: a step that was made once looks as if never made."""
    once, often = [Event("view", "hose"), Event("view", "lamp")], [Event("view", "bits"), Event("view", "drill")]
    with feed_quality.site(feed_quality.read_products(collection), str) as ids:
        keys = {product: pk for pk, product in ids.items()}
        found = list(feed_quality.examples([once, *[often] * 8], keys, 99, 1, str))
        steps = ranking.FEATURES.index("steps_1")
        assert sorted(values[target, steps] > 0 for values, target in found) == [False, *[True] * 8]
        assert len(list(feed_quality.examples([once, often], keys, 1, 1, str))) == 1, "at most as many as asked for"


def test_nothing_of_the_scratch_market_stays_in_the_process(collection, make_listing):
    measure(collection / "dev", "--train", collection / "train")
    kettle = make_listing("Kettle")
    assert retrieval.market().new == [kettle.pk]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_database WHERE starts_with(datname, %s)", [scratch.PREFIX])
        assert cursor.fetchone() == (0,)


@pytest.mark.parametrize("name", ["cases.jsonl.gz", "products.csv.gz"])
def test_a_missing_file_is_named(collection, name):
    for path in collection.rglob(name):
        path.unlink()
    with pytest.raises(CommandError, match=name):
        measure(collection / "dev")


def test_a_damaged_file_is_named(collection):
    (collection / "dev" / "cases.jsonl.gz").write_bytes(b"no gzip")
    with pytest.raises(CommandError, match=r"cases\.jsonl\.gz cannot be read"):
        measure(collection / "dev")


@pytest.mark.parametrize(("text", "price"), [("12.50", 12.5), ("", None), ("free", None), ("NaN", None), ("-3", None)])
def test_a_price_that_says_nothing_is_missing(text, price):
    assert feed_quality._price(text) == price


def test_figures_of_one_answer():
    assert feed_quality.figures(["a", "b"], "a") == (1, 1, 1)
    hit, gain, reciprocal = feed_quality.figures(list("abc"), "c")
    assert (hit, gain, reciprocal) == (1, 0.5, pytest.approx(1 / 3))
    assert feed_quality.figures([str(number) for number in range(20)], "10") == (0, 0, pytest.approx(1 / 11))
    assert feed_quality.figures(["a"], "z") == (0, 0, 0)


def test_products_cut_from_scratch_are_the_shape_the_rest_expects():
    assert Product("a", "Kettle").price is None
