"""Proximal policy optimisation in plain torch functions, without Ray (Schulman et al. 2017, arXiv:1707.06347).

Reads top to bottom: settings, loss, update; advantages are `advantage_estimation`'s. RLlib distributes it, and it knows
nothing of that.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  torch's own name for it
from torch import Tensor, nn

from lanista.agents.action_heads import DiscreteHead
from lanista.agents.policy_network import PolicyNetwork
from lanista.agents.symmetry import Turning
from lanista.cores import fast_bfloat16
from lanista.envs.core import Array, Bools, Floats, Ints
from lanista.training.categorical_loss import KL, Weights, categorical_loss
from lanista.training.minibatches import Cut, Pick, Sequences, minibatches
from lanista.training.perceptron import Perceptron, perceptron_of
from lanista.training.perceptron_update import KL_MARGIN, can_learn, learn

PART_NAMES = ("policy_loss", "value_loss", "entropy", "approx_kl", "divergence", "clip_fraction")
SCHEDULES = ("linear", "exponential")


@dataclass(frozen=True)
class PPOSettings:
    """Settings of the update. Those with an `_end` move from the one value to the other over the run, by `schedule`."""

    learning_rate: float = 2e-3
    """Adam's step size at the start."""
    learning_rate_end: float = 2e-4
    """Adam's step size at the end."""
    adam_beta1: float = 0.9
    """How much of its last step Adam takes again. Where hands are hidden, 0 lets play settle that else goes round in
    circles: momentum drives each side past the other's answer (Gidel et al. 2019, arXiv:1807.04740)."""
    epochs: int = 2
    """Passes over each batch."""
    minibatch_size: int = 4096
    """Rows a gradient step."""
    micro_batch_size: int = 0
    """Rows computed at once; a minibatch's gradient is the sum over them. 0 is 4096 in bfloat16 and 1024 in float32."""
    gamma: float = 1.0
    """Discount a move."""
    gae_lambda: float = 0.95
    """Generalised advantage estimation's lambda."""
    clip_range: float = 0.2
    """The policy ratio is clipped to 1 plus or minus this."""
    entropy_coefficient: float = 0.03
    """Weight of the entropy bonus at the start."""
    entropy_coefficient_end: float = 0.01
    """Weight of the entropy bonus at the end."""
    schedule: str = "linear"
    """How a value moves to its `_end`: "linear", or "exponential", by the same factor in equal times."""
    kl_coefficient: float = 0.0
    """Weight of the exact divergence of the new policy from that before the update. With the entropy bonus, which pulls
    toward the uniform magnet, this is magnetic mirror descent (Sokota et al. 2023, arXiv:2206.05825, equation 12),
    whose last policy approaches an equilibrium where hands are hidden; symmetries are not used then."""
    target_kl: float = 0.0
    """An update ends before the first minibatch whose approximate divergence from the policy that played is more than
    1.5 times this, as in Stable-Baselines3; 0 never ends it."""
    value_coefficient: float = 0.5
    """Weight of the value's squared error."""
    max_grad_norm: float = 0.5
    """Gradients are scaled down to this norm."""
    normalize_advantage: bool = True
    """Advantages of a batch are brought to mean 0 and deviation 1."""
    normalize_observation: bool = False
    """Observations of real numbers are brought to mean 0 and deviation 1 of all seen so far."""
    normalize_value: bool = False
    """Values are learned in deviations from the running mean of the returns (PopArt, in the place of reward scaling);
    only where the returns have no bounds."""
    symmetry: bool = True
    """Of a game with n symmetries n/(n+1) of the minibatches are turned by one of them."""
    memory_steps: int = 32
    """With a memory: gradients go back along so many steps of a seat at most."""
    precision: str = "auto"
    """"float32", "bfloat16" (autocast), or "auto": bfloat16 where the chip computes in it."""

    def at(self, progress: float) -> tuple[float, float]:
        """Learning rate and entropy coefficient after this share of the run, in [0, 1]."""
        part = min(max(progress, 0.0), 1.0)
        return (
            _between(self.learning_rate, self.learning_rate_end, part, self.schedule),
            _between(self.entropy_coefficient, self.entropy_coefficient_end, part, self.schedule),
        )

    @property
    def bfloat16(self) -> bool:
        """Whether to compute in bfloat16 here."""
        return self.precision == "bfloat16" or (self.precision == "auto" and fast_bfloat16())

    @property
    def agent_precision(self) -> str:
        """In which the agent plays: that in which it is trained here."""
        return "bfloat16" if self.bfloat16 else "float32"

    @property
    def rows_at_once(self) -> int:
        """The micro-batch: float32 activations of more rows leave the cache, bfloat16 ones are half as large."""
        return self.micro_batch_size or (4096 if self.bfloat16 else 1024)


