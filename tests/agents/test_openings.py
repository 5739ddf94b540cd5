"""Random openings: legal, not ending the game, each from its seed alone."""

from __future__ import annotations

import numpy as np
import pytest

from lanista.agents.random_openings import random_openings
from lanista.envs.catalogue import make
from lanista.errors import UsageError


@pytest.mark.parametrize(
    ("game", "plies"),
    [("tictactoe", (0, 8)), ("tictactoe", (6, 8)), ("connect_four", (0, 8)), ("connect_four", (30, 40))],
)
def test_openings_are_legal_and_leave_a_game(game: str, plies: tuple[int, int]) -> None:
    openings = random_openings(game, range(300), plies)
    lengths = {len(opening) for opening in openings}
    assert min(lengths) >= plies[0] and max(lengths) <= plies[1]
    table = make(game, 300, restart=False)
    table.reset(0, openings=openings)  # refuses an opening that is illegal or ends the game
    turn = table.turn()
    assert len(turn) == 300
    assert turn.plies.tolist() == [len(opening) for opening in openings]


def test_every_length_is_equally_likely_where_no_game_ends() -> None:
    lengths = np.bincount([len(opening) for opening in random_openings("connect_four", range(3500), (0, 6))])
    assert (abs(lengths - 500) < 110).all()
    firsts = np.bincount([opening[0] for opening in random_openings("connect_four", range(3500), (1, 3))])
    assert (abs(firsts - 500) < 110).all()


def test_an_opening_depends_on_its_seed_alone() -> None:
    whole = random_openings("tictactoe", range(2000), (3, 8))
    assert random_openings("tictactoe", range(2000), (3, 8)) == whole
    some = [1999, 5, 700, 5]
    assert random_openings("tictactoe", some, (3, 8)) == [whole[seed] for seed in some]
    assert len(set(whole)) > 1000


def test_seeds_of_any_size() -> None:
    openings = random_openings("connect_four", [-1, 2**64 - 1, 2**70 + 3, 3], (8, 8))
    assert openings[0] == openings[1] and openings[2] == openings[3] and openings[0] != openings[2]


def test_no_openings() -> None:
    assert random_openings("tictactoe", [], (0, 4)) == []
    assert random_openings("tictactoe", [1, 2], (0, 0)) == [(), ()]


def test_refuses_ranges_without_openings() -> None:
    for plies in ((3, 2), (-1, 2)):
        with pytest.raises(UsageError, match="range like 0 to 8"):
            random_openings("tictactoe", [1], plies)
    with pytest.raises(UsageError, match="always ended within an opening of 9 to 9 random plies"):
        random_openings("tictactoe", [1], (9, 9))
