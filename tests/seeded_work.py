"""Work that a seed decides, as a program: `seeded_work.py FOLDER SEED` prints what came of it, name -> SHA-256."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import sys
from pathlib import Path

SMALL = {
    "copies": 8,
    "plies": 4,
    "epochs": 1,
    "minibatch_size": 16,
    "threads": 1,
    "anchors": "",
    "encoder": "mlp:dim=8",
}
UPDATES = 20
OWN = '''
class Own:
    """Plays what its draw says, in a process of its own."""
    name = "own"

    def act(self, turn, memory=None):
        import numpy as np
        from lanista.envs.core import Choice
        legal = [np.flatnonzero(row) for row in turn.legal]
        return Choice(np.array([row[int(draw) % len(row)] for row, draw in zip(legal, turn.draws)]))
'''


def digest(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def trained(folder: str, game: str, seed: int, **changes: object) -> str:
    """The weights after 20 updates."""
    from lanista.training.run import create_run, train
    from lanista.training.settings import read_settings

    settings = SMALL | {"seed": seed, "steps": UPDATES * 8 * 4, "precision": "float32"} | changes
    run = train(create_run(Path(folder), read_settings(game, changes=settings)))
    assert run.progress is not None and run.progress.steps >= UPDATES * 8 * 4
    return digest((Path(run.agent) / "model.safetensors").read_bytes())


def played(seed: int) -> str:
    """All that a tournament stores of its games, but for when they were played."""
    from lanista.arena.tournament import tournament

    Path("own.py").write_text(OWN)
    who = ["random", "minimax:depth=2", "mcts:simulations=16", "native", "py:own.py:Own"]
    tournament("tictactoe", who, games=4, db="t.sqlite", seed=seed)
    columns = "meeting, number, leg, seed, opening, moves, returns, reason, at_fault, expected"
    rows = sqlite3.connect("t.sqlite").execute(f"SELECT {columns} FROM games ORDER BY meeting, number, leg").fetchall()
    assert len(rows) == 4 * 10
    return digest(repr(rows).encode())


def pretrained(seed: int) -> str:
    """The weights of an encoder and its head."""
    from lanista.perception.pretrain import pretrain
    from lanista.perception.pretrain_settings import Settings

    small = {"encoder": "small_resnet:channels=4", "epochs": 1, "batch_size": 128, "threads": 1, "bfloat16": False}
    pretrain(Settings("pictures:data=digits,most=300", seed=seed, **small), Path("digits"))  # type: ignore[arg-type]
    return digest(*((Path("digits") / name).read_bytes() for name in ("model.safetensors", "head.safetensors")))


def made(seed: int) -> dict[str, str]:
    """All of it, in the folder where this is, by names that do not depend on where that lies."""
    found = {
        "native game": trained("native", "tictactoe", seed),
        "game of a door": trained("door", "gym:CartPole-v1", seed),
    }
    return found | {"tournament": played(seed), "pretraining": pretrained(seed)}


def main() -> None:
    """Do it in a folder."""
    os.chdir(sys.argv[1])
    print(json.dumps(made(int(sys.argv[2]))))


if __name__ == "__main__":
    main()
