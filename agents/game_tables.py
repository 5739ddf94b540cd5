"""The copies of a game on which a schedule is played: who sits where, what was played, and how each game ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from lanista.agents.adjudication import ADJUDICATED, Adjudicated
from lanista.agents.awarded_returns import adjudicated_returns, forfeit_returns
from lanista.agents.host_time import VOID, HostStalled
from lanista.agents.referee import Referee
from lanista.agents.schedule import Finished, Schedule
from lanista.agents.score_sheet import ScoreSheet
from lanista.envs.batched import begin_games
from lanista.envs.core import Bools, Failure, Game, GameSpec, Ints, LevelGame, Ply

MOST_TRIES_STALLED = 3  # of a game in which the machine stalls
RESERVED = (*VOID, *ADJUDICATED, "end", "truncated")  # reasons that are no failure's


def unseated(spec: GameSpec, agents: int, seats: Sequence[int]) -> ValueError:
    """What is wrong with seats for which there are not the agents, or too few or many."""
    return ValueError(f"{spec.name} seats {spec.players} of {agents} agents, not {tuple(seats)}")


class GameTables:
    """The copies of a game on which a schedule is played, and the score sheets."""

    def __init__(self, game: Game, schedule: Schedule, agents: int, referee: Referee | None = None) -> None:
        players, seats = game.spec.players, schedule.seats
        if seats.shape[1] != players or (len(seats) and not 0 <= seats.min() <= seats.max() < agents):
            wrong = ((seats < 0) | (seats >= agents)).any(axis=1) | (seats.shape[1] != players)
            raise unseated(game.spec, agents, seats[wrong][0].tolist())
        self.game = game
        self.seats = np.zeros((game.copies, players), np.int64)  # read by `play` at every turn
        self._schedule = schedule
        self._referee = referee
        self._again: list[int] = []  # games in which the machine stalled, to be played again
        self._stalls: Counter[int] = Counter()  # how often it did, by the game's index
        self._next = 0  # first game of the schedule that was not begun
        self._playing = np.zeros(game.copies, np.int64)  # (n,) index in the schedule
        self._busy = np.zeros(game.copies, bool)  # (n,)
        self._returns = np.zeros((game.copies, players))
        self._cut = np.zeros(game.copies, bool)  # (n,) someone was truncated
        self._sheet = ScoreSheet(game.spec, game.copies)

    def seat(self, free: Ints) -> None:
        """Begin the next scheduled games on these copies, as far as there are any: one call of the game for all."""
        schedule = self._schedule
        free = free[: len(schedule) - self._next + len(self._again)]
        if not len(free):
            return
        begin, end = self._next, min(self._next + len(free), len(schedule))
        self._next = end
        which = np.arange(begin, end)
        if len(which) < len(free):
            which = np.concatenate([which, np.array(self._again[: len(free) - len(which)])])
            del self._again[: len(which) - (end - begin)]
        self._playing[free] = which
        self._busy[free] = True
        self._returns[free] = 0
        self._cut[free] = False
        self.seats[free] = schedule.seats[which]
        self._begin(free, which.tolist() if len(which) > end - begin else range(begin, end))
        self._sheet.clear(free)
        if self._referee is not None:
            self._referee.begin(free)

    def _begin(self, free: Ints, which: Sequence[int]) -> None:
        """Begin games of the schedule on these copies."""
        schedule = self._schedule

        def some(column: Sequence[Any]) -> Sequence[Any]:
            return column[which.start : which.stop] if isinstance(which, range) else [column[at] for at in which]

        seeds = some(schedule.seeds)
        openings = None if schedule.openings is None else some(schedule.openings)
        openings = openings if openings is not None and any(openings) else None
        if schedule.levels is not None:
            if not isinstance(self.game, LevelGame) or openings is not None:
                raise ValueError("levels are for games that have them, without openings")
            self.game.begin_levels(schedule.levels[list(which)], free, seeds)
        elif schedule.positions is not None:
            begin_games(self.game, seeds, free, openings, some(schedule.positions))
        else:
            self.game.reset(seeds, free, openings)

    def after(self, ply: Ply) -> Finished | None:
        """Write a ply down; give the games that ended with it, and begin the next ones in their place."""
        outcome = ply.outcome
        self._sheet.write(ply)
        self._returns += outcome.rewards
        if np.count_nonzero(outcome.truncated):
            self._cut |= outcome.truncated.any(axis=1)
        over = outcome.finished | outcome.broken
        for failure in ply.failures:
            over[failure.copy] = True
        over &= self._busy
        if not np.count_nonzero(over):  # quicker than `any` where there are few
            return None
        ended = np.flatnonzero(over)
        results = self._results(ended, outcome.broken, ply.failures)
        finished = self._without_stalled(results) if ply.failures else results
        self._busy[ended] = False
        if outcome.broken.any():
            # A broken copy may have begun anew by itself; without a game for it, it must not go on.
            self.game.stop(np.flatnonzero(outcome.broken))
        self.seat(ended)
        return finished

    def _results(self, ended: Ints, broken: Bools, failures: tuple[Failure, ...]) -> Finished:
        which, returns = self._playing[ended], self._returns[ended]
        reasons = ["end"] * len(ended)
        for word, gone in (("truncated", self._cut[ended]), ("broken", broken[ended])):
            for row in np.flatnonzero(gone).tolist():
                reasons[row] = word
        at_fault: list[int | None] = [None] * len(ended)
        faults: dict[int, list[Failure]] = {}
        for failure in failures:
            faults.setdefault(failure.copy, []).append(failure)
        for row, copy in enumerate(ended.tolist() if faults else ()):
            if copy in faults:
                reasons[row], player = faults[copy][0].reason, faults[copy][0].player
                if isinstance(reasons[row], Adjudicated):
                    returns[row] = adjudicated_returns(self.game.spec, reasons[row], returns[row].tolist(), player)
                elif not isinstance(reasons[row], HostStalled):
                    if reasons[row] in RESERVED:  # an agent's own words are no ruling
                        reasons[row] = f"said: {reasons[row]}"
                    at_fault[row] = player
                    failed = [failure.player for failure in faults[copy]]
                    returns[row] = forfeit_returns(self.game.spec, returns[row].tolist(), failed)
        seconds = None if self._referee is None else self._referee.seconds(ended)
        expected = self._sheet.expected(ended)
        return Finished(which, *self._sheet.rows(ended), returns, reasons, at_fault, expected, seconds)

    def _without_stalled(self, finished: Finished) -> Finished | None:
        """Set games aside in which the machine stalled, to be played again; None if there is no other."""
        which = finished.which.tolist()
        kept = []
        for row, reason in enumerate(finished.reasons):
            if isinstance(reason, HostStalled):
                self._stalls[which[row]] += 1
                if self._stalls[which[row]] < MOST_TRIES_STALLED:
                    self._again.append(which[row])
                    continue
            kept.append(row)
        return finished if len(kept) == len(which) else finished.take(kept) if kept else None
