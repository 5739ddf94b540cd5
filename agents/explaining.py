"""What an agent thinks of a position: its policy, its value, and the lines that a search looked at most."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lanista.agents.alpha_beta import Limits, look_ahead
from lanista.agents.kinds.mcts import MctsAgent
from lanista.agents.kinds.minimax import MinimaxAgent
from lanista.agents.search_tree import child_rows
from lanista.envs.core import Agent, Array, Choice, Turn
from lanista.envs.rules import Rules

LONGEST_LINE = 12


@dataclass(frozen=True)
class Line:
    """A move and what a search expects to follow.

    Attributes:
        actions: the move, and the best or most visited ones after it.
        value: of the move for the player to move.
        visits: how often a tree search looked at it.
        depth: how many plies minimax looked ahead.
    """

    actions: tuple[int, ...]
    value: float
    visits: int | None = None
    depth: int | None = None


@dataclass(frozen=True)
class Explanation:
    """What an agent said of one position.

    Attributes:
        choice: its answer.
        lines: of a search, the best first; without a search none.
        simulations: how many there were in a tree search.
    """

    choice: Choice
    lines: tuple[Line, ...]
    simulations: int | None = None


def explain(agent: Agent, turn: Turn, memory: Array | None = None) -> Explanation:
    """Ask a started agent of a turn's only row."""
    choice = agent.act(turn, memory)
    if isinstance(agent, MinimaxAgent):
        return Explanation(choice, _best_lines(agent, turn))
    if isinstance(agent, MctsAgent):
        found = agent.think(turn)
        return Explanation(choice, _tree_lines(found.tree, turn, int(choice.actions[0])), int(found.simulations[0]))
    think: Callable[[Turn], Any] | None = getattr(agent, "think", None)
    if think is None:
        return Explanation(choice, ())
    tree = think(turn).nodes[0]
    return Explanation(choice, _tree_lines(tree, turn, int(choice.actions[0])), int(tree[0]["visits"]) - 1)


def _tree_lines(tree: Array, turn: Turn, chosen: int) -> tuple[Line, ...]:
    """The moves of a tree's root, the most visited first, each with the most visited ones after it."""
    sign = 1.0 if turn.players[0] == 0 else -1.0
    lines = []
    for child in child_rows(tree):
        node, actions = child, [int(child["action"])]
        while node["count"] and len(actions) < LONGEST_LINE:
            node = _most_visited(tree, node)
            if not node["visits"]:
                break
            actions.append(int(node["action"]))
        proven, visits = float(child["proven"]), int(child["visits"])
        if visits:
            value = sign * (float(child["total"]) / visits if np.isnan(proven) else proven)
            lines.append(Line(tuple(actions), value, visits=visits))
    return tuple(sorted(lines, key=lambda line: line.actions[0] != chosen))  # the move that it plays comes first


def _most_visited(tree: Array, node: Any) -> Any:
    children = tree[int(node["first"]) : int(node["first"]) + int(node["count"])]
    return children[int(children["visits"].argmax())]


def _best_lines(agent: MinimaxAgent, turn: Turn) -> tuple[Line, ...]:
    """Each move with its exact value at the depth that was reached, the best first, and best play after it."""
    assert turn.public is not None and turn.legal is not None
    rules: Rules = turn.public.rules
    found = agent.think(turn)
    position, mover, depth = turn.public.positions()[0], int(turn.players[0]), int(found.depths[0])
    lines = []
    for action in np.flatnonzero(turn.legal[0]).tolist():
        actions, value = [action], 0.0
        state, reward, over = _after(rules, position, action, mover)
        value += reward
        left = depth - 1
        if not over and left:
            same = int(rules.player(state)) == mover
            best = look_ahead(rules, np.array([state], rules.state), Limits(left), agent.entries())
            value += float(best.values[0]) if same else -float(best.values[0])
            while not over and left and len(actions) < LONGEST_LINE:
                best = look_ahead(rules, np.array([state], rules.state), Limits(left), agent.entries())
                actions.append(int(best.best[0].argmax()))
                state, _, over = _after(rules, state, actions[-1], mover)
                left -= 1
        lines.append((bool(found.best[0, action]), Line(tuple(actions), value, depth=depth)))
    lines.sort(key=lambda pair: (not pair[0], -pair[1].value))
    return tuple(line for _, line in lines)


def _after(rules: Rules, state: Any, action: int, player: int) -> tuple[Any, float, bool]:
    """The position after an action, what a player got by it, and whether the game is over."""
    record, rewards = np.array([state], rules.state), np.zeros(2, np.float32)
    over = rules.play(record[0], action, np.zeros(1, np.uint64), rewards)
    return record[0], float(rewards[player]), bool(over)


def line_words(rules: Rules, position: Any, line: Line) -> list[str]:
    """The moves of a line as the field writes them."""
    words, state = [], position
    for action in line.actions:
        words.append(rules.print_move(state, action))
        state, _, _ = _after(rules, state, action, 0)
    return words
