"""publish refuses what would make things worse, and then leaves what is published alone."""

import json

import numpy as np
import pytest

from models import manifest, patch_check, runtime, sets
from models.steps import classified, compress, publish, training
from models.steps.errors import StepError
from tests.models import tiny
from tests.models.test_command import write

LABELS = publish.recipe.read("listing-text")["labels"]


VARIANTS = ["fp32", "fp16", "int8", "int8-pruned"]


def figures(**aucs):
    return {name: {"unsafe_roc_auc": auc} for name, auc in aucs.items()}


def test_a_variant_that_loses_too_much_is_refused():
    with pytest.raises(StepError, match=r"int8 loses 0.40 points"):
        classified.refuse_accuracy_loss(figures(fp32=0.99, fp16=0.99, int8=0.986), 0.003)


def test_a_small_loss_or_a_gain_is_accepted():
    classified.refuse_accuracy_loss(figures(fp32=0.99, fp16=0.991, int8=0.9871), 0.003)


def test_too_many_bytes_are_refused():
    with pytest.raises(StepError, match="500,001 bytes of 500,000"):
        publish.refuse_size("int8", 500_001, 500_000)
    publish.refuse_size("int8", 500_000, 500_000)


def test_a_difference_between_native_and_wasm_is_refused():
    with pytest.raises(StepError, match=r"differ by 0.0011"):
        publish.refuse_wasm_difference(0.0011, 1e-3, "", without_wasm=True)
    publish.refuse_wasm_difference(1e-6, 1e-3, "", without_wasm=False)


def test_no_comparison_with_wasm_is_refused_unless_asked_for():
    with pytest.raises(StepError, match="no comparison with WASM, node is not installed"):
        publish.refuse_wasm_difference(None, 1e-3, "node is not installed", without_wasm=False)
    publish.refuse_wasm_difference(None, 1e-3, "node is not installed", without_wasm=True)


@pytest.fixture
def build(tmp_path):
    """A build folder whose variants are all the same tiny model, and a data root with a few rows."""
    folder = tmp_path / "build"
    folder.mkdir()
    for name in VARIANTS:
        (folder / f"{name}.onnx").write_bytes(tiny.content())
    points = {"policies": LABELS[:-1], "unsure": 0.2, "warn": 0.5, "block": 0.9, "coverage": 0.3, "evidence_floor": 0.3}
    report = {
        "fit": "t",
        "version": "6",
        "labels": LABELS,
        "operating_points": points,
        "temperatures": [1.0] * len(LABELS),
        "rows": {},
        "validation": {},
        "ordinary": {"rows": 1, "warn": 0.0, "unsure": 0.0, "unsafe_caught": {"warn": 1.0, "unsure": 1.0}},
        "seconds": 1,
        "data": str(tmp_path / "data"),
        "initial": "",
        "failures": [],
        "left_out": [],
    }
    (folder / "training.json").write_text(json.dumps(report))
    (folder / "built.json").write_text(json.dumps({"fit": "t", "variants": VARIANTS}))
    data = tmp_path / "data" / "text"
    data.mkdir(parents=True)
    write(data / "dev.csv.gz")
    return folder


def run(build, tmp_path, aside=None):
    publish.publish(
        "listing-text", build, tmp_path / "published", tmp_path / "data", without_wasm=True, say=lambda text: None,
        golden_folder=tmp_path, aside=aside,
    )  # fmt: skip


def of_version(build, version, content):
    report = json.loads((build / "training.json").read_text())
    (build / "training.json").write_text(json.dumps(report | {"version": version}))
    (build / "int8-pruned.onnx").write_bytes(content)


def test_publishing_replaces_the_old_files_and_names_the_new_ones(build, tmp_path):
    run(build, tmp_path)
    before = manifest.load(tmp_path / "published")["models"]["listing-text"]["variants"]["int8-pruned"]["file"]
    (build / "int8-pruned.onnx").write_bytes(tiny.content("int8"))
    run(build, tmp_path)
    about = manifest.load(tmp_path / "published")["models"]["listing-text"]["variants"]["int8-pruned"]
    assert about["file"] != before
    assert {path.name for path in (tmp_path / "published").glob("*-int8-pruned-*.onnx")} == {about["file"]}
    assert (tmp_path / "listing_text.json").is_file()


