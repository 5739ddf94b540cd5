"""All games of a tournament in one page: small enough to open at once, each ready to be stepped through.

Of a game's pictures only what changes from one to the next is kept. Games lie in compressed chunks, which a browser
unpacks when one of their games is looked at (`DecompressionStream`); only the list of all games is unpacked at once.
"""

from __future__ import annotations

import base64
import json
import time
import zlib
from collections.abc import Mapping
from itertools import islice
from typing import Any

from lanista.arena.drawn_games import DrawnGame, drawn_games
from lanista.arena.stored_games import StoredGame

CHUNK = 100  # games that are unpacked together
MOST_BYTES = 6_000_000  # of all chunks, as they stand in the page
SECONDS = 60.0  # of processor time, for drawing
LONGEST = 2_000  # moves of a game that is drawn
MOST_LISTED = 100_000


def browsed_games(
    name: str, games: Mapping[int, StoredGame], *, seconds: float = SECONDS, room: int = MOST_BYTES
) -> dict[str, Any]:
    """Games as plain data for the script of `report_games.html`.

    Where there is not time or room for all, those that are drawn are spread evenly over who met.

    Args:
        name: the game's string.
        games: by their numbers in the store.
        seconds: of processor time for drawing.
        room: bytes that the drawn ones may have.

    Returns:
        "names": of all contestants; "reasons": how games ended; "index": the list of games, compressed, columns of
        (number, first, second, points of the first times two, reason, player at fault or -1, moves, opening, place
        among the drawn ones or -1); "parts": what pictures are made of, compressed; "chunks": the drawn games;
        "size": games of a chunk; "drawn" and "listed": how many.
    """
    shown = {number: game for number, game in islice(games.items(), MOST_LISTED) if not game.void}
    packer = _Packer()
    places: dict[int, int] = {}
    until = time.process_time() + seconds
    order = [number for number in _spread(shown) if 0 < len(shown[number].moves) <= LONGEST]
    for begin in range(0, len(order), CHUNK):
        if time.process_time() > until or packer.bytes > room:
            break
        part = order[begin : begin + CHUNK]
        for number, drawn in zip(part, drawn_games(name, [shown[each] for each in part]), strict=True):
            if drawn is not None:
                places[number] = packer.add(drawn)
    chunks = packer.finished()
    names = sorted({each for game in shown.values() for each in game.seats})
    reasons = sorted({game.reason for game in shown.values()})
    at, why = {each: n for n, each in enumerate(names)}, {each: n for n, each in enumerate(reasons)}
    rows = [
        (
            number, at[game.seats[0]], at[game.seats[1]], round(2 * game.points(game.seats[0])), why[game.reason],
            -1 if game.at_fault is None else game.at_fault, len(game.moves), len(game.opening), places.get(number, -1),
        )
        for number, game in sorted(shown.items())
    ]  # fmt: skip
    return {
        "names": names,
        "reasons": reasons,
        "index": _compressed([list(column) for column in zip(*rows, strict=True)]),
        "parts": _compressed(list(packer.parts)),
        "chunks": chunks,
        "size": CHUNK,
        "drawn": len(places),
        "listed": len(rows),
    }


def _spread(games: Mapping[int, StoredGame]) -> list[int]:
    """The games' numbers, those of all who met in turn."""
    met: dict[tuple[str, ...], list[int]] = {}
    for number, game in games.items():
        met.setdefault(tuple(sorted(game.seats)), []).append(number)
    longest = max(map(len, met.values()), default=0)
    return [numbers[at] for at in range(longest) for numbers in met.values() if at < len(numbers)]


class _Packer:
    """Drawn games on their way into chunks."""

    def __init__(self) -> None:
        self.parts: dict[str, int] = {}
        self.bytes = 0
        self._chunks: list[str] = []
        self._open: list[Any] = []

    def add(self, drawn: DrawnGame) -> int:
        """Take a game; gives its place."""
        place = len(self._chunks) * CHUNK + len(self._open)
        frames: list[Any] = []
        last: list[int] = []
        for frame in drawn.frames:
            now = self._numbered(frame.split("<")[1:])
            frames.append(_change(last, now))
            last = now
        values = [-1 if value is None else round(100 * value) for value in drawn.values]
        movers = [2 if mover is None else mover for mover in drawn.movers]
        told = values if any(value >= 0 for value in values) else []
        self._open.append([drawn.moves, movers, drawn.opening, frames, told])
        if len(self._open) == CHUNK:
            self._close()
        return place

    def finished(self) -> list[str]:
        """All chunks."""
        if self._open:
            self._close()
        return self._chunks

    def _numbered(self, parts: list[str]) -> list[int]:
        try:
            return list(map(self.parts.__getitem__, parts))  # nearly always all are known
        except KeyError:
            for part in parts:
                if part not in self.parts:
                    self.parts[part] = len(self.parts)
                    self.bytes += len(part) // 4  # about what is left of it
            return self._numbered(parts)

    def _close(self) -> None:
        self._chunks.append(_compressed(self._open))
        self.bytes += len(self._chunks[-1])
        self._open = []


def _change(before: list[int], now: list[int]) -> list[int]:
    """What turns one picture's parts into the next one's.

    Returns:
        Where both have as many parts, place and new part of each that differs, as a flat list; else -1, how many parts
        at the beginning and at the end stay, and those between.
    """
    if len(before) == len(now):
        return [each for at, (old, new) in enumerate(zip(before, now, strict=True)) if old != new for each in (at, new)]
    least = min(len(before), len(now))
    start = next((at for at in range(least) if before[at] != now[at]), least)
    end = next((at for at in range(least - start) if before[-1 - at] != now[-1 - at]), least - start)
    return [-1, start, end, *now[start : len(now) - end]]


def _compressed(value: Any) -> str:
    return base64.b64encode(zlib.compress(json.dumps(value, separators=(",", ":")).encode(), 9)).decode()
