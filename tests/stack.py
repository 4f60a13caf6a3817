"""The real site for tests: gunicorn with hashed static files, a Celery worker, beat, Redis, PostgreSQL."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import psutil
import redis
from django.db import connection

from marketplace import embedded

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = ("web", "worker", "reader", "beat")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], object], timeout: float, what: str, pause: float = 0.1) -> None:
    """Poll until `condition()` is true. Fails with `what` after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:.0f} s: {what}")
        time.sleep(pause)


def fetch(url: str, timeout: float = 10) -> tuple[int, bytes]:
    """Status and body, without following the environment's proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=timeout) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


class Stack:
    def __init__(self, var: Path, redis_folder: Path, database: str) -> None:
        self.var = var
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.database_url = f"postgresql://postgres@{quote(str(embedded.socket_dir(var) / 'pg'), safe='')}/{database}"
        self.redis_url = embedded.redis_url(redis_folder)
        self.redis = embedded.Redis(redis_folder)
        embedded.prepare(redis_folder)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def environment(self) -> dict[str, str]:
        own = {
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "PORT": str(self.port),
            "DJANGO_SETTINGS_MODULE": "marketplace.settings",
            "PYTHONUNBUFFERED": "1",
        }
        return os.environ | own

    def log(self, name: str) -> Path:
        return self.var / "log" / f"{name}.log"

    # --- Processes ---------------------------------------------------------------------------------------------------
    def spawn(self, name: str) -> None:
        celery = ["celery", "--app", "marketplace", "--quiet"]
        worker = [*celery, "worker", "--loglevel", "INFO", "--without-gossip", "--without-mingle"]
        command = {
            "web": ["gunicorn", "-c", "marketplace/gunicorn.conf.py", "--workers", "1", "marketplace.wsgi"],
            "worker": [*worker, "-n", "worker@%h", "-Q", "celery,renditions", "-c", "2"],
            "reader": [*worker, "-n", "reader@%h", "-Q", "photo-text", "-c", "1"],
            "beat": [*celery, "beat", "--loglevel", "WARNING", "--pidfile="],
        }[name]
        self.log(name).parent.mkdir(parents=True, exist_ok=True)
        with open(self.log(name), "ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=embedded.die_with_parent(signal.SIGTERM),
            )

    def kill(self, name: str) -> None:
        """kill -9 of the process and all its children at once, as when a machine runs out of memory."""
        process = self.processes[name]
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        for member in family:
            with contextlib.suppress(psutil.Error):
                member.kill()
        process.wait(10)

    def children(self, name: str) -> list[psutil.Process]:
        return psutil.Process(self.processes[name].pid).children()

    def start(self) -> None:
        for name in PROGRAMS:
            self.log(name).unlink(missing_ok=True)
        self.start_redis()
        self.wipe_redis()
        for name in PROGRAMS:
            self.spawn(name)
        self.await_ready()

    def await_ready(self) -> None:
        self.until_log("worker", "ready.")
        self.until_log("reader", "ready.")
        until(lambda: self.answers("/healthz"), 60, f"the web server answers; see {self.log('web')}")

    def answers(self, path: str) -> bool:
        try:
            return fetch(self.url + path)[0] == 200
        except OSError:
            return False

    def until_log(self, name: str, text: str, timeout: float = 60) -> None:
        log = self.log(name)
        until(lambda: log.exists() and text in log.read_text(errors="replace"), timeout, f"{text!r} in {log}")

    def restore(self) -> None:
        """Bring back whatever an earlier test stopped or killed, and empty the queue."""
        self.signal_all(signal.SIGCONT)
        if self.redis.process is None or self.redis.process.poll() is not None:
            self.start_redis()
        self.wipe_redis()
        self.revive()
        self.await_ready()

    def revive(self) -> None:
        """Start again what ended, as the supervisor of `make run` does."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                self.spawn(name)

    def settle(self) -> None:
        """Hold all processes at a moment when none works on rows, so that the database can be emptied."""
        self.wipe_redis()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            self.signal_all(signal.SIGSTOP)
            if not self.working_sessions():
                return
            self.signal_all(signal.SIGCONT)
            time.sleep(0.05)

    def working_sessions(self) -> int:
        """Database sessions, but for our own, that are in the middle of something."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND backend_type = 'client backend' AND state <> 'idle'"
            )
            return int(cursor.fetchone()[0])

    def signal_all(self, how: signal.Signals) -> None:
        for process in self.processes.values():
            if process.poll() is None:
                with contextlib.suppress(psutil.Error):
                    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
                    for member in family:
                        member.send_signal(how)

    def stop(self) -> None:
        self.signal_all(signal.SIGCONT)
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
        self.redis.stop()

    # --- Redis -------------------------------------------------------------------------------------------------------
    def start_redis(self) -> None:
        self.redis.start()
        until(self.redis.answers, 20, "Redis answers")

    def kill_redis(self) -> None:
        assert self.redis.process
        self.redis.process.kill()
        self.redis.process.wait(10)

    def wipe_redis(self) -> None:
        """Everything in the broker is gone, as after a loss of its disk."""
        if self.redis.process is None or self.redis.process.poll() is not None:
            return
        with contextlib.closing(redis.Redis.from_url(self.redis_url)) as client:
            client.flushall()

    def queued(self, task: str = "run_check", queue: str = "celery") -> int:
        """Tasks of one kind in the queue; what beat sends beside them does not count."""
        with contextlib.closing(redis.Redis.from_url(self.redis_url)) as client:
            return sum(task.encode() in message for message in client.lrange(queue, 0, -1))

    def stop_worker(self) -> None:
        """Politely; tasks stay in the queue until `start_worker`."""
        process = self.processes["worker"]
        process.terminate()
        process.wait(60)

    def start_worker(self) -> None:
        self.spawn("worker")
