"""A game of OpenSpiel's, random legal play: its C++ states, or its Python environment `rl_environment`."""

import random
from collections.abc import Callable

import pyspiel
from open_spiel.python import rl_environment

from lanista.bench.worker import Work, repeat


def begin(environment: bool, game: str = "connect_four") -> Work:
    """Make the game.

    Args:
        environment: through `rl_environment`, else the states themselves.
        game: OpenSpiel's string.
    """
    play = _through_environment(game) if environment else _states(game)
    return lambda seconds: {"steps": repeat(play, seconds)}


def _states(name: str) -> Callable[[], float]:
    game = pyspiel.load_game(name)

    def play() -> float:
        state = game.new_initial_state()
        steps = 0
        while not state.is_terminal():
            if state.is_chance_node():
                state.apply_action(random.choice(state.legal_actions()))  # the deals of these games are even
                continue
            state.observation_tensor()
            state.legal_actions_mask()
            state.apply_action(random.choice(state.legal_actions()))
            steps += 1
        return steps

    return play


def _through_environment(name: str) -> Callable[[], float]:
    env = rl_environment.Environment(name)

    def play() -> float:
        time_step = env.reset()  # observations and legal actions of both players are in it
        steps = 0
        while not time_step.last():
            player = time_step.observations["current_player"]
            time_step = env.step([random.choice(time_step.observations["legal_actions"][player])])
            steps += 1
        return steps

    return play
