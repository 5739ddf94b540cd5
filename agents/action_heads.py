"""Heads: how the numbers that a network puts out become actions, for each kind of action space.

A head is plain data, without weights. It reads `parameters` (rows, ...) as a distribution over *samples*: for Discrete
and MultiDiscrete a sample is the action itself; for Box it is what the Gaussian drew, before `played` scales and clips
it. Probabilities are always those of samples.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from lanista.agents.action_distributions import Categorical, Categoricals, Distribution, Gaussian
from lanista.envs.core import Array, Floats
from lanista.errors import UsageError

# Masks use a finite number: -inf times the zero probability of a padded row would make NaN gradients.
ILLEGAL = -1e9
MOST_OUTPUTS = 2**20
GREATEST = float(np.finfo(np.float32).max)


class ActionHead(Protocol):
    """One kind of action space."""

    @property
    def outputs(self) -> int:
        """How many numbers the network puts out."""
        ...

    @property
    def log_std(self) -> int:
        """How many logarithms of standard deviations the network keeps, the same for all observations."""
        ...

    def distribution(self, parameters: Tensor) -> Distribution:
        """Read a network's parameters, (rows, outputs + log_std)."""
        ...

    def tempered(self, parameters: Tensor, temperature: float) -> Tensor:
        """Parameters whose distribution is proportional to the old one to the power 1 / temperature."""
        ...

    def played(self, samples: Array) -> Array:
        """The actions that samples stand for, (rows, *shape)."""
        ...

    def fits(self, space: spaces.Space[Any]) -> bool:
        """Whether this is the head of that action space."""
        ...

    def describe(self) -> dict[str, Any]:
        """What `head_from` needs to make the same, as plain data."""
        ...


@dataclass(frozen=True)
class DiscreteHead:
    """One action of `num_actions`, by logits."""

    num_actions: int
    log_std = 0

    @property
    def outputs(self) -> int:
        return self.num_actions

    def distribution(self, parameters: Tensor) -> Distribution:
        return Categorical(parameters)

    def tempered(self, parameters: Tensor, temperature: float) -> Tensor:
        return parameters / temperature

    def played(self, samples: Array) -> Array:
        return samples

    def fits(self, space: spaces.Space[Any]) -> bool:
        return isinstance(space, spaces.Discrete) and int(space.n) == self.num_actions

    def describe(self) -> dict[str, Any]:
        return {"num_actions": self.num_actions}


@dataclass(frozen=True)
class MultiDiscreteHead:
    """One choice a dimension, of `nvec` options each; the logits of all lie side by side, (rows, sum(nvec))."""

    nvec: tuple[int, ...]
    log_std = 0

    @property
    def outputs(self) -> int:
        return sum(self.nvec)

    def distribution(self, parameters: Tensor) -> Distribution:
        return Categoricals(parameters, self.nvec)

    def tempered(self, parameters: Tensor, temperature: float) -> Tensor:
        return parameters / temperature

    def played(self, samples: Array) -> Array:
        return samples

    def fits(self, space: spaces.Space[Any]) -> bool:
        return isinstance(space, spaces.MultiDiscrete) and tuple(np.ravel(space.nvec).tolist()) == self.nvec

    def describe(self) -> dict[str, Any]:
        return {"nvec": list(self.nvec)}


@dataclass(frozen=True)
class BoxHead:
    """A Gaussian a dimension: means from the network, standard deviations that no observation changes, as in CleanRL
    and Stable-Baselines3.

    A dimension with both bounds is scaled, so that -1 and 1 of a sample are its bounds (as RLlib's
    `normalize_actions`); what is played is clipped to the bounds, the sample's density is that before clipping.
    """

    shape: tuple[int, ...]
    low: tuple[float, ...]  # flattened; -inf where there is no bound
    high: tuple[float, ...]

    @property
    def outputs(self) -> int:
        return len(self.low)

    @property
    def log_std(self) -> int:
        return len(self.low)

    @cached_property
    def _scale(self) -> tuple[Floats, Floats, Floats, Floats]:
        """The lower and upper bounds, the middle and half the width, (dimensions,) each."""
        low, high = np.array(self.low), np.array(self.high)
        bounded = np.isfinite(low) & np.isfinite(high)
        # Halved before they are added: the bounds may be as large as a number can be.
        low_half, high_half = np.where(bounded, low, -1) / 2, np.where(bounded, high, 1) / 2
        middle, half = low_half + high_half, high_half - low_half
        return low.astype(np.float32), high.astype(np.float32), middle.astype(np.float32), half.astype(np.float32)

    def distribution(self, parameters: Tensor) -> Distribution:
        mean, log_std = torch.split(parameters, self.outputs, dim=-1)
        return Gaussian(mean, log_std)

    def tempered(self, parameters: Tensor, temperature: float) -> Tensor:
        # A normal density to the power 1 / T is one of T times the variance.
        mean, log_std = torch.split(parameters, self.outputs, dim=-1)
        return torch.cat([mean, log_std + 0.5 * math.log(temperature)], dim=-1)

    def played(self, samples: Array) -> Array:
        low, high, middle, half = self._scale
        actions: Array = np.clip(middle + half * samples, low, high)
        return actions.reshape(len(samples), *self.shape)

    def fits(self, space: spaces.Space[Any]) -> bool:
        return isinstance(space, spaces.Box) and _is_float(space) and _box_head(space) == self

    def describe(self) -> dict[str, Any]:
        # JSON has no infinity: null is no bound.
        low, high = ([value if math.isfinite(value) else None for value in bounds] for bounds in (self.low, self.high))
        return {"box": {"shape": list(self.shape), "low": low, "high": high}}


