"""Tournaments: schedule what is missing, play it in one batch, store what finishes, rate it all."""

from __future__ import annotations

import contextlib
import importlib.metadata
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lanista.agents.adjudication import Adjudication
from lanista.agents.contestant import load_agent
from lanista.agents.time_control import TimeControl, parse_time_control
from lanista.arena.entrants import digest, entrants
from lanista.arena.formats import Format, load_format
from lanista.arena.meetings import seatings
from lanista.arena.missing_games import Player, missing_games, play_here, play_missing
from lanista.arena.openings import openings_of
from lanista.arena.report import write_report
from lanista.arena.store import Store
from lanista.arena.tables import AnyTable, any_table_of, check_anchors
from lanista.envs import make
from lanista.envs.core import Agent, Game
from lanista.errors import UsageError
from lanista.files import claim_file

GAMES = 40  # of those who meet, or as many more as all their seatings need


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
        claim_file(Path(report), beside=None if db is None else Path(db))  # before hours of play, not after
    judge = load_agent(balanced) if isinstance(balanced, str) else balanced
    source = openings_of(spec.name, plies, openings, judge, balanced_within, seed, book_plies)
    check_anchors(spec.name, spec.players, names, anchors)
    control = parse_time_control(time_control) if isinstance(time_control, str) else time_control
    if spec.players == 1 and (control is not None or adjudication is not None):
        raise UsageError(f"clocks and adjudication are for games of two players, which {spec.name} is not")
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
            missing = missing_games(wanted, store, spec.players)
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
