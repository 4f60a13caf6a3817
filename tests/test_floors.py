"""models <- listings <- recommendations <- marketplace: imports point downwards, and the device code has no page."""

import ast
import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.settings import ROOT

FLOORS = ["models", "listings", "recommendations", "marketplace"]
# Training is no part of the running site. `python -m models` is the command line that runs it.
TRAINING = ("models.recipes", "models.steps")
COMMAND_LINE = ROOT / "models" / "__main__.py"


def imports(path: Path) -> set[str]:
    """Absolute names of the modules that a file imports, wherever in it the import stands."""
    package = list(path.relative_to(ROOT).with_suffix("").parts[:-1])
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *(node.module or "").split(".")]).strip(".")
            found |= {module} | {f"{module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "import_module":
            found |= {arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)}
    return found


def modules(floor: str) -> list[Path]:
    return sorted((ROOT / floor).rglob("*.py"))


def is_under(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


@pytest.mark.parametrize("floor", FLOORS)
def test_nothing_imports_upward(floor):
    above = FLOORS[FLOORS.index(floor) + 1 :]
    assert modules(floor)
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(floor)
        for name in imports(path)
        if any(is_under(name, upper) for upper in above)
    ]
    assert wrong == []


def test_the_ground_floor_knows_no_django():
    wrong = [str(path) for path in modules("models") if any(is_under(name, "django") for name in imports(path))]
    assert wrong == []


def test_nothing_at_run_time_imports_training():
    running = [
        path
        for floor in FLOORS
        for path in modules(floor)
        if path != COMMAND_LINE and not re.match(r"models/(recipes|steps)/", path.relative_to(ROOT).as_posix())
    ]
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in running
        for name in imports(path)
        if any(is_under(name, package) for package in TRAINING)
    ]
    assert wrong == []


def test_the_site_runs_without_training_packages():
    pinned = (ROOT / "requirements.txt").read_text().lower()
    for package in ("torch", "onnx==", "scikit-learn", "pytest", "playwright"):
        assert f"\n{package}" not in pinned
    for floor in FLOORS:
        for path in modules(floor):
            if not re.match(r"(models/(recipes|steps)|marketplace/demo/render)/", path.relative_to(ROOT).as_posix()):
                assert not any(is_under(name, "torch") or is_under(name, "onnx") for name in imports(path)), path


def without_comments(code: str) -> str:
    """JavaScript without comments and without the contents of strings; good enough to look for names."""
    pattern = r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'"""
    return re.sub(pattern, " ", code, flags=re.S)


@pytest.mark.parametrize("name", ["document", "window", "localStorage", "alert"])
def test_device_models_never_touch_the_page(name):
    files = sorted((ROOT / "static" / "js" / "ml").rglob("*.js"))
    assert files
    wrong = [path.name for path in files if re.search(rf"(?<![\w.$-]){name}\b", without_comments(path.read_text()))]
    assert wrong == []


def test_device_models_import_nothing_of_the_pages():
    for path in (ROOT / "static" / "js" / "ml").rglob("*.js"):
        assert "/pages/" not in path.read_text(), path


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=False
    )
    assert listed.returncode == 0, listed.stderr.decode()
    return [ROOT / name for name in listed.stdout.decode().splitlines() if (ROOT / name).is_file()]


def test_no_file_names_a_folder_or_a_registry_of_one_machine():
    # Put together here, so that this file is no finding of its own.
    words = [
        "/" + "work/",
        "/" + "root/",
        "registry." + "npmjs",
        "files." + "pythonhosted",
        "pypi." + "org",
        "deb." + "debian",
    ]
    wrong = []
    for path in tracked_files():
        if path.suffix in {".onnx", ".jpg", ".png", ".webp", ".gz", ".npz", ".ico"}:
            continue
        text = path.read_text(errors="replace")
        wrong += [f"{path.relative_to(ROOT)}: {word}" for word in words if word in text]
    assert wrong == []


def test_every_requirement_is_pinned_exactly():
    for path in ROOT.glob("requirements*.txt"):
        for line in path.read_text().splitlines():
            if line and not line.startswith(("#", "-r ")):
                assert re.fullmatch(r"[A-Za-z0-9_.-]+(\[[a-z]+\])?==[0-9][\w.]*", line), f"{path.name}: {line}"


def test_what_the_browser_gets_of_others_is_pinned():
    lock = json.loads((ROOT / "package-lock.json").read_text())
    assert lock["packages"]["node_modules/onnxruntime-web"]["version"] == "1.30.0"
    assert lock["packages"]["node_modules/uplot"]["version"] == "1.6.32"
    wanted = {"onnxruntime-web": "1.30.0", "uplot": "1.6.32"}
    assert json.loads((ROOT / "package.json").read_text())["dependencies"] == wanted
    assert "resolved" not in json.dumps(lock), "the lock names no place to download from"
