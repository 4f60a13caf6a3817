"""Every way to shrink a model, on a tiny one: what it keeps, what it changes, and that the model still runs."""

import numpy as np
import pytest

from models import runtime
from models.steps import evaluate, shrink
from models.steps.errors import StepError
from tests.models import tiny

FULL = tiny.model()
TEXT = "two co-caine pistols and a bike"
SAMPLES = [{"bytes": np.frombuffer(text.encode(), np.uint8)} for text in ("oak table\n", "old pistol\n", TEXT)]


def scores(model):
    return tiny.run(runtime.open_session(model.SerializeToString()), TEXT)[0]


@pytest.mark.parametrize(
    ("store", "share", "near"),
    [(shrink.as_float16, 0.55, 1e-3), (shrink.as_int8, 0.32, 0.02), (shrink.as_codebook(256), 0.32, 0.02)],
    ids=["fp16", "int8", "256 values"],
)
def test_stored_otherwise_it_is_smaller_and_says_nearly_the_same(store, share, near):
    small = shrink.restored(FULL, store)
    assert sum(np.prod(each.dims) * bytes_each(each) for each in small.graph.initializer if each.name.split(".")[0] in
               shrink.weights(FULL)) <= share * sum(4 * a.size for a in shrink.weights(FULL).values())  # fmt: skip
    assert scores(small) == pytest.approx(scores(FULL), abs=near)


def bytes_each(initialiser):
    return np.dtype(shrink.numpy_helper.to_array(initialiser).dtype).itemsize


def test_int8_holds_each_weight_within_half_a_step():
    for name, array in shrink.weights(FULL).items():
        (whole, scale), _ = shrink.as_int8(name, array)
        back = shrink.numpy_helper.to_array(whole) * shrink.numpy_helper.to_array(scale)
        assert np.abs(back - array).max() <= shrink.numpy_helper.to_array(scale).max() / 2 + 1e-7


def test_in_steps_a_table_keeps_the_scale_it_was_trained_with():
    table = np.array([[0.5, -2.0], [1.0, 4.0]], np.float32)
    store = shrink.in_steps({"table": np.array([0.5, 2.0], np.float32)})
    (whole, scale), _ = store("table", table)
    assert shrink.numpy_helper.to_array(whole).tolist() == [[1, -1], [2, 2]]
    assert shrink.numpy_helper.to_array(scale).tolist() == [[0.5, 2.0]]
    (other, _), _ = store("whole", table)
    assert shrink.numpy_helper.to_array(other).max() == 127
    with pytest.raises(StepError, match="Train with larger steps"):
        store("table", table * 100)


def test_a_codebook_keeps_zero_and_never_has_more_values_than_asked():
    array = np.array([[0, 0, 1.0, 1.1], [5.0, 5.1, -3.0, 0]], np.float32)
    book = shrink.codebook(array, 4)
    assert len(book) <= 4
    assert 0 in book
    chosen = book[shrink.nearest(array, book)]
    assert (chosen[array == 0] == 0).all()
    assert np.abs(chosen - array).max() < 0.11
    assert shrink.codebook(np.zeros((3, 3), np.float32), 16).tolist() == [0]


def test_pruning_zeroes_the_smallest_and_leaves_the_others():
    array = np.arange(1, 101, dtype=np.float32).reshape(10, 10)
    found = shrink.sparse(0.3)("x", array)
    assert (found == 0).sum() == pytest.approx(30, abs=1)
    assert (found[found != 0] == array[found != 0]).all()
    assert found.max() == 100


def test_pruned_weights_compress_better_though_the_file_is_as_large():
    dense, thin = (model.SerializeToString() for model in (FULL, shrink.mapped(FULL, shrink.sparse(0.7))))
    assert len(thin) == pytest.approx(len(dense), rel=0.01)
    assert evaluate.brotli_bytes(thin) < 0.6 * evaluate.brotli_bytes(dense)


def test_noise_in_weights_is_repeatable_of_the_asked_size_and_spares_empty_rows():
    array = np.zeros((200, 100), np.float32)
    array[1:] = 2.0
    once, again = (shrink.noisy(0.05, 3)("x", array) for _ in range(2))
    assert (once == again).all()
    assert (once[0] == 0).all()
    assert (once[1:] - array[1:]).std() == pytest.approx(0.05 * 2.0, rel=0.05)


def test_noise_in_activations_moves_the_scores_more_the_more_there_is():
    def spread(share):
        session = runtime.open_session(shrink.with_noisy_activations(FULL, share).SerializeToString())
        return np.std([tiny.run(session, TEXT)[0] for _ in range(30)], axis=0).mean()

    assert 0 < spread(0.01) < spread(0.1)


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("method", [None, *shrink.METHODS])
def test_the_runtimes_own_quantizers_give_a_model_that_runs(method, per_channel):
    if method is None:
        small = shrink.dynamic(FULL, per_channel=per_channel)
    else:
        small = shrink.static(FULL, SAMPLES, method=method, per_channel=per_channel)
    assert scores(shrink.int8_tables(small)) == pytest.approx(scores(FULL), abs=0.1)
    assert {each.op_type for each in small.graph.node} & {"MatMulInteger", "QuantizeLinear"}


def test_ranges_hold_every_output_of_every_product():
    found = shrink.ranges(FULL.SerializeToString(), SAMPLES, runtime.open_session)
    assert len(found) == len(shrink.products(FULL)) == 3, "two convolutions and the heads"
    assert all(len(values) for values in found.values())
