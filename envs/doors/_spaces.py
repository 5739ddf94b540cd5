"""Other libraries' spaces as Lanista's: named modalities, three kinds of action, legal masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numba
import numpy as np
from gymnasium import spaces

from lanista.envs.core import Array, Bools, Ints, Role
from lanista.envs.doors._modalities import MASK, leaves
from lanista.errors import UsageError

MOST_CHOICES = 1000  # whole numbers in a wider range are taken for a measure, not for choices


@dataclass(frozen=True)
class Seen:
    """What one seat sees when it must act.

    Attributes:
        observation: modality name -> array of the role's shape and dtype.
        legal: (num_actions,) or (sum(nvec),); None for Box.
    """

    observation: Mapping[str, Array]
    legal: Bools | None


@dataclass(slots=True)
class Shown:
    """What some copies show, a row each: the seat that must act there.

    Attributes:
        observation: modality name -> rows; never written to again.
        legal: (m, width); None where all is legal, or for Box.
        players: (m,); None: all are player 0.
    """

    observation: Mapping[str, Array]  # each (m, *shape)
    legal: Bools | None = None
    players: Ints | None = None

    def take(self, rows: Ints) -> Shown:
        """Only these rows, in this order."""
        return Shown(
            {name: rows_of(value, rows) for name, value in self.observation.items()},
            None if self.legal is None else self.legal[rows],
            None if self.players is None else self.players[rows],
        )

    def put(self, rows: Ints, other: Shown) -> Shown:
        """These rows replaced by another's; what was shown before stays as it was."""
        legal = self.legal
        if legal is None and other.legal is not None:  # so far all was legal
            count = len(next(iter(self.observation.values())))
            legal = np.ones((count, other.legal.shape[1]), bool)
        if legal is not None:
            legal = legal.copy()
            legal[rows] = True if other.legal is None else other.legal
        players = self.players
        if players is not None and other.players is not None:
            players = players.copy()
            players[rows] = other.players
        observation = {name: value.copy() for name, value in self.observation.items()}
        for name, value in observation.items():
            value[rows] = other.observation[name]
        return Shown(observation, legal, players)


