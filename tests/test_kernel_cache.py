"""Compiled kernels on the disk: found again by whoever needs the same, and never mistaken for another's."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import pytest

from lanista.envs.compiling import compiled


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


MODULE = """
import numba
from lanista.envs.compiling import compiled

def adding(amount):
    @numba.njit
    def grown(value, times):  # long, and called often, so that it stays a function of its own in the machine code
        for _ in range(times):
            if value % 2:
                value = 3 * value + amount
            elif value % 3 == 0:
                value = value // 3 + amount
            elif value % 5 == 0:
                value = value * 7 - amount
            else:
                value = value // 2 + amount
        return value

    def add(value):
        return grown(value, 3) + grown(value + 1, 4) * grown(value + 2, 5) - grown(value + 3, 6)

    return compiled(add, f"adding {amount}")
"""


# A process for each of the words, one after the other: forks, since to import Numba takes longer than to compile.
PROCESSES = """
import os, sys
from adding import adding

adding(0)(10)  # Numba makes itself ready once; what it counts goes on from the same number in each fork
for code in sys.argv[1:]:
    child = os.fork()
    if not child:
        print(*eval(code), flush=True)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0, code
"""


@pytest.mark.thorough
def test_code_that_different_processes_compiled_can_be_loaded_together(tmp_path: Path) -> None:
    (tmp_path / "adding.py").write_text(MODULE)
    amounts = [(1,), (2,), (1, 2), (2, 1), (1, 3), (3,)]  # of the fifth one is loaded, one compiled there
    codes = [f"[{', '.join(f'adding({amount})(10)' for amount in some)}]" for some in amounts]
    done = subprocess.run(
        [sys.executable, "-c", PROCESSES, *codes],
        env={"NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (one,), (two,), both, turned, with_three, (three,) = (line.split() for line in done.stdout.splitlines())
    assert one != two
    assert both == [one, two]
    assert turned == [two, one]
    assert with_three == [one, three]


def test_a_second_process_finds_a_game_compiled(tmp_path: Path) -> None:
    program = (
        "import lanista; from lanista.envs.batch_kernels import kernels;"
        "game = lanista.make('mnk:rows=2,columns=3,k=2'); turn = game.turn();"
        "print(sum(kernels(game.rules).show.stats.cache_hits.values()))"
    )
    environment = {"NUMBA_CACHE_DIR": str(tmp_path), "PATH": ""}
    hits = [
        subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    assert [int(done.stdout) for done in hits] == [0, 1]