def _between(start: float, end: float, part: float, schedule: str) -> float:
    """The value after this part of the way."""
    if schedule == "exponential" and start != end:
        return float(start ** (1 - part) * end**part)
    return start + part * (end - start)


@dataclass(frozen=True)
class Batch:
    """What an update learns from: rows of all seats, flat.

    Attributes:
        observation: modality name -> rows.
        legal: the legal actions.
        actions: what was played, as the network's head drew it.
        log_probability: of `actions`, when played.
        advantages: how much better than expected they turned out.
        returns: the value's targets.
        stream: the game and seat of each row, as a number; with a memory only, where a stream's rows are next to each
            other in the order they were played.
        memory: what the row's seat remembered before it; with a memory only.
    """

    observation: Mapping[str, Array]  # each (rows, *shape)
    legal: Bools | None  # (rows, num_actions) or (rows, sum(nvec)); None for Box
    actions: Array  # (rows,) or (rows, dimensions)
    log_probability: Floats  # (rows,)
    advantages: Floats  # (rows,)
    returns: Floats  # (rows,)
    stream: Ints | None = None  # (rows,)
    memory: Floats | None = None  # (rows, state_size)


@dataclass(frozen=True)
class Loss:
    """The loss of one minibatch.

    Attributes:
        total: what is minimised.
        parts: the means in the order of `PART_NAMES`, for the curves.
    """

    total: Tensor  # ()
    parts: Tensor  # (6,)


def loss(
    network: PolicyNetwork,
    observation: Mapping[str, Tensor],
    legal: Tensor | None,
    actions: Tensor,
    log_probability: Tensor,
    advantage: Tensor,
    returns: Tensor,
    settings: PPOSettings,
    entropy_coefficient: float,
    before: Tensor | None = None,
    pick: Pick | None = None,
) -> Loss:
    """The clipped surrogate (equation 7), the value's squared error and the entropy bonus (equation 9).

    Args:
        network: what learns.
        observation: modality name -> (rows, *shape).
        legal: (rows, num_actions) or (rows, sum(nvec)) bool; None for Box.
        actions: (rows,) int64, or (rows, dimensions): samples of the network's head.
        log_probability, advantage, returns: (rows,) float32.
        before: (rows, parameters) of the network's head before the update; needed if `kl_coefficient` is not 0.
        pick: how the rows stand in sequences; needed if the network has a memory.
    """
    parameters, value = _ask(network, observation, legal, pick)
    if isinstance(network.head, DiscreteHead) and parameters.device.type == "cpu":
        weights = _weights(network, settings, entropy_coefficient)
        return Loss(*categorical_loss(parameters, value, actions, log_probability, advantage, returns, before, weights))
    distribution = network.head.distribution(parameters)
    log_ratio = distribution.log_probability(actions) - log_probability
    ratio = log_ratio.exp()
    clipped = ratio.clamp(1 - settings.clip_range, 1 + settings.clip_range)
    policy_loss = -torch.min(ratio * advantage, clipped * advantage).mean()
    value_loss = F.mse_loss(value, returns)
    if network.returns is not None:
        value_loss = value_loss / network.returns.deviation**2
    entropy = distribution.entropy().mean()
    total = policy_loss + settings.value_coefficient * value_loss - entropy_coefficient * entropy
    divergence = torch.zeros(())
    if before is not None:
        divergence = distribution.divergence(network.head.distribution(before)).mean()
        total = total + settings.kl_coefficient * divergence
    with torch.no_grad():
        kl = ((ratio - 1) - log_ratio).mean()  # Schulman 2020, "Approximating KL divergence", k3
        beyond = ((ratio - 1).abs() > settings.clip_range).float().mean()
    told = (policy_loss.detach(), value_loss.detach(), entropy.detach(), kl, divergence.detach(), beyond)
    return Loss(total, torch.stack(told))


def make_optimizer(network: nn.Module, settings: PPOSettings) -> torch.optim.Optimizer:
    """Adam, fused: one call a step instead of one a tensor."""
    betas = (settings.adam_beta1, 0.999)
    return torch.optim.Adam(network.parameters(), lr=settings.learning_rate, betas=betas, eps=1e-5, fused=True)


