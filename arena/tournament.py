"""Tournaments: schedule what is missing, play it in one batch, store what finishes, rate it all."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lanista.agents.contestant import load_agent
from lanista.agents.match import Played, Scheduled, play_games
from lanista.arena.entrants import digest, entrants
from lanista.arena.formats import Format, Pairing, load_format
from lanista.arena.openings import Openings, openings_of
from lanista.arena.report import check_target, write_report
from lanista.arena.standings import Table, table_of
from lanista.arena.store import Store, StoredGame
from lanista.envs import make
from lanista.envs.core import Agent, Game
from lanista.errors import UsageError


def tournament(
    game: str,
    contestants: Sequence[str | Agent],
    *,
    games: int = 40,
    db: str | Path | None = None,
    seed: int = 0,
    opening_plies: tuple[int, int] = (0, 8),
    openings: str | Path | None = None,
    balanced: str | Agent | None = None,
    balanced_within: float = 0.3,
    format: str = "round_robin",
    report: str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Table:
    """Play a tournament and rate it; on an existing store, go on with what is missing.

    Args:
        game: the game's string; for two players.
        contestants: contestant strings or agents; each plays under its name. Their order is the seeding where the
            format has one.
        games: of each two contestants who meet; even, since both play both seats of each opening.
        db: the store; None keeps it in memory.
        seed: everything random is drawn from it and the games' places, so no result depends on the order of play.
        opening_plies: each opening has this many random legal plies, least and most.
        openings: a book, whose openings are played instead; see `arena.book`.
        balanced: keep only random openings that this agent values as even.
        balanced_within: how far from even its value may be: 1 is the greatest return there is.
        format: who meets whom: a file of `arena/formats`, with its options, as in "swiss:rounds=7".
        report: where to write an HTML report.
        progress: told how many games are finished, and of how many.

    Raises:
        UsageError: the words are wrong, or the store is of something else.
        OSError: the store cannot be written any more, as when the disk is full.
        KeyboardInterrupt: with a message that says how much is stored and how to go on.
    """
    if games < 2 or games % 2:
        raise UsageError(f"the games of each two contestants must be even, at least 2, not {games}")
    board = make(game)
    spec = board.spec
    if spec.players != 2:
        raise UsageError(f"tournaments are for games of two players; {game} has {spec.players}")
    contest = load_format(format)
    agents = entrants(contestants)
    names = list(agents)
    contest.pairings(names, games, [])  # its options are looked at before there is a store
    if report is not None:
        check_target(report)  # before hours of play, not after
    judge = load_agent(balanced) if isinstance(balanced, str) else balanced
    source = openings_of(spec.name, opening_plies, openings, judge, balanced_within, seed)
    settings = {"game": spec.name, "seed": seed, **source.settings} | _fixed(contest, names, games)
    with Store(db) as store:
        if store.count() and store.setting("openings") is None:
            store.settle({"openings": "random"})  # stores of the time when there were no others
        store.settle(settings | {"perfect_information": spec.perfect_information})
        store.enter({name: digest(agent) for name, agent in agents.items()})
        session = None
        while missing := _missing(contest.pairings(names, games, store.games()), store):
            if session is None:
                session = store.begin_session(versions(board))
            with _told_how_to_go_on(store, len(missing)):
                _play(spec.name, agents, missing, store, session, seed, source, progress)
        table = replace(table_of(store), standing=tuple(contest.standing(names, games, store.games())))
        if report is not None:
            write_report(store, report)
    return table


def _fixed(contest: Format, names: Sequence[str], games: int) -> dict[str, Any]:
    """What may not change in a store whose pairings depend on all results before."""
    if not contest.fixed:
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


def _missing(pairings: Sequence[Pairing], store: Store) -> list[tuple[Pairing, int]]:
    """The games (pairing, leg) that are not stored yet."""
    places = store.places()
    return [
        (pairing, leg)
        for pairing in pairings
        for leg in (0, 1)
        if (pairing.one, pairing.other, pairing.number, leg) not in places
    ]


def pairing_seed(seed: int, pairing: Pairing) -> int:
    """The seed of a pairing's opening and games: of the tournament's seed, the two names and the number alone."""
    text = "\0".join((str(seed), pairing.one, pairing.other, str(pairing.number)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")


def _play(
    game: str,
    players: Mapping[str, Agent],
    missing: Sequence[tuple[Pairing, int]],
    store: Store,
    session: int,
    seed: int,
    source: Openings,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Play the missing games as one batch, whoever meets whom, and store those that finish together."""
    names = list(players)
    index = {name: number for number, name in enumerate(names)}
    pairings = list(dict.fromkeys(pairing for pairing, _ in missing))
    seeds = [pairing_seed(seed, pairing) for pairing in pairings]
    numbers = [pairing.number for pairing in pairings]
    openings = dict(zip(pairings, source.draw(numbers, seeds), strict=True))
    seed_of = dict(zip(pairings, seeds, strict=True))
    scheduled = []
    for number, (pairing, leg) in enumerate(missing):
        seats = (index[pairing.one], index[pairing.other])
        scheduled.append(Scheduled(seats if leg == 0 else seats[::-1], seed_of[pairing], openings[pairing], number))
    done, before = 0, store.count()
    for finished in play_games(game, list(players.values()), scheduled, seed=seed):
        store.add([_stored(played, *missing[played.scheduled.label], session) for played in finished])
        done += len(finished)
        if progress is not None:
            progress(before + done, before + len(missing))


def _stored(played: Played, pairing: Pairing, leg: int, session: int) -> StoredGame:
    return StoredGame(
        one=pairing.one,
        other=pairing.other,
        number=pairing.number,
        leg=leg,
        seed=played.scheduled.seed,
        opening=played.scheduled.opening,
        moves=played.moves,
        returns=played.returns,
        reason=played.reason,
        at_fault=played.at_fault,
        session=session,
    )
