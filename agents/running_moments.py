"""Means and variances of what a network has seen, kept with its weights, to normalise by."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

EPSILON = 1e-8
CLIP = 10.0  # normalised observations lie within, as in CleanRL and Stable-Baselines3


class RunningMoments(nn.Module):
    """The mean and variance of all rows seen so far; 0 and 1 before the first."""

    mean: Tensor  # (*shape,)
    variance: Tensor  # (*shape,)
    count: Tensor  # ()

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("variance", torch.ones(shape))
        self.register_buffer("count", torch.zeros(()))

    @property
    def deviation(self) -> Tensor:
        """The standard deviation, more than 0."""
        return torch.sqrt(self.variance + EPSILON)

    @torch.no_grad()
    def take(self, mean: Tensor, square: Tensor, rows: int, memory: float = math.inf) -> None:
        """Take more rows in (Chan, Golub and LeVeque 1983, equation 2.1).

        Args:
            mean, square: (*shape,) the means of these rows and of their squares, float64.
            rows: how many they are.
            memory: the rows before count as at most so many: what was seen long ago fades.
        """
        count = min(float(self.count), memory)
        whole = count + rows
        new_variance = (square - mean * mean).clamp(min=0)
        old_mean = self.mean.double()
        apart = mean - old_mean
        spread = count * self.variance.double() + rows * new_variance + apart * apart * (count * rows / whole)
        self.mean.copy_(old_mean + apart * (rows / whole))
        self.variance.copy_(spread / whole)
        self.count.fill_(whole)


class ObservationNormalizer(nn.Module):
    """Some modalities with their mean taken away, over their standard deviation, clipped; the others as they are."""

    def __init__(self, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Begin with statistics that change nothing but clip.

        Args:
            shapes: of the modalities that are normalised.
        """
        super().__init__()
        self.moments = nn.ModuleDict({name: RunningMoments(shapes[name]) for name in sorted(shapes)})

    def forward(self, observation: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Modality name -> (batch, *shape), to the same in float32."""
        seen = dict(observation)
        for name, moments in self.moments.items():
            seen[name] = ((seen[name].float() - moments.mean) / moments.deviation).clamp(-CLIP, CLIP)  # type: ignore[operator]
        return seen


def moments_of(rows: Tensor) -> tuple[Tensor, Tensor]:
    """The means of rows and of their squares, as `RunningMoments.take` wants them: (rows, *shape) -> (*shape,) each."""
    exact = rows.double()
    return exact.mean(0), (exact * exact).mean(0)
