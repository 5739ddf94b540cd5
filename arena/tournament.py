"""Tournaments: schedule what is missing, play it in one batch, store what finishes, rate it all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lanista.agents.contestant import agent_folder, load_agent
from lanista.agents.match import Played, Scheduled, play_games, random_openings
from lanista.arena.formats import Pairing
from lanista.arena.standings import Table, table_of
from lanista.arena.store import Store, StoredGame
from lanista.envs import make
from lanista.envs.core import Agent, agent_name
from lanista.errors import UsageError
from lanista.plugs import plug

FORMATS = "lanista.arena.formats"


def tournament(
    game: str,
    contestants: Sequence[str | Agent],
    *,
    games: int = 40,
    db: str | Path | None = None,
    seed: int = 0,
    opening_plies: tuple[int, int] = (0, 8),
    format: str = "round_robin",
    report: str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Table:
    """Play a tournament and rate it; on an existing store, go on with what is missing.

    Args:
        game: the game's string; for two players.
        contestants: contestant strings or agents; each plays under its name.
        games: of each two contestants; even, since both play both seats of each opening.
        db: the store; None keeps it in memory.
        seed: everything random is drawn from it and the games' places, so no result depends on the order of play.
        opening_plies: each opening has this many random legal plies, least and most.
        format: who meets whom: a file of `arena/formats`.
        report: where to write an HTML report.
        progress: told how many games are finished, and of how many.

    Raises:
        UsageError: the words are wrong, or the store is of something else.
    """
    if games < 2 or games % 2:
        raise UsageError(f"the games of each two contestants must be even, at least 2, not {games}")
    spec = make(game).spec
    if spec.players != 2:
        raise UsageError(f"tournaments are for games of two players; {game} has {spec.players}")
    schedule = plug(FORMATS, "tournament format", format).pairings
    agents = seat_names(contestants)
    with Store(db) as store:
        store.settle({"game": game, "seed": seed, "opening_plies": list(opening_plies)})
        store.enter({name: digest(name, contestant) for name, (contestant, _) in agents.items()})
        players = {name: agent for name, (_, agent) in agents.items()}
        while missing := _missing(schedule(sorted(players), games, store.games()), store):
            _play(game, players, missing, store, seed, opening_plies, progress)
        table = table_of(store)
        if report is not None:
            from lanista.arena.report import write_report

            write_report(store, report)
    return table


def seat_names(contestants: Sequence[str | Agent]) -> dict[str, tuple[str | Agent, Agent]]:
    """Contestants and their agents by name.

    Raises:
        UsageError: there are fewer than two, or two have the same name.
    """
    named: dict[str, tuple[str | Agent, Agent]] = {}
    for contestant in contestants:
        agent = load_agent(contestant) if isinstance(contestant, str) else contestant
        name = agent_name(agent)
        if name in named:
            raise UsageError(f"two contestants are called '{name}'; each needs a name of its own")
        named[name] = contestant, agent
    if len(named) < 2:
        raise UsageError("a tournament needs at least two contestants")
    return named


def digest(name: str, contestant: str | Agent) -> str:
    """What tells whether a contestant is still the one that played before: its files' hash, else its name."""
    if isinstance(contestant, str):
        folder = agent_folder(Path(contestant.partition("?")[0]))
        if folder is not None:
            return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    return hashlib.sha256(name.encode()).hexdigest()


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
    seed: int,
    opening_plies: tuple[int, int],
    progress: Callable[[int, int], None] | None,
) -> None:
    """Play the missing games as one batch, whoever meets whom, and store those that finish together."""
    names = list(players)
    index = {name: number for number, name in enumerate(names)}
    pairings = list(dict.fromkeys(pairing for pairing, _ in missing))
    seeds = [pairing_seed(seed, pairing) for pairing in pairings]
    openings = dict(zip(pairings, random_openings(game, seeds, opening_plies), strict=True))
    seed_of = dict(zip(pairings, seeds, strict=True))
    scheduled = []
    for number, (pairing, leg) in enumerate(missing):
        seats = (index[pairing.one], index[pairing.other])
        scheduled.append(Scheduled(seats if leg == 0 else seats[::-1], seed_of[pairing], openings[pairing], number))
    done, before = 0, len(store.places())
    for finished in play_games(game, list(players.values()), scheduled, seed=seed):
        store.add([_stored(played, *missing[played.scheduled.label]) for played in finished])
        done += len(finished)
        if progress is not None:
            progress(before + done, before + len(missing))


def _stored(played: Played, pairing: Pairing, leg: int) -> StoredGame:
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
    )
