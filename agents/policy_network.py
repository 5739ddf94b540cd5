"""The network that plays: encoders, a policy over the actions and a value."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from lanista.agents.action_heads import GREATEST, ILLEGAL, ActionHead, head_for, head_from
from lanista.agents.running_moments import ObservationNormalizer, RunningMoments, moments_of
from lanista.envs.core import Array, GameSpec, Turn
from lanista.errors import UsageError
from lanista.perception.fusion import Fusion, build_fusion, fusion_from
from lanista.perception.memory import Memory, build_memory, memory_from

ROWS_AT_ONCE = 1024
# Every new number of rows makes the kernels' library build, and keep, new kernels; few different ones are met this way.
ROWS_MULTIPLE = 32


VALUE_MEMORY = 20  # batches over which the scale of values is taken


class PolicyNetwork(nn.Module):
    """Observation -> parameters of the policy's head (logits of the legal actions), and the value for the player."""

    def __init__(
        self,
        fusion: Fusion,
        head: ActionHead,
        value_range: tuple[float, float] | None,
        normalize_observation: Sequence[str] = (),
        normalize_value: bool = False,
        memory: Memory | None = None,
        value_fusion: Fusion | None = None,
    ) -> None:
        """Put a policy and a value on features.

        Args:
            fusion: the encoders.
            head: the kind of the actions.
            value_range: the least and greatest return; the value is squashed into it. None leaves it free.
            normalize_observation: the modalities that are brought to mean 0 and deviation 1 of what was seen so far.
            normalize_value: the last layer computes the value in deviations from the mean of the returns.
            memory: of each seat's own steps, between the features and what is made of them.
            value_fusion: encoders of the value's own; None: policy and value share theirs. Not with a memory.
        """
        super().__init__()
        self.fusion = fusion
        self.value_fusion = value_fusion
        self.memory = memory
        self.head = head
        self.value_range = value_range
        wide = fusion.dim if memory is None else memory.dim
        self.policy = nn.Linear(wide, head.outputs)
        self.value = nn.Linear(wide if value_fusion is None else value_fusion.dim, 1)
        # A policy that starts near uniform explores (Andrychowicz et al. 2021, "What matters in on-policy RL").
        nn.init.orthogonal_(self.policy.weight, 0.01)
        nn.init.orthogonal_(self.value.weight, 0.1)
        nn.init.zeros_(self.policy.bias)
        nn.init.zeros_(self.value.bias)
        self.log_std = nn.Parameter(torch.zeros(head.log_std)) if head.log_std else None
        self.normalizer: ObservationNormalizer | None = None
        if normalize_observation:
            shapes = {name: fusion.encoders[name].shape for name in normalize_observation}
            self.normalizer = ObservationNormalizer(shapes)  # type: ignore[arg-type]
        self.returns = RunningMoments(()) if normalize_value else None

    def forward(self, observation: Mapping[str, Tensor], legal: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The head's parameters and the value; a network with a memory knows nothing of steps before.

        Args:
            observation: modality name -> (batch, *shape).
            legal: (batch, num_actions) bool, or (batch, sum(nvec)); logits of the others are hugely negative. None
                for Box.

        Returns:
            (batch, num_actions), (batch, sum(nvec)), or (batch, 2 * dimensions), the means and then the logarithms
            of the standard deviations; and (batch,), in the game's own rewards. float32.
        """
        features = self.features(observation)
        if self.memory is not None:
            features, _ = self.memory.step(features, self.memory.start(len(features)))
        return self.conclude(features, legal)

    def along(
        self, observation: Mapping[str, Tensor], legal: Tensor | None, memory: Tensor, counts: Tensor
    ) -> tuple[Tensor, Tensor]:
        """As `forward`, of rows that stand in sequences, step after step, with a memory of the steps before.

        Args:
            observation: modality name -> (rows, *shape).
            legal: as for `forward`.
            memory: (sequences, state_size) before each sequence.
            counts: (time, sequences) bool with `rows` that are true: where the rows belong, one after the other.
        """
        assert self.memory is not None
        features = self.features(observation)
        table = features.new_zeros((*counts.shape, features.shape[1]))
        table[counts] = features
        out, _ = self.memory(table, memory)
        return self.conclude(out[counts], legal)

    def features(self, observation: Mapping[str, Tensor]) -> Tensor:
        """What the encoders make of modality name -> (batch, *shape): (batch, features), the value's own at the end."""
        if self.normalizer is not None:
            observation = self.normalizer(observation)
        features: Tensor = self.fusion(observation)
        return features if self.value_fusion is None else torch.cat([features, self.value_fusion(observation)], -1)

    def conclude(self, features: Tensor, legal: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """As `forward`, of (batch, features), or what the memory made of them."""
        of_value = features
        if self.value_fusion is not None:
            features, of_value = torch.split(features, [self.fusion.dim, self.value_fusion.dim], -1)
        if self.log_std is None:
            parameters: Tensor = self.policy(features).float()
        else:
            with torch.autocast("cpu", enabled=False):  # bfloat16 would round the means more than actions bear
                mean = self.policy(features.float())
            parameters = torch.cat([mean, self.log_std.expand_as(mean)], dim=-1)
        value: Tensor = self.value(of_value).float().squeeze(-1)
        if legal is not None:
            parameters = parameters.masked_fill(~legal, ILLEGAL)
        if self.value_range is not None:
            low, high = self.value_range
            value = (low + high) / 2 + (high - low) / 2 * torch.tanh(value)
        elif self.returns is not None:
            value = self.returns.mean + self.returns.deviation * value
        return parameters, value

    @torch.no_grad()
    def see_returns(self, returns: Tensor, all_reduce: Callable[[Sequence[Tensor]], None] | None = None) -> None:
        """Take a batch of returns (rows,) into the value's scale; the values themselves stay what they were.

        PopArt (van Hasselt et al. 2016, arXiv:1602.07714, equation 9).

        Args:
            returns: of a batch.
            all_reduce: averages tensors over several learners, in place.
        """
        if self.returns is None:
            return
        mean, square = moments_of(returns)
        if all_reduce is not None:
            all_reduce([mean, square])
        old_mean, old_deviation = self.returns.mean.clone(), self.returns.deviation
        self.returns.take(mean, square, len(returns), memory=VALUE_MEMORY * len(returns))
        deviation = self.returns.deviation
        self.value.weight.mul_(old_deviation / deviation)
        self.value.bias.mul_(old_deviation / deviation).add_((old_mean - self.returns.mean) / deviation)

    @torch.no_grad()
    def see_observations(
        self, observation: Mapping[str, Tensor], all_reduce: Callable[[Sequence[Tensor]], None] | None = None
    ) -> None:
        """Take a batch of observations, modality name -> (rows, *shape), into what they are normalised by.

        Args:
            observation: of a batch.
            all_reduce: averages tensors over several learners, in place.
        """
        if self.normalizer is None:
            return
        for name, moments in self.normalizer.moments.items():
            assert isinstance(moments, RunningMoments)
            mean, square = moments_of(observation[name])
            if all_reduce is not None:
                all_reduce([mean, square])
            moments.take(mean, square, len(observation[name]))

    @property
    def state_size(self) -> int:
        """The numbers of what it remembers; 0 without a memory."""
        return 0 if self.memory is None else self.memory.state_size

    @property
    def frozen(self) -> list[str]:
        """The modalities whose encoders stay as they are."""
        return self.fusion.frozen

    def freeze(self, names: Iterable[str]) -> None:
        """Keep the encoders of these modalities as they are."""
        for fusion in (self.fusion, self.value_fusion):
            if fusion is not None:
                fusion.freeze(names)

    def describe(self) -> dict[str, Any]:
        """What `network_from` needs to make the same network, as plain data."""
        about: dict[str, Any] = {
            "encoders": self.fusion.describe(),
            **self.head.describe(),
            "value_range": None if self.value_range is None else list(self.value_range),
        }
        if self.normalizer is not None:
            about["normalize_observation"] = list(self.normalizer.moments)
        if self.returns is not None:
            about["normalize_value"] = True
        if self.memory is not None:
            about["memory"] = self.memory.describe()
        if self.value_fusion is not None:
            about["separate_value"] = True
        if self.fusion.joint is not None:
            about["joint"] = self.fusion.joint.describe()
        return about


def evaluate(network: PolicyNetwork, turn: Turn, bfloat16: bool) -> tuple[Tensor, Tensor]:
    """The head's parameters and the values of a turn's rows, without gradients; a memory knows nothing before them.

    Some rows at a time: activations stay in cache.

    Args:
        network: what to ask.
        turn: the rows.
        bfloat16: compute in it; the results are float32.

    Returns:
        As `PolicyNetwork.forward`.
    """
    parameters, values, _ = remember(network, turn, bfloat16, None)
    return parameters, values


def remember(
    network: PolicyNetwork, turn: Turn, bfloat16: bool, memory: Array | None
) -> tuple[Tensor, Tensor, Tensor | None]:
    """As `evaluate`, for a network with a memory of what each row's seat saw before.

    Args:
        network: what to ask.
        turn: the rows.
        bfloat16: compute in it; the results are float32.
        memory: (k, state_size) of each row; None is a memory of nothing.

    Returns:
        The head's parameters, the values, and the new memory (k, state_size); None if the network has no memory.
    """
    return evaluate_rows(network, turn.observation, turn.legal, bfloat16, memory)


def evaluate_rows(
    network: PolicyNetwork,
    observations: Mapping[str, Array],
    legal_actions: Array | None,
    bfloat16: bool,
    memory: Array | None = None,
) -> tuple[Tensor, Tensor, Tensor | None]:
    """As `remember`, of rows of which there is no turn.

    Args:
        network, bfloat16, memory: as for `remember`.
        observations: modality name -> (k, *shape).
        legal_actions: (k, num_actions); None: the logits of all actions.
    """
    observation = {name: _padded(torch.from_numpy(value)) for name, value in observations.items()}
    legal = None if legal_actions is None else _padded(torch.from_numpy(legal_actions))
    cell, size = network.memory, len(next(iter(observations.values())))
    before = None
    if cell is not None:
        before = cell.start(size) if memory is None else torch.from_numpy(memory)
        before = _padded(before)
    parts: list[tuple[Tensor, Tensor]] = []
    after: list[Tensor] = []
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        for start in range(0, size, ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            features = network.features({name: value[rows] for name, value in observation.items()})
            if cell is not None and before is not None:
                features, state = cell.step(features, before[rows])
                after.append(state.float())
            parts.append(network.conclude(features, None if legal is None else legal[rows]))
    parameters, values = torch.cat([head for head, _ in parts]), torch.cat([value for _, value in parts])
    return parameters[:size], values[:size], torch.cat(after)[:size] if after else None


def _padded(rows: Tensor) -> Tensor:
    """Rows of zeros added up to a multiple of `ROWS_MULTIPLE`; a single row, a person's game, stays alone."""
    missing = -len(rows) % ROWS_MULTIPLE
    if len(rows) <= 1 or not missing:
        return rows
    return torch.cat([rows, rows.new_zeros((missing, *rows.shape[1:]))])


def keep_memory() -> None:
    """Tell the C library to keep the memory that it is given back.

    By default glibc returns every large array to the system when it is freed and gets it again, page by page and
    zeroed, for the next: a fifth of the time of playing with a small network. It costs nothing where the library has
    no such setting.
    """
    trim_threshold, mmap_threshold = -1, -3  # of malloc.h
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(mmap_threshold, 2**30)
        mallopt(trim_threshold, 2**31 - 1)


def build_network(
    spec: GameSpec,
    encoder: str | Fusion = "auto",
    *,
    normalize_observation: bool = False,
    normalize_value: bool = False,
    memory: str = "",
    value_encoder: Fusion | None = None,
) -> PolicyNetwork:
    """A fresh network for a game whose players share one role; `build_networks` makes them for every game.

    Args:
        spec: of the game.
        encoder: as for `perception.fusion.build_fusion`, or what that gave.
        normalize_observation: normalise the modalities of real numbers.
        normalize_value: normalise the value, unless the game's returns have bounds: it is squashed into them then.
        memory: as for `perception.memory.build_memory`; empty is none.
        value_encoder: encoders of the value's own; None: policy and value share theirs. Not with a memory.

    Raises:
        UsageError: no network plays this game, or it takes several.
    """
    if len(spec.roles) > 1:
        raise UsageError(f"{spec.name} has players with different spaces, which no one network can play")
    return network_of_role(
        spec, 0, encoder, normalize_observation=normalize_observation, normalize_value=normalize_value, memory=memory,
        value_encoder=value_encoder,
    )  # fmt: skip


def network_of_role(
    spec: GameSpec,
    number: int,
    encoder: str | Fusion = "auto",
    *,
    normalize_observation: bool = False,
    normalize_value: bool = False,
    memory: str = "",
    value_encoder: Fusion | None = None,
) -> PolicyNetwork:
    """A fresh network for one of a game's roles, the `number`th; else as `build_network`."""
    role = spec.roles[number]
    head = head_for(role.action, spec.name)
    low, high = spec.returns
    bounded = low > -100 and high < 100
    real = [
        name
        for name, space in role.observation.spaces.items()
        if isinstance(space, spaces.Box) and np.issubdtype(space.dtype, np.floating)
    ]
    fusion = encoder if isinstance(encoder, Fusion) else build_fusion(role.observation, encoder)
    return PolicyNetwork(
        fusion,
        head,
        (low, high) if bounded else None,
        real if normalize_observation else (),
        normalize_value and not bounded,
        build_memory(memory, fusion.dim) if memory else None,
        value_encoder,
    )


def network_from(description: Mapping[str, Any]) -> PolicyNetwork:
    """Make a network from what `PolicyNetwork.describe` gave; every field is checked.

    Raises:
        UsageError: a field is missing or wrong.
    """
    encoders, bounds = description.get("encoders"), description.get("value_range")
    if not isinstance(encoders, dict):
        raise UsageError("a network's description needs 'encoders', an object, and 'num_actions', a whole number")
    if bounds is not None:
        numbers = isinstance(bounds, list) and all(type(b) in (int, float) and abs(b) <= GREATEST for b in bounds)
        if not numbers or len(bounds) != 2:
            raise UsageError("'value_range' of a network must be null or two numbers")
        bounds = (float(bounds[0]), float(bounds[1]))
    names, scaled = description.get("normalize_observation", []), description.get("normalize_value", False)
    if not isinstance(names, list) or not all(isinstance(name, str) and name in encoders for name in names):
        raise UsageError("'normalize_observation' of a network must be a list of modalities that it has encoders for")
    if type(scaled) is not bool or (scaled and bounds is not None):
        raise UsageError("'normalize_value' of a network must be true or false, and false with a 'value_range'")
    joint = description.get("joint")
    fusion, memory = fusion_from(encoders, joint), description.get("memory")
    if memory is not None and (not isinstance(memory, dict) or memory.get("features") != fusion.dim):
        raise UsageError(f"'memory' of a network must be an object that reads {fusion.dim} features")
    cell = None if memory is None else memory_from(memory)
    separate = description.get("separate_value", False)
    if type(separate) is not bool or (separate and cell is not None):
        raise UsageError("'separate_value' of a network must be true or false, and false with a 'memory'")
    own = fusion_from(encoders, joint) if separate else None
    return PolicyNetwork(fusion, head_from(description), bounds, names, scaled, cell, own)
