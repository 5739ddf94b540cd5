"""Our searches: positions reached by alpha-beta, simulations of MCTS, rows that a network is asked in PUCT."""

from __future__ import annotations

from collections.abc import Callable

from lanista.agents.contestant import load_agent
from lanista.agents.random_openings import random_openings
from lanista.bench.worker import Work, repeat
from lanista.envs import make
from lanista.envs.core import Game, Turn, start_agent

PLIES = (4, 16)  # random ones before the positions that are searched


def table_of(game: str, positions: int) -> Game:
    """Positions in the middle of games; one is the start of the game."""
    table = make(game, positions)
    table.reset(0, openings=[()] if positions == 1 else random_openings(game, range(positions), PLIES))
    return table


def begin(game: str, agent: str, positions: int) -> Work:
    """Start an agent.

    Args:
        game: what is played.
        agent: a contestant's string, of minimax or mcts.
        positions: how many are searched in a call.
    """
    turn = table_of(game, positions).turn()
    think = _thinking(agent, game, turn)
    return lambda seconds: {"steps": repeat(think, seconds)}


def _thinking(words: str, game: str, turn: Turn) -> Callable[[], float]:
    from lanista.agents.kinds.mcts import MctsAgent
    from lanista.agents.kinds.minimax import MinimaxAgent

    agent = load_agent(words)
    start_agent(agent, make(game).spec, 0)
    if isinstance(agent, MinimaxAgent):
        return lambda: agent.think(turn).nodes
    assert isinstance(agent, MctsAgent)
    return lambda: float(agent.think(turn).simulations.sum())
