"""The cloud model as a graph says what the network says, wide part and all; published weights can be gone on from."""

import numpy as np
import pytest
import torch

from models import manifest, scoring, wordpieces
from models.contract import pack
from models.recipes.listing_text.corpus import Example
from models.recipes.listing_text.mixture import Mixture
from models.recipes.listing_text_cloud import backbone, export, resume, train, wide
from models.runtime import open_session
from models.steps.recipe import read

pytestmark = pytest.mark.train
RECIPE = read("listing-text-cloud")
LABELS = len(RECIPE["labels"])
HEAT = np.linspace(0.7, 1.6, LABELS).astype(np.float32)
ROWS = [[], [7592], [7592, 2088], [999] * 40, list(range(2000, 2096))]


@pytest.fixture(scope="module")
def network():
    """The sentence model with random numbers where it begins silent."""
    torch.manual_seed(3)
    made = backbone.pretrained(LABELS, RECIPE["network"] | {"pairs": 512})
    with torch.no_grad():
        for each in (made.head, made.wide.single, made.wide.pairs):
            each.weight.normal_(0, 0.3)
    return made.eval()


def by_torch(network, rows, heat=HEAT):
    made = wordpieces.batch(rows)
    with torch.no_grad():
        logits = network(torch.from_numpy(made["input_ids"]), torch.from_numpy(made["attention_mask"]))
    return (logits / torch.from_numpy(heat)).softmax(1).numpy()


def test_the_graph_is_the_network_for_each_row_alone_and_for_all(network):
    full = export.exported(export.named(network.state_dict(), HEAT))
    session = open_session(full.SerializeToString())
    together = session.run(["scores"], wordpieces.batch(ROWS))[0]
    for index, row in enumerate(ROWS):
        alone = session.run(["scores"], wordpieces.batch([row]))[0][0]
        assert alone == pytest.approx(by_torch(network, [row])[0], abs=2e-5)
        assert together[index] == pytest.approx(alone, abs=2e-5)
    near = open_session(export.int8(full).SerializeToString()).run(["scores"], wordpieces.batch(ROWS))[0]
    assert np.abs(near - together).mean() < 0.05  # a head of random numbers makes the most of every rounding


def test_the_wide_part_hears_which_of_two_neighbours_comes_first(network):
    ids = torch.tensor([[7592, 2088], [2088, 7592]])
    found = network.wide(ids, torch.ones(2, 2))
    assert (found[0] - found[1]).abs().max() > 1e-3
    with torch.no_grad():
        alone = network.wide(ids[:1], torch.tensor([[1.0, 0.0]]))[0]
    assert torch.equal(alone, network.wide.single.weight[7592])


def test_the_wide_part_is_fitted_to_what_it_reads_itself():
    made = wide.Wide(30_522, 3, 512)
    rows = [[7592, 2088], [2088, 7592, 7592], [999] * 5, [2000, 2001, 999], [7592]]
    label, weight, ridge = np.array([0, 1, 2, 2, 0]), np.array([1, 1, 2, 1, 1], np.float32), 0.1
    assert wide.fit(made, rows, label, weight, ridge) < 1e-3
    made.requires_grad_(True)

    inputs = {name: torch.from_numpy(value) for name, value in wordpieces.batch(rows).items()}
    logits = made(inputs["input_ids"], inputs["attention_mask"].float())
    assert logits.argmax(1).tolist() == label.tolist()
    error = torch.nn.functional.cross_entropy(logits, torch.from_numpy(label), reduction="none")
    squares = sum(table.weight.square().sum() for table in (made.single, made.pairs))
    loss = (error * torch.from_numpy(weight)).sum() + ridge / 2 * squares
    loss.backward()
    for each in made.parameters():  # the bottom of the valley, as the network's own arithmetic sees it
        assert each.grad.abs().max() < 1e-3

    half = wide.Wide(30_522, 3, 512)
    wide.fit(half, rows, label, weight, ridge, share=0.5)
    with torch.no_grad():
        found = half(inputs["input_ids"], inputs["attention_mask"].float())
    assert found.numpy() == pytest.approx(0.5 * logits.detach().numpy(), abs=1e-4)


