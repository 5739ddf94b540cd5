"""Positions of boards of stones as texts: what is written is read again; what cannot be is refused with a reason."""

from __future__ import annotations

import numpy as np
import pytest

from lanista.envs.batched import BatchedGame, position_of
from lanista.envs.catalogue import make, native_rules
from lanista.errors import UsageError

GAMES = ["othello", "hex:size=3,swap=true", "breakthrough:rows=4,columns=2", "go:size=5"]  # small: each is compiled
PLIES = 40  # a game of Go on 5 x 5 is cut off after 50


def native(name: str) -> BatchedGame:
    game = make(name, restart=False)
    assert isinstance(game, BatchedGame)
    game.reset([0])
    return game


@pytest.mark.parametrize("name", GAMES)
def test_a_game_goes_on_from_its_text_as_from_its_moves(name: str) -> None:
    played, read = native(name), native(name)
    for seed in range(3):
        played.reset([seed])
        random = np.random.default_rng(seed)
        for _ in range(PLIES):
            turn = played.turn()
            if not len(turn):
                break
            assert turn.legal is not None
            text = played.print_position(0)
            read.parse_position(0, text)
            again = read.turn()
            assert read.print_position(0) == text and again.players.tolist() == turn.players.tolist()
            assert np.array_equal(turn.observation["board"][:, :2], again.observation["board"][:, :2])
            assert again.legal is not None
            action = int(random.choice(np.flatnonzero(turn.legal[0])))
            if name.startswith("go"):  # the text knows no earlier positions: more is legal
                assert not (turn.legal & ~again.legal).any()
                if played.print_move(0, action) == "pass":  # one pass before is not in the text either
                    played.step(np.array([action]))
                    continue
            else:
                assert np.array_equal(turn.legal, again.legal)
            ends = [game.step(np.array([action])) for game in (played, read)]
            assert ends[0].rewards.tolist() == ends[1].rewards.tolist()
            if not ends[0].finished[0]:
                assert played.print_position(0) == read.print_position(0)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("othello", "8/8/8/8/8/8/8 x", "write 8 rows of 8 cells"),
        ("othello", "8/8/8/3ox3/3xo3/8/8/8 w", "x or o, not 'w'"),
        ("othello", "8/8/8/3xx3/3xx3/8/8/8 x", "nobody can move"),
        ("hex:size=3,swap=true", "x2/x2/x2 o", "both sides are joined"),
        ("hex:size=3,swap=true", "x3/3/3 o", "write 3 rows of 3 cells"),
        ("breakthrough:rows=4,columns=2", "xo/2/2/xx x", "come to the far side"),
        ("breakthrough:rows=4,columns=2", "2/2/2/xx x", "o has no piece"),
        ("go:size=5", "xo3/o4/5/5/5 x", "the stone on A5 has no liberty"),
        ("go:size=5", "5/oo3/xxo2/xxo2/oo3 x", "the stone on A3 has no liberty"),
    ],
)
def test_what_cannot_be_played_on_is_refused(name: str, text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        position_of(native_rules(name), text)


def test_stones_that_are_set_up_are_captured_as_others() -> None:
    game = native("go:size=5")
    game.parse_position(0, "xoo2/1x3/5/5/5 x")
    for word in ("C4", "pass", "D5"):
        game.step(np.array([game.parse_move(0, word)]))
    assert game.print_position(0) == "x2x1/1xx2/5/5/5 o"


def test_only_a_first_stone_is_taken_over() -> None:
    game = native("hex:size=3,swap=true")
    for text, may in (("x2/3/3 o", True), ("3/3/3 o", False), ("o2/3/3 o", False), ("xx1/o2/3 o", False)):
        game.parse_position(0, text)
        legal = game.turn().legal
        assert legal is not None and bool(legal[0, -1]) == may, text
