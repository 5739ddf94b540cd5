"""Training by Stable-Baselines3: ppo, a2c and dqn, and by sb3-contrib trpo, qrdqn and maskable_ppo.

Games of one player, and by maskable_ppo also turn-based games of two: there the learner has one seat, in turn the first
and the second. The other seat is a frozen self's, of the last update or of an earlier one, or one of the run's
`opponents`. SB3's own classes learn, over our encoders and our batched games; what comes out is the same agent as of
any other trainer. Its weights are the model's last ones: no mean of the run's is taken.

Which settings mean what is told in `_sb3_algorithms.py`. `normalize_observation` is done by the network, with
statistics that move after each update; `normalize_value` is SB3's scaling of rewards (`VecNormalize`), where returns
have no bounds; with `symmetry` each game is shown to the learner from one side of its symmetries, drawn when it begins.
SB3 learns in this process and in float32: `runners`, `learners`, `address`, `bfloat16` are refused, and values are not
clipped into a game's returns.

A resumed run has its weights, its optimizer, dqn's target network and the past selves. Games in hand begin anew, and
what dqn and qrdqn keep to replay is gone: they play on by their policy until `learning_starts` rows are there again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from safetensors.torch import load, save
from stable_baselines3.common.logger import KVWriter, Logger
from stable_baselines3.common.vec_env import VecNormalize
from torch import Tensor, nn

from lanista.agents.contestant import load_agent
from lanista.agents.policy_network import PolicyNetwork, keep_memory
from lanista.agents.running_moments import EPSILON, RunningMoments, moments_of
from lanista.cores import usable_cores
from lanista.envs import make
from lanista.envs.core import GameSpec
from lanista.errors import UsageError
from lanista.perception.optimizer_state import optimizer_tensors, set_optimizer_tensors
from lanista.training.sb3_features import sb3_policy
from lanista.training.settings import TrainSettings
from lanista.training.trainer import TrainerState
from lanista.training.trainers._sb3_algorithms import algorithm_of, make_model
from lanista.training.trainers._sb3_games import SeatEnvironments, illegal_actions
from lanista.training.trainers._sb3_network import blank_network, copy_weights
from lanista.training.trainers._sb3_pool import Pool

NEVER = 2**62  # steps of a run that is bounded by time alone
RENAMED = {"policy_gradient_loss": "policy_loss", "entropy_loss": "entropy"}
LEFT_OUT = ("n_updates", "iterations", "fps", "time_elapsed", "total_timesteps", "episodes")  # the run tells its own


class _Told(KVWriter):
    """What SB3 and its callbacks log, kept until the update is told."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}

    def write(self, key_values: dict[str, Any], key_excluded: dict[str, tuple[str, ...]], step: int = 0) -> None:
        self.values |= {
            name: float(value) for name, value in key_values.items() if isinstance(value, int | float | np.number)
        }

    def close(self) -> None:
        return None


