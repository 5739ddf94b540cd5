"""Games between two networks through `play_games`, as matches and tournaments are played."""

from __future__ import annotations

from itertools import count

import torch

from lanista.agents.kinds.network import NetworkAgent
from lanista.agents.match import Scheduled, play_games
from lanista.agents.policy_network import PolicyNetwork, build_network
from lanista.bench.worker import Work, repeat
from lanista.envs import make


def fresh_networks(game: str, encoder: str) -> list[PolicyNetwork]:
    """Two networks for a game, the same in every process."""
    torch.set_num_threads(1)
    networks = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        networks.append(build_network(make(game).spec, encoder).eval())
    return networks


def begin(game: str, encoder: str, games: int, precision: str) -> Work:
    """Seat two networks that draw from their policies.

    Args:
        game, encoder: of the networks.
        games: of a match; half of them with either network first.
        precision: in which they compute.
    """
    agents = [
        # Asked once a position, as the peer asks; by default an agent asks from each side of the game's symmetries.
        NetworkAgent(network, f"network {number}", game, precision, temperature=1.0, symmetry=False)
        for number, network in enumerate(fresh_networks(game, encoder))
    ]
    matches = count()

    def play() -> float:
        first = next(matches) * games
        schedule = [Scheduled((n % 2, 1 - n % 2), first + n) for n in range(games)]
        return sum(len(played) for played in play_games(game, agents, schedule))

    return lambda seconds: {"steps": repeat(play, seconds)}
