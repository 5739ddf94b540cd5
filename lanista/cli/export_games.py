"""Write the games of a store for other programs: PGN, SGF, JSON lines, CSV.

Example:
    lanista export-games t.sqlite --out games.pgn
    lanista export-games t.sqlite --out games.sgf
    lanista export-games t.sqlite --out standings.csv --format table

pgn is for chess; sgf for go, othello, gomoku and hex; jsonl and csv for every game; table is the standings as CSV.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from lanista.arena.exports import EXPORTS, export_games
from lanista.arena.store import Store
from lanista.cli._printing import print_json
from lanista.errors import UsageError
from lanista.files import claim_file
from lanista.plugs import plugs


@dataclass(frozen=True)
class Options:
    """Which store, and where to."""

    db: Annotated[Positional[Path], arg(metavar="DB")]
    """The store that `lanista tournament --db` wrote."""
    out: Annotated[Path, arg(metavar="FILE")]
    """The file; one that is there is replaced."""
    format: Annotated[str, arg(metavar="F", help_behavior_hint="(default: as FILE ends)")] = ""
    """pgn, sgf, jsonl, csv or table."""
    json: bool = False
    """Print JSON."""


def run(options: Options) -> int:
    """Write the file and say how much is in it."""
    form = options.format or options.out.suffix.removeprefix(".")
    if not options.format and form not in plugs(EXPORTS):
        raise UsageError(f"say what {options.out} is to be: --format {', '.join(plugs(EXPORTS))}")
    claim_file(options.out, beside=options.db)
    with Store(options.db, write=False) as store:
        games = export_games(store, form, options.out)
    if options.json:
        print_json({"file": str(options.out), "format": form, "games": games})
    else:
        print(f"{options.out}: {games:,} games as {form}")
    return 0
