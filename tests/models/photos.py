"""Photos of our own for tests: drawn shapes on plain backgrounds, and a manifest that labels them."""

import csv

import numpy as np
from PIL import Image, ImageDraw

COLOURS = {"weapons": "black", "tobacco_alcohol": "brown", "safe": "steelblue", "drugs": "white"}


def drawn(policy, number, size=(96, 80)):
    """A long dark bar, a brown bottle, a blue disc or a white pill: told apart by shape and colour."""
    rng = np.random.default_rng([number, len(policy)])
    image = Image.new("RGB", size, tuple(int(v) for v in rng.integers(120, 230, 3)))
    pen = ImageDraw.Draw(image)
    x, y = int(rng.integers(10, size[0] - 50)), int(rng.integers(10, size[1] - 45))
    if policy == "weapons":
        pen.rectangle((x, y + 10, x + 45, y + 18), COLOURS[policy])
        pen.rectangle((x + 5, y + 18, x + 12, y + 36), COLOURS[policy])
    elif policy == "tobacco_alcohol":
        pen.rectangle((x + 5, y + 10, x + 20, y + 40), COLOURS[policy])
    elif policy == "drugs":
        pen.ellipse((x, y, x + 12, y + 12), COLOURS[policy])
    else:
        pen.ellipse((x, y, x + 35, y + 35), COLOURS[policy])
    return image


def write(folder, name, counts, first=0):
    """folder/<name>.csv and the photos beside it; returns the manifest's path. counts: policy → how many."""
    (folder / name).mkdir(parents=True)
    rows = []
    for policy, count in counts.items():
        for number in range(first, first + count):
            path = f"{name}/made{number % 3}_{policy}{number}.jpg"
            drawn(policy if policy in COLOURS else "weapons", number).save(folder / path, quality=90)
            rows.append([path, policy])
    with open(folder / f"{name}.csv", "w", newline="") as file:
        csv.writer(file).writerows([["path", "policy"], *rows])
    return folder / f"{name}.csv"
