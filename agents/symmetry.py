"""A game's symmetries as index tensors: to turn what a network learns from, and to ask it from every side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from lanista.envs.core import GameSpec, Turn


@dataclass(frozen=True)
class Turning:
    """A symmetry; see `envs.core.Symmetry`."""

    cells_from: Mapping[str, Tensor]  # each (cells,)
    actions_to: Tensor  # (num_actions,)
    actions_from: Tensor  # (num_actions,)

    def turn(
        self, observation: Mapping[str, Tensor], legal: Tensor, actions: Tensor
    ) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """Rows as they look turned.

        Args:
            observation: modality name -> (rows, *shape).
            legal: (rows, num_actions).
            actions: (rows,).
        """
        return self._seen(observation), legal[:, self.actions_from], self.actions_to[actions]

    def turned(self, turn: Turn) -> Turn:
        """A turn as it looks turned; for networks, which do not read `public`."""
        seen = self._seen({name: torch.from_numpy(value) for name, value in turn.observation.items()})
        return replace(
            turn,
            observation={name: value.numpy() for name, value in seen.items()},
            legal=None if turn.legal is None else np.ascontiguousarray(turn.legal[:, self.actions_from.numpy()]),
            public=None,
        )

    def back(self, of_actions: Tensor) -> Tensor:
        """Numbers of each turned action, (rows, num_actions), in the order of the unturned ones."""
        return of_actions[:, self.actions_to]

    def _seen(self, observation: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {
            name: (value.flatten(-2) if value.ndim > 2 else value)[..., self.cells_from[name]].reshape(value.shape)
            if name in self.cells_from
            else value
            for name, value in observation.items()
        }


def turnings(spec: GameSpec) -> tuple[Turning, ...]:
    """The game's symmetries, without the identity."""
    made = []
    for symmetry in spec.symmetries:
        to = torch.tensor(symmetry.actions_to)
        cells = {name: torch.tensor(value) for name, value in symmetry.cells_from.items()}
        made.append(Turning(cells, to, torch.argsort(to)))
    return tuple(made)
