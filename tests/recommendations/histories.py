"""A set of histories as evaluate_feed reads it, small enough to see through."""

import gzip
import json

import pytest

TITLES = {
    "kettle": "Blue enamel kettle",
    "pot": "Red enamel tea pot",
    "drill": "Cordless drill",
    "bits": "Steel drill bits",
    "hose": "Garden hose",
    "lamp": "Brass desk lamp",
}


def view(product):
    return {"kind": "view", "product_id": product}


def search(query):
    return {"kind": "search", "query": query}


SESSIONS = [
    # Nobody would guess it from the words: after the hose people open the lamp.
    *[{"id": str(number), "events": [view("hose"), view("lamp")]} for number in range(6)],
    *[{"id": f"q{number}", "events": [search("Hot  Water"), view("kettle")]} for number in range(4)],
    {"id": "once", "events": [search("a rare secret"), view("drill")]},
]
CASES = [
    {"id": "a", "history": [view("hose")], "target": "lamp"},
    {"id": "b", "history": [search("hot water")], "target": "kettle"},
    {"id": "c", "history": [search("drill")], "target": "drill"},
    {"id": "d", "history": [view("unknown")], "target": "bits"},
]


def packed(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write(text)


@pytest.fixture
def collection(tmp_path):
    """A folder with train/ and dev/, its products in the parent as the command finds them."""
    lines = ["product_id,title,category_path,description,brand,price,rating,rating_count"]
    lines += [f"{key},{title},Home,,,{'12.50' if key == 'kettle' else ''},," for key, title in TITLES.items()]
    packed(tmp_path / "products.csv.gz", "\n".join(lines))
    packed(tmp_path / "train" / "sessions.jsonl.gz", "\n".join(map(json.dumps, SESSIONS)))
    packed(tmp_path / "dev" / "cases.jsonl.gz", "\n".join(map(json.dumps, CASES)))
    return tmp_path
