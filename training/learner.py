"""What learns: a network or one for each role, the optimiser and the update. It knows nothing of Ray."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from torch import Tensor

from lanista.agents.policy_network import keep_memory
from lanista.agents.role_networks import Networks, named_by_role
from lanista.agents.symmetry import turnings
from lanista.envs import make
from lanista.perception.optimizer_state import optimizer_tensors, set_optimizer_tensors
from lanista.training.ppo import Batch, make_optimizer, update
from lanista.training.settings import TrainSettings


class BatchLearner:
    """Learns from one flat batch after the other; epochs, shuffling and minibatches are `ppo.update`'s.

    Every role's network learns from its own role's rows. One optimiser has the weights of all: a step of Adam changes
    those alone that have gradients, and has moments and counts for each.
    """

    def __init__(self, network: Networks, settings: TrainSettings) -> None:
        """Begin.

        Args:
            network: is changed in place.
            settings: of the run.
        """
        keep_memory()
        self.network, self.settings = network, settings
        spec = make(settings.game).spec
        self._networks = named_by_role(network, spec)
        self.turnings = turnings(spec) if len(self._networks) == 1 else ()
        self.optimizer = make_optimizer(network, settings)

    def update(
        self,
        batches: Mapping[str, Batch],
        progress: float,
        seed: int,
        all_reduce: Callable[[Sequence[Tensor]], None] | None = None,
    ) -> dict[str, float]:
        """Learn from the batch of each role; one without rows teaches nothing.

        Args:
            batches: name of a role -> its rows.
            progress, seed, all_reduce: as for `ppo.update`.

        Returns:
            What `ppo.update` tells; of several roles the mean over their rows, and each as NAME/ROLE.
        """
        told: dict[str, dict[str, float]] = {}
        for number, (role, network) in enumerate(self._networks.items()):
            if role not in batches or not len(batches[role].actions):
                continue
            own = shuffling_seed(seed, number) if len(self._networks) > 1 else seed
            told[role] = update(
                network, self.optimizer, batches[role], self.settings, progress, own, self.turnings, all_reduce
            )
        if len(self._networks) == 1:
            return next(iter(told.values()), {})
        rows = sum(len(batches[role].actions) for role in told)
        means: dict[str, float] = {}
        for role, values in told.items():
            share = len(batches[role].actions) / rows
            for name, value in values.items():
                means[name] = means.get(name, 0.0) + share * value
                means[f"{name}/{role}"] = value
        return means

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
