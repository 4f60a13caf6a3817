"""What the steps must know of the towers; `reads_text` and `reads_photos` are its siblings."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models import manifest, runtime, towers, wordpieces
from models.recipes.user_tower import histories
from models.scoring import files_of
from models.steps import graded, ranked, recipe
from models.steps.errors import StepError
from models.steps.golden_cases import text_of
from models.towers import KINDS

KIND = ranked
EncodeItems = Callable[[Sequence[towers.ItemText]], NDArray[np.float32]]
EncodeQueries = Callable[[Sequence[str]], NDArray[np.float32]]
GOLDEN = "query_tower.json"
TIMED = "queries of three words"
VECTORS = runtime.BUILD / towers.ITEM  # where listings' vectors are kept between measurements
SETS = {name: Path("retrieval") / name / "dev" for name in ("home_depot", "crowdflower")}
FEEDS = {name: Path("feed") / name for name in ("bestbuy_xbox", "amazon_office", "amazon_industrial")}
# Reading 55,000 listings with every variant of the item tower would take an hour.
ITEM_SETS = ("crowdflower",)
QUERIES = (
    "cordless drill", "led light bulbs 60 watt", "cordles dril", "7/16 in. hex bolt", "a", " ", "", "!!!",
    "THE QUICK BROWN FOX", "teapot", "tea pot", "caf\u00e9 chair",
    "\u0444\u043e\u0442\u043e", "\u624b\u673a", "x" * 300, "ipad 16gb", "playstaton 3 controler", "\U0001f36c",
    "1 2 3 4 5 6 7 8 9",
    "blue and white striped cotton shirt with long sleeves, size M",
)  # fmt: skip


def interface(settings: dict[str, Any]) -> dict[str, Any]:
    """The part of the manifest's entry that says how the model is called."""
    vector = {"vector": {"type": "float32", "shape": [towers.DIMENSIONS], "about": "of unit length, or zero"}}
    space = recipe.read(towers.ITEM)["space"]
    if settings["name"] == towers.USER:
        return user_interface(settings, space)
    found = {"space": space, "dimensions": towers.DIMENSIONS, "window_bytes": settings["window_bytes"]}
    if settings["name"] == towers.QUERY:
        text = {"type": "uint8", "shape": ["n"], "about": "a query's UTF-8, at least one byte"}
        return found | {"inputs": {"bytes": text}, "outputs": vector}
    pieces = {"type": "int64", "shape": [1, "t"]}
    return found | {
        "pieces": settings["pieces"],
        "inputs": {"bytes": {"type": "uint8", "shape": ["n"], "about": "the title's UTF-8"},
                   "input_ids": pieces | {"about": "word pieces of everything, [CLS] … [SEP]"},
                   "attention_mask": pieces | {"about": "ones"}},
        "outputs": vector,
    }  # fmt: skip


def user_interface(settings: dict[str, Any], space: str) -> dict[str, Any]:
    count = settings["network"]["interests"]
    return {
        "space": space,
        "dimensions": towers.DIMENSIONS,
        "events": settings["events"],
        "inputs": {"vectors": {"type": "float32", "shape": ["t", towers.DIMENSIONS], "about": "oldest event first"},
                   "kinds": {"type": "int64", "shape": ["t"], "about": ", ".join(KINDS)},
                   "ages": {"type": "float32", "shape": ["t"], "about": "days"}},
        "outputs": {"interests": {"type": "float32", "shape": [count, towers.DIMENSIONS], "about": "unit rows"}},
    }  # fmt: skip


def measured(
    data: Path, content: bytes, entry: dict[str, Any], files: dict[str, bytes], published: Path
) -> dict[str, dict[str, Any]]:
    """The towers alone on dev: a query tower against the published item tower, and the other way round. The first of
    the two to be published is measured against what its sibling's build folder holds."""
    if "events" in entry:
        return {name: user_figures(data / path, content, entry, published) for name, path in FEEDS.items()}
    sets = ITEM_SETS if reads_items(entry) else SETS
    return {name: evaluated(data / SETS[name], content, entry, files, published) for name in sets}


def evaluated(
    folder: Path, content: bytes, entry: dict[str, Any], files: dict[str, bytes], published: Path
) -> dict[str, Any]:
    """Figures on a folder of graded queries, or of histories. Raises StepError."""
    if "events" in entry:
        root = folder.parent if (folder / "cases.jsonl.gz").is_file() else folder
        return user_figures(root, content, entry, published)
    collection = graded.read(folder)
    other = sibling(towers.QUERY if reads_items(entry) else towers.ITEM, published)
    item, query = ((content, entry, files), other) if reads_items(entry) else (other, (content, entry, files))
    return graded.figures(collection, query_vectors(collection, query), item_vectors(collection, item))


def reads_items(entry: dict[str, Any]) -> bool:
    return "input_ids" in entry["inputs"]


def user_figures(folder: Path, content: bytes, entry: dict[str, Any], published: Path) -> dict[str, Any]:
    """The user tower alone on the cases of dev: items by their cosine to the nearest interest, exact search."""
    session = runtime.open_session(content)
    found = histories.read(folder, "dev", *encoders(published))
    places = []
    for events, target in found.cases:
        vectors, kinds, ages = histories.arrays(found, events[-entry["events"] :])
        interests = session.run(["interests"], {"vectors": vectors, "kinds": kinds, "ages": ages})[0]
        scores = (found.items @ interests.T).max(axis=1)
        places.append((scores > scores[target]).sum() + ((scores == scores[target]).sum() - 1) / 2)
    place = np.array(places)
    return {
        "cases": len(place),
        "hr_at_10": float((place < 10).mean()),
        "ndcg_at_10": float(np.where(place < 10, 1 / np.log2(place + 2), 0).mean()),
        "mrr": float((1 / (place + 1)).mean()),
    }