class SB3Trainer:
    """`training.trainer.Trainer` on Stable-Baselines3.

    Attributes:
        averaged: the run must not take the mean of the weights: the agent is what SB3 would save.
        stopped: a callback ended the run.
    """

    averaged = False

    def __init__(self, settings: TrainSettings, callbacks: Sequence[Any] = ()) -> None:
        check(settings)
        self.settings = settings
        self.stopped = False
        keep_memory()
        torch.set_num_threads(settings.threads or usable_cores())
        torch.manual_seed(settings.seed)
        self.algorithm = algorithm_of(settings)[1]
        game = make(
            settings.game, settings.copies, restart=False,
            random_share=settings.random_share, random_plies=settings.random_plies,
        )  # fmt: skip
        self._network = blank_network(game.spec, settings)
        self.pool = _pool(game.spec, settings)
        self.seats = SeatEnvironments(
            game, self._network.head, self.pool, self.algorithm.masks, settings.seed, settings.symmetry
        )
        environments: Any = self.seats
        if self._network.returns is not None:
            environments = VecNormalize(self.seats, norm_obs=False, gamma=settings.gamma, epsilon=EPSILON)
        policy = sb3_policy(settings.encoder, settings.freeze, self._network.normalizer)
        if self.algorithm.replays:
            del policy["ortho_init"]  # only actor-critics know it
        self.model = make_model(settings, environments, policy)
        if not self.algorithm.replays:
            # SB3's own gains; its `ortho_init` would also write over the encoders.
            nn.init.orthogonal_(self.model.policy.action_net.weight, 0.01)
            nn.init.orthogonal_(self.model.policy.value_net.weight, 1.0)
        self._told = _Told()
        self.model.set_logger(Logger(folder=None, output_formats=[self._told]))
        self._callbacks = list(callbacks)
        self._callback: Any = None
        if self.pool is not None:
            self.pool.add(0, self.network())

    def update(self, number: int, progress: float) -> dict[str, float]:
        """One turn of SB3's `learn`: collect `copies` x `plies` moves, then train."""
        model = self.model
        if self._callback is None:
            self._begin()
        # SB3's schedules go by the steps that are left, ours by the share that is done, of time too.
        model._total_timesteps = self.settings.steps or NEVER
        if not self.settings.steps and progress > 0:
            model._total_timesteps = model.num_timesteps / progress
        model._current_progress_remaining = 1.0 - progress
        before = model.num_timesteps
        if hasattr(model, "ent_coef"):
            model.ent_coef = self.settings.at(progress)[1]
        self.stopped = not self._collect()
        if not self.stopped:
            self._learn()
        self._see_observations()
        if self.pool is not None:
            self.pool.add(number + 1, self.network())
        return self._metrics(model.num_timesteps - before)

    def _begin(self) -> None:
        """What `learn` does once, before its loop."""
        model = self.model
        total, self._callback = model._setup_learn(
            max(self.settings.steps - model.num_timesteps, 0) or NEVER, self._callbacks or None, False, "lanista"
        )
        names = {"self": model, "total_timesteps": total, "callback": self._callback}
        self._callback.on_training_start(names, globals())

    def _collect(self) -> bool:
        """Play; False if a callback wants to stop."""
        model = self.model
        if not self.algorithm.replays:
            return bool(model.collect_rollouts(model.env, self._callback, model.rollout_buffer, model.n_steps))
        rollout = model.collect_rollouts(
            model.env, self._callback, model.train_freq, model.replay_buffer,
            learning_starts=model.learning_starts, log_interval=None,
        )  # fmt: skip
        return bool(rollout.continue_training)

    def _learn(self) -> None:
        """Train on what was played. After a resume the buffer is empty, though the steps are many."""
        model = self.model
        if not self.algorithm.replays:
            model.train()
        elif model.replay_buffer.size() * model.n_envs >= model.learning_starts:
            model.train(batch_size=model.batch_size, gradient_steps=model.gradient_steps)

    def _see_observations(self) -> None:
        """Take what was just played into what observations are normalised by.

        Only now: the old probabilities are of observations as they were normalised when they were played.
        """
        normalizer = self._network.normalizer
        if normalizer is None:
            return
        if self.algorithm.replays:
            buffer = self.model.replay_buffer
            places: Any = (buffer.pos - 1 - np.arange(self.settings.plies)) % buffer.buffer_size
        else:
            buffer, places = self.model.rollout_buffer, slice(None)
        for name, moments in normalizer.moments.items():
            assert isinstance(moments, RunningMoments)
            shape = moments.mean.shape
            rows = torch.from_numpy(buffer.observations[name][places].reshape(-1, *shape))
            moments.take(*moments_of(rows), len(rows))

    def _metrics(self, steps: int) -> dict[str, float]:
        """What SB3 logged, by our names where it is the same thing; words of callbacks as they are."""
        model = self.model
        model.logger.dump(model.num_timesteps)
        values, self._told.values = self._told.values, {}
        told = {"steps": float(steps), "games": float(self.seats.ended)}
        self.seats.ended = 0
        if model.ep_info_buffer:
            told["ep_rew_mean"] = float(np.mean([episode["r"] for episode in model.ep_info_buffer]))
            told["ep_len_mean"] = float(np.mean([episode["l"] for episode in model.ep_info_buffer]))
        for name, value in values.items():
            part, _, own = name.partition("/")
            if part not in ("train", "rollout", "time"):
                own = name
            if own not in LEFT_OUT and math.isfinite(value):
                told[RENAMED.get(own, own)] = -value if own == "entropy_loss" else value
        return told

    def _reward_deviation(self) -> float:
        """What rewards are divided by before SB3 sees them."""
        scaling = self.model.get_vec_normalize_env()
        return 1.0 if scaling is None else math.sqrt(float(scaling.ret_rms.var) + scaling.epsilon)

    def network(self) -> PolicyNetwork:
        copy_weights(self.model, self._network, self._reward_deviation())
        return self._network

    def state(self) -> TrainerState:
        model, scaling = self.model, self.model.get_vec_normalize_env()
        tensors = {f"policy.{name}": value.clone() for name, value in _own(model.policy).items()}
        counts = [model.num_timesteps, model._n_updates, getattr(model, "_n_calls", 0)]
        tensors["counts"] = torch.tensor(counts)
        if scaling is not None:
            moments = scaling.ret_rms
            tensors["rewards"] = torch.tensor([moments.mean, moments.var, moments.count], dtype=torch.float64)
        if self.pool is not None:
            tensors |= {f"pool.{name}": value for name, value in self.pool.state().items()}
        whole = save({name: value.contiguous() for name, value in tensors.items()})
        return TrainerState(optimizer_tensors(model.policy.optimizer), [whole])

    def restore(self, network: PolicyNetwork, state: TrainerState) -> None:
        """Go on from a checkpoint; `network` is what plays, and less than what learns, which `state` holds."""
        model = self.model
        try:
            tensors = load(state.runners[0])
            own = _own(model.policy)
            with torch.no_grad():
                for name, value in own.items():
                    value.copy_(tensors[f"policy.{name}"])
            model.num_timesteps, model._n_updates, calls = map(int, tensors["counts"])
            scaling = model.get_vec_normalize_env()
            if scaling is not None:
                moments = scaling.ret_rms
                moments.mean, moments.var, moments.count = tensors["rewards"].tolist()
            if self.pool is not None:
                past = {name.removeprefix("pool."): value for name, value in tensors.items() if name[:5] == "pool."}
                self.pool.restore(network.describe(), past)
                self.pool.renew(self.network())
        except (KeyError, IndexError, RuntimeError, ValueError) as error:
            raise UsageError(f"the checkpoint's state of SB3 does not fit this run: {error}") from None
        model.set_random_seed(self.seats.begin_anew(state.updates))  # the games, and what is drawn in them, are others
        if self.algorithm.replays:
            model._n_calls = calls
        set_optimizer_tensors(model.policy.optimizer, state.optimizer)

    def close(self) -> None:
        if self._callback is not None:
            self._callback.on_training_end()
        self.model.env.close()


