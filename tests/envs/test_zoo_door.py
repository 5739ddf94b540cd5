"""The zoo door against native games, and on environments that drop players, differ in roles, raise, or mislead."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import pettingzoo
import pytest
from aec_environments import Relay, Unlucky
from gymnasium import spaces
from random_play import random_actions

from lanista.envs import Choice, Game, Turn, make, play
from lanista.envs.core import Array
from lanista.errors import UsageError


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    pettingzoo.register("aec", "test/relay-v0", Relay)
    pettingzoo.register("aec", "test/unlucky-v0", Unlucky)
    yield
    for name in ("test/relay-v0", "test/unlucky-v0"):
        del pettingzoo.aec_registry[name]


@pytest.mark.parametrize("name", ["connect_four", "tictactoe"])
def test_the_same_games_as_native(name: str) -> None:
    """The same actions give the same rows, rewards and ends through the door as from the native rules."""
    native, door = make(name, 6), make(f"zoo:classic/{name}_v3", 6)
    native.reset(1)
    door.reset(1)
    ends = 0
    for _ in range(60):
        one, other = native.turn(), door.turn()
        assert one.legal is not None and other.legal is not None
        legal, board = other.legal, np.moveaxis(other.observation["observation"], -1, 1)
        order = np.arange(9).reshape(3, 3).T.ravel() if name == "tictactoe" else np.arange(7)
        if name == "tictactoe":  # PettingZoo counts its cells down the columns
            board = board.swapaxes(2, 3)
        np.testing.assert_array_equal(one.legal, legal[:, order])
        np.testing.assert_array_equal(one.observation["board"], board)
        for part in ("copies", "players", "plies", "games"):
            np.testing.assert_array_equal(getattr(one, part), getattr(other, part))
        actions = random_actions(native, one)
        outcomes = native.step(actions), door.step(order[actions])
        for part in ("rewards", "terminated", "truncated", "finished", "broken"):
            np.testing.assert_array_equal(getattr(outcomes[0], part), getattr(outcomes[1], part))
        ends += int(outcomes[0].finished.sum())
    assert ends > 6


def relay_actions(turn: Turn) -> Array:
    """An action for every row, in the width of the widest role."""
    return np.array([[[1, 0, 0], [0.25, -0.5, 0], [2, 1, 1]][player] for player in turn.players])


def test_roles_and_spaces() -> None:
    spec = make("zoo:test/relay_v0").spec
    assert spec.name == "zoo:test/relay_v0" and spec.players == 3 and spec.role_of == (0, 1, 2)
    scout, pilot, cook = spec.roles
    assert scout.action == spaces.Discrete(4) and set(scout.observation) == {"observation"}
    assert pilot.action == spaces.Box(-1, 1, (2,), np.float32)
    assert pilot.observation["observation"].shape == (2, 2)
    assert cook.action == spaces.MultiDiscrete([3, 2, 2])
    assert cook.observation["pot"].shape == (5,) and cook.observation["spoon"].shape == (1,)
    assert not spec.zero_sum and not spec.perfect_information and spec.longest is None
    told = make("zoo:test/relay_v0?zero_sum=true&perfect_information=true&longest=9").spec
    assert told.zero_sum and told.perfect_information and told.longest == 9


def test_players_drop_out_singly() -> None:
    """Order: scout pilot cook scout(out) pilot cook pilot(cut off) cook cook(ends)."""
    game = make("zoo:test/relay_v0", 1, restart=False)
    game.reset(1)
    players, gains = [], []
    terminated, truncated = [], []
    while len(turn := game.turn()):
        players.append(int(turn.players[0]))
        outcome = game.step(relay_actions(turn))
        gains.append(outcome.rewards[0].tolist())
        terminated.append(np.flatnonzero(outcome.terminated[0]).tolist())
        truncated.append(np.flatnonzero(outcome.truncated[0]).tolist())
        assert bool(outcome.finished[0]) == (len(players) == 9)
        if len(players) == 7:
            final = outcome.final
            assert final is not None and final.players.tolist() == [1] and final.plies.tolist() == [7]
            np.testing.assert_array_equal(final.observation["observation"], np.full((1, 2, 2), -3, np.float32))
            assert final.legal is None and final.games.tolist() == turn.games.tolist()
        else:
            assert outcome.final is None
    assert players == [0, 1, 2, 0, 1, 2, 1, 2, 2]
    assert terminated == [[], [], [], [0], [], [], [], [], [2]]
    assert truncated == [[], [], [], [], [], [], [1], [], []]
    assert gains[0] == [1, 0, 0] and gains[3] == [1, 0, 5] and gains[7] == [0, 0, 1]
    assert np.sum(gains, axis=0).tolist() == [2, 3, 9]


def test_rows_of_several_roles_are_cut_to_their_role() -> None:
    game = make("zoo:test/relay_v0", 3)
    game.reset(1)
    for copies in ([0, 1], [0]):
        turn = game.turn()
        rows = np.flatnonzero(np.isin(turn.copies, copies))
        game.step(relay_actions(turn)[rows], rows)
    turn = game.turn()
    assert turn.players.tolist() == [2, 1, 0]
    assert turn.legal is not None and turn.legal.shape == (3, 7), "as a whole the widest"
    cook, pilot, scout = (turn.take(np.array([row])) for row in range(3))
    assert set(cook.observation) == {"pot", "spoon"} and cook.observation["spoon"].tolist() == [[7]]
    assert cook.observation["pot"].tolist() == [[1, 0, 0, 0, 0]]
    assert cook.legal is not None and cook.legal.shape == (1, 7)
    assert pilot.legal is None and pilot.observation["observation"].shape == (1, 2, 2)
    assert scout.legal is not None and scout.legal.tolist() == [[True, True, True, False]]
    assert scout.observation["observation"].tolist() == [[0, 0, 0]]
    game.step(relay_actions(turn))
    while game.turn().players[1] != 1:  # until that pilot is shown anew
        game.step(relay_actions(game.turn()))
    again = turn.take(np.array([1])).observation["observation"]
    np.testing.assert_array_equal(again, pilot.observation["observation"])
    two = turn.take(np.array([2, 0]))
    assert two.players.tolist() == [0, 2] and two.take(np.array([0])).copies.tolist() == [2]


class Member:
    """Plays any of the relay's roles, and holds that it is shown one role at a time, unpadded."""

    def __init__(self) -> None:
        self.roles: set[int] = set()

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        (player,) = set(turn.players.tolist())
        self.roles.add(player)
        shapes = [{"observation": (3,)}, {"observation": (2, 2)}, {"pot": (5,), "spoon": (1,)}][player]
        assert {name: value.shape[1:] for name, value in turn.observation.items()} == shapes
        action = [1, np.array([0.25, 3.0]), np.array([2, 1, 1])][player]
        return Choice(np.array([action] * len(turn)))