def encoders(published: Path = manifest.PUBLISHED) -> tuple[EncodeItems, EncodeQueries]:
    """What makes vectors of listings (kept between calls) and of queries: with the published text towers, or with those
    that were built last."""
    item, query = (sibling(name, published) for name in (towers.ITEM, towers.QUERY))

    def of_items(items: Sequence[towers.ItemText]) -> NDArray[np.float32]:
        encode = towers.items_encoder(runtime.open_session(item[0]), wordpieces.reader(item[2]), item[1])
        return graded.kept(VECTORS, graded.named(item[0]), items, encode)

    return of_items, towers.queries_encoder(runtime.open_session(query[0]), query[1])


Opened = tuple[bytes, dict[str, Any], dict[str, bytes]]  # a model's content, its entry, its further files


def sibling(model: str, published: Path) -> Opened:
    """The published model; where there is none yet, or only one of another space, what was built last. Raises
    StepError."""
    try:
        entry = manifest.model(manifest.load(published), model)
        if entry["space"] != recipe.read(towers.ITEM)["space"]:
            return built(model)
        variant = next(iter(entry["published"].values()))
        return runtime.variant_bytes(model, variant, published), entry, files_of(entry, published)
    except manifest.ModelUnavailable:
        return built(model)


def built(model: str) -> Opened:
    from models.steps import compress

    settings = recipe.read(model)
    path = runtime.BUILD / model / f"{next(iter(settings['published'].values()))}.onnx"
    if not path.is_file():
        raise StepError(f"{model} is neither published nor built. Train and compress it first.")
    return path.read_bytes(), interface(settings), compress.exporting(model).files()


def query_vectors(collection: graded.Graded, query: Opened) -> NDArray[np.float32]:
    content, entry, _ = query
    return towers.queries_encoder(runtime.open_session(content), entry)([text for text, _ in collection.queries])


def item_vectors(collection: graded.Graded, item: Opened) -> NDArray[np.float32]:
    content, entry, files = item
    encode = towers.items_encoder(runtime.open_session(content), wordpieces.reader(files), entry)
    return graded.kept(VECTORS, graded.named(content), list(collection.products.values()), encode)


def golden_feeds(entry: dict[str, Any]) -> list[dict[str, NDArray[np.uint8]]]:
    """The golden queries or histories, for the comparison with WASM."""
    if "events" in entry:
        return [history for _, history in golden_histories(entry["events"])]
    return [{"bytes": towers.packed_query(text_of(text), entry["window_bytes"])} for text in QUERIES]


def timed(entry: dict[str, Any], files: dict[str, bytes], published: Path) -> list[dict[str, Any]]:
    """Inputs for timing, see TIMED."""
    if "events" in entry:
        return golden_feeds(entry)
    words = ("oak", "table", "lamp", "cordless", "drill", "blue", "cotton", "shirt", "camera", "lens")
    texts = [" ".join(words[at : at + 3]) for at in range(8)]
    return [{"bytes": towers.packed_query(text, entry["window_bytes"])} for text in texts]


def golden_histories(events: int) -> list[tuple[str, dict[str, NDArray[Any]]]]:
    """Histories of several lengths and kinds, drawn from a seed."""
    rng = np.random.default_rng(9)
    found: list[tuple[str, dict[str, NDArray[Any]]]] = []
    for name, length in (("one search", 1), ("two events", 2), ("a visit", 7), ("as long as is read", events)):
        vectors = rng.standard_normal((length, towers.DIMENSIONS)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        kinds = rng.integers(0, len(KINDS), length) if length > 1 else np.zeros(1, np.int64)
        ages = np.sort(rng.exponential(10, length)).astype(np.float32)[::-1].copy()
        found.append((name, {"vectors": vectors, "kinds": kinds.astype(np.int64), "ages": ages}))
    return found


def outputs(entry: dict[str, Any]) -> list[str]:
    return list(entry["outputs"])


def golden_file(entry: dict[str, Any]) -> str:
    return "user_tower.json" if "events" in entry else GOLDEN


def write_golden(path: Path, published: Path) -> int:
    """What the device variant answers. Tests read it, only `publish` writes it. Returns how many cases there are."""
    found = manifest.load(published)
    if path.name == GOLDEN:
        entry = manifest.model(found, towers.QUERY)
        vectors = towers.encode_queries(QUERIES, folder=published)
        pairs = zip(QUERIES, vectors, strict=True)
        cases: list[dict[str, Any]] = [{"query": query, "vector": rounded(vector)} for query, vector in pairs]
    else:
        entry = manifest.model(found, towers.USER)
        cases = [golden_history(name, feed, published) for name, feed in golden_histories(entry["events"])]
    golden = {"version": entry["version"], "tolerance": entry["tolerance"]}
    lines = ",\n".join("    " + json.dumps(case) for case in cases)
    path.write_text(f'{json.dumps(golden, indent=2)[:-2]},\n  "cases": [\n{lines}\n  ]\n}}\n', encoding="utf-8")
    return len(cases)


def golden_history(name: str, feed: dict[str, NDArray[Any]], published: Path) -> dict[str, Any]:
    interests = towers.user_interests(feed["vectors"], feed["kinds"], feed["ages"], folder=published)
    asked = {key: rounded(array) for key, array in feed.items()}
    return {"name": name, "length": len(feed["kinds"]), **asked, "interests": rounded(interests)}


def rounded(array: NDArray[Any]) -> list[float]:
    """Row after row."""
    return [round(float(value), 6) for value in np.ravel(array)]
