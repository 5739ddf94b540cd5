"""Where a move is touched is where the picture shows it, also from the second player's side."""

from __future__ import annotations

import re

import numpy as np
import pytest

from lanista.envs.batched import BatchedGame
from lanista.envs.catalogue import make
from lanista.envs.surface import Touch


def drawn(picture: str) -> list[tuple[float, float]]:
    """The middles of the stones and pieces in a picture."""
    shift = re.search(r'<g transform="translate\((\S+) (\S+)\)">', picture)
    right, down = (float(shift[1]), float(shift[2])) if shift else (0.0, 0.0)
    circles = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)" r="(?:1[3-6]|5)[\d.]*" fill="(?!#f4f6f8|none)', picture)
    pieces = re.findall(r'<g transform="translate\((\d+) (\d+)\) scale', picture)
    found = [(float(x) + right, float(y) + down) for x, y in circles]
    return found + [(float(x) + 20 + right, float(y) + 20 + down) for x, y in pieces]


def picture(table: BatchedGame, turned: bool) -> str:
    """The position from one side."""
    surface = table.rules.surface
    if turned and surface is not None and surface.turned is not None:
        return surface.turned(table.states[0], None, None)
    return table.picture(0)


def is_at(pieces: list[tuple[float, float]], touch: Touch) -> bool:
    """Whether one of the pieces stands on a cell."""
    return any(abs(x - touch.x) + abs(y - touch.y) < 0.2 for x, y in pieces)


GAMES = ["tictactoe", "connect_four", "othello", "go:size=5", "hex:size=3", "breakthrough", "chess"]


@pytest.mark.parametrize("game", GAMES)
def test_a_move_is_touched_where_its_piece_is_drawn(game: str) -> None:
    table = make(game, restart=False)
    assert isinstance(table, BatchedGame) and table.rules.surface is not None
    surface, draws = table.rules.surface, np.random.default_rng(2)
    table.reset(1)
    for _ in range(6):
        turn = table.turn()
        assert turn.legal is not None
        action = int(draws.choice(np.flatnonzero(turn.legal[0])))
        word, sides = table.print_move(0, action), (False, True) if surface.turned else (False,)
        touched = [surface.touch(table.states[0], action, turned) for turned in sides]
        before = [drawn(picture(table, turned)) for turned in sides]
        table.step(np.array([action]))
        now = [drawn(picture(table, turned)) for turned in sides]
        for touches, earlier, later in zip(touched, before, now, strict=True):
            if not touches:  # it is said
                assert word in ("pass", "swap")
                continue
            end = touches[-1]
            assert is_at(later, end), (game, word, end)
            if len(touches) == 2:
                assert is_at(earlier, touches[0]) and not is_at(later, touches[0])
            if end.width:  # what falls is touched anywhere in its column
                assert end.left <= end.x <= end.left + end.width and end.top <= end.y <= end.top + end.height


def test_a_turned_board_is_the_same_from_the_other_side() -> None:
    for game in ("chess", "breakthrough"):
        table = make(game, restart=False)
        assert isinstance(table, BatchedGame)
        surface = table.rules.surface
        assert surface is not None and surface.turned is not None
        table.reset(0)
        usual, turned = drawn(table.picture(0)), drawn(surface.turned(table.states[0], None, None))
        middle = 20 + 4 * 40, 4 + 4 * 40
        assert {(2 * middle[0] - x, 2 * middle[1] - y) for x, y in usual} == set(turned)
        labels = re.findall(r">([a-h1-8])</text>", surface.turned(table.states[0], None, None))
        assert labels[:8] == list("12345678") and labels[8:] == list("hgfedcba")
