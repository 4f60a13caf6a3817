"""Train, compress and publish the three photo models on tiny data: the steps, not the quality."""

import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from models import manifest, photo, runtime, sets
from models.recipes.listing_photo import augment, mirror_look, network, pictures, pool, shape
from models.recipes.listing_photo import export as device_export
from models.recipes.listing_photo import train as device
from models.recipes.listing_photo.measure import BothWays, normalised
from models.recipes.listing_photo_cloud import backbone
from models.recipes.listing_photo_cloud import export as cloud_export
from models.recipes.listing_photo_cloud import train as cloud
from models.recipes.listing_photo_tail import network as tail_network
from models.recipes.listing_photo_tail import train as tail
from models.steps import compress, publish, shrink
from models.steps.errors import StepError
from models.steps.recipe import read
from tests.models import photos

pytestmark = pytest.mark.train
NAMES = ("listing-photo-cloud", "listing-photo", "listing-photo-tail")
# A tenth of the photos would be too few to set thresholds by.
STAGE = {"side": 96, "epochs": 2, "batch": 8, "rate": 1e-3, "wild": 0.5, "frozen": 2, "label": 1.0}
TINY = {
    "listing-photo-cloud": {"data": {"held_out": 0.25},
                            "teacher": {"stage": [STAGE | {"epochs": 1, "frozen": 20}]},
                            "stage": [STAGE, STAGE | {"epochs": 0.5, "label": 0.5}]},
    "listing-photo": {"data": {"held_out": 0.25}, "pool": {"views": 256, "teacher_side": 96},
                      "fit": {"epochs": 4, "batch": 32}, "prune": {"epochs": 1}},
    "listing-photo-tail": {"data": {"held_out": 0.25}, "bridge": {"epochs": 1, "batch": 32},
                           "fit": {"epochs": 1, "batch": 32}},
}  # fmt: skip


def small(model):
    recipe = read(model)
    for section, values in TINY[model].items():
        recipe[section] = recipe[section] | values if isinstance(values, dict) else values
    recipe["limits"] |= {"auc_loss": 0.5}
    return recipe


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A data root, and build folders of all three models, trained and compressed with small recipes. The initial
    weights are random: those of ImageNet are not the project's."""
    folder = tmp_path_factory.mktemp("photos")
    data = folder / "data"
    photos.write(data / "photos", "train", {"weapons": 24, "tobacco_alcohol": 12, "drugs": 6, "safe": 40})
    photos.write(data / "photos", "dev", {"weapons": 8, "tobacco_alcohol": 4, "drugs": 2, "safe": 16}, first=100)
    photos.write(data / "photos", "ambiguous", {"ambiguous": 4}, first=200)
    weights(data)
    with pytest.MonkeyPatch.context() as patch:
        for module in (device.recipes, tail.recipes):
            patch.setattr(module, "read", small)
        for name, module in zip(NAMES, (cloud, device, tail), strict=True):
            module.train(data, folder / "build" / name, small(name), lambda text: None)
            compress.compress(name, folder / "build" / name, small(name), lambda text: None)
    return folder


def weights(data):
    """A file as the data root has it, of a network that nobody trained."""
    torch.manual_seed(1)
    arrays = {}
    for name, part in backbone.convolutions(backbone.Network(4)).items():
        arrays[f"{name}/weight"] = part.conv.weight.detach().numpy()
        arrays[f"{name}/bias"] = part.conv.bias.detach().numpy()
    (data / "backbone").mkdir(parents=True)
    np.savez(data / backbone.WEIGHTS, **arrays)


def test_training_writes_weights_thresholds_and_figures(trained):
    for name in NAMES:
        report = json.loads((trained / "build" / name / "training.json").read_text())
        points = report["operating_points"]
        assert points["unsure"] <= points["warn"] <= points["block"] < 1
        assert len(report["temperatures"]) == 4
        assert report["rows"]["photos of ambiguous"] == 4
        assert report["validation"]["own"]["rows"] > 5


