"""A trained agent: the network of an agent's folder, asked once a batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lanista.agents.artifact import load_network
from lanista.agents.policy_network import PolicyNetwork, evaluate, keep_memory
from lanista.agents.symmetry import Turning, turnings
from lanista.envs.batched import mixed
from lanista.envs.core import Array, Choice, GameSpec, Ints, Turn
from lanista.errors import UsageError


class NetworkAgent:
    """Plays a policy network: its most likely move, or a draw from its policy."""

    def __init__(
        self,
        network: PolicyNetwork,
        name: str,
        game: str,
        precision: str = "float32",
        temperature: float = 0.0,
        symmetry: bool = True,
    ) -> None:
        """Seat a network.

        Args:
            network: in evaluation mode.
            name: what it is called.
            game: the string of the game that it plays.
            precision: "bfloat16" computes in it where the chip can, else float32.
            temperature: 0 plays the most likely move; 1 draws from the policy; between sharpens it.
            symmetry: ask from every side of the game's symmetries and take the mean; stronger, and as many times
                the arithmetic.
        """
        if temperature < 0:
            raise UsageError(f"a temperature is 0 or more, not {temperature}")
        keep_memory()
        self.network = network
        self.name = name
        self.game = game
        self.temperature = temperature
        self.autocast = precision == "bfloat16" and fast_bfloat16()
        self.symmetry = symmetry
        self._turnings: tuple[Turning, ...] = ()
        self._seed = 0

    def start(self, spec: GameSpec, seed: int) -> None:
        """Check that the network fits the game.

        Raises:
            UsageError: it was made for other observations or actions.
        """
        self._seed = seed % 2**64
        self._turnings = turnings(spec) if self.symmetry else ()
        role = spec.roles[0]
        wanted = {name: tuple(encoder.shape) for name, encoder in self.network.fusion.encoders.items()}  # type: ignore[arg-type]
        found = {name: space.shape for name, space in role.observation.spaces.items()}
        actions = int(getattr(role.action, "n", 0))
        if wanted != found or self.network.num_actions != actions:
            raise UsageError(f"{self.name} was trained on {self.game} and does not fit {spec.name}")

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        """The policy's moves, with the policy and the value of each row."""
        logits, value = self._evaluate(turn)
        if self.temperature > 0:
            logits = logits / self.temperature
        policy = torch.softmax(logits, -1).numpy()
        if self.temperature == 0:
            actions: Ints = policy.argmax(1)
        else:
            actions = draw_actions(policy, mixed(turn.draws, np.uint64(self._seed)))
        return Choice(actions, policy=policy, value=value.numpy())

    def _evaluate(self, turn: Turn) -> tuple[Tensor, Tensor]:
        """Logarithms of the policy and values, their means over the game's symmetries."""
        logits, value = evaluate(self.network, turn, self.autocast)
        log_policy = torch.log_softmax(logits, -1)
        for turning in self._turnings:
            logits, other = evaluate(self.network, turning.turned(turn), self.autocast)
            log_policy = log_policy + turning.back(torch.log_softmax(logits, -1))
            value = value + other
        sides = 1 + len(self._turnings)
        return log_policy / sides, value / sides


def draw_actions(policy: Array, draws: Any) -> Ints:
    """Draw one action a row.

    Args:
        policy: (k, num_actions) probabilities.
        draws: (k,) uint64, the randomness to use.
    """
    summed = np.cumsum(policy, axis=1, dtype=np.float64)
    wanted = (draws >> np.uint64(11)) * 2.0**-53 * summed[:, -1]
    # The first action whose sum exceeds the draw: never one of probability zero.
    actions: Ints = (summed <= wanted[:, None]).sum(axis=1)
    return actions


def fast_bfloat16() -> bool:
    """Whether this chip computes in bfloat16 by itself; emulated it would be slower than float32."""
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def make(path: str, temperature: float = 0.0, symmetry: bool = True) -> NetworkAgent:
    """Load an agent's folder.

    Args:
        path: the folder.
        temperature: 0 plays the most likely move, 1 draws from the policy.
        symmetry: take the mean over the game's symmetries.
    """
    network, about = load_network(path)
    name = Path(path).name if temperature == 0 else f"{Path(path).name}?temperature={temperature:g}"
    return NetworkAgent(network, name, about["game"], about["precision"], temperature, symmetry)
