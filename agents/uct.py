"""Monte Carlo tree search with random rollouts, UCT, compiled for each native game of two players.

Kocsis and Szepesvári 2006, "Bandit based Monte-Carlo planning". A leaf that is visited the second time gets its
children; from a leaf both sides play at random to the end.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numba
import numpy as np

from lanista.agents.clock import nanoseconds
from lanista.agents.search_tree import MOST_NODES, NODE, add_visit, fresh, prove, returns_of, weigh
from lanista.envs.compiling import borrowed, compiled
from lanista.envs.core import Array, Ints
from lanista.envs.draws import below, next_draw, pick
from lanista.envs.rules import Rules

NO_LIMIT = 2**31 - 1
CLOCK_SIMULATIONS = 8  # between two looks at the clock


@dataclass(frozen=True)
class Limits:
    """When a search of one position ends; it ends sooner where its value is proven."""

    simulations: int = NO_LIMIT
    milliseconds: float = 0.0  # 0: no such limit


@dataclass(frozen=True)
class Found:
    """What was found of each of `k` positions.

    Attributes:
        weights: how much each move was worth looking at; they add up to 1.
        values: for the player to move.
        simulations: how many there were.
        tree: the last position's, (nodes,) records of `search_tree.NODE`; good until the next search.
    """

    weights: Array  # (k, num_actions)
    values: Array  # (k,)
    simulations: Ints  # (k,)
    tree: Array


def new_tree(rules: Rules, limits: Limits) -> Array:
    """Room for the trees of a search, one after the other; its memory is taken as it is used."""
    return np.zeros(min((limits.simulations + 1) * rules.num_actions + 1, MOST_NODES), NODE)


def simulate(
    rules: Rules, positions: Array, draws: Array, limits: Limits, exploration: float, tree: Array | None = None
) -> Found:
    """Search positions one after the other.

    Args:
        rules: of a game of two players without chance.
        positions: (k,) records of `rules.state`, in none of which the game is over.
        draws: (k,) uint64 from which the rollouts of each are drawn.
        limits: of each.
        exploration: the weight of what was seldom looked at, for returns between -1 and 1.
        tree: room from `new_tree`.
    """
    nodes = new_tree(rules, limits) if tree is None else tree
    k, longest = len(positions), rules.spec.longest or 1
    bounds = returns_of(rules.spec)
    weights, values = np.zeros((k, rules.num_actions), np.float32), np.zeros(k, np.float32)
    simulations, work = np.zeros(k, np.int64), np.zeros(2, rules.state)
    path, mask = np.zeros(longest + 2, np.int64), np.zeros(rules.num_actions, bool)
    simulate_kernel(rules)(
        positions, draws, nodes, work, path, mask, bounds, limits.simulations, round(limits.milliseconds * 1e6),
        exploration, weights, values, simulations,
    )  # fmt: skip
    return Found(weights, values, simulations, nodes)


@lru_cache(maxsize=64)
def simulate_kernel(rules: Rules) -> Callable[..., Any]:
    """The search of one position of a game, compiled once."""
    player, legal, play, num_actions = rules.player, rules.legal, rules.play, rules.num_actions

    @numba.njit
    def expand(nodes: Any, used: Any, at: Any, state: Any, mask: Any, stream: Any) -> Any:
        """Give a node its children, in a random order; how many nodes there are then."""
        for action in range(num_actions):
            mask[action] = False
        legal(state, mask)
        count = 0
        for action in range(num_actions):
            if mask[action]:
                # Put in at a random place: the one that was there goes to the end.
                place = below(next_draw(stream), count + 1)
                fresh(nodes, used + count, 0, 0.0)
                nodes[used + count].action = nodes[used + place].action
                nodes[used + place].action = action
                count += 1
        node = nodes[at]
        node.first, node.count, node.mover = used, count, player(state)
        return used + count

    @numba.njit
    def choose(nodes: Any, at: Any, exploration: Any, unit: Any) -> Any:
        """The child to look at: one that nobody visited, or the one with the greatest upper confidence bound."""
        node = nodes[at]
        sign = 1.0 if node.mover == 0 else -1.0
        wide = exploration * unit * math.sqrt(math.log(node.visits + 1.0))
        best, top = node.first, -np.inf
        for place in range(node.first, node.first + node.count):
            child = nodes[place]
            if np.isnan(child.proven):
                if child.visits == 0:
                    return place
                bound = sign * child.total / child.visits + wide / math.sqrt(child.visits)
            else:
                bound = sign * np.float64(child.proven)
            if bound > top:
                best, top = place, bound
        return best

    @numba.njit
    def roll_out(state: Any, mask: Any, stream: Any, rewards: Any) -> Any:
        """Player 0's rewards from here on, if both sides play at random."""
        total = 0.0
        while True:
            for action in range(num_actions):
                mask[action] = False
            legal(state, mask)
            rewards[0] = 0
            over = play(state, pick(mask, next_draw(stream)), stream, rewards)
            total += rewards[0]
            if over:
                return total

    @numba.njit
    def grow(
        position: Any, nodes: Any, state: Any, work: Any, path: Any, mask: Any, stream: Any, rewards: Any, bounds: Any,
        most: Any, most_nanoseconds: Any, exploration: Any,
    ) -> Any:  # fmt: skip
        """Grow a tree from a position; how many simulations that took."""
        end = nanoseconds() + most_nanoseconds
        fresh(nodes, 0, -1, 0.0)
        used = expand(nodes, 1, 0, position[0], mask, stream)
        done = 0
        while done < most and np.isnan(nodes[0].proven):
            if most_nanoseconds and done and done % CLOCK_SIMULATIONS == 0 and nanoseconds() >= end:
                break
            work[0] = position[0]
            at, length, total, over = 0, 1, 0.0, False
            path[0] = 0
            while True:
                if nodes[at].count == 0:
                    if nodes[at].visits == 0 or used + num_actions > len(nodes):
                        break
                    used = expand(nodes, used, at, state, mask, stream)
                at = choose(nodes, at, exploration, bounds[2])
                path[length] = at
                length += 1
                rewards[0] = 0
                over = play(state, nodes[at].action, stream, rewards)
                total += rewards[0]
                if over or not np.isnan(nodes[at].proven):
                    break
            if over:
                nodes[at].proven = total
                prove(nodes, path, length, bounds[0], bounds[1])
            elif np.isnan(nodes[at].proven):
                total += roll_out(state, mask, stream, rewards)
            else:
                total = np.float64(nodes[at].proven)
            add_visit(nodes, path, length, total)
            done += 1
        return done

    def simulate(
        positions: Any, draws: Any, nodes: Any, work: Any, path: Any, mask: Any, bounds: Any, most: Any,
        most_nanoseconds: Any, exploration: Any, weights: Any, values: Any, simulations: Any,
    ) -> Any:  # fmt: skip
        """Grow a tree from each position, one after the other; write what came of it."""
        own_stream, own_rewards = np.zeros(1, np.uint64), np.zeros(2, np.float32)
        nodes, work, path, mask, bounds = (
            borrowed(nodes), borrowed(work), borrowed(path), borrowed(mask), borrowed(bounds)
        )  # fmt: skip
        stream, rewards = borrowed(own_stream), borrowed(own_rewards)
        for row in range(len(positions)):
            own_stream[0] = draws[row]
            simulations[row] = grow(
                borrowed(positions)[row : row + 1], nodes, work[0], work, path, mask, stream, rewards, bounds, most,
                most_nanoseconds, exploration,
            )  # fmt: skip
            values[row] = weigh(nodes, bounds, weights[row])
        own_rewards[0] = own_stream[0] = 0  # what was lent out lives until here

    return compiled(simulate, rules.key)