def update(
    network: PolicyNetwork,
    optimizer: torch.optim.Optimizer,
    batch: Batch,
    settings: PPOSettings,
    progress: float,
    seed: int,
    turnings: tuple[Turning, ...] = (),
    all_reduce: Callable[[Sequence[Tensor]], None] | None = None,
) -> dict[str, float]:
    """Learn from one batch: `epochs` passes in shuffled minibatches.

    Args:
        network: changed in place.
        optimizer: from `make_optimizer`.
        batch: the rows.
        progress: the share of the run that is done, for the schedules.
        seed: of the shuffling; the same seed and batch give the same weights.
        turnings: the game's symmetries, used if `settings.symmetry`.
        all_reduce: averages tensors over several learners, in place: gradients, and what the network normalises by.

    Returns:
        Means over the gradient steps of the loss's parts, by name.
    """
    generator = torch.Generator().manual_seed(seed % 2**63)
    learning_rate, entropy_coefficient = settings.at(progress)
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
    with warnings.catch_warnings():  # arrays of another process may not be written to, and are not
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        observation = {name: torch.from_numpy(value) for name, value in batch.observation.items()}
        legal = None if batch.legal is None else torch.from_numpy(batch.legal)
        actions = torch.from_numpy(batch.actions)
        log_probability, returns = torch.from_numpy(batch.log_probability), torch.from_numpy(batch.returns)
        advantage = torch.from_numpy(batch.advantages)
    network.see_returns(returns, all_reduce)
    if settings.normalize_advantage and len(advantage) > 1:  # one row has no deviation
        advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
    sequences = None
    if network.memory is not None:
        assert batch.stream is not None and batch.memory is not None, "a rollout of this network gives them"
        sequences = Sequences(batch.stream, batch.memory, settings.memory_steps)
    before = _parameters(network, observation, legal, settings, sequences) if settings.kl_coefficient else None
    perceptron = None
    turned = settings.symmetry and bool(turnings) and before is None and sequences is None
    if not (turned or settings.bfloat16 or all_reduce) and can_learn(network, optimizer):
        perceptron = perceptron_of(network)
    if perceptron is not None:
        means, norm = _learn_compiled(
            perceptron, network, optimizer, replace(batch, advantages=advantage.numpy()), settings,
            entropy_coefficient, before, generator,
        )  # fmt: skip
    else:
        columns = (observation, legal, actions, log_probability, advantage, returns, before)
        means, norm = _learn(
            network, optimizer, columns, settings, entropy_coefficient, sequences, generator,
            turnings if turned else (), all_reduce,
        )  # fmt: skip
    # Only now: the old probabilities are of observations as they were normalised when they were played.
    network.see_observations(observation, all_reduce)
    return dict(zip(PART_NAMES, means, strict=True)) | {"grad_norm": norm, "learning_rate": learning_rate}


def _learn(
    network: PolicyNetwork,
    optimizer: torch.optim.Optimizer,
    columns: tuple[Any, ...],
    settings: PPOSettings,
    entropy_coefficient: float,
    sequences: Sequences | None,
    generator: torch.Generator,
    turnings: tuple[Turning, ...],
    all_reduce: Callable[[Sequence[Tensor]], None] | None,
) -> tuple[list[float], float]:
    """The epochs on torch: means of the loss's parts, in the order of `PART_NAMES`, and of the gradient's norm."""
    observation, legal, actions, log_probability, advantage, returns, before = columns
    parts: list[Tensor] = []  # each micro-batch's parts of the loss
    weights: list[float] = []  # its share of the gradient steps
    norms: list[Tensor] = []
    cut = Cut(settings.minibatch_size, settings.rows_at_once, settings.memory_steps)
    repeats = network.fusion.repeats(observation) if sequences is None else None  # sequences are whole already
    passes = (minibatches(len(actions), cut, sequences, repeats, generator) for _ in range(settings.epochs))
    for minibatch in chain.from_iterable(passes):
        turning = None
        if turnings:
            number = int(torch.randint(len(turnings) + 1, (1,), generator=generator))
            turning = turnings[number] if number < len(turnings) else None
        size = sum(len(pick.rows) for pick in minibatch)
        optimizer.zero_grad(set_to_none=True)
        apart = torch.zeros(())
        for pick in minibatch:
            at = pick.rows
            seen, did = {name: value[at] for name, value in observation.items()}, actions[at]
            may = None if legal is None else legal[at]
            if turning is not None and may is not None:
                seen, may, did = turning.turn(seen, may, did)
            with torch.autocast("cpu", torch.bfloat16, enabled=settings.bfloat16):
                step = loss(
                    network, seen, may, did, log_probability[at], advantage[at], returns[at],
                    settings, entropy_coefficient, None if before is None else before[at], pick,
                )  # fmt: skip
            share = len(at) / size
            (step.total * share).backward()  # type: ignore[no-untyped-call]
            parts.append(step.parts)
            weights.append(share)
            apart += step.parts[KL] * share
        if settings.target_kl:
            if all_reduce is not None:
                all_reduce([apart])  # so that all learners end together
            if float(apart) > KL_MARGIN * settings.target_kl:
                break
        if all_reduce is not None:
            all_reduce([parameter.grad for parameter in network.parameters() if parameter.grad is not None])
        norms.append(nn.utils.clip_grad_norm_(network.parameters(), settings.max_grad_norm))
        optimizer.step()
    weight = torch.tensor(weights)
    means: list[float] = ((torch.stack(parts) * weight[:, None]).sum(0) / weight.sum()).tolist()
    return means, float(torch.stack(norms).mean()) if norms else 0.0


