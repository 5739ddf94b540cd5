"""Games whose episodes are levels: a number decides what is played. And games that have none say so."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from random_play import DOOR_GAMES, door_game, random_actions

from lanista.envs import Turn, make
from lanista.envs.core import LevelGame
from lanista.errors import UsageError

COPIES = 4
PROCEDURAL = ("envpool:BabyAI-GoToLocal-v0", "envpool:MiniGrid-MultiRoom-N2-S4-v0", "envpool:CoinrunEasy-v0")


def level_game(name: str) -> Any:
    """A game of levels, skipped where it is not to be had; Procgen's need Qt besides EnvPool."""
    try:
        game = make(name, COPIES, restart=False)
    except UsageError as error:
        if "Qt" not in str(error):
            raise
        pytest.skip(str(error))
    assert isinstance(game, LevelGame) and game.spec.levels, name
    return game


def seen(turn: Turn, copy: int) -> list[list[float]]:
    (row,) = np.flatnonzero(turn.copies == copy)
    return [value[row].ravel().tolist() for value in turn.observation.values()]


GAMES = [
    door_game(name)
    for name in (*DOOR_GAMES, *PROCEDURAL)
    if name.startswith("gym:") or (name.startswith("envpool:") and "Connect" not in name and "Leduc" not in name)
]


@pytest.mark.parametrize("name", GAMES)
def test_a_level_is_the_same_in_every_copy_and_after_any_other(name: str) -> None:
    """Levels are begun again and again while the other copies go on; each begins as it began at first."""
    game = level_game(name)
    random = np.random.default_rng(0)
    levels = np.array([0, 1, 2, 0])
    game.begin_levels(levels, np.arange(COPIES), [1, 2, 3, 4])
    turn = game.turn()
    assert turn.copies.tolist() == [0, 1, 2, 3] and not turn.plies.any()
    assert seen(turn, 0) == seen(turn, 3)
    began = {int(level): seen(turn, copy) for copy, level in enumerate(levels)}
    serial, checked = int(turn.games.max()), 0
    for _ in range(25):
        outcome = game.step(random_actions(game, turn))
        free = np.flatnonzero(outcome.finished | (random.random(COPIES) < 0.2))
        before = game.turn()
        levels[free] = random.integers(0, 4, len(free))
        if len(free):
            game.begin_levels(levels[free], free, random.integers(99, size=len(free)).tolist())
        turn = game.turn()
        assert turn.copies.tolist() == [0, 1, 2, 3], "no copy waits"
        for copy in range(COPIES):
            if copy in free:
                assert turn.plies[copy] == 0 and turn.games[copy] > serial
                assert began.setdefault(int(levels[copy]), seen(turn, copy)) == seen(turn, copy)
                checked += 1
            else:
                assert seen(turn, copy) == seen(before, copy), "the others go on"
        serial = int(turn.games.max())
    assert checked > 10


@pytest.mark.parametrize("name", GAMES[:1])
def test_the_draws_come_from_the_seeds_and_the_level_from_its_number(name: str) -> None:
    game = level_game(name)
    game.begin_levels(np.array([5, 5, 6]), np.array([2, 0, 1]), [8, 9, 8])
    turn = game.turn()
    assert turn.copies.tolist() == [0, 1, 2], "a copy that never began waits"
    assert turn.draws[1] == turn.draws[2] and turn.draws[0] != turn.draws[2]
    assert seen(turn, 0) == seen(turn, 2) != seen(turn, 1)
    game.reset(1)
    assert len(game.turn()) == COPIES, "ordinary games can follow"
    game.begin_levels(np.array([5]), np.array([3]), [8])
    assert seen(game.turn(), 3) == seen(turn, 0)


def test_a_gymnasium_level_is_its_reset_with_that_seed() -> None:
    import gymnasium

    game = level_game("gym:CartPole-v1")
    game.begin_levels(np.array([3, 10**9]), np.array([0, 1]), [0, 0])
    env = gymnasium.make("CartPole-v1")
    for copy, level in ((0, 3), (1, 10**9)):
        assert seen(game.turn(), copy) == [env.reset(seed=level)[0].tolist()]


@pytest.mark.parametrize("name", ["tictactoe", "openspiel:catch", "zoo:classic/rps_v2", "envpool:ConnectFour-v1"])
def test_games_without_levels_say_so(name: str) -> None:
    if name.startswith("openspiel") and find_spec("pyspiel") is None:
        pytest.skip("the package pyspiel is not installed")
    if name.startswith("envpool") and find_spec("envpool") is None:
        pytest.skip("the package envpool is not installed")
    game = make(name)
    assert not game.spec.levels
    if isinstance(game, LevelGame):
        with pytest.raises(UsageError, match="has no levels to choose"):
            game.begin_levels(np.array([0]), np.array([0]), [0])


@pytest.mark.parametrize("name", ["envpool:CoinrunEasy-v0?num_levels=3", "envpool:CoinrunExploration-v0"])
def test_procgen_games_whose_levels_are_set_have_none_to_choose(name: str) -> None:
    pytest.importorskip("envpool", reason="the package envpool is not installed")
    try:
        assert not make(name).spec.levels
    except UsageError as error:
        if "Qt" not in str(error):
            raise
        pytest.skip(str(error))
