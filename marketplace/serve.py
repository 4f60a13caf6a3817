"""`make run`: brings the whole site up, keeps it up, and takes all of it down again.

One supervisor with four children: gunicorn (web), a Celery worker, a second one that reads text in photos, and Celery
beat. Database and broker have their own
supervisor when they are embedded (marketplace/embedded.py); this one holds on to them while it lives.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg
import redis

from marketplace import embedded
from marketplace.prepare import port_problem

ROOT = Path(__file__).resolve().parent.parent
READY_TIMEOUT = 120.0  # seconds
BACKOFF = (1, 2, 5, 10, 30)  # seconds before a child that ended by itself is started again
STEADY = 60.0  # seconds after which a child counts as well again
QUEUES, READER_QUEUE = "celery,renditions", "photo-text"  # as listings/checks.py and the settings name them
READER_KILOBYTES = 1_000_000
PATIENCE = ((signal.SIGTERM, 8.0), (signal.SIGQUIT, 3.0), (signal.SIGKILL, 5.0))


class Stopped(Exception):
    """Somebody pressed Ctrl-C, or asked us to end in another way."""


_printing = threading.Lock()


def say(text: str, who: str = "run") -> None:
    with _printing, contextlib.suppress(OSError):  # a terminal that has gone must not keep us from ending the children
        print(f"{who:<7}| {text}", flush=True)


# --- Children --------------------------------------------------------------------------------------------------------
@dataclass
class Child:
    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    ended: float = 0.0
    failures: int = 0
    reader: threading.Thread | None = field(default=None, repr=False)

    def start(self) -> None:
        # A session of its own: Ctrl-C at the terminal reaches only us, and we end the children in order.
        self.process = subprocess.Popen(
            self.command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=embedded.die_with_parent(signal.SIGTERM),
        )
        self.started = time.monotonic()
        self.reader = threading.Thread(target=self.copy_output, args=(self.process,), daemon=True)
        self.reader.start()

    def copy_output(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout
        for line in process.stdout:
            say(line.decode("utf-8", "replace").rstrip(), self.name)

    def tend(self) -> bool:
        """Start it again when it has ended, after a growing pause. True when it was started."""
        now = time.monotonic()
        if self.process and self.process.poll() is None:
            if self.failures and now - self.started > STEADY:
                self.failures = 0
            return False
        if self.process:
            wait = BACKOFF[min(self.failures, len(BACKOFF) - 1)]
            say(f"{self.name} ended by itself (code {self.process.returncode}); starting it again in {wait} s")
            end_group(self.process.pid)  # its own children, if it left any
            self.process, self.ended = None, now
            self.failures += 1
            return False
        if now - self.ended < BACKOFF[min(self.failures - 1, len(BACKOFF) - 1)]:
            return False
        self.start()
        return True


def end_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def end_children(children: list[Child]) -> None:
    """All at once, politely first; a task cut short is sent again by the sweeper."""
    living = [child for child in children if child.process and child.process.poll() is None]
    for how, patience in PATIENCE:
        for child in living:
            assert child.process
            child.process.send_signal(how)
        deadline = time.monotonic() + patience
        while living and time.monotonic() < deadline:
            living = [child for child in living if child.process and child.process.poll() is None]
            time.sleep(0.05)
    for child in children:
        if child.process:
            end_group(child.process.pid)


def programs() -> list[Child]:
    celery = [sys.executable, "-m", "celery", "--app", "marketplace", "--quiet"]
    worker = [*celery, "worker", "--loglevel", "INFO", "--without-gossip", "--without-mingle"]
    return [
        Child("web", [sys.executable, "-m", "gunicorn", "-c", "marketplace/gunicorn.conf.py", "marketplace.wsgi"]),
        Child("worker", [*worker, "--hostname", "worker@%h", "--queues", QUEUES, "--concurrency", "2"]),
        # One process: the reader keeps half a gigabyte. It yields to pages and to the quick checks, and begins anew
        # when it has grown.
        Child(
            "reader",
            [
                *("nice", "-n", "10"),
                *(*worker, "--hostname", "reader@%h", "--queues", READER_QUEUE, "--concurrency", "1"),
                *("--max-memory-per-child", str(READER_KILOBYTES)),
            ],
        ),
        Child("beat", [*celery, "beat", "--loglevel", "WARNING", "--pidfile="]),
    ]


# --- What an earlier run left behind ---------------------------------------------------------------------------------
def write_record(path: Path, children: list[Child]) -> None:
    """Who runs now, for the next start to find should we be killed."""
    entries = []
    for pid in [os.getpid(), *(child.process.pid for child in children if child.process)]:
        with contextlib.suppress(psutil.Error):
            entries.append({"pid": pid, "created": psutil.Process(pid).create_time()})
    aside = path.with_suffix(".new")
    aside.write_text(json.dumps(entries))
    aside.replace(path)


def end_leftovers(path: Path) -> None:
    """End what a killed supervisor left: pid and time of start must both match, for pids come round again."""
    try:
        entries = json.loads(path.read_text())
    except (OSError, ValueError):
        return
    family: list[psutil.Process] = []
    for entry in entries if isinstance(entries, list) else []:
        with contextlib.suppress(psutil.Error, KeyError, TypeError):
            process = psutil.Process(entry["pid"])
            if abs(process.create_time() - entry["created"]) < 1:
                family += [process, *process.children(recursive=True)]
    if family:
        say("ending what an earlier run left behind")
    for how in (signal.SIGTERM, signal.SIGKILL):
        for process in family:
            with contextlib.suppress(psutil.Error):
                process.send_signal(how)
        _, family = psutil.wait_procs(family, timeout=10)
    path.unlink(missing_ok=True)


# --- Steps before the children ---------------------------------------------------------------------------------------
def manage(*arguments: str) -> None:
    """Run a management command with its output on the terminal. Raises SystemExit with a plain line on failure."""
    process = subprocess.Popen([sys.executable, "manage.py", *arguments], cwd=ROOT, stdin=subprocess.DEVNULL)
    try:
        code = process.wait()
    except BaseException:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        raise
    if code:
        raise SystemExit(f"manage.py {' '.join(arguments)} failed (code {code}); the reason stands above.")


def check_services(database_url: str, redis_url: str) -> None:
    """Raises SystemExit with a plain line when a given database or broker cannot be used."""
    try:
        with psycopg.connect(database_url, connect_timeout=10) as connection:
            vector = connection.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'vector'").fetchone()
    except psycopg.Error as error:
        raise SystemExit(f"The database does not answer. Check DATABASE_URL.\n{error}") from None
    if not vector:
        raise SystemExit("The PostgreSQL server of DATABASE_URL lacks the extension pgvector. Install it there.")
    try:
        with contextlib.closing(redis.Redis.from_url(redis_url, socket_connect_timeout=10)) as client:
            client.ping()
    except redis.RedisError as error:
        raise SystemExit(f"Redis does not answer. Check REDIS_URL.\n{error}") from None


def fill_with_demo(var: Path, database_url: str) -> None:
    """Demo data once for each database. An attempt that was interrupted is made again: the command is repeatable."""
    name = hashlib.sha256(database_url.encode()).hexdigest()[:12]
    mark = var / f"demo-{name}"
    begun = mark.exists() and mark.read_text() == "begun"
    if mark.exists() and not begun:
        return
    if not begun and has_users(database_url):
        mark.write_text("not needed")
        return
    say("filling the market with demo listings (first start only)")
    mark.write_text("begun")
    manage("demo")
    mark.write_text("done")


def has_users(database_url: str) -> bool:
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT EXISTS (SELECT 1 FROM listings_user)").fetchone()
    return bool(row and row[0])


def free_port(port: int) -> None:
    """Raises SystemExit when the port stays busy; a server that is just ending gets a moment."""
    deadline = time.monotonic() + 3
    while problem := port_problem(port):
        if time.monotonic() > deadline:
            raise SystemExit(problem)
        time.sleep(0.2)


def is_ready(port: int) -> bool | str:
    """True, or what /readyz says is missing, or False while nobody answers."""
    # No proxy from the environment: this is our own machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}/readyz", timeout=10) as response:
            return response.status == 200
    except urllib.error.HTTPError as error:
        with contextlib.suppress(ValueError, KeyError):
            parts = json.load(error)["parts"]
            return ", ".join(f"{part}: {state}" for part, state in parts.items() if state != "ok")
        return f"HTTP {error.code}"
    except OSError:
        return False


# --- The whole -------------------------------------------------------------------------------------------------------
class Site:
    def __init__(self) -> None:
        self.begun = time.monotonic()
        os.environ.setdefault("DEMO", "1")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")
        os.environ.setdefault("PYTHONUNBUFFERED", "1")
        from django.conf import settings

        self.var: Path = settings.VAR
        self.port: int = settings.PORT
        self.demo: bool = settings.DEMO
        self.database_url: str = settings.DATABASE_URL or embedded.database_url(self.var)
        self.record = self.var / "site.json"
        self.children = programs()

    def hold_lock(self) -> Any:
        lock = open(self.var / "site.lock", "a+")  # noqa: SIM115  (held until we end)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(
                f"The site already runs from this folder: {(self.var / 'site.url').read_text().strip()}\n"
                "Stop it there with Ctrl-C first."
            ) from None
        return lock

    def prepare(self) -> None:
        from django.conf import settings

        from marketplace import services

        end_leftovers(self.record)
        free_port(self.port)
        (self.var / "site.url").write_text(f"http://127.0.0.1:{self.port}/\n")
        write_record(self.record, [])
        say("starting PostgreSQL and Redis")
        services.ensure()
        check_services(self.database_url, settings.REDIS_URL)
        say("bringing the database up to date")
        manage("migrate", "--verbosity", "0")
        first = "" if settings.COMPRESSION_CACHE.exists() else " (compressing them takes about a minute, once)"
        say(f"collecting static files{first}")
        manage("collectstatic", "--no-input", "--verbosity", "0")
        if self.demo:
            fill_with_demo(self.var, self.database_url)

    def serve(self) -> None:
        from marketplace import services

        begun, ready, told = time.monotonic(), False, ""
        for child in self.children:
            child.start()
        write_record(self.record, self.children)
        while True:
            started = [child.tend() for child in self.children]
            if any(started):
                write_record(self.record, self.children)
            services.ensure()  # starts them again if their supervisor was killed; a few microseconds otherwise
            if not ready:
                state = is_ready(self.port)
                ready = state is True
                if ready:
                    say(f"ready {time.monotonic() - self.begun:.0f} s after the packages were in place; Ctrl-C stops everything")
                    with _printing:
                        print(f"\nOpen http://127.0.0.1:{self.port}/\n", flush=True)
                elif state and state != told:
                    told = str(state)
                    say(f"waiting for {told}")
                elif time.monotonic() - begun > READY_TIMEOUT and told != "late":
                    told = "late"
                    say(f"not ready after {READY_TIMEOUT:.0f} s; the lines above say why. Still trying.")
            time.sleep(0.3)

    def end(self) -> None:
        say("stopping")
        end_children(self.children)
        self.record.unlink(missing_ok=True)
        if not embedded.stop(self.var):
            say("the database stays up: another program of this folder still uses it, and ends it when it is done")
        say("stopped")


def on_signal(number: int, _frame: Any) -> None:
    raise Stopped


def main() -> None:
    try:
        site = Site()
        lock = site.hold_lock()
    except PermissionError as problem:
        sys.exit(f"{problem.filename} cannot be used: {problem.strerror}. Remove it or run as its owner.")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    code: int | str = 0
    try:
        site.prepare()
        site.serve()
    except Stopped:
        pass
    except SystemExit as problem:
        code = problem.code if isinstance(problem.code, (int, str)) else 1
    except (embedded.ServiceFailed, psycopg.Error) as problem:
        code = f"{problem}"
    finally:
        # Once only: make passes Ctrl-C on, and a hasty second one must not leave half of us running.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        site.end()
        lock.close()
    if isinstance(code, str):
        print(f"\n{code}", file=sys.stderr, flush=True)
        code = 1
    sys.exit(code)


if __name__ == "__main__":
    main()
