"""Games between two networks one at a time through PettingZoo's AEC loop, as its documentation shows it."""

from __future__ import annotations

from itertools import count

import torch
from pettingzoo.classic import connect_four_v3

from lanista.bench.ours.match import fresh_networks
from lanista.bench.worker import Work, repeat


def begin(encoder: str) -> Work:
    """Seat two networks that draw from their policies.

    Args:
        encoder: of the networks.
    """
    networks = fresh_networks("connect_four", encoder)
    env = connect_four_v3.env()
    games = count()

    def play() -> float:
        seats = dict(zip(env.possible_agents, networks if next(games) % 2 else networks[::-1], strict=True))
        env.reset()
        with torch.inference_mode():
            for agent in env.agent_iter():
                observation, _, terminated, truncated, _ = env.last()
                if terminated or truncated:
                    env.step(None)
                    continue
                board = torch.from_numpy(observation["observation"]).permute(2, 0, 1)[None]
                legal = torch.from_numpy(observation["action_mask"]).bool()[None]
                logits, _ = seats[agent]({"board": board}, legal)
                env.step(int(torch.multinomial(torch.softmax(logits[0], -1), 1)))
        return 1

    return lambda seconds: {"steps": repeat(play, seconds)}
