"""`make run` from its start to Ctrl-C, and what is left when it is killed."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import psycopg
import pytest

from listings import checks
from marketplace import embedded, serve
from tests.settings import ROOT
from tests.stack import fetch, free_port, until


class Run:
    """One `make run` (without its set-up) over a data folder of its own."""

    def __init__(self, var: Path, port: int, **variables: str) -> None:
        self.var, self.port = var, port
        self.log = var.parent / f"{var.name}.log"
        environment = os.environ | {
            "VAR_DIR": str(var),
            "PORT": str(port),
            "DEMO": "0",
            "DATABASE_URL": "",
            "REDIS_URL": "",
            "DJANGO_SETTINGS_MODULE": "marketplace.settings",
        }
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "marketplace.serve"],
                cwd=ROOT,
                env=environment | variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def until_open(self) -> None:
        def opened() -> bool:
            assert self.process.poll() is None, self.said()
            return f"Open http://127.0.0.1:{self.port}/" in self.said()

        until(opened, 180, "the site is open")

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def interrupt(self) -> int:
        """Ctrl-C at a terminal reaches the whole foreground group."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(60)


def users_of(var: Path) -> list[str]:
    """Command lines of living processes that name the folder."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        command = " ".join(process.info["cmdline"] or [])
        if str(var) in command and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(command)
    return found


def ready_parts(port: int) -> dict[str, str]:
    return json.loads(fetch(f"http://127.0.0.1:{port}/readyz", timeout=30)[1])["parts"]


@pytest.fixture
def var(tmp_path, collected_static):
    folder = tmp_path / "market"
    folder.mkdir()
    yield folder
    for process in psutil.process_iter(["environ"]):  # only what a failed test left behind
        if (process.info["environ"] or {}).get("VAR_DIR") == str(folder) and process.pid != os.getpid():
            process.kill()
    embedded.stop(folder)


def test_the_site_opens_survives_kills_and_ends_without_a_trace(var):
    port = free_port()
    run = Run(var, port)
    run.until_open()
    assert fetch(f"http://127.0.0.1:{port}/healthz")[0] == 200
    assert ready_parts(port)["database"] == ready_parts(port)["broker"] == "ok"

    # A second start from the same folder is told where the first one is.
    second = Run(var, free_port())
    second.log = var.parent / "second.log"
    assert second.process.wait(30) == 1

    # A child that dies comes back, and the terminal says so.
    web = next(p for p in run.family() if "gunicorn" in " ".join(p.cmdline()) and p.ppid() == run.process.pid)
    web.kill()
    until(lambda: "web ended by itself (code -9); starting it again" in run.said(), 20, "the death is said")

    def back() -> bool:
        try:
            return fetch(f"http://127.0.0.1:{port}/healthz")[0] == 200
        except OSError:
            return False

    until(back, 60, "the web server is back")

    # The supervisor itself is killed: its children end, and the next start works on the same port and data.
    family = run.family()
    run.process.kill()
    run.process.wait()
    again = Run(var, port)
    again.until_open()
    assert not any(process.is_running() and process in again.family() for process in family)
    assert again.interrupt() == 0
    assert "stopped" in again.said()
    until(lambda: users_of(var) == [], 20, "nothing is left running")
    assert not (var / "site.json").exists()


def test_given_database_and_broker_are_used_and_left_alone(var, stack):
    name = "given_to_run"
    with psycopg.connect(stack.database_url, dbname="postgres", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
    address = stack.database_url.rpartition("/")[0] + f"/{name}"
    port = free_port()
    run = Run(var, port, DATABASE_URL=address, REDIS_URL=stack.redis_url.replace("db=0", "db=1"))
    run.until_open()
    assert ready_parts(port)["database"] == ready_parts(port)["broker"] == "ok"
    assert not (var / "postgres").exists() and not (var / "redis").exists()
    with psycopg.connect(address) as connection:
        assert connection.execute("SELECT count(*) FROM listings_listing").fetchone() == (0,)
    assert run.interrupt() == 0
    assert stack.redis.answers()
    with psycopg.connect(stack.database_url, dbname="postgres", autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_database_that_does_not_answer_is_said_plainly(var):
    run = Run(
        var, free_port(), DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing", REDIS_URL="redis://127.0.0.1:1/0"
    )
    assert run.process.wait(60) == 1
    assert "The database does not answer. Check DATABASE_URL." in run.said()
    assert "Traceback" not in run.said()
    assert users_of(var) == []


def test_a_broker_that_does_not_answer_is_said_plainly(var, stack):
    run = Run(var, free_port(), DATABASE_URL=stack.database_url, REDIS_URL="redis://127.0.0.1:1/0")
    assert run.process.wait(60) == 1
    assert "Redis does not answer. Check REDIS_URL." in run.said()
    assert "Traceback" not in run.said()


def test_a_port_taken_in_the_meantime_is_said(var):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        run = Run(var, server.getsockname()[1])
        assert run.process.wait(30) == 1
    assert "is in use by another program" in run.said()
    assert "Traceback" not in run.said()


def test_every_check_has_a_worker_and_the_reader_is_one_process():
    children = {child.name: child.command for child in serve.programs()}
    named = (children[name][children[name].index("--queues") + 1] for name in ("worker", "reader"))
    served = {queue for queues in named for queue in queues.split(",")}
    assert served == {terms.queue for terms in checks.TERMS.values()} | {"renditions"}
    reader = children["reader"]
    assert reader[reader.index("--queues") + 1] == checks.READER_QUEUE
    assert reader[reader.index("--concurrency") + 1] == "1"


def test_a_pid_that_came_round_again_is_not_ours_to_end(tmp_path):
    innocent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    record = tmp_path / "site.json"
    created = psutil.Process(innocent.pid).create_time()
    record.write_text(json.dumps([{"pid": innocent.pid, "created": created - 1000}]))
    serve.end_leftovers(record)
    assert innocent.poll() is None
    record.write_text(json.dumps([{"pid": innocent.pid, "created": created}]))
    serve.end_leftovers(record)
    assert innocent.wait(10) is not None
    assert not record.exists()


@pytest.mark.parametrize("content", ["", "{", "[{}]", '[{"pid": "x"}]', "null", "[1]"])
def test_a_damaged_record_is_no_obstacle(tmp_path, content):
    record = tmp_path / "site.json"
    record.write_text(content)
    serve.end_leftovers(record)