def head_for(space: spaces.Space[Any], game: str) -> ActionHead:
    """The head that suits a game's actions.

    Raises:
        UsageError: no network plays such actions.
    """
    if isinstance(space, spaces.Discrete):
        return DiscreteHead(int(space.n))
    if isinstance(space, spaces.MultiDiscrete):
        return MultiDiscreteHead(tuple(np.ravel(space.nvec).tolist()))
    if isinstance(space, spaces.Box) and _is_float(space) and 0 < math.prod(space.shape) <= MOST_OUTPUTS:
        return _box_head(space)
    raise UsageError(
        f"{game} has actions that no network plays, {space}; it plays Discrete, MultiDiscrete and float Box"
    )


def head_from(description: Mapping[str, Any]) -> ActionHead:
    """Make a head from what `ActionHead.describe` gave; every field is checked.

    Raises:
        UsageError: a field is wrong, or there is not exactly one of `num_actions`, `nvec` and `box`.
    """
    kinds = [kind for kind in ("num_actions", "nvec", "box") if kind in description]
    if len(kinds) != 1:
        raise UsageError("a network's description needs one of 'num_actions', a whole number, 'nvec' and 'box'")
    value = description[kinds[0]]
    if kinds[0] == "num_actions":
        if not _is_count(value):
            raise UsageError(f"'num_actions' of a network must be a whole number from 1 to {MOST_OUTPUTS - 1}")
        return DiscreteHead(value)
    if kinds[0] == "nvec":
        if not isinstance(value, list) or not value or not all(map(_is_count, value)) or sum(value) >= MOST_OUTPUTS:
            raise UsageError("'nvec' of a network must be a list of whole numbers from 1, one a dimension")
        return MultiDiscreteHead(tuple(value))
    return _box_from(value)


def _box_from(value: Any) -> BoxHead:
    shape = value.get("shape") if isinstance(value, dict) else None
    if (
        not isinstance(shape, list)
        or len(shape) > 8
        or not all(map(_is_count, shape))
        or math.prod(shape) > MOST_OUTPUTS
    ):
        raise UsageError("'box' of a network needs 'shape', a list of whole numbers from 1")
    bounds = []
    for name, without in (("low", -math.inf), ("high", math.inf)):
        listed = value.get(name)
        if (
            not isinstance(listed, list)
            or len(listed) != math.prod(shape)
            or not all(bound is None or type(bound) in (int, float) for bound in listed)
            or not all(bound is None or abs(bound) <= GREATEST for bound in listed)
        ):
            raise UsageError(f"'box' of a network needs '{name}', {math.prod(shape)} numbers, or null for no bound")
        bounds.append(tuple(without if bound is None else float(bound) for bound in listed))
    if any(low > high for low, high in zip(*bounds, strict=True)):
        raise UsageError("'box' of a network has a 'low' that is greater than its 'high'")
    return BoxHead(tuple(shape), *bounds)


def _box_head(space: spaces.Box) -> BoxHead:
    return BoxHead(tuple(space.shape), _bounds(np.ravel(space.low)), _bounds(np.ravel(space.high)))


def _bounds(values: Sequence[float] | Array) -> tuple[float, ...]:
    with np.errstate(over="ignore"):  # float64 bounds beyond float32 are none
        return tuple(np.asarray(values, np.float32).astype(float).tolist())


def _is_float(space: spaces.Box) -> bool:
    return np.issubdtype(space.dtype, np.floating)


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 < value < MOST_OUTPUTS
