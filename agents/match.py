"""Play scheduled games of the one loop, batched, and say how each ended.

Both training (ratings on the way) and the arena (tournaments) play through `play_games`; neither knows how.
`play_schedule` is the same as columns, for those who play too many games for an object each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np

from lanista.agents.adjudication import ADJUDICATED, Adjudicated, Adjudication
from lanista.agents.awarded_returns import adjudicated_returns, forfeit_returns
from lanista.agents.host_time import VOID, HostStalled
from lanista.agents.random_openings import random_openings
from lanista.agents.referee import Referee, warm_up
from lanista.agents.score_sheet import ScoreSheet
from lanista.agents.time_control import TimeControl, tell
from lanista.envs.batched import begin_games
from lanista.envs.catalogue import make
from lanista.envs.core import Agent, Array, Bools, Failure, Game, GameSpec, Ints, LevelGame, Ply, play
from lanista.errors import UsageError

MOST_TRIES_STALLED = 3  # of a game in which the machine stalls
RESERVED = (*VOID, *ADJUDICATED, "end", "truncated")  # reasons that are no failure's


@dataclass(frozen=True)
class Scheduled:
    """A game that is to be played.

    Attributes:
        seats: for each player, the index of the agent that sits there.
        seed: of the game's own random stream.
        opening: actions that are played before the first turn.
        label: the caller's own number of the game; handed back.
        position: that the opening is played from, in the field's notation, such as FEN; "" is the game's own start.
        level: the level that is played, for games that have levels; None begins the game by its seed. One schedule has
            levels for all of its games or for none.
    """

    seats: tuple[int, ...]
    seed: int
    opening: tuple[int, ...] = ()
    label: int = 0
    level: int | None = None
    position: str = ""


@dataclass(frozen=True)
class Played:
    """A game that ended.

    Attributes:
        scheduled: what was to be played.
        moves: all actions in order, the opening included; those of one moment in the players' order. An action of
            several numbers (MultiDiscrete, Box) is a list of them.
        returns: each player's sum of rewards; of a forfeit, the least return for the player that failed and the
            greatest for the others (see `forfeit_returns`).
        reason: "end" by the rules, "truncated" by the game's length, "broken" (void: the environment raised),
            "stalled host" (void: the machine kept a player from answering in time), "adjudicated: resign", "draw" or
            "length", "time" of who overstepped it, or a failure's own words ("illegal action 3", "crashed: ...").
        at_fault: the player that failed, or None.
        seconds: that each move after the opening took, and the one at which the game ended without one; empty where
            no clock ran.
    """

    scheduled: Scheduled
    moves: tuple[int, ...]
    returns: tuple[float, ...]
    reason: str
    at_fault: int | None = None
    seconds: tuple[float, ...] = ()


@dataclass(frozen=True)
class Schedule:
    """Games that are to be played, as columns; see `Scheduled`.

    Attributes:
        seats: (m, players) for each player, the index of the agent that sits there.
        seeds: (m,)
        openings: (m,) or None: no game has any.
        levels: (m,) or None: games begin by their seeds.
        positions: (m,) or None: all games begin from the game's own start.
    """

    seats: Ints
    seeds: Sequence[int]
    openings: Sequence[Sequence[Any]] | None = None
    levels: Ints | None = None
    positions: Sequence[str] | None = None

    def __len__(self) -> int:
        return len(self.seats)

    @classmethod
    def of(cls, games: Sequence[Scheduled]) -> Schedule:
        """The columns of some games, at least one, that have equally many seats.

        Raises:
            ValueError: levels are for some only.
        """
        levels = [game.level for game in games if game.level is not None]
        if levels and len(levels) < len(games):
            raise ValueError("levels are for all games of a schedule or for none")
        return cls(
            np.array([game.seats for game in games], np.int64),
            [game.seed for game in games],
            [game.opening for game in games] if any(game.opening for game in games) else None,
            np.array(levels, np.int64) if levels else None,
            [game.position for game in games] if any(game.position for game in games) else None,
        )


@dataclass(frozen=True)
class Finished:
    """Games that ended together, as columns; see `Played`.

    Attributes:
        which: (e,) index in the schedule.
        actions: (e, room, *action) what was played after the opening, in order, filled up from the right.
        lengths: (e,) how many actions there are.
        returns: (e, players)
        reasons: (e,)
        at_fault: (e,) a player or None.
        expected: (e,) a byte for each action, what its player expected, as `ScoreSheet` has it, or None; None where
            nobody told anything.
        seconds: (e,) what each move took, as of `Played`; None where no clock runs.
    """

    which: Ints
    actions: Array
    lengths: Ints
    returns: Array
    reasons: Sequence[str]
    at_fault: Sequence[int | None]
    expected: Sequence[bytes | None] | None = None
    seconds: Sequence[tuple[float, ...]] | None = None

    def take(self, rows: Sequence[int]) -> Finished:
        """Some of them."""
        columns = (self.which[rows], self.actions[rows], self.lengths[rows], self.returns[rows])
        reasons, at_fault = [self.reasons[row] for row in rows], [self.at_fault[row] for row in rows]
        expected = None if self.expected is None else [self.expected[row] for row in rows]
        seconds = None if self.seconds is None else [self.seconds[row] for row in rows]
        return Finished(*columns, reasons, at_fault, expected, seconds)


def play_games(
    game: str,
    agents: Sequence[Agent],
    schedule: Sequence[Scheduled],
    *,
    copies: int = 1024,
    seed: int = 0,
    control: TimeControl | None = None,
    adjudication: Adjudication | None = None,
) -> Iterator[list[Played]]:
    """Play exactly the scheduled games, many at once, and give those that finish together as they finish.

    What is played does not depend on `copies`, as long as the agents take their chance from `Turn.draws` and no clock
    runs. By a clock no more games are played at a time than the players have processes. A game in which the machine
    stalled is played again, at most twice.

    Args:
        game: the game's string.
        agents: who plays; `Scheduled.seats` are indices in it. One agent may sit at several seats.
        schedule: the games; taken in order as copies become free.
        copies: at most so many are played together.
        seed: the agents' own random streams are drawn from it.
        control: how long they may think; None is as long as each likes.
        adjudication: when games end before their end.

    Raises:
        UsageError: no such game, an opening that is illegal or ends the game, an agent that cannot play this game, a
            clock or adjudication that does not fit it.
        ValueError: a game is scheduled with too few or too many seats, or with an agent that is not there.
    """
    if not schedule:
        return
    board = _board(game, agents, len(schedule), copies, control)
    for scheduled in schedule:
        if len(scheduled.seats) != board.spec.players:
            raise _unseated(board.spec, len(agents), scheduled.seats)
    for finished in _play(board, agents, Schedule.of(schedule), seed, control, adjudication):
        columns = (finished.which, finished.actions, finished.lengths, finished.returns)
        seconds = finished.seconds or repeat((), len(finished.which))
        yield [
            Played(schedule[which], (*schedule[which].opening, *actions[:length]), tuple(returns), reason, fault, took)
            for which, actions, length, returns, reason, fault, took in zip(
                *(column.tolist() for column in columns), finished.reasons, finished.at_fault, seconds, strict=True
            )
        ]


def play_schedule(
    game: str,
    agents: Sequence[Agent],
    schedule: Schedule,
    *,
    copies: int = 1024,
    seed: int = 0,
    control: TimeControl | None = None,
    adjudication: Adjudication | None = None,
) -> Iterator[Finished]:
    """As `play_games`, without an object for each game."""
    if len(schedule):
        board = _board(game, agents, len(schedule), copies, control)
        yield from _play(board, agents, schedule, seed, control, adjudication)


def _board(game: str, agents: Sequence[Agent], games: int, copies: int, control: TimeControl | None) -> Game:
    """The game, as many copies of it as are to be played together."""
    if control is not None and control.timed:
        copies = min(copies, max(getattr(agent, "processes", 1) for agent in agents))
    return make(game, min(copies, games), restart=False)


def _unseated(spec: GameSpec, agents: int, seats: Sequence[int]) -> ValueError:
    return ValueError(f"{spec.name} seats {spec.players} of {agents} agents, not {tuple(seats)}")


def _play(
    game: Game,
    agents: Sequence[Agent],
    schedule: Schedule,
    seed: int,
    control: TimeControl | None,
    adjudication: Adjudication | None,
) -> Iterator[Finished]:
    referee = None
    if control is not None or adjudication is not None:
        referee = Referee(game.spec, game.copies, control, adjudication)
    try:
        if control is not None:
            tell(agents, control)
            if control.timed:
                warm_up(game.spec.name, agents)
        table = _Table(game, schedule, len(agents), referee)
        table.seat(np.arange(game.copies))
        for ply in play(game, agents, table.seats, seed=seed, ask=None if referee is None else referee.ask):
            finished = table.after(ply)
            if finished is not None:
                yield finished
    finally:
        if control is not None:
            tell(agents, None)


class _Table:
    """The copies of a game on which a schedule is played, and the score sheets."""

    def __init__(self, game: Game, schedule: Schedule, agents: int, referee: Referee | None = None) -> None:
        players, seats = game.spec.players, schedule.seats
        if seats.shape[1] != players or (len(seats) and not 0 <= seats.min() <= seats.max() < agents):
            wrong = ((seats < 0) | (seats >= agents)).any(axis=1) | (seats.shape[1] != players)
            raise _unseated(game.spec, agents, seats[wrong][0].tolist())
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
        self._cut |= outcome.truncated.any(axis=1)
        over = outcome.finished | outcome.broken
        for failure in ply.failures:
            over[failure.copy] = True
        over &= self._busy
        if not over.any():
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


def score(
    game: str,
    agent: Agent,
    opponent: Agent,
    pairs: int,
    seed: int,
    plies: tuple[int, int] = (0, 8),
) -> float:
    """The share of the points that an agent takes from an opponent: 1 for a win, 1/2 for a draw.

    Each pair is two games from one random opening, in which the agent takes either seat. Games that the environment
    broke count for nobody.

    Args:
        game: the string of a game of two players.
        agent, opponent: who plays.
        pairs: so many pairs of games, at least one.
        seed: openings, games and the agents' draws come from it.
        plies: the openings' least and greatest number of random plies.

    Raises:
        UsageError: the game is not one of two players, or an agent cannot play it.
    """
    if pairs < 1:
        raise UsageError(f"a score needs at least one pair of games, not {pairs}")
    seeds = np.random.SeedSequence(seed).generate_state(pairs, np.uint64).tolist()
    schedule = [
        Scheduled(seats, own, opening, label=first)
        for own, opening in zip(seeds, random_openings(game, seeds, plies), strict=True)
        for first, seats in enumerate([(0, 1), (1, 0)])
    ]
    points, counted = 0.0, 0
    for played in play_games(game, [agent, opponent], schedule, seed=seed):
        for one in played:
            if one.reason not in VOID:
                mine, other = one.returns[one.scheduled.label], one.returns[1 - one.scheduled.label]
                points += 1.0 if mine > other else 0.5 if mine == other else 0.0
                counted += 1
    if not counted:
        raise RuntimeError(f"the environment of {game} broke every game")
    return points / counted
