"""What learns: a network, its optimiser and the update. It knows nothing of Ray and runs in any process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from torch import Tensor

from lanista.agents.policy_network import PolicyNetwork, keep_memory
from lanista.agents.symmetry import turnings
from lanista.envs import make
from lanista.perception.optimizer_state import optimizer_tensors, set_optimizer_tensors
from lanista.training.ppo import Batch, make_optimizer, update
from lanista.training.settings import TrainSettings


class BatchLearner:
    """Learns from one flat batch after the other; epochs, shuffling and minibatches are `ppo.update`'s."""

    def __init__(self, network: PolicyNetwork, settings: TrainSettings) -> None:
        """Begin.

        Args:
            network: is changed in place.
            settings: of the run.
        """
        keep_memory()
        self.network, self.settings = network, settings
        self.turnings = turnings(make(settings.game).spec)
        self.optimizer = make_optimizer(network, settings)

    def update(
        self,
        batch: Batch,
        progress: float,
        seed: int,
        all_reduce: Callable[[Sequence[Tensor]], None] | None = None,
    ) -> dict[str, float]:
        """Learn from a batch; see `ppo.update` for the arguments and what is told."""
        return update(self.network, self.optimizer, batch, self.settings, progress, seed, self.turnings, all_reduce)

    def state(self) -> dict[str, Tensor]:
        """The optimiser's tensors by name."""
        return optimizer_tensors(self.optimizer)

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on with the tensors that `state` gave."""
        set_optimizer_tensors(self.optimizer, dict(tensors))


def shuffling_seed(seed: int, number: int) -> int:
    """The seed of an update's shuffling.

    Args:
        seed: of the run.
        number: of the update.
    """
    return int(np.random.SeedSequence([seed, number]).generate_state(1, np.uint64)[0])
