"""The frame around vector environments, on pools whose games are known step by step."""

from __future__ import annotations

import logging
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from lanista.envs import make
from lanista.envs.core import Array, GameSpec, Ints, Role
from lanista.envs.doors._pools import Stepped
from lanista.envs.doors._spaces import Shown, Translator
from lanista.envs.doors._vectors import VectorGame

ENDS = 4  # a game's plies


class Counters:
    """Games that count their steps from a start their seed gives; they are cut off or end after `ENDS`.

    Like most vector environments it begins an ended game when it is stepped next, and steps all or none.
    """

    singly = False
    next_step = True

    def __init__(self, size: int) -> None:
        self.count = np.zeros(size, np.int64)
        self.start: Ints = np.zeros(size, np.int64)
        self.ended = np.zeros(size, bool)
        self.closed = False

    def restart(self, slots: Ints | None, seeds: Ints, exact: bool) -> Shown | None:
        which = np.arange(len(self.count)) if slots is None else slots
        self.count[which], self.ended[which] = 0, False
        self.start[which] = seeds % 1000
        return self._shown().take(which)

    def step(self, slots: Ints | None, actions: Array) -> Stepped:
        assert slots is None and len(actions) == len(self.count)
        if (actions == 2).any():
            raise OSError("overheated")
        self.count = np.where(self.ended, 0, self.count + 1)
        rewards = np.where(self.ended, 0.0, actions + 1.0)
        over: Any = self.count == ENDS
        self.ended = over
        even = self.start % 2 == 0
        return Stepped(self._shown(), rewards, over & even, over & ~even)

    def frame(self, slot: int) -> Array | None:
        return None

    def close(self) -> None:
        self.closed = True

    def _shown(self) -> Shown:
        return Shown({"observation": np.stack([self.start, self.count], axis=1).astype(np.float32)})


def counting(copies: int, restart: bool = True) -> tuple[VectorGame, list[Counters]]:
    """A game of counters, and the pools it makes."""
    made: list[Counters] = []

    def make_pool(size: int) -> Counters:
        made.append(Counters(size))
        return made[-1]

    role = Role(spaces.Dict({"observation": spaces.Box(-np.inf, np.inf, (2,), np.float32)}), spaces.Discrete(3))
    spec = GameSpec("counters", 1, (role,), (0,), "single-player", False, False, None, (-np.inf, np.inf))
    return VectorGame(spec, make_pool, copies, restart, np.zeros((), np.int64)), made


def zeros(game: VectorGame) -> Array:
    return np.zeros(len(game.turn()), np.int64)


def stagger(game: VectorGame) -> None:
    """Let copy 1 stand one ply before copy 0, by stopping it."""
    game.reset(1)
    game.step(zeros(game))
    game.stop(np.array([1]))


def test_an_ended_copy_shows_no_row_for_one_turn() -> None:
    game, _ = counting(2)
    stagger(game)
    before = game.turn()
    assert before.plies.tolist() == [1, 0]
    for _ in range(3):
        outcome = game.step(zeros(game))
    assert outcome.finished.tolist() == [True, False]
    turn = game.turn()
    assert turn.copies.tolist() == [1] and turn.plies.tolist() == [3]
    outcome = game.step(np.array([1]))
    assert outcome.rewards.tolist() == [[0.0], [2.0]], "nobody played in the copy that began anew"
    assert outcome.finished.tolist() == [False, True]
    turn = game.turn()
    assert turn.copies.tolist() == [0] and turn.plies.tolist() == [0]
    assert turn.games[0] > before.games.max() and turn.observation["observation"][0, 1] == 0


def test_copies_that_all_end_at_once_begin_at_once() -> None:
    game, _ = counting(3)
    game.reset(1)
    for _ in range(ENDS):
        outcome = game.step(zeros(game))
    assert outcome.finished.all()
    turn = game.turn()
    assert turn.copies.tolist() == [0, 1, 2] and (turn.plies == 0).all() and turn.games.tolist() == [3, 4, 5]


def test_cut_off_games_show_what_was_seen_last() -> None:
    game, made = counting(6)
    game.reset(1)
    starts = made[0].start.tolist()
    odd = [copy for copy in range(6) if starts[copy] % 2]
    assert 0 < len(odd) < 6
    serials = game.turn().games
    for _ in range(ENDS):
        outcome = game.step(zeros(game))
    assert np.flatnonzero(outcome.truncated[:, 0]).tolist() == odd
    assert (outcome.terminated ^ outcome.truncated).all()
    final = outcome.final
    assert final is not None and final.copies.tolist() == odd and (final.plies == ENDS).all()
    assert final.observation["observation"].tolist() == [[starts[copy], ENDS] for copy in odd]
    assert final.games.tolist() == serials[odd].tolist()
    assert final.legal is not None and final.legal.all()


