"""The table of any tournament, by how many play its game."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lanista.arena.formats import load_format
from lanista.arena.many_standings import ManyTable, many_table_of
from lanista.arena.score_standings import ScoreTable, score_table_of
from lanista.arena.standings import Table, table_of
from lanista.arena.store import Store
from lanista.errors import UsageError

AnyTable = Table | ManyTable | ScoreTable


def contest_of(store: Store) -> list[str]:
    """Lines that tell how the contest of the store's format stands; none where the store does not tell its format."""
    format_, names, games = (store.setting(key) for key in ("format", "contestants in order", "games of an encounter"))
    return [] if format_ is None else load_format(format_).standing(names, games, store.games())


def players_of(store: Store) -> int:
    """How many play the game of a store."""
    return int(store.setting("players") or 2)  # stores of format 2 were all of two


def any_table_of(
    store: Store,
    names: Sequence[str] | None = None,
    *,
    complete: bool = True,
    anchors: Mapping[str, float] | None = None,
) -> AnyTable:
    """The standings of a store.

    Args:
        store: the games.
        names: only these; None takes everyone who was entered.
        complete: what to say of it.
        anchors: as of `standings.table_of`, for games of two players.

    Raises:
        UsageError: an anchor is not among the rated, or the game is not one of two players.
    """
    players = players_of(store)
    check_anchors(str(store.setting("game")), players, None, anchors)
    if players == 2:
        return table_of(store, names, complete=complete, anchors=anchors)
    return (score_table_of if players == 1 else many_table_of)(store, names, complete=complete)


def check_anchors(game: str, players: int, names: Sequence[str] | None, anchors: Mapping[str, float] | None) -> None:
    """Refuse anchors that cannot hold anything.

    Raises:
        UsageError: the game is not one of two players, or an anchor is nobody of the names.
    """
    if anchors and players != 2:
        raise UsageError(f"anchors are Elo ratings, of games of two players, and {game} has {players}")
    for name in anchors or () if names is not None else ():
        if name not in (names or ()):
            raise UsageError(f"the anchor '{name}' does not play; contestants are {', '.join(names or ())}")
