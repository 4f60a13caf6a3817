"""Train, compress and publish listing-text and its teacher on tiny data: the steps, not the quality."""

import json
import shutil

import numpy as np
import onnx
import pytest
import torch

from models import manifest, patch_check, sets
from models.__main__ import main
from models.contract import pack
from models.recipes.listing_text import corpus, fit, front, student, train
from models.recipes.listing_text.network import whole
from models.recipes.listing_text_cloud import train as cloud
from models.runtime import open_session
from models.steps import compress, publish, training
from models.steps.recipe import read
from models.text import check_text, check_text_in_cloud
from tests.browser import chromium
from tests.train.tiny_market import rows, write, write_decisions

pytestmark = pytest.mark.train
DECIDED = 40


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A data root and a build folder: a teacher after a few steps, a student taught by it, both compressed."""
    folder = tmp_path_factory.mktemp("train")
    data, builds = folder / "data", folder / "build"
    write(data / corpus.TRAIN, 400, seed=1)
    write(data / training.DEV, 150, seed=2)
    write_decisions(data / corpus.DECISIONS / "november.csv.gz", DECIDED)
    small = read("listing-text-cloud")
    small["fit"] |= {"steps": 12, "batch": 16, "steps_left_out": 2}
    small["pruned"] |= {"sparse": [0.5], "steps": 1}
    cloud.train(data, builds / "listing-text-cloud", small, print)
    recipe = read("listing-text")
    recipe["pool"] |= {"texts": 9000, "texts_left_out": 600}
    # A teacher of twelve steps is listened to a little: that it is asked is what matters.
    recipe["fit"] |= {"epochs": 4, "epochs_left_out": 1, "least": 2, "teacher": 0.1}
    recipe["refit"] |= {"epochs": 1, "epochs_others": 1}
    recipe["round"] |= {"epochs": 1}
    recipe["sizes"] |= {"full": 6000, "kept": 3000, "others": [1000], "sparse": [0.5]}
    recipe["network"] |= {"width": 8, "hidden": 16}
    train.train(data, builds / "listing-text", recipe, print, with_left_out=True)
    assert main(["--build", str(builds), "compress", "listing-text"]) == 0
    assert main(["--build", str(builds), "compress", "listing-text-cloud"]) == 0
    return folder


@pytest.fixture
def lenient(monkeypatch):
    """After a few steps a variant may lose much: no matter here, and tested elsewhere."""

    def patient(model):
        settings = read(model)
        settings["limits"]["auc_loss"] = 1.0
        return settings

    monkeypatch.setattr(publish.recipe, "read", patient)


def test_training_writes_weights_thresholds_and_figures(trained):
    build = trained / "build" / "listing-text"
    report = json.loads((build / "training.json").read_text())
    points = report["operating_points"]
    assert points["unsure"] <= points["warn"] <= points["block"] < 1
    assert report["teacher"] is True
    assert len(report["temperatures"]) == len(read("listing-text")["labels"])
    assert report["validation"]["own"]["unsafe_roc_auc"] > 0.5
    assert [found["name"] for found in report["left_out"]] == ["own"]
    assert report["rows"]["market"] == 400
    assert {path.name for path in build.glob("*.npz")} == {
        "network.npz", "network-rounded.npz", "network-kept.npz", "network-kept-1000.npz", "network-sparse-50.npz",
    }  # fmt: skip


def test_moderators_decisions_go_into_both_fits_and_the_report_says_which(trained):
    """Nothing else in the data says "zorbalene": whoever warns of it has it from the decisions."""
    for name in ("listing-text", "listing-text-cloud"):
        report = json.loads((trained / "build" / name / "training.json").read_text())
        assert report["rows"]["decided"] == DECIDED, "a text that was decided twice counts once"
        assert report["decisions"] == {"rows": DECIDED, "first": "2026-11-01", "last": "2026-11-20"}
    session = open_session((trained / "build" / "listing-text" / "fp32.onnx").read_bytes())
    labels = read("listing-text")["labels"]

    def odds(title, description):
        """Logarithm of the odds that it is about drugs."""
        data = pack([("title", title), ("description", description)]).data
        (scores,) = session.run(["scores"], {"bytes": np.frombuffer(data, np.uint8)})
        return np.log(scores[labels.index("drugs")] / (1 - scores[labels.index("drugs")]))

    harmless = [(title, description) for _, title, description, policy, _ in rows(150, 2) if policy == "safe"]
    learned = [odds(f"Zorbalene {title}", words) - odds(f"Zinnia {title}", words) for title, words in harmless]
    assert min(learned) > 1


def test_what_is_pruned_is_smaller_and_what_is_sparse_is_mostly_zero(trained):
    build = trained / "build" / "listing-text"
    rows = {name: len(np.load(build / f"network{name}.npz")["rows"]) for name in ("", "-kept", "-kept-1000")}
    assert rows == {"": 6000, "-kept": 3000, "-kept-1000": 1000}
    assert (np.load(build / "network-sparse-50.npz")["table"] == 0).mean() == pytest.approx(0.5, abs=0.05)


def test_the_rounded_table_holds_whole_steps_and_is_published_as_it_was_trained(trained):
    build = trained / "build" / "listing-text"
    with np.load(build / "network-rounded.npz") as stored:
        table, steps = stored["table"], stored["steps"]
    whole_steps = table / steps
    assert whole_steps == pytest.approx(np.round(whole_steps), abs=1e-3)
    assert 3 < len(np.unique(np.round(whole_steps))) < 60
    model = onnx.load(build / "int8-pruned.onnx")
    stored = {each.name: onnx.numpy_helper.to_array(each) for each in model.graph.initializer}
    assert (stored["table.int8"][1:] == np.round(whole_steps)).all()
    assert stored["table.scale"][0] == pytest.approx(steps)


def test_steps_are_never_too_small_for_int8_nor_none():
    network = student.Network(5, read("listing-text")["network"] | {"width": 4, "hidden": 8}, 10)
    with torch.no_grad():
        columns = torch.tensor([[1.0, 2, 3, 4], [0.5] * 4, [0.0] * 4, [0, 0, 0, 9]])  # spread, equal, empty, an outlier
        network.table[:] = torch.cat([torch.zeros(1, 4), columns.T])
    steps = fit.coarse(network, 0.01, read("listing-text")["network"] | {"width": 4, "hidden": 8}).steps
    assert (steps > 0).all()
    assert (network.table.abs().amax(0) / steps).max() <= 127.01


@pytest.mark.parametrize("coarse", [False, True])
def test_the_graph_says_what_the_network_said(coarse):
    """Trained weights through PyTorch's layers and through ONNX Runtime: one and the same model."""
    options = read("listing-text")["network"] | {"width": 8, "hidden": 16}
    torch.manual_seed(4)
    network = student.Network(201, options, 10).eval()
    with torch.no_grad():
        network.table[0] = 0
    if coarse:
        network = fit.coarse(network, 0.8, options).eval()
    shape = front.Shape(bits=10, known_bits=8)
    rows = np.sort(np.random.default_rng(1).choice(2**10, 200, replace=False))
    heat = np.linspace(0.5, 2, 10).astype(np.float32)
    model = whole(shape, student.parameters(network, rows, np.ones(2**8, bool), heat))
    packed = [
        pack([("title", text), ("description", "")]).data for text in ("", "a", "two pistols, x a n a x", "b " * 90)
    ]
    texts = student.read(open_session(front.front(shape).SerializeToString()), packed)
    lookup = np.zeros(2**10, np.int32)
    lookup[rows] = np.arange(1, 201)
    expected = training.softmax(fit.logits_of(network, texts, lookup) / heat)
    session = open_session(model.SerializeToString())
    for data, row in zip(packed, expected, strict=True):
        (scores,) = session.run(["scores"], {"bytes": np.frombuffer(data, np.uint8)})
        assert scores == pytest.approx(row, abs=1e-5)


