"""Tournaments: schedule what is missing, play it in one batch, store what finishes, rate it all."""

from __future__ import annotations

import contextlib
import importlib.metadata
import math
import platform
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lanista.agents.adjudication import Adjudication
from lanista.agents.contestant import load_agent
from lanista.agents.match import Finished, Schedule, play_schedule
from lanista.agents.time_control import TimeControl, parse_time_control
from lanista.arena.book import Opening
from lanista.arena.entrants import digest, entrants
from lanista.arena.formats import Format, load_format
from lanista.arena.meetings import Meeting, MeetingColumns, seatings
from lanista.arena.openings import Openings, openings_of
from lanista.arena.report import check_target, write_report
from lanista.arena.store import Store
from lanista.arena.stored_games import Ints, NewGames, encoded, joined
from lanista.arena.tables import AnyTable, any_table_of, check_anchors
from lanista.envs import make
from lanista.envs.core import Agent, Array, Game
from lanista.errors import UsageError

COPIES, MOST_COPIES = 1024, 8192  # games at once; the greater number of native games where nobody thinks
PACE, TOGETHER = 0.01, 0.25  # in seconds; see `store_together`
GAMES = 40  # of those who meet, or as many more as all their seatings need


Rules = Mapping[str, Any]  # `control` and `adjudication`, as of `play_schedule`
NO_RULES: Rules = {}
Player = Callable[[str, Sequence[Agent], Schedule, int, Rules], Iterator[Finished]]


def play_here(
    game: str, agents: Sequence[Agent], schedule: Schedule, seed: int, rules: Rules = NO_RULES
) -> Iterator[Finished]:
    """Play in this process, as `play_schedule` does."""
    return play_schedule(game, agents, schedule, copies=_copies(game, agents), seed=seed, **rules)


def tournament(
    game: str,
    contestants: Sequence[str | Agent],
    *,
    games: int | None = None,
    db: str | Path | None = None,
    seed: int = 0,
    opening_plies: tuple[int, int] | None = None,
    openings: str | Path | None = None,
    balanced: str | Agent | None = None,
    balanced_within: float = 0.3,
    format: str = "round_robin",
    report: str | Path | None = None,
    time_control: str | TimeControl | None = None,
    adjudication: Adjudication | None = None,
    book_plies: int | None = None,
    anchors: Mapping[str, float] | None = None,
    progress: Callable[[int, int], None] | None = None,
    opened: Callable[[Store], None] | None = None,
    player: Player | None = None,
) -> AnyTable:
    """Play a tournament and rate it; on an existing store, go on with what is missing.

    Args:
        game: the game's string.
        contestants: contestant strings or agents; each plays under its name. Their order is the seeding where the
            format has one.
        games: of those who meet, in all seatings of each opening, so a multiple of the number of `seatings`: of each
            two contestants, even; of each table of three, of 6; of each one alone where a game has one player. None is
            `GAMES`, or the next such multiple.
        db: the store; None keeps it in memory.
        seed: everything random is drawn from it and the games' places, so no result depends on the order of play.
        opening_plies: each opening has this many random legal plies, least and most; None is (0, 8), and (0, 0) where
            a game has one player.
        openings: a book, whose openings are played instead; see `arena.book`.
        balanced: keep only random openings that this agent values as even.
        balanced_within: how far from even its value may be: 1 is the greatest return there is.
        format: who meets whom: a file of `arena/formats`, with its options, as in "swiss:rounds=7".
        report: where to write an HTML report.
        time_control: how long contestants may think, as `agents.time_control` reads it: "move=0.1", "60+0.6".
        adjudication: when games end before their end; `agents.adjudication.adjudication_of` reads such rules.
        book_plies: only so many plies of each opening of a book.
        anchors: name -> the Elo at which it is held, of games of two players.
        progress: told how many games are finished, and of how many.
        opened: given the store once it is open, for whoever wants to look at it at each `progress`.
        player: who plays what is missing, such as `ray_play.RayPlayer`; None is this process.

    Raises:
        UsageError: the words are wrong, or the store is of something else.
        OSError: the store cannot be written any more, as when the disk is full.
        KeyboardInterrupt: with a message that says how much is stored and how to go on.
    """
    board = make(game)
    spec = board.spec
    games = _games_of_each(games, spec.players)
    plies = opening_plies or ((0, 8) if spec.players > 1 else (0, 0))
    contest = load_format(format)
    agents = entrants(contestants, at_least=min(2, spec.players))
    names = list(agents)
    wanted = contest.meetings(names, games, [], spec.players)  # its options are looked at before there is a store
    if report is not None:
        check_target(report)  # before hours of play, not after
    judge = load_agent(balanced) if isinstance(balanced, str) else balanced
    source = openings_of(spec.name, plies, openings, judge, balanced_within, seed, book_plies)
    check_anchors(spec.name, spec.players, names, anchors)
    control = parse_time_control(time_control) if isinstance(time_control, str) else time_control
    rules = {"control": control, "adjudication": adjudication}
    settings = {"game": spec.name, "seed": seed, **source.settings} | _fixed(contest, names, games, spec.players)
    with Store(db) as store:
        if store.count() and store.setting("openings") is None:
            store.settle({"openings": "random"})  # stores of the time when there were no others
        if store.count() and store.setting("time control") is None:
            store.settle(rules_settings(None, None))
        settings |= rules_settings(control, adjudication)
        store.settle(settings | {"perfect_information": spec.perfect_information, "players": spec.players})
        store.enter({name: digest(agent) for name, agent in agents.items()})
        if opened is not None:
            opened(store)
        session = None
        while True:
            if not contest.at_once:
                wanted = contest.meetings(names, games, store.games(), spec.players)
            missing = _missing(wanted, store, spec.players)
            if not missing:
                break
            if session is None:
                session = store.begin_session(versions(board))
            with _told_how_to_go_on(store, len(missing)):
                done, total = store.count(), store.count() + len(missing)
                for stored in play_missing(
                    spec.name, agents, missing, store, session, seed, source, rules, player or play_here
                ):
                    done += stored
                    if progress is not None:
                        progress(done, total)
            if contest.at_once:
                break
        standing = tuple(contest.standing(names, games, () if contest.at_once else store.games()))
        table = replace(any_table_of(store, anchors=anchors), standing=standing)
        if report is not None:
            write_report(store, report, anchors=anchors, standing=standing)
    return table


