"""Play every game of a store again, and say which are not as they are stored.

Example:
    lanista verify t.sqlite
    lanista verify t.sqlite --json

Each game is replayed from its seed and its moves by the rules; its opening, its result and its reason are checked. A
contestant that has changed since or is not there any more is named, which makes no game wrong. The exit code is 1 if
a game is not as it is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from lanista.arena.store import Store
from lanista.cli._printing import print_json

MOST_SHOWN = 20  # wrong games


@dataclass(frozen=True)
class Options:
    """Which store."""

    db: Annotated[Positional[Path], arg(metavar="DB")]
    """The store that `lanista tournament --db` wrote."""
    json: bool = False
    """Print JSON."""


def run(options: Options) -> int:
    """Check the store and say what was found."""
    from lanista.arena.verification import verify

    with Store(options.db, write=False) as store:
        verdict = verify(store)
    if options.json:
        print_json(verdict.to_json())
        return 0 if verdict.true else 1
    for line in verdict.file:
        print(f"the file: {line}")
    for wrong in verdict.wrong[:MOST_SHOWN]:
        place = f" ({' against '.join(wrong.names)}, opening {wrong.opening}, leg {wrong.leg})" if wrong.names else ""
        print(f"game {wrong.game}{place}: {wrong.why}")
    if len(verdict.wrong) > MOST_SHOWN:
        print(f"... and {len(verdict.wrong) - MOST_SHOWN} more; --json lists all")
    for name in verdict.changed:
        print(f"'{name}' is not any more who played here: its files have changed")
    for name, why in verdict.missing.items():
        print(f"'{name}' cannot be compared with who played here: {why}")
    if verdict.rules:
        print(verdict.rules)
    said = f"{len(verdict.wrong):,} are not as they are stored" if verdict.wrong else "all are as they are stored"
    if verdict.file:
        said += "; the file is damaged"
    print(f"{verdict.games:,} games of {verdict.game} played again: {said}")
    return 0 if verdict.true else 1
