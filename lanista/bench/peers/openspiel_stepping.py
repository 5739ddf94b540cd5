"""OpenSpiel's connect_four, random legal play: its C++ states, or its Python environment `rl_environment`."""

import random
from collections.abc import Callable

import pyspiel
from open_spiel.python import rl_environment

from lanista.bench.worker import Work, repeat


def begin(environment: bool) -> Work:
    """Make the game.

    Args:
        environment: through `rl_environment`, else the states themselves.
    """
    play = _through_environment() if environment else _states
    return lambda seconds: {"steps": repeat(play, seconds)}


GAME = pyspiel.load_game("connect_four")


def _states() -> float:
    state = GAME.new_initial_state()
    steps = 0
    while not state.is_terminal():
        state.observation_tensor()
        state.legal_actions_mask()
        state.apply_action(random.choice(state.legal_actions()))
        steps += 1
    return steps


def _through_environment() -> Callable[[], float]:
    env = rl_environment.Environment("connect_four")

    def play() -> float:
        time_step = env.reset()  # observations and legal actions of both players are in it
        steps = 0
        while not time_step.last():
            player = time_step.observations["current_player"]
            time_step = env.step([random.choice(time_step.observations["legal_actions"][player])])
            steps += 1
        return steps

    return play
