"""What a pretraining run is told, and what it tells: its settings, its progress, its result."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lanista.cores import fast_bfloat16
from lanista.errors import UsageError, unknown
from lanista.perception.task import Task


@dataclasses.dataclass(frozen=True)
class Settings:
    """What to pretrain, and how. Whatever is left at None is the task's own."""

    task: str
    """The task, as in "pictures:data=fashion_mnist"."""
    encoder: str | None = None
    """The encoder's string, or an encoder folder to go on from."""
    minutes: float | None = None
    """At most, loading of the examples included."""
    epochs: int | None = None
    """At most."""
    batch_size: int | None = None
    """Examples an update."""
    learning_rate: float | None = None
    """Of AdamW, at its greatest."""
    weight_decay: float | None = None
    """Of AdamW, for weights of two dimensions or more."""
    patience: int | None = None
    """Stop after this many epochs without a better validation."""
    layer_decay: float = 1.0
    """Each layer below the top learns this much slower than the one above (Howard and Ruder 2018)."""
    freeze: bool = False
    """Train the head alone."""
    average: float = 0.998
    """The decay of the weights' running average."""
    max_grad_norm: float = 1.0
    """Gradients are clipped to it."""
    seed: int = 0
    """Of splits, weights, order and changes."""
    threads: int = 0
    """Of torch; 0 leaves its own choice."""
    bfloat16: bool | None = None
    """Compute in it; None does where the chip can."""

    def filled(self, task: Task) -> Settings:
        """With the task's own values for what is None."""
        recipe = dataclasses.asdict(task.recipe)
        given = {key: value for key in recipe if (value := getattr(self, key)) is not None}
        settings = dataclasses.replace(self, **{**recipe, **given})
        checks = {
            "minutes": settings.minutes,
            "epochs": settings.epochs,
            "batch_size": settings.batch_size,
            "learning_rate": settings.learning_rate,
            "patience": settings.patience,
            "layer_decay": settings.layer_decay,
            "max_grad_norm": settings.max_grad_norm,
        }
        for name, value in checks.items():
            if not (value is not None and math.isfinite(value) and value > 0):
                raise UsageError(f"'{name}' must be more than 0, not {value}")
        for name in ("seed", "threads", "weight_decay"):
            value = getattr(settings, name)
            if not 0 <= value < 2**63:
                raise UsageError(f"'{name}' must be 0 or more, not {value}")
        if not 0 <= settings.average < 1:
            raise UsageError(f"'average' must be from 0 to less than 1, not {settings.average}")
        if settings.bfloat16 is None:
            settings = dataclasses.replace(settings, bfloat16=fast_bfloat16())
        return settings


@dataclasses.dataclass(frozen=True)
class Progress:
    """How a run stands, for a progress bar."""

    stage: str  # "loading", "training", "validating", "testing", "baseline"
    epoch: int = 0
    step: int = 0
    steps: int = 0
    share: float = 0.0  # of the run's bound that is nearest, in [0, 1]
    loss: float = math.nan
    measure: str = ""
    score: float = math.nan
    best: float = math.nan
    seconds: float = 0.0


@dataclasses.dataclass(frozen=True)
class Pretrained:
    """What came of a run."""

    folder: Path
    modality: str
    scores: dict[str, dict[str, float]]  # part of the tests -> measure -> value
    baseline: dict[str, Any]  # name, scores
    epochs: int
    seconds: float
    stopped: str  # why: "all epochs done", "no better for 8 epochs", ...
    failed: bool  # the loss was no number: the weights are the last good ones


Report = Callable[[Progress], None]


def settings_from(values: Mapping[str, Any]) -> Settings:
    """Settings from plain values.

    Raises:
        UsageError: a name is unknown or a value is of the wrong kind; the nearest known name is said.
    """
    fields = {field.name: str(field.type).removesuffix(" | None") for field in dataclasses.fields(Settings)}
    chosen: dict[str, Any] = {}
    for name, value in values.items():
        if name not in fields:
            raise unknown("setting", name, fields)
        kind: type = {"int": int, "float": float, "bool": bool, "str": str}[fields[name]]
        if value is not None and type(value) is not kind:
            if kind is not float or type(value) is not int:
                raise UsageError(f"the setting '{name}' must be {kind.__name__}, not '{value}'")
            value = float(value)
        chosen[name] = value
    return Settings(**chosen)
