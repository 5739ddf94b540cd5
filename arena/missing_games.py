"""Games of a tournament that are not stored yet: played as one batch, stored as they finish."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lanista.agents.match import play_schedule
from lanista.agents.schedule import Finished, Schedule
from lanista.arena.book import Opening
from lanista.arena.meetings import Meeting, MeetingColumns, seatings
from lanista.arena.move_encoding import encoded
from lanista.arena.new_games import Ints, NewGames, joined
from lanista.arena.openings import Openings
from lanista.arena.store import Store
from lanista.envs import make
from lanista.envs.core import Agent, Array

COPIES, MOST_COPIES = 1024, 8192  # games at once; the greater number of native games where nobody thinks
PACE, TOGETHER = 0.01, 0.25  # in seconds; see `store_together`

Rules = Mapping[str, Any]  # `control` and `adjudication`, as of `play_schedule`
NO_RULES: Rules = {}
Player = Callable[[str, Sequence[Agent], Schedule, int, Rules], Iterator[Finished]]


def play_here(
    game: str, agents: Sequence[Agent], schedule: Schedule, seed: int, rules: Rules = NO_RULES
) -> Iterator[Finished]:
    """Play in this process, as `play_schedule` does."""
    return play_schedule(game, agents, schedule, copies=_copies(game, agents), seed=seed, **rules)


@dataclass(frozen=True)
class Missing:
    """The games that are not stored yet.

    Attributes:
        meetings: of which some game is missing.
        which: (m,) of each missing game the index of its meeting.
        legs: (m,) and its leg.
    """

    meetings: Sequence[Meeting]
    which: Ints
    legs: Ints

    def __len__(self) -> int:
        return len(self.which)


def missing_games(wanted: Sequence[Meeting], store: Store, players: int) -> Missing:
    """What of the wanted meetings is not stored: the games of each meeting together."""
    legs = len(seatings(players))
    stored = store.places()
    if stored:
        names = store.meetings()
        there = {(names[key], number, leg) for key, number, leg in stored}
        absent = [
            (at, leg)
            for at, (met, number) in enumerate(wanted)
            for leg in range(legs)
            if (met, number, leg) not in there
        ]
        pairs = np.array(absent, np.int64).reshape(-1, 2)
        return Missing(wanted, pairs[:, 0], pairs[:, 1])
    count = len(wanted)
    return Missing(wanted, np.repeat(np.arange(count), legs), np.tile(np.arange(legs), count))


def play_missing(
    game: str,
    players: Mapping[str, Agent],
    missing: Missing,
    store: Store,
    session: int,
    seed: int,
    source: Openings,
    rules: Rules = NO_RULES,
    player: Player = play_here,
) -> Iterator[int]:
    """Play the missing games as one batch, whoever meets whom; store those that finish together.

    Args:
        game: the game's string.
        players: name -> agent, of all who are named in `missing`.
        missing: what is not stored.
        store: where the games go.
        session: of the store.
        seed: of the tournament.
        source: of the openings.
        rules: `control` and `adjudication`, as of `agents.match.play_schedule`.
        player: who plays: game, agents, schedule, seed, rules -> games as they finish.

    Yields:
        How many games were stored.
    """
    used = np.unique(missing.which)
    whole = len(used) == len(missing.meetings)
    meetings = missing.meetings if whole else [missing.meetings[at] for at in used.tolist()]
    which = np.searchsorted(used, missing.which)  # (m,) in `meetings`
    columns = MeetingColumns.of(meetings)
    seeds = columns.seeds(seed)
    openings = source.draw(columns.numbers.tolist(), seeds)
    sheet = _Sheet(columns, which, missing.legs, seeds, openings, store)
    index = {name: number for number, name in enumerate(players)}
    tables = np.array([[index[name] for name in names] for names in columns.tables], np.int64)  # (tables, players)
    order = np.array(seatings(tables.shape[1]), np.int64)[missing.legs]  # (m, players)
    listed = which.tolist()
    schedule = Schedule(
        np.take_along_axis(tables[columns.table_of[which]], order, axis=1),
        [seeds[at] for at in listed],
        [openings[at].moves for at in listed] if any(opening.moves for opening in openings) else None,
        positions=[openings[at].position for at in listed] if any(opening.position for opening in openings) else None,
    )
    finished = player(game, list(players.values()), schedule, seed, rules)
    yield from store_together(store, map(sheet.columns, finished), session)


def _copies(game: str, agents: Iterable[Agent]) -> int:
    """How many games are played at once: of doors each copy is an environment of its own, which costs memory."""
    cheap = all(getattr(agent, "quick", False) for agent in agents) and hasattr(make(game), "rules")
    return MOST_COPIES if cheap else COPIES


def store_together(store: Store, finished: Iterable[NewGames], session: int) -> Iterator[int]:
    """Store games as they finish, those that finish within a moment in one transaction.

    Every transaction is synced, which takes longer than many games that cost next to nothing. So games that follow
    others within `PACE` seconds wait for the next ones, unless the last transaction is `TOGETHER` seconds ago.

    Yields:
        How many games were stored.
    """
    waiting: list[NewGames] = []
    last = stored_at = -math.inf
    try:
        for games in finished:
            waiting.append(games)
            now = time.monotonic()
            quick, last = now - last < PACE, now
            if quick and now - stored_at < TOGETHER:
                continue
            some, waiting = joined(waiting), []
            store.add_columns(some, session)
            last = stored_at = time.monotonic()
            yield len(some)
    finally:
        if waiting:  # also if it was stopped: these have finished
            some = joined(waiting)
            store.add_columns(some, session)
    if waiting:
        yield len(some)


class _Sheet:
    """What is known of scheduled games before they are played."""

    def __init__(
        self,
        meetings: MeetingColumns,
        which: Ints,
        legs: Ints,
        seeds: Sequence[int],
        openings: Sequence[Opening],
        store: Store,
    ) -> None:
        keys = store.meet(meetings.tables)
        self._which, self._legs, self._openings = which, legs, openings
        self._keys = np.array([keys[names] for names in meetings.tables], np.int64)[meetings.table_of]
        self._numbers = meetings.numbers
        self._seeds = np.array(seeds, np.int64)
        moves = [opening.moves for opening in openings]
        self._lengths = np.fromiter(map(len, moves), np.int64, len(moves))
        self._begun, self._given = _bytes(moves), any(moves)
        self._placed = any(opening.position for opening in openings)

    def columns(self, finished: Finished) -> NewGames:
        """Finished games on their way into the store."""
        at = self._which[finished.which]
        return NewGames(
            meetings=self._keys[at],
            numbers=self._numbers[at],
            legs=self._legs[finished.which],
            seeds=self._seeds[at],
            openings=self._lengths[at],
            moves=self._moves(at, finished),
            returns=finished.returns,
            reasons=list(finished.reasons),
            at_fault=list(finished.at_fault),
            expected=None if finished.expected is None else list(finished.expected),
            positions=[self._openings[each].position for each in at.tolist()] if self._placed else None,
            seconds=None if finished.seconds is None else list(finished.seconds),
        )

    def _moves(self, at: Ints, finished: Finished) -> list[bytes | str]:
        """The moves of finished games, openings included, as a store keeps them."""
        actions, lengths = finished.actions, finished.lengths
        if self._begun is None or actions.ndim != 2 or actions.dtype.kind not in "iu" or not _fit(actions):
            openings = [self._openings[each].moves for each in at.tolist()]
            rows = zip(openings, actions.tolist(), lengths.tolist(), strict=True)
            return [encoded((*opening, *row[:length])) for opening, row, length in rows]
        data, width = np.ascontiguousarray(actions, "<i2").tobytes(), 2 * actions.shape[1]
        begins = np.arange(len(actions)) * width
        played = zip(begins.tolist(), (begins + 2 * lengths).tolist(), strict=True)
        if not self._given:
            return [data[begin:end] for begin, end in played]
        given = map(self._begun.__getitem__, at.tolist())
        return [opening + data[begin:end] for opening, (begin, end) in zip(given, played, strict=True)]


def _fit(actions: Array) -> bool:
    """Whether all are numbers that int16 holds."""
    least, most = (actions.min(), actions.max()) if actions.size else (0, 0)
    return bool(least >= -(2**15) and most < 2**15)


def _bytes(openings: Sequence[tuple[int, ...]]) -> list[bytes] | None:
    """The openings as a store keeps moves; None if one of them is not kept as bytes."""
    if not any(openings):
        return [b""] * len(openings)
    found = [moves for moves in map(encoded, openings) if isinstance(moves, bytes)]
    return found if len(found) == len(openings) else None
