"""The page names to the browser what the worker will import."""

import re

import pytest
from django.conf import settings

from listings import device_check

STATIC = settings.BASE_DIR / "static"
IMPORTED = re.compile(r"""(?:from|import)\s*\(?["'](\.[^"']+)["']""")


def imports(path):
    """What a module of ours imports, and what these import; the runtime's files end the search."""
    found = {path}
    for name in IMPORTED.findall((STATIC / path).read_text()):
        target = (STATIC / path).parent.joinpath(name).resolve().relative_to(STATIC.resolve()).as_posix()
        found |= {target} if target.startswith("ort/") else imports(target)
    return found


def test_it_is_exactly_what_the_worker_imports_and_the_runtime_s_loader():
    worker = f"{device_check.FOLDER}/{device_check.WORKER}"
    named = device_check.worker_modules()
    assert len(set(named)) == len(named)
    assert set(named) == imports(worker) - {worker} | {device_check.RUNTIME["mjs"]}


def test_a_module_that_was_not_collected_is_left_out(monkeypatch):
    def static(path):
        if path == device_check.FRONT:
            raise ValueError(path)
        return f"/static/{path}"

    monkeypatch.setattr(device_check, "static", static)
    found = device_check.worker_imports()
    assert len(found) == len(device_check.worker_modules()) - 1
    with pytest.raises(ValueError, match="wasm"):
        monkeypatch.setattr(device_check, "static", lambda path: static(device_check.FRONT if "wasm" in path else path))
        device_check.runtime()
    assert device_check.runtime_url() == ""


def test_the_sell_page_names_them(client, merchant):
    client.force_login(merchant)
    page = client.get("/sell/new/").content.decode()
    named = re.search(r'data-worker-imports="([^"]+)"', page).group(1).split(" ")
    assert named == device_check.worker_imports()
    assert len(named) > 8
    assert f'data-runtime-url="{device_check.runtime()["wasm"]}"' in page
