import tomllib

import numpy as np
import pytest

from recommendations import fitting, search
from recommendations.fitting import Judged, Set
from recommendations.retrieval_quality import Query

AT = {name: place for place, name in enumerate(search.MEASURES)}


@pytest.fixture
def judged():
    """Queries whose relevant candidate has the highest coverage."""
    return judged_by("coverage", 120)


def judged_by(name: str, count: int) -> list[Judged]:
    """Queries of 20 candidates of which the one with the highest `name` is relevant; all else is chance."""
    rng = np.random.default_rng(1)

    def one() -> Judged:
        values = rng.random((20, len(search.MEASURES))).astype(np.float32)
        grades = np.zeros(20, np.int64)
        grades[values[:, AT[name]].argmax()] = 2
        vectors = rng.normal(size=(20, 128)).astype(np.float16)
        return Judged(values, vectors, grades, Query("q", {str(at): int(g) for at, g in enumerate(grades)}))

    return [one() for _ in range(count)]


def test_what_tells_relevant_ones_apart_gets_the_weight(judged):
    weights = fitting.fitted([judged], 0.0)
    assert AT["coverage"] == int(np.argmax(weights))
    assert weights[AT["coverage"]] > 5 * np.abs(np.delete(weights, AT["coverage"])).max()
    assert fitting.quality(judged, weights, 0.0)[0] > 0.9


def test_the_cosine_keeps_the_weight_that_is_tried(judged):
    assert fitting.fitted([judged], 3.0)[AT[search.COSINE]] == 3


def test_cosine_and_likeness_are_chosen_on_dev(judged):
    lines: list[str] = []
    best = fitting.fit([Set(judged, judged_by(search.COSINE, 60))], lines.append)
    assert best.weights[search.COSINE] == max(fitting.COSINES), "whatever the training queries say"
    assert len(lines) == len(fitting.COSINES) + len(fitting.LIKENESSES)


def test_relevant_products_that_are_no_candidates_count_as_missed(judged):
    first = judged[0]
    more = first._replace(query=Query("q", first.query.grades | {"elsewhere": 2}))
    weights = np.zeros(len(search.MEASURES))
    weights[AT["coverage"]] = 1
    assert fitting.quality([first], weights, 0.0)[1] == 1
    assert fitting.quality([more], weights, 0.0)[1] == 0.5


def test_what_is_written_can_be_read_again():
    weights = dict.fromkeys((*search.MEASURES, search.LIKENESS), 0.5)
    text = fitting.written(weights, {"words": 0.2})
    assert tomllib.loads(text) == {"weights": weights, "floors": {"words": 0.2}}


def test_the_committed_weights_are_as_the_command_writes_them():
    kept = search.settings()
    assert search.WEIGHTS.read_text() == fitting.written(kept["weights"], kept["floors"])
