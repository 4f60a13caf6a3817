"""Sessions: checked, kept, recovered, and never shared with a forked child."""

import hashlib
import json
import os

import pytest

from models import manifest, runtime
from models.manifest import ModelUnavailable
from tests.models import tiny


@pytest.fixture
def folder(tmp_path):
    """A published folder with one tiny model, variant int8."""
    content = tiny.content()
    (tmp_path / "tiny.onnx").write_bytes(content)
    about = {"file": "tiny.onnx", "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    entry = {"published": {"device": "int8"}, "variants": {"int8": about | {"browser": True}}}
    entry |= {key: f"the {key}" for key in manifest.FOR_BROWSERS}
    (tmp_path / "manifest.json").write_text(json.dumps({"manifest": 1, "models": {"tiny": entry}}))
    return tmp_path


def test_a_session_is_opened_once(folder):
    assert runtime.session("tiny", "device", folder) is runtime.session("tiny", "int8", folder)


def test_a_damaged_file_is_refused_and_used_again_once_restored(folder):
    path = folder / "tiny.onnx"
    good = path.read_bytes()
    path.write_bytes(good[:-1] + b"x")
    runtime._sessions.clear()
    with pytest.raises(ModelUnavailable, match="damaged"):
        runtime.session("tiny", "device", folder)
    path.write_bytes(good)
    assert runtime.session("tiny", "device", folder)


def test_a_missing_file_is_refused_and_used_again_once_restored(folder):
    path = folder / "tiny.onnx"
    good = path.read_bytes()
    path.unlink()
    runtime._sessions.clear()
    with pytest.raises(ModelUnavailable, match="missing"):
        runtime.session("tiny", "device", folder)
    path.write_bytes(good)
    assert runtime.session("tiny", "device", folder)


def test_a_file_that_is_no_model_is_refused(folder):
    with pytest.raises(ModelUnavailable, match="cannot open"):
        runtime.open_session(b"this is no model")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"manifest": 2, "models": {}}'])
def test_a_damaged_manifest_is_a_plain_message(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ModelUnavailable, match=r"manifest"):
        manifest.load(tmp_path)


def test_a_missing_manifest_an_unknown_model_and_variant_are_plain_messages(folder, tmp_path):
    with pytest.raises(ModelUnavailable, match="missing"):
        manifest.load(tmp_path / "nowhere")
    with pytest.raises(ModelUnavailable, match="No model named other"):
        runtime.session("other", "device", folder)
    with pytest.raises(ModelUnavailable, match="no variant fp8"):
        runtime.session("tiny", "fp8", folder)


def test_a_forked_child_opens_its_own_session(folder):
    parents = runtime.session("tiny", "device", folder)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            own = runtime.session("tiny", "device", folder)
            scores = tiny.run(own, "a pistol")[0]
            if own is not parents and len(scores) == tiny.WIDTH:
                code = 0
        finally:
            os.write(writer, bytes([code]))
            os._exit(code)
    os.waitpid(child, 0)
    assert os.read(reader, 1) == b"\0"
    os.close(reader)
    os.close(writer)


def test_the_browser_gets_its_own_variant_only(folder):
    subset = manifest.browser_subset(manifest.load(folder))
    assert subset["models"]["tiny"]["file"] == "tiny.onnx"
    assert subset["models"]["tiny"]["variant"] == "int8"
    assert "variants" not in subset["models"]["tiny"]