def test_a_pool_that_steps_all_at_once_waits_for_all_answers() -> None:
    game, made = counting(3)
    game.reset(1)
    outcome = game.step(np.array([1, 0]), np.array([2, 0]))
    assert not outcome.rewards.any() and made[0].count.tolist() == [0, 0, 0]
    turn = game.turn()
    assert turn.copies.tolist() == [1], "who has answered is not asked again"
    outcome = game.step(np.array([0]))
    assert outcome.rewards[:, 0].tolist() == [1.0, 1.0, 2.0]
    assert game.turn().plies.tolist() == [1, 1, 1]
    game.step(np.array([0]), np.array([0]))
    game.stop(np.array([0]))  # an answer that waits goes with its game
    assert game.turn().copies.tolist() == [0, 1, 2] and game.turn().plies.tolist() == [0, 1, 1]


def test_without_restart_ended_copies_wait_while_the_others_go_on() -> None:
    game, _ = counting(2, restart=False)
    game.reset(1)
    game.step(zeros(game))
    game.reset([5], copies=np.array([1]))
    for _ in range(3):
        game.step(zeros(game))
    assert game.turn().copies.tolist() == [1]
    outcome = game.step(zeros(game))
    assert outcome.finished.tolist() == [False, True] and not outcome.rewards[0].any()
    assert len(game.turn()) == 0
    game.reset([5, 6])
    assert game.turn().plies.tolist() == [0, 0]


def test_a_pool_that_raises_voids_its_games_and_is_made_anew(caplog: pytest.LogCaptureFixture) -> None:
    game, made = counting(3)
    game.reset(1)
    game.step(zeros(game))
    with caplog.at_level(logging.WARNING):
        outcome = game.step(np.array([0, 2, 0]))
    assert outcome.broken.all() and not outcome.finished.any() and not outcome.rewards.any()
    assert "overheated" in caplog.text and made[0].closed and len(made) == 2
    turn = game.turn()
    assert turn.copies.tolist() == [0, 1, 2] and turn.games.tolist() == [3, 4, 5] and (turn.plies == 0).all()


class Pairs(Counters):
    """The same for two players who take turns, all cut off; each sees its own number and the count."""

    def step(self, slots: Ints | None, actions: Array) -> Stepped:
        done = super().step(slots, actions)
        rewards = np.stack([done.rewards, -done.rewards], axis=1)
        over = done.terminated | done.truncated
        count = self.count.copy()

        def everyone(games: Ints) -> Shown:
            rows = [[player, count[game]] for game in games for player in (0, 1)]
            return Shown({"observation": np.array(rows, np.float32)})

        return Stepped(done.shown, rewards, over & False, over, everyone=everyone)

    def _shown(self) -> Shown:
        who = self.count % 2
        return Shown({"observation": np.stack([who, self.count], axis=1).astype(np.float32)}, players=who)


def test_games_of_several_players() -> None:
    role = counting(1)[0].spec.roles[0]
    spec = GameSpec("pairs", 2, (role,), (0, 0), "turn-based", True, False, None, (-np.inf, np.inf))
    game = VectorGame(spec, Pairs, 3, True, np.zeros((), np.int64))
    game.reset(1)
    for ply in range(ENDS):
        turn = game.turn()
        assert turn.players.tolist() == [ply % 2] * 3
        outcome = game.step(np.zeros(3, np.int64))
        assert outcome.rewards.tolist() == [[1.0, -1.0]] * 3
    assert outcome.truncated.all() and outcome.finished.all() and not outcome.terminated.any()
    final = outcome.final
    assert final is not None
    assert final.copies.tolist() == [0, 0, 1, 1, 2, 2] and final.players.tolist() == [0, 1] * 3
    assert final.observation["observation"].tolist() == [[0, ENDS], [1, ENDS]] * 3
    assert final.legal is not None and final.legal.shape == (6, 3)
    assert game.text(0, 1) != game.text(0, 0) and "player 0 to move" in game.text(0, 0)


def test_environments_that_keep_breaking_end_the_run() -> None:
    game, _ = counting(1)
    game.reset(1)
    with pytest.raises(RuntimeError, match="counters raised in 20 of 20 games, the last time OSError: overheated"):
        for _ in range(30):
            game.step(np.array([2]))
    healthy, _ = counting(1)
    healthy.reset(1)
    for _ in range(40):  # few in many are borne
        for _ in range(11 * ENDS):
            healthy.step(np.zeros(1, np.int64))
        assert healthy.step(np.array([2])).broken.all()