def test_what_is_replaced_stays_beside_to_go_back_to(build, tmp_path, monkeypatch):
    monkeypatch.setattr(sets, "ROOT", tmp_path)
    run(build, tmp_path)
    golden = (tmp_path / "published" / "listing-text-golden.json").read_bytes()
    run(build, tmp_path)
    assert sets.names() == [], "the same file replaces nothing"
    of_version(build, "10", tiny.content("int8"))
    run(build, tmp_path)
    [name] = sets.names()
    assert name.startswith("earlier/listing-text-6-")
    assert sets.problem_of(name) == "" and set(sets.named(name).models["listing-text"]["variants"]) == {"int8-pruned"}
    place = sets.folder_of(name)
    assert (place / "listing-text-golden.json").read_bytes() == golden and (place / "listing-text.md").is_file()
    monkeypatch.setattr(publish, "EARLIER_KEPT", 1)
    of_version(build, "11", b"\x32\x0211" + tiny.content("int8"))  # another remark in the file
    run(build, tmp_path)
    assert [name.split("-")[2] for name in sets.names()] == ["10"], "the one before the published one"


def test_aside_leaves_what_is_published_alone_and_makes_a_whole_set(build, tmp_path, monkeypatch):
    monkeypatch.setattr(sets, "ROOT", tmp_path)
    run(build, tmp_path)
    published = {path: path.read_bytes() for path in (tmp_path / "published").iterdir()}
    golden = (tmp_path / "listing_text.json").read_bytes()
    of_version(build, "7", tiny.content("int8"))
    run(build, tmp_path, aside="")
    assert {path: path.read_bytes() for path in (tmp_path / "published").iterdir()} == published
    assert (tmp_path / "listing_text.json").read_bytes() == golden
    [name] = sets.names()
    assert name.startswith("candidates/listing-text-7-") and sets.problem_of(name) == ""
    place = sets.folder_of(name)
    assert patch_check.flips(sets.Release(1, files=sets.named(name).files())) == []
    assert set(sets.named(name).models["listing-text"]["variants"]) == {"int8-pruned"}
    assert len(list(place.glob("*.onnx"))) == 1 and (place / "listing-text.md").is_file()
    entry = sets.named(name).models["listing-text"]
    assert publish.candidate(name, "listing-text", entry, tmp_path / "published") == place, "another model may join it"
    other = entry | {"variants": {"int8-pruned": {"sha256": "0" * 64}}}
    with pytest.raises(StepError, match="Raise the version"):
        publish.candidate("", "listing-text", other, tmp_path / "published")
    publish.refuse_aside("listing-photo", name, tmp_path)
    for wrong, why in (("published", "no name"), ("earlier/listing-text-6-00000000", "no name"),
                       ("candidates/listing-text-9-00000000", "There is no")):  # fmt: skip
        with pytest.raises(StepError, match=why):
            publish.refuse_aside("listing-text", wrong, tmp_path)


@pytest.mark.parametrize("model", ["query-tower", "ranker"])
def test_what_judges_no_listing_cannot_be_put_aside(model, tmp_path):
    with pytest.raises(StepError, match="judges no listing"):
        publish.refuse_aside(model, "", tmp_path)


@pytest.mark.parametrize(("refusal", "value"), [("refuse_size", "bytes"), ("refuse_accuracy_loss", "points of AUC")])
def test_a_refusal_changes_nothing_that_is_published(build, tmp_path, monkeypatch, refusal, value):
    run(build, tmp_path)
    published = tmp_path / "published"
    before = {path.name: path.read_bytes() for path in published.iterdir()}
    (build / "int8-pruned.onnx").write_bytes(tiny.content("int8"))
    settings = publish.recipe.read("listing-text")
    if refusal == "refuse_size":
        settings["limits"]["brotli_bytes"] = 10
    else:
        settings["limits"]["auc_loss"] = -1.0
    monkeypatch.setattr(publish.recipe, "read", lambda model: settings)
    with pytest.raises(StepError, match=value):
        run(build, tmp_path)
    assert {path.name: path.read_bytes() for path in published.iterdir()} == before


def test_a_model_of_other_policies_than_the_markets_is_refused(build, tmp_path):
    report = json.loads((build / "training.json").read_text())
    (build / "training.json").write_text(json.dumps(report | {"labels": ["drugs", "safe"]}))
    with pytest.raises(StepError, match="trained for drugs, safe; the market's policies are adult, counterfeit"):
        run(build, tmp_path)
    assert not (tmp_path / "published").exists()


