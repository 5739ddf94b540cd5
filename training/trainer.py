"""What a trainer is: what a file of `training/trainers` opens."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from torch import Tensor

from lanista.agents.role_networks import Networks
from lanista.training.league import League


@dataclass(frozen=True)
class TrainerState:
    """All that a trainer needs to go on as if never stopped, as plain data.

    Attributes:
        optimizer: name -> tensor.
        runners: the games each runner has in hand.
        curriculum: see `Curriculum.state`; empty where there is none.
        updates: how many the run has made. Where games cannot be saved, others begin, which this seeds with the run's
            seed: else each resumed run would begin with the games of its first update again.
    """

    optimizer: dict[str, Tensor]
    runners: list[bytes]
    curriculum: dict[str, Tensor] = field(default_factory=dict)
    updates: int = 0


class Trainer(Protocol):
    """What a file of `training/trainers` opens.

    The file's `open(settings)` makes it; `check(settings)`, where there is one, refuses what it cannot train. A trainer
    may have `averaged = False`, if its last weights are to play and not the mean of the run's, and `stopped`, which is
    True once it wants to end the run. An `open` with a parameter `callbacks` takes callbacks of its own library.
    """

    def update(self, number: int, progress: float) -> dict[str, float]:
        """Collect one batch and learn from it.

        Args:
            number: of the update, from 0: seeds the shuffling.
            progress: the share of the run that is done, in [0, 1].

        Returns:
            Metrics by name; `steps` is how many moves were learned from.
        """
        ...

    def network(self) -> Networks:
        """The network, or all roles' networks, as it stands, for reading only, until the next `update`."""
        ...

    def state(self) -> TrainerState:
        """What `restore` needs, the network's weights aside."""
        ...

    def restore(self, network: Networks, state: TrainerState) -> None:
        """Go on from a checkpoint."""
        ...

    def close(self) -> None:
        """Release processes."""
        ...


class LeagueTrainer(Trainer, Protocol):
    """A trainer whose games have room for other players than the network."""

    def enter(self, league: League) -> None:
        """From now on members of this league, as it stands at each update, are played too, and it is told how."""
        ...
