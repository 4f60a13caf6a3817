"""The comparison with Transformers.js in `make bench`: what can be said without a browser and without its packages."""

import hashlib
import json
import re

import pytest

from marketplace import prepare
from models import manifest
from tests.bench.peers import compare, files, server
from tests.settings import ROOT

PEERS = ROOT / "tests" / "bench" / "peers"
EXACT = r"\d+\.\d+\.\d+(-[\w.]+)?"


def about(folder, name, content):
    (folder / name).write_bytes(content)
    return {"file": name, "sha256": hashlib.sha256(content).hexdigest()}


@pytest.fixture
def published(tmp_path):
    """A folder of published models with nothing in it but a MiniLM of five bytes."""
    folder = tmp_path / "published"
    folder.mkdir()
    entry = {
        "version": "3",
        "labels": ["drugs", "safe"],
        "published": {"cloud": "int8"},
        "variants": {
            "int8": about(folder, "cloud-1f.onnx", b"model"),
            "fp32": about(folder, "cloud-2e.onnx", b"other"),
        },
        "files": {"tokenizer": about(folder, "tokenizer-3d.json", b"{}"), "fold": about(folder, "fold.onnx", b"fold")},
    }
    (folder / "manifest.json").write_text(json.dumps({"manifest": 1, "models": {files.MODEL: entry}}))
    return folder


@pytest.fixture
def packages(tmp_path):
    for name, version in (("@huggingface/transformers", "4.3.1"), ("onnxruntime-web", "1.31.0")):
        folder = tmp_path / "node_modules" / name
        folder.mkdir(parents=True)
        (folder / "package.json").write_text(json.dumps({"version": version}))
    return tmp_path / "node_modules"


def test_our_model_is_laid_out_as_transformers_js_looks_for_it(tmp_path, published):
    entry = files.peer_files(tmp_path / "out", published)
    folder = tmp_path / "out" / "listing-text-cloud"
    assert entry["version"] == "3"
    assert (folder / "onnx" / "model_quantized.onnx").read_bytes() == b"model"
    assert (folder / "tokenizer.json").read_bytes() == b"{}"
    assert json.loads((folder / "config.json").read_text()) == {
        "model_type": "bert",
        "id2label": {"0": "drugs", "1": "safe"},
    }
    assert json.loads((folder / "tokenizer_config.json").read_text())["tokenizer_class"] == "BertTokenizer"
    assert len([path for path in folder.rglob("*") if path.is_file()]) == 4


def test_a_damaged_model_is_not_compared(tmp_path, published):
    (published / "cloud-1f.onnx").write_bytes(b"mode")
    with pytest.raises(manifest.ModelUnavailable, match="damaged"):
        files.peer_files(tmp_path / "out", published)


def test_every_address_has_its_file(tmp_path, published, packages):
    models = tmp_path / "out"
    files.peer_files(models, published)
    found = files.addresses(models, manifest.PUBLISHED, packages)
    assert found["/models/listing-text-cloud/onnx/model_quantized.onnx"].read_bytes() == b"model"
    ours = found["/api/models/manifest"]
    assert {ours["models"]["listing-text"]["url"], *ours["runtime"].values()} <= set(found)
    theirs = ("/transformers/", "/transformers-ort/")  # of packages that only `make bench` installs
    missing = [path for path, source in found.items() if not isinstance(source, dict) and not source.is_file()]
    assert [path for path in missing if not path.startswith(theirs)] == []
    assert all(server.TYPES[source.suffix] for source in found.values() if not isinstance(source, dict))


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/static/ort/ort-wasm-simd-threaded.wasm", "runtime"),
        ("/transformers-ort/ort-wasm-simd-threaded.asyncify.mjs", "runtime"),
        ("/static/models/listing-text-int8.onnx", "model and tokenizer"),
        ("/models/listing-text-cloud/tokenizer.json", "model and tokenizer"),
        ("/transformers/transformers.min.js", "code"),
        ("/api/models/manifest", "code"),
    ],
)
def test_bytes_are_told_apart(path, kind):
    assert files.kind_of(path) == kind


def test_bytes_are_summed_over_what_was_sent():
    packed = {path: server.Packed("", raw, b"x" * sent) for path, raw, sent in (("/a.js", 10, 4), ("/models/b", 5, 3))}
    found = compare.over_the_line(server.Site(packed, sent=["/a.js", "/models/b"]))
    assert found["raw"] == 15
    assert found["brotli"] == 7
    assert found["by_kind"] == {"code": {"raw": 10, "brotli": 4}, "model and tokenizer": {"raw": 5, "brotli": 3}}


