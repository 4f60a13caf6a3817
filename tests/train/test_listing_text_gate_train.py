"""Train and compress listing-text-gate on tiny data: the steps, not the quality."""

import json

import numpy as np
import pytest

from models import runtime, wordpieces
from models.contract import pack
from models.recipes.listing_text import corpus
from models.recipes.listing_text_gate import export, train
from models.steps import compress
from models.steps.errors import StepError
from models.steps.recipe import read
from tests.train.tiny_market import write

pytestmark = pytest.mark.train


def small_recipe():
    recipe = read("listing-text-gate")
    recipe["network"] |= {"width": 16, "pairs": 2048, "hidden": 16}
    recipe["pool"] |= {"texts": 3000, "texts_left_out": 500}
    # One look, at the end: our own validation listings say little of a model that met a dozen things.
    recipe["fit"] |= {"epochs": 4, "batch": 64, "rate": 1e-2, "looks": 0.1}
    recipe["data"]["held_out"] = 0.2
    return recipe


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A data root and a build folder, trained and compressed with a small recipe. There is no dev in the data root."""
    folder = tmp_path_factory.mktemp("gate")
    write(folder / "data" / corpus.TRAIN, 400, seed=1)
    build = folder / "build" / "listing-text-gate"
    train.train(folder / "data", build, small_recipe(), lambda text: None, with_left_out=True)
    compress.compress("listing-text-gate", build, small_recipe(), lambda text: None)
    return folder


def test_training_writes_weights_thresholds_and_figures(trained):
    build = trained / "build" / "listing-text-gate"
    report = json.loads((build / "training.json").read_text())
    points = report["operating_points"]
    assert points["unsure"] <= points["warn"] <= points["block"] < 1
    assert {"plain", "euphemism", "obfuscated"} < set(report["validation"]["own"])
    assert report["validation"]["market, held out"]["unsafe_roc_auc"] > 0.85
    assert [found["name"] for found in report["left_out"]] == ["own"]
    assert 250 < report["rows"]["market"] < 400
    assert report["seed"] == small_recipe()["seed"]
    assert (build / "model.pt").is_file()


def test_both_variants_run_by_the_scorer_of_the_cloud_model(trained):
    from models.recipes.listing_text_gate import export

    build, recipe = trained / "build" / "listing-text-gate", small_recipe()
    reader = wordpieces.reader(export.files())
    for kind in ("fp32", "int8"):
        session = runtime.open_session((build / f"{kind}.onnx").read_bytes())
        score = wordpieces.scorer(session, reader, recipe)
        ((found, coverage),) = score(pack([("title", "old pistol"), ("description", "")]))
        ((harmless, _),) = score(pack([("title", "nice teapot"), ("description", "")]))
        assert list(found) == recipe["labels"]
        assert found["safe"] < harmless["safe"]
        assert coverage == 1
        assert len(score(pack([("title", ""), ("description", "oak table " * 200)]))) > 1


def test_the_exported_graph_says_what_the_trained_network_says(trained):
    build, recipe = trained / "build" / "listing-text-gate", small_recipe()
    own = train.checked(corpus.validation()[:60], train.reader(), recipe["window_pieces"])
    network, heat = train.load(build, recipe), np.ones(len(recipe["labels"]), np.float32)
    session = runtime.open_session(export.exported(export.named(network.state_dict()), heat).SerializeToString())
    logits = train.logits_of(network, own.windows)
    expected = np.exp(logits - logits.max(1, keepdims=True))
    found = session.run(["scores"], wordpieces.batch(own.windows))[0]
    assert np.abs(found - expected / expected.sum(1, keepdims=True)).max() < 1e-5


def test_a_recipe_of_another_shape_is_a_plain_message(trained):
    recipe = small_recipe()
    recipe["network"]["hidden"] = 8
    with pytest.raises(StepError, match="differ in shape"):
        train.load(trained / "build" / "listing-text-gate", recipe)


def test_rows_held_out_are_never_learned(trained):
    examples = corpus.gather(trained / "data", small_recipe())
    learned, held = train.apart(examples, 0.2)
    assert {e.group for e in held} == {"market"}
    assert not {(e.title, e.description) for e in learned if e.group == "market"} & {
        (e.title, e.description) for e in held
    }


def test_training_without_data_is_a_plain_message(tmp_path):
    with pytest.raises(StepError, match="data root"):
        train.train(tmp_path, tmp_path / "build", small_recipe(), lambda text: None)
