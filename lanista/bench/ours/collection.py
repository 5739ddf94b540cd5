"""Our collection with runners in processes of their own: they play and send what they played, nobody learns."""

from __future__ import annotations

import time
from typing import Any

from lanista.bench.worker import Work
from lanista.training.settings import settings_from
from lanista.training.trainers._rllib_actors import RLlibTrainer


def begin(**settings: Any) -> Work:
    """Start the runners.

    Args:
        settings: of `lanista.training.settings`, with `runners`.
    """
    trainer = RLlibTrainer(settings_from({**settings, "threads": 1}))
    group = trainer.algorithm.env_runner_group

    def work(seconds: float) -> dict[str, float]:
        steps, end = 0, time.perf_counter() + seconds  # by the clock: the work is in other processes
        while time.perf_counter() < end:
            samples = group.foreach_env_runner(lambda runner: runner.sample(), local_env_runner=False)
            steps += sum(sample.moves for sample in samples)
        return {"steps": float(steps)}

    return work