def test_a_batch_gives_each_text_what_it_gets_alone():
    session = open_session(front.front(front.Shape(bits=10, known_bits=8)).SerializeToString())
    texts = student.read(session, [b"one pistol\n", b"a much longer text about an oak table and four chairs\n"])
    lookup = np.arange(2**10, dtype=np.int32) % 50
    torch.manual_seed(5)
    network = student.Network(50, read("listing-text")["network"], 10).eval()
    with torch.no_grad():
        together, _ = network(student.batch(texts, np.array([0, 1]), lookup))
        alone = torch.cat([network(student.batch(texts, np.array([n]), lookup))[0] for n in (0, 1)])
    assert together.numpy() == pytest.approx(alone.numpy(), abs=1e-4)


def test_the_whole_chain_publishes_a_model_that_works(trained, tmp_path, lenient):
    build, published = trained / "build" / "listing-text", tmp_path / "published"
    publish.publish(
        "listing-text", build, published, trained / "data", without_wasm=True, say=print,
        golden_folder=tmp_path,
    )  # fmt: skip
    entry = manifest.load(published)["models"]["listing-text"]
    assert entry["published"] == {"device": "int8-pruned"}
    assert entry["variants"]["int8-pruned"]["metrics"]["dev"]["unsafe_roc_auc"] > 0.6
    found = check_text([("title", "old pistol"), ("description", "")], folder=published)
    assert sum(found["scores"].values()) == pytest.approx(1, abs=1e-4)
    assert found["variant"] == "int8-pruned"
    assert len(json.loads((tmp_path / "listing_text.json").read_text())["cases"]) >= 60
    card = (published / "listing-text.md").read_text()
    assert "{" not in card.replace("{DIR}", "")
    assert f"Of moderators' decisions {DECIDED}, from 2026-11-01 to 2026-11-20." in card
    assert "| int8-pruned |" in card


