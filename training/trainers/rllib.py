"""Our PPO, in this process or distributed on RLlib.

With `runners` or `learners`, or at a cluster's `address`, RLlib distributes: see `_rllib_actors`. Without any, the same
runner and the same learner work here in turn on one network, and Ray is not even imported: its start takes longer
than learning CartPole.
"""

from __future__ import annotations

import torch

from lanista.agents.role_networks import Networks
from lanista.cores import usable_cores
from lanista.envs import make
from lanista.errors import UsageError
from lanista.training.curriculum import Curriculum, open_curriculum
from lanista.training.exact_advantages import check_exact
from lanista.training.league import League
from lanista.training.learner import BatchLearner, shuffling_seed
from lanista.training.runner import BatchRunner, metrics_of
from lanista.training.settings import TrainSettings, new_networks
from lanista.training.trainer import Trainer, TrainerState


class OneProcessTrainer:
    """`training.trainer.LeagueTrainer` with one runner and one learner in this process."""

    def __init__(self, settings: TrainSettings) -> None:
        self.settings = settings
        torch.manual_seed(settings.seed)
        network = new_networks(make(settings.game).spec, settings)
        # Those this process may use, as under taskset: threads that share a core wait for each other in busy loops.
        torch.set_num_threads(settings.threads or usable_cores())
        self.runner, self.learner = BatchRunner(network, settings), BatchLearner(network, settings)
        self.curriculum: Curriculum | None = None
        if settings.levels:
            self.curriculum = open_curriculum(settings.curriculum, settings.levels)
        self.league: League | None = None

    def enter(self, league: League) -> None:
        self.league = league

    def update(self, number: int, progress: float) -> dict[str, float]:
        sample = self.runner.sample(
            number,
            None if self.curriculum is None else self.curriculum.state(),
            None if self.league is None else self.league.seating(number),
        )
        learned = self.learner.update(sample.batches, progress, shuffling_seed(self.settings.seed, number))
        return metrics_of([sample], self.curriculum, self.league) | learned

    def network(self) -> Networks:
        return self.learner.network

    def state(self) -> TrainerState:
        curriculum = {} if self.curriculum is None else self.curriculum.state()
        return TrainerState(self.learner.state(), [self.runner.state()], curriculum)

    def restore(self, network: Networks, state: TrainerState) -> None:
        self.learner.network.load_state_dict(network.state_dict())
        self.learner.restore(state.optimizer)
        if self.curriculum is not None:
            self.curriculum.restore(state.curriculum)
        for games in state.runners[:1]:
            self.runner.restore(games, state.updates)

    def close(self) -> None:
        self.runner.close()


def check(settings: TrainSettings) -> None:
    """Refuse another algorithm than the one there is, and exact advantages where there are none.

    Raises:
        UsageError: it is so.
    """
    if settings.algorithm != "ppo":
        raise UsageError(
            f"the trainer 'rllib' learns by ppo, not by '{settings.algorithm}'; others are of --trainer sb3"
        )
    if settings.exact_advantages:
        check_exact(settings)


def open(settings: TrainSettings) -> Trainer:
    """Begin in this process, or start RLlib, as the settings need it."""
    if not settings.runners and not settings.learners and not settings.address:
        return OneProcessTrainer(settings)
    from lanista.training.trainers._rllib_actors import RLlibTrainer

    return RLlibTrainer(settings)
