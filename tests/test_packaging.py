"""What installs: every package listed, no module under two names, nothing heavy imported before it is used."""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import time
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("agents", "arena", "envs", "perception", "training")
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
HEAVY = ("matplotlib", "numba", "numpy", "ray", "rich", "torch", "tyro")


def own_files(pattern: str) -> list[Path]:
    """Files of the rooms and of `lanista`, each once: not through the links."""
    tops = [ROOT / room for room in ROOMS] + [ROOT / "lanista" / name for name in ("cli", "bench", "generate")]
    found = [path for top in tops for path in top.rglob(pattern)] + list((ROOT / "lanista").glob(pattern))
    return [path for path in found if path.is_file() and "__pycache__" not in path.parts]


def package_of(file: Path) -> str:
    parts = file.parent.relative_to(ROOT).parts
    return ".".join(parts if parts[0] == "lanista" else ("lanista", *parts))


def test_every_package_is_listed() -> None:
    assert sorted({package_of(file) for file in own_files("*.py")}) == sorted(SETUPTOOLS["packages"])


def test_every_package_has_an_init_file() -> None:
    missing = {file.parent for file in own_files("*.py") if not (file.parent / "__init__.py").exists()}
    assert not missing


def test_every_data_file_is_packed() -> None:
    data = SETUPTOOLS["package-data"]
    folders = {name: ROOT / SETUPTOOLS["package-dir"].get(name, name.replace(".", "/")) for name in data}
    folders |= {name: ROOT / name.removeprefix("lanista.").replace(".", "/") for name in data if name.count(".") > 1}
    unpacked = [
        file
        for file in own_files("*")
        if file.suffix not in (".py", ".pyc", ".nbi", ".nbc")
        and not any(
            file.is_relative_to(folders[name]) and fnmatch(str(file.relative_to(folders[name])), pattern)
            for name, patterns in data.items()
            for pattern in patterns
        )
    ]
    assert not unpacked


def test_no_room_is_imported_by_its_bare_name() -> None:
    """`import envs` would make a second copy of every class in it."""
    bare = re.compile(rf"^\s*(import|from)\s+({'|'.join(ROOMS)})\b", re.MULTILINE)
    files = own_files("*.py") + list((ROOT / "tests").rglob("*.py"))
    assert len(files) > 50
    assert not [file for file in files if bare.search(file.read_text())]


def test_rooms_import_downwards_only() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("words", [["-c", "import lanista"], ["-m", "lanista", "--help"], ["-m", "lanista", "agents"]])
def test_nothing_heavy_is_imported_before_it_is_used(words: list[str]) -> None:
    heavy = [name for name in HEAVY if words[-1] != "agents" or name not in ("rich", "tyro", "numpy")]
    done = subprocess.run([sys.executable, "-X", "importtime", *words], capture_output=True, text=True, check=True)
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "lanista" in loaded
    assert not loaded & set(heavy)


@pytest.mark.parametrize(("words", "limit"), [(["-c", "import lanista"], 0.5), (["-m", "lanista", "--help"], 2.0)])
def test_it_begins_quickly(words: list[str], limit: float) -> None:
    times = []
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run([sys.executable, *words], check=True, capture_output=True)
        times.append(time.perf_counter() - began)
    assert statistics.median(times) < limit


def test_every_public_name_is_there() -> None:
    import lanista

    assert all(hasattr(lanista, name) for name in lanista.__all__)
    assert set(lanista.__all__) <= set(dir(lanista))
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = lanista.no_such_name


def test_the_image_installs_what_there_is() -> None:
    """No engine builds it here; what it says is compared with what the project says."""
    words = (ROOT / "Dockerfile").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = re.search(r"\$\{wheel\}\[([\w,]+)\]", words)
    assert extras is not None and set(extras[1].split(",")) <= set(project["optional-dependencies"])
    assert set(re.findall(r"^FROM python:(\d+\.\d+)-slim", words, re.MULTILINE)) == {"3.11"}
    assert project["requires-python"] == ">=3.11"
    steps = re.findall(r"^([A-Z]+) ", words, re.MULTILINE)
    assert steps.index("USER") < steps.index("ENTRYPOINT") and steps.count("FROM") == 2
    assert {".git", ".venv", "runs"} <= set((ROOT / ".dockerignore").read_text().split()), "no runs in an image"