def test_a_model_trained_anew_can_be_tried_beside_the_published_one(trained, tmp_path, lenient, monkeypatch):
    monkeypatch.setattr(sets, "ROOT", tmp_path)
    build = tmp_path / "build"
    shutil.copytree(trained / "build" / "listing-text", build)
    report = json.loads((build / "training.json").read_text())
    (build / "training.json").write_text(json.dumps(report | {"version": "600"}))
    publish.publish(
        "listing-text", build, tmp_path / "published", trained / "data", without_wasm=True, say=print,
        golden_folder=tmp_path, aside="",
    )  # fmt: skip
    assert not (tmp_path / "published").exists()
    [name] = sets.names()
    assert name.startswith("candidates/listing-text-600-") and sets.problem_of(name) == ""
    release = sets.Release(7, files=sets.named(name).files())
    assert patch_check.flips(release) == []
    fields = [("title", "old pistol"), ("description", "")]
    found = check_text(fields, release=release)
    assert found["version"] == "600+p7" and found["scores"] != check_text(fields)["scores"]
    assert "| int8-pruned |" in (sets.folder_of(name) / "listing-text.md").read_text()


def test_the_teacher_is_published_with_its_tokenizer_and_reads_like_its_training(trained, tmp_path, lenient):
    settings = read("listing-text-cloud")
    build, published = trained / "build" / "listing-text-cloud", tmp_path / "published"
    publish.publish("listing-text-cloud", build, published, trained / "data", without_wasm=True, say=print)
    entry = manifest.load(published)["models"]["listing-text-cloud"]
    assert set(entry["files"]) == {"fold", "tokenizer"}
    fields = [("title", "old pistol"), ("description", "")]
    found = check_text_in_cloud(fields, folder=published)["scores"]
    said = cloud.probabilities(build, [("old pistol", "")], settings, print)[0]
    # bfloat16 there, INT8 here.
    assert list(found.values()) == pytest.approx(said.tolist(), abs=0.05)


def test_the_compression_bench_measures_every_way_in_a_browser(trained, monkeypatch):
    build = trained / "build" / "listing-text"
    monkeypatch.setenv("CHROMIUM", chromium.path())
    compress.bench("listing-text", build, read("listing-text"), trained / "data", 60, print, trained / "published")
    found = json.loads((build / compress.BENCH).read_text())
    names = [each["name"] for each in found["candidates"]]
    assert len(set(names)) == len(names) > 25
    assert [each for each in found["candidates"] if "failed" in each] == []
    timed = [each for each in found["candidates"] if not each["name"].startswith("noise")]
    assert all(each["chromium_ms"] > 0 and each["native_ms"] > 0 for each in timed)
    assert found["calibration"]


def test_training_without_data_is_a_plain_message(tmp_path, capsys):
    assert main(["train", "listing-text", "--data", str(tmp_path)]) == 2
    assert "data root" in capsys.readouterr().err
