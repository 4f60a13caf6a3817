"""The graph itself: what it folds, and that its evidence is exact."""

import numpy as np
import pytest

from models import contract, languages
from models.recipes.listing_text import folding
from models.recipes.listing_text.front import fold, front
from models.recipes.listing_text.network import EVIDENT, whole
from models.runtime import open_session
from models.steps.golden_cases import cases, text_of
from tests.models import tiny

FRONT = open_session(front(tiny.SHAPE).SerializeToString())
FOLD = open_session(fold().SerializeToString())
WHOLE = {kind: tiny.session(kind) for kind in tiny.STORED}
NAMES = ("scores", "evidence", "coverage")


def words(text):
    """Ids of the text's words."""
    data = np.frombuffer(contract.pack([("title", text)]).data, np.uint8)
    ids, kinds = FRONT.run(["ids", "kinds"], {"bytes": data})
    return set(ids[kinds >= 1].tolist())


def folded(text):
    data = np.frombuffer(contract.pack([("title", text)]).data, np.uint8)
    return "".join(map(chr, FOLD.run(["symbols"], {"bytes": data})[0])).strip()


@pytest.mark.parametrize(
    ("plain", "disguised"),
    [
        ("cocaine", "COCAINE"),
        ("cocaine", "c0c41ne"),
        ("cocaine", "с\u043eсаіnе"),
        ("cocaine", "co\u200bca\u00adi\u2060ne"),
        ("cocaine", "ｃｏｃａｉｎｅ"),
        ("cocaine", "𝐜𝐨𝐜𝐚𝐢𝐧𝐞"),
        ("cocaine", "c.o.c.a.i.n.e"),
        ("cocaine", "c o c a i n e"),
        ("cocaine", "🅲🅾🅲🅰🅸🅽🅴"),
        ("pistol", "🇵🇮🇸🇹🇴🇱"),
        ("pistol", "ꓑꓲꓢꓔꓳꓡ"),
        ("pistol", "pi$tol"),
        ("shit", "$h1t"),
        ("adderall", "@dderall"),
        ("cafe", "café"),
        ("cafe", "cafe\u0301"),
        ("dont", "don't"),
    ],
)
def test_a_disguised_word_is_the_same_word(plain, disguised):
    assert words(disguised) == words(plain)
    assert len(words(plain)) == 1


@pytest.mark.parametrize("parted", ["co-caine", "co.caine", "co_caine"])
def test_a_word_parted_by_a_sign_is_also_read_as_one(parted):
    assert words("cocaine") < words(parted)


def test_numbers_stay_numbers():
    assert words("2 x 4 m") != words("2 x a m")
    assert words("1234 42") == set()


def test_a_pictograph_is_a_word_of_its_own():
    assert words("🔫cocaine🔫") == words("cocaine") | words("🔫")
    assert len(words("🔫")) == 1


@pytest.mark.parametrize("name", list(cases()))
def test_without_biases_the_evidence_sums_to_the_difference_of_the_logits(name):
    """Then the network is homogeneous, and a vector times the gradient gives the whole of it back."""
    bare = tiny.without_biases()
    packed = contract.pack([(field, text_of(text)) for field, text in cases()[name]])
    for begin, end in contract.windows(packed, 512)[:2]:
        window = np.frombuffer(packed.data[begin:end], np.uint8)
        scores, evidence, coverage = bare.run(NAMES, {"bytes": window})
        assert evidence.shape == (end - begin, tiny.WIDTH)
        policy = int(scores[:-1].argmax())
        difference = np.log(scores[policy].astype(np.float64)) - np.log(scores[-1].astype(np.float64))
        assert evidence[:, policy].sum(dtype=np.float64) == pytest.approx(difference, abs=1e-3)
        assert np.abs(np.delete(evidence, policy, axis=1)).max(initial=0) == 0
        assert 0 <= coverage <= 1