def test_the_graphs_compute_what_the_networks_compute(trained):
    rgb = np.random.default_rng(1).integers(0, 256, (128, 128, 3), np.uint8)
    x = torch.from_numpy(rgb).permute(2, 0, 1)[None].float() / 127.5 - 1
    ones = np.ones(4, np.float32)
    small_network = device.load(trained / "build" / "listing-photo", small("listing-photo"))
    model = device_export.exported(small_network.folded(), ones)
    _, heat = runtime.open_session(model.SerializeToString()).run(["scores", "heat"], {"rgb": rgb})
    with torch.no_grad():
        assert heat == pytest.approx(BothWays(small_network)(x)[0].permute(1, 2, 0).numpy(), abs=1e-3)
    large = cloud.load(trained / "build" / "listing-photo-cloud", small("listing-photo-cloud"))
    model = cloud_export.exported(large, 128, ones)
    _, heat = runtime.open_session(model.SerializeToString()).run(["scores", "heat"], {"rgb": rgb})
    with torch.no_grad():
        assert heat == pytest.approx(BothWays(large)(x)[0].permute(1, 2, 0).numpy(), abs=1e-3)


def test_folding_the_batch_norm_changes_nothing():
    torch.manual_seed(2)
    layer = network.Normed(8, 8, 3, 1)
    layer.norm.running_mean.normal_()
    layer.norm.running_var.uniform_(0.5, 2)
    torch.nn.init.normal_(layer.norm.weight)
    layer.eval()
    x = torch.randn(1, 8, 6, 6)
    with torch.no_grad():
        weight, bias = layer.folded()
        assert torch.nn.functional.conv2d(x, weight, bias, 1, 1).numpy() == pytest.approx(layer(x).numpy(), abs=1e-4)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [3, 5])
def test_the_quick_gradient_of_a_depthwise_convolution_is_the_plain_one(size, stride):
    torch.manual_seed(3)
    part = backbone.Conv(8, 8, size, stride, groups=8)
    x = torch.randn(2, 8, 10, 10, requires_grad=True)
    (quick,) = torch.autograd.grad(part(x).square().sum(), x)
    padded = torch.nn.functional.pad(x, (part.before, part.before + 1) * 2) if stride == 2 else x
    (plain,) = torch.autograd.grad(torch.nn.functional.relu6(part.conv(padded)).square().sum(), x)
    assert quick.numpy() == pytest.approx(plain.numpy(), abs=1e-5)


@pytest.mark.parametrize(
    ("ours", "convolution", "norm"),
    [
        ("stem", "_conv_stem", "_bn0"),
        ("blocks.0.depthwise", "_blocks.0._depthwise_conv", "_blocks.0._bn1"),
        ("blocks.4.expand", "_blocks.4._expand_conv", "_blocks.4._bn0"),
        ("blocks.4.depthwise", "_blocks.4._depthwise_conv", "_blocks.4._bn1"),
        ("blocks.20.project", "_blocks.20._project_conv", "_blocks.20._bn2"),
        ("head", "_conv_head", "_bn1"),
    ],
)
def test_the_teacher_begins_with_what_its_package_knows_of_imagenet(ours, convolution, norm):
    """Folded, each convolution does what the package's does with its batch norm behind it."""
    folder = next(iter(importlib.util.find_spec(backbone.TEACHER).submodule_search_locations))
    known = torch.load(Path(folder) / backbone.TEACHER_FILE, weights_only=True)
    part = backbone.convolutions(backbone.teacher(4))[ours].conv
    x = torch.randn(1, part.in_channels, 9, 9, generator=torch.Generator().manual_seed(5))
    functional = torch.nn.functional
    plain = functional.conv2d(x, known[f"{convolution}.weight"], groups=part.groups)
    names = ("running_mean", "running_var", "weight", "bias")
    plain = functional.batch_norm(plain, *(known[f"{norm}.{name}"] for name in names), eps=1e-3)
    folded = functional.conv2d(x, part.weight, part.bias, groups=part.groups)
    assert folded.detach().numpy() == pytest.approx(plain.numpy(), abs=1e-3, rel=1e-3)


