"""Our training on the path that `lanista train` takes: updates of the RLlib trainer, in one process."""

from itertools import count
from typing import Any

from lanista.bench.worker import Work, repeat
from lanista.training.settings import settings_from
from lanista.training.trainers import rllib


def begin(**settings: Any) -> Work:
    """Open the trainer.

    Args:
        settings: of `lanista.training.settings`.
    """
    trainer = rllib.open(settings_from({**settings, "threads": 1}))
    numbers = count()
    return lambda seconds: {"steps": repeat(lambda: trainer.update(next(numbers), 0.0)["steps"], seconds)}
