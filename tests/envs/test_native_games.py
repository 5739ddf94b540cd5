"""What native games offer beyond the contract: exact saving, symmetries, public positions, random openings, AEC."""

from __future__ import annotations

import io
import pickle
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from pettingzoo.test import api_test, seed_test
from random_play import native_games, random_actions

from lanista.envs import make
from lanista.envs.as_pettingzoo import NativeAEC, as_pettingzoo
from lanista.envs.batched import BatchedGame
from lanista.errors import UsageError

NATIVE = native_games()
MORE = ["mnk:rows=3,columns=5,k=3"]  # no square, of odd and even sides
ALWAYS_LEGAL = ["kuhn_poker"]  # every action is legal at every turn


def native(name: str, copies: int, **options: float) -> BatchedGame:
    game = make(name, copies, **options)  # type: ignore[arg-type]
    assert isinstance(game, BatchedGame)
    return game


def run(game: BatchedGame, steps: int) -> list[bytes]:
    """Everything that some steps of random play show and do."""
    seen = []
    for _ in range(steps):
        turn = game.turn()
        outcome = game.step(random_actions(game, turn))
        shown = (turn.copies, turn.games, turn.plies, turn.draws, turn.observation[game.rules.modality])
        seen += [value.tobytes() for value in (*shown, outcome.rewards, outcome.finished)]
    return seen


@pytest.mark.parametrize("name", [*NATIVE, *MORE])
def test_save_and_load_are_exact(name: str) -> None:
    game = native(name, 5, random_share=0.5, random_plies=2)
    game.reset(1)
    run(game, 4)
    saved = game.save()
    moves = [game.moves(copy) for copy in range(5)]
    expected = run(game, 60)
    other = native(name, 5, random_share=0.5, random_plies=2)
    other.load(saved)
    assert [other.moves(copy) for copy in range(5)] == moves
    assert run(other, 60) == expected
    game.load(saved)
    assert run(game, 60) == expected


@pytest.mark.parametrize("name", NATIVE)
def test_finished_copies_are_saved_as_finished(name: str) -> None:
    game = native(name, 12, restart=False)
    game.reset(1)
    while len(game.turn()) == 12:
        game.step(random_actions(game, game.turn()))
    other = native(name, 12, restart=False)
    other.reset(2)
    other.load(game.save())
    assert other.turn().copies.tolist() == game.turn().copies.tolist()


