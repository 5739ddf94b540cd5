"""A batch in shuffled minibatches: rows by themselves, along a memory's sequences, or with those of the same sound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from lanista.envs.core import Floats, Ints

MIXED = 16  # sounds that a minibatch should have at least, if the rows of each stay together


@dataclass(frozen=True)
class Cut:
    """How a batch is cut.

    Attributes:
        minibatch: rows a gradient step.
        at_once: rows computed at once.
        memory_steps: with a memory: steps of a sequence at most.
    """

    minibatch: int
    at_once: int
    memory_steps: int


@dataclass(frozen=True)
class Pick:
    """Rows of a batch that are computed at once.

    Attributes:
        rows: their places in the batch.
        counts: with a memory: which places of the sequences they fill, one after the other.
        memory: with a memory: what is remembered before each sequence.
    """

    rows: Tensor  # (rows,)
    counts: Tensor | None = None  # (time, sequences) bool
    memory: Tensor | None = None  # (sequences, state_size)


class Sequences:
    """A batch cut in sequences, each of one seat in one game, that a memory learns along.

    Backpropagation through time is cut between them; what is remembered there is as it was when it was played.
    """

    def __init__(self, stream: Ints, memory: Floats, most: int) -> None:
        """Cut.

        Args:
            stream: (rows,), as `Batch.stream`.
            memory: (rows, state_size), as `Batch.memory`.
            most: steps of a sequence.
        """
        rows = np.arange(len(stream))
        begins = np.flatnonzero(np.diff(stream, prepend=stream[0] - 1))
        since = rows - np.repeat(begins, np.diff(begins, append=len(stream)))
        starts = np.flatnonzero(since % most == 0)
        self.starts = torch.from_numpy(starts)  # (sequences,)
        self.lengths = torch.from_numpy(np.diff(starts, append=len(stream)))  # (sequences,)
        self.memory = torch.from_numpy(memory[starts])  # (sequences, state_size)

    def about(self, rows: int) -> int:
        """How many sequences have about so many rows; at least 1."""
        return max(1, round(rows * len(self.starts) / int(self.lengths.sum())))

    def pick(self, chosen: Tensor) -> Pick:
        """The rows of some sequences (n,), step after step."""
        places = torch.arange(int(self.lengths[chosen].max()))[:, None]
        counts = places < self.lengths[chosen]
        return Pick((self.starts[chosen] + places)[counts], counts, self.memory[chosen])


def minibatches(
    rows: int, cut: Cut, sequences: Sequences | None, repeats: Tensor | None, generator: torch.Generator
) -> Iterator[list[Pick]]:
    """One pass over a batch in shuffled minibatches, each in parts that are computed at once.

    Args:
        rows: of the batch.
        cut: into what.
        sequences: with a memory: they are chosen whole.
        repeats: (rows,), the number of the sound that a row has, from 0 on; None: rows are shuffled one by one.
        generator: shuffles.
    """
    if sequences is None:
        size = min(cut.minibatch, rows)
        order = torch.randperm(rows, generator=generator)
        if repeats is not None and _mixed(repeats, cut):  # rows of one sound stay together, and sounds are shuffled
            places = torch.randperm(int(repeats.max()) + 1, generator=generator)
            order = order[places[repeats[order]].argsort(stable=True)]
        for start in range(0, rows - size + 1, size):
            yield [Pick(part) for part in torch.split(order[start : start + size], cut.at_once)]
        return
    # How many minibatches there are follows from the rows alone, since several learners, which have as many rows but
    # other sequences, must make as many steps.
    steps = max(1, rows // max(cut.minibatch, cut.memory_steps))
    order = torch.randperm(len(sequences.starts), generator=generator)
    at_once = sequences.about(cut.at_once)
    for chosen in torch.tensor_split(order, steps):
        yield [sequences.pick(part) for part in torch.split(chosen, at_once)]


def _mixed(repeats: Tensor, cut: Cut) -> bool:
    """Whether minibatches are mixed although rows of one sound stay together, and sounds stand in several rows."""
    sounds = int(repeats.max()) + 1
    return MIXED * len(repeats) <= sounds * cut.minibatch and 2 * sounds <= len(repeats)
