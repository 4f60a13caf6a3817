import csv
import gzip
import math
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from recommendations import retrieval_quality
from recommendations.retrieval_quality import NoCollection, figures, mean, read


def write(path: Path, columns: str, rows: list[tuple]) -> None:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wt", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns.split())
        writer.writerows(rows)


@pytest.fixture
def collection(tmp_path) -> Path:
    folder = tmp_path / "dev"
    folder.mkdir()
    write(
        tmp_path / "products.csv.gz",
        "product_id title category_path description brand price rating rating_count",
        [("a", "Blue enamel kettle", "", "", "", "", "", ""), ("b", "Cordless drill", "Tools", "18 V", "", "", "", "")],
    )
    write(folder / "queries.csv", "query_id query", [("1", "kettle"), ("2", "drill"), ("3", "nothing")])
    write(
        folder / "labels.csv.gz",
        "query_id product_id grade",
        [("1", "a", 2), ("1", "b", 0), ("2", "b", 1), ("3", "a", 0)],
    )
    return folder


def test_the_figures_of_a_perfect_ranking_are_one():
    assert figures(["a", "b", "x"], {"a": 2, "b": 1, "c": 0}) == (1, 1, 1)


def test_the_figures_are_as_defined():
    ndcg, recall, rank = figures(["x", "b", "a"], {"a": 2, "b": 1, "c": 1})
    ideal = 3 + 1 / math.log2(3) + 1 / math.log2(4)
    assert ndcg == pytest.approx((1 / math.log2(3) + 3 / math.log2(4)) / ideal)
    assert (recall, rank) == (pytest.approx(2 / 3), 1 / 2)


def test_what_comes_too_late_does_not_count():
    late = [str(number) for number in range(10)] + ["a"]
    assert figures(late, {"a": 2}) == (0, 1, pytest.approx(1 / 11))
    later = [str(number) for number in range(100)] + ["a"]
    assert figures(later, {"a": 2}) == (0, 0, 0)
    assert figures([], {"a": 1}) == (0, 0, 0)


def test_means_have_the_names_of_the_contract():
    assert mean([(1, 0, 0.5), (0, 0, 0.25)]) == {"ndcg_at_10": 0.5, "recall_at_100": 0.0, "mrr": 0.375}


def test_queries_without_a_relevant_product_are_left_out(collection):
    found = read(collection)
    assert [query.text for query in found.queries] == ["kettle", "drill"]
    assert found.products[1].description == "18 V"


@pytest.mark.parametrize("missing", ["queries.csv", "labels.csv.gz", "../products.csv.gz"])
def test_a_missing_file_is_named(collection, missing):
    (collection / missing).unlink()
    with pytest.raises(NoCollection, match=Path(missing).name):
        read(collection)


def test_a_damaged_file_is_named(collection):
    (collection / "labels.csv.gz").write_bytes(b"no gzip")
    with pytest.raises(CommandError, match=r"labels\.csv\.gz cannot be read"):
        call_command("evaluate_retrieval", data=collection)


def test_the_command_says_when_the_towers_are_away(collection, db, models_away):
    with models_away(), pytest.raises(CommandError, match="manifest"):
        call_command("evaluate_retrieval", data=collection)


def test_words_alone_are_measured_through_the_sites_own_search(collection, db):
    from recommendations import scratch, vocabulary

    found = read(collection)
    with scratch.catalogue():
        keys = scratch.load(found.products)
        vocabulary.refresh()
        products = {pk: product for product, pk in keys.items()}
        assert [products[pk] for pk in retrieval_quality.parts("kettle")["keyword"]] == ["a"]