@pytest.mark.parametrize("agents", [1, 2])
def test_the_loop_plays_roles_of_different_spaces(agents: int) -> None:
    game = make("zoo:test/relay_v0", 4, restart=False)
    game.reset(1)
    out_of_step = game.turn()
    game.step(relay_actions(out_of_step)[:1], np.array([0]))  # now copies show different roles
    members = [Member() for _ in range(agents)]
    gains = np.zeros((4, 3))
    for ply in play(game, members):
        assert not ply.failures
        gains += ply.outcome.rewards
    assert gains.tolist() == [[1, 3, 9]] + [[2, 3, 9]] * 3
    assert set().union(*(member.roles for member in members)) == {0, 1, 2}


def test_actions_reach_the_environment_in_its_own_space() -> None:
    game = make("zoo:test/relay_v0", 1, restart=False)
    game.reset(1)
    for _ in range(3):
        game.step(relay_actions(game.turn()))
    scout, pilot, cook = game._tables[0]._env.played  # type: ignore[attr-defined]
    assert scout == 11, "the scout's numbers start at 10"
    np.testing.assert_array_equal(pilot, np.array([0.25, -0.5], np.float32))
    np.testing.assert_array_equal(cook, [2, 1, 1])
    for wrong in ([[3, 0, 0]], [[0.5, 0, 0]], [[0, 0, 0]]):  # masked, no whole number, masked since the second turn
        with pytest.raises(ValueError, match="illegal"):
            game.step(np.array(wrong))


def drive(game: Game, rudder: float) -> Any:
    """Play scout, then pilot with this rudder."""
    game.step(relay_actions(game.turn()))
    actions = relay_actions(game.turn())
    actions[1, 0] = rudder
    return game.step(actions)


