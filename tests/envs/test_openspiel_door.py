"""The OpenSpiel door against OpenSpiel's own states, and what it keeps from players."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Any

import numpy as np
import pytest
from random_play import random_actions

from lanista.envs import make
from lanista.errors import UsageError

pyspiel = pytest.importorskip("pyspiel", reason="the package open_spiel is not installed")


@pytest.mark.parametrize(
    "name",
    ["hex(board_size=4)", "kuhn_poker(players=3)", "backgammon", "goofspiel(num_cards=4)", "catch", "coop_box_pushing"],
)
def test_the_same_as_openspiels_own_states(name: str) -> None:
    game: Any = make(f"openspiel:{name}", 2)
    game.reset(5)
    kind = pyspiel.load_game(name).get_type()
    ends = 0
    gains = np.zeros((2, game.spec.players))
    for _ in range(700):
        turn = game.turn()
        states = [table._state.clone() for table in game._tables]
        for row in range(len(turn)):
            state, player = states[turn.copies[row]], int(turn.players[row])
            assert state.is_simultaneous_node() or state.current_player() == player
            mask = np.zeros(turn.legal.shape[1], bool)
            mask[state.legal_actions(player)] = True
            np.testing.assert_array_equal(turn.legal[row], mask)
            hides = kind.information != pyspiel.GameType.Information.PERFECT_INFORMATION
            informed = kind.provides_information_state_tensor and (hides or not kind.provides_observation_tensor)
            tensor = state.information_state_tensor(player) if informed else state.observation_tensor(player)
            np.testing.assert_array_equal(turn.observation["observation"][row].ravel(), np.array(tensor, np.float32))
        actions = random_actions(game, turn)
        outcome = game.step(actions)
        gains += outcome.rewards
        for copy in range(2):
            state = states[copy]
            mine = turn.copies == copy
            if state.is_simultaneous_node():
                state.apply_actions(actions[mine].tolist())
            else:
                state.apply_action(int(actions[mine][0]))
            if not state.is_chance_node():
                assert outcome.finished[copy] == state.is_terminal()
            if outcome.finished[copy]:
                ends += 1
                if state.is_terminal():
                    np.testing.assert_allclose(gains[copy], state.returns(), rtol=1e-6)
                gains[copy] = 0
    assert ends >= 3


def test_chance_is_the_copys_own() -> None:
    game: Any = make("openspiel:kuhn_poker", 400)
    game.reset(1)
    cards = [str(table._state) for table in game._tables]
    assert len(set(cards)) == 6
    assert all(40 <= cards.count(deal) <= 95 for deal in set(cards)), "each deal is equally likely"


def test_what_is_known_of_games() -> None:
    hexes = make("openspiel:hex(board_size=5)").spec
    assert (hexes.players, hexes.kind, hexes.longest, hexes.returns) == (2, "turn-based", 25, (-1, 1))
    assert hexes.zero_sum and hexes.perfect_information
    bids = make("openspiel:goofspiel(num_cards=4)").spec
    assert bids.kind == "simultaneous" and not bids.perfect_information
    poker = make("openspiel:leduc_poker").spec
    assert not poker.perfect_information and poker.zero_sum
    assert make("openspiel:catch").spec.kind == "single-player"
    assert not make("openspiel:backgammon").spec.perfect_information, "chance plays on"


def test_players_see_their_own_information_only() -> None:
    game: Any = make("openspiel:kuhn_poker", 1)
    game.reset(3)
    cards = str(game._tables[0]._state).split()
    for player in (0, 1):
        told = game.text(0, player).splitlines()[1]
        assert told.startswith(cards[player]) and cards[1 - player] not in told
        drawn = "".join(ElementTree.fromstring(game.picture(0, player)).itertext())
        assert drawn.endswith(f"ply 0{told}")
    assert all(card in game.text(0) for card in cards)


def test_moves_have_openspiels_names() -> None:
    game = make("openspiel:tic_tac_toe")
    game.reset(1)
    assert game.print_move(0, 4) == "x(1,1)" and game.parse_move(0, "x(1,1)") == 4
    assert game.parse_move(0, " X(1,1) ") == 4 == game.parse_move(0, "4")
    game.step(np.array([4]))
    with pytest.raises(UsageError, match=r"'o\(1,1\)' is no move in openspiel:tic_tac_toe here: write one as in 'o\("):
        game.parse_move(0, "o(1,1)")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("openspiel:hexx", "unknown OpenSpiel game 'hexx'; did you mean 'hex'?"),
        ("openspiel:hex(bord_size=3)", "unknown parameter of 'openspiel:hex' 'bord_size'; did you mean 'board_size'?"),
        ("openspiel:hex(board_size=x)", "'openspiel:hex(board_size=x)' cannot be made"),
        ("openspiel:mfg_crowd_modelling", "mean-field game"),
    ],
)
def test_wrong_names(name: str, said: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError) as told:
        make(name)
    assert said in str(told.value) and "\n" not in str(told.value)
