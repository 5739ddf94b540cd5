"""Openings of random legal plies, each from its seed alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from lanista.agents.kinds.random import random_actions
from lanista.agents.score_sheet import ScoreSheet
from lanista.envs.catalogue import make
from lanista.envs.core import Array, Choice, Game, GameSpec, Ints, Turn
from lanista.envs.draws import mixed
from lanista.envs.loop import play
from lanista.errors import UsageError

MOST_PLIES = 10_000  # of an opening
MOST_TRIES = 1000


class _Opener:
    """Plays openings at random, each copy from its own salt, so that an opening depends on its seed alone."""

    name = "opener"

    def __init__(self, spec: GameSpec, copies: int) -> None:
        self._spec = spec
        self.salts = np.zeros(copies, np.uint64)  # (n,)

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        space = self._spec.role(int(turn.players[0])).action
        return Choice(random_actions(turn, space, mixed(turn.draws ^ self.salts[turn.copies], np.uint64(1))))


def check_plies(plies: tuple[int, int]) -> None:
    """Whether openings may have so many plies, the least and the greatest number.

    Raises:
        UsageError: they are no range.
    """
    least, most = plies
    if not 0 <= least <= most <= MOST_PLIES:
        raise UsageError(f"the plies of an opening are a range like 0 to 8, not {least} to {most}")


def random_openings(game: str, seeds: Sequence[int], plies: tuple[int, int]) -> list[tuple[int, ...]]:
    """For each seed an opening of random legal plies that does not end the game.

    Where chance plays a part, an opening fits the game that has the same seed.

    Args:
        game: the game's string.
        seeds: one an opening; equal seeds give equal openings, whatever else is asked for.
        plies: the least and the greatest number of plies; each is equally likely, but a game that ends is drawn again.

    Raises:
        UsageError: no such game; the numbers are no range; the game always ended within so many plies.
    """
    check_plies(plies)
    least, most = plies
    openings: list[tuple[int, ...]] = [()] * len(seeds)
    numbers = np.array([int(seed) % 2**64 for seed in seeds], np.uint64)
    pending, table = np.arange(len(seeds)), None
    for attempt in range(MOST_TRIES):
        salts = mixed(numbers, np.uint64(attempt))
        wanted = least + (mixed(salts, np.uint64(0)) >> np.uint64(33)).astype(np.int64) % (most - least + 1)
        pending = pending[wanted[pending] > 0]
        if not len(pending):
            return openings
        if table is None:
            table = make(game, min(1024, len(pending)), restart=False)
        ended: list[int] = []
        for begin in range(0, len(pending), table.copies):
            which = pending[begin : begin + table.copies]
            for index, opening in _play_openings(table, numbers[which], salts[which], wanted[which]):
                if opening is None:
                    ended.append(int(which[index]))
                else:
                    openings[which[index]] = opening
        pending = np.array(sorted(ended), np.int64)
    raise UsageError(f"in {MOST_TRIES} tries {game} always ended within an opening of {least} to {most} random plies")


def _play_openings(
    game: Game, seeds: Array, salts: Array, wanted: Ints
) -> Iterator[tuple[int, tuple[int, ...] | None]]:
    """Play openings, one a copy; give each one's index with its actions, or with None if the game ended in it.

    Args:
        game: with at least as many copies, none of them being played.
        seeds: (r,) uint64, of each game.
        salts: (r,) uint64, of each opening.
        wanted: (r,) the number of plies, at least 1.
    """
    going = np.zeros(game.copies, bool)
    going[: len(seeds)] = True
    goal, played = np.zeros(game.copies, np.int64), np.zeros(game.copies, np.int64)
    goal[going] = wanted
    opener, sheet = _Opener(game.spec, game.copies), ScoreSheet(game.spec, game.copies)
    opener.salts[going] = salts
    game.reset(seeds.tolist(), np.flatnonzero(going))
    for ply in play(game, [opener]):
        sheet.write(ply)
        played[ply.turn.copies] += 1
        over = ply.outcome.finished | ply.outcome.broken
        over[[failure.copy for failure in ply.failures]] = True
        over &= going
        whole = np.flatnonzero(going & ~over & (played == goal))
        yield from ((index, None) for index in np.flatnonzero(over).tolist())
        yield from zip(whole.tolist(), map(tuple, sheet.actions(whole)), strict=True)
        if len(whole):
            game.stop(whole)
        going[over] = False
        going[whole] = False
