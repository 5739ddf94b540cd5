"""Agents that appear in folders while a ladder stands: those of a run's checkpoints, or put there by hand."""

from __future__ import annotations

from pathlib import Path

from lanista.agents.contestant import DESCRIPTION
from lanista.arena.entrants import FILES

CHECKPOINTS = "checkpoints"  # of a training run; each is an agent's folder
Signature = tuple[tuple[int, int], ...]


def agents_in(folder: Path) -> list[str]:
    """The agents' folders in a watched folder, as contestants' strings, lesser numbers first.

    Its own subfolders, the checkpoints of the run that it is, and those of the runs in it. A run's `agent` changes as
    it trains, so it is none of them; folders whose names begin with a point are still being written.
    """
    found: list[Path] = []
    for child in _folders(folder):
        if child.name == CHECKPOINTS:
            found += [each for each in _folders(child) if _is_agent(each)]
        elif (child / CHECKPOINTS).is_dir():
            found += [each for each in _folders(child / CHECKPOINTS) if _is_agent(each)]
        elif _is_agent(child) and not (folder / CHECKPOINTS).is_dir():
            found.append(child)
    return [each.as_posix() for each in sorted(found, key=_order)]


def _folders(folder: Path) -> list[Path]:
    """The visible folders in one; none if it is not there (yet, or any more)."""
    try:
        return [child for child in folder.iterdir() if not child.name.startswith(".") and child.is_dir()]
    except OSError:
        return []


def _is_agent(folder: Path) -> bool:
    return (folder / DESCRIPTION).is_file()


def _order(folder: Path) -> tuple[str, int, str]:
    return str(folder.parent), int(folder.name) if folder.name.isdecimal() else -1, folder.name


def signature(folder: Path) -> Signature | None:
    """What changes when an agent's files do: time (ns) and size of each; None if one is missing."""
    try:
        stats = [(folder / file).stat() for file in FILES]
    except OSError:
        return None
    return tuple((each.st_mtime_ns, each.st_size) for each in stats)
