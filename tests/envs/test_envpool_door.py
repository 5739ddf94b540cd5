"""The EnvPool door against EnvPool itself, and its names and options."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from random_play import random_actions

from lanista.envs import make
from lanista.errors import UsageError

envpool = pytest.importorskip("envpool", reason="the package envpool is not installed")


def beside(name: str, copies: int, seed: int, **options: Any) -> tuple[Any, Any]:
    """A game and EnvPool's own environment of the same seeds."""
    game: Any = make(
        f"envpool:{name}" + ("?" + "&".join(f"{k}={v}" for k, v in options.items()) if options else ""), copies
    )
    game.reset(seed)
    seeds = (game._ledger.seeds >> np.uint64(33)).astype(np.int64).tolist()
    return game, envpool.make(name, env_type="gymnasium", num_envs=copies, seed=seeds, **options)


def test_the_same_as_envpool_itself() -> None:
    game, bare = beside("CartPole-v1", 5, 3, max_episode_steps=30)
    seen, _ = bare.reset()
    ended = np.zeros(5, bool)
    cuts = ends = 0
    for _ in range(200):
        turn = game.turn()
        shown = np.flatnonzero(~ended)
        assert turn.copies.tolist() == shown.tolist()
        np.testing.assert_array_equal(turn.observation["observation"], seen[shown])
        actions = np.zeros(5, np.int64)
        actions[shown] = random_actions(game, turn)
        outcome = game.step(actions[shown])
        seen, rewards, terminated, truncated, _ = bare.step(actions)
        np.testing.assert_array_equal(outcome.rewards[shown, 0], rewards[shown])
        np.testing.assert_array_equal(outcome.terminated[shown, 0], terminated[shown])
        np.testing.assert_array_equal(outcome.truncated[shown, 0], truncated[shown])
        ended = terminated | truncated
        assert not ended.all(), "or the copies would begin without a turn; choose another seed"
        cuts += int(truncated.sum())
        ends += int(terminated.sum())
    assert cuts and ends


def test_board_games_show_the_player_to_move_whichever_thread_is_done_first() -> None:
    game, bare = beside("ConnectFour-v1", 6, 1, num_threads=2)
    seen, info = bare.reset()
    ended = np.zeros(6, bool)
    for _ in range(300):
        turn = game.turn()
        shown = np.flatnonzero(~ended)
        order = np.argsort(info["env_id"], kind="stable")
        who = info["current_player"][order]
        boards = seen.reshape(6, 2, 6, 7, 2)[order, who]
        assert turn.copies.tolist() == shown.tolist() and turn.players.tolist() == who[shown].tolist()
        np.testing.assert_array_equal(turn.observation["observation"], boards[shown])
        np.testing.assert_array_equal(turn.legal, info["legal_action_mask"][order][shown])
        actions = np.zeros(6, np.int64)
        actions[shown] = random_actions(game, turn)
        outcome = game.step(actions[shown])
        seen, rewards, terminated, _, info = bare.step(actions.astype(np.int32))
        order = np.argsort(info["env_id"], kind="stable")
        np.testing.assert_array_equal(outcome.rewards[shown], rewards.reshape(6, 2)[order][shown])
        ended = terminated[order]
        np.testing.assert_array_equal(outcome.finished, ended)
        assert not ended.all(), "or the copies would begin without a turn; choose another seed"
    spec = game.spec
    assert (spec.players, spec.kind, spec.role_of, spec.longest) == (2, "turn-based", (0, 0), None)


def test_missions_images_and_directions() -> None:
    game = make("envpool:BabyAI-GoToLocal-v0", 4)
    role = game.spec.roles[0]
    assert {name: space.shape for name, space in role.observation.items()} == {
        "direction": (4,), "image": (3, 7, 7), "mission": (512,),
    }  # fmt: skip
    assert role.action == spaces.Discrete(7)
    game.reset(1)
    turn = game.turn()
    assert (turn.observation["direction"].sum(axis=1) == 1).all()
    missions = {bytes(row[row > 0]).decode() for row in turn.observation["mission"]}
    assert all(mission.startswith("go to ") for mission in missions)


def test_actions_that_are_boxes_and_choices() -> None:
    swing = make("envpool:Pendulum-v1", 2)
    swing.reset(1)
    assert swing.turn().legal is None
    swing.step(np.array([[5.0], [-0.5]]))
    assert swing.turn().plies.tolist() == [1, 1]
    robots = make("envpool:Jumanji/Cleaner-v0", 2)
    assert robots.spec.roles[0].action == spaces.MultiDiscrete([4, 4, 4])
    robots.reset(1)
    turn = robots.turn()
    assert turn.legal is not None and turn.legal.shape == (2, 12) and not turn.legal.all()
    robots.step(random_actions(robots, turn))
    assert robots.turn().plies.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("envpool:Pong-v4", "unknown EnvPool environment 'Pong-v4'; did you mean 'Pong-v5'?"),
        ("envpool:Pong-v5?stack=3", "unknown option of 'envpool:Pong-v5?stack=3' 'stack'"),
        ("envpool:Pong-v5?num_envs=3", "'num_envs' is for Lanista to set"),
        ("envpool:Jumanji/BinPack-v2", "its action mask has"),
    ],
)
def test_wrong_names(name: str, said: str) -> None:
    with pytest.raises(UsageError) as told:
        make(name)
    assert said in str(told.value) and "\n" not in str(told.value)
