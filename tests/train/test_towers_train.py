"""Train, compress, publish and measure the towers on tiny data: the steps, not the quality."""

import copy
import json

import numpy as np
import pytest
import torch

from models import __main__ as command
from models import manifest, runtime, towers, wordpieces
from models.recipes.item_tower import data, features, sentences
from models.recipes.item_tower import train as item_train
from models.recipes.query_tower import train as query_train
from models.recipes.user_tower import histories
from models.recipes.user_tower import train as user_train
from models.recipes.user_tower.network import Network
from models.steps import compress, publish, reads_towers, recipe
from models.steps.errors import StepError
from models.towers import ItemText
from tests.train.tiny_catalogue import write

pytestmark = pytest.mark.train

SMALL = {
    towers.ITEM: {
        "network": {"rows": 600},
        "fit": {
            "steps": 120,
            "lists": 16,
            "list_size": 6,
            "clicked": 8,
            "parts": 32,
            "told": 90,
            "told_batch": 16,
            "broad": 40,
        },
    },
    towers.QUERY: {
        "network": {"rows": 400, "width": 32},
        "fit": {"steps": 60, "rounded": 30, "lists": 8, "list_size": 6, "parts": 16, "told_batch": 8},
    },
    towers.USER: {"fit": {"epochs": 2, "batch": 32}},
}
READ = recipe.read


def small(model):
    found = copy.deepcopy(READ(model))
    for section, changed in SMALL[model].items():
        found[section] |= changed
    # Figures on thirty queries jump by whole queries.
    found["limits"]["relative_loss"] = 0.2
    return found


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A data root, and a build folder with all three towers, trained and compressed."""
    folder = tmp_path_factory.mktemp("towers")
    write(folder / "data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipe, "read", small)
        patch.setattr(runtime, "BUILD", folder / "build")
        patch.setattr(reads_towers, "VECTORS", folder / "build" / towers.ITEM)
        for model, module in ((towers.ITEM, item_train), (towers.QUERY, query_train), (towers.USER, user_train)):
            module.train(folder / "data", folder / "build" / model, small(model), lambda text: None)
            compress.compress(model, folder / "build" / model, small(model), lambda text: None)
        yield folder


def test_the_graph_of_the_item_tower_says_what_the_network_says(trained):
    network, kept = item_train.load(trained / "build" / towers.ITEM, small(towers.ITEM))
    settings, files = small(towers.ITEM), compress.exporting(towers.ITEM).files()
    items = [ItemText("Red teapot", "", "Holds a litre"), ItemText("A ladder nobody knows, 3 m", "Tools", "")]
    deep = sentences.embedded(wordpieces.reader(files), [towers.packed_item(i, 512).tobytes() for i in items], 48)
    read = features.read([item.title.encode() for item in items], item_train.Shape(**settings["shape"]))
    bag = features.bags(read, kept, settings["shape"]["bits"], grams=True)
    with torch.no_grad():
        expected = network.items(bag.of(np.arange(2)), torch.from_numpy(deep)).numpy()
    session = runtime.open_session((trained / "build" / towers.ITEM / "fp32.onnx").read_bytes())
    found = towers.items_encoder(session, wordpieces.reader(files), settings)(items)
    # Training reads MiniLM in bfloat16.
    np.testing.assert_allclose(found, expected, atol=2e-2)


def test_the_graph_of_the_query_tower_says_what_the_network_says(trained):
    settings = small(towers.QUERY)
    with np.load(trained / "build" / towers.QUERY / "network.npz") as stored:
        network = query_train.Network(stored["table"], stored["up"], 0.0).eval()
        kept = stored["rows"]
    texts = ["red teapot", "teapots", "x", "blue  drill, crowdflower"]
    read = features.read([text.encode() for text in texts], query_train.Shape(**settings["shape"]))
    bag = features.bags(read, kept, settings["shape"]["bits"], grams=True)
    with torch.no_grad():
        expected = network(bag.of(np.arange(len(texts)))).numpy()
    session = runtime.open_session((trained / "build" / towers.QUERY / "fp32.onnx").read_bytes())
    np.testing.assert_allclose(towers.queries_encoder(session, settings)(texts), expected, atol=1e-4)


def test_the_graph_of_the_user_tower_says_what_the_network_says(trained):
    settings = small(towers.USER)
    network = Network(settings["events"], settings["network"])
    state = user_train.load(trained / "build" / towers.USER)
    network.load_state_dict({name: torch.from_numpy(value) for name, value in state.items()})
    session = runtime.open_session((trained / "build" / towers.USER / "fp32.onnx").read_bytes())
    for _, feed in reads_towers.golden_histories(settings["events"]):
        batch = [torch.from_numpy(feed[name])[None] for name in ("vectors", "kinds", "ages")]
        there = torch.ones(1, len(feed["kinds"]), dtype=torch.bool)
        with torch.no_grad():
            expected = network(*batch, there)[0].numpy()
        np.testing.assert_allclose(session.run(["interests"], feed)[0], expected, atol=1e-5)


def test_padding_changes_nothing(trained):
    found = histories.Histories(
        np.eye(128, dtype=np.float32)[:5],
        np.zeros((0, 128), np.float32),
        [([(1, 0)], 1), ([(1, 2), (1, 3), (1, 4)], 0)],
    )
    network = Network(8, small(towers.USER)["network"])
    with torch.no_grad():
        alone = network(*user_train.padded(found, [0], 8))
        beside = network(*user_train.padded(found, [0, 1], 8))
    np.testing.assert_allclose(beside[0].numpy(), alone[0].numpy(), atol=1e-6)


def test_they_are_published_measured_and_listed(trained, capsys, tmp_path):
    published, build = trained / "published", trained / "build"
    for model in (towers.ITEM, towers.QUERY, towers.USER):
        publish.publish(model, build / model, published, trained / "data", without_wasm=False, say=lambda text: None,
                        golden_folder=tmp_path)  # fmt: skip
    entries = manifest.load(published)["models"]
    assert {entry["space"] for entry in entries.values()} == {small(towers.ITEM)["space"]}
    browser = manifest.browser_subset(manifest.load(published))["models"]
    assert set(browser) == {towers.QUERY, towers.USER}
    assert browser[towers.QUERY]["space"] == entries[towers.ITEM]["space"]
    assert {path.name for path in tmp_path.iterdir()} == {"query_tower.json", "user_tower.json"}
    capsys.readouterr()
    folder = trained / "data" / "retrieval" / "crowdflower" / "dev"
    asked = ["evaluate", towers.QUERY, "--variant", "device", "--data", str(folder), "--json"]
    assert command.main(["--published", str(published), "--build", str(build), *asked]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["queries"] == 30
    assert said["ndcg_at_10"] == pytest.approx(
        entries[towers.QUERY]["variants"]["int8"]["metrics"]["crowdflower"]["ndcg_at_10"]
    )
    # Sixty products, queries that name one of them: the training must have taught something.
    assert said["ndcg_at_10"] > 0.5


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(StepError, match=r"queries\.csv cannot be read"):
        data.catalogues(tmp_path)
    with pytest.raises(StepError, match=r"no network\.pt"):
        item_train.load(tmp_path, small(towers.ITEM))
