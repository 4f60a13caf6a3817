"""A patch as a file, and fitting one: what it learns, what it must leave alone, what is refused."""

import numpy as np
import pytest

from models import manifest, patch, patch_check, patch_fit, runtime, text
from models.patch import Patch, PatchError
from models.sets import Release
from tests.models.decided import HARMLESS, PARAPHRASES, REJECTED, fields_of

LABELS = 10


def some_patch(**changes):
    values = {"ids": np.array([5, 700_000], np.int32), "rows": np.full((2, LABELS), 3, np.int8), "scale": 0.25}
    return Patch(**(values | changes))


@pytest.fixture(scope="module")
def fitted():
    examples = [patch_fit.Example(fields, "drugs") for fields in map(fields_of, REJECTED)]
    anchors = [patch_check.golden_fields(answer) for answer in patch_check.golden()]
    return patch_fit.fit(examples, [*anchors, *map(fields_of, HARMLESS[:10])])


def warned(all_fields, release=None):
    return sum(text.check_text(fields, release=release)["decision"] in ("warn", "block") for fields in all_fields)


def test_a_patch_reads_as_it_was_written():
    made = some_patch()
    found = patch.read(patch.written(made), LABELS)
    assert (found.ids == made.ids).all() and (found.rows == made.rows).all() and found.scale == made.scale


@pytest.mark.parametrize("cut", [0, 1, 20, -1])
def test_a_damaged_patch_is_refused_in_a_sentence(cut):
    content = patch.written(some_patch())
    with pytest.raises(PatchError, match="damaged"):
        patch.read(content[:cut], LABELS)


def test_a_patch_with_another_byte_anywhere_never_brings_the_reader_down():
    content = patch.written(some_patch())
    for at in range(len(content)):
        changed = content[:at] + bytes([content[at] ^ 255]) + content[at + 1 :]
        try:
            found = patch.read(changed, LABELS)
        except PatchError:
            continue
        assert patch.written(found) == changed, "what is read is a whole patch"


@pytest.mark.parametrize(
    "changes",
    [
        {"ids": np.array([700_000, 5], np.int32)},
        {"ids": np.array([5, 5 + patch.SLOTS], np.int32)},
        {"scale": float("nan")},
        {"scale": 1.0},  # 128 logits: sums of such run out of what float32 holds, and none of them is a decision
        {"ids": np.zeros(0, np.int32), "rows": np.zeros((0, LABELS), np.int8)},
        {"ids": np.arange(2_000, dtype=np.int32), "rows": np.ones((2_000, LABELS), np.int8)},
    ],
)
def test_what_would_not_work_is_not_written(changes):
    with pytest.raises(PatchError):
        patch.written(some_patch(**changes))


def test_a_file_that_ends_otherwise_takes_no_patch():
    with pytest.raises(PatchError, match="takes no patch"):
        patch.patched(b"some other model", patch.written(some_patch()), LABELS)


def test_a_release_without_a_patch_answers_to_the_last_bit_as_the_published_model():
    fields = fields_of(REJECTED[0])
    points = manifest.model(manifest.load(), text.MODEL)["operating_points"]
    alone, released = text.check_text(fields), text.check_text(fields, release=Release(7, points=points))
    assert (alone["version"], released["version"]) == (alone["version"], f"{alone['version']}+p7")
    assert released["scores"] == alone["scores"] and released["evidence"] == alone["evidence"]


def test_a_damaged_patch_makes_the_model_unavailable_not_wrong():
    with pytest.raises(manifest.ModelUnavailable, match="damaged"):
        text.check_text(fields_of(REJECTED[0]), release=Release(7, b"no patch"))


def test_decisions_are_learned_and_paraphrases_by_another_pen_are_caught(fitted):
    release = Release(1, fitted.content)
    assert fitted.caught >= 18 > fitted.before
    assert len(fitted.content) <= patch.BYTES
    before, after = (warned(map(fields_of, PARAPHRASES), each) for each in (None, release))
    assert after >= before + 6, (before, after)


