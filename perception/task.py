"""The contract of tasks: what an encoder is pretrained on, found by its file's name.

A task is a file of `perception/tasks` with one `Task`. It says which examples are learnt from and which are kept back,
how they become arrays, which head and measure they have, and what a simple method reaches on the same examples.
`perception.pretrain` does the rest, alike for all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np
import torch
from torch import Tensor

from lanista.errors import UsageError
from lanista.perception.dataset import Examples, Modality
from lanista.perception.head import Answer, Head
from lanista.perception.input import Input
from lanista.plugs import call, parse_options, plug_class, plugs

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TASKS = "lanista.perception.tasks"


@dataclass(frozen=True)
class Splits:
    """The examples of a task.

    Attributes:
        train: learnt from.
        valid: by which the best weights are chosen; never shares a group with `train` where groups are known.
        tests: looked at once, at the end; name -> examples, as "test" and, of another kind, "unseen fonts".
        labels: the classes' names; empty where targets are texts.
        rate: samples a second, of sounds.
        data: what was read, for the card: one line a set, with its licence and sizes.
    """

    train: Examples
    valid: Examples
    tests: Mapping[str, Examples]
    labels: Sequence[str] = ()
    rate: int = 0
    data: Sequence[str] = ()


@dataclass(frozen=True)
class Recipe:
    """How a task is trained unless the user says otherwise; `perception.pretrain_settings.Settings` explains each.

    Attributes:
        encoder: the encoder's string.
        minutes: at most, with everything around it.
        epochs: at most.
    """

    encoder: str
    minutes: float = 10.0
    epochs: int = 30
    batch_size: int = 128
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    patience: int = 8


@dataclass(frozen=True)
class Baseline:
    """What a simple method reaches.

    Attributes:
        name: the method, in words.
        scores: part of `Splits.tests` -> measure -> value.
    """

    name: str
    scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


class Task:
    """What an encoder is pretrained on.

    A subclass lies alone in its file; its `__init__` takes keyword options with defaults.

    Attributes:
        measure: the name of the measure that counts, a key of what `score` gives.
        lower_is_better: as for error rates.
    """

    name: ClassVar[str] = ""  # its file's
    modality: ClassVar[Modality]
    measure: ClassVar[str] = "accuracy"
    lower_is_better: ClassVar[bool] = False
    recipe: Recipe

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.name = cls.__module__.rpartition(".")[2]

    def load(self, seed: int) -> Splits:
        """Read the examples and split them; the same seed gives the same splits.

        Raises:
            UsageError: a data set is not on this machine; the message says how to get it.
        """
        raise NotImplementedError

    def input(self, splits: Splits) -> Input:
        """How the examples become arrays; what is learnt from examples (a tokeniser) is learnt from `splits.train`."""
        raise NotImplementedError

    def head(self, dim: int, splits: Splits) -> Head:
        """A fresh head for features of size `dim`."""
        raise NotImplementedError

    def augment(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Change a training batch (batch, *shape) at random, as the world would."""
        return batch

    def score(self, answers: Sequence[Sequence[Answer]], examples: Examples, splits: Splits) -> dict[str, float]:
        """Measure -> value, of the answers to some examples."""
        raise NotImplementedError

    def baseline(self, splits: Splits) -> Baseline:
        """What a simple method, trained on `splits.train`, reaches on each of `splits.tests`."""
        raise NotImplementedError

    def draw(self, figure: Figure, examples: Examples, answers: Sequence[Sequence[Answer]], splits: Splits) -> None:
        """Draw what was answered: a confusion matrix, sample predictions."""
        raise NotImplementedError

    def better(self, one: float, other: float) -> bool:
        """Is one value of the measure better than another?"""
        return one < other if self.lower_is_better else one > other


def tasks() -> list[str]:
    """The ids of the tasks."""
    return plugs(TASKS)


def task_class(name: str) -> type[Task]:
    """The task in the file of that name."""
    return plug_class(TASKS, "task", name, Task)


def make_task(words: str) -> Task:
    """Make a task from its string, such as `pictures:data=fashion_mnist`.

    Raises:
        UsageError: the task or an option is unknown.
    """
    name, _, options = words.partition(":")
    task = cast(Task, call(task_class(name), f"the task '{name}'", dict(parse_options(options, words))))
    most = getattr(task, "most", 0)  # of each task that can learn from fewer examples
    if most < 0:
        raise UsageError(f"option 'most' of the task '{name}' must be 0 or more, not {most}")
    return task


def split_rows(count: int, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows 0 ... count - 1 shuffled into two parts, the second with `share` of them."""
    order = np.random.default_rng(seed).permutation(count)
    cut = count - max(1, round(count * share))
    return order[:cut], order[cut:]


def split_groups(groups: Sequence[str], share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows in two parts that share no group, the second with about `share` of the groups."""
    names = sorted(set(groups))
    chosen = np.random.default_rng(seed).permutation(len(names))[: max(1, round(len(names) * share))]
    kept = {names[index] for index in chosen}
    second = np.array([group in kept for group in groups], bool)
    return np.flatnonzero(~second), np.flatnonzero(second)
