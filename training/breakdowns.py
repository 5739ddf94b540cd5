"""What ends a run that cannot go on: weights that are no numbers, and too little memory; said so that one knows why."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from lanista.agents.role_networks import Networks
from lanista.envs.core import GameSpec
from lanista.errors import UsageError
from lanista.training.settings import TrainSettings

COPIED = 3  # times that a batch's observations are held at once: as played, joined, shuffled
ROW_BYTES = 64  # of a row's other columns
SAID = ("can't allocate memory", "not enough memory", "out of memory")  # by torch and Ray, whose errors have no type


class TrainingError(RuntimeError):
    """Training could not go on; the sentence says why, what is left and what to change."""


def check_weights(
    network: Networks, metrics: Mapping[str, float], update: int, checkpoints: Callable[[], Sequence[Path]]
) -> None:
    """Stop a run whose network an update has broken.

    Args:
        network: after the update.
        metrics: of the update.
        update: its number, from 1.
        checkpoints: lists those that are kept, oldest first.

    Raises:
        TrainingError: a weight is no number.
    """
    if all(bool(torch.isfinite(value).all()) for value in network.parameters()):
        return
    lost = [name for name, value in metrics.items() if not math.isfinite(value)]
    what = f" ({', '.join(lost)})" if lost else ""
    kept = checkpoints()
    left = f"the checkpoint {kept[-1]} is good and stays" if kept else "no checkpoint had been kept yet"
    raise TrainingError(
        f"update {update} left weights that are no numbers{what}: training stops; {left}. Try a lower learning_rate or "
        "max_grad_norm, or precision=float32"
    )


def check_room(spec: GameSpec, settings: TrainSettings) -> None:
    """Refuse batches that the machine has no memory for.

    Raises:
        UsageError: a runner's batch is larger than the memory that is free.
    """
    seen = sum(
        int(np.prod(space.shape or (1,))) * np.dtype(space.dtype or np.float32).itemsize
        for space in spec.roles[0].observation.spaces.values()
    )
    rows = settings.copies * settings.plies * (spec.players if spec.kind == "simultaneous" else 1)
    needed = rows * (COPIED * seen + ROW_BYTES) * max(settings.runners, 1)
    free = free_bytes()
    if free is not None and needed > free:
        least = max(1, int(settings.copies * free / needed / 2))
        raise UsageError(
            f"batches of copies={settings.copies} times plies={settings.plies} need about {needed / 1e9:,.1f} GB, and "
            f"{free / 1e9:,.1f} GB are free: lower copies, to {least} perhaps, or plies"
        )


def free_bytes() -> int | None:
    """The memory that this machine can still give; None where it does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        return None


@contextmanager
def short_of_memory(settings: TrainSettings) -> Iterator[None]:
    """What fails in here for want of memory says which settings to lower.

    Raises:
        TrainingError: memory ran out.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and not any(words in str(error).lower() for words in SAID):
            raise
        lines = str(error).strip().splitlines() or ["MemoryError"]
        raise TrainingError(
            f"memory ran out ({lines[0][:120]}): lower copies (now {settings.copies}) or plies ({settings.plies}) for "
            f"smaller batches, or micro_batch_size ({settings.rows_at_once}) for fewer rows at once; checkpoints stay"
        ) from error
