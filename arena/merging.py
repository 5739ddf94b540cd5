"""Several stores of one tournament become one: games that are equal are kept once, contradictions are refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from lanista.arena.store import Store
from lanista.arena.stored_games import StoredGame, against
from lanista.errors import UsageError
from lanista.files import claim_folder, drafted

# What stores did not tell when there was nothing else.
BEFORE = {"openings": "random", "players": 2, "time control": "none", "adjudication": {}}
OF_ITS_TIME = ("stored_at", "session", "seconds", "values")  # what may differ between two records of one game


@dataclass(frozen=True)
class Merged:
    """What became of the stores.

    Attributes:
        games: how many there are now.
        equal: how many were in more than one store, and are kept once.
        contestants: how many there are now.
    """

    games: int
    equal: int
    contestants: int


def merge(stores: Sequence[Path], out: Path) -> Merged:
    """Write the games of several stores into a new one.

    Args:
        stores: two or more, of the same game and settings; they are only read.
        out: the new store, which must not be there. It is written under a temporary name, and takes its place whole.

    Raises:
        UsageError: a setting, a contestant or a game differs between two stores, one cannot be read, or `out` is there.
    """
    if len(stores) < 2:
        raise UsageError("name two or more stores to merge, as in 'lanista merge a.sqlite b.sqlite --out both.sqlite'")
    if out.exists():
        raise UsageError(f"{out} is there already; name a new file for the merged store")
    claim_folder(out.parent)
    settings: dict[str, tuple[Any, Path]] = {}
    digests: dict[str, tuple[str, Path]] = {}
    games: dict[tuple[tuple[str, ...], int, int], tuple[StoredGame, Path]] = {}
    sessions: dict[str, int] = {}  # a session's beginning and versions -> its number in the new store
    equal = 0
    for path in stores:
        with Store(path, write=False) as store:
            _settle(settings, store, path)
            _enter(digests, store, path)
            numbers = {
                number: sessions.setdefault(json.dumps(session, sort_keys=True), len(sessions) + 1)
                for number, session in sorted(store.sessions().items())
            }
            for game in store.games():
                if game.session is not None and game.session not in numbers:
                    raise UsageError(
                        f"{path} is damaged: a game was stored in session {game.session}, which is not there; 'lanista "
                        "verify' tells which games can be read"
                    )
                number = None if game.session is None else numbers[game.session]
                equal += _keep(games, replace(game, session=number), path)
    with drafted(out) as draft:
        draft.unlink()  # SQLite makes its own
        with Store(draft) as new:
            new.settle({key: value for key, (value, _) in settings.items()})
            new.enter({name: digest for name, (digest, _) in digests.items()})
            for text in sessions:
                new.begin_session(*reversed(json.loads(text)))
            new.add([game for game, _ in games.values()])
    return Merged(len(games), equal, len(digests))


def _settle(settings: dict[str, tuple[Any, Path]], store: Store, path: Path) -> None:
    """Take over a store's settings, which must be those of the stores before."""
    told = BEFORE | {key: store.setting(key) for key in store.about()}
    for key, value in told.items():
        known, first = settings.setdefault(key, (value, path))
        if known != value:
            raise UsageError(
                f"the tournament in {first} has the {key} {known}, that in {path} {value}: they cannot be merged"
            )
    for key, (known, first) in settings.items():
        if key not in told:
            raise UsageError(f"the tournament in {first} has the {key} {known}, that in {path} tells none")


def _enter(digests: dict[str, tuple[str, Path]], store: Store, path: Path) -> None:
    """Enter a store's contestants, who must be the same under the same name."""
    for name, digest in store.digests().items():
        known, first = digests.setdefault(name, (digest, path))
        if known != digest:
            raise UsageError(f"'{name}' is another contestant in {path} than in {first}: they cannot be merged")


def _keep(games: dict[tuple[tuple[str, ...], int, int], tuple[StoredGame, Path]], game: StoredGame, path: Path) -> bool:
    """Keep a game; whether it was there already.

    Raises:
        UsageError: another game is at its place.
    """
    place = (game.names, game.number, game.leg)
    known, first = games.setdefault(place, (game, path))
    if known is game:
        return False
    for field in fields(StoredGame):
        mine, other = getattr(known, field.name), getattr(game, field.name)
        if field.name not in OF_ITS_TIME and mine != other:
            raise UsageError(
                f"the game of {against(game.names)} over opening {game.number}, leg {game.leg}, is not "
                f"the same in {first} and {path}: its {field.name} {'is' if field.name != 'moves' else 'are'} "
                f"{_shown(mine)} in one and {_shown(other)} in the other"
            )
    return True


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
