"""Our pretraining on the path that `lanista pretrain` takes: updates of its loop, changes to the batch included."""

from __future__ import annotations

import tempfile
from itertools import chain, count
from pathlib import Path

from lanista.bench.worker import Work, repeat
from lanista.perception.pretrain import Run
from lanista.perception.pretrain_settings import Settings
from lanista.perception.task import make_task

ENDLESS = 10**6  # epochs and minutes, so that the schedule does not end within a measurement


def begin(task: str) -> Work:
    """Read the examples and make the network.

    Args:
        task: the task's string.
    """
    made = make_task(task)
    settings = Settings(task, threads=1, epochs=ENDLESS, minutes=ENDLESS).filled(made)
    with tempfile.TemporaryDirectory() as folder:  # nothing is written before an epoch is done
        run = Run(made, settings, Path(folder), lambda progress: None)
    run.model.train()

    batches = chain.from_iterable(run.batches() for _ in count())

    def update() -> int:
        rows = next(batches)
        run.update(rows)
        return len(rows)

    return lambda seconds: {"steps": repeat(update, seconds)}