def test_going_on_begins_without_the_wide_part_and_adds_it_once():
    torch.manual_seed(3)
    made = backbone.pretrained(LABELS, RECIPE["network"] | {"pairs": 512})
    examples = [Example("cocaine by post", "", "drugs", "a", "own"), Example("oak table", "", "safe", "a", "own")]
    found = []
    for _ in range(2):
        made.wide.silence()
        assert not any(each.any() for each in made.wide.parameters())
        train.add_wide(made, examples, train.mixture_of(examples, RECIPE), train.reader(), RECIPE, print)
        found.append(by_torch(made.eval(), [[7592, 2088]]))
    assert found[0] == pytest.approx(found[1], abs=1e-6)


def test_listings_of_the_market_and_of_our_own_fit_the_wide_part_and_no_others():
    examples = [
        Example("cocaine by post", "", "drugs", "a", "market"), Example("oak table", "", "safe", "a", "market"),
        Example("cocaine in a book", "", "drugs", "own", "own"), Example("lino cutter", "", "safe", "x", "harmless"),
    ]  # fmt: skip
    torch.manual_seed(3)
    made = backbone.pretrained(LABELS, RECIPE["network"] | {"pairs": 512})
    read, goods = train.reader(), Mixture(examples, [], [], RECIPE["mixture"], 1)
    as_written = RECIPE | {"wide": RECIPE["wide"] | {"in_lots": []}}
    train.add_wide(made, examples, goods, read, as_written, print)
    drugs, safe = RECIPE["labels"].index("drugs"), RECIPE["labels"].index("safe")
    for text, sign in (("cocaine", 1), ("oak", -1)):
        (row,) = train.pieces_of(read, [(text, "")])
        said = made.wide.single.weight[row].sum(0)
        assert sign * (said[drugs] - said[safe]) > 0
    (row,) = train.pieces_of(read, [("cutter", "")])
    assert made.wide.single.weight[row].abs().max() == 0
    train.add_wide(made, examples, goods, read, RECIPE, print)  # our own once more, between the harmless goods
    assert made.wide.single.weight[row].abs().max() > 0


def test_frozen_layers_and_vectors_stay_and_the_rest_is_trained(monkeypatch):
    torch.manual_seed(3)
    begun = backbone.pretrained(LABELS, RECIPE["network"] | {"pairs": 512})
    before = {name: value.clone() for name, value in begun.state_dict().items()}
    draws = train.Draw("oak table", "", "safe", "own"), train.Draw("cocaine", "by post", "drugs", "own")

    class Two:
        def __init__(self):
            self.count = 0

        def draw(self):
            self.count += 1
            return draws[self.count % 2]

    recipe = RECIPE | {"fit": RECIPE["fit"] | {"steps": 3, "batch": 4, "frozen": 3, "rate": 1e-3}}
    after = train.fit_model(Two(), recipe, print, start=begun).state_dict()
    same = {name for name in before if torch.equal(before[name], after[name])}
    assert {"words.weight", "places.weight", "norm.weight", "layers.0.up.weight", "layers.2.up.weight"} <= same
    assert not same & {"layers.3.up.weight", "layers.5.value.weight", "head.weight"}
    assert {"wide.single.weight", "wide.pairs.weight", "wide.bias"} <= same


def test_the_published_weights_are_read_back_as_they_are_served():
    entry = manifest.model(manifest.load(), "listing-text-cloud")
    served = scoring.published(entry, "listing-text-cloud", "cloud")
    model, sha256 = resume.published(LABELS, RECIPE["network"])
    assert sha256 == entry["variants"]["int8"]["sha256"]
    reader, ones = train.reader(), np.ones(LABELS, np.float32)
    texts = [
        "Oak table, seats six",
        "Cocaine, posted discreetly",
        "Elephant ivory tusk from Kenya",
        "Sp4re bicycle bell",
    ]
    for text in texts:
        packed = pack([("title", text), ("description", "")])
        (row,) = reader.pieces([packed.data])
        found = by_torch(model.eval(), [row], ones)[0]
        ((scores, _),) = served(packed)
        expected = [scores[label] for label in entry["labels"]]
        assert int(found.argmax()) == int(np.argmax(expected))
        assert found == pytest.approx(expected, abs=0.2)  # the served file rounds activations too
