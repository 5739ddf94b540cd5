"""Compiled kernels on the disk: found again by whoever needs the same, and never mistaken for another's."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import pytest

from lanista.envs.batched import compiled


def adding(amount: int) -> Callable[[int], Any]:
    """A kernel of one file and line, as the kernels of different games are."""

    def add(value: Any) -> Any:
        return value + amount

    return compiled(add, f"adding {amount}")


def test_processes_that_do_not_see_each_other_never_share_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    assert adding(1)(10) == 11
    # The second process looked before the first had written, and writes after it.
    first = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for path in first:
        if path.suffix == ".nbi":
            path.unlink()
    assert adding(2)(10) == 12
    for path, data in first.items():
        if path.suffix == ".nbi":
            path.write_bytes(data)
    again, other = adding(1), adding(2)
    assert (again(10), other(10)) == (11, 12)
    stats: Any = again
    assert sum(stats.stats.cache_hits.values()) == 1


def test_a_second_process_finds_a_game_compiled(tmp_path: Path) -> None:
    program = (
        "import lanista; from lanista.envs.batched import kernels; game = lanista.make('mnk:rows=2,columns=3,k=2');"
        "turn = game.turn(); print(sum(kernels(game.rules).show.stats.cache_hits.values()))"
    )
    environment = {"NUMBA_CACHE_DIR": str(tmp_path), "PATH": ""}
    hits = [
        subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    assert [int(done.stdout) for done in hits] == [0, 1]
