"""`minimax:depth=4`: looks so many plies ahead, each side playing its best; compiled for each game.

It knows only what the rules say: a position at its horizon that is not over is worth the rewards until then, which is
0 in games that pay at the end. It prefers a quicker win and a slower loss, and draws among the best moves by seed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numba
import numpy as np

from lanista.envs.batched import Rules
from lanista.envs.compiling import compiled
from lanista.envs.core import Array, Choice, GameSpec, Turn
from lanista.envs.draws import mixed, random_legal
from lanista.errors import UsageError

WANING = 2.0**-20  # a reward loses this share of itself with each ply, so that a win now is better than a win later

FRAME = np.dtype(
    [
        ("low", np.float64),  # the window: values outside it do not matter to the root
        ("high", np.float64),
        ("best", np.float64),  # of the moves searched so far
        ("total", np.float64),  # player 0's rewards until here
        ("mover", np.int64),
        ("action", np.int64),  # the move being searched
        ("following", np.int64),  # the move to look at next
        ("killer", np.int64),  # the last move that was too good at this ply
    ],
    align=True,
)


def make(depth: int = 4) -> MinimaxAgent:
    """The agent that looks `depth` plies ahead.

    Raises:
        UsageError: depth is less than 1.
    """
    return MinimaxAgent(depth)


class MinimaxAgent:
    """Exact minimax (alpha-beta) to a fixed depth, for two-player zero-sum games without anything hidden."""

    def __init__(self, depth: int) -> None:
        """Make it.

        Args:
            depth: how many plies it looks ahead, at least 1.
        """
        if depth < 1:
            raise UsageError(f"minimax looks at least one ply ahead, so its depth cannot be {depth}")
        self.depth = depth
        self.name = f"minimax:depth={depth}"
        self._seed = 0

    def start(self, spec: GameSpec, seed: int) -> None:
        """Be told which game is played, and from which seed ties are drawn.

        Raises:
            UsageError: it is not a game that minimax can play.
        """
        if spec.players != 2 or spec.kind != "turn-based" or not spec.zero_sum:
            raise UsageError(f"minimax plays turn-based zero-sum games of two players, and {spec.name} is none")
        if not spec.perfect_information:
            raise UsageError(f"minimax needs to see the whole position, and {spec.name} does not show it")
        self._seed = seed

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        """A best move of each row, with its value; equal ones are drawn from the row's draw and the seed."""
        best, values, _ = search(turn, self.depth)
        return Choice(
            random_legal(best, mixed(turn.draws, np.uint64(self._seed % 2**64))), value=values.astype(np.float32)
        )


def search(turn: Turn, depth: int) -> tuple[Array, Array, int]:
    """All best moves of each row's position.

    Args:
        turn: k rows of a native perfect-information game of two players.
        depth: plies to look ahead, at least 1.

    Returns:
        The best moves (k, num_actions) bool; their value for the row's player (k,) float64, in which a reward `r` that
        is had at the search's ply `p` counts `r * (1 - p * WANING)`; and how many positions were reached.

    Raises:
        UsageError: the game does not show its rules and positions.
    """
    if turn.public is None:
        raise UsageError("minimax plays native games that hide nothing; this game does not show its rules")
    rules: Rules = turn.public.rules
    depth = min(depth, rules.spec.longest or depth)
    best = np.zeros((len(turn), rules.num_actions), bool)
    values = np.zeros(len(turn))
    line, frames = np.zeros(depth + 1, rules.state), np.zeros(depth + 1, FRAME)
    masks = np.zeros((depth + 1, rules.num_actions), bool)
    nodes: int = search_kernel(rules)(turn.public.positions(), line, frames, masks, best, values)
    return best, values, nodes


