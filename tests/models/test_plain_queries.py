"""query-tower's short way for plain texts finds what the whole front finds."""

import numpy as np
import onnx
import pytest

from models.recipes.listing_text.front import Shape
from models.recipes.query_tower import plain
from models.recipes.query_tower.network import Parameters, exported
from models.runtime import open_session

SHAPE = Shape(bits=21, known_bits=18)
WORDS = ("oak", "Chair", "small", "vintage", "waterproof", "FOLDING", "a", "I", "of", "18", "1945", "x", "kettle")
PARTS = (" ", "  ", " - ", "-", "/", ", ", " & ", "'", ". ", "_", '"')


def parameters(rows):
    dice = np.random.default_rng(5)
    table = dice.normal(size=(len(rows), 16)).astype(np.float32)
    return Parameters(rows, table, dice.normal(size=(16, 128)).astype(np.float32))


def every_second(bits=21):
    """Half of all ids, none of those that stand for nothing."""
    rows = np.flatnonzero(np.random.default_rng(3).integers(0, 2, 2**bits, np.uint8))
    return np.setdiff1d(rows, list(plain.nothing(bits)))


@pytest.fixture(scope="module")
def ways():
    """The graph as it is; the same with every text sent the long way; and whether a text is plain."""
    model = exported(SHAPE, parameters(every_second()))
    (branch,) = (node for node in model.graph.node if node.op_type == "If")
    test = branch.input[0]
    model.graph.output.append(onnx.helper.make_tensor_value_info(test, onnx.TensorProto.BOOL, []))
    long = onnx.ModelProto()
    long.CopyFrom(model)
    (choice,) = (node for node in long.graph.node if node.op_type == "If")
    by_name = {each.name: each for each in choice.attribute}
    by_name["then_branch"].g.CopyFrom(by_name["else_branch"].g)
    both, always_long = (open_session(each.SerializeToString()) for each in (model, long))

    def run(data):
        feed = {"bytes": np.frombuffer(data or b" ", np.uint8)}
        vector, is_plain = both.run(["vector", test], feed)
        return vector, always_long.run(["vector"], feed)[0], bool(is_plain)

    return run


def drawn(count, letters, most):
    dice = np.random.default_rng(count)
    return ["".join(dice.choice(list(letters), dice.integers(0, most))) for _ in range(count)]


def sentences(count):
    dice = np.random.default_rng(count)
    return [
        "".join(dice.choice(WORDS) + dice.choice(PARTS) for _ in range(dice.integers(1, 6)))[: dice.integers(1, 60)]
        for _ in range(count)
    ]


TEXTS = {
    "each byte of ASCII": [f"{before}{chr(code)}{after}" for code in range(128)
                           for before, after in (("", ""), ("oak", "chair"), ("oak ", " chair"), ("9", "9"))],
    "spelled out": ["x a n a x", "a b", "a b c", "a  b  c", "a b cd", "a 5 b c", "a-b-c", "a b", "i d e a s"],
    "digits beside letters": ["4ft", "ps5", "2x4", "c0c41ne", "h2o", "18in", "a1", "1a", "l33t 5ale", "7-eleven"],
    "numbers": ["1", "12", "123", "1 2 3 4 5 6 7 8 9", "1/2 in", "5-7 chairs", "10.5", "12 - oak", "oak - 12"],
    "joined": ["tea-pot", "tea - pot", "tea -pot", "tea- pot", "tea/pot/lid", "tea_pot", "-tea", "tea-", "a-1"],
    "at the limit": [("oak " * 20)[:size] for size in range(20, 60)] + ["x" * size for size in range(25, 60)]
                    + [" " * size + "oak" for size in range(25, 40)] + ["oak" + " " * size for size in range(25, 40)],
    "other scripts": ["café chair", "фото", "手机", "🚲 bike", "oak\u200bchair", "ＯＡＫ", "women’s"],
    "words": sentences(1500),
    "letters, digits and signs": drawn(1500, "abcdeXYZ  019-./,'$!@|*", 46),
    "few letters": drawn(1500, "abz  0-", 14),
}  # fmt: skip


@pytest.mark.parametrize("kind", TEXTS)
def test_both_ways_give_the_same_vector(ways, kind):
    for text in TEXTS[kind]:
        found, expected, _ = ways(text.encode())
        np.testing.assert_allclose(found, expected, atol=2e-6, err_msg=repr(text))


@pytest.mark.parametrize(
    "text",
    ["used oak chair", "18 inch Kettle", "a", "", "1945", "1/2 in bolt", "chair, white; 'new"[:12], "x" * 32,
     "oak - chair", "size L or M", "12.5 volt"],
)  # fmt: skip
def test_plain_texts_go_the_short_way(ways, text):
    assert ways(text.encode())[2]


@pytest.mark.parametrize(
    "text",
    ["c0caine", "ps5", "tea-pot", "x a n a x", "women's", "café", "a$ale", "x" * 33, " " * 33, "oak" * 40, "фото"],
)
def test_what_a_rule_may_change_goes_the_long_way(ways, text):
    assert not ways(text.encode())[2]


def test_where_an_id_that_stands_for_nothing_is_kept_there_is_no_short_way():
    rows = np.sort(np.array([*plain.nothing(21), 77, 1_500_000]))
    model = exported(SHAPE, parameters(rows))
    assert not [node for node in model.graph.node if node.op_type == "If"]
    (vector,) = open_session(model.SerializeToString()).run(["vector"], {"bytes": np.frombuffer(b"oak", np.uint8)})
    assert vector.shape == (128,)
    assert np.isfinite(vector).all()
