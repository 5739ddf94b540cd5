"""Our training on a game with hidden hands, as `lanista train` does it, and how exploitable it leaves the agent."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from lanista.bench.worker import Work
from lanista.training.run import create_run, train
from lanista.training.settings import read_settings


def begin(game: str, seed: int, **changes: Any) -> Work:
    """Read the game's preset.

    Args:
        game: the game's string.
        seed: of all chance.
        changes: settings other than the preset's.

    Returns:
        A function of how many steps to train for, anew each time, since schedules follow the length of a run; it tells
        the steps, `nash_conv`, and the CPU seconds.
    """

    def work(steps: float) -> dict[str, float]:
        once = {"anchor_pairs": 0, "measurements": 1, "checkpoints": 1, "threads": 1}
        settings = read_settings(game, None, {**once, **changes, "seed": seed, "steps": int(steps)})
        began = time.process_time()
        with tempfile.TemporaryDirectory() as folder:
            progress = train(create_run(Path(folder) / "run", settings)).progress
        assert progress is not None and progress.nash_conv is not None
        return {"steps": progress.steps, "nash_conv": progress.nash_conv, "seconds": time.process_time() - began}

    return work
