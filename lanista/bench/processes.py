"""CPU time of a process and all that it started, and the end of them; read from `/proc`, so Linux only."""

from __future__ import annotations

import os
import signal
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def tree_seconds(root: int) -> float:
    """The CPU seconds so far of a process, its descendants, and those of them that ended and were waited for."""
    processes = _processes()
    return sum(processes[number][1] for number in _tree(root, processes)) / TICK


def waited_seconds(root: int) -> float:
    """How long the threads of a process and its descendants could have run, and waited for a core that others used."""
    waited = 0
    for number in _tree(root, _processes()):
        for file in Path(f"/proc/{number}/task").glob("*/schedstat"):
            try:
                waited += int(file.read_text().split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended meanwhile
    return waited / 1e9


def kill_tree(root: int) -> None:
    """Kill a process and its descendants."""
    for number in _tree(root, _processes()):
        try:
            os.kill(number, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _processes() -> dict[int, tuple[int, int]]:
    """Process -> its parent, and its clock ticks with those of its ended children."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                text = (folder / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended meanwhile
            fields = text.rpartition(")")[2].split()  # the name before may hold anything; state is field 3
            found[int(folder.name)] = (int(fields[1]), sum(map(int, fields[11:15])))
    return found


def _tree(root: int, processes: dict[int, tuple[int, int]]) -> list[int]:
    """A process and its descendants, as far as they are there."""
    children: dict[int, list[int]] = {}
    for number, (parent, _) in processes.items():
        children.setdefault(parent, []).append(number)
    found, pending = [], [root] if root in processes else []
    while pending:
        number = pending.pop()
        found.append(number)
        pending += children.get(number, [])
    return found