def _games_of_each(games: int | None, players: int) -> int:
    """How many games those who meet play.

    Raises:
        UsageError: not everyone could sit in each seat equally often.
    """
    legs = len(seatings(players))
    if games is None:
        return -(-GAMES // legs) * legs
    if games >= legs and games % legs == 0:
        return games
    if players == 1:
        raise UsageError(f"the games of each contestant must be at least 1, not {games}")
    if players == 2:
        raise UsageError(f"the games of each two contestants must be even, at least 2, not {games}")
    raise UsageError(
        f"the games of each table of {players} must be a multiple of its {legs} seatings, "
        f"as {-(-max(1, games) // legs) * legs} is, not {games}"
    )


def rules_settings(control: TimeControl | None, adjudication: Adjudication | None) -> dict[str, Any]:
    """What a store remembers of how its games are conducted: others may not be mixed with them."""
    return {
        "time control": "none" if control is None else f"{control}, margin {control.margin:g}",
        "adjudication": {} if adjudication is None else adjudication.settings(),
    }


def _fixed(contest: Format, names: Sequence[str], games: int, players: int) -> dict[str, Any]:
    """What may not change in a store whose meetings depend on all results before, or on all names."""
    if not contest.fixes(names, players):
        return {}
    return {"format": contest.name, "contestants in order": list(names), "games of an encounter": games}


@contextlib.contextmanager
def _told_how_to_go_on(store: Store, missing: int) -> Iterator[None]:
    """Say at Ctrl-C what is stored."""
    before = store.count()
    try:
        yield
    except KeyboardInterrupt:
        done = store.count()
        kept = (
            f"are stored in {store.path}; the same command goes on" if store.path else "were played, and none is kept"
        )
        raise KeyboardInterrupt(f"stopped: {done} of {before + missing} games {kept}") from None


def versions(game: Game) -> dict[str, str]:
    """Of what decides how games go: Lanista, Python, NumPy, and the rules if the game is a native one."""
    found = {"python": platform.python_version(), "numpy": np.__version__}
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        found["lanista"] = importlib.metadata.version("lanista")
    rules = getattr(game, "rules", None)
    return found if rules is None else found | {"rules": rules.key}


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


def _missing(wanted: Sequence[Meeting], store: Store, players: int) -> Missing:
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
