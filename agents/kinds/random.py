"""`random`: every legal action alike. The floor that any agent must beat."""

from __future__ import annotations

import numpy as np
from gymnasium import spaces

from lanista.envs.core import Array, Choice, Floats, GameSpec, Turn
from lanista.envs.draws import mixed, random_legal
from lanista.errors import UsageError


def make() -> RandomAgent:
    """The agent that plays at random."""
    return RandomAgent()


class RandomAgent:
    """Draws one of the legal actions; of a `Box`, a point as Gymnasium's own `sample` would."""

    name = "random"
    quick = True  # it keeps nothing of a game, so that thousands at once cost nothing

    def __init__(self) -> None:
        self._seed = 0
        self._spec: GameSpec | None = None

    def start(self, spec: GameSpec, seed: int) -> None:
        """Be told which game is played, and from which seed the draws of this seat at the table are mixed."""
        self._spec, self._seed = spec, seed

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        """One random legal action a row; it depends on the row's draw and the seed alone."""
        if self._spec is None:
            raise UsageError("the agent 'random' was not started: call start(spec, seed) before act")
        space = self._spec.role(int(turn.players[0])).action
        return Choice(random_actions(turn, space, mixed(turn.draws, np.uint64(self._seed % 2**64))))

    def probabilities(self, turn: Turn) -> Floats:
        """Of each legal action alike: (k, num_actions)."""
        if turn.legal is None:
            raise UsageError("the agent 'random' tells probabilities of Discrete actions only")
        alike: Floats = turn.legal / turn.legal.sum(1, keepdims=True)
        return alike


def random_actions(turn: Turn, space: spaces.Space[object], draws: Array) -> Array:
    """One random legal action a row.

    Args:
        turn: the rows, `k` of one role.
        space: that role's actions.
        draws: (k,) uint64; a row's action depends on its own draw alone.

    Returns:
        (k,) for Discrete, (k, m) for MultiDiscrete, (k, *shape) for Box.

    Raises:
        UsageError: the actions are of another kind of space.
    """
    if isinstance(space, spaces.Discrete):
        legal = np.ones((len(turn), int(space.n)), bool) if turn.legal is None else turn.legal
        return random_legal(legal, draws)  # type: ignore[no-any-return]
    if isinstance(space, spaces.MultiDiscrete):
        sizes = space.nvec.tolist()
        legal = np.ones((len(turn), sum(sizes)), bool) if turn.legal is None else turn.legal
        parts = np.split(legal, np.cumsum(sizes)[:-1], axis=1)
        columns = [
            random_legal(np.ascontiguousarray(part), mixed(draws, np.uint64(number)))
            for number, part in enumerate(parts)
        ]
        return np.stack(columns, axis=1)
    if isinstance(space, spaces.Box):
        return _random_points(space, draws)
    raise UsageError(f"random actions are drawn from Discrete, MultiDiscrete and Box spaces, not from {space}")


def _random_points(space: spaces.Box, draws: Array) -> Array:
    """Points of a box: uniform between two bounds, exponential from one, normal without any.

    Args:
        space: the box.
        draws: (k,) uint64.

    Returns:
        (k, *shape) of the space's own type.
    """
    low, high = space.low.ravel().astype(np.float64), space.high.ravel().astype(np.float64)
    first, second = _uniform(draws, len(low), 0), _uniform(draws, len(low), 1)  # (k, numbers)
    above, below = np.isfinite(low), np.isfinite(high)
    from_below, to_above = np.where(above, low, 0.0), np.where(below, high, 0.0)
    whole = np.issubdtype(space.dtype, np.integer)
    spread = to_above - from_below + (1.0 if whole else 0.0)
    exponential = -np.log1p(-first)
    normal = np.sqrt(2 * exponential) * np.cos(2 * np.pi * second)
    points = np.select(
        [above & below, above, below],
        [from_below + first * spread, from_below + exponential, to_above - exponential],
        normal,
    )
    points = np.floor(points) if whole else points
    clipped: Array = np.clip(points, low, high).astype(space.dtype)
    return clipped.reshape(len(draws), *space.shape)


def _uniform(draws: Array, numbers: int, part: int) -> Array:
    """(k, numbers) floats in [0, 1), each from its row's draw and its place."""
    salts = [mixed(draws, np.uint64(2 * number + part)) for number in range(numbers)]
    bits = np.stack(salts, axis=1) if numbers else np.zeros((len(draws), 0), np.uint64)
    return (bits >> np.uint64(11)) * 2.0**-53
