"""Print the table of a tournament's store, also of one that is still being played.

Example:
    lanista standings t.sqlite
    lanista standings t.sqlite --report t.html --json
    lanista standings t.sqlite --anchors random=0 minimax:depth=2=800
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from lanista.arena.store import Store
from lanista.arena.tables import any_table_of, contest_of
from lanista.cli._printing import print_json
from lanista.errors import UsageError


@dataclass(frozen=True)
class Options:
    """Which store."""

    db: Annotated[Positional[Path], arg(metavar="DB")]
    """The store that `lanista tournament --db` wrote."""
    report: Annotated[Path | None, arg(metavar="FILE.html", help_behavior_hint="")] = None
    """Write a report in one HTML file."""
    anchors: Annotated[tuple[str, ...], arg(metavar="NAME=ELO ...", help_behavior_hint="")] = ()
    """Hold these contestants at these ratings, and rate the others on their scale."""
    json: bool = False
    """Print JSON."""


def run(options: Options) -> int:
    """Rate what is stored and print the table."""
    with Store(options.db, write=False) as store:
        anchors = read_anchors(options.anchors)
        standing = tuple(contest_of(store))
        table = replace(any_table_of(store, anchors=anchors), standing=standing)
        if options.report is not None:
            from lanista.arena.report import write_report

            write_report(store, options.report, anchors=anchors, standing=standing)
    if options.json:
        print_json(table.to_json())
    else:
        print(table)
    return 0


def read_anchors(words: Sequence[str]) -> dict[str, float]:
    """The anchors that `--anchors NAME=ELO ...` names."""
    return dict(anchor(each) for each in words)


def anchor(words: str) -> tuple[str, float]:
    """The name and the Elo of an anchor."""
    name, _, elo = words.rpartition("=")  # a name may have an "=" of its own
    try:
        if name and math.isfinite(float(elo)):
            return name, float(elo)
    except ValueError:
        pass
    raise UsageError(f"an anchor is NAME=ELO, as in random=0, not '{words}'")
