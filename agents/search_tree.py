"""The tree of a Monte Carlo search in flat arrays: a node is a record, its children lie side by side.

What random rollouts (`agents.uct`) and a network (`agents.puct`) have in common. Values are sums of player 0's rewards
from the root on, so that it does not matter who moves how often. A node whose value is certain is proven: an end, or a
node of which the children prove it (Winands et al. 2008, "Monte-Carlo tree search solver").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numba
import numpy as np

from lanista.envs.core import Array, Bools, GameSpec, Ints
from lanista.envs.draws import mixed, random_legal
from lanista.errors import UsageError

NODE = np.dtype(
    [
        ("total", np.float64),  # of the values of all visits
        ("prior", np.float32),
        ("proven", np.float32),  # the value, where it is certain; else NaN
        ("visits", np.int32),
        ("first", np.int32),  # the place of its first child
        ("action", np.int16),  # that leads here
        ("count", np.int16),  # of its children; 0 if they are not there yet
        ("pending", np.int16),  # visits that wait for the network
        ("mover", np.int8),
    ],
    align=True,
)
MOST_NODES = 1 << 22  # in one tree, 128 MB: a tree that is full grows no more, but its leaves are still evaluated


def check_searchable(spec: GameSpec, name: str) -> None:
    """See that a game can be searched by a tree of both players' moves.

    Raises:
        UsageError: it is not of two players who move in turn with opposite rewards, or hides something.
    """
    if spec.players != 2 or spec.kind != "turn-based" or not spec.zero_sum:
        raise UsageError(f"{name} plays turn-based zero-sum games of two players, and {spec.name} is none")
    if not spec.perfect_information:
        raise UsageError(f"{name} needs to see the whole position, and {spec.name} does not show it")


def returns_of(spec: GameSpec) -> Array:
    """(3,) the least and the greatest return of a player, infinite if unknown, and the unit in which values count."""
    low, high = spec.returns
    if not (np.isfinite(low) and np.isfinite(high)):
        return np.array([-np.inf, np.inf, 1.0])
    return np.array([low, high, max((high - low) / 2, 1e-9)])


@numba.njit(inline="always")
def fresh(nodes: Any, at: Any, action: Any, prior: Any) -> None:
    """Make a node that nobody visited."""
    node = nodes[at]
    node.total, node.prior, node.proven = 0.0, prior, np.nan
    node.visits, node.first, node.action, node.count, node.pending, node.mover = 0, 0, action, 0, 0, 0


@numba.njit(inline="always")
def add_visit(nodes: Any, path: Any, length: Any, value: Any) -> None:
    """Count a visit with what came of it, on a path of `length` nodes from the root."""
    for place in range(length):
        node = nodes[path[place]]
        node.visits += 1
        node.total += value


@numba.njit
def prove(nodes: Any, path: Any, length: Any, low: Any, high: Any) -> None:
    """The last node of a path is proven; see what that proves of those before.

    A node is as good as its best child if all are proven, or if that one is as good as can be.
    """
    for place in range(length - 2, -1, -1):
        node = nodes[path[place]]
        sign = 1.0 if node.mover == 0 else -1.0
        most = high if node.mover == 0 else -low
        best, every = -np.inf, True
        for at in range(node.first, node.first + node.count):
            proven = nodes[at].proven
            if np.isnan(proven):
                every = False
            else:
                best = max(best, sign * proven)
        if not every and best < most:
            return
        node.proven = sign * best


def weights_of(nodes: Array, num_actions: int, bounds: Array) -> tuple[Array, Array]:
    """How much each move of each root was worth looking at, and what the roots are worth.

    Moves that are proven to be best share all the weight, those that are proven lost have none.

    Args:
        nodes: (k, room) with a root at place 0 of each row.
        num_actions: how many actions there are.
        bounds: from `returns_of`.

    Returns:
        (k, num_actions) that add up to 1; (k,) for the player to move.
    """
    weights, values = np.zeros((len(nodes), num_actions), np.float32), np.zeros(len(nodes), np.float32)
    _weigh_all(nodes, bounds, weights, values)
    return weights, values


@numba.njit(cache=True)
def _weigh_all(nodes: Any, bounds: Any, weights: Any, values: Any) -> None:
    for row in range(len(nodes)):
        values[row] = weigh(nodes[row], bounds, weights[row])


@numba.njit
def weigh(nodes: Any, bounds: Any, weights: Any) -> Any:
    """As `weights_of`, of one tree: write the weights (num_actions,), all zero before, and give the value."""
    root = nodes[0]
    sign = 1.0 if root.mover == 0 else -1.0
    least = bounds[0] if root.mover == 0 else -bounds[1]
    proven = not np.isnan(root.proven)
    whole = 0.0
    for attempt in range(3):
        for at in range(root.first, root.first + root.count):
            child = nodes[at]
            if attempt == 0 and proven:
                weight = 1.0 if child.proven == root.proven and sign * root.proven > least else 0.0
            elif attempt == 0:
                weight = 0.0 if sign * child.proven <= least else np.float64(child.visits)
            else:
                weight = np.float64(child.visits) if attempt == 1 else 1.0
            weights[child.action] = weight
            whole += weight
        if whole > 0:
            break
    for action in range(len(weights)):
        weights[action] /= whole
    return sign * (root.proven if proven else root.total / max(root.visits, 1))


def check_temperature(name: str, temperature: float) -> None:
    """Whether a temperature can be played at: beyond the range, floats no longer tell good moves from illegal ones.

    Raises:
        UsageError: it cannot.
    """
    if temperature != 0 and not 1e-3 <= temperature <= 1e3:
        raise UsageError(f"{name}: a temperature is 0, or from 0.001 to 1000, not {temperature:g}")


def chosen(weights: Array, draws: Array, seed: int, temperature: float) -> Ints:
    """A move of each row: one of those with the greatest weight, or drawn from the weights.

    Args:
        weights: (k, num_actions).
        draws: (k,) uint64.
        seed: of the agent.
        temperature: 0 takes the greatest; else a move is drawn from the weights to the power of 1 / temperature.
    """
    draws = mixed(draws, np.uint64(seed % 2**64))
    if temperature == 0:
        actions: Ints = random_legal(weights == weights.max(axis=1, keepdims=True), draws)
        return actions
    scaled = (weights / weights.max(axis=1, keepdims=True)).astype(np.float64) ** (1 / temperature)
    points = (draws >> np.uint64(11)) * 2.0**-53 * scaled.sum(axis=1)
    reached: Bools = np.cumsum(scaled, axis=1) > points[:, None]
    drawn: Ints = np.where(reached.any(axis=1), reached.argmax(axis=1), weights.argmax(axis=1)).astype(np.int64)
    return drawn


def child_rows(nodes: Array, at: int = 0) -> Sequence[Any]:
    """The children of a node of one tree, (room,) records, the most visited first."""
    node = nodes[at]
    children = nodes[int(node["first"]) : int(node["first"]) + int(node["count"])]
    return [children[place] for place in np.argsort(-children["visits"], kind="stable")]
