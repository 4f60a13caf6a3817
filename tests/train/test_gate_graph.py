"""The gate's second model as a graph: it says what the network says, whatever stands beside a text in its batch."""

import numpy as np
import pytest
import torch

from models import wordpieces
from models.recipes.listing_text_cloud.pairs import pair_ids
from models.recipes.listing_text_gate import export
from models.recipes.listing_text_gate.network import Network
from models.runtime import open_session
from models.steps import shrink

OPTIONS = {"pairs": 512, "hidden": 24, "heads": 2, "reach": 3, "drop": 0.2, "drop_pieces": 0.1}
WORDS, WIDTH, LABELS = 30_522, 12, 10
HEAT = np.linspace(0.7, 1.6, LABELS).astype(np.float32)
RNG = np.random.default_rng(4)
ODD = {
    "empty": [],
    "one piece": [7592],
    "two pieces": [7592, 2088],
    "the last piece of all": [WORDS - 1] * 3,
    "one piece over and over": [999] * 40,
    "a window": RNG.integers(1000, WORDS, 64).tolist(),
    "longer than a window": RNG.integers(1000, WORDS, 300).tolist(),
}


@pytest.fixture(scope="module")
def network():
    """Random numbers in every weight, those that start at zero too."""
    torch.manual_seed(3)
    made = Network(torch.randn(WORDS, WIDTH) * 0.5, OPTIONS, LABELS)
    with torch.no_grad():
        for each in (made.pairs, made.heed, made.head):
            each.weight.normal_(0, 0.5)
    return made.eval()


@pytest.fixture(scope="module")
def sessions(network):
    return {kind: open_session(content) for kind, content in contents(network).items()}


def contents(network):
    full = export.exported(export.named(network.state_dict()), HEAT)
    return {"fp32": full.SerializeToString(), "int8": shrink.restored(full, shrink.as_int8).SerializeToString()}


def scores(session, rows):
    return session.run(["scores"], wordpieces.batch(rows))[0]


def by_torch(network, rows):
    made = wordpieces.batch(rows)
    with torch.no_grad():
        logits = network(torch.from_numpy(made["input_ids"]), torch.from_numpy(made["attention_mask"]))
    return (logits / torch.from_numpy(HEAT)).softmax(1).numpy()


@pytest.mark.parametrize("name", list(ODD))
def test_the_graph_is_the_network(network, sessions, name):
    found = scores(sessions["fp32"], [ODD[name]])
    assert found.dtype == np.float32
    assert found == pytest.approx(by_torch(network, [ODD[name]]), abs=1e-5)
    assert found.sum() == pytest.approx(1, abs=1e-5)


def test_a_batch_of_odd_texts_is_the_network_too(network, sessions):
    rows = list(ODD.values())
    assert scores(sessions["fp32"], rows) == pytest.approx(by_torch(network, rows), abs=1e-5)


@pytest.mark.parametrize("kind", ["fp32", "int8"])
@pytest.mark.parametrize("name", list(ODD))
def test_padding_does_not_change_a_score(sessions, kind, name):
    alone = scores(sessions[kind], [ODD[name]])[0]
    padded = scores(sessions[kind], [ODD[name], list(range(2000, 2350))])[0]
    assert padded == pytest.approx(alone, abs=1e-5)


@pytest.mark.parametrize("kind", ["fp32", "int8"])
def test_the_order_of_a_batch_does_not_matter(sessions, kind):
    rows = list(ODD.values())
    assert scores(sessions[kind], rows[::-1])[::-1] == pytest.approx(scores(sessions[kind], rows), abs=1e-6)


def test_int8_is_near_fp32(sessions):
    rows = [RNG.integers(1000, WORDS, size).tolist() for size in RNG.integers(1, 64, 50)]
    exact, near = (scores(sessions[kind], rows) for kind in ("fp32", "int8"))
    assert np.abs(near - exact).max() < 0.02


def test_int8_is_a_quarter_of_the_bytes(network):
    sizes = {kind: len(content) for kind, content in contents(network).items()}
    assert sizes["int8"] < 0.3 * sizes["fp32"]


def test_the_order_of_words_matters_to_neighbours_alone(sessions):
    """Pairs see which of two neighbours comes first; the same words elsewhere in the reach of all are the same text."""
    there, back = scores(sessions["fp32"], [[7592, 2088]]), scores(sessions["fp32"], [[2088, 7592]])
    assert np.abs(there - back).max() > 1e-4


def test_pairs_are_hashed_in_the_table():
    ids = torch.from_numpy(wordpieces.batch(list(ODD.values()))["input_ids"])
    found = pair_ids(ids, OPTIONS["pairs"])
    assert found.shape == (len(ODD), ids.shape[1] - 1)
    assert found.min() >= 0 and found.max() < OPTIONS["pairs"]
    assert len(found.unique()) > 200


def test_what_is_dropped_in_training_is_read_when_it_counts(network):
    rows = [ODD["a window"]]
    first, again = by_torch(network, rows), by_torch(network, rows)
    assert (first == again).all()
