"""The photo network in numpy: what it says, its gradient, and the weights that it reads from an ONNX file."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from listings.redteam import photo_network
from models import manifest, photo, runtime
from models.steps import reads_photos
from tests.listings.redteam.photo_cast import SIDE, network
from tests.models.photos import drawn


def as_onnx(made):
    """The same network as an ONNX file, every second weight stored as a list of numbers in place of bytes."""
    nodes, stored, x = [], [], "x"
    for number, layer in enumerate(made.layers):
        for part in ("weight", "bias"):
            array = getattr(layer, part)
            name = f"layer{number}.{part}"
            if number % 2:
                stored.append(helper.make_tensor(name, TensorProto.FLOAT, array.shape, array.ravel()))
            else:
                stored.append(numpy_helper.from_array(array, name))
        how = {"strides": [layer.stride] * 2, "pads": [layer.padding] * 4}
        nodes.append(
            helper.make_node("Conv", [x, f"layer{number}.weight", f"layer{number}.bias"], [f"c{number}"], **how)
        )
        x = f"c{number}"
        if layer.most is not None:
            stored.append(numpy_helper.from_array(np.array(min(layer.most, 1e9), np.float32), f"most{number}"))
            nodes.append(helper.make_node("Clip", [x, "zero", f"most{number}"], [f"r{number}"]))
            x = f"r{number}"
    stored.append(numpy_helper.from_array(np.array(0, np.float32), "zero"))
    stored.append(numpy_helper.from_array(np.array([2, 3]), "axes"))
    nodes.append(helper.make_node("ReduceMean", [x, "axes"], ["logits"], keepdims=0))
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, SIDE, SIDE])
    asked = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 4])
    graph = helper.make_graph(nodes, "made", [given], [asked], stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def pixels(shape=(3, SIDE, SIDE), seed=2):
    return np.random.default_rng(seed).uniform(0, 255, shape).astype(np.float32)


def test_it_says_what_onnx_runtime_says():
    made, x = network(), pixels()
    session = runtime.open_session(as_onnx(made))
    both = [session.run(["logits"], {"x": way[None]})[0][0] for way in (x, x[:, :, ::-1])]
    np.testing.assert_allclose(made.logits(x), np.mean(both, axis=0), atol=1e-4)
    safe = float(np.exp(both[0][3]) / np.exp(both[0]).sum())
    for clear, expected in ((safe * 0.99, both[0]), (min(1, safe * 1.01), np.mean(both, axis=0))):
        np.testing.assert_allclose(network(clear=clear).logits(x), expected, atol=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_the_gradient_is_the_slope_that_small_steps_find(seed):
    made, x = network(seed), pixels(seed=seed)
    odds, gradient = made.unsafe(x)
    logits = made.logits(x).astype(np.float64)
    assert odds == pytest.approx(np.log(np.exp(logits[:3]).sum()) - logits[3], abs=1e-4)
    dice = np.random.default_rng(seed)
    for _ in range(5):
        way = dice.normal(size=x.shape).astype(np.float32)
        found = (made.unsafe(x + 0.02 * way)[0] - made.unsafe(x - 0.02 * way)[0]) / 0.04
        assert float((gradient * way).sum()) == pytest.approx(found, rel=0.03, abs=2e-4)
    assert np.abs(gradient).max() > 0


@pytest.mark.parametrize("size", [(90, 70), (20, 300), (SIDE, SIDE), (9, 11)])
def test_the_gradient_reaches_the_pixels_of_a_photo_of_any_size(size):
    made, photo_ = network(), pixels((*size, 3))
    _, gradient = photo_network.unsafe_of(made, photo_)
    assert gradient.shape == photo_.shape
    way = np.random.default_rng(4).normal(size=photo_.shape).astype(np.float32)
    odds = [photo_network.unsafe_of(made, photo_ + step * way)[0] for step in (0.05, -0.05)]
    assert float((gradient * way).sum()) == pytest.approx((odds[0] - odds[1]) / 0.1, rel=0.05, abs=2e-4)


@pytest.mark.parametrize("size", [300, 129, 128, 40])
def test_shrinking_is_antialiased_as_the_graph_has_it(size):
    row = pixels((1, size))
    expected = np.asarray(Image.fromarray(row).resize((128, 1), Image.Resampling.BILINEAR))
    np.testing.assert_allclose(row @ photo_network.shrinking(size, 128).T, expected, atol=0.02)


def test_weights_are_read_as_the_onnx_package_reads_them():
    content = as_onnx(network())
    expected = {each.name: numpy_helper.to_array(each) for each in onnx.load_from_string(content).graph.initializer}
    found = photo_network.initializers(content)
    assert set(found) == {name for name, array in expected.items() if array.dtype == np.float32}
    for name, array in found.items():
        np.testing.assert_array_equal(array, expected[name])


def test_weights_in_the_body_of_a_loop_are_read_too():
    stored = [
        numpy_helper.from_array(np.array([1.5, 2], np.float32), "within"),
        numpy_helper.from_array(np.array(1), "n"),
    ]
    step = helper.make_node("Add", ["x", "within"], ["more"])
    keep = helper.make_node("Identity", ["go"], ["on"])
    kinds = {"turn": TensorProto.INT64, "go": TensorProto.BOOL, "x": TensorProto.FLOAT, "on": TensorProto.BOOL}
    told = {name: helper.make_tensor_value_info(name, kind, []) for name, kind in kinds.items()}
    told["more"] = helper.make_tensor_value_info("more", TensorProto.FLOAT, [2])
    body = helper.make_graph(
        [step, keep], "b", [told["turn"], told["go"], told["x"]], [told["on"], told["more"]], stored
    )
    outer = [numpy_helper.from_array(np.array(3, np.float32), "without")]
    loop = helper.make_node("Loop", ["", "", "without"], ["last"], body=body)
    model = helper.make_model(helper.make_graph([loop], "g", [], [told["more"]], outer))
    found = photo_network.initializers(model.SerializeToString())
    assert {name: array.tolist() for name, array in found.items()} == {"without": 3, "within": [1.5, 2]}


def test_the_published_network_is_the_one_that_the_attacker_computes():
    made = photo_network.public()
    entry = manifest.model(manifest.load(), photo.MODEL)
    session = runtime.session(photo.MODEL, photo_network.FULL)
    assert made.layers[0].weight.shape[1] == 3 and made.side == entry["side"]
    plain = Image.fromarray(reads_photos.shirt(np.random.default_rng(3), 150, 120))
    cleared = []
    for image in (plain, *(drawn(policy, 5, (200, 150)) for policy in ("weapons", "tobacco_alcohol", "safe"))):
        rgb = photo.pixels(image, entry["longest_side"])
        scores, _ = session.run(["scores", "heat"], {"rgb": rgb})
        rows, columns = (photo_network.shrinking(size, made.side) for size in rgb.shape[:2])
        x = rows @ rgb.astype(np.float32).transpose(2, 0, 1) @ columns.T
        logits = made.logits(x)
        # Between its layers the file rounds to bytes, and so does the resizing of some versions of ONNX Runtime.
        np.testing.assert_allclose(np.exp(logits) / np.exp(logits).sum(), scores, atol=0.03)
        cleared.append(scores[made.safe] >= made.clear)
    assert cleared[0] and not all(cleared)
