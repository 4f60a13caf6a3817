"""Set-up gives plain answers before any long step."""

import ast
import os
import shutil
import socket
import subprocess
import sys
import time

import pytest

from marketplace import prepare
from tests.settings import ROOT


@pytest.fixture
def busy_port():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def run_prepare(*arguments: str, program=ROOT / "marketplace" / "prepare.py", **variables: str):
    return subprocess.run(
        [sys.executable, str(program), *arguments],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def bare_tree(tmp_path):
    """A tree where nothing was ever set up."""
    (tmp_path / "marketplace").mkdir()
    shutil.copy(ROOT / "marketplace" / "prepare.py", tmp_path / "marketplace")
    return tmp_path / "marketplace" / "prepare.py"


def test_a_busy_port_is_said_at_once_with_the_remedy(bare_tree, busy_port):
    began = time.monotonic()
    done = run_prepare("run", program=bare_tree, PORT=str(busy_port), VAR_DIR="")
    assert done.returncode == 1
    assert f"Port {busy_port} is in use" in done.stderr
    assert f"make run PORT={busy_port + 1}" in done.stderr
    assert "Traceback" not in done.stderr
    assert time.monotonic() - began < 5
    assert not (bare_tree.parent.parent / ".venv").exists(), "nothing long may have begun"


@pytest.mark.parametrize("port", ["0", "99999", "http"])
def test_a_senseless_port_is_refused(bare_tree, port):
    done = run_prepare("run", program=bare_tree, PORT=port)
    assert done.returncode == 1
    assert "PORT must be a whole number" in done.stderr


def test_missing_node_is_said(bare_tree):
    done = run_prepare("run", program=bare_tree, PATH="/nowhere")
    assert done.returncode == 1
    assert "This needs Node.js 20 or newer with npm" in done.stderr


def test_an_old_node_is_said(bare_tree, tmp_path):
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("node", "npm"):
        (folder / name).write_text("#!/bin/sh\necho v18.19.0\n")
        (folder / name).chmod(0o755)
    done = run_prepare("run", program=bare_tree, PATH=f"{folder}:{os.environ['PATH']}")
    assert done.returncode == 1
    assert "is v18.19.0" in done.stderr


def test_an_old_python_is_said(monkeypatch, capsys):
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SystemExit) as ended:
        prepare.use_new_python()
    assert ended.value.code == 1
    assert "This needs Python 3.11 or newer" in capsys.readouterr().err


def test_a_newer_python_on_the_path_is_taken(monkeypatch):
    taken = []
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    monkeypatch.setattr(sys, "argv", ["prepare.py", "run"])
    monkeypatch.setattr(shutil, "which", lambda name: f"/opt/{name}" if name == "python3.12" else None)
    monkeypatch.setattr(os, "execv", lambda path, arguments: taken.append((path, arguments)))
    with pytest.raises(SystemExit):  # execv does not return; the stand-in does
        prepare.use_new_python()
    assert taken == [("/opt/python3.12", ["/opt/python3.12", "prepare.py", "run"])]


def test_set_up_parses_on_an_old_python():
    ast.parse((ROOT / "marketplace" / "prepare.py").read_text(), feature_version=(3, 7))


def test_a_python_without_venv_is_said(bare_tree):
    code = (
        "import sys, runpy; sys.modules['ensurepip'] = None; sys.argv = ['prepare.py', 'test'];"
        f" runpy.run_path({str(bare_tree)!r}, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "apt-get install python3-venv" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unchanged_tree_is_set_up_in_no_time():
    assert run_prepare("test").returncode == 0
    began = time.monotonic()
    done = run_prepare("test")
    assert done.returncode == 0, done.stderr
    assert "Installing" not in done.stdout
    assert time.monotonic() - began < 15


def test_a_failing_step_shows_what_it_said(capsys):
    with pytest.raises(SystemExit):
        prepare.stream([sys.executable, "-c", "print('no such package'); exit(3)"], r"never", "That failed.")
    assert "no such package" in (message := capsys.readouterr().err)
    assert "That failed." in message
