"""What the suites over games share: which games there are, and legal play at random from the games' own draws."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from lanista.envs import Game, Turn, games, make
from lanista.envs.draws import mixed, random_legal
from lanista.errors import UsageError

DOOR_GAMES = (
    "zoo:classic/connect_four_v3",
    "zoo:classic/tictactoe_v3",
    "zoo:classic/rps_v2?num_actions=5&max_cycles=3",
    "zoo:mpe2/simple_spread_v3?max_cycles=7",
    "zoo:mpe2/simple_spread_v3?max_cycles=7&continuous_actions=true",
    "gym:CartPole-v1?max_episode_steps=15",
    "gym:Taxi-v3?max_episode_steps=12",
    "gym:MountainCarContinuous-v0?max_episode_steps=9",
    "atari:pong?max_num_frames_per_episode=24&noop_max=4",
    "atari:pong?max_num_frames_per_episode=24&noop_max=4&sound=true",
    "babyai:GoToLocalS5N2",
    "envpool:CartPole-v1?max_episode_steps=15",
    "envpool:ConnectFour-v1",
    "envpool:LeducHoldem-v1",
    "openspiel:hex(board_size=3)",
    "openspiel:leduc_poker",
    "openspiel:goofspiel(num_cards=4)",
    "openspiel:catch",
)
LIBRARIES = {"atari": "ale_py", "babyai": "minigrid", "envpool": "envpool", "openspiel": "pyspiel", "zoo:mpe2": "mpe2"}


def door_game(name: str) -> Any:
    """A door's game as a parameter of a test, skipped where its library is absent; Atari with sound is thorough."""
    for start, library in LIBRARIES.items():
        if name.startswith(start) and find_spec(library) is None:
            return pytest.param(name, marks=pytest.mark.skip(reason=f"the package {library} is not installed"))
    return pytest.param(name, marks=pytest.mark.thorough) if name.endswith("&sound=true") else name


def native_games() -> list[str]:
    """Every native game that can be made without options."""
    found = []
    for name in games():
        try:
            make(name)
        except UsageError:
            continue
        found.append(name)
    return found


def random_actions(game: Game, turn: Turn, salt: int = 0) -> Any:
    """A legal action for each row, drawn from the row's own draw: the same game plays the same anywhere."""
    draws = mixed(turn.draws, np.uint64(salt))
    space = game.spec.roles[0].action
    if isinstance(space, spaces.Discrete):
        return random_legal(turn.legal, draws)
    if isinstance(space, spaces.MultiDiscrete):
        starts = np.cumsum(space.nvec) - space.nvec
        parts = [
            random_legal(turn.legal[:, start : start + size], mixed(draws, np.uint64(part)))  # type: ignore[index]
            for part, (start, size) in enumerate(zip(starts, space.nvec, strict=True))
        ]
        return np.stack(parts, axis=1)
    assert isinstance(space, spaces.Box)
    low, high = np.maximum(space.low, -9), np.minimum(space.high, 9)
    rows = [np.random.default_rng(int(draw)).uniform(low, high) for draw in draws]
    return np.array(rows, space.dtype).reshape(len(turn), *space.shape)


def is_discrete(game: Game) -> bool:
    """Whether the game's actions are numbers."""
    return all(isinstance(role.action, spaces.Discrete) for role in game.spec.roles)
