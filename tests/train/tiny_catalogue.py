"""A small data root for the towers: three catalogues of made-up goods with queries, grades, sessions and cases."""

import csv
import gzip
import json
import random

from models.recipes.item_tower.data import GRADED, VISITED
from tests.train import tiny_market

COLOURS = ("red", "blue", "green", "black", "white", "yellow")
THINGS = ("teapot", "drill", "lamp", "chair", "jacket", "camera", "bicycle", "ladder", "kettle", "desk")


def products(name):
    return {f"{name}-{colour}-{thing}": f"{colour.title()} {thing}, {name.replace('_', ' ')}" for colour in COLOURS
            for thing in THINGS}  # fmt: skip


def table(path, names, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([names, *rows])


def lines(path, objects):
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(each) + "\n" for each in objects)


def write(root, seed=1):
    rng = random.Random(seed)
    tiny_market.write(root / "text" / "train.csv.gz", 100, seed)
    extra = [(str(at), f"{rng.choice(COLOURS)} {rng.choice(THINGS)} on DVD") for at in range(60)]
    table(root / "texts" / "products_extra_retrotech.csv.gz", ("product_id", "title"), extra)
    table(root / "texts" / "webshop_need_query.csv", ("need", "query"), [("i need a lamp", "cheap lamp")])
    for name in GRADED:
        folder, goods = root / "retrieval" / name, products(name)
        table(
            folder / "products.csv.gz", ("product_id", "title", "description"), [(*each, "") for each in goods.items()]
        )
        for split in ("train", "dev"):
            queries = [(f"{split}{at}", f"{rng.choice(COLOURS)} {rng.choice(THINGS)}") for at in range(30)]
            table(folder / split / "queries.csv", ("query_id", "query"), queries)
            labels = []
            for number, query in queries:
                colour, thing = query.split()
                labels.append((number, f"{name}-{colour}-{thing}", 2))
                labels += [(number, f"{name}-{other}-{thing}", 1 if other < colour else 0) for other in COLOURS
                           if other != colour]  # fmt: skip
            table(folder / split / "labels.csv.gz", ("query_id", "product_id", "grade"), labels)
    for name in VISITED:
        folder, goods = root / "feed" / name, products(name)
        table(
            folder / "products.csv.gz", ("product_id", "title", "description"), [(*each, "") for each in goods.items()]
        )
        sessions, cases = [], []
        for number in range(60):
            thing = rng.choice(THINGS)
            seen = [f"{name}-{colour}-{thing}" for colour in rng.sample(COLOURS, 4)]
            events = [{"kind": "search", "query": thing}, *({"kind": "view", "product_id": each} for each in seen)]
            sessions.append({"id": str(number), "events": events})
            cases.append({"id": str(number), "history": events[:-1], "target": seen[-1]})
        lines(folder / "train" / "sessions.jsonl.gz", sessions)
        lines(folder / "dev" / "cases.jsonl.gz", cases)
