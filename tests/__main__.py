"""`python -m tests`: everything but training. `python -m tests train`: the training steps, which need PyTorch.

Ends in one line, `N passed, N failed, N skipped`, summed over pytest and node.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

from tests.browser import chromium

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Count:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)


def run_pytest(arguments: list[str], folder: Path) -> Count:
    report = folder / "pytest.xml"
    code = subprocess.run(
        [sys.executable, "-m", "pytest", f"--junit-xml={report}", *arguments], cwd=ROOT, stdin=subprocess.DEVNULL
    ).returncode
    count = Count()
    if report.exists():
        for suite in ElementTree.parse(report).getroot().iter("testsuite"):
            total, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
            failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            count += Count(max(0, total - skipped - failed), failed, skipped)
    # No tests, a crash, an interrupt: never a success because nothing was counted.
    return count if count.failed or code == 0 else count + Count(failed=1)


def run_node(folder: Path) -> Count:
    files = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests" / "js").rglob("*.test.*js"))
    if not files:
        print("There are no JavaScript tests under tests/js.")
        return Count(failed=1)
    report = folder / "node.tap"
    code = subprocess.run(
        [
            "node",
            "--test",
            *("--test-reporter=spec", "--test-reporter-destination=stdout"),
            *("--test-reporter=tap", f"--test-reporter-destination={report}"),
            *files,
        ],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
    ).returncode
    text = report.read_text() if report.exists() else ""
    totals = {
        name: int(number) for name, number in re.findall(r"^# (pass|fail|cancelled|skipped|todo) (\d+)$", text, re.M)
    }
    count = Count(
        totals.get("pass", 0),
        totals.get("fail", 0) + totals.get("cancelled", 0),
        totals.get("skipped", 0) + totals.get("todo", 0),
    )
    return count if count.failed or code == 0 else count + Count(failed=1)


def main() -> int:
    begun = time.monotonic()
    train = sys.argv[1:] == ["train"]
    if sys.argv[1:] not in ([], ["train"]):
        sys.exit("usage: python -m tests [train]")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if train:
            count = run_pytest(["tests/train"], folder)
        else:
            try:
                os.environ["CHROMIUM"] = chromium.path()
            except chromium.NoBrowser as problem:
                print(problem)  # the browser tests fail below with the same reason
            count = run_pytest(["--ignore=tests/train", "-m", "not train"], folder) + run_node(folder)
    print(f"\nTook {time.monotonic() - begun:.0f} s")
    print(f"{count.passed} passed, {count.failed} failed, {count.skipped} skipped", flush=True)
    return 1 if count.failed or not count.passed else 0


if __name__ == "__main__":
    sys.exit(main())
