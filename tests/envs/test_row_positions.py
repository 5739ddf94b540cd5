"""Positions of m,n,k games as text: printed, parsed, and what is wrong with those that cannot be."""

from __future__ import annotations

import numpy as np
import pytest

from lanista.envs.batched import BatchedGame
from lanista.envs.catalogue import make, native_rules
from lanista.errors import UsageError


def board(name: str) -> BatchedGame:
    game = make(name, 1, restart=False)
    assert isinstance(game, BatchedGame)
    game.reset([0])
    return game


@pytest.mark.parametrize("name", ["connect_four", "tictactoe"])
def test_a_printed_position_goes_on_as_the_game_does(name: str) -> None:
    chance = np.random.default_rng(0)
    played, other = board(name), board(name)
    for _ in range(40):
        turn = played.turn()
        if not len(turn) or turn.legal is None:
            break
        text = played.print_position(0)
        other.parse_position(0, text)
        assert other.print_position(0) == text
        assert played.rules.hash(played.states[0]) == played.rules.hash(other.states[0])
        action = int(chance.choice(np.flatnonzero(turn.legal[0])))
        outcomes = [game.step(np.array([action])) for game in (played, other)]
        assert np.array_equal(outcomes[0].rewards, outcomes[1].rewards)
        assert np.array_equal(outcomes[0].finished, outcomes[1].finished)
        assert all(
            bool((played.states[0][field] == other.states[0][field]).all()) for field in ("board", "height", "ply")
        )


def test_it_is_written_as_fen_is() -> None:
    game = board("connect_four")
    assert game.print_position(0) == "7/7/7/7/7/7 x"
    for column in (3, 3, 4):
        game.step(np.array([column]))
    assert game.print_position(0) == "7/7/7/7/3o3/3xx2 o"
    wide = native_rules("mnk:rows=6,columns=12,k=4,gravity=true")  # whose batch loops need not be compiled for this
    assert wide.parse_position is not None and wide.print_position is not None
    state = wide.parse_position("12/12/12/12/12/11X")
    assert wide.print_position(state) == "12/12/12/12/12/11x o", "who moves follows from the counts"
    assert state["height"].tolist() == [0] * 11 + [1]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("connect_four", "7/7/7/7/3x3/3o3/7 x", "write 6 rows of 7 cells"),
        ("connect_four", "7/7/7/7/7/6 x", "write 6 rows of 7 cells"),
        ("connect_four", "7/7/7/7/2x4/3o3 x", "the stone in column 3, row 2, floats"),
        ("connect_four", "7/7/7/7/7/xxx4 o", "3 x and 0 o cannot be"),
        ("connect_four", "7/7/7/7/7/3x3 x", "it is o who moves"),
        ("connect_four", "7/7/7/7/ooo4/xxxx3 o", "the game is over"),
        ("tictactoe", "xox/xox/oxo x", "3 x|the game is over|cannot be|it is o"),
        ("tictactoe", "x1y/3/3 x", "write 3 rows of 3 cells"),
        ("tictactoe", "99x/3/3 x", "write 3 rows of 3 cells"),
    ],
)
def test_what_cannot_be_is_named(name: str, text: str, words: str) -> None:
    game = board(name)
    before = game.print_position(0)
    with pytest.raises(UsageError, match=words):
        game.parse_position(0, text)
    assert game.print_position(0) == before