class Translator:
    """One player's spaces, both ways.

    Box and MultiBinary observations keep their shape; pictures of bytes are shown as (channels, height, width).
    Dictionaries give a modality for each key, inner keys joined by a dot. Texts become the numbers of their words
    (`perception/inputs/words.py`). Everything else is flattened as `gymnasium.spaces.flatten` does it: a Discrete
    becomes one-hot. A single unnamed observation is called `observation`. An `action_mask` is the legal mask, not a
    modality.
    """

    def __init__(self, observation: spaces.Space[Any], action: spaces.Space[Any], source: str) -> None:
        """Raises UsageError where a space has no fixed size, or actions are no Discrete, MultiDiscrete or Box.

        Args:
            observation, action: the player's spaces in the other library.
            source: the game's whole string, for the error.
        """
        self._observation = observation
        action = _counted(action)
        self._action = action
        self._start = int(action.start) if isinstance(action, spaces.Discrete) else 0
        self._leaves = tuple(leaves(observation, (), source))
        native = _native_action(action, source)
        self.role = Role(spaces.Dict({leaf.name: leaf.space for leaf in self._leaves}), native)
        self._width = legal_width(native)
        only = self._leaves[0] if len(self._leaves) == 1 and not self._leaves[0].path else None
        # The commonest case by far, an array that is shown as it comes: its name and dtype.
        self._bare = (only.name, only.space.dtype) if only is not None and only.space is observation else None
        if isinstance(action, spaces.Box):
            self._size = prod(action.shape)
            self._low, self._high = np.ravel(action.low), np.ravel(action.high)
        self._all_legal: Bools = np.ones(self._width or 0, bool)
        mask = observation.spaces.get(MASK) if isinstance(observation, spaces.Dict) else None
        size = prod(mask.shape) if mask is not None and mask.shape is not None else None
        if size is not None and self._width is not None and size != self._width:
            raise UsageError(
                f"'{source}' cannot be played: its action mask has {size} entries for {self._width} actions, {action}"
            )

    def see(self, observation: Any, info: Mapping[str, Any]) -> Seen:
        """Translate an observation; its arrays may be the environment's own, to be copied before it goes on.

        Raises:
            ValueError: it shows no legal action, or a mask of the wrong size.
        """
        seen = {}
        for leaf in self._leaves:
            value = observation
            for key in leaf.path:
                value = value[key]
            seen[leaf.name] = leaf.convert(value)
        mask = observation.get(MASK) if isinstance(observation, Mapping) else None
        return Seen(seen, self._legal(info.get(MASK) if mask is None else mask))

    def see_last(self, observation: Any, info: Mapping[str, Any]) -> Seen:
        """Translate the observation of a seat that was cut off: a copy, and all is legal where its mask shows nothing.

        Nobody acts there any more, so environments may leave the mask empty; a value network still has to read it.
        """
        if isinstance(observation, Mapping) and MASK in observation and not np.any(observation[MASK]):
            observation = {key: value for key, value in observation.items() if key != MASK}
        if MASK in info and not np.any(info[MASK]):
            info = {}
        seen = self.see(observation, info)
        return Seen({name: np.array(value) for name, value in seen.observation.items()}, seen.legal)

    def act(self, action: Any) -> Any:
        """The action in the other library's own space; Box actions are clipped to its bounds."""
        space = self._action
        if isinstance(space, spaces.Discrete):
            return int(action) + int(space.start)
        if isinstance(space, spaces.MultiDiscrete):
            return (np.asarray(action).reshape(space.shape) + space.start).astype(space.dtype)
        if isinstance(space, spaces.Box):
            return np.clip(np.asarray(action, space.dtype).reshape(space.shape), space.low, space.high)
        return np.asarray(action).reshape(space.shape).astype(space.dtype)  # MultiBinary

    def see_rows(self, observation: Any, mask: Any = None) -> Shown:
        """Translate a batch as vector environments give it: arrays in the places that single observations have.

        Args:
            observation: each leaf (m, *shape); not written to again by its maker.
            mask: (m, width) legal actions, where they are not in the observation.
        """
        if mask is None and self._bare is not None and type(observation) is np.ndarray:
            name, dtype = self._bare
            if observation.dtype == dtype:
                return Shown({name: observation})
        seen = {}
        for leaf in self._leaves:
            value = observation
            for key in leaf.path:
                value = value[key]
            seen[leaf.name] = leaf.convert_rows(value)
        if type(observation) is not np.ndarray and isinstance(observation, Mapping) and MASK in observation:
            mask = observation[MASK]
        if mask is None or self._width is None:
            return Shown(seen)
        legal: Bools = np.asarray(mask).reshape(len(mask), -1).astype(bool)
        if legal.shape[1] != self._width:
            raise ValueError(f"an action mask of {legal.shape[1]} for {self._width} actions")
        return Shown(seen, legal)

    def act_rows(self, actions: Array) -> Array:
        """A batch of actions, (m,) or (m, *shape), in the other library's own space."""
        space = self._action
        own: Array
        if isinstance(space, spaces.Discrete):
            return actions + self._start if self._start else actions
        if isinstance(space, spaces.MultiDiscrete):
            own = np.asarray(actions.reshape(-1, *space.shape) + space.start, space.dtype)
            return own
        if isinstance(space, spaces.Box):
            if space.dtype is None or space.dtype.kind != "f":
                return np.clip(actions.reshape(-1, *space.shape), space.low, space.high).astype(space.dtype)
            own = np.empty((len(actions), *space.shape), space.dtype)
            _clipped(actions.reshape(len(actions), self._size), self._low, self._high, own.reshape(-1, self._size))
            return own
        own = np.asarray(actions.reshape(-1, *(space.shape or ())), space.dtype)  # MultiBinary
        return own

    def stack(
        self, observations: Sequence[Any], infos: Sequence[Mapping[str, Any]], over: Bools | None = None
    ) -> Shown:
        """Translate single observations into the rows of a batch, whose arrays are its own.

        Args:
            observations, infos: m of each.
            over: (m,) games that are over, where a mask may show nothing: all is legal there.

        Raises:
            ValueError: one is of the wrong shape, or shows a mask of the wrong size or without a legal action.
        """
        seen = {}
        for leaf in self._leaves:
            values: Sequence[Any] = observations
            for key in leaf.path:
                values = [value[key] for value in values]
            shape = (len(values), *(leaf.space.shape or ()))
            if isinstance(values[0], np.ndarray) and values[0].shape == leaf.space.shape != ():
                rows = np.concatenate(values).reshape(shape)
                seen[leaf.name] = rows if rows.dtype == leaf.space.dtype else rows.astype(leaf.space.dtype)
            elif isinstance(values[0], tuple | Mapping):  # flattened one by one
                seen[leaf.name] = np.array([leaf.convert(value) for value in values], leaf.space.dtype).reshape(shape)
            else:
                seen[leaf.name] = leaf.convert_rows(np.array(values)).reshape(shape)
        masked = isinstance(observations[0], Mapping) and MASK in observations[0]
        if self._width is None or not (masked or (any(infos) and any(MASK in info for info in infos))):
            return Shown(seen)
        masks = [value[MASK] for value in observations] if masked else [info.get(MASK) for info in infos]
        if over is not None and over.any():
            masks = [None if done and not np.any(mask) else mask for mask, done in zip(masks, over, strict=True)]
        return Shown(seen, np.array([self._legal(mask) for mask in masks]))

    def blank(self, rows: int) -> Shown:
        """Rows of zeros, all legal."""
        seen = {leaf.name: np.zeros((rows, *(leaf.space.shape or ())), leaf.space.dtype) for leaf in self._leaves}
        return Shown(seen, None if self._width is None else np.ones((rows, self._width), bool))

    @property
    def filler(self) -> Array:
        """An action that the other library takes where none is wanted, as in the role's own space."""
        space = self.role.action
        if isinstance(space, spaces.Box):
            return np.clip(np.zeros(space.shape, space.dtype), space.low, space.high)
        return np.zeros(space.shape or (), np.int64)

    def _legal(self, mask: Any) -> Bools | None:
        if self._width is None:
            return None
        if mask is None:
            return self._all_legal
        if isinstance(mask, tuple | list):
            mask = np.concatenate([np.ravel(part) for part in mask])  # MultiDiscrete: one mask a part
        legal: Bools = np.ravel(mask).astype(bool)
        if len(legal) != self._width:
            raise ValueError(f"an action mask of {len(legal)} for {self._width} actions")
        if not legal.any():
            raise ValueError("no legal action is shown to a seat that must act")
        return legal