def test_a_file_is_compressed_once(tmp_path):
    source = tmp_path / "code.js"
    source.write_text("1;" * 500)
    first = server.packed(source, tmp_path / "kept", print)
    (kept,) = (tmp_path / "kept").iterdir()
    assert first == server.Packed("text/javascript; charset=utf-8", 1000, kept.read_bytes())
    kept.write_bytes(b"kept")
    assert server.packed(source, tmp_path / "kept", print).body == b"kept"


def test_without_a_published_minilm_the_table_says_so(tmp_path, monkeypatch):
    (tmp_path / "manifest.json").write_text('{"manifest": 1, "models": {}}')
    monkeypatch.setattr(files, "installed", lambda: {})
    found = compare.run(None, print, tmp_path)
    assert compare.table(found) == (
        "Beside Transformers.js with MiniLM q8: not measured. No model named listing-text-cloud is published."
        " Run: python -m models publish listing-text-cloud"
    )


def test_without_the_packages_the_table_says_so(tmp_path, packages):
    assert files.installed(packages) == {"transformers": "4.3.1", "onnxruntime_web": "1.31.0"}
    with pytest.raises(files.NotInstalled, match="Run: make bench"):
        files.installed(tmp_path / "nowhere")


def test_the_table_shows_the_ratio():
    def contender(p50):
        return {
            "worker": {"p50": p50, "p95": p50},
            "page": {"p50": p50, "p95": p50},
            "cold_start_ms": {"median": 900.0},
            "bytes": {"raw": 2_000_000, "brotli": 1_000},
        }

    peer = contender(40.0) | {"ours_by_this": {"worker": 0.0125, "page": 0.0125}}
    text = compare.table(
        {
            "target": 1 / 50,
            "rounds": 80,
            "characters": 400,
            "pieces": 96,
            "load_average": 1.0,
            "versions": {"transformers": "4.3.1"},
            "peer_model": "listing-text-cloud 3 int8",
            "contenders": {compare.OURS: contender(0.5), compare.PEER: peer, compare.PLAIN: peer},
            "searches": {
                "queries": 200,
                "pieces": 5,
                compare.TOWER: contender(0.1),
                compare.FLOOR: contender(0.05),
                compare.PEER: contender(6.0) | {"ours_by_this": {"worker": 0.0166}, "floor_by_this": {"worker": 0.01}},
                compare.PLAIN: contender(5.0) | {"ours_by_this": {"worker": 0.02}, "floor_by_this": {"worker": 0.0125}},
            },
        }
    )
    assert re.search(r"p50 of query-tower \(wanted: 1/50\) +1/60 +1/50\n", text)
    assert re.search(r"p50 of one step, which no model can beat +1/100 +1/80(\n|$)", text)
    assert re.search(r"p50 of listing-text \(wanted: 1/50\) +1/80 +1/80\n", text)
    assert "2,000,000" in text
    assert all(len(line) <= 120 for line in text.splitlines())


# --- What is installed -----------------------------------------------------------------------------------------------
def test_the_peers_are_pinned_exactly_and_as_locked():
    package, lock = (json.loads((PEERS / name).read_text()) for name in ("package.json", "package-lock.json"))
    assert {"@huggingface/transformers", "nsfwjs"} <= set(package["dependencies"])
    assert lock["packages"][""]["dependencies"] == package["dependencies"]
    for name, version in package["dependencies"].items():
        assert re.fullmatch(EXACT, version)
        assert lock["packages"][f"node_modules/{name}"]["version"] == version
    # The runtime for Node and the package of all of TensorFlow.js are 113 and 141 MB that no browser loads: a package
    # of some kilobytes stands in for each.
    for name, stand_in in package["overrides"].items():
        real, version = stand_in.removeprefix("npm:").split("@")
        found = lock["packages"][f"node_modules/{name}"]
        assert re.fullmatch(EXACT, version)
        assert (found["name"], found["version"]) == (real, version)
    assert "resolved" not in json.dumps(lock), "the lock names no place to download from"


def test_only_the_bench_installs_them():
    recipes = re.findall(r"prepare\.py (\w+)", (ROOT / "Makefile").read_text())
    assert recipes.count("bench") == 1
    assert prepare.PEERS == PEERS
    for name in ("@huggingface/transformers", "nsfwjs", "tensorflow"):
        assert name not in (ROOT / "package-lock.json").read_text()
