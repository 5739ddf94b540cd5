"""A trained agent: the network of an agent's folder, asked once a batch; with `simulations` it thinks ahead."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lanista.agents.action_heads import ILLEGAL
from lanista.agents.artifact import load_networks
from lanista.agents.policy_network import PolicyNetwork, evaluate, keep_memory, remember
from lanista.agents.quick_forward import Forward, quick_forward
from lanista.agents.role_networks import Networks, by_role, role_names
from lanista.agents.search_tree import check_temperature
from lanista.agents.symmetry import Turning, turnings
from lanista.cores import fast_bfloat16
from lanista.envs.core import Agent, Array, Choice, Floats, GameSpec, Turn
from lanista.envs.draws import mixed
from lanista.errors import UsageError

CALLS_BEFORE_QUICK = 4
QUICK_ROWS = 24  # more rows are answered sooner in bfloat16


class NetworkAgent:
    """Plays a policy network, or one for each role: the most likely move (the mean, for Box), or a draw."""

    def __init__(
        self,
        network: Networks,
        name: str,
        game: str,
        precision: str = "float32",
        temperature: float | None = None,
        symmetry: bool = True,
        finished: bool = False,
    ) -> None:
        """Seat a network.

        Args:
            network: in evaluation mode.
            name: what it is called.
            game: the string of the game that it plays.
            precision: "bfloat16" computes in it where the chip can, else float32.
            temperature: 0 plays the most likely move; 1 draws from the policy; between sharpens it. None is 0 where
                all is seen or nobody else plays, and 1 where other seats hide something, whom only chance deceives.
            symmetry: ask from every side of the game's symmetries and take the mean; stronger, and as many times
                the arithmetic.
            finished: its weights change no more, so that it may be copied into a form that answers sooner.
        """
        if temperature is not None:
            check_temperature(name, temperature)
        keep_memory()
        self.network = network
        self.name = name
        self.game = game
        self.temperature = temperature
        self._usual = 0.0
        self.autocast = precision == "bfloat16" and fast_bfloat16()
        self.symmetry = symmetry
        self._turnings: tuple[Turning, ...] = ()
        self._seed = 0
        self._calls_left = CALLS_BEFORE_QUICK if finished and isinstance(network, PolicyNetwork) else -1
        self._quick: Forward | None = None
        self._roles: tuple[str, ...] = ()  # of each player

    def start(self, spec: GameSpec, seed: int) -> None:
        """Check that the network fits the game.

        Raises:
            UsageError: it was made for other observations or actions, or for other roles.
        """
        self._seed = seed % 2**64
        self._usual = 1.0 if spec.players > 1 and not spec.perfect_information else 0.0
        does_not_fit = f"{self.name} was trained on {self.game} and does not fit {spec.name}"
        try:
            networks = by_role(self.network, spec)
        except UsageError as error:
            raise UsageError(f"{does_not_fit}: {error}") from None
        for network, role in zip(networks, spec.roles, strict=True):
            wanted = {name: tuple(encoder.shape) for name, encoder in network.fusion.encoders.items()}  # type: ignore[arg-type]
            found = {name: space.shape for name, space in role.observation.spaces.items()}
            if wanted != found or not network.head.fits(role.action):
                raise UsageError(does_not_fit)
        names = role_names(spec)
        self._roles = tuple(names[number] for number in spec.role_of)
        # A memory is of one side of the game: from another it would have to be kept too.
        alone = isinstance(self.network, PolicyNetwork) and self.network.memory is None
        self._turnings = turnings(spec) if self.symmetry and alone else ()

    def _seated(self, turn: Turn) -> PolicyNetwork:
        """The network of the role of a turn's rows; they are of one."""
        if isinstance(self.network, PolicyNetwork):
            return self.network
        if not self._roles:
            raise UsageError(f"{self.name} was not started: call start(spec, seed) before act")
        return self.network.of(self._roles[turn.players[0]])

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        """The policy's moves, with the policy and the value of each row, and what its network remembers, if it does."""
        network = self._seated(turn)
        head = network.head
        parameters, value, after = self._evaluate(network, turn, memory)
        temperature = self._now
        if temperature > 0:
            parameters = head.tempered(parameters, temperature)
        distribution = head.distribution(parameters)
        if temperature == 0:
            samples = distribution.mode()
        else:
            samples, _ = distribution.sample(mixed(turn.draws, np.uint64(self._seed)))
        return Choice(head.played(samples), policy=distribution.policy(), value=value.numpy(), memory=after)

    def probabilities(self, turn: Turn) -> Floats:
        """With which probability it plays what: (k, num_actions), at its temperature.

        Raises:
            UsageError: its actions are not Discrete, or what it plays depends on what it remembers.
        """
        if self._seated(turn).memory is not None:
            raise UsageError(f"{self.name} has a memory: what it plays in a position depends on how it came about")
        choice = self.act(turn)
        if choice.policy is None:
            raise UsageError(f"{self.name} plays no Discrete actions, and so tells no probabilities")
        return choice.policy if self._now else np.eye(choice.policy.shape[1], dtype=np.float32)[choice.actions]

    def judge(self, turn: Turn) -> tuple[Floats, Floats]:
        """What the network says of each row: (k, num_actions) logits of the policy, and (k,) values."""
        parameters, value, _ = self._evaluate(self._seated(turn), turn, None)
        return parameters.numpy(), value.numpy()

    @property
    def _now(self) -> float:
        """The temperature it plays at: the one that was asked for, or the game's."""
        return self._usual if self.temperature is None else self.temperature

    def _evaluate(
        self, network: PolicyNetwork, turn: Turn, memory: Array | None
    ) -> tuple[Tensor, Tensor, Array | None]:
        """The head's parameters, values and new memory; logarithms of the policy, means over the symmetries."""
        if memory is not None:
            memory = memory[:, : network.state_size]
        quick = self.asked(network, turn.observation, turn.legal) if memory is None else None
        if quick is None:
            parameters, value, after = remember(network, turn, self.autocast, memory)
        else:
            (parameters, value), after = quick, None
        if not self._turnings:
            return parameters, value, None if after is None else self._remembered(after)
        log_policy = torch.log_softmax(parameters, -1)  # only boards with Discrete actions have symmetries
        for turning in self._turnings:
            turned = turning.turned(turn)
            quick = self.asked(network, turned.observation, turned.legal)
            logits, other = evaluate(network, turned, self.autocast) if quick is None else quick
            log_policy = log_policy + turning.back(torch.log_softmax(logits, -1))
            value = value + other
        sides = 1 + len(self._turnings)
        return log_policy / sides, value / sides, None

    def asked(
        self, network: PolicyNetwork, observation: Mapping[str, Array], legal: Array | None
    ) -> tuple[Tensor, Tensor] | None:
        """As `policy_network.evaluate`, where the quicker form is there and is the quicker one; else None.

        It is made after some calls: whoever is asked but once need not wait for it.
        """
        if self._calls_left >= 0:
            self._calls_left -= 1
            if self._calls_left < 0:
                self._quick = quick_forward(network, observation)
        if self._quick is None or (self.autocast and len(next(iter(observation.values()))) > QUICK_ROWS):
            return None
        logits, value = self._quick(observation)
        if legal is not None:
            logits = np.where(legal, logits, np.float32(ILLEGAL))
        return torch.from_numpy(logits), torch.from_numpy(value)

    def _remembered(self, after: Tensor) -> Array:
        """What is handed to the loop to keep: as wide for every role, since it keeps one array an agent."""
        missing = self.network.state_size - after.shape[1]
        kept: Array = np.pad(after.numpy(), ((0, 0), (0, missing))) if missing else after.numpy()
        return kept


