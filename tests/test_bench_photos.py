"""The part of `make bench` on photos: what can be said without a browser, without its packages and without a clock."""

import base64
import json
import re
from functools import partial

import pytest
from PIL import Image

from models import manifest
from tests.bench.peers import files as packages_of
from tests.bench.peers import server
from tests.bench.photos import compare, files, native, pictures


@pytest.fixture
def packages(tmp_path):
    """nsfwjs and TensorFlow.js in a few bytes each, laid out as npm does."""
    folder = tmp_path / "node_modules"
    contents = {
        "nsfwjs/package.json": '{"version": "4.4.0"}',
        "nsfwjs/dist/esm/core.js": "\n".join(files.RESOLVED) + "\nexport const load = () => tf.tidy;",
        "nsfwjs/dist/esm/nsfw_classes.js": "export var NSFW_CLASSES = {};",
        f"{files.WEIGHTS}/package.json": '{"type": "commonjs"}',
        f"{files.WEIGHTS}/model.min.js": 'module.exports = {weightsManifest: [{paths: ["group1-shard1of1"]}]};',
        f"{files.WEIGHTS}/group1-shard1of1.min.js": f'module.exports = "{base64.b64encode(b"weights").decode()}";',
        "@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm": "wasm",
    }
    for part in files.TENSORFLOW:
        contents[f"@tensorflow/tfjs-{part}/package.json"] = '{"version": "4.22.0"}'
        contents[f"@tensorflow/tfjs-{part}/dist/tf-{part}.es2017.min.js"] = "1;"
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def test_nsfwjs_is_laid_out_for_a_page_without_a_bundler(tmp_path, packages):
    files.lay_out(tmp_path / "out", packages)
    core = (tmp_path / "out" / "core.js").read_text()
    assert "import " not in core
    assert core.startswith("const tf = globalThis.tf;")
    assert (tmp_path / "out" / "weights.bin").read_bytes() == b"weights"
    assert json.loads((tmp_path / "out" / "model.json").read_text())["weightsManifest"] == [{"paths": ["weights.bin"]}]


def test_another_nsfwjs_is_refused_by_name(tmp_path, packages):
    (packages / "nsfwjs/dist/esm/core.js").write_text('import * as tf from "elsewhere";')
    with pytest.raises(packages_of.NotInstalled, match=r"nsfwjs has changed: its core\.js has no line"):
        files.lay_out(tmp_path / "out", packages)


def test_every_address_has_its_file_and_its_type(tmp_path, packages):
    files.lay_out(tmp_path / "out", packages)
    found = files.addresses(tmp_path / "out", manifest.PUBLISHED, packages)
    ours = found["/api/models/manifest"]
    assert {ours["models"][name]["url"] for name in ("listing-photo", "listing-text")} <= set(found)
    sources = {path: source for path, source in found.items() if not isinstance(source, dict)}
    assert [path for path, source in sources.items() if not source.is_file()] == []
    assert all(server.TYPES[source.suffix] for source in sources.values())
    page = (files.HERE / "page.js").read_text()
    asked = set(re.findall(r'"(/(?:nsfwjs|static|api)/[^"]+)"', page))
    assert asked <= set(found)
    assert len(asked) >= 6


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/static/ort/ort-wasm-simd-threaded.wasm", "runtime"),
        ("/tfjs/core.js", "runtime"),
        ("/tfjs/tfjs-backend-wasm-simd.wasm", "runtime"),
        ("/static/models/listing-photo-int8.onnx", "model"),
        ("/nsfwjs/packed/group1-shard1of1.js", "model"),
        ("/nsfwjs/hosted/weights.bin", "model"),
        ("/nsfwjs/core.js", "code"),
        ("/static/js/ml/worker.js", "code"),
    ],
)
def test_bytes_are_told_apart(path, kind):
    assert files.kind_of(path) == kind


def test_the_first_visit_counts_runtime_and_both_models():
    bodies = {"/static/ort/a.wasm": 5, "/static/models/text.onnx": 3, "/static/models/photo.onnx": 2, "/page.js": 9}
    site = server.Site({path: server.Packed("", 100, b"x" * size) for path, size in bodies.items()})
    started = {name: {"sent": []} for name in files.NAMES}
    started[files.OURS]["sent"] = ["/page.js", "/static/ort/a.wasm", "/static/models/photo.onnx"]
    found = compare.first_visit(site, started)
    assert found["runtime_and_both_models"] == 10
    assert found[files.OURS]["brotli"] == 16


