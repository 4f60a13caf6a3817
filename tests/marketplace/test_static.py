"""What the browser loads comes under hashed names, compressed once, with the right types."""

import gzip
import json
import re
import urllib.request

import brotli
import pytest
from django.core.files.base import ContentFile

from marketplace import assets, static
from models import manifest, sets
from tests.settings import FOLDER, ROOT


def get(site, path, encoding="br"):
    request = urllib.request.Request(site.url + path, headers={"Accept-Encoding": encoding})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=20) as response:
        return response.headers, response.read()


@pytest.fixture(scope="module")
def hashed(collected_static):
    """{plain name: hashed name} as collectstatic wrote it."""
    return json.loads((FOLDER / "static" / "staticfiles.json").read_text())["paths"]


def test_compression_is_remembered_by_content(tmp_path, settings):
    settings.COMPRESSION_CACHE = tmp_path
    calls = []

    def compress(data):
        calls.append(data)
        return b"small"

    assert static.cached("br", b"large", compress) == static.cached("br", b"large", compress) == b"small"
    assert static.cached("br", b"other", compress) == b"small"
    assert calls == [b"large", b"other"]


def test_the_compressor_writes_what_decompresses_to_the_same(tmp_path, settings):
    settings.COMPRESSION_CACHE = tmp_path / "cache"
    data = b"the same words again and again " * 100
    assert brotli.decompress(static.CachingCompressor.compress_brotli(data)) == data
    assert gzip.decompress(static.CachingCompressor.compress_gzip(data)) == data


def test_modules_import_each_other_by_hashed_name(tmp_path, settings):
    settings.STATIC_ROOT = tmp_path
    storage = static.HashedStatic(location=str(tmp_path), base_url="/static/")
    storage.save("js/part.js", ContentFile(b"export const one = 1;\n"))
    storage.save("js/page.js", ContentFile(b'import { one } from "./part.js";\nconsole.log(one);\n'))
    list(storage.post_process({name: (storage, name) for name in ("js/part.js", "js/page.js")}))
    page = (tmp_path / storage.stored_name("js/page.js")).read_text()
    assert re.search(r'from "\./part\.[0-9a-f]{12}\.js"', page)


def test_the_runtime_is_the_three_files_and_no_more(collected_static):
    names = sorted(path.name for path in (assets.ASSETS / "ort").iterdir())
    assert names == sorted(assets.RUNTIME_FILES)


def test_only_models_for_browsers_are_laid_out(collected_static):
    folders = [manifest.PUBLISHED, *map(sets.folder_of, sets.names())]
    listed = [manifest.browser_subset(manifest.load(folder))["models"] for folder in folders]
    wanted = {entry["file"] for models in listed for entry in models.values()}
    assert len(wanted) >= 5, "of each model for browsers, and what was published before"
    assert {path.name for path in (assets.ASSETS / "models").iterdir()} == wanted


def test_a_damaged_model_is_left_out_and_said(tmp_path):
    published = tmp_path / "published"
    published.mkdir()
    for path in manifest.PUBLISHED.iterdir():
        if path.is_file():
            (published / path.name).write_bytes(path.read_bytes())
    [entry] = list(manifest.browser_subset(manifest.load())["models"].values())[:1]
    (published / entry["file"]).write_bytes(b"damaged")
    copied, problems = assets.lay_out(tmp_path / "assets", assets.RUNTIME, published)
    assert f"models/{entry['file']}" not in copied
    assert any(entry["file"] in problem for problem in problems)


def test_assets_no_longer_wanted_go(tmp_path):
    (tmp_path / "ort").mkdir()
    (tmp_path / "ort" / "ort.webgpu.mjs").touch()
    assets.lay_out(tmp_path)
    assert not (tmp_path / "ort" / "ort.webgpu.mjs").exists()
    assert assets.lay_out(tmp_path)[0] == [], "a second time nothing is copied"


@pytest.mark.site
def test_the_runtime_travels_compressed_typed_and_for_ever(site, hashed):
    headers, body = get(site, "/static/" + hashed["ort/ort-wasm-simd-threaded.wasm"])
    assert headers["Content-Type"] == "application/wasm"
    assert headers["Content-Encoding"] == "br"
    assert "immutable" in headers["Cache-Control"]
    assert len(body) < 2_500_000
    assert headers["X-Content-Type-Options"] == "nosniff"
    _, plain = get(site, "/static/" + hashed["ort/ort-wasm-simd-threaded.wasm"], "identity")
    assert plain == (ROOT / "node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm").read_bytes()


@pytest.mark.site
def test_modules_travel_as_javascript(site, hashed):
    for name in ("ort/ort.wasm.min.mjs", "ort/ort-wasm-simd-threaded.mjs", "js/ml/contract.js"):
        assert get(site, "/static/" + hashed[name])[0]["Content-Type"].startswith("text/javascript"), name


def test_every_static_file_of_ours_is_served_by_hash(hashed):
    for path in (ROOT / "static").rglob("*"):
        if path.is_file():
            name = path.relative_to(ROOT / "static").as_posix()
            assert re.search(r"\.[0-9a-f]{12}(\.|$)", hashed[name]), name
