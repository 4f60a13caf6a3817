"""Sets of files that differ from the published ones by a remark, and releases of them."""

from __future__ import annotations

import hashlib
import json

import pytest

from listings import live_models, releases, shadow
from models import manifest, patch_check, runtime, sets, text
from tests.listings.model_sets.made_up import (
    RELABELLED,
    WHY,
    told,
    wary,
)


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(sets, "ROOT", tmp_path)
    live_models.forget()
    return tmp_path


@pytest.fixture
def candidate(root):
    def make(*models, version="60", points=wary, kind=sets.CANDIDATES):
        """A set of files that differ from the published ones by a remark, and by their thresholds."""
        entries, files = {}, {}
        for model in models:
            entry = json.loads(json.dumps(manifest.model(manifest.load(), model)))
            variant = sets.chosen_variant(entry)
            content = RELABELLED + runtime.variant_bytes(model, variant)
            sha256 = hashlib.sha256(content).hexdigest()
            about = entry["variants"][variant] | {
                "file": f"{model}-{variant}-{sha256[:8]}.onnx", "sha256": sha256, "bytes": len(content),
            }  # fmt: skip
            entries[model] = entry | {
                "version": version, "variants": {variant: about},
                "operating_points": points(entry.get("operating_points", {})),
            }  # fmt: skip
            files[about["file"]] = content
            for further in entry.get("files", {}).values():
                files[further["file"]] = (manifest.PUBLISHED / further["file"]).read_bytes()
        name = f"{kind}/{models[0]}-{version}-{sets.digest(entries[models[0]])[:8]}"
        place = root / name
        place.mkdir(parents=True)
        for file, content in files.items():
            (place / file).write_bytes(content)
        (place / manifest.FILE).write_text(json.dumps({"manifest": 1, "models": entries}))
        if text.MODEL in models:
            answers = [
                answer | {key: value for key, value in told(answer, place).items() if key in ("decision", "policy")}
                for answer in patch_check.golden()
            ]
            (place / "listing-text-golden.json").write_text(json.dumps(answers))
        return name

    return make


@pytest.fixture
def publish(moderator):
    def make(name):
        made = releases.draft_set(moderator=moderator, name=name, reason=WHY)
        releases.start_shadow(release=made, moderator=moderator, reason=WHY)
        shadow.compare_stored(made.pk)
        releases.publish(release=made, moderator=moderator, reason=WHY)
        return made

    return make
