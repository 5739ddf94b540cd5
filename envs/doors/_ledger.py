"""What every door counts for its copies: random streams, seeds, plies, serial numbers, and games that broke."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import numba
import numpy as np

from lanista.envs.core import Array, Bools, Ints
from lanista.envs.draws import first_streams, mix, stream_seeds

log = logging.getLogger(__name__)
FEW_BROKEN = 20  # games that an environment may break before the run is given up ...
BROKEN_SHARE = 0.1  # ... if they are this share of all games


SEATS = 4096  # more than any game has
# What is kept of a copy.
STATE = np.dtype(
    [
        ("stream", np.uint64),
        ("seed", np.uint64),  # of the game being played
        ("games", np.int64),
        ("plies", np.int64),
        ("open", np.bool_),  # it must act
        ("held", np.bool_),  # it has answered, and waits for the others of its pool
        ("ended", np.bool_),  # its environment begins anew when it is stepped next
    ],
    align=True,
)


class Ledger:
    """Seeds, plies and serial numbers of `copies` games."""

    def __init__(self, name: str, copies: int) -> None:
        """Nothing has begun yet.

        Args:
            name: the game's, for what is reported.
            copies: how many are played together.
        """
        self.state = np.zeros(copies, STATE)
        self.plies: Ints = self.state["plies"]  # (n,) a view, as are the others
        self.games: Ints = self.state["games"]
        self.seeds: Array = self.state["seed"]
        self.open: Bools = self.state["open"]
        self.held: Bools = self.state["held"]
        self.ended: Bools = self.state["ended"]
        self.serial = np.zeros(1, np.int64)
        self.name = name
        self.begun = False
        self._broken = 0

    def reseed(
        self, seed: int | Sequence[int] | None, copies: Ints | None, begin_others: Callable[[], None] | None
    ) -> Ints:
        """Start the random streams that a `reset` asks for; at the first one all copies get theirs.

        Args:
            seed, copies: as given to `reset`.
            begin_others: begins the games of all copies, called if the first reset is for some only; None: they wait.

        Returns:
            (m,) the copies whose games are to begin.
        """
        everyone = np.arange(len(self.state))
        if not self.begun:
            self.begun = True
            self.state["stream"] = first_streams(seed, everyone)
            if copies is not None and begin_others is not None:
                begin_others()
        which = everyone if copies is None else np.asarray(copies, np.int64)
        if seed is not None:
            self.state["stream"][which] = stream_seeds(seed, which)
        return which

    def begin(self, which: Ints) -> Ints:
        """Start the games of these copies.

        Returns:
            (m,) seeds for their environments, below 2**31.
        """
        begin_all(self.state, which, self.serial)
        return (self.seeds[which] >> np.uint64(33)).astype(np.int64)

    def draws(self, copies: Ints, players: Ints) -> Array:
        """(k,) uint64: a number for each seat's decision."""
        out = np.empty(len(copies), np.uint64)
        seat_draws(self.state, copies, players, out)
        return out

    def count_broken(self, copy: int, error: BaseException) -> None:
        """Report a game that is void, the first with its traceback.

        Raises:
            RuntimeError: there are too many.
        """
        self._broken += 1
        first = self._broken == 1
        told = f"{type(error).__name__}: {error}"
        log.warning("%s, copy %d raised %s; its game is void", self.name, copy, told, exc_info=error if first else None)
        if self._broken >= FEW_BROKEN and self._broken >= BROKEN_SHARE * int(self.serial[0]):
            raise RuntimeError(
                f"{self.name} raised in {self._broken} of {int(self.serial[0])} games, the last time {told}"
            ) from error


@numba.njit(inline="always")
def _begin(copy: Any, serial: Any) -> None:
    """Start a copy's next game; `copy` is its record of `STATE`."""
    copy.stream += np.uint64(0x9E3779B97F4A7C15)
    copy.seed = mix(copy.stream ^ mix(np.uint64(1) + np.uint64(0x9E3779B97F4A7C15)))
    copy.plies = 0
    copy.games = serial[0]
    serial[0] += 1


@numba.njit(inline="always")
def _draw(copy: Any, player: Any) -> Any:
    """A number for a seat's decision; those that act together in one copy differ."""
    seat = np.uint64(copy.plies) * np.uint64(SEATS) + np.uint64(player)
    return mix(copy.seed + seat * np.uint64(0x9E3779B97F4A7C15))


@numba.njit(cache=True)
def begin_all(state: Any, which: Any, serial: Any) -> None:
    """Start the games of these copies, in this order."""
    for copy in which:
        _begin(state[copy], serial)


@numba.njit(cache=True)
def seat_draws(state: Any, copies: Any, players: Any, out: Any) -> None:
    """Write the draws of seats to `out`."""
    for row in range(len(copies)):
        out[row] = _draw(state[copies[row]], players[row])


@numba.njit(cache=True)
def settle(
    state: Any, serial: Any, players: Any, terminated: Any, truncated: Any, gained: Any, anew: Any, rewards: Any,
    over: Any, finished: Any, rows: Any, draws: Any,
) -> Any:  # fmt: skip
    """Note what a step of all copies did, and which must act next.

    Args:
        state: (n,) `STATE`.
        serial: (1,) the next game's number.
        players: (n,) who acts next in each copy.
        terminated, truncated, gained: (n,), (n,), (n, players) what the environments said.
        anew: ended games begin anew at the next step; those that had ended have begun with this one.
        rewards: (n, players): gets the rewards.
        over: (2, n, players): gets who terminated, and who was truncated.
        finished: (n,): gets which games are over.
        rows: (3, n): gets copies, games and plies of those that act next, in its first columns.
        draws: (n,): gets their draws.

    Returns:
        How many act next, how many ended, and how many of these were cut off.
    """
    count, ends, cuts = 0, 0, 0
    seats = rewards.shape[1]
    for i in range(len(state)):
        copy = state[i]
        played = copy.open
        ended = played and (terminated[i] or truncated[i])
        finished[i] = ended
        for player in range(seats):
            rewards[i, player] = gained[i, player] if played else 0
            over[0, i, player] = ended and terminated[i]
            over[1, i, player] = ended and not terminated[i]
        if copy.ended:
            copy.ended = False
            copy.open = True
            _begin(copy, serial)
        elif played:
            copy.plies += 1
            if ended:
                copy.open = False
                copy.ended = anew
                ends += 1
                cuts += not terminated[i]
        if copy.open:
            rows[0, count] = i
            rows[1, count] = copy.games
            rows[2, count] = copy.plies
            draws[count] = _draw(copy, players[i])
            count += 1
    return count, ends, cuts


@numba.njit(cache=True)
def placed(actions: Any, legal: Any, copies: Any, out: Any) -> Any:
    """Write each row's action to its copy's place in `out`; the first row whose action is illegal, or -1."""
    for row in range(len(copies)):
        action = actions[row]
        if action < 0 or action >= legal.shape[1] or not legal[row, action]:
            return row
        out[copies[row]] = action
    return -1
