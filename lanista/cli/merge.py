"""Merge the stores of one tournament that was played in several places.

Example:
    lanista merge here.sqlite there.sqlite --out both.sqlite

The stores have the same game and settings, and whoever is in two of them is the same there; others may be in one only.
A game that is in several is kept once; if it differs between them, it is named and nothing is written.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from lanista.arena.merging import merge
from lanista.cli._printing import print_json


@dataclass(frozen=True)
class Options:
    """Which stores, and where to."""

    stores: Annotated[Positional[tuple[Path, ...]], arg(metavar="DB ...")]
    """Stores that `lanista tournament --db` wrote: two or more."""
    out: Annotated[Path, arg(metavar="FILE")]
    """The new store; it must not be there yet."""
    json: bool = False
    """Print JSON."""


def run(options: Options) -> int:
    """Merge the stores and say what became of them."""
    merged = merge(options.stores, options.out)
    if options.json:
        print_json(asdict(merged) | {"out": str(options.out)})
    else:
        once = f"; {merged.equal:,} were there more than once" if merged.equal else ""
        print(f"{options.out}: {merged.games:,} games of {merged.contestants} contestants{once}")
    return 0
