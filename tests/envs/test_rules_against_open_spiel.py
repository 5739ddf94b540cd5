"""Native rules against OpenSpiel's, written independently: moves, observations, rewards and ends at every step."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from lanista.envs import make
from lanista.envs.batched import BatchedGame
from lanista.envs.core import Array

pyspiel = pytest.importorskip("pyspiel", reason="open_spiel is not installed")


def same(action: int, text: str) -> str:
    return str(action)


def relative(first: Array, second: Array, player: int) -> Array:
    """The stones of the player who looks, then the other's."""
    return np.stack([first, second] if player == 0 else [second, first])


def chess_views(planes: Array, player: int) -> Array:
    """Pieces in our order, the far rank first, seen by a player."""
    white, black = planes[[10, 8, 6, 4, 2, 0]], planes[[11, 9, 7, 5, 3, 1]]
    return np.concatenate([white[:, ::-1], black[:, ::-1]] if player == 0 else [black, white])


@dataclass(frozen=True)
class Peer:
    """A game of OpenSpiel's and how it is written beside ours.

    Attributes:
        game: its string.
        seen: (their tensor, player) -> what the first planes of our observation must be; None: the information state
            itself is our observation.
        ours: (action, text) -> the move's name; `theirs`: (action, text) -> the same name.
        chance: (our record) -> the outcomes of their chance nodes, in order.
    """

    game: str
    seen: Callable[[Array, int], Array] | None = None
    ours: Callable[[int, str], str] = same
    theirs: Callable[[int, str], str] = same
    chance: Callable[[Any], list[int]] = lambda record: []
    first: int = 0  # their number of our player 0


def upside_down(text: str, rows: int) -> str:
    """A move of breakthrough with the ranks counted from the other side, without the sign of a capture."""
    return "".join(str(rows + 1 - int(sign)) if sign.isdecimal() else sign for sign in text.strip("*"))


PEERS = {
    "tictactoe": Peer("tic_tac_toe", lambda t, p: relative(t[2], t[1], p)),
    "connect_four": Peer("connect_four", lambda t, p: relative(t[0][::-1], t[1][::-1], p)),
    "mnk": Peer("mnk(m=7,n=6,k=4)", lambda t, p: relative(t[2], t[1], p)),
    "othello": Peer("othello", lambda t, p: t[1:3]),
    "breakthrough": Peer(
        "breakthrough",
        lambda t, p: relative(t[0][::-1], t[1][::-1], p),
        lambda action, text: text.replace("x", ""),
        lambda action, text: upside_down(text, 8),
    ),
    "breakthrough:rows=6,columns=5": Peer(
        "breakthrough(rows=6,columns=5)",
        lambda t, p: relative(t[0][::-1], t[1][::-1], p),
        lambda action, text: text.replace("x", ""),
        lambda action, text: upside_down(text, 6),
    ),
    "hex:size=5": Peer(
        "hex(board_size=5)",
        lambda t, p: relative(t[5:].sum(0), t[:4].sum(0), p),
        lambda action, text: text,
        lambda action, text: text,
    ),
    "go:size=9": Peer(
        "go(board_size=9)",
        lambda t, p: relative(t[0][::-1], t[1][::-1], p),
        lambda action, text: text.lower(),
        lambda action, text: text.split()[1].lower(),
    ),
    "chess": Peer("chess", chess_views, lambda action, text: text, lambda action, text: text, first=1),
    "kuhn_poker": Peer("kuhn_poker", chance=lambda record: record["cards"].tolist()),
    "kuhn_poker:players=3": Peer("kuhn_poker(players=3)", chance=lambda record: record["cards"].tolist()),
    "leduc_poker": Peer("leduc_poker", chance=lambda record: record["cards"].tolist()),
    "leduc_poker:players=3": Peer("leduc_poker(players=3)", chance=lambda record: record["cards"].tolist()),
    "liars_dice": Peer("liars_dice", chance=lambda record: record["dice"].tolist()),
    "liars_dice:dice=2": Peer("liars_dice(numdice=2)", chance=lambda record: record["dice"].tolist()),
}
FEWER = {"chess": 10, "go:size=9": 40}  # games in the default tests: each move there is written and compared as text
# Another size or number of players of a game that is compared in the default tests.
VARIANTS = {"breakthrough:rows=6,columns=5", "kuhn_poker:players=3", "leduc_poker:players=3", "liars_dice:dice=2"}


