"""A Chromium for the tests: found, else installed, else a failure that says why. Never a silent skip.

`python -m tests.browser.chromium` prints its path.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PACKAGES = ("chromium", "fonts-liberation")  # without a font pages show boxes
FLAGS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    "--disable-dev-shm-usage",  # /dev/shm is small in containers
)


class NoBrowser(RuntimeError):
    """No Chromium could be found or installed; the text says what was tried."""


def flags() -> list[str]:
    """Command-line flags: no traffic of the browser's own; no sandbox for root, where Chromium refuses it."""
    return [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else list(FLAGS)


def playwright_builds() -> list[Path]:
    """Chromium builds that Playwright has downloaded, newest first."""
    given = os.environ.get("PLAYWRIGHT_BROWSERS_PATH")
    cache = Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
    base = Path(given) if given else cache / "ms-playwright"
    patterns = ("chromium-*/chrome-linux*/chrome", "chromium-*/chrome-mac*/*.app/Contents/MacOS/*")
    return sorted((path for pattern in patterns for path in base.glob(pattern)), reverse=True)


def works(path: str | Path) -> bool:
    """It starts: on some systems the name on the PATH only tells you to install something."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and "Chrom" in done.stdout


def find() -> str | None:
    named = os.environ.get("CHROMIUM")
    if named:
        if not works(named):
            raise NoBrowser(f"CHROMIUM names {named}, which does not start.")
        return named
    on_path = (found for name in NAMES if (found := shutil.which(name)))
    return next((str(path) for path in (*on_path, *playwright_builds()) if works(path)), None)


def attempt(command: list[str], timeout: float) -> str:
    """Run one installation step; returns what went wrong, or nothing."""
    print(f"Installing a browser for the tests: {' '.join(command)}", flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            env=environment,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{' '.join(command)}: {error}"
    if done.returncode:
        return f"{' '.join(command)}: {done.stdout.strip()[-500:]}"
    return ""


def install() -> list[str]:
    """Debian's package as root (it brings the libraries too), else Playwright's build. Returns what went wrong."""
    problems = []
    if os.geteuid() == 0 and shutil.which("apt-get"):
        problems.append(attempt(["apt-get", "update", "-q"], 300))
        problems.append(attempt(["apt-get", "install", "-y", "-q", "--no-install-recommends", *PACKAGES], 900))
        if find():
            return []
    problems.append(attempt([sys.executable, "-m", "playwright", "install", "chromium"], 300))
    return [problem for problem in problems if problem]


def path() -> str:
    """Path of a Chromium that starts. Raises NoBrowser."""
    found = find()
    if found:
        return found
    problems = install()
    found = find()
    if found:
        return found
    tried = "\n".join(problems) or "the installed browser does not start; a system library may be missing"
    raise NoBrowser(
        "The tests need Chromium and none could be had. Install it (Debian: apt-get install chromium) or name one in"
        f" CHROMIUM. Tried:\n{tried}"
    )


if __name__ == "__main__":
    try:
        print(path())
    except NoBrowser as problem:
        sys.exit(str(problem))