@lru_cache(maxsize=64)
def search_kernel(rules: Rules) -> Callable[..., Any]:
    """The search over a batch of positions of one game, compiled once.

    Inside, values are those of player 0, who wants them high; whose turn it is is asked of the rules, since one player
    may move twice in a row.
    """
    player, legal, play = rules.player, rules.legal, rules.play
    num_actions = rules.num_actions

    @numba.njit
    def enter(line: Any, frames: Any, masks: Any, level: Any, low: Any, high: Any) -> None:
        """Begin with the moves of the position that was reached."""
        frame = frames[level]
        frame.low, frame.high = low, high
        frame.mover = player(line[level])
        frame.best = -np.inf if frame.mover == 0 else np.inf
        frame.following = -1
        masks[level, :] = False
        legal(line[level], masks[level])

    @numba.njit
    def next_move(frame: Any, mask: Any) -> Any:
        """The move that was too good at this ply before, then the others in order; -1 at the end."""
        if frame.following < 0:
            frame.following = 0
            if mask[frame.killer]:
                mask[frame.killer] = False
                return frame.killer
        while frame.following < num_actions:
            action = frame.following
            frame.following += 1
            if mask[action]:
                return action
        return -1

    @numba.njit
    def explore(line: Any, frames: Any, masks: Any, low: Any, high: Any, rewards: Any, stream: Any) -> Any:
        """The value of the position `line[1]`: exact inside (low, high), else a bound. And how many were reached.

        `line` keeps one position a ply, `frames[level]` what is known of the one there.
        """
        depth, level, reached = len(line) - 1, 1, 0
        enter(line, frames, masks, level, low, high)
        while True:
            frame = frames[level]
            action = next_move(frame, masks[level]) if frame.low < frame.high else -1
            if action >= 0:
                reached += 1
                frame.action = action
                line[level + 1] = line[level]
                rewards[:] = 0
                over = play(line[level + 1], action, stream, rewards)
                total = frame.total + rewards[0]
                if not over and level + 1 < depth:
                    level += 1
                    frames[level].total = total
                    enter(line, frames, masks, level, frame.low, frame.high)
                    continue
                value = total * (1 - (level + 1) * WANING)
            else:
                value = frame.best
                level -= 1
                if level == 0:
                    return value, reached
                frame = frames[level]
            if frame.mover == 0:
                frame.best = max(frame.best, value)
                frame.low = max(frame.low, value)
            else:
                frame.best = min(frame.best, value)
                frame.high = min(frame.high, value)
            if frame.low >= frame.high:
                frame.killer = frame.action

    def search(positions: Any, line: Any, frames: Any, masks: Any, best: Any, values: Any) -> Any:
        """Mark each position's best moves in `best`, write its value for the player to move; give the nodes."""
        rewards, stream = np.zeros(2, np.float32), np.zeros(1, np.uint64)
        depth, nodes = len(line) - 1, 0
        for row in range(len(positions)):
            mover = player(positions[row])
            masks[0, :] = False
            legal(positions[row], masks[0])
            top = -np.inf if mover == 0 else np.inf
            # Moves that end the game come first: what they are worth narrows the window of the others.
            for deeper in range(2):
                for action in range(num_actions):
                    if not masks[0, action]:
                        continue
                    line[1] = positions[row]
                    rewards[:] = 0
                    over = play(line[1], action, stream, rewards)
                    if over or depth == 1:
                        value = rewards[0] * (1 - WANING)
                        nodes += 1
                    elif deeper:
                        # The window lets a value equal to the best through, so that all best moves are found.
                        low = np.nextafter(top, -np.inf) if mover == 0 else -np.inf
                        high = np.inf if mover == 0 else np.nextafter(top, np.inf)
                        frames[1].total = rewards[0]
                        value, reached = explore(line, frames, masks, low, high, rewards, stream)
                        nodes += 1 + reached
                    else:
                        continue
                    masks[0, action] = False
                    if value != top and (value > top) == (mover == 0):
                        top = value
                        best[row, :] = False
                    if value == top:
                        best[row, action] = True
            values[row] = top if mover == 0 else -top
        return nodes

    return compiled(search, rules.key)