def test_photos_have_the_size_that_is_said_and_are_the_same_every_time(tmp_path):
    first = pictures.make(pictures.DEMO, 2, tmp_path / "first")
    again = pictures.make(pictures.DEMO, 2, tmp_path / "again")
    for size, side in pictures.SIDES.items():
        assert [path.read_bytes() for path in first[size]] == [path.read_bytes() for path in again[size]]
        assert [Image.open(path).size for path in first[size]] == [(side, side * 3 // 4)] * 2
    weights = [path.stat().st_size for path in first["sent"]]
    assert min(weights) > 100_000, "a photo of a phone is no lighter"
    with pytest.raises(ValueError, match="no photos in"):
        pictures.make(tmp_path / "first" / "nothing", 2, tmp_path)


def test_a_second_opinion_is_measured_against_the_file_as_sent(tmp_path):
    photo = tmp_path / "sent-00.jpg"
    photo.write_bytes(b"x" * 81_920)
    found = compare.sizes([bytes(8192)], [photo])
    assert found["bytes"]["as_sent"] == 8192
    assert found["bytes"]["gzip"] < 100
    assert found["share"]["as_sent"] == {"median": 0.1, "max": 0.1}


def test_what_gives_no_scores_is_not_timed():
    compare.real("nsfwjs", [0.5, 0.5])
    with pytest.raises(RuntimeError, match="nsfwjs gave no scores"):
        compare.real("nsfwjs", [0.0, 0.0])


def test_a_check_that_cannot_run_says_why(tmp_path):
    (tmp_path / "manifest.json").write_text('{"manifest": 1, "models": {}}')
    photo = pictures.make(pictures.DEMO, 1, tmp_path / "pictures")["small"]
    found = native.checks(photo, [], tmp_path)
    assert found["decoding"]["p50"] > 0
    assert "listing-photo is published" in found["gate"]["missing"]
    assert found["second_opinion"]["missing"] == "There was nothing to check."


def test_the_server_s_checks_run_on_the_published_models(tmp_path):
    photo = pictures.make(pictures.DEMO, 1, tmp_path)["small"]
    sent = bytes(8192)
    found = native.checks(photo, [sent], manifest.PUBLISHED)
    assert {name: sorted(taken) for name, taken in found.items()} == {name: ["p50", "p95"] for name in found}


def test_without_the_packages_the_table_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "installed", partial(files.installed, tmp_path))
    found = compare.run(None, print)
    assert compare.table(found) == "Photos, beside nsfwjs: not measured. nsfwjs is not installed. Run: make bench"


def test_the_table_says_what_was_wanted():
    def times(value):
        return {"p50": value, "p95": value}

    names, peers = files.NAMES, (files.PEER, files.TUNED)
    judged = {
        "pixels": 1600, "bytes": 257_000, "photos": 8, "rounds": 3, "ms": {name: times(120.0) for name in names},
        "ours_inside": {"decode": times(4.0), "run": times(1.5)}, "ours_by": dict.fromkeys(peers, 0.04),
        "scores_apart_from_native": {"median": 0.001, "max": 0.004},
    }  # fmt: skip
    line = {"brotli": 2_700_000, "raw": 1, "by_kind": {"runtime": {"brotli": 2_300_000, "raw": 1}}}
    share = {"median": 1 / 31, "max": 0.05}
    text = compare.table(
        {
            "targets": compare.TARGETS,
            "photos": "of the demo",
            "versions": {"nsfwjs": "4.4.0", "tfjs": "4.22.0"},
            "model": "listing-photo 1 int8",
            "load_average": 1.0,
            "judged": {"sent": judged},
            "slowed": {
                "cpu": 4,
                "first_verdict_ms": {name: {"median": 5000.0} for name in names},
                "revisit_ms": {name: {"median": 2000.0} for name in names},
                "ours_by": {"cold": dict.fromkeys(peers, 0.7), "again": dict.fromkeys(peers, 0.5)},
            },
            "first_visit_bytes": {**dict.fromkeys(names, line), "runtime_and_both_models": 2_812_345},
            "long_tasks": {
                name: {"photos": 8, "while_opening": 0, "while_judging": 0} for name in (files.OURS, files.PEER)
            },
            "second_opinion_bytes": {
                "sent": {"bytes": {"as_sent": 8192, "gzip": 4000, "brotli": 3900}, "share": {"as_sent": share}}
            },
            "server_ms": {"second_opinion": {"missing": "not published"}}
            | dict.fromkeys(("decoding", "gate", "cloud_whole", "cloud_with_parts"), times(2.0)),
        }
    )
    assert re.search(r"ours \(wanted: 1/20\) +1/25 +1/25\n", text)
    assert re.search(r"first verdict \(wanted: 0\.8\) +0\.70x +0\.70x\n", text)
    assert "2,812,345" in text
    assert "not published" in text
    assert all(len(line) <= 120 for line in text.splitlines())
