"""A model of Stable-Baselines3 as an agent; it lives in the process that `agents.kinds.sb3` begins."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from lanista.agents.kinds.sb3 import CONTRIB
from lanista.envs.core import Array, Choice, GameSpec, Turn
from lanista.errors import UsageError


class Sb3Player:
    """Asks a model once a batch."""

    def __init__(self, path: str, algorithm: str, deterministic: bool) -> None:
        """Load the model, which may run code of the file.

        Args:
            path: the file.
            algorithm: the name of its class.
            deterministic: play the most likely action; else draw.
        """
        home = importlib.import_module("sb3_contrib" if algorithm in CONTRIB else "stable_baselines3")
        self._model = getattr(home, algorithm).load(path, device="cpu")
        self._deterministic = deterministic
        self._masks = algorithm == "MaskablePPO"
        self._recurrent = algorithm == "RecurrentPPO"
        self._states: dict[tuple[int, int], Any] = {}  # by game and player: what a recurrent model remembers
        self.name = algorithm

    def start(self, spec: GameSpec, seed: int) -> None:
        """Check that the model's spaces are the game's.

        Raises:
            UsageError: they are not.
        """
        self._model.set_random_seed(seed % 2**32)
        for role in spec.roles:
            self._check(role.observation, role.action, spec.name)

    def _check(self, observation: spaces.Dict, action: Any, game: str) -> None:
        theirs, its = self._model.observation_space, self._model.action_space
        shapes = {name: space.shape for name, space in observation.spaces.items()}
        if isinstance(theirs, spaces.Dict):
            fits = {name: _flat_shape(space) for name, space in theirs.spaces.items()} == shapes
        else:
            fits = list(shapes.values()) == [_flat_shape(theirs)]
        if not fits:
            raise UsageError(f"the model sees {theirs}, and {game} shows {observation}")
        if isinstance(its, spaces.MultiBinary):
            its = spaces.MultiDiscrete([2] * int(np.prod(its.shape)))
        same = isinstance(its, type(action)) and (
            (isinstance(its, spaces.Discrete) and its.n == action.n)
            or (isinstance(its, spaces.MultiDiscrete) and np.array_equal(np.ravel(its.nvec), np.ravel(action.nvec)))
            or (isinstance(its, spaces.Box) and its.shape == action.shape)
        )
        if not same:
            raise UsageError(f"the model plays {self._model.action_space}, and {game} takes {action}")

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        """The model's actions, (k,) or (k, *shape)."""
        seen = self._seen(turn.observation)
        options: dict[str, Any] = {"deterministic": self._deterministic}
        if self._masks and turn.legal is not None:
            options["action_masks"] = turn.legal
        if not self._recurrent:
            actions, _ = self._model.predict(seen, **options)
            return Choice(self._played(np.asarray(actions)))
        keys = [(int(game), int(player)) for game, player in zip(turn.games, turn.players, strict=True)]
        parts = []
        for row, key in enumerate(keys):  # the models' own interface keeps the state of all environments together
            one = (
                {name: value[row : row + 1] for name, value in seen.items()}
                if isinstance(seen, dict)
                else seen[row][None]
            )
            before = self._states.get(key)
            begins = np.array([before is None])
            action, self._states[key] = self._model.predict(one, state=before, episode_start=begins, **options)
            parts.append(np.asarray(action))
        return Choice(self._played(np.concatenate(parts)))

    def finish(self, games: Array) -> None:
        """Forget games that are over."""
        over = set(np.asarray(games).tolist())
        self._states = {key: state for key, state in self._states.items() if key[0] not in over}

    def _seen(self, observation: Mapping[str, Array]) -> Any:
        """What the model is shown: its own keys, or the only array; one-hot numbers as the numbers they are."""
        theirs = self._model.observation_space
        if isinstance(theirs, spaces.Dict):
            return {name: _back(space, observation[name]) for name, space in theirs.spaces.items()}
        (only,) = observation.values()
        return _back(theirs, only)

    def _played(self, actions: Array) -> Array:
        if isinstance(self._model.action_space, spaces.Discrete):
            return actions.astype(np.int64).reshape(-1) - int(self._model.action_space.start)
        return actions


def _flat_shape(space: spaces.Space[Any]) -> tuple[int, ...] | None:
    """The shape in which Lanista shows what a model sees."""
    return space.shape if isinstance(space, spaces.Box) else spaces.flatten_space(space).shape


def _back(space: spaces.Space[Any], rows: Array) -> Array:
    """A batch of what Lanista shows as the model's space has it."""
    if isinstance(space, spaces.Box):
        return np.ascontiguousarray(rows)
    if isinstance(space, spaces.Discrete):
        numbers: Array = rows.argmax(1) + int(space.start)
        return numbers
    return np.stack([spaces.unflatten(space, row) for row in rows])