def test_an_environment_that_raises_voids_its_own_game_only() -> None:
    game = make("zoo:test/relay_v0", 3)
    game.reset(1)
    outcome = drive(game, 0.95)
    assert outcome.broken.tolist() == [False, True, False] and not outcome.finished.any()
    assert outcome.rewards.tolist() == [[0, 1, 0], [0, 0, 0], [0, 1, 0]]
    turn = game.turn()
    assert turn.plies.tolist() == [2, 0, 2] and turn.games.tolist() == [0, 3, 2]
    assert turn.players.tolist() == [2, 0, 2]
    frozen = make("zoo:test/relay_v0", 3, restart=False)
    frozen.reset(1)
    assert drive(frozen, 0.95).broken.tolist() == [False, True, False]
    assert frozen.turn().copies.tolist() == [0, 2]
    frozen.reset(copies=np.array([1]))
    assert frozen.turn().copies.tolist() == [0, 1, 2]


def test_the_loop_forgets_broken_games() -> None:
    game = make("zoo:test/relay_v0", 1, restart=False)
    game.reset(1)

    class Reckless(Member):
        finished: list[int] = []

        def act(self, turn: Turn, memory: Array | None = None) -> Choice:
            choice = super().act(turn, memory)
            return Choice(np.array([[0.99, 0]])) if turn.players[0] == 1 else choice

        def finish(self, games: Array) -> None:
            self.finished += games.tolist()

    agent = Reckless()
    plies = list(islice(play(game, [agent]), 9))
    assert len(plies) == 2 and plies[1].outcome.broken.all() and not plies[1].failures
    assert agent.finished == [0]


def test_trouble_in_seeing_and_masks_is_the_environments() -> None:
    for fails, plies in (("observe", 2), ("mask", 1)):
        game = make(f"zoo:test/unlucky_v0?fails={fails}", 1)
        game.reset(1)
        for ply in range(plies):
            turn = game.turn()
            assert turn.legal is not None and turn.legal.tolist() == [[True, False]], "the mask is in the info"
            assert game.step(np.zeros(1, np.int64)).broken.tolist() == [ply == plies - 1]
        assert game.turn().plies.tolist() == [0]


def test_a_seat_that_is_cut_off_shows_what_it_saw_then() -> None:
    game = make("zoo:test/unlucky_v0?fails=cut", 1)
    game.reset(1)
    outcome = game.step(np.zeros(1, np.int64))
    assert outcome.final is not None and outcome.truncated.all() and outcome.finished.all()
    assert outcome.final.observation["observation"].tolist() == [[1.0]], "not what passing or restarting leaves there"
    assert game.turn().observation["observation"].tolist() == [[0.0]]


def test_trouble_in_beginning() -> None:
    game = make("zoo:test/unlucky_v0?fails=reset", 2)
    game.reset(1)  # every other environment that is made fails, and is made anew
    assert len(game.turn()) == 2
    hopeless = make("zoo:test/unlucky_v0?fails=always", 1)
    with pytest.raises(RuntimeError, match="fails to begin: no server"):
        hopeless.reset(1)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("zoo:classic/conect_four_v3", "did you mean 'classic/connect_four_v3'?"),
        ("zoo:classic/connect_four_v2", "did you mean 'classic/connect_four_v3'?"),
        ("zoo:connect_four", "unknown PettingZoo environment 'connect_four'"),
        ("zoo:classic/tictactoe_v3?screen=1", "did you mean 'screen_height'?"),
        ("zoo:classic/tictactoe_v3?zero_sum=yes", "'zero_sum' of 'zoo:classic/tictactoe_v3?zero_sum=yes' must be bool"),
        ("zoo:classic/tictactoe_v3?zero_sum", "write key=value"),
        ("zoo:classic/tictactoe_v3?longest=-3", "the moves of the longest game, not -3"),
        ("zoo:test/unlucky_v0?fails=agents", "does not tell its possible agents"),
        ("zoo:test/unlucky_v0?fails=space", "its observation 'observation' has no fixed size"),
        ("zoo:test/unlucky_v0?fails=action", "neither Discrete, MultiDiscrete nor Box"),
    ],
)
def test_wrong_names(name: str, said: str) -> None:
    with pytest.raises(UsageError) as told:
        make(name)
    assert said in str(told.value) and "\n" not in str(told.value)


