"""Distributions over a head's samples: categorical, several categorical ones, Gaussian; drawn by given randomness."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  torch's own name for it
from torch import Tensor

from lanista.agents.categorical import draw_from_logits
from lanista.envs.core import Array, Floats
from lanista.envs.draws import mixed

LOG_ROOT_TWO_PI = 0.5 * math.log(2 * math.pi)


class Distribution(Protocol):
    """What a head makes of its parameters; `rows` of them."""

    def sample(self, draws: Any) -> tuple[Array, Floats]:
        """A sample a row, by these (rows,) uint64 and nothing else; and `log_probability` of each."""
        ...

    def mode(self) -> Array:
        """The most likely sample of each row."""
        ...

    def log_probability(self, samples: Tensor) -> Tensor:
        """Of these samples, (rows,): the logarithm of their probability, or density for Box."""
        ...

    def entropy(self) -> Tensor:
        """(rows,) in nats."""
        ...

    def divergence(self, other: Any) -> Tensor:
        """From another distribution of the same head, row by row: KL(self || other), (rows,) in nats."""
        ...

    def policy(self) -> Floats | None:
        """The probability of each action, (rows, num_actions) or (rows, sum(nvec)); None for Box."""
        ...


def open_uniform(draws: Any) -> Array:
    """Uniform numbers between 0 and 1, neither of which is reached: their normal quantiles are finite.

    Args:
        draws: (k,) uint64, the randomness to use; the numbers are the middles of 2**52 cells, exact in float64.
    """
    middles: Array = ((draws >> np.uint64(12)) + 0.5) * 2.0**-52
    return middles


def draw_normals(draws: Any, dimensions: int) -> Floats:
    """Standard normal draws by the inverse of the cumulative distribution (Devroye 1986, II.2.1).

    Args:
        draws: (k,) uint64, the randomness to use.
        dimensions: how many independent numbers a row.

    Returns:
        (k, dimensions) float32.
    """
    uniform = np.empty((len(draws), dimensions))
    for dimension in range(dimensions):
        uniform[:, dimension] = open_uniform(mixed(draws, np.uint64(dimension)))
    normals: Floats = torch.special.ndtri(torch.from_numpy(uniform)).numpy().astype(np.float32)
    return normals


class Categorical:
    """A categorical distribution; illegal actions have a hugely negative logit."""

    def __init__(self, logits: Tensor) -> None:
        self.logits = logits

    @cached_property
    def log_policy(self) -> Tensor:
        return F.log_softmax(self.logits, -1)

    def sample(self, draws: Any) -> tuple[Array, Floats]:
        logits = np.ascontiguousarray(self.logits.numpy(), np.float32)
        actions, log_probability = draw_from_logits(logits, draws)
        return actions, log_probability

    def mode(self) -> Array:
        best: Array = self.log_policy.numpy().argmax(1)
        return best

    def log_probability(self, samples: Tensor) -> Tensor:
        return self.log_policy.gather(1, samples[:, None]).squeeze(1)

    def entropy(self) -> Tensor:
        # An illegal action's probability is exactly 0 and its logarithm finite, so it adds nothing.
        return -(self.log_policy.exp() * self.log_policy).sum(-1)

    def divergence(self, other: Categorical) -> Tensor:
        return (self.log_policy.exp() * (self.log_policy - other.log_policy)).sum(-1)

    def policy(self) -> Floats:
        policy: Floats = self.log_policy.exp().numpy()
        return policy


class Categoricals:
    """Independent categorical distributions, one a dimension."""

    def __init__(self, logits: Tensor, nvec: tuple[int, ...]) -> None:
        self.parts = [Categorical(part) for part in torch.split(logits, list(nvec), dim=-1)]

    def sample(self, draws: Any) -> tuple[Array, Floats]:
        drawn = [part.sample(mixed(draws, np.uint64(number))) for number, part in enumerate(self.parts)]
        log_probability: Floats = np.sum([told for _, told in drawn], axis=0)
        return np.stack([actions for actions, _ in drawn], axis=1), log_probability

    def mode(self) -> Array:
        return np.stack([part.mode() for part in self.parts], axis=1)

    def log_probability(self, samples: Tensor) -> Tensor:
        told = [part.log_probability(samples[:, number]) for number, part in enumerate(self.parts)]
        return torch.stack(told).sum(0)

    def entropy(self) -> Tensor:
        return torch.stack([part.entropy() for part in self.parts]).sum(0)

    def divergence(self, other: Categoricals) -> Tensor:
        pairs = zip(self.parts, other.parts, strict=True)
        return torch.stack([mine.divergence(its) for mine, its in pairs]).sum(0)

    def policy(self) -> Floats:
        return np.concatenate([part.policy() for part in self.parts], axis=1)


class Gaussian:
    """Independent normal distributions, one a dimension."""

    def __init__(self, mean: Tensor, log_std: Tensor) -> None:
        self.mean, self.log_std = mean, log_std

    def sample(self, draws: Any) -> tuple[Array, Floats]:
        normals = torch.from_numpy(draw_normals(draws, self.mean.shape[1]))
        samples = self.mean + self.log_std.exp() * normals
        return samples.numpy(), self.log_probability(samples).numpy()

    def mode(self) -> Array:
        mean: Array = self.mean.numpy()
        return mean

    def log_probability(self, samples: Tensor) -> Tensor:
        off = (samples - self.mean) * torch.exp(-self.log_std)
        return (-0.5 * off * off - self.log_std - LOG_ROOT_TWO_PI).sum(-1)

    def entropy(self) -> Tensor:
        return (0.5 + LOG_ROOT_TWO_PI + self.log_std).sum(-1)

    def divergence(self, other: Gaussian) -> Tensor:
        off = (self.mean - other.mean) * torch.exp(-other.log_std)
        ratio = self.log_std - other.log_std
        return (0.5 * (torch.exp(2 * ratio) + off * off - 1) - ratio).sum(-1)

    def policy(self) -> None:
        return None
