"""Portable Game Notation, for chess; the opening's plies are counted in a tag, and a failure is told in another.

Games that begin from a position tell it in `SetUp` and `FEN`; what each move took stands behind it as `[%emt]`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from lanista.arena.exports import Exported, Word, day
from lanista.arena.stored_games import StoredGame
from lanista.errors import UsageError

RESULTS = {1.0: "1-0", 0.5: "1/2-1/2", 0.0: "0-1"}  # of the first seat's points


def texts(exported: Exported) -> Iterator[str]:
    """One game after another.

    Raises:
        UsageError: the game is not chess, for which alone PGN is.
    """
    if exported.game != "chess":
        raise UsageError(f"PGN is for chess, and this store is of {exported.game}; use jsonl, or sgf where that fits")
    for number, game in exported.games.items():
        words = exported.words(number)
        result = "*" if game.void else RESULTS[game.points(game.seats[0])]
        tags = "".join(f'[{key} "{_escaped(value)}"]\n' for key, value in _tags(number, game, words, result).items())
        yield f"{tags}\n{textwrap.fill(_movetext(game, words, result), 80)}\n\n"


def _tags(number: int, game: StoredGame, words: list[Word], result: str) -> dict[str, str]:
    """The seven tags that every game has, in their order, and ours."""
    ended = "normal" if game.reason == "end" else "abandoned" if game.void else "adjudication"
    if game.at_fault is not None:
        known = {"illegal": "rules infraction", "time": "time forfeit"}
        ended = known.get(game.reason.partition(" ")[0], "abandoned")
    tags = {
        "Event": "Lanista tournament",
        "Site": "?",
        "Date": day(game),
        "Round": f"{game.number + 1}.{game.leg + 1}",
        "White": game.seats[0],
        "Black": game.seats[1],
        "Result": result,
        "GameId": str(number),
        "PlyCount": str(len(words)),
        "OpeningPlies": str(len(game.opening)),
        "Termination": ended,
    }
    if game.position:
        tags |= {"SetUp": "1", "FEN": game.position}
    return tags if game.reason == "end" else tags | {"Reason": game.reason}


def _movetext(game: StoredGame, words: list[Word], result: str) -> str:
    number, mover = _first_move(game.position)
    took = [None] * len(game.opening) + list(game.seconds[: len(words) - len(game.opening)])
    parts = []
    for at, word in enumerate(words):
        ply = 2 * number - 2 + mover + at
        if ply % 2 == 0 or at == 0:
            parts.append(f"{ply // 2 + 1}." + ".." * (ply % 2))
        parts.append(word.text)
        seconds = took[at] if at < len(took) else None
        if seconds is not None:
            minutes, rest = divmod(seconds, 60)
            parts.append(f"{{[%emt {minutes // 60:.0f}:{minutes % 60:02.0f}:{rest:06.3f}]}}")
    return " ".join([*parts, result])


def _first_move(position: str) -> tuple[int, int]:
    """The number of the first move and who makes it, 0 or 1, by the FEN that a game begins from; "" is the start."""
    if not position:
        return 1, 0
    words = position.split()
    return int(words[5]), int(words[1] == "b")


def _escaped(text: str) -> str:
    return " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"')