def pooled(large, pixels):
    """Views with the features of both ways round, as `pool.draw` finds them."""
    measured = pool.moments(pixels, large)
    both = [pool.featured(pixels, large, measured, mirrored, lambda text: None) for mirrored in (False, True)]
    return measured, both


def test_the_features_to_learn_are_those_of_the_view_and_of_its_mirror_image(trained):
    large = cloud.load(trained / "build" / "listing-photo-cloud", small("listing-photo-cloud"))
    drawn = [np.asarray(photos.drawn("weapons", number).resize((128, 128))) for number in range(8)]
    pixels = np.stack(drawn).transpose(0, 3, 1, 2)
    _, (plain, mirrored) = pooled(large, pixels)
    _, (turned, _) = pooled(large, pixels[..., ::-1].copy())
    for name, (_, shape_) in pool.DEPTHS.items():
        assert plain[name].shape == (8, *shape_)
        assert np.abs(plain[name] / pool.STEPS).std() > 0.3, "deviations, not zeros"
        from_turned, from_plain = (np.abs(mirrored[name].astype(int) - each[name]).mean() for each in (turned, plain))
        assert from_turned < from_plain / 2  # a network of some steps; how far it learned is the processor's affair


def test_behind_a_device_that_has_learned_all_the_tail_begins_as_the_cloud_network(trained):
    large = cloud.load(trained / "build" / "listing-photo-cloud", small("listing-photo-cloud"))
    pixels = np.random.default_rng(7).integers(0, 256, (4, 3, 128, 128), np.uint8)
    (measured, (plain, _)) = pooled(large, pixels)
    mean, spread = measured[pool.SPLIT]
    above = tail_network.from_cloud(large, 4, mean, spread).eval()
    with torch.no_grad():
        sent = torch.from_numpy(plain[pool.SPLIT]).float() / pool.STEPS + shape.SPLIT_MOST / 2
        heat = above(network.as_sent(sent.clamp(0, shape.SPLIT_MOST)))
        whole = large(normalised(torch.from_numpy(pixels)))
    assert heat.numpy() == pytest.approx(whole.numpy(), abs=0.05 * float(whole.std()) + 0.05)


def test_both_ways_sees_what_each_way_sees_in_its_place():
    torch.manual_seed(4)
    plain = network.Network(4).eval()
    x = torch.randn(2, 3, 128, 128).clamp(-1, 1)
    with torch.no_grad():
        both, one, other = BothWays(plain)(x), plain(x), plain(x.flip(3)).flip(3)
        assert both.numpy() == pytest.approx(BothWays(plain)(x.flip(3)).flip(3).numpy(), abs=1e-5)
    assert both.numpy() == pytest.approx(((one + other) / 2).numpy(), abs=1e-5)


def test_the_activation_is_that_of_the_photo_as_it_is(trained):
    rgb = np.asarray(photos.drawn("weapons", 6).resize((128, 128)))
    below = device.load(trained / "build" / "listing-photo", small("listing-photo"))
    model = device_export.with_activation(device_export.exported(below.folded(), np.ones(4, np.float32)))
    (sent,) = runtime.open_session(model.SerializeToString()).run(["activation"], {"rgb": rgb})
    with torch.no_grad():
        own = below.lower(normalised(torch.from_numpy(rgb.copy()).permute(2, 0, 1)[None]))[0] / shape.SPLIT_SCALE
    assert np.abs(sent.astype(int) - own.round().numpy()).max() <= 1