def make(
    path: str,
    temperature: float | None = None,
    symmetry: bool = True,
    simulations: int | None = None,
    c_puct: float = 1.25,
    leaves: int = 1,
) -> Agent:
    """Load an agent's folder.

    Args:
        path: the folder.
        temperature: 0 plays the most likely move, 1 draws from the policy; left out, the game decides: 1 where other
            seats hide something.
        symmetry: take the mean over the game's symmetries; in a search, show each leaf from one of them.
        simulations: think ahead, with so many a move: PUCT, in native games of two players that hide nothing.
        c_puct: in a search, the weight of the policy against the values found.
        leaves: in a search, so many leaves of one tree are evaluated together: quicker where few games are played.

    Raises:
        UsageError: the folder is no agent; an option of a search without one, or out of its range.
    """
    network, about = load_networks(path)
    name = Path(path).name if temperature is None else f"{Path(path).name}?temperature={temperature:g}"
    agent = NetworkAgent(network, name, about["game"], about["precision"], temperature, symmetry, finished=True)
    if simulations is None:
        if c_puct != 1.25 or leaves != 1:
            raise UsageError(
                f"c_puct and leaves are options of a search: add simulations, as in '{path}?simulations=200'"
            )
        return agent
    from lanista.agents.searching_network import SearchingAgent  # which is made of this agent

    return SearchingAgent(agent, simulations, c_puct, leaves)
