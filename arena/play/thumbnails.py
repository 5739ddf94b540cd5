"""Small pictures of the games, made beside all else: rules that are used first are compiled, for seconds."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

import numpy as np

from lanista.arena.play.table import Start, Table
from lanista.errors import UsageError

PLIES = 14
logger = logging.getLogger("lanista.play")


class Thumbnails:
    """Pictures by the games' strings, as far as they are made."""

    def __init__(self) -> None:
        self._made: dict[str, str] = {}

    def begin(self, games: Sequence[str]) -> None:
        """Make them one by one, in a thread."""
        threading.Thread(target=self._make, args=(list(games),), name="thumbnails", daemon=True).start()

    def of(self, game: str) -> str:
        """A game's picture as SVG, or "" while there is none."""
        return self._made.get(game, "")

    def _make(self, games: Sequence[str]) -> None:
        for game in games:
            try:
                self._made[game] = picture(game)
            except UsageError as error:
                logger.warning("no picture of %s: %s", game, error)


def picture(game: str) -> str:
    """A game some random plies after its start.

    Raises:
        UsageError: there is no such game.
    """
    table = Table(Start(game, 5))
    draws = np.random.default_rng(8)
    for _ in range(min(PLIES, (table.spec.longest or 3 * PLIES) // 3)):
        movers = table.movers()
        if not movers or table.step([int(draws.choice(table.legal(player))) for player in movers]).ended:
            break
    return table.picture(None)
