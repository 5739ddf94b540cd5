"""Other libraries' spaces as Lanista's: named modalities, three kinds of action, legal masks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from gymnasium import spaces

from lanista.envs.core import Array, Bools, Role
from lanista.errors import UsageError

MASK = "action_mask"  # the key under which PettingZoo and Gymnasium show the legal actions


@dataclass(frozen=True)
class Seen:
    """What one seat sees when it must act.

    Attributes:
        observation: modality name -> array of the role's shape and dtype.
        legal: (num_actions,) or (sum(nvec),); None for Box.
    """

    observation: Mapping[str, Array]
    legal: Bools | None


@dataclass(frozen=True)
class _Leaf:
    """One modality: where it lies in the foreign observation, and how it becomes an array."""

    name: str
    path: tuple[str, ...]
    space: spaces.Box
    convert: Callable[[Any], Any]


class Translator:
    """One player's spaces, both ways.

    Box observations keep shape and dtype. Dictionaries give a modality for each key, inner keys joined by a dot.
    Everything else is flattened as `gymnasium.spaces.flatten` does it: a Discrete becomes one-hot. A single unnamed
    observation is called `observation`. An `action_mask` is the legal mask, not a modality.
    """

    def __init__(self, observation: spaces.Space[Any], action: spaces.Space[Any], source: str) -> None:
        """Raises UsageError where a space has no fixed size, or actions are no Discrete, MultiDiscrete or Box.

        Args:
            observation, action: the player's spaces in the other library.
            source: the game's whole string, for the error.
        """
        self._observation = observation
        self._action = action
        self._leaves = tuple(_leaves(observation, (), source))
        native = _native_action(action, source)
        self.role = Role(spaces.Dict({leaf.name: leaf.space for leaf in self._leaves}), native)
        self._width = legal_width(native)
        self._all_legal: Bools = np.ones(self._width or 0, bool)

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


def legal_width(action: spaces.Space[Any]) -> int | None:
    """How many columns the legal mask of a role has; None for Box."""
    if isinstance(action, spaces.Discrete):
        return int(action.n)
    if isinstance(action, spaces.MultiDiscrete):
        return int(action.nvec.sum())
    return None


def _leaves(space: spaces.Space[Any], path: tuple[str, ...], source: str) -> Iterator[_Leaf]:
    if isinstance(space, spaces.Dict):
        for key, inner in space.spaces.items():
            if path or key != MASK:
                yield from _leaves(inner, (*path, key), source)
        return
    # PettingZoo wraps what a player sees as {"observation": ..., "action_mask": ...}: the wrapping is no name.
    named = path[1:] if len(path) > 1 and path[0] == "observation" else path
    name = ".".join(named) or "observation"
    if isinstance(space, spaces.Box):
        dtype = space.dtype
        yield _Leaf(name, path, space, lambda value: np.asarray(value, dtype))
        return
    flat: spaces.Space[Any]
    try:
        flat = spaces.flatten_space(space)
    except NotImplementedError:
        flat = space
    if not isinstance(flat, spaces.Box):
        raise UsageError(f"'{source}' cannot be played: its observation '{name}' has no fixed size, {space}")
    yield _Leaf(name, path, flat, lambda value: spaces.flatten(space, value))


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
