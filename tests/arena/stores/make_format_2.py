"""How `format_2.sqlite` and `format_2.jsonl` were made, with Lanista at commit 0778b7a, the last that wrote format 2.

    git checkout 0778b7a && python tests/arena/stores/make_format_2.py

It is kept to tell what lies in the store: two sessions, games that ended, that were forfeited by a crash and by an
illegal move. The JSON lines are what that commit's export read from it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lanista.arena.exports import export_games
from lanista.arena.store import Store
from lanista.arena.tournament import tournament
from lanista.envs.core import Array, Choice, Turn

HERE = Path(__file__).parent


class Wrongdoer:
    """Plays the first legal move, crashes in every third game and answers illegally in every third."""

    name = "wrongdoer"

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        if (turn.games % 3 == 0).any() and (turn.plies > 3).any():
            raise RuntimeError("no idea")
        actions = np.asarray(turn.legal).argmax(1)
        return Choice(np.where((turn.games % 3 == 1) & (turn.plies > 4), 99, actions))


if __name__ == "__main__":
    db = HERE / "format_2.sqlite"
    tournament("connect_four", ["random", "first-legal", "minimax:depth=1"], games=2, db=db, seed=3)
    tournament("connect_four", ["random", "first-legal", "minimax:depth=1", Wrongdoer()], games=4, db=db, seed=3)
    with Store(db, write=False) as store:
        export_games(store, "jsonl", db.with_suffix(".jsonl"))