def compare(name: str, games: int) -> None:
    """Play the same random games in both, comparing everything at every step."""
    peer = PEERS[name]
    rng = np.random.default_rng(0)
    theirs = pyspiel.load_game(peer.game)
    game = make(name, 1, restart=False)
    assert isinstance(game, BatchedGame)
    returns = set()
    for seed in range(games):
        game.reset([seed])
        state = theirs.new_initial_state()
        outcomes = peer.chance(game.states[0])
        rewards = np.zeros(game.spec.players)
        while len(turn := game.turn()):
            while state.is_chance_node():
                state.apply_action(outcomes.pop(0))
            assert not state.is_terminal()
            player = int(turn.players[0])
            assert state.current_player() == player ^ peer.first and turn.legal is not None
            seen_alike(peer, game, state)
            ours = {peer.ours(a, game.print_move(0, a)): a for a in np.flatnonzero(turn.legal[0]).tolist()}
            may = {peer.theirs(a, state.action_to_string(a)): a for a in state.legal_actions()}
            if name.startswith("go"):
                may = without_repetitions(state, may, set(ours))
            assert set(ours) == set(may)
            move = rng.choice(sorted(ours))
            rewards += game.step(np.array([ours[move]])).rewards[0]
            state.apply_action(may[move])
        assert state.is_terminal()
        np.testing.assert_allclose(rewards, state.returns()[:: -1 if peer.first else 1])
        returns.add(tuple(np.sign(rewards).tolist()))
    assert len(returns) > 1


def without_repetitions(state: Any, may: dict[str, int], ours: set[str]) -> dict[str, int]:
    """Their moves less those that repeat a position, after which theirs is a draw and which ours forbids."""
    kept = {}
    for text, action in may.items():
        if text not in ours:
            after = state.child(action)
            assert after.is_terminal() and after.returns() == [0.0, 0.0]
            continue
        kept[text] = action
    return kept


def seen_alike(peer: Peer, game: BatchedGame, state: Any) -> None:
    """What each player sees is the same."""
    for player in range(game.spec.players):
        (mine,) = game.observation(0, player).values()
        if peer.seen is None:
            expected = np.array(state.information_state_tensor(player))
            if game.spec.players > 2 and game.spec.name.startswith("leduc"):  # a fold is both bits in ours, none there
                folds = len(mine) - 2 * 2 * (3 * game.spec.players - 2)
                pairs = mine[folds:].reshape(-1, 2)
                pairs[pairs.all(axis=1)] = 0
            np.testing.assert_array_equal(mine, expected)
            continue
        tensor = np.array(state.observation_tensor(player)).reshape(state.get_game().observation_tensor_shape())
        expected = peer.seen(tensor, player)
        np.testing.assert_array_equal(mine[: len(expected)], expected)


def named(names: Iterable[str]) -> list[Any]:
    """Games, variants among them for the longer tests."""
    return [pytest.param(name, marks=[pytest.mark.thorough] * (name in VARIANTS)) for name in names]


@pytest.mark.parametrize("name", named(PEERS))
def test_equal_to_open_spiel(name: str) -> None:
    compare(name, FEWER.get(name, 80))


@pytest.mark.slow
@pytest.mark.parametrize("name", PEERS)
def test_equal_to_open_spiel_over_many_games(name: str) -> None:
    compare(name, 300 if name == "chess" else 10_000)


@pytest.mark.parametrize("name", named(name for name, peer in PEERS.items() if peer.seen is None))
def test_a_seat_sees_its_own_information_only(name: str) -> None:
    """States that look the same to a seat by OpenSpiel's count give it equal observations, others different ones."""
    rng = np.random.default_rng(1)
    theirs, peer = pyspiel.load_game(PEERS[name].game), PEERS[name]
    game = make(name, 1, restart=False)
    assert isinstance(game, BatchedGame)
    known: list[dict[str, tuple[bytes, str]]] = [{} for _ in range(game.spec.players)]
    hidden: dict[tuple[int, str], set[bytes]] = {}
    for seed in range(400):
        game.reset([seed])
        state = theirs.new_initial_state()
        outcomes = peer.chance(game.states[0])
        while len(turn := game.turn()):
            while state.is_chance_node():
                state.apply_action(outcomes.pop(0))
            for player in range(game.spec.players):
                key = state.information_state_string(player)
                (seen,) = game.observation(0, player).values()
                shown = seen.tobytes(), game.text(0, player)
                assert known[player].setdefault(key, shown) == shown
                assert game.picture(0, player) == game.picture(0, player)
                hidden.setdefault((player, key), set()).add(game.text(0).encode())
            assert turn.legal is not None
            action = int(rng.choice(np.flatnonzero(turn.legal[0])))
            game.step(np.array([action]))
            state.apply_action(action)
    for views in known:
        assert len({seen for seen, _ in views.values()}) == len(views), "different knowledge looks different"
    assert max(map(len, hidden.values())) > 1, "different hidden states were met behind one view"
