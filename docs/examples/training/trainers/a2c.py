"""Advantage actor-critic (A2C; Mnih et al. 2016, arXiv:1602.01783): one gradient step a batch, in this process.

The games, the network and the advantages are those of PPO; only what is made of a batch is another.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812  torch's own name for it

from lanista.agents.role_networks import Networks
from lanista.cores import usable_cores
from lanista.envs import make
from lanista.errors import UsageError
from lanista.perception.optimizer_state import optimizer_tensors, set_optimizer_tensors
from lanista.training.ppo import make_optimizer
from lanista.training.runner import BatchRunner, metrics_of
from lanista.training.settings import TrainSettings, new_network
from lanista.training.trainer import Trainer, TrainerState


def check(settings: TrainSettings) -> None:
    """Refuse what this trainer does not do.

    Raises:
        UsageError: it was asked for.
    """
    for name in ("runners", "learners", "address", "memory", "levels", "league_size", "normalize_value"):
        if getattr(settings, name):
            raise UsageError(f"the trainer 'a2c' knows no '{name}'; leave it out, or use --trainer rllib")


def open(settings: TrainSettings) -> Trainer:
    """Begin."""
    return A2CTrainer(settings)


class A2CTrainer:
    """`training.trainer.Trainer` with one runner and one network."""

    def __init__(self, settings: TrainSettings) -> None:
        torch.manual_seed(settings.seed)
        torch.set_num_threads(settings.threads or usable_cores())
        self.settings = settings
        self.learner = new_network(make(settings.game).spec, settings)
        self.runner = BatchRunner(self.learner, settings)
        self.optimizer = make_optimizer(self.learner, settings)

    def update(self, number: int, progress: float) -> dict[str, float]:
        """Collect `plies` moves of each game, and take one step on all of them."""
        sample = self.runner.sample(number)
        (batch,) = sample.batches.values()
        rate, entropy_coefficient = self.settings.at(progress)
        self.optimizer.param_groups[0]["lr"] = rate
        self.optimizer.zero_grad()
        advantage = torch.from_numpy(batch.advantages)
        advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
        told = torch.zeros(3)
        for rows in torch.arange(len(advantage)).split(self.settings.minibatch_size):  # so many fit in the cache
            observation = {name: torch.from_numpy(value)[rows] for name, value in batch.observation.items()}
            legal = None if batch.legal is None else torch.from_numpy(batch.legal)[rows]
            parameters, value = self.learner(observation, legal)
            policy = self.learner.head.distribution(parameters)
            log_probability = policy.log_probability(torch.from_numpy(batch.actions)[rows])
            policy_loss = -(log_probability * advantage[rows]).mean()
            value_loss = F.mse_loss(value, torch.from_numpy(batch.returns)[rows])
            entropy = policy.entropy().mean()
            loss = policy_loss + self.settings.value_coefficient * value_loss - entropy_coefficient * entropy
            share = len(rows) / len(advantage)
            (share * loss).backward()
            told += share * torch.stack([policy_loss, value_loss, entropy]).detach()
        torch.nn.utils.clip_grad_norm_(self.learner.parameters(), self.settings.max_grad_norm)
        self.optimizer.step()
        losses = dict(zip(("policy_loss", "value_loss", "entropy"), told.tolist(), strict=True))
        return metrics_of([sample], None, None) | losses

    def network(self) -> Networks:
        """What plays."""
        return self.learner

    def state(self) -> TrainerState:
        """Adam's moments and the games in hand."""
        return TrainerState(optimizer_tensors(self.optimizer), [self.runner.state()])

    def restore(self, network: Networks, state: TrainerState) -> None:
        """Go on from a checkpoint."""
        self.learner.load_state_dict(network.state_dict())
        set_optimizer_tensors(self.optimizer, dict(state.optimizer))
        self.runner.restore(state.runners[0], state.updates)

    def close(self) -> None:
        """End the games."""
        self.runner.close()