def test_missing_software_is_named() -> None:
    for entry in ("no_such_package.envs:env", "pettingzoo.classic.no_such_game:env"):
        pettingzoo.register("aec", "test/missing-v0", entry)
        try:
            with pytest.raises(UsageError, match=r"needs the module '(no_such_package|pettingzoo.*no_such_game)'.*pip"):
                make("zoo:test/missing_v0")
        finally:
            del pettingzoo.aec_registry["test/missing-v0"]


def test_pictures_show_what_may_be_seen() -> None:
    image = "{http://www.w3.org/2000/svg}image"
    hidden = make("zoo:classic/tictactoe_v3")
    hidden.reset(1)
    assert ElementTree.fromstring(hidden.picture(0)).find(image) is not None
    assert ElementTree.fromstring(hidden.picture(0, 0)).find(image) is None, "the whole might hold what is hidden"
    assert "to move" not in hidden.text(0, 1) and "player 0 to move" in hidden.text(0, 0)
    known = make("zoo:classic/tictactoe_v3?perfect_information=true")
    known.reset(1)
    assert ElementTree.fromstring(known.picture(0, 0)).find(image) is not None
    many = make("zoo:classic/tictactoe_v3", 64)
    many.reset(1)
    assert ElementTree.fromstring(many.picture(0)).find(image) is None, "a batch holds no drawing surfaces"


@pytest.mark.thorough
def test_players_do_not_depend_on_the_hash_seed() -> None:
    code = (
        "import lanista.envs, numpy; g = lanista.envs.make('zoo:classic/rps_v2', 2); g.reset(5); t = g.turn();"
        "o = g.step(numpy.array([0, 1, 2, 0]));"
        "print(g.spec.role_of, t.players, t.draws, o.rewards.tolist(), g.turn().players)"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(told) == 1


def test_packages_of_their_own() -> None:
    pytest.importorskip("mpe2", reason="the package mpe2 is not installed")
    spread = make("zoo:mpe/simple_spread_v3?N=2", 2)
    assert (spread.spec.kind, spread.spec.players) == ("simultaneous", 2)
    spread.reset(1)
    assert spread.turn().players.tolist() == [0, 1, 0, 1]
    assert spread.spec.name == "zoo:mpe/simple_spread_v3?N=2"
    tag = make("zoo:mpe2/simple_tag_v3")
    assert tag.spec.players == 4 and tag.spec.role_of == (0, 0, 0, 1)
    with pytest.raises(UsageError, match=r"'mpe2/simple_spred_v3'; did you mean 'mpe2/simple_spread_v3'"):
        make("zoo:mpe2/simple_spred_v3")


def test_atari_for_several_players_finds_its_games() -> None:
    pytest.importorskip("multi_agent_ale_py", reason="the package multi_agent_ale_py is not installed")
    pytest.importorskip("ale_py", reason="the package ale_py is not installed")
    game = make("zoo:atari/pong_v3", 2)
    game.reset(1)
    assert game.spec.kind == "simultaneous" and game.turn().observation["observation"].shape == (4, 3, 210, 160)
    game.step(random_actions(game, game.turn()))


def test_moves_of_chess_and_go_have_words() -> None:
    chess = make("zoo:classic/chess_v6")
    chess.reset([0])
    for word in ("f3", "e5", "g4", "Qh4#"):
        turn = chess.turn()
        assert turn.legal is not None
        actions = np.flatnonzero(turn.legal[0]).tolist()
        words = [chess.print_move(0, action) for action in actions]
        assert word in words and len(set(words)) == len(actions)
        assert [chess.parse_move(0, each) for each in words] == actions
        outcome = chess.step(np.array([chess.parse_move(0, word)]))
    assert outcome.finished[0] and outcome.rewards[0].tolist() == [-1, 1]
    go = make("zoo:classic/go_v5?board_size=5")
    go.reset([0])
    assert [go.parse_move(0, word) for word in ("A5", "E1", "pass")] == [0, 24, 25] and go.print_move(0, 25) == "pass"
    with pytest.raises(UsageError, match="no move"):
        go.parse_move(0, "F9")
