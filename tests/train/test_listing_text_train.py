"""Train, compress and publish listing-text on tiny data: the steps, not the quality."""

import csv
import gzip
import json
import random

import pytest

from models import manifest
from models.__main__ import main
from models.recipes.listing_text import corpus, train
from models.steps import publish
from models.text import check_text

pytestmark = pytest.mark.train

THINGS = {
    "weapons": ["pistol", "rifle", "shotgun", "ammo", "revolver"],
    "drugs": ["cocaine", "heroin", "ketamine", "cannabis", "ecstasy"],
    "safe": ["table", "bicycle", "lamp", "jacket", "camera", "teapot", "guitar", "mirror"],
}
TALK = ["collection only", "good condition", "hardly used", "price as seen", "can post tomorrow", "from a clean home"]


def rows(count, seed):
    rng = random.Random(seed)
    for index in range(count):
        policy = rng.choice(["safe", "safe", "weapons", "drugs"])
        title = (
            f"{rng.choice(['old', 'new', 'nice', 'used'])} {rng.choice(THINGS[policy])} {rng.choice('abcdefgh')}{index}"
        )
        yield [str(index), title, ", ".join(rng.sample(TALK, 2)), policy, f"site{index % 3}"]


def write(path, count, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["id", "title", "description", "policy", "source"], *rows(count, seed)])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A data root and a build folder, trained and compressed with a small recipe."""
    folder = tmp_path_factory.mktemp("train")
    write(folder / "data" / corpus.TRAIN, 400, seed=1)
    write(folder / "data" / publish.DEV, 150, seed=2)
    recipe = train.read_recipe()
    recipe["fit"]["iterations"] = 15
    recipe["views"] |= {"own": 1, "market": 2}
    train.train(folder / "data", folder / "build" / "listing-text", recipe, lambda text: None, measure_left_out=True)
    assert main(["--build", str(folder / "build"), "compress", "listing-text"]) == 0
    return folder


def test_training_writes_tables_thresholds_and_figures(trained):
    report = json.loads((trained / "build" / "listing-text" / "training.json").read_text())
    points = report["operating_points"]
    assert points["unsure"] <= points["warn"] <= points["block"] < 1
    assert report["validation"]["market"]["unsafe_roc_auc"] > 0.95
    assert [found["name"] for found in report["left_out"]] == ["own"]
    assert report["rows"]["market"] > 300


def test_the_whole_chain_publishes_a_model_that_works(trained, tmp_path):
    build, published = trained / "build" / "listing-text", tmp_path / "published"
    publish.publish(
        "listing-text", build, published, trained / "data", without_wasm=True, say=print,
        golden_path=tmp_path / "golden.json",
    )  # fmt: skip
    entry = manifest.load(published)["models"]["listing-text"]
    assert entry["variants"]["int8"]["metrics"]["dev"]["unsafe_roc_auc"] > 0.95
    assert check_text([("title", "old pistol"), ("description", "")], folder=published)["scores"]["safe"] < 0.5
    assert len(json.loads((tmp_path / "golden.json").read_text())["cases"]) >= 60
    card = (published / "listing-text.md").read_text()
    assert "{" not in card.replace("{DIR}", "")
    assert "| int8 |" in card


def test_training_without_data_is_a_plain_message(tmp_path, capsys):
    assert main(["train", "listing-text", "--data", str(tmp_path)]) == 2
    assert "data root" in capsys.readouterr().err
