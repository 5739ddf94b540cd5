"""Advantages without luck: what a move is worth, from the whole tree of a small game with hidden hands.

Games are played as always, and say which information sets matter; how much better than expected a move was is not
estimated from how its game ended but computed for the policy that played (Srinivasan et al. 2018, arXiv:1810.09026,
section 3; exploitability descent, Lockhart et al. 2019, arXiv:1903.05614, does so against best responses). Near an
equilibrium all moves that are played are worth nearly the same; the rest of an estimate is the luck of the cards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from lanista.agents.exploitability import action_values, policy_from, seen_bytes, small_tree, tree_of
from lanista.envs.core import Array, Floats, Turn
from lanista.errors import UsageError
from lanista.training.ppo import Batch
from lanista.training.rollout import Learner
from lanista.training.settings import TrainSettings


def check_exact(settings: TrainSettings) -> None:
    """Refuse a run that has no exact advantages.

    Raises:
        UsageError: its game is no small native one with hidden hands, others than the network play, or it remembers.
    """
    for name, given in (("opponents", settings.opponents), ("league_size", settings.league_size)):
        if given:
            raise UsageError(f"exact advantages are of self-play: leave '{name}' empty, or exact_advantages false")
    if settings.memory:
        raise UsageError("exact advantages are of what a seat sees, not of what it remembers: leave memory empty")
    game = settings.game
    if small_tree(game) is None:
        raise UsageError(
            f"exact advantages are of small native games with hidden hands, as leduc_poker; {game} is none"
        )


class ExactAdvantages:
    """Tells the rows of batches what they are worth."""

    def __init__(self, settings: TrainSettings) -> None:
        """Lay out the game's tree.

        Raises:
            UsageError: as `check_exact`.
        """
        check_exact(settings)
        self.tree = tree_of(settings.game)
        keys = [key for turn in self.tree.turns for key in _keys(turn.observation)]
        self._sets = {key: number for number, key in enumerate(keys)}
        if len(self._sets) < len(keys):
            raise UsageError(f"in {settings.game} positions of several movers look the same: no exact advantages")

    def policy(self, learner: Learner) -> Floats:
        """What the networks do at each information set, (information_sets, num_actions)."""

        def ask(turn: Turn) -> Floats | None:
            # The positions stand in no copy of the games that are played, and nothing is remembered of any.
            parameters, _ = learner.evaluate(replace(turn, copies=np.zeros(len(turn), np.int64)))
            return learner.networks[0].head.distribution(parameters).policy()

        with learner.steady():
            return policy_from(ask, self.tree)

    def tell(self, learner: Learner, batches: Mapping[str, Batch]) -> dict[str, Batch]:
        """The batches with exact advantages and returns for the policy of the learner's networks as they stand."""
        policy = self.policy(learner)
        values = action_values(self.tree, policy)  # (information_sets, num_actions)
        expected = (policy * values).sum(1)  # (information_sets,)
        return {role: self._told(batch, values, expected) for role, batch in batches.items()}

    def _told(self, batch: Batch, values: Array, expected: Array) -> Batch:
        seen = _keys(batch.observation)
        sets = np.fromiter((self._sets[key] for key in seen), np.int64, len(seen))
        gain = values[sets, batch.actions] - expected[sets]
        return replace(batch, advantages=gain.astype(np.float32), returns=expected[sets].astype(np.float32))


def _keys(observation: Mapping[str, Array]) -> list[bytes]:
    """Each row of an observation as bytes."""
    rows = seen_bytes(observation)
    keys: Any = rows.view(np.dtype((np.void, rows.shape[1]))).ravel().tolist()
    return list[bytes](keys)