def _own(policy: Any) -> dict[str, Tensor]:
    """A policy's tensors, each once: SB3 names shared encoders several times."""
    seen: set[int] = set()
    own: dict[str, Tensor] = {}
    for name, value in policy.state_dict().items():
        if value.data_ptr() not in seen:
            own[name] = value
            seen.add(value.data_ptr())
    return own


def _pool(spec: GameSpec, settings: TrainSettings) -> Pool | None:
    """Who has the other seat of a game of two."""
    if spec.players == 1:
        return None
    fixed = [load_agent(name) for name in settings.opponents.split()]
    return Pool(spec, settings.copies, fixed, settings.opponent_share, settings.seed)


def check(settings: TrainSettings) -> None:
    """Refuse a run that this trainer cannot do; nothing is written yet.

    Raises:
        UsageError: its algorithm, its game or one of its settings.
    """
    name, algorithm, _ = algorithm_of(settings)
    if settings.runners or settings.learners or settings.address:
        raise UsageError(
            "the trainer 'sb3' plays and learns in one process; runners, learners and address are of 'rllib'"
        )
    if settings.precision == "bfloat16":
        raise UsageError("the trainer 'sb3' computes in float32; bfloat16 is of 'rllib'")
    if settings.levels:
        raise UsageError("the trainer 'sb3' plays levels as they come; --levels and --curriculum are of 'rllib'")
    if settings.memory:
        raise UsageError("the trainer 'sb3' has no memory of earlier steps; --memory is of 'rllib'")
    if settings.league_size:
        raise UsageError("the trainer 'sb3' plays no league; leave league_size 0")
    if settings.kl_coefficient:
        raise UsageError("the setting 'kl_coefficient' is of the trainer 'rllib'; SB3 has no such term")
    for other in ("separate_value", "target_kl", "exact_advantages", "seats_in_turn", "adam_beta1"):
        if getattr(settings, other) != getattr(TrainSettings, other):
            raise UsageError(f"the setting '{other}' is of the trainer 'rllib'")
    if settings.freeze and name == "trpo":
        raise UsageError("trpo differentiates all weights, so that no encoder can be frozen; ppo can do that")
    game = make(settings.game)
    spec = game.spec
    if spec.players > 2 or (spec.players == 2 and spec.kind != "turn-based"):
        how = f"of {spec.players} players" if spec.players > 2 else "in which both move at once"
        raise UsageError(
            f"the trainer 'sb3' plays games of one player and turn-based ones of two, and {settings.game} is one "
            f"{how}; --trainer rllib can learn it"
        )
    if len(spec.roles) > 1:
        raise UsageError(
            f"the trainer 'sb3' has one network for all seats, and the players of {settings.game} have different "
            f"spaces; --trainer rllib learns a network for each role"
        )
    legal = game.turn().legal
    close = getattr(game, "close", None)
    if close is not None:
        close()
    if spec.players == 2 and not algorithm.masks:
        raise UsageError(
            f"{settings.game} is a game of two, which the trainer 'sb3' learns against past selves by "
            f"--algorithm maskable_ppo, not by {name}"
        )
    if not algorithm.masks and legal is not None and not legal.all():
        raise illegal_actions(settings.game)
    if algorithm.masks and legal is None:
        raise UsageError(f"{settings.game} has actions of real numbers, which maskable_ppo does not play; ppo does")


def open(settings: TrainSettings, callbacks: Sequence[Any] = ()) -> SB3Trainer:
    """Make the model of a run.

    Args:
        settings: of the run.
        callbacks: SB3's, called as by its `learn`.
    """
    return SB3Trainer(settings, callbacks)
