"""Play scheduled games of the one loop, batched, and say how each ended.

Both training (ratings on the way) and the arena (tournaments) play through `play_games`; neither knows how.
`play_schedule` is the same as columns, for those who play too many games for an object each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np

from lanista.agents.adjudication import Adjudication
from lanista.agents.game_tables import GameTables, unseated
from lanista.agents.host_time import VOID
from lanista.agents.random_openings import random_openings
from lanista.agents.referee import Referee, warm_up
from lanista.agents.schedule import Finished, Schedule
from lanista.agents.time_control import TimeControl, tell
from lanista.envs.catalogue import make
from lanista.envs.core import Agent, Game
from lanista.envs.loop import play
from lanista.errors import UsageError


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
            raise unseated(board.spec, len(agents), scheduled.seats)
    for finished in _play(board, agents, _columns(schedule), seed, control, adjudication):
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


def _columns(games: Sequence[Scheduled]) -> Schedule:
    """The columns of some games, at least one, that have equally many seats.

    Raises:
        ValueError: levels are for some only.
    """
    levels = [game.level for game in games if game.level is not None]
    if levels and len(levels) < len(games):
        raise ValueError("levels are for all games of a schedule or for none")
    return Schedule(
        np.array([game.seats for game in games], np.int64),
        [game.seed for game in games],
        [game.opening for game in games] if any(game.opening for game in games) else None,
        np.array(levels, np.int64) if levels else None,
        [game.position for game in games] if any(game.position for game in games) else None,
    )


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
        table = GameTables(game, schedule, len(agents), referee)
        table.seat(np.arange(game.copies))
        for ply in play(game, agents, table.seats, seed=seed, ask=None if referee is None else referee.ask):
            finished = table.after(ply)
            if finished is not None:
                yield finished
    finally:
        if control is not None:
            tell(agents, None)


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
