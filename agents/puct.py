"""PUCT: tree search in which a network says which moves to look at and what a position is worth.

Silver et al. 2018, "A general reinforcement learning algorithm that masters chess, shogi, and Go through self-play",
with its pseudocode's constants. All positions of a batch search at once: in each round one compiled call goes down
every tree to a leaf, the network is asked once for all leaves, and one compiled call takes its answers up. Where a leaf
is an end of the game, or proven, no network is asked and the tree goes on within the same call.

What differs: moves that nobody looked at yet count as a little worse than their position does (first-play urgency,
Leela Zero and KataGo, Wu 2019, arXiv:1902.10565), several leaves of one tree may wait together and are told apart by
their number alone (Liu et al. 2020, "Watch the unobserved", arXiv:1810.11755), and what is certain is proven.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numba
import numpy as np

from lanista.agents.search_tree import NODE, add_visit, fresh, prove, returns_of
from lanista.envs.compiling import borrowed, compiled
from lanista.envs.core import Array, Floats, Symmetry
from lanista.envs.draws import mix
from lanista.envs.rules import Rules

C_BASE = 19652.0  # after about so many visits more is looked at than `c_puct` says
FIRST_PLAY = 0.2  # how much worse than its position an unseen move counts, where all likely moves were seen
SPARE = 256  # nodes beyond a first expansion that a new tree has room for

# Observations of leaves (k, *shape) -> logits (k, num_actions) of which only those of legal moves matter, values (k,).
Evaluator = Callable[[Array], tuple[Floats, Floats]]


@dataclass(frozen=True)
class Limits:
    """How much is searched.

    Attributes:
        simulations: of each position; where its value is proven it ends sooner.
        c_puct: the weight of the policy against the values found.
        leaves: of one tree, evaluated together: more of them fill the batch where few games are played, and are each
            a little less well chosen.
        milliseconds: for all positions together, after which no more leaves are evaluated; 0 is no such limit.
    """

    simulations: int
    c_puct: float = 1.25
    leaves: int = 1
    milliseconds: float = 0.0


def sides_of(rules: Rules, symmetries: Sequence[Symmetry]) -> tuple[Array, Array]:
    """From where each cell of an observation is seen, and where each action goes, from every side; the first as it is.

    Returns:
        (1 + symmetries, cells of the whole observation), (1 + symmetries, num_actions).
    """
    size, actions = math.prod(rules.shape), rules.num_actions
    cells, goes = [np.arange(size)], [np.arange(actions)]
    for symmetry in symmetries:
        one = np.array(symmetry.cells_from.get(rules.modality, ()), np.int64)
        planes = np.arange(size).reshape(-1, len(one)) if len(one) else np.arange(size)[None]
        cells.append((planes[:, one] if len(one) else planes).ravel())
        goes.append(np.array(symmetry.actions_to))
    return np.stack(cells), np.stack(goes)


class Forest:
    """The trees of a batch of positions."""

    def __init__(
        self,
        rules: Rules,
        positions: Array,
        draws: Array,
        policies: Floats,
        values: Floats,
        symmetries: Sequence[Symmetry] = (),
    ) -> None:
        """Plant a tree for each position.

        Args:
            rules: of a game of two players without chance.
            positions: (k,) records of `rules.state`, in none of which the game is over.
            draws: (k,) uint64: from which side a leaf is shown comes from here.
            policies: (k, num_actions) logits of each position's moves.
            values: (k,) for the player to move.
            symmetries: the sides from which leaves are shown, each from one (Silver et al. 2017, AlphaGo Zero).
        """
        self.rules = rules
        self.positions = positions
        self.draws = draws
        self.bounds = returns_of(rules.spec)
        self.cells_from, self.actions_to = sides_of(rules, symmetries)
        k = len(positions)
        self.nodes = np.empty((k, 2 * rules.num_actions + SPARE), NODE)  # a root is at place 0
        self.used = np.ones(k, np.int64)
        self._kernels = forest_kernels(rules)
        self._kernels.plant(self.nodes, self.used, positions, policies, values)

    def search(self, limits: Limits, evaluate: Evaluator) -> None:
        """Let all trees grow."""
        k, rules = len(self.positions), self.rules
        left = np.full(k, limits.simulations)
        longest = (rules.spec.longest or 1) + 2
        most = k * limits.leaves
        leaves = np.zeros((most, 3), np.int64)  # tree, side, length of the path
        paths, gains = np.zeros((most, longest), np.int32), np.zeros(most)
        space = rules.spec.roles[0].observation[rules.modality]
        seen = np.zeros((most, *rules.shape), space.dtype)
        work = np.zeros(1, rules.state)
        end = time.monotonic() + limits.milliseconds / 1000
        while True:
            if limits.milliseconds and time.monotonic() > end:
                return
            self._make_room(limits.leaves)
            count = self._kernels.descend(
                self.nodes, self.used, self.positions, self.draws, left, work, limits.leaves, limits.c_puct,
                self.bounds, self.cells_from, leaves, paths, gains, seen.reshape(most, -1),
            )  # fmt: skip
            if not count:
                return
            logits, values = evaluate(seen[:count])
            self._kernels.ascend(self.nodes, self.actions_to, leaves[:count], paths, gains, logits, values)

    def _make_room(self, leaves: int) -> None:
        """See that every tree has room for the children of its next leaves."""
        needed = int(self.used.max(initial=0)) + leaves * self.rules.num_actions
        if needed > self.nodes.shape[1]:
            wider = np.empty((len(self.nodes), max(needed, 2 * self.nodes.shape[1])), NODE)
            wider[:, : self.nodes.shape[1]] = self.nodes
            self.nodes = wider


@dataclass(frozen=True)
class _Kernels:
    plant: Callable[..., Any]
    descend: Callable[..., Any]
    ascend: Callable[..., Any]


@lru_cache(maxsize=64)
def forest_kernels(rules: Rules) -> _Kernels:
    """The steps of a search of one game, compiled once."""
    player, legal, play, observe = rules.player, rules.legal, rules.play, rules.observe
    num_actions = rules.num_actions

    @numba.njit
    def expand(nodes: Any, tree: Any, used: Any, at: Any, state: Any, mask: Any) -> None:
        """Give a node its children, whose priors come later."""
        for action in range(num_actions):
            mask[action] = False
        legal(state, mask)
        begin = used[tree]
        count = 0
        for action in range(num_actions):
            if mask[action]:
                fresh(nodes, begin + count, action, 0.0)
                count += 1
        node = nodes[at]
        node.first, node.count, node.mover = begin, count, player(state)
        used[tree] = begin + count

    @numba.njit
    def set_priors(nodes: Any, at: Any, logits: Any, actions_to: Any) -> None:
        """The softmax of the logits of a node's moves."""
        node = nodes[at]
        end = node.first + node.count
        most, whole = -np.inf, 0.0
        for place in range(node.first, end):
            most = max(most, np.float64(logits[actions_to[nodes[place].action]]))
        for place in range(node.first, end):
            share = math.exp(np.float64(logits[actions_to[nodes[place].action]]) - most)
            nodes[place].prior = share
            whole += share
        for place in range(node.first, end):
            nodes[place].prior /= whole

    @numba.njit
    def choose(nodes: Any, at: Any, c_puct: Any, unit: Any) -> Any:
        """The child with the greatest value and bonus for its prior."""
        node = nodes[at]
        sign = (1.0 if node.mover == 0 else -1.0) / unit
        visits = node.visits + node.pending
        rate = (math.log((1 + visits + C_BASE) / C_BASE) + c_puct) * math.sqrt(visits)
        seen = 0.0
        for place in range(node.first, node.first + node.count):
            if nodes[place].visits:
                seen += nodes[place].prior
        unseen = sign * node.total / max(node.visits, 1) - FIRST_PLAY * math.sqrt(seen)
        best, top = node.first, -np.inf
        for place in range(node.first, node.first + node.count):
            child = nodes[place]
            if np.isnan(child.proven):
                value = sign * child.total / child.visits if child.visits else unseen
                value += rate * child.prior / (1 + child.visits + child.pending)
            else:
                value = sign * np.float64(child.proven)
            if value > top:
                best, top = place, value
        return best

    def plant(nodes: Any, used: Any, positions: Any, policies: Any, values: Any) -> None:
        """Make the roots, with their children."""
        mask, same = np.zeros(num_actions, np.bool_), np.arange(num_actions)
        for tree in range(len(positions)):
            fresh(nodes[tree], 0, -1, 0.0)
            expand(nodes[tree], tree, used, 0, positions[tree], mask)
            set_priors(nodes[tree], 0, policies[tree], same)
            root = nodes[tree, 0]
            root.visits = 1
            root.total = values[tree] if root.mover == 0 else -values[tree]

    @numba.njit
    def go_down(
        nodes: Any, path: Any, position: Any, work: Any, c_puct: Any, bounds: Any, rewards: Any, stream: Any
    ) -> Any:
        """Play from the root to a node without children; the path's length, and player 0's rewards on it.

        Of an end or a proven node the length is negative and the rewards are all that it is worth.
        """
        work[0] = position[0]
        state = work[0]
        at, length, total = 0, 1, 0.0
        path[0] = 0
        while nodes[at].count:
            at = choose(nodes, at, c_puct, bounds[2])
            path[length] = at
            length += 1
            if not np.isnan(nodes[at].proven):
                return -length, np.float64(nodes[at].proven)
            rewards[0] = 0
            over = play(state, nodes[at].action, stream, rewards)
            total += rewards[0]
            if over:
                nodes[at].proven = total
                prove(nodes, path, length, bounds[0], bounds[1])
                return -length, total
            if nodes[at].count and not nodes[at].visits:
                return 0, 0.0  # it waits for the network already
        return length, total

    def descend(
        nodes: Any, used: Any, positions: Any, draws: Any, left: Any, work: Any, most: Any, c_puct: Any, bounds: Any,
        cells_from: Any, leaves: Any, paths: Any, gains: Any, seen: Any,
    ) -> Any:  # fmt: skip
        """Find each tree's next leaves; how many there are in all. Leaves that need no network are visited at once."""
        own_rewards, own_stream, own_mask = (
            np.zeros(2, np.float32),
            np.zeros(1, np.uint64),
            np.zeros(num_actions, np.bool_),
        )
        own_out = np.zeros(seen.shape[1], seen.dtype)
        rewards, stream, mask, out = borrowed(own_rewards), borrowed(own_stream), borrowed(own_mask), borrowed(own_out)
        nodes, positions, work, bounds = borrowed(nodes), borrowed(positions), borrowed(work), borrowed(bounds)
        used, paths, seen = borrowed(used), borrowed(paths), borrowed(seen)
        found = 0
        for tree in range(len(positions)):
            waiting = 0
            while waiting < most and left[tree] > 0 and np.isnan(nodes[tree, 0].proven):
                length, gain = go_down(
                    nodes[tree], paths[found], positions[tree : tree + 1], work, c_puct, bounds, rewards, stream
                )
                if length == 0:
                    break
                left[tree] -= 1
                if length < 0:
                    add_visit(nodes[tree], paths[found], -length, gain)
                    continue
                at = paths[found, length - 1]
                state = work[0]
                expand(nodes[tree], tree, used, at, state, mask)
                side = np.int64(0)
                if len(cells_from) > 1:
                    word = mix(draws[tree] + np.uint64(left[tree]) * np.uint64(0x9E3779B97F4A7C15))
                    side = np.int64(word % np.uint64(len(cells_from)))
                if side == 0:
                    observe(state, player(state), seen[found])
                else:
                    observe(state, player(state), out)
                    for cell in range(len(out)):
                        seen[found, cell] = out[cells_from[side, cell]]
                for place in range(length):
                    nodes[tree, paths[found, place]].pending += 1
                leaves[found, 0], leaves[found, 1], leaves[found, 2] = tree, side, length
                gains[found] = gain
                waiting += 1
                found += 1
        own_rewards[0], own_stream[0], own_mask[0], own_out[0] = 0, 0, False, 0  # lent out until here
        return found

    def ascend(nodes: Any, actions_to: Any, leaves: Any, paths: Any, gains: Any, logits: Any, values: Any) -> None:
        """Take what the network says of the leaves up their paths."""
        nodes, paths = borrowed(nodes), borrowed(paths)
        for leaf in range(len(leaves)):
            tree, side, length = leaves[leaf, 0], leaves[leaf, 1], leaves[leaf, 2]
            at = paths[leaf, length - 1]
            set_priors(nodes[tree], at, logits[leaf], actions_to[side])
            value = gains[leaf] + (values[leaf] if nodes[tree, at].mover == 0 else -values[leaf])
            add_visit(nodes[tree], paths[leaf], length, value)
            for place in range(length):
                nodes[tree, paths[leaf, place]].pending -= 1

    return _Kernels(*(compiled(loop, rules.key) for loop in (plant, descend, ascend)))
