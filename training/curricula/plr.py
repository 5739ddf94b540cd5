"""`plr`: prioritised level replay: levels on which the value errs most are played again.

Jiang, Grefenstette and Rocktaschel 2021, arXiv:2010.03934. An episode plays a level that was seen with the share of
levels that were seen (the paper's P_D, annealed with the proportion), else a new one. A seen level i is replayed with

    P_replay(i) = (1 - staleness) * P_S(i) + staleness * P_C(i)
    P_S(i) = h(S_i)^(1 / temperature) / sum_j h(S_j)^(1 / temperature),  h(S_i) = 1 / rank(S_i)
    P_C(i) = (c - C_i) / sum_j (c - C_j)

where S_i is the score of its last episode, the mean of |generalised advantage| (the paper's L1 value loss), c counts
the episodes so far and C_i is the count when the level was drawn last. The defaults are the paper's for Procgen.

The paper leaves open, and this decides: many games run at once, so a level counts as seen when its first score is
there, while levels that were never drawn go before those whose first episode still runs; equal scores rank by
staleness; and all that are drawn at one moment come from the same distribution.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from lanista.envs.core import Ints
from lanista.errors import UsageError
from lanista.training.curriculum import Curriculum, Scores

NEVER = -1


class PrioritisedLevelReplay(Curriculum):
    """Keeps a score and a time for every level.

    Attributes:
        scores: of each level's last episode; NaN where none has ended.
        last: the count of episodes when each was drawn last; `NEVER`.
    """

    def __init__(self, levels: int, temperature: float = 0.1, staleness: float = 0.1) -> None:
        """Nothing is drawn yet.

        Args:
            levels: how many training levels there are.
            temperature: the paper's beta: the lower, the more the first ranks are replayed.
            staleness: the paper's rho, in [0, 1]: the weight of how long ago a level was played.
        """
        super().__init__(levels)
        if temperature <= 0:
            raise UsageError(f"the temperature of plr must be more than 0, but is {temperature:g}")
        if not 0 <= staleness <= 1:
            raise UsageError(f"the staleness of plr must be between 0 and 1, but is {staleness:g}")
        self.temperature = temperature
        self.staleness = staleness
        self.scores: Scores = np.full(levels, np.nan)  # (levels,)
        self.last: Ints = np.full(levels, NEVER)  # (levels,)

    @property
    def seen(self) -> Ints:
        """The levels that have a score."""
        return np.flatnonzero(~np.isnan(self.scores))

    def replay_distribution(self) -> Scores:
        """(seen,) the probability of each seen level, if one is replayed."""
        seen = self.seen
        scores, age = self.scores[seen], self.episodes - self.last[seen]
        rank = np.empty(len(seen))
        rank[np.lexsort((-age, -scores))] = np.arange(1, len(seen) + 1)
        weight = rank ** (-1 / self.temperature)
        stale = age / age.sum() if age.any() else np.full(len(seen), 1 / len(seen))
        mixed = (1 - self.staleness) * weight / weight.sum() + self.staleness * stale
        whole: Scores = mixed / mixed.sum()  # 1 already, but for rounding
        return whole

    def choose(self, count: int, random: np.random.Generator) -> Ints:
        seen = self.seen
        replayed = random.random(count) < len(seen) / self.levels
        new = count - int(replayed.sum())
        levels = np.empty(count, np.int64)
        if new:
            levels[~replayed] = self._unseen(new, random)
        if new < count:
            levels[replayed] = random.choice(seen, count - new, p=self.replay_distribution())
        return levels

    def _unseen(self, count: int, random: np.random.Generator) -> Ints:
        """(count,) levels without a score: each that was never drawn once at most, then those that are under way."""
        fresh = random.permutation(np.flatnonzero(self.last == NEVER))[:count]
        if len(fresh) == count:
            return fresh
        running = np.flatnonzero(np.isnan(self.scores))
        return np.concatenate([fresh, random.choice(running, count - len(fresh))])

    def note(self, levels: Ints) -> None:
        before = self.episodes
        super().note(levels)
        self.last[levels] = before + 1 + np.arange(len(levels))  # of one that is drawn twice, the later

    def learn(self, levels: Ints, scores: Scores) -> None:
        self.scores[levels] = scores

    def metrics(self) -> dict[str, float]:
        told = super().metrics() | {"levels_seen": len(self.seen) / self.levels}
        if len(self.seen):
            p = self.replay_distribution()
            told["levels_replayed"] = float(np.exp(-(p * np.log(np.maximum(p, 1e-300))).sum()))  # 2 if two share it all
        return told

    def state(self) -> dict[str, Tensor]:
        return super().state() | {"scores": torch.tensor(self.scores), "last": torch.tensor(self.last)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        super().restore(state)
        self.scores, self.last = self._restored(state, "scores"), self._restored(state, "last")