def test_openings_play_copies_apart() -> None:
    game, _ = counting(3, restart=False)
    game.reset([1, 2, 3], openings=[[1], [], [0, 1]])
    assert game.turn().plies.tolist() == [1, 0, 2]
    assert game.turn().copies.tolist() == [0, 1, 2]
    outcome = game.step(np.array([1, 0, 1]))
    assert outcome.rewards[:, 0].tolist() == [2.0, 1.0, 2.0]


def test_an_environments_own_vector_form_is_used_and_plays_the_same_game() -> None:
    """CartPole's vector implementation beside its single one: the same moves from the same state, the same rewards."""
    game = make("gym:CartPole-v1", 16)
    game.reset(3)
    (bank,) = game._banks  # type: ignore[attr-defined]
    assert type(bank.pool._env.unwrapped).__name__ == "CartPoleVectorEnv"
    single: Any = gymnasium.make("CartPole-v1").unwrapped
    rng = np.random.default_rng(0)
    ends = 0
    for _ in range(120):
        turn = game.turn()
        seen = turn.observation["observation"]
        states = dict(zip(turn.copies.tolist(), bank.pool._env.unwrapped.state.T[turn.copies], strict=True))
        actions = rng.integers(0, 2, len(turn))
        outcome = game.step(actions)
        for row, copy in enumerate(turn.copies.tolist()):
            single.reset()
            single.state = states[copy]
            np.testing.assert_array_equal(seen[row], states[copy].astype(np.float32))
            _, reward, over, _, _ = single.step(int(actions[row]))
            assert outcome.rewards[copy, 0] == reward and bool(outcome.terminated[copy, 0]) == over
        ends += int(outcome.finished.sum())
    assert ends > 16
    game.reset([*range(16)])
    assert len(game._banks) == 1 and game._banks[0].apart  # type: ignore[attr-defined]


@pytest.mark.parametrize("copies", [3, 16])
def test_stopping_leaves_the_others_as_they_are(copies: int) -> None:
    game = make("gym:CartPole-v1", copies)
    game.reset(3)
    for _ in range(5):
        game.step(np.zeros(len(game.turn()), np.int64))
    before = game.turn()
    game.stop(np.array([1]))
    after = game.turn()
    assert after.copies.tolist() == list(range(copies)) and after.plies[1] == 0 and after.plies[0] == 5
    others = np.setdiff1d(np.arange(copies), 1)
    np.testing.assert_array_equal(after.observation["observation"][others], before.observation["observation"][others])
    for _ in range(100):
        outcome = game.step(np.zeros(len(game.turn()), np.int64))
        assert not outcome.broken.any()


SPACES: list[spaces.Space[Any]] = [
    spaces.Discrete(4, start=2),
    spaces.MultiDiscrete([2, 3]),
    spaces.MultiBinary((2, 3)),
    spaces.Box(-1, 1, (2, 2), np.float64),
    spaces.Tuple((spaces.Discrete(3), spaces.Box(0, 1, (2,)))),
    spaces.Dict({"a": spaces.Discrete(3), "b": spaces.Dict({"c": spaces.MultiBinary(2)})}),
]


@pytest.mark.parametrize("space", SPACES, ids=lambda space: type(space).__name__)
def test_batches_translate_as_single_observations_do(space: spaces.Space[Any]) -> None:
    translator = Translator(space, spaces.Discrete(2), "test")
    space.seed(3)
    singles = [space.sample() for _ in range(5)]
    out = gymnasium.vector.utils.create_empty_array(space, 5)
    batch = gymnasium.vector.utils.concatenate(space, singles, out)
    rows, stacked = translator.see_rows(batch), translator.stack(singles, [{}] * 5)
    for name, inner in translator.role.observation.items():
        expected = np.stack([translator.see(single, {}).observation[name] for single in singles])
        for shown in (rows, stacked):
            np.testing.assert_array_equal(shown.observation[name], expected)
            assert shown.observation[name].dtype == inner.dtype and shown.observation[name].shape[1:] == inner.shape


def test_bounded_whole_numbers_are_choices() -> None:
    low, high = np.array([-1, 0]), np.array([1, 4])
    translator = Translator(spaces.Discrete(2), spaces.Box(low, high, dtype=np.int32), "test")
    assert translator.role.action == spaces.MultiDiscrete([3, 5])
    acted = translator.act_rows(np.array([[0, 4], [2, 0]]))
    assert acted.tolist() == [[-1, 4], [1, 0]] and acted.dtype == np.int32