@pytest.mark.parametrize("kind", ["fp16", "int8"])
def test_smaller_variants_say_nearly_the_same(kind):
    for text in ("two pistols and a bike", "x a n a x", "🔫 co-caine"):
        full, small = (tiny.run(WHOLE[name], text) for name in ("fp32", kind))
        assert small[0] == pytest.approx(full[0], abs=0.02)
        assert small[1] == pytest.approx(full[1], abs=0.2)
        assert small[2] == full[2]


def test_evidence_lies_on_the_words_only():
    _, evidence, _ = tiny.run(WHOLE["fp32"], "ab -- cd")
    assert np.abs(evidence[[2, 3, 4, 5, 8]]).max() == 0
    assert np.abs(evidence[[0, 1, 6, 7]]).max() > 0


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("x a n a x", "xanax"),
        ("a b", "a b"),
        ("I a m", "iam"),
        ("b-e-d and gl0ck", "bed and glock"),
        ("$old @ 5 pm!!", "sold 5 pm"),
        ("f**k c*t *", "f**k c*t"),
        ("100% w00l", "100 wool"),
    ],
)
def test_folding_undoes_what_hides_words(typed, read):
    assert folded(typed) == read


def test_a_rule_is_written_out_for_every_combination_of_classes():
    table = folding.rule(3, 2, lambda window: window[0] * 10 + window[1])
    assert table.tolist() == [0, 1, 2, 10, 11, 12, 20, 21, 22]


def test_every_block_of_code_points_has_a_symbol_in_range():
    add, modulus, tabled = folding.blocks()
    top = add + modulus - 1
    assert top[tabled].max() == len(folding.symbols()) - 1
    assert top[~tabled].max() < folding.SYMBOLS


def test_text_without_letters_is_covered_by_nothing():
    assert tiny.run(WHOLE["fp32"], "123 !!!")[2] == 0
    assert tiny.run(WHOLE["fp32"], "")[2] == 0


def test_malformed_bytes_do_not_fail():
    rng = np.random.default_rng(1)
    for size in (1, 2, 3, 50):
        scores, _, _ = WHOLE["fp32"].run(NAMES, {"bytes": rng.integers(0, 256, size).astype(np.uint8)})
        assert np.isfinite(scores).all()


def test_what_is_plainly_harmless_has_no_evidence_and_a_hint_of_doubt_has():
    text, found = "Oak table and a chair", tiny.parameters()
    found.biases["logits"] = np.zeros(tiny.WIDTH, np.float32)
    scores, _, _ = tiny.run(open_session(whole(tiny.SHAPE, found).SerializeToString()), text)
    odds = np.log((1 - scores[-1]) / scores[-1])
    for lift, told in ((odds - np.log(0.008), False), (odds - np.log(0.012), True)):
        found.biases["logits"] = np.array([0.0] * (tiny.WIDTH - 1) + [lift], np.float32)
        scores, evidence, _ = tiny.run(open_session(whole(tiny.SHAPE, found).SerializeToString()), text)
        assert abs(1 - scores[-1] - EVIDENT) < 0.003
        assert (1 - scores[-1] >= EVIDENT) == told
        assert evidence.shape == (len(contract.pack([("title", text)]).data), tiny.WIDTH)
        assert evidence.any() == told


def test_more_than_two_different_words_of_another_language_lower_the_coverage():
    def covered(text):
        return float(tiny.run(WHOLE["fp32"], text)[2])

    # None of these shares its place in the tiny word list with another one of either language.
    english, foreign = ["oak", "bench", "vase", "lamp"], ["avec", "sehr", "niet", "uzywany"]
    for count in range(5):
        read = [*english, *foreign[:count], *foreign[:count]]
        alone = [covered(word) for word in read]
        letters = list(map(len, read))
        share = sum(np.multiply(alone, letters)) / sum(letters)
        assert covered(" ".join(read)) == pytest.approx(languages.readable(share, read), abs=1e-6)
