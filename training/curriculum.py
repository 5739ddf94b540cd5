"""Which level the next episode plays: the contract of the files in `training/curricula`, and their words.

One curriculum decides for a whole run. It stands with the learner; before each batch every runner gets its state, draws
from a copy as its episodes end, and tells what it drew and how the episodes it finished scored. So scores of all
runners flow into one, and the copies are never more than a batch behind it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lanista.envs.core import Ints
from lanista.errors import UsageError
from lanista.plugs import call, parse_options, plug_class

CURRICULA = "lanista.training.curricula"
Scores = NDArray[np.float64]


@dataclass(frozen=True)
class LevelNews:
    """What a runner tells of one batch.

    Attributes:
        drawn: the levels that it drew, in order.
        finished: the levels of the episodes that ended.
        scores: of these episodes, the mean of |generalised advantage| over their moves.
    """

    drawn: Ints  # (d,)
    finished: Ints  # (e,)
    scores: Scores  # (e,)


class Curriculum:
    """What every curriculum counts, and what a file of `training/curricula` fills in.

    Attributes:
        levels: there are the training levels 0 to `levels` - 1.
        drawn: how often each was drawn.
    """

    def __init__(self, levels: int) -> None:
        """Nothing is drawn yet."""
        self.levels = levels
        self.drawn: Ints = np.zeros(levels, np.int64)  # (levels,)

    @property
    def episodes(self) -> int:
        """How many levels were drawn so far."""
        return int(self.drawn.sum())

    def draw(self, count: int, random: np.random.Generator) -> Ints:
        """(count,) the levels of the next episodes, which count as drawn."""
        levels = self.choose(count, random)
        self.note(levels)
        return levels

    def hear(self, news: LevelNews) -> None:
        """Take in what a runner tells: what a copy of this drew, and how episodes scored."""
        self.note(news.drawn)
        self.learn(news.finished, news.scores)

    def choose(self, count: int, random: np.random.Generator) -> Ints:
        """(count,) levels, from what is known now; they do not count as drawn yet."""
        raise NotImplementedError

    def note(self, levels: Ints) -> None:
        """Count these as drawn, in this order."""
        np.add.at(self.drawn, levels, 1)

    def learn(self, levels: Ints, scores: Scores) -> None:
        """Learn how episodes scored; the later ones of a level stand behind the earlier ones."""

    def metrics(self) -> dict[str, float]:
        """What is told of it in a run's curves, by name."""
        return {"levels_drawn": float((self.drawn > 0).mean())}

    def state(self) -> dict[str, Tensor]:
        """All there is to know to go on, as tensors that share nothing with it."""
        return {"drawn": torch.tensor(self.drawn)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` gave.

        Raises:
            KeyError, ValueError: it is of another curriculum, or of other levels.
        """
        self.drawn = self._restored(state, "drawn")

    def _restored(self, state: Mapping[str, Tensor], name: str) -> NDArray[Any]:
        """(levels,) one part of a state."""
        value = state[name].numpy().copy()
        if value.shape != (self.levels,):
            raise ValueError(f"the curriculum's {name} is of {len(value)} levels, not of {self.levels}")
        return value


def open_curriculum(words: str, levels: int) -> Curriculum:
    """A curriculum by its words, such as `plr:temperature=0.3`.

    Raises:
        UsageError: there is no such curriculum or option, or a value that cannot be.
    """
    if levels < 1:
        raise UsageError(f"a curriculum is of training levels: say how many, as in --levels 200, not {levels}")
    name, _, options = words.partition(":")
    kind = plug_class(CURRICULA, "curriculum", name, Curriculum)
    opened: Curriculum = call(partial(kind, levels), f"the curriculum '{name}'", {**parse_options(options, words)})
    return opened