def test_harmless_texts_that_it_never_saw_are_left_alone(fitted):
    release = Release(1, fitted.content)
    unseen = [fields_of(each) for each in HARMLESS[10:]]
    assert warned(unseen, release) == warned(unseen)
    assert fitted.moved <= patch_fit.MOVED
    assert patch_check.flips(release) == []


def test_the_evidence_names_the_learned_words(fitted):
    told = text.check_text(
        [("title", "Three tanks of nitrous"), ("description", "")], release=Release(1, fitted.content)
    )
    assert told["policy"] == "drugs"
    heaviest = max(told["evidence"], key=lambda span: span["weight"])
    assert "Three tanks of nitrous"[heaviest["start"] : heaviest["end"]] == "nitrous"


def test_a_false_alarm_is_unlearned():
    titles = [
        f"Water pistol, {word}" for word in ("blue", "green", "for the beach", "two pieces", "with a tank", "red")
    ]
    examples = [patch_fit.Example([("title", title), ("description", "")], "safe") for title in titles]
    wrong = [example for example in examples if text.check_text(example.fields)["decision"] != "pass"]
    assert len(wrong) >= patch_fit.LEAST_EXAMPLES, "else this test tells nothing"
    made = patch_fit.fit(examples, [fields_of(each) for each in HARMLESS])
    assert made.caught > made.before


def test_words_of_a_golden_text_cannot_be_taught_as_harmless():
    """Poison: cocaine approved again and again. The golden texts are anchors, and are held against it besides."""
    titles = [f"Cocaine, {word}" for word in ("pure", "5 grams", "fresh", "washed", "from Peru", "a lot of it")]
    examples = [patch_fit.Example([("title", title), ("description", "")], "safe") for title in titles]
    golden = [patch_check.golden_fields(answer) for answer in patch_check.golden()]
    try:
        made = patch_fit.fit(examples, golden)
    except PatchError:
        return
    told = text.check_text([("title", "Cocaine, 5 grams, pure"), ("description", "")], release=Release(1, made.content))
    assert told["decision"] == "block"


def test_a_patch_that_flips_a_golden_text_is_found():
    reader = patch_fit.Reader()
    (window,) = reader.windows([("title", "Cocaine, 5 grams, pure"), ("description", "")])
    ids = np.array(sorted({int(number) % patch.SLOTS: int(number) for number in window.ids}.values()), np.int32)
    rows = np.zeros((len(ids), LABELS), np.int8)
    rows[:, reader.labels.index("safe")] = 127
    flips = patch_check.flips(Release(1, patch.written(Patch(ids, rows, 0.01))))
    assert "plain drugs" in {flip.name for flip in flips}


def test_too_few_mistakes_and_strange_labels_are_refused():
    right = patch_fit.Example([("title", "Cocaine, 5 grams, pure"), ("description", "")], "drugs")
    with pytest.raises(PatchError, match="gets only 0"):
        patch_fit.fit([right] * 5, [])
    with pytest.raises(PatchError, match="knows no policy"):
        patch_fit.fit([patch_fit.Example(right.fields, "parking")], [])


def test_texts_that_say_what_harmless_ones_say_teach_nothing():
    same = [fields_of(each) for each in HARMLESS[:8]]
    with pytest.raises(PatchError):
        patch_fit.fit([patch_fit.Example(fields, "drugs") for fields in same], same)


def test_few_patched_sessions_are_kept():
    ids = np.array([1], np.int32)
    for weight in range(1, runtime.PATCHED + 3):
        rows = np.full((1, LABELS), weight, np.int8)
        text.check_text(fields_of(HARMLESS[0]), release=Release(weight, patch.written(Patch(ids, rows, 0.1))))
    assert len(runtime._patched) == runtime.PATCHED
