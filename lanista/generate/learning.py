"""What a briefly trained network tells of a game: whether it can be learned."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lanista
from lanista.agents.contestant import load_agent
from lanista.generate.matches import Estimate, contest, play_pairs, share

# A tiny network and small batches: many updates in a few seconds of one core.
BRIEF: dict[str, Any] = {
    "copies": 256,
    "plies": 8,
    "epochs": 2,
    "minibatch_size": 512,
    "learning_rate": 4e-3,
    "random_share": 0.5,
    "random_plies": 4,
    "encoder": "board_resnet:channels=16,blocks=1,dim=64",
    "threads": 1,
    "measurements": 0,
    "checkpoints": 0,
}
DRAFT = ".training."


@dataclass(frozen=True)
class LearningMeasure:
    """What a briefly trained network tells of a game.

    Attributes:
        against_random: share of the points that it takes from random play.
        against_shallow: the same from the shallow searcher.
        steps: moves that it learned from.
    """

    against_random: Estimate
    against_shallow: Estimate
    steps: int


def measure_learning(game: str, seconds: float, games: int, shallow: int, seed: int, folder: Path) -> LearningMeasure:
    """Train a small network for a few seconds, and let it play.

    Args:
        game: the game's string.
        seconds: of training.
        games: against each of the two opponents, even.
        shallow: plies that the searcher looks ahead.
        seed: of weights, self-play and matches; how far the network comes depends on the machine's speed as well.
        folder: where the run's folder is made and removed again.

    Raises:
        KeyboardInterrupt: Ctrl-C or a polite kill stopped the training.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix=DRAFT) as draft:
        run = lanista.train(game, minutes=seconds / 60, out=Path(draft) / "run", seed=seed, **BRIEF)
        if run.interrupted:
            raise KeyboardInterrupt
        agents = [load_agent(run.agent), load_agent("random"), load_agent(f"minimax:depth={shallow}")]
    matches = [((0, 1), (1, 0)), ((0, 2), (2, 0))]
    random, shallow_one = play_pairs(game, agents, matches, games // 2, seed)
    steps = run.progress.steps if run.progress else 0
    return LearningMeasure(share(contest(random)), share(contest(shallow_one)), steps)


def remove_drafts(folder: Path) -> None:
    """Remove the folders of runs that a kill left behind."""
    for path in folder.glob(f"{DRAFT}*"):
        shutil.rmtree(path, ignore_errors=True)
