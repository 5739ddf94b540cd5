"""Print the table of a tournament's store, also of one that is still being played.

Example:
    lanista standings t.sqlite
    lanista standings t.sqlite --report t.html --json
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from lanista.arena.standings import table_of
from lanista.arena.store import Store
from lanista.cli._printing import print_json


@dataclass(frozen=True)
class Options:
    """Which store."""

    db: Annotated[Positional[Path], arg(metavar="DB")]
    """The store that `lanista tournament --db` wrote."""
    report: Annotated[Path | None, arg(metavar="FILE.html", help_behavior_hint="")] = None
    """Write a report in one HTML file."""
    json: bool = False
    """Print JSON."""


def run(options: Options) -> int:
    """Rate what is stored and print the table."""
    with Store(options.db, write=False) as store:
        table = table_of(store)
        if options.report is not None:
            from lanista.arena.report import write_report

            write_report(store, options.report)
    if options.json:
        print_json(table.to_json())
    else:
        print(table)
    return 0
