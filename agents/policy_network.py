"""The network that plays: encoders, a policy over the actions and a value."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any

import torch
from gymnasium import spaces
from torch import Tensor, nn

from lanista.envs.core import GameSpec, Turn
from lanista.errors import UsageError
from lanista.perception.fusion import Fusion, build_fusion, fusion_from

# Masks use a finite number: -inf times the zero probability of a padded row would make NaN gradients.
ILLEGAL = -1e9
ROWS_AT_ONCE = 1024
# Every new number of rows makes the kernels' library build, and keep, new kernels; few different ones are met this way.
ROWS_MULTIPLE = 32


class PolicyNetwork(nn.Module):
    """Observation -> logits of the legal actions, and the value for the player to move."""

    def __init__(self, fusion: Fusion, num_actions: int, value_range: tuple[float, float] | None) -> None:
        """Put a policy and a value on features.

        Args:
            fusion: the encoders.
            num_actions: the size of the policy.
            value_range: the least and greatest return; the value is squashed into it. None leaves it free.
        """
        super().__init__()
        self.fusion = fusion
        self.num_actions = num_actions
        self.value_range = value_range
        self.policy = nn.Linear(fusion.dim, num_actions)
        self.value = nn.Linear(fusion.dim, 1)
        # A policy that starts near uniform explores (Andrychowicz et al. 2021, "What matters in on-policy RL").
        nn.init.orthogonal_(self.policy.weight, 0.01)
        nn.init.orthogonal_(self.value.weight, 0.1)
        nn.init.zeros_(self.policy.bias)
        nn.init.zeros_(self.value.bias)

    def forward(self, observation: Mapping[str, Tensor], legal: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Logits and value.

        Args:
            observation: modality name -> (batch, *shape).
            legal: (batch, num_actions) bool; logits of the others are hugely negative.

        Returns:
            (batch, num_actions) and (batch,), float32.
        """
        features = self.fusion(observation)
        logits: Tensor = self.policy(features).float()
        value: Tensor = self.value(features).float().squeeze(-1)
        if legal is not None:
            logits = logits.masked_fill(~legal, ILLEGAL)
        if self.value_range is not None:
            low, high = self.value_range
            value = (low + high) / 2 + (high - low) / 2 * torch.tanh(value)
        return logits, value

    def describe(self) -> dict[str, Any]:
        """What `network_from` needs to make the same network, as plain data."""
        return {
            "encoders": self.fusion.describe(),
            "num_actions": self.num_actions,
            "value_range": None if self.value_range is None else list(self.value_range),
        }


def evaluate(network: PolicyNetwork, turn: Turn, bfloat16: bool) -> tuple[Tensor, Tensor]:
    """Logits and values of a turn's rows, without gradients, some rows at a time: activations stay in cache.

    Args:
        network: what to ask.
        turn: the rows.
        bfloat16: compute in it; the results are float32.

    Returns:
        (k, num_actions) and (k,).
    """
    observation = {name: _padded(torch.from_numpy(value)) for name, value in turn.observation.items()}
    legal = None if turn.legal is None else _padded(torch.from_numpy(turn.legal))
    parts: list[tuple[Tensor, Tensor]] = []
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        for start in range(0, len(turn), ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            some = {name: value[rows] for name, value in observation.items()}
            parts.append(network(some, None if legal is None else legal[rows]))
    logits, values = torch.cat([logits for logits, _ in parts]), torch.cat([value for _, value in parts])
    return logits[: len(turn)], values[: len(turn)]


def _padded(rows: Tensor) -> Tensor:
    """Rows of zeros added up to a multiple of `ROWS_MULTIPLE`; a single row, a person's game, stays alone."""
    missing = -len(rows) % ROWS_MULTIPLE
    if len(rows) <= 1 or not missing:
        return rows
    return torch.cat([rows, rows.new_zeros((missing, *rows.shape[1:]))])


def keep_memory() -> None:
    """Tell the C library to keep the memory that it is given back.

    By default glibc returns every large array to the system when it is freed and gets it again, page by page and
    zeroed, for the next: a fifth of the time of playing with a small network. It costs nothing where the library has
    no such setting.
    """
    trim_threshold, mmap_threshold = -1, -3  # of malloc.h
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(mmap_threshold, 2**30)
        mallopt(trim_threshold, 2**31 - 1)


def build_network(spec: GameSpec, encoder: str = "auto") -> PolicyNetwork:
    """A fresh network for a game.

    Args:
        spec: of the game; all players must share one role with discrete actions.
        encoder: as for `perception.fusion.build_fusion`.
    """
    if len(spec.roles) > 1:
        raise UsageError(f"{spec.name} has players with different spaces, which one network cannot play yet")
    action = spec.roles[0].action
    if not isinstance(action, spaces.Discrete):
        raise UsageError(f"{spec.name} has {type(action).__name__} actions; networks play Discrete ones so far")
    low, high = spec.returns
    bounded = low > -100 and high < 100
    return PolicyNetwork(
        build_fusion(spec.roles[0].observation, encoder), int(action.n), (low, high) if bounded else None
    )


def network_from(description: Mapping[str, Any]) -> PolicyNetwork:
    """Make a network from what `PolicyNetwork.describe` gave; every field is checked.

    Raises:
        UsageError: a field is missing or wrong.
    """
    encoders, actions = description.get("encoders"), description.get("num_actions")
    bounds = description.get("value_range")
    if not isinstance(encoders, dict) or type(actions) is not int or not 0 < actions < 2**20:
        raise UsageError("a network's description needs 'encoders', an object, and 'num_actions', a whole number")
    if bounds is not None:
        if not isinstance(bounds, list) or len(bounds) != 2 or any(type(b) not in (int, float) for b in bounds):
            raise UsageError("'value_range' of a network must be null or two numbers")
        bounds = (float(bounds[0]), float(bounds[1]))
    return PolicyNetwork(fusion_from(encoders), actions, bounds)