def rows_of(value: Array, rows: Ints) -> Array:
    """These rows of a batch, as `value[rows]`."""
    if value.ndim != 2 or value.dtype.kind not in "iufb" or value.shape[1] > 32:
        taken: Array = value.take(rows, axis=0)  # copies long rows as a whole
        return taken
    out: Array = np.empty((len(rows), value.shape[1]), value.dtype)
    _gathered(value, rows, out)
    return out


@numba.njit(cache=True)
def _clipped(values: Any, low: Any, high: Any, out: Any) -> None:
    """Write `values` (k, m) to `out`, each within its bounds."""
    for row in range(len(values)):
        for column in range(len(low)):
            out[row, column] = min(max(values[row, column], low[column]), high[column])


@numba.njit(cache=True)
def _gathered(values: Any, rows: Any, out: Any) -> None:
    """Write these rows of `values` (n, m) to `out` (k, m)."""
    for to in range(len(rows)):
        for column in range(values.shape[1]):
            out[to, column] = values[rows[to], column]


def _counted(action: spaces.Space[Any]) -> spaces.Space[Any]:
    """Bounded whole numbers as what they are, a MultiDiscrete; other spaces as they come."""
    if not isinstance(action, spaces.Box) or action.dtype is None or action.dtype.kind not in "iu":
        return action
    sizes = action.high.astype(np.int64) - action.low.astype(np.int64) + 1
    if sizes.size == 0 or sizes.max() > MOST_CHOICES:
        return action
    return spaces.MultiDiscrete(sizes, dtype=str(action.dtype), start=action.low.astype(np.int64))


def legal_width(action: spaces.Space[Any]) -> int | None:
    """How many columns the legal mask of a role has; None for Box."""
    if isinstance(action, spaces.Discrete):
        return int(action.n)
    if isinstance(action, spaces.MultiDiscrete):
        return int(action.nvec.sum())
    return None


def _native_action(action: spaces.Space[Any], source: str) -> spaces.Space[Any]:
    if isinstance(action, spaces.Discrete):
        return spaces.Discrete(int(action.n))
    if isinstance(action, spaces.MultiDiscrete):
        return spaces.MultiDiscrete(np.ravel(action.nvec))
    if isinstance(action, spaces.MultiBinary):
        return spaces.MultiDiscrete([2] * prod(action.shape))
    if isinstance(action, spaces.Box):
        return action
    raise UsageError(f"'{source}' cannot be played: its actions are neither Discrete, MultiDiscrete nor Box, {action}")