@pytest.mark.parametrize("name", NATIVE)
def test_load_refuses_what_is_not_its_own(name: str) -> None:
    game = native(name, 3)
    game.reset(1)
    run(game, 2)
    saved = game.save()
    before = run_without_stepping(game)
    wrong = [b"", b"junk", saved[: len(saved) // 2], saved[:-1], native(name, 4).save(), native(MORE[0], 3).save()]
    wrong += [pickle.dumps([1, 2]), npy()]
    for state in wrong:
        with pytest.raises(UsageError):
            game.load(state)
    assert run_without_stepping(game) == before


def run_without_stepping(game: BatchedGame) -> bytes:
    turn = game.turn()
    return turn.draws.tobytes() + turn.observation[game.rules.modality].tobytes()


def npy() -> bytes:
    """A file that NumPy reads, but no saved state."""
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    return buffer.getvalue()


def test_a_state_of_the_same_shape_but_another_game_is_refused() -> None:
    four = native("mnk:rows=3,columns=5,k=4", 2)
    three = native(MORE[0], 2)
    with pytest.raises(UsageError, match="k=3"):
        four.load(three.save())


@pytest.mark.parametrize("name", [*NATIVE, *MORE])
def test_symmetries_commute_with_play(name: str) -> None:
    spec = make(name).spec
    modality = native(name, 1).rules.modality
    if not spec.perfect_information:
        return  # two deals are not turned into each other: see the tests of exploitability
    for symmetry in spec.symmetries:
        cells_from = np.array(symmetry.cells_from[modality])
        actions_to = np.array(symmetry.actions_to)
        assert sorted(cells_from) == list(range(len(cells_from)))
        assert sorted(actions_to) == list(range(spec.roles[0].action.n))  # type: ignore[attr-defined]
        assert (cells_from != np.arange(len(cells_from))).any() or (actions_to != np.arange(len(actions_to))).any()
        plain, turned = native(name, 8), native(name, 8)
        plain.reset(5)
        turned.reset(5)
        for _ in range(40):
            one, other = plain.turn(), turned.turn()
            board = one.observation[modality]
            flat = board.reshape(*board.shape[:-2], -1)
            np.testing.assert_array_equal(flat[..., cells_from].reshape(board.shape), other.observation[modality])
            assert one.legal is not None and other.legal is not None
            np.testing.assert_array_equal(one.legal, other.legal[:, actions_to])
            actions = random_actions(plain, one)
            outcomes = plain.step(actions), turned.step(actions_to[actions])
            np.testing.assert_array_equal(outcomes[0].rewards, outcomes[1].rewards)
            np.testing.assert_array_equal(outcomes[0].finished, outcomes[1].finished)


@pytest.mark.parametrize("name", NATIVE)
def test_every_player_can_be_shown_what_it_sees(name: str) -> None:
    game = native(name, 4)
    game.reset(2)
    for _ in range(20):
        turn = game.turn()
        for row, (copy, player) in enumerate(zip(turn.copies.tolist(), turn.players.tolist(), strict=True)):
            for modality, value in game.observation(copy, player).items():
                np.testing.assert_array_equal(value, turn.observation[modality][row])
        game.step(random_actions(game, turn))


@pytest.mark.parametrize("name", [*NATIVE, *MORE])
def test_public_positions_and_moves(name: str) -> None:
    game = native(name, 4)
    game.reset(3)
    if not game.spec.perfect_information:
        assert game.turn().public is None
        return
    for _ in range(30):
        turn = game.turn()
        public = turn.take(np.array([2, 0])).public
        assert public is not None
        positions = public.positions()
        assert positions.dtype == public.rules.state
        for place, row in enumerate((2, 0)):
            moves = public.moves(place)
            assert moves == game.moves(int(turn.copies[row])) and len(moves) == turn.plies[row]
            again = native(name, 1)
            again.reset(0, openings=[moves])
            np.testing.assert_array_equal(again.turn().observation["board"][0], turn.observation["board"][row])
            assert public.rules.player(positions[place]) == turn.players[row]
        before = game.text(int(turn.copies[2]))
        positions[:] = np.zeros(1, positions.dtype)
        assert game.text(int(turn.copies[2])) == before, "positions are copies: scribbling on them changes no game"
        game.step(random_actions(game, turn))


@pytest.mark.parametrize("name", NATIVE)
def test_random_openings(name: str) -> None:
    game = native(name, 200, random_share=0.5, random_plies=3)
    game.reset(1)
    plies = game.turn().plies
    possible = set(range(min(3, (game.spec.longest or 4) - 1) + 1))  # after the last ply there is nothing to play
    assert set(plies.tolist()) == possible
    assert 0.4 < (plies == 0).mean() < 0.85  # half the games, and a quarter of the others draw no plies
    assert [len(game.moves(copy)) for copy in range(200)] == plies.tolist()
    started: list[int] = []
    for _ in range(4000):
        outcome = game.step(random_actions(game, game.turn()))
        started += game.turn().plies[outcome.finished].tolist()
        if len(started) > 100:
            break
    assert set(started) == possible, "restarts open at random too"
    game.reset(1, openings=[[]] * 200)
    assert not game.turn().plies.any(), "a given opening is all there is"


def test_random_openings_never_end_a_game() -> None:
    game = native("tictactoe", 500, random_share=1.0, random_plies=9)
    for seed in range(5):
        game.reset(seed)
        turn = game.turn()
        assert turn.legal is not None and turn.legal.any(axis=1).all()
        assert turn.plies.max() >= 6
        boards = turn.observation["board"]
        lines = np.concatenate([boards.sum(axis=2), boards.sum(axis=3)], axis=2)
        assert lines.max() < 3, "nobody has a full row or column"


@pytest.mark.parametrize("name", [*NATIVE, *MORE])
@pytest.mark.filterwarnings("ignore::UserWarning")  # the test calls dictionary observations and blank boards unusual
def test_as_pettingzoo_passes_its_own_tests(name: str) -> None:
    api_test(as_pettingzoo(name), num_cycles=60)
    seed_test(lambda: as_pettingzoo(name), num_cycles=60)


@pytest.mark.parametrize("name", NATIVE)
def test_as_pettingzoo_plays_the_same_game(name: str) -> None:
    game = native(name, 1, restart=False)
    game.reset(4)
    env = as_pettingzoo(name)
    env.reset(seed=4)
    assert env.possible_agents == [f"player_{player}" for player in range(game.spec.players)]
    gains = dict.fromkeys(env.possible_agents, 0.0)
    returns = np.zeros(game.spec.players)
    for agent in env.agent_iter():
        seen, reward, terminated, truncated, _ = env.last()
        gains[agent] += reward
        assert not truncated
        if terminated:
            assert not len(game.turn()) and not seen["action_mask"].any()
            env.step(None)
            continue
        turn = game.turn()
        assert env.possible_agents.index(agent) == turn.players[0] and turn.legal is not None
        np.testing.assert_array_equal(seen["action_mask"], turn.legal[0])
        assert not any(env.observe(other)["action_mask"].any() for other in env.agents if other != agent)
        np.testing.assert_array_equal(seen["observation"], turn.observation[game.rules.modality][0])
        action = random_actions(game, turn)
        returns += game.step(action).rewards[0]
        env.step(int(action[0]))
    assert list(gains.values()) == returns.tolist() and not len(game.turn())


@pytest.mark.parametrize("name", NATIVE)
def test_an_illegal_action_loses_outside_and_raises_within(name: str) -> None:
    env = as_pettingzoo(name)
    env.reset(seed=1)
    for _ in range(200):
        seen, _, over, _, _ = env.last()
        assert not over
        illegal = np.flatnonzero(seen["action_mask"] == 0)
        if len(illegal):
            break
        env.step(int(np.flatnonzero(seen["action_mask"])[0]))
        if env.agents and all(env.terminations.values()):
            env.reset(seed=1)
    if name not in ALWAYS_LEGAL:
        assert len(illegal), "no position with an illegal action was found"
        loser = env.agent_selection
        env.step(int(illegal[0]))
        assert all(env.terminations.values())
        assert env.rewards[loser] == NativeAEC(name).least_return < 0
    bare = NativeAEC(name)
    bare.reset(seed=1)
    with pytest.raises(ValueError, match="illegal"):
        bare.step(10**6)
    with pytest.raises(AssertionError):
        fresh = as_pettingzoo(name)
        fresh.reset(seed=1)
        fresh.step(10**6)


@pytest.mark.parametrize("name", NATIVE)
def test_as_pettingzoo_renders(name: str) -> None:
    env = as_pettingzoo(name, render_mode="ansi")
    env.reset(seed=1)
    game = native(name, 1)
    assert game.text(0) and ElementTree.fromstring(game.picture(0)) is not None, "a game that was not reset begins"
    game.reset(1)
    assert env.render() == game.text(0)
    pictured = pickle.loads(pickle.dumps(as_pettingzoo(name, render_mode="svg")))
    pictured.reset(seed=1)
    assert ElementTree.fromstring(pictured.render()).tag.endswith("svg")
    with pytest.raises(UsageError, match="ansi"):
        as_pettingzoo(name, render_mode="rgb_array")


@pytest.mark.parametrize("name", [*NATIVE, *MORE])
def test_positions_are_hashed_and_set(name: str) -> None:
    """Equal hashes go on alike: positions are set in another game, which then plays the same."""
    game = native(name, 16)
    game.reset(6)
    seen: dict[int, bytes] = {}
    for step in range(40):
        turn = game.turn()
        assert turn.legal is not None
        hashes = [int(game.rules.hash(record)) for record in game.states]
        for row, value in enumerate(hashes):
            shown = bytes([int(turn.players[row])]) + turn.legal[row].tobytes()
            assert seen.setdefault(value, shown) == shown
        if step % 10 == 5:
            other = native(name, 16, restart=False)
            other.reset(7)
            other.set_positions(game.states[np.array([3, 1])], np.array([0, 2]))
            again = other.turn()
            for mine, theirs in ((0, 3), (2, 1)):
                assert int(again.players[mine]) == int(turn.players[theirs]) and not again.plies[mine]
                assert again.legal is not None
                np.testing.assert_array_equal(again.legal[mine], turn.legal[theirs])
                modality = game.rules.modality
                np.testing.assert_array_equal(again.observation[modality][mine], turn.observation[modality][theirs])
                assert other.text(mine) == game.text(theirs) and not other.moves(mine)
        game.step(random_actions(game, turn))
    assert len(seen) > 5


def test_lines_that_meet_have_equal_hashes() -> None:
    """The same position by another order of moves; another position of the same look has another hash."""
    pairs = {
        "tictactoe": (["a1", "b2", "c3"], ["c3", "b2", "a1"]),
        "gomoku": (["a1", "b2", "c3"], ["c3", "b2", "a1"]),
        "hex": (["a1", "b2", "c3"], ["c3", "b2", "a1"]),
        "chess": (["e3", "e6", "d3"], ["d3", "e6", "e3"]),
        "breakthrough": (["a2a3", "a7a6", "b2b3"], ["b2b3", "a7a6", "a2a3"]),
    }
    for name, lines in pairs.items():
        hashes = []
        for moves in lines:
            game = native(name, 1)
            game.reset(0)
            for move in moves:
                game.step(np.array([game.parse_move(0, move)]))
            hashes.append(int(game.rules.hash(game.states[0])))
        assert hashes[0] == hashes[1], name
    chess = native("chess", 1)
    different = set()
    for fen in (
        "r3k2r/8/8/8/8/8/8/R3K2R w KQkq - 0 1",
        "r3k2r/8/8/8/8/8/8/R3K2R w KQk - 0 1",
        "r3k2r/8/8/8/8/8/8/R3K2R b KQkq - 0 1",
        "4k3/8/8/3pP3/8/8/8/4K3 w - d6 0 1",
        "4k3/8/8/3pP3/8/8/8/4K3 w - - 0 1",
    ):
        chess.parse_position(0, fen)
        different.add(int(chess.rules.hash(chess.states[0])))
    assert len(different) == 5
