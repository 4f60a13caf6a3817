"""The embedded servers start by themselves, recover from kill -9 of anything, and end when nobody needs them."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import psutil
import psycopg
import pytest
import redis

from marketplace import embedded
from tests.settings import ROOT
from tests.stack import until


@pytest.fixture(scope="module")
def var(tmp_path_factory):
    """A data folder with a database in it; its servers are gone at the end."""
    folder = tmp_path_factory.mktemp("services")
    yield folder
    assert embedded.stop(folder), "the services did not end"


def supervisor(var) -> psutil.Process:
    return psutil.Process(int((embedded.socket_dir(var) / "supervisor.pid").read_text()))


def servers(var) -> dict[str, psutil.Process]:
    """The two servers by name, as children of the supervisor."""
    return {child.name(): child for child in supervisor(var).children()}


def ask(var, query: str, *, dbname: str = embedded.DATABASE):
    with psycopg.connect(embedded.database_url(var), dbname=dbname, autocommit=True) as connection:
        cursor = connection.execute(query)
        return cursor.fetchall() if cursor.description else None


def ready(var) -> None:
    embedded.ensure(var, "postgres")
    embedded.ensure(var, "redis")


def client(var) -> redis.Redis:
    return redis.Redis.from_url(embedded.redis_url(var))


def test_both_servers_start_and_answer(var):
    ready(var)
    assert ask(var, "SELECT 1") == [(1,)]
    assert client(var).ping()


def test_the_vector_extension_is_there(var):
    ready(var)
    ask(var, "CREATE EXTENSION IF NOT EXISTS vector")
    assert ask(var, "SELECT '[1,2]'::vector <-> '[1,3]'::vector") == [(1.0,)]


def test_postgres_does_not_run_as_root(var):
    ready(var)
    assert servers(var)["postgres"].uids().effective != 0


def test_other_users_of_the_machine_are_kept_out(var):
    ready(var)
    assert (var / "postgres").stat().st_mode & 0o077 == 0
    socket = embedded.socket_dir(var) / "pg" / embedded.POSTGRES_SOCKET
    assert socket.stat().st_mode & 0o077 == 0
    assert (embedded.socket_dir(var) / "redis.sock").stat().st_mode & 0o077 == 0


def test_many_processes_at_once_share_one_supervisor(var):
    assert embedded.stop(var)
    code = (
        f"import pathlib; from marketplace import embedded as e; v = pathlib.Path({str(var)!r}); e.ensure(v, 'redis')"
    )
    racers = [subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) for _ in range(4)]
    assert [racer.wait(60) for racer in racers] == [0] * 4

    def supervisors() -> int:
        commands = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
        return sum("marketplace.embedded" in command and str(var) in command for command in commands)

    until(lambda: supervisors() == 1, 10, "the losers of the race have gone")
    assert client(var).ping()


def test_data_survives_kill_9_of_the_supervisor(var):
    ready(var)
    ask(var, "CREATE TABLE IF NOT EXISTS kept (word text)")
    ask(var, "INSERT INTO kept VALUES ('here')")
    old, children = supervisor(var), servers(var)
    old.kill()
    # The parent-death signal ends both servers, so none is left behind even if nobody ever starts again.
    assert psutil.wait_procs(children.values(), timeout=20)[1] == []
    ready(var)
    assert supervisor(var).pid != old.pid
    assert ask(var, "SELECT DISTINCT word FROM kept") == [("here",)]
    assert client(var).ping()


@pytest.mark.parametrize("name", ["postgres", "redis-server"])
def test_a_killed_server_is_started_again(var, name):
    ready(var)
    old = servers(var)[name]
    old.kill()
    until(lambda: servers(var).get(name) not in (None, old), 20, f"{name} runs again")
    ready(var)
    assert ask(var, "SELECT 1") == [(1,)]
    assert client(var).ping()


def test_kill_9_of_everything_at_once_is_recovered(var):
    ready(var)
    victims = [supervisor(var), *supervisor(var).children(recursive=True)]
    for victim in victims:
        with contextlib.suppress(psutil.NoSuchProcess):  # some end by themselves as soon as the first is gone
            victim.kill()
    psutil.wait_procs(victims, timeout=10)
    ready(var)
    assert ask(var, "SELECT 1") == [(1,)]


def test_stale_files_do_not_stop_a_start(var):
    assert embedded.stop(var)
    run = embedded.socket_dir(var)
    # All of them name a process that lives (this one) and is not what the file says.
    (run / "supervisor.pid").write_text(str(os.getpid()))
    (run / "state.json").write_text(json.dumps({"postgres": {"state": "ready"}, "redis": {"state": "ready"}}))
    pid_file = f"{os.getpid()}\n{var / 'postgres'}\n1700000000\n5432\n{run / 'pg'}\n\n  1 2\nready   \n"
    (var / "postgres" / "postmaster.pid").write_text(pid_file)
    (var / "postgres" / ".handle_pids.json").write_text(json.dumps([os.getpid(), 999999]))
    (run / "pg" / embedded.POSTGRES_SOCKET).touch()
    (run / "pg" / f"{embedded.POSTGRES_SOCKET}.lock").write_text(pid_file)
    (run / "redis.sock").touch()
    (var / "postgres.new").mkdir(exist_ok=True)
    (var / "postgres.new" / "half").touch()
    ready(var)
    assert ask(var, "SELECT 1") == [(1,)]
    assert client(var).ping()


def test_servers_left_by_an_earlier_run_are_ended_first(var):
    assert embedded.stop(var)
    left = [embedded.Postgres(var), embedded.Redis(var)]
    for service in left:
        service.start()  # children of this process, which no supervisor knows
        until(service.answers, 20, f"{service.name} answers")
    ready(var)
    for service in left:
        assert service.process and service.process.wait(10) is not None
    assert ask(var, "SELECT 1") == [(1,)]


def test_a_broken_queue_file_is_put_aside(var):
    assert embedded.stop(var)
    (var / "redis" / "appendonly.aof").write_bytes(b"*3\r\n$3\r\nSET\r\n" + b"nonsense that is no command\r\n" * 20)
    ready(var)
    assert client(var).ping()
    assert list((var / "redis").glob("broken-*"))


def test_unused_services_end(var):
    ready(var)
    old = supervisor(var)
    children = old.children()
    embedded.release(var)
    started = time.monotonic()
    assert psutil.wait_procs([old, *children], timeout=embedded.GRACE + 20)[1] == []
    assert time.monotonic() - started > embedded.GRACE / 2, "they should wait a little for the next command"


def test_a_service_in_use_by_another_process_stays(var):
    code = (
        f"import pathlib, time; from marketplace import embedded as e; e.ensure(pathlib.Path({str(var)!r}), 'redis');"
        " print('held', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE)
    assert other.stdout and other.stdout.readline() == b"held\n"
    ready(var)
    assert embedded.stop(var) is False
    assert client(var).ping()
    other.kill()
    other.wait()
    assert embedded.stop(var)


def test_a_hangup_ends_only_what_is_unused(var):
    embedded.ensure(var, "redis")
    supervisor(var).send_signal(signal.SIGHUP)
    time.sleep(0.5)
    assert client(var).ping()


def test_a_deep_folder_gets_short_sockets(tmp_path):
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    try:
        ready(deep)
        assert ask(deep, "SELECT 1") == [(1,)]
        assert client(deep).ping()
        run = embedded.socket_dir(deep)
        assert len(str(run / "pg" / embedded.POSTGRES_SOCKET)) < embedded.SOCKET_PATH_LIMIT
        assert (deep / "postgres" / "PG_VERSION").exists()
    finally:
        assert embedded.stop(deep)


def test_a_run_folder_of_somebody_else_is_refused(tmp_path, monkeypatch):
    (tmp_path / "run").mkdir()
    monkeypatch.setattr(os, "getuid", lambda: 4711)
    with pytest.raises(embedded.ServiceFailed, match="belongs to another user"):
        embedded.prepare(tmp_path)


def test_a_server_that_cannot_start_says_where_to_look(tmp_path, monkeypatch):
    (tmp_path / "redis").write_text("a file where a folder should be")
    try:
        with pytest.raises(embedded.ServiceFailed, match=r"redis does not start.*services\.log"):
            embedded.ensure(tmp_path, "redis")
    finally:
        embedded.stop(tmp_path)
