"""Games that need not be played out: given up, agreed drawn, or too long, by the values that the players tell.

The rules are those of cutechess and fastchess. A player's value is the return that it expects, as `Choice.value` has
it; here it is a share of the greatest return there is, from -1 (lost) to 1 (won). Whoever tells no value neither gives
up nor agrees.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from lanista.envs.core import Choice, GameSpec, Ints, Turn
from lanista.errors import UsageError, unknown

PAWNS = 400.0  # centipawns that make the odds ten to one, as in Elo's formula
RESIGN, DRAW, LENGTH = (f"adjudicated: {word}" for word in ("resign", "draw", "length"))
ADJUDICATED = (RESIGN, DRAW, LENGTH)


class Adjudicated(str):
    """A reason for which a game ends that is no failure."""


@dataclass(frozen=True)
class ResignRule:
    """When a player gives up.

    Attributes:
        movecount: after so many moves of its own in a row that it finds lost.
        score: a move finds a game lost whose value is at most minus this.
        twosided: and its opponent has found it won for as many.
    """

    movecount: int = 3
    score: float = 0.95
    twosided: bool = True


@dataclass(frozen=True)
class DrawRule:
    """When both agree on a draw.

    Attributes:
        movenumber: not before so many moves of each.
        movecount: after so many moves of each in a row that find it even.
        score: a move finds a game even whose value is at most this from 0, either way.
    """

    movenumber: int = 40
    movecount: int = 8
    score: float = 0.03


@dataclass(frozen=True)
class Adjudication:
    """By what rules games end before their end; None and 0 are no such rule.

    Attributes:
        resign, draw: see there.
        most_plies: a game is a draw that has had so many plies, those of its opening included.
    """

    resign: ResignRule | None = None
    draw: DrawRule | None = None
    most_plies: int = 0

    def __bool__(self) -> bool:
        return self.resign is not None or self.draw is not None or self.most_plies > 0

    def settings(self) -> dict[str, Any]:
        """What a store remembers: another adjudication has others."""
        rules: dict[str, Any] = {"resign": self.resign, "draw": self.draw}
        found = {name: _written(rule) for name, rule in rules.items() if rule is not None}
        return found | ({"max plies": self.most_plies} if self.most_plies else {})


def _written(rule: Any) -> str:
    return " ".join(f"{part.name}={_plain(getattr(rule, part.name))}" for part in fields(rule))


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:g}"


def adjudication_of(resign: Sequence[str] = (), draw: Sequence[str] = (), most_plies: int = 0) -> Adjudication | None:
    """Read the rules as they are written: `movecount=3 score=0.95`, `movenumber=40 movecount=8 score=0.03`.

    A score above 1 is in centipawns, as engines of chess tell them.

    Args:
        resign, draw: words of the one and the other; none leaves it out.
        most_plies: 0 leaves it out.

    Returns:
        The rules, None if there are none.

    Raises:
        UsageError: a word is unknown, or a number out of its range.
    """
    if most_plies < 0:
        raise UsageError(f"a game's greatest number of plies is 1 or more, or 0 for none, not {most_plies}")
    found = Adjudication(_read("resign", resign, ResignRule), _read("draw", draw, DrawRule), most_plies)
    return found or None


def _read(what: str, words: Sequence[str], kind: type[Any]) -> Any:
    known = {part.name: part.default for part in fields(kind)}
    given: dict[str, Any] = {}
    for word in filter(None, re.split(r"[,\s]+", " ".join(words))):
        key, _, value = word.partition("=")
        if key not in known:
            raise unknown(f"word of --{what}", key, known)
        given[key] = _value(what, key, value, known[key])
    return kind(**given) if given else None


def _value(what: str, key: str, text: str, default: Any) -> Any:
    if isinstance(default, bool):
        if text.lower() in ("true", "false"):
            return text.lower() == "true"
        raise UsageError(f"--{what}: {key} is true or false, not '{text}'")
    if isinstance(default, int):
        if text.isdecimal() and int(text) >= (key == "movecount"):
            return int(text)
        raise UsageError(f"--{what}: {key} is a whole number of moves, not '{text}'")
    try:
        score = float(text)
    except ValueError:
        score = -1.0
    if not 0 <= score < 100_000:
        raise UsageError(f"--{what}: score is a value from 0 to 1, or centipawns above 1, not '{text}'")
    return share_of(score) if score > 1 else score


def share_of(centipawns: float) -> float:
    """The value, from -1 to 1, of centipawns by Elo's formula."""
    return 2 / (1 + 10 ** (-max(-10_000.0, min(10_000.0, centipawns)) / PAWNS)) - 1


class Adjudicator:
    """Watches the values of the games that are being played."""

    def __init__(self, rules: Adjudication, spec: GameSpec, copies: int) -> None:
        """Begin; `begin` begins each game.

        Raises:
            UsageError: the game is not one of two players in turn.
        """
        if spec.players != 2 or spec.kind != "turn-based":
            raise UsageError(
                f"games of two players who move in turn can be adjudicated, and {spec.name} is no such game"
            )
        self.rules = rules
        least, greatest = spec.returns
        bounded = np.isfinite(least) and np.isfinite(greatest)
        self._even = (least + greatest) / 2 if bounded else 0.0
        self._span = (greatest - least) / 2 if bounded else 1.0
        self._lost = np.zeros((copies, 2), np.int64)  # moves in a row that found it lost
        self._won = np.zeros((copies, 2), np.int64)
        self._level = np.zeros((copies, 2), np.int64)

    def begin(self, copies: Ints) -> None:
        """Begin new games."""
        for counted in (self._lost, self._won, self._level):
            counted[copies] = 0

    def rule(self, turn: Turn, choice: Choice) -> dict[int, Adjudicated]:
        """Row -> why its game ends instead of this move; it is asked once a move.

        Args:
            turn: the rows that were asked.
            choice: their answers, with a value where the player tells one.
        """
        found: dict[int, Adjudicated] = {}
        waiting = np.zeros(len(turn), bool) if choice.waiting is None else choice.waiting
        for row in np.flatnonzero(~waiting).tolist():
            copy, player, plies = int(turn.copies[row]), int(turn.players[row]), int(turn.plies[row])
            if self.rules.most_plies and plies >= self.rules.most_plies:
                found[row] = Adjudicated(LENGTH)
            elif row not in choice.failed:
                value = np.nan if choice.value is None else float(choice.value[row])
                share = round((value - self._even) / self._span, 6)  # of a float32: 0.1 is within 0.1
                reason = self._count(copy, player, plies, share)
                if reason:
                    found[row] = Adjudicated(reason)
        return found

    def _count(self, copy: int, player: int, plies: int, value: float) -> str:
        """Count a move's value, NaN if there is none; why the game ends, if it does."""
        resign, draw = self.rules.resign, self.rules.draw
        if resign is not None:
            for counted, is_so in ((self._lost, value <= -resign.score), (self._won, value >= resign.score)):
                counted[copy, player] = counted[copy, player] + 1 if is_so else 0
            agreed = not resign.twosided or self._won[copy, 1 - player] >= resign.movecount
            if self._lost[copy, player] >= resign.movecount and agreed:
                return RESIGN
        if draw is not None:
            self._level[copy, player] = self._level[copy, player] + 1 if abs(value) <= draw.score else 0
            if plies >= 2 * draw.movenumber and (self._level[copy] >= draw.movecount).all():
                return DRAW
        return ""