@pytest.mark.parametrize("form", ["fp32", "fp16", "int8"])
def test_a_second_look_is_taken_only_where_the_first_leaves_a_doubt(trained, form):
    below = device.load(trained / "build" / "listing-photo", small("listing-photo"))
    full = device_export.exported(below.folded(), np.ones(4, np.float32))
    made = {
        "fp32": lambda: full,
        "fp16": lambda: shrink.restored(full, shrink.as_float16),
        "int8": lambda: device_export.quantized(full, device_export.samples({}, trained / "data", 8)),
    }[form]()
    always = device_export.with_activation(made)
    rgb = np.asarray(photos.drawn("weapons", 6).resize((128, 128)))
    outputs = ["scores", "heat", "activation"]

    def run(model, pixels):
        return runtime.open_session(model.SerializeToString()).run(outputs, {"rgb": pixels})

    both, other = run(always, rgb), run(always, np.ascontiguousarray(rgb[:, ::-1]))
    twice = run(mirror_look.when_not_clear(always, -0.1), rgb)
    once = run(mirror_look.when_not_clear(always, 1), rgb)
    once_mirrored = run(mirror_look.when_not_clear(always, 1), np.ascontiguousarray(rgb[:, ::-1]))
    for found, expected in zip(twice, both, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-4)
    np.testing.assert_array_equal(once[2], both[2])
    np.testing.assert_array_equal(once_mirrored[2], other[2])
    np.testing.assert_allclose((once[1] + once_mirrored[1][:, ::-1]) / 2, both[1], atol=1e-3)
    assert np.abs(once[1] - both[1]).max() > 1e-3, "one look is not the mean of two"
    doubt = 1 - float(once[0][-1])
    for clear, expected in ((doubt * 1.001, once), (doubt * 0.999, twice)):
        np.testing.assert_allclose(run(mirror_look.when_not_clear(always, clear), rgb)[0], expected[0], atol=1e-6)


def test_what_was_pruned_stays_zero_while_the_rest_is_trained_on(trained):
    recipe = small("listing-photo")
    for layer in device.load(trained / "build" / "listing-photo", recipe).layers:
        zero = float((layer.conv.weight == 0).float().mean())
        assert zero == pytest.approx(recipe["prune"]["share"], abs=0.01)


def test_every_variant_sends_the_same_kind_of_activation(trained):
    rgb = np.asarray(photos.drawn("weapons", 5))
    sent = {}
    for variant in ("fp32", "fp16", "int8"):
        content = (trained / "build" / "listing-photo" / f"{variant}.onnx").read_bytes()
        (sent[variant],) = runtime.open_session(content).run(["activation"], {"rgb": rgb})
        assert (sent[variant].shape, sent[variant].dtype) == (shape.SPLIT_SHAPE, np.uint8)
    apart = np.abs(sent["int8"].astype(int) - sent["fp32"].astype(int))
    assert apart.mean() < 8, "of 255"


def test_all_three_are_published_and_run(trained, monkeypatch, tmp_path):
    monkeypatch.setattr(publish.recipe, "read", small)
    published = tmp_path / "published"
    for name in ("listing-photo", "listing-photo-cloud", "listing-photo-tail"):
        publish.publish(name, trained / "build" / name, published, trained / "data", without_wasm=False,
                        say=lambda text: None, golden_folder=tmp_path)  # fmt: skip
    image = photos.drawn("weapons", 7)
    assert photo.check_photo(image, digest="", folder=published)["variant"] == "int8"
    assert photo.check_photo_in_cloud(image, digest="", folder=published)["model"] == photo.CLOUD
    entry = manifest.load(published)["models"]["listing-photo"]
    assert entry["variants"]["int8"]["wasm_difference"] <= 1e-3
    assert "by_source" in entry["variants"]["int8"]["metrics"]["dev"]
    assert json.loads((tmp_path / "listing_photo.json").read_text())["cases"]
    card = (published / "listing-photo.md").read_text()
    assert "{" not in card, "a place of the card was not filled"


