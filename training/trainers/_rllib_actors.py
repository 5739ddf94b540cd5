"""Distributed training on RLlib: its actors, weight sync and restarts around our runner and our learner.

RLlib's own extension points are used: an `EnvRunner` around a `training.runner.BatchRunner`, a `TorchLearner` around a
`training.learner.BatchLearner`, an `RLModule` that holds the plain torch network, or all roles' networks, and an
algorithm whose `training_step` joins them.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from typing import Any

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # before ray is imported: nothing reaches outside
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")

import gymnasium
import numpy as np
import ray
import torch
from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.rllib.algorithms.ppo import PPO, PPOConfig
from ray.rllib.core import COMPONENT_RL_MODULE, DEFAULT_MODULE_ID
from ray.rllib.core.columns import Columns
from ray.rllib.core.learner.torch.torch_learner import TorchLearner
from ray.rllib.core.learner.training_data import TrainingData
from ray.rllib.core.rl_module.apis.value_function_api import ValueFunctionAPI
from ray.rllib.core.rl_module.rl_module import RLModuleSpec
from ray.rllib.core.rl_module.torch import TorchRLModule
from ray.rllib.env import INPUT_ENV_SINGLE_SPACES, INPUT_ENV_SPACES
from ray.rllib.env.env_runner import EnvRunner
from ray.rllib.policy.sample_batch import MultiAgentBatch, SampleBatch
from ray.rllib.utils.checkpoints import Checkpointable
from ray.rllib.utils.metrics import (
    ENV_RUNNER_RESULTS,
    ENV_RUNNER_SAMPLING_TIMER,
    LEARNER_RESULTS,
    LEARNER_UPDATE_TIMER,
    NUM_ENV_STEPS_SAMPLED,
    NUM_ENV_STEPS_SAMPLED_LIFETIME,
    SYNCH_WORKER_WEIGHTS_TIMER,
    TIMERS,
    WEIGHTS_SEQ_NO,
)
from torch import Tensor

from lanista.agents.role_networks import Networks, networks_from, role_names
from lanista.cores import usable_cores
from lanista.envs import make
from lanista.training.curriculum import Curriculum, open_curriculum
from lanista.training.league import League, Seating
from lanista.training.learner import BatchLearner, shuffling_seed
from lanista.training.ppo import PART_NAMES
from lanista.training.runner import BatchRunner, Sample, metrics_of
from lanista.training.settings import TrainSettings, new_networks, settings_from, settings_values
from lanista.training.trainer import TrainerState
from lanista.training.trainers._ray_cluster import start_ray
from lanista.training.trainers._rllib_batches import batch_from, columns_by_role

TOLD = (*PART_NAMES, "grad_norm", "learning_rate")


class NetworkModule(TorchRLModule, ValueFunctionAPI):  # type: ignore[misc]
    """An RLModule around the plain torch network, `net`, the same that the arena plays.

    Of several roles it holds all networks; RLlib's own forward calls, which nothing here needs, are of one alone.
    """

    def setup(self) -> None:
        self.net = networks_from(self.model_config["network"])
        self.net.freeze(self.model_config["frozen"])

    def _forward(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        parameters, value = self.net(batch[Columns.OBS], batch.get("action_mask"))
        return {Columns.ACTION_DIST_INPUTS: parameters, Columns.VF_PREDS: value}

    def compute_values(self, batch: dict[str, Any], embeddings: Any | None = None) -> Tensor:
        value: Tensor = self._forward(batch)[Columns.VF_PREDS]
        return value


class RunnerActor(EnvRunner, Checkpointable):  # type: ignore[misc]
    """An RLlib runner around ours."""

    def __init__(self, *, config: AlgorithmConfig, **kwargs: Any) -> None:
        super().__init__(config=config, **kwargs)
        settings = settings_from(self.config.env_config["settings"])
        if self.worker_index:
            torch.set_num_threads(max(1, settings.threads))
        self._weights_seq_no = 0
        self.make_module()
        self.runner = BatchRunner(self.module.net, settings, self.worker_index or 0)

    def make_env(self) -> None:
        """RLlib's word for what our runner has done already."""

    def make_module(self) -> None:
        spec = self.config.get_rl_module_spec(spaces=self.get_spaces(), inference_only=True)
        self.module = spec.build()

    def get_spaces(self) -> dict[str, Any]:
        spaces = (self.config.observation_space, self.config.action_space)
        return {INPUT_ENV_SPACES: spaces, INPUT_ENV_SINGLE_SPACES: spaces, DEFAULT_MODULE_ID: spaces}

    def assert_healthy(self) -> None:
        assert self.runner is not None and self.module is not None

    def sample(
        self,
        number: int = 0,
        curriculum: dict[str, Tensor] | None = None,
        seating: Seating | None = None,
        **kwargs: Any,
    ) -> Sample:
        """As `BatchRunner.sample`."""
        sample = self.runner.sample(number, curriculum, seating)
        steps = sample.moves
        self.metrics.log_value(NUM_ENV_STEPS_SAMPLED, steps, reduce="sum")
        self.metrics.log_value(NUM_ENV_STEPS_SAMPLED_LIFETIME, steps, reduce="lifetime_sum")
        self.num_env_steps_sampled_lifetime += steps
        return sample

    def get_metrics(self) -> Any:
        return self.metrics.reduce()

    def stop(self) -> None:
        self.runner.close()

    def get_state(
        self,
        components: str | Collection[str] | None = None,
        *,
        not_components: str | Collection[str] | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        state: dict[str, Any] = {NUM_ENV_STEPS_SAMPLED_LIFETIME: self.num_env_steps_sampled_lifetime}
        if self._check_component(COMPONENT_RL_MODULE, components, not_components):
            state[COMPONENT_RL_MODULE] = self.module.get_state(**kwargs)
            state[WEIGHTS_SEQ_NO] = self._weights_seq_no
        return state

    def set_state(self, state: dict[str, Any]) -> None:
        if COMPONENT_RL_MODULE in state:
            number = state.get(WEIGHTS_SEQ_NO, 0)  # missing or 0: take it in any case
            if number == 0 or self._weights_seq_no < number:
                weights = state[COMPONENT_RL_MODULE]
                if isinstance(weights, ray.ObjectRef):
                    weights = ray.get(weights)
                self.module.set_state(weights.get(DEFAULT_MODULE_ID, weights))
            if number > 0:
                self._weights_seq_no = number
        if NUM_ENV_STEPS_SAMPLED_LIFETIME in state:
            self.num_env_steps_sampled_lifetime = state[NUM_ENV_STEPS_SAMPLED_LIFETIME]

    def get_ctor_args_and_kwargs(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (), {"config": self.config}

    def get_checkpointable_components(self) -> list[tuple[str, Any]]:
        return [(COMPONENT_RL_MODULE, self.module)]


class LearnerActor(TorchLearner):  # type: ignore[misc]
    """An RLlib learner that hands the whole flat batch to ours: epochs, shuffling and minibatches are not RLlib's."""

    def configure_optimizers_for_module(self, module_id: str, config: Any = None) -> None:
        module = self._module[module_id]
        settings = settings_from(config.env_config["settings"])
        self.learner = BatchLearner(module.net, settings)
        self.register_optimizer(
            module_id=module_id,
            optimizer=self.learner.optimizer,
            params=self.get_parameters(module),
            lr_or_lr_schedule=settings.learning_rate,
        )

    def compute_loss_for_module(self, **kwargs: Any) -> Any:
        raise NotImplementedError("the loss is in lanista.training.ppo, called by update()")

    def update(
        self,
        *,
        training_data: TrainingData,
        timesteps: dict[str, Any] | None = None,
        progress: float = 0.0,
        seed: int = 0,
        **kwargs: Any,
    ) -> Any:
        """Learn from one flat batch.

        Args:
            training_data: with one `MultiAgentBatch` of the columns that `flat_columns` made, by role.
            progress: the share of the run that is done, for the schedules.
            seed: of the shuffling.
        """
        self._check_is_built()
        training_data.validate()
        training_data.solve_refs()
        self._weights_seq_no += 1
        batches = {role: batch_from(columns) for role, columns in training_data.batch.policy_batches.items()}
        means = self.learner.update(batches, progress, seed, average if self.config.num_learners > 1 else None)
        for name, value in means.items():
            self.metrics.log_value((DEFAULT_MODULE_ID, name), value, window=1)
        return self.metrics.reduce()


def average(tensors: Sequence[Tensor]) -> None:
    """Average tensors over all learners, in place."""
    world = torch.distributed.get_world_size()
    for tensor in tensors:
        torch.distributed.all_reduce(tensor)
        tensor /= world


class SelfPlay(PPO):  # type: ignore[misc]
    """The algorithm: sample from all runners, learn once, send the weights back."""

    progress = 0.0
    number = 0
    metrics_of_update: dict[str, float]
    curriculum: Curriculum | None = None
    league: League | None = None
    roles: Sequence[str] = ()  # all that the game has

    def training_step(self) -> None:
        """One update; leaves what is to be told in `metrics_of_update`."""
        group = self.env_runner_group
        local = group.num_remote_env_runners() == 0
        levels = None if self.curriculum is None else self.curriculum.state()
        number = self.number
        seating = None if self.league is None else self.league.seating(number)
        with self.metrics.log_time((TIMERS, ENV_RUNNER_SAMPLING_TIMER)):
            results = group.foreach_env_runner(
                lambda runner: (runner.sample(number, levels, seating), runner.get_metrics()),
                local_env_runner=local,
                timeout_seconds=self.config.sample_timeout_s,
            )
        samples = [sample for sample, _ in results]
        self.metrics_of_update = {"steps": 0.0}
        if not samples:
            return  # every runner is down; RLlib restarts them before the next step
        self.metrics.aggregate([metrics for _, metrics in results], key=ENV_RUNNER_RESULTS)
        columns = columns_by_role([sample.batches for sample in samples], self.config.num_learners)
        if not columns:
            self.metrics_of_update = metrics_of(samples, self.curriculum, self.league)
            return
        rows = sum(len(one["actions"]) for one in columns.values())
        batch = MultiAgentBatch({role: SampleBatch(one) for role, one in columns.items()}, env_steps=rows)
        with self.metrics.log_time((TIMERS, LEARNER_UPDATE_TIMER)):
            learned = self.learner_group.update(
                training_data=TrainingData(batch=batch),
                timesteps={NUM_ENV_STEPS_SAMPLED_LIFETIME: 0},
                progress=self.progress,
                seed=shuffling_seed(self.config.seed, self.number),
            )
        self.metrics.aggregate(learned, key=LEARNER_RESULTS)
        with self.metrics.log_time((TIMERS, SYNCH_WORKER_WEIGHTS_TIMER)):
            group.sync_weights(from_worker_or_learner_group=self.learner_group, inference_only=True)
        told = metrics_of(samples, self.curriculum, self.league)
        for name in TOLD:
            told[name] = float(self.metrics.peek((LEARNER_RESULTS, DEFAULT_MODULE_ID, name)))
            if len(self.roles) > 1:
                for role in columns:
                    key = f"{name}/{role}"
                    told[key] = float(self.metrics.peek((LEARNER_RESULTS, DEFAULT_MODULE_ID, key)))
        self.metrics_of_update = told


class RLlibTrainer:
    """`training.trainer.Trainer` on RLlib."""

    def __init__(self, settings: TrainSettings) -> None:
        self.settings = settings
        self.spec = make(settings.game).spec
        torch.manual_seed(settings.seed)
        network = new_networks(self.spec, settings)
        self.description, self.frozen = network.describe(), network.frozen
        # Those this process may use, as under taskset: threads that share a core wait for each other in busy loops.
        cores = usable_cores()
        torch.set_num_threads(settings.threads or max(1, cores - settings.runners))
        self._own_ray = not ray.is_initialized()
        if self._own_ray:
            start_ray(settings, cores)
        self.algorithm = _config(settings, network).build_algo()
        self.algorithm.roles = role_names(self.spec)
        if settings.levels:
            self.algorithm.curriculum = open_curriculum(settings.curriculum, settings.levels)
        self._set_weights(network)

    def enter(self, league: League) -> None:
        self.algorithm.league = league

    def update(self, number: int, progress: float) -> dict[str, float]:
        self.algorithm.number = number
        self.algorithm.progress = progress
        self.algorithm.train()
        return dict(self.algorithm.metrics_of_update)

    def network(self) -> Networks:
        runner = self.algorithm.env_runner
        if runner is not None and not self.settings.learners:
            network: Networks = self.algorithm.learner_group._learner.module[DEFAULT_MODULE_ID].unwrapped().net
            return network
        weights = self.algorithm.learner_group.get_weights()[DEFAULT_MODULE_ID]
        network = networks_from(self.description)
        network.freeze(self.frozen)  # exploiters begin as it is, and leave frozen what it leaves
        network.load_state_dict({name.removeprefix("net."): torch.tensor(value) for name, value in weights.items()})
        return network

    def _set_weights(self, network: Networks) -> None:
        """Give every learner and runner these weights."""
        weights = {f"net.{name}": value.numpy() for name, value in network.state_dict().items()}
        self.algorithm.learner_group.set_weights({DEFAULT_MODULE_ID: weights})
        group = self.algorithm.env_runner_group
        # A push to a runner that is still being built would be dropped, and it would play with random weights.
        group.foreach_env_runner(lambda runner: runner.assert_healthy())
        group.foreach_env_runner(lambda runner: runner.set_state({COMPONENT_RL_MODULE: weights}))

    def state(self) -> TrainerState:
        optimizer = self.algorithm.learner_group.foreach_learner(lambda actor: actor.learner.state())
        first = next(iter(optimizer))
        games = self.algorithm.env_runner_group.foreach_env_runner(lambda actor: actor.runner.state())
        tensors = first.get() if hasattr(first, "get") and not isinstance(first, dict) else first
        curriculum = self.algorithm.curriculum
        return TrainerState(tensors, games, {} if curriculum is None else curriculum.state())

    def restore(self, network: Networks, state: TrainerState) -> None:
        self._set_weights(network)
        tensors = state.optimizer
        if self.algorithm.curriculum is not None:
            self.algorithm.curriculum.restore(state.curriculum)
        self.algorithm.learner_group.foreach_learner(lambda actor: actor.learner.restore(tensors))
        group = self.algorithm.env_runner_group
        ids = group.healthy_env_runner_ids() if group.num_remote_env_runners() else [0]
        for number, games in zip(ids, state.runners, strict=False):
            group.foreach_env_runner(
                lambda actor, games=games: actor.runner.restore(games, state.updates),
                local_env_runner=number == 0,
                remote_worker_ids=[number] if number else [],
            )

    def close(self) -> None:
        self.algorithm.stop()
        if self._own_ray:
            ray.shutdown()


def _config(settings: TrainSettings, network: Networks) -> PPOConfig:
    """RLlib's settings: what is learned and how is in ours, which every runner and learner gets."""
    return (
        PPOConfig(algo_class=SelfPlay)
        .environment(
            env=None,
            # The game's true spaces are in the network; RLlib itself only needs that there are some.
            observation_space=gymnasium.spaces.Box(-1, 1, (1,), np.float32),
            action_space=gymnasium.spaces.Discrete(2),
            env_config={"settings": settings_values(settings)},
        )
        .env_runners(
            env_runner_cls=RunnerActor,
            num_env_runners=settings.runners,
            create_local_env_runner=settings.runners == 0,
            sample_timeout_s=600.0,
        )
        .learners(num_learners=settings.learners)
        .training(learner_class=LearnerActor, lr=settings.learning_rate)
        .rl_module(
            rl_module_spec=RLModuleSpec(
                module_class=NetworkModule,
                model_config={"network": network.describe(), "frozen": network.frozen},
            )
        )
        .fault_tolerance(restart_failed_env_runners=True)
        .debugging(seed=settings.seed, log_level="ERROR")
        .reporting(min_time_s_per_iteration=None, min_sample_timesteps_per_iteration=0)
    )
