"""All games of a tournament in one page: small enough to open at once, each ready to be stepped through.

Of a game's pictures only what changes from one to the next is kept. Games lie in compressed chunks, which a browser
unpacks when one of their games is looked at (`DecompressionStream`); only the list of all games is unpacked at once.
"""

from __future__ import annotations

import base64
import json
import time
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from lanista.arena.drawn_games import DrawnGame, drawn_games
from lanista.arena.stored_games import StoredGame

CHUNK = 100  # games that are unpacked together
MOVES_AT_ONCE = 500  # of games that are drawn before the clock is looked at; some environments draw 100 a second
PICTURED = 0.6  # the part of time and room that pictures may take where the rest of the games shows its moves alone
MOST_BYTES = 6_000_000  # of all chunks, as they stand in the page
SECONDS = 60.0  # of processor time, for drawing
LONGEST = 2_000  # moves of a game that is drawn
UNLIKE = -2  # in the place of a game that cannot be played again as it is stored
MOST_LISTED = 100_000
PIXELS = ";base64,"  # in a part that is a picture of pixels, which compresses no further


def browsed_games(
    name: str, games: Mapping[int, StoredGame], *, seconds: float = SECONDS, room: int = MOST_BYTES
) -> dict[str, Any]:
    """Games as plain data for the script of `report_games.html`.

    Where there is not time or room for all, those that are drawn are spread evenly over who met. In games that are not
    for two the others are shown by their moves and returns, as far as there is time and room for that.

    Args:
        name: the game's string.
        games: by their numbers in the store.
        seconds: of processor time for drawing.
        room: bytes that the drawn ones may have.

    Returns:
        "names": of all contestants; "reasons": how games ended; "players": how many seats a game has; "index": the list
        of games, compressed, columns of (number, who sat in each seat, return of each seat, reason, player at fault or
        -1, moves, opening, place among those that can be stepped through, or -1, or -2 of one that cannot be played
        again as it is stored); "parts": what pictures are made of, compressed; "chunks": the games that can be stepped
        through; "size": games of a chunk; "drawn", "stepped", "unlike" and "listed": how many have pictures, can be
        stepped through, cannot be played again, and are listed; "whole": how many there are.
    """
    shown = {number: game for number, game in games.items() if not game.void}
    whole = len(shown)
    if whole > MOST_LISTED:
        shown = {number: shown[number] for number in sorted(_spread(shown)[:MOST_LISTED])}
    players = max((len(game.returns) for game in shown.values()), default=2)
    packer, places = _packed(name, shown, players, seconds, room)
    chunks = packer.finished()
    names = sorted({each for game in shown.values() for each in game.seats})
    reasons = sorted({game.reason for game in shown.values()})
    at, why = {each: n for n, each in enumerate(names)}, {each: n for n, each in enumerate(reasons)}
    rows = [
        (
            number, [at[each] for each in game.seats], [_short(each) for each in game.returns], why[game.reason],
            -1 if game.at_fault is None else game.at_fault, len(game.moves), len(game.opening), places.get(number, -1),
        )
        for number, game in sorted(shown.items())
    ]  # fmt: skip
    return {
        "names": names,
        "reasons": reasons,
        "players": players,
        "index": _compressed([list(column) for column in zip(*rows, strict=True)]),
        "parts": _compressed(list(packer.parts)),
        "chunks": chunks,
        "size": CHUNK,
        "drawn": packer.drawn,
        "stepped": sum(place >= 0 for place in places.values()),
        "unlike": sum(place == UNLIKE for place in places.values()),
        "listed": len(rows),
        "whole": whole,
    }


def _packed(
    name: str, shown: Mapping[int, StoredGame], players: int, seconds: float, room: int
) -> tuple[_Packer, dict[int, int]]:
    """The games that can be stepped through, and the place of each among them by its number."""
    packer = _Packer()
    places: dict[int, int] = {}
    began, bare = time.process_time(), players != 2
    share = PICTURED if bare else 1.0
    for part in _parts(shown):
        used = max((time.process_time() - began) / seconds if seconds > 0 else 1.0, packer.bytes / room)
        if used > 1 or (used > share and not bare):
            break
        games = [shown[each] for each in part]
        for number, drawn in zip(part, drawn_games(name, games, pictures=used <= share), strict=True):
            places[number] = UNLIKE if drawn is None else packer.add(drawn)
    return packer, places


def _parts(shown: Mapping[int, StoredGame]) -> Iterator[list[int]]:
    """The numbers of the games that are not too long, those in turn that are played again together."""
    part: list[int] = []
    moves = 0
    for number in _spread(shown):
        length = len(shown[number].moves)
        if not 0 < length <= LONGEST:
            continue
        if part and (moves + length > MOVES_AT_ONCE or len(part) == CHUNK):
            yield part
            part, moves = [], 0
        part.append(number)
        moves += length
    if part:
        yield part


def _short(value: float) -> float:
    """A number as it is shown."""
    return float(f"{value:.4g}")


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
        self.drawn = 0  # games with pictures
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
        movers = [-1 if mover is None else mover for mover in drawn.movers]
        told = values if any(value >= 0 for value in values) else []
        self.drawn += bool(frames)
        self._open.append([drawn.moves, movers, drawn.opening, frames, told, _returns(drawn)])
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
                    self.bytes += len(part) if PIXELS in part else len(part) // 4  # about what is left of it
            return self._numbered(parts)

    def _close(self) -> None:
        self._chunks.append(_compressed(self._open))
        self.bytes += len(self._chunks[-1])
        self._open = []


def _returns(drawn: DrawnGame) -> list[list[float]]:
    """What the players have been given so far at each step; empty where all comes at the end."""
    if not any(any(step) for step in drawn.returns[:-1]):
        return []
    return [[_short(each) for each in step] for step in drawn.returns]


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