def test_a_bench_of_another_fit_is_not_published_and_a_stale_one_goes(build, tmp_path):
    bench, target = build / compress.BENCH, tmp_path / "published" / f"listing-text-{compress.BENCH}"
    candidate = {"name": "fp32", "failed": "made up"}
    found = {
        "fit": "t",
        "candidates": [candidate],
        "rows": {"dev": 4},
        "browser": "1",
        "timed": "texts",
        "calibration": [],
    }
    bench.write_text(json.dumps(found))
    run(build, tmp_path)
    assert json.loads(target.read_text()) == found
    bench.write_text(json.dumps(found | {"fit": "another"}))
    run(build, tmp_path)
    assert json.loads(target.read_text()) == found, "what is published is of this fit and stays"
    for path in (bench, target):
        path.write_text(json.dumps(found | {"fit": "another"}))
    run(build, tmp_path)
    assert not target.exists()
    assert "Not measured." in (tmp_path / "published" / "listing-text.md").read_text()


@pytest.mark.parametrize("damage", ["bench", "report"])
def test_what_cannot_be_read_is_refused_before_anything_is_published(build, tmp_path, damage):
    run(build, tmp_path)
    published = tmp_path / "published"
    before = {path.name: path.read_bytes() for path in published.iterdir()}
    (build / "int8-pruned.onnx").write_bytes(tiny.content("int8"))
    if damage == "bench":
        (build / compress.BENCH).write_text("{not json")
    else:
        report = json.loads((build / "training.json").read_text())
        del report["ordinary"]
        (build / "training.json").write_text(json.dumps(report))
    with pytest.raises(StepError, match=r"cannot be read|lacks ordinary: of an older version"):
        run(build, tmp_path)
    assert {path.name: path.read_bytes() for path in published.iterdir()} == before


def test_a_difference_between_native_and_wasm_is_measured_and_refused(build, tmp_path, monkeypatch):
    """The comparison really runs: the limit alone is made impossible."""
    settings = publish.recipe.read("listing-text")
    settings["limits"]["wasm_difference"] = -1.0
    monkeypatch.setattr(publish.recipe, "read", lambda model: settings)
    with pytest.raises(StepError, match="native and WASM differ by"):
        publish.publish("listing-text", build, tmp_path / "published", tmp_path / "data", without_wasm=False,
                        say=lambda text: None, golden_folder=tmp_path)  # fmt: skip
    assert not (tmp_path / "published").exists()


def test_a_variant_too_large_to_commit_is_named_but_not_written(build, tmp_path, monkeypatch):
    monkeypatch.setattr(publish, "COMMITTED_LIMIT", 10)
    run(build, tmp_path)
    entry = manifest.load(tmp_path / "published")["models"]["listing-text"]
    assert [name for name, about in entry["variants"].items() if about["committed"]] == ["int8-pruned"]
    assert [path.name for path in (tmp_path / "published").glob("*.onnx")] == [entry["variants"]["int8-pruned"]["file"]]
    with pytest.raises(manifest.ModelUnavailable, match="not committed, for its size"):
        runtime.variant_bytes("listing-text", "fp32", tmp_path / "published", tmp_path / "nothing")
    (tmp_path / "builds").mkdir()
    build.rename(tmp_path / "builds" / "listing-text")
    assert runtime.variant_bytes("listing-text", "fp32", tmp_path / "published", tmp_path / "builds") == tiny.content()


@pytest.mark.parametrize("built", ['{"fit": "another"}', "{}", "not json", None])
def test_variants_of_another_fit_than_the_thresholds_are_refused(build, tmp_path, built):
    (build / "built.json").unlink()
    if built is not None:
        (build / "built.json").write_text(built)
    with pytest.raises(StepError, match="two fits"):
        run(build, tmp_path)
    assert not (tmp_path / "published").exists()


def test_weights_of_another_fit_than_the_report_are_not_compressed(build):
    np.savez(build / "network.npz", rows=np.arange(3))
    with pytest.raises(StepError, match="two fits"):
        compress.compress("listing-text", build, publish.recipe.read("listing-text"), lambda text: None)


def test_a_variant_that_was_not_built_is_named(build, tmp_path):
    (build / "fp16.onnx").unlink()
    with pytest.raises(StepError, match=r"no fp16.onnx"):
        run(build, tmp_path)


def test_a_fit_is_named_by_its_weights_and_those_of_its_pruned_siblings(tmp_path):
    (tmp_path / "network.npz").write_bytes(b"one")
    names = [training.fit_of(tmp_path)]
    for change in ("network-kept.npz", "network-sparse-50.npz", "network-kept.npz"):
        with (tmp_path / change).open("ab") as file:
            file.write(b"two")
        names.append(training.fit_of(tmp_path))
    (tmp_path / "training.json").write_text("{}")
    assert training.fit_of(tmp_path) == names[-1]
    assert len(set(names)) == len(names)
    with pytest.raises(StepError, match=r"no model\.pt"):
        training.fit_of(tmp_path, "model.pt")
