"""A JSON object a line, for every game: moves as actions and in words, and all else that is stored."""

from __future__ import annotations

import json
from collections.abc import Iterator

from lanista.arena.exports import Exported


def texts(exported: Exported) -> Iterator[str]:
    """One line a game."""
    for number, game in exported.games.items():
        plain = {
            "game": exported.game,
            "number": number,
            "players": game.seats,
            "round": game.number,
            "leg": game.leg,
            "seed": game.seed,
            "opening_plies": len(game.opening),
            "moves": game.moves,
            "words": [word.text for word in exported.words(number)],
            "returns": game.returns,
            "reason": game.reason,
            "at_fault": game.at_fault,
            "stored_at": game.stored_at,
        }
        # Most games have none of these.
        plain |= {"position": game.position} if game.position else {}
        plain |= {"seconds": game.seconds} if game.seconds else {}
        plain |= {"expected": [value and round(value, 3) for value in game.values]} if game.values else {}
        yield json.dumps(plain, ensure_ascii=False) + "\n"