def _learn_compiled(
    perceptron: Perceptron,
    network: PolicyNetwork,
    optimizer: torch.optim.Optimizer,
    batch: Batch,
    settings: PPOSettings,
    entropy_coefficient: float,
    before: Tensor | None,
    generator: torch.Generator,
) -> tuple[list[float], float]:
    """As `_learn`, of a small perceptron."""
    rows = len(batch.actions)
    size = min(settings.minibatch_size, rows)
    shuffled = [torch.randperm(rows, generator=generator).numpy() for _ in range(settings.epochs)]
    order = np.concatenate([each[: rows - rows % size].reshape(-1, size) for each in shuffled])
    none = np.zeros((0, perceptron.shape.actions))
    legal = none.astype(np.bool_) if batch.legal is None else batch.legal
    logits = none.astype(np.float32) if before is None else before.numpy()
    seen = perceptron.read(batch.observation[perceptron.modality])
    columns = (seen, legal, batch.actions, batch.log_probability, batch.advantages, batch.returns, logits)
    weights = _weights(network, settings, entropy_coefficient)
    ends = settings.max_grad_norm, settings.target_kl
    parts, norms = learn(perceptron, network, optimizer, columns, order, weights, *ends)
    return parts.mean(0).tolist(), float(norms.mean()) if len(norms) else 0.0


def _weights(network: PolicyNetwork, settings: PPOSettings, entropy_coefficient: float) -> Weights:
    """The weights of the compiled loss."""
    scale = 1.0 if network.returns is None else float(network.returns.deviation) ** 2
    return Weights(settings.clip_range, settings.value_coefficient, entropy_coefficient, settings.kl_coefficient, scale)


def _ask(
    network: PolicyNetwork, observation: Mapping[str, Tensor], legal: Tensor | None, pick: Pick | None
) -> tuple[Tensor, Tensor]:
    """The head's parameters and values of picked rows, along their sequences if the network has a memory."""
    if pick is None or pick.counts is None or pick.memory is None:
        parameters, value = network(observation, legal)
        return parameters, value
    return network.along(observation, legal, pick.memory, pick.counts)


@torch.no_grad()
def _parameters(
    network: PolicyNetwork,
    observation: Mapping[str, Tensor],
    legal: Tensor | None,
    settings: PPOSettings,
    sequences: Sequences | None,
) -> Tensor:
    """What the network's head reads of all rows, (rows, parameters), as the network stands."""
    rows = len(next(iter(observation.values())))
    count, at_once = rows, settings.rows_at_once
    if sequences is not None:
        count, at_once = len(sequences.starts), sequences.about(at_once)
    parts, places = [], []
    for some in torch.split(torch.arange(count), at_once):
        pick = Pick(some) if sequences is None else sequences.pick(some)
        at = pick.rows
        with torch.autocast("cpu", torch.bfloat16, enabled=settings.bfloat16):
            may = None if legal is None else legal[at]
            parts.append(_ask(network, {name: value[at] for name, value in observation.items()}, may, pick)[0])
        places.append(at)
    told = torch.cat(parts)
    out = torch.empty_like(told)
    out[torch.cat(places)] = told
    return out
