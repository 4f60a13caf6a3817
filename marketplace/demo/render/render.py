"""Render the product pictures listed in pictures.csv: python render.py [--only PATTERN] [--missing]."""

import argparse
import csv
import fnmatch
import importlib
import os
import re
import sys
import time
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import materials  # noqa: E402
import studio  # noqa: E402
from kinds import KINDS  # noqa: E402

for module in sorted(HERE.glob("objects_*.py")):
    importlib.import_module(module.stem)


def load_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def render_row(row: dict[str, str], out: Path, samples: int, size: int) -> None:
    """Render one row; the shape is seeded by the file name without its number: a listing's pictures agree."""
    shape_seed = re.sub(r"-\d+$", "", Path(row["file"]).stem)
    colours = materials.Colours(materials.srgb(row["color"]), materials.srgb(row["accent"]), row["material"])
    target = out / row["file"]
    partial = target.with_name(f".partial-{os.getpid()}.jpg")
    studio.photograph(
        KINDS[row["kind"]], colours, int(row["seed"]), shape_seed, row["view"], partial, samples=samples, size=size
    )
    partial.replace(target)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", type=Path, default=HERE.parent / "pictures.csv")
    parser.add_argument("--out", type=Path, default=HERE.parent / "pictures")
    parser.add_argument("--only", default="*", help="pattern for file names or kinds")
    parser.add_argument("--missing", action="store_true", help="skip pictures that exist")
    parser.add_argument("--samples", type=int, default=7)
    parser.add_argument("--size", type=int, default=studio.SIZE)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    failed = 0
    # first pictures first, so that an interrupted run leaves every listing with one
    for row in sorted(load_rows(args.list), key=lambda row: not row["file"].endswith("-1.jpg")):
        if not (fnmatch.fnmatch(row["file"], args.only) or fnmatch.fnmatch(row["kind"], args.only)):
            continue
        if args.missing and (args.out / row["file"]).exists():
            continue
        start = time.perf_counter()
        try:
            render_row(row, args.out, args.samples, args.size)
            print(f"{row['file']} {time.perf_counter() - start:.1f} s", file=sys.stderr, flush=True)
        except Exception:  # one broken builder must not stop the others; it is counted and reported
            failed += 1
            print(f"{row['file']} FAILED", file=sys.stderr, flush=True)
            traceback.print_exc()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
