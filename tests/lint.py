"""`make lint`: format and rules of Python, types, and the syntax of every JavaScript module."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def check(name: str, command: list[str]) -> bool:
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    print(f"{name}: {'ok' if done.returncode == 0 else 'FAILED'}", flush=True)
    if done.returncode:
        print((done.stdout + done.stderr).rstrip(), flush=True)
    return done.returncode == 0


def javascript() -> list[Path]:
    folders = (ROOT / "static", ROOT / "tests")
    return sorted(
        path
        for folder in folders
        for path in folder.rglob("*")
        if path.suffix in {".js", ".mjs"} and "node_modules" not in path.parts
    )


def check_javascript(files: list[Path]) -> bool:
    """Syntax only, a file at a time: node checks no more than one."""
    broken = [path for path in files if subprocess.run(["node", "--check", path], stdin=subprocess.DEVNULL).returncode]
    print(f"node --check ({len(files)} files): {'FAILED' if broken else 'ok'}", flush=True)
    return not broken


def main() -> int:
    python = [sys.executable, "-m"]
    results = [
        check("ruff check", [*python, "ruff", "check", "--output-format=concise", "."]),
        check("ruff format", [*python, "ruff", "format", "--check", "--quiet", "."]),
        check("mypy", [*python, "mypy", "--cache-dir=/dev/null"]),
        check_javascript(javascript()),
    ]
    print("lint: clean" if all(results) else f"lint: {results.count(False)} of {len(results)} checks failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