def test_a_photo_model_and_the_tail_that_goes_on_from_it_are_put_aside_together(trained, monkeypatch, tmp_path):
    monkeypatch.setattr(publish.recipe, "read", small)
    monkeypatch.setattr(sets, "ROOT", tmp_path)
    below = []
    real = runtime.session
    monkeypatch.setattr(runtime, "session", lambda *which: (below.append(which[-1]), real(*which))[1])
    name = ""
    for model in ("listing-photo", "listing-photo-tail"):
        build = tmp_path / "build" / model
        shutil.copytree(trained / "build" / model, build)
        report = json.loads((build / "training.json").read_text())
        (build / "training.json").write_text(json.dumps(report | {"version": "600"}))
        publish.publish(model, build, tmp_path / "published", trained / "data", without_wasm=True,
                        say=lambda text: None, golden_folder=tmp_path, aside=name)  # fmt: skip
        [name] = sets.names()
        assert bool(sets.problem_of(name)) == (model == "listing-photo"), "alone it lacks its tail"
    place = sets.folder_of(name)
    assert set(below) == {place}, "the tail is measured on the layers that it comes with"
    release = sets.Release(1, files=sets.named(name).files())
    assert release.folder(photo.TAIL) == release.folder(photo.MODEL) == place
    said = photo.check_split(photos.drawn("weapons", 7), folder=place, tail=place)
    assert (said["model"], said["version"]) == (photo.TAIL, "600")
    assert not (tmp_path / "published").exists()


def test_the_bench_of_photos_measures_the_same_ways_as_that_of_texts(trained, monkeypatch):
    full = device_export.exported(network.Network(4).eval().folded(), np.ones(4, np.float32))
    taken = device_export.samples({}, trained / "data", 8)
    names = [name for name, _ in compress.candidates(full, {}, {}, taken, device_export.KINDS)]
    assert {"fp32", "fp16 weights", "int8 static Entropy, per channel", "clustered, 16 values"} < set(names)
    model = device_export.quantized(full, taken)
    assert any(node.op_type == "QuantizeLinear" for node in model.graph.node)


def test_a_missing_teacher_is_named(trained, tmp_path):
    with pytest.raises(StepError, match="no trained teacher of listing-photo-cloud"):
        device.train(trained / "data", tmp_path / "listing-photo", small("listing-photo"), lambda text: None)


@pytest.mark.parametrize("step", ["background", "turn", "shrink", "blur", "colour", "noise", "jpeg", "cut_out"])
def test_each_step_of_the_augmentation_changes_a_photo_and_keeps_its_shape(step):
    pixels = np.asarray(photos.drawn("safe", 9))
    nothing = dict.fromkeys(read("listing-photo")["chance"], 0.0)
    scenes = [np.asarray(photos.drawn("safe", number)) for number in range(3)]
    plain, changed = (
        augment.augmented(np.random.default_rng(4), pixels, 64, nothing | {step: chance}, scenes)
        for chance in (0.0, 1.0)
    )
    assert plain.shape == changed.shape == (64, 64, 3)
    assert changed.dtype == np.uint8
    assert not np.array_equal(plain, changed)


def test_a_plain_background_is_found_and_a_busy_one_left_alone():
    mask = augment.thing_mask(np.asarray(photos.drawn("safe", 3)))
    assert mask is not None
    assert 0.03 < (mask > 0).mean() < 0.5
    noise = np.random.default_rng(0).integers(0, 256, (60, 60, 3), np.uint8)
    assert augment.thing_mask(noise) is None


def test_who_is_held_out_stays_held_out(trained):
    rows = pictures.read(trained / "data" / "photos" / "train.csv")
    learn, choose = pictures.held_out(rows, 0.25)
    again, _ = pictures.held_out(rows[::-1], 0.25)
    assert {row.title for row in learn} == {row.title for row in again}
    assert len(learn) + len(choose) == len(rows)
