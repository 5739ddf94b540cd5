"""What the README shows is true: its commands parse, and its Python runs in the order in which it stands there."""

from __future__ import annotations

import importlib
import re
import shlex
import subprocess
import sys
from pathlib import Path

from lanista.cli.main import commands, module_of, read_options

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
QUICK = {  # the same calls, shortened: one small update instead of a million moves
    "steps=1_000_000": "steps=1, copies=32, anchor_pairs=2, threads=1",
    "games=40": "games=2",
}
SHOWN = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_command_parses() -> None:
    lines = [line for kind, text in SHOWN.findall(README) if not kind for line in text.splitlines()]
    shown = [shlex.split(line, comments=True) for line in lines if line.startswith("lanista ")]
    assert {"train", "play", "match", "tournament", "standings", "encoders"} <= {name for _, name, *_ in shown}
    for _, name, *words in shown:
        assert name in commands()
        command = importlib.import_module(f"lanista.cli.{module_of(name)}")
        assert read_options(command.Options, name, "", words) is not None


def test_every_make_target_is_there() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"make (\w+)", re.sub(r"[^`\n]* and gcc", "", README))) <= targets


def test_every_path_is_there() -> None:
    named = re.findall(r"`((?:envs|perception|agents|training|arena|lanista|tests)/[\w/.]*)`", README)
    named += re.findall(r"\]\((docs/[^)#]*)", README)
    missing = [path for path in named if not (ROOT / path).exists()]
    assert missing == ["envs/games/connect_five.py"], "the game that a reader adds, and no other"


def test_the_python_runs(tmp_path: Path) -> None:
    code = "\n".join(text for kind, text in SHOWN.findall(README) if kind == "python")
    for long, short in QUICK.items():
        assert long in code
        code = code.replace(long, short)
    code += "\nassert best in {'random', 'minimax:depth=1', run.agent}\n"
    code += "assert features.shape == (8, encoder.dim)\nassert rules().spec.longest == 72\n"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert "runs/mine/agent" in done.stdout
    assert "centre" in done.stdout
    assert (tmp_path / "my_encoder" / "model.safetensors").is_file()
