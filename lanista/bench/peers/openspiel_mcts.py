"""OpenSpiel's Monte Carlo tree search with random rollouts: its C++ bot, or its Python one."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pyspiel
from open_spiel.python.algorithms import mcts

from lanista.bench.worker import Work, repeat


def begin(game: str, simulations: int, exploration: float, python: bool) -> Work:
    """Make the bot.

    Args:
        game: OpenSpiel's string.
        simulations: of a search from the start.
        exploration: the constant of UCT.
        python: the bot written in Python.
    """
    search = (_python if python else _cpp)(pyspiel.load_game(game), simulations, exploration)
    return lambda seconds: {"steps": repeat(search, seconds)}


def _python(game: pyspiel.Game, simulations: int, exploration: float) -> Callable[[], float]:
    random.seed(0)
    evaluator = mcts.RandomRolloutEvaluator(1, np.random.RandomState(0))
    bot = mcts.MCTSBot(game, exploration, simulations, evaluator, solve=True, random_state=np.random.RandomState(0))

    def search() -> float:
        root = bot.mcts_search(game.new_initial_state())
        return float(root.explore_count)

    return search


def _cpp(game: pyspiel.Game, simulations: int, exploration: float) -> Callable[[], float]:
    evaluator = pyspiel.RandomRolloutEvaluator(1, 0)
    bot = pyspiel.MCTSBot(game, evaluator, exploration, simulations, 1000, True, 0, False)

    def search() -> float:
        bot.mcts_search(game.new_initial_state())
        return simulations

    return search
