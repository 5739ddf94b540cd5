"""How games leave a store, one file each; the file's name is the format's id and the usual end of such a file's name.

A file offers `texts(exported) -> Iterator[str]`: the parts of the file, in order. It may raise `UsageError`, as for a
game of which the field has no such notation.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lanista.arena.store import Store
from lanista.arena.stored_games import StoredGame
from lanista.envs import make
from lanista.envs.batched import begin_games
from lanista.envs.core import Game
from lanista.errors import UsageError
from lanista.files import claim_folder, drafted
from lanista.plugs import plug

EXPORTS = "lanista.arena.exports"


@dataclass(frozen=True)
class Word:
    """A move of an exported game.

    Attributes:
        player: who played it.
        action: its number, or numbers.
        text: as the field writes it.
    """

    player: int
    action: Any
    text: str


@dataclass(frozen=True)
class Exported:
    """What there is to write.

    Attributes:
        store: where the games are.
        game: the game's string.
        games: the games by their numbers in the store.
        board: one copy of the game; after `words` it stands at the end of that game.
    """

    store: Store
    game: str
    games: Mapping[int, StoredGame]
    board: Game

    def words(self, number: int) -> list[Word]:
        """The moves of a game, opening included, in words.

        Raises:
            UsageError: the rules do not play them.
        """
        game, board = self.games[number], self.board
        words: list[Word] = []
        begin_games(board, [game.seed], positions=[game.position])
        try:
            while len(words) < len(game.moves) and len(turn := board.turn()):
                now = game.moves[len(words) : len(words) + len(turn)]
                words += [
                    Word(int(player), action, board.print_move(0, action) if np.ndim(action) == 0 else str(action))
                    for player, action in zip(turn.players, now, strict=False)
                ]
                if len(now) == len(turn):  # else someone failed in this round of a simultaneous game
                    board.step(np.array(now))
        except (ValueError, IndexError) as error:
            raise UsageError(f"game {number} cannot be played again: {error}; see lanista verify") from None
        return words


def export_games(store: Store, form: str, out: Path) -> int:
    """Write all games of a store into a file, which is replaced as a whole.

    Args:
        store: the games.
        form: a file of this folder.
        out: the file.

    Returns:
        How many games there are.

    Raises:
        UsageError: no such format, none for this game, or nothing can be written there.
    """
    module = plug(EXPORTS, "format of exported games", form)
    name = store.game_string()
    games, damaged = store.readable()
    if damaged:
        raise UsageError(f"game {next(iter(damaged))} of {store.path} cannot be read; 'lanista verify' names all such")
    exported = Exported(store, name, games, make(name, 1, restart=False))
    claim_folder(out.parent)
    with drafted(out) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        texts: Iterator[str] = module.texts(exported)
        for text in texts:
            file.write(text)
    return len(games)


def day(game: StoredGame) -> str:
    """When a game was stored, `2026.11.29`, in universal time."""
    return time.strftime("%Y.%m.%d", time.gmtime(game.stored_at))
