"""The site's settings with a data folder of their own, so that tests never touch a site that runs from this tree.

Two test runs at once get two folders: each holds a lock on its own (var/test, var/test-2, ...) until it ends.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from marketplace import embedded

ROOT = Path(__file__).resolve().parent.parent
RUNS_AT_ONCE = 9


def own_folder() -> tuple[Path, object]:
    """A free folder under var/ and the open lock that keeps it ours."""
    (ROOT / "var").mkdir(exist_ok=True)
    for number in range(1, RUNS_AT_ONCE + 1):
        folder = ROOT / "var" / ("test" if number == 1 else f"test-{number}")
        folder.mkdir(exist_ok=True)
        lock = open(folder / "pytest.lock", "w")  # noqa: SIM115
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        return folder, lock
    raise SystemExit(f"{RUNS_AT_ONCE} test runs are at work in this tree already.")


FOLDER, LOCK = own_folder()
SITE_FOLDER = FOLDER / "site"  # Redis of the real stack: tests stop, wipe and kill it

# Child processes (gunicorn, worker, beat, manage.py) see the same through the environment.
for name in ("DATABASE_URL", "DEBUG", "DEMO", "HTTPS", "ALLOWED_HOSTS", "PORT"):
    os.environ.pop(name, None)
os.environ["VAR_DIR"] = str(FOLDER)
os.environ["REDIS_URL"] = embedded.redis_url(SITE_FOLDER)
os.environ["SECRET_KEY"] = "only-for-tests-" + "x" * 40
os.environ["DEMO"] = "1"
# Playwright keeps an event loop in the main thread; Django would refuse the database there.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

from marketplace.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
# Pages rendered in this process need no collected files; the real stack serves hashed ones.
STORAGES = STORAGES | {  # noqa: F405
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
}
