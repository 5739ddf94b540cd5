"""Our training with a game's preset, run after run from the start, each until CartPole is solved."""

from __future__ import annotations

import time
from itertools import count
from typing import Any

import torch

from lanista.bench.solved import STEPS, is_solved, solved
from lanista.bench.worker import Work
from lanista.envs import make
from lanista.training.learner import BatchLearner, shuffling_seed
from lanista.training.runner import BatchRunner
from lanista.training.settings import new_network, read_settings


def begin(game: str, **changes: Any) -> Work:
    """Read the preset; a slice is a run of the next seed, of at most so many CPU seconds.

    Args:
        game: whose preset is used.
        changes: of its settings.
    """
    torch.set_num_threads(1)
    seeds = count()

    def solve(seconds: float) -> dict[str, float]:
        end, seed = time.process_time() + seconds, next(seeds)
        settings = read_settings(game, changes={**changes, "threads": 1, "seed": seed})
        torch.manual_seed(seed)
        network = new_network(make(game).spec, settings)
        runner, learner = BatchRunner(network, settings), BatchLearner(network, settings)
        returns: list[float] = []
        steps, number = 0, 0
        while not is_solved(returns) and (not steps or time.process_time() < end):
            sample = runner.sample(number)
            learner.update(sample.batches, min(steps / STEPS, 1.0), shuffling_seed(seed, number))
            returns += sample.returns[:, 0].tolist()
            steps, number = steps + sample.moves, number + 1
        runner.close()
        return solved(is_solved(returns), steps)

    return solve
