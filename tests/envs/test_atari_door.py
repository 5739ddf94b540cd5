"""The Atari door against ale_py's own vector environment, and its names and options."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from gymnasium import spaces
from random_play import random_actions

from lanista.envs import make
from lanista.errors import UsageError

ale_vectors = pytest.importorskip("ale_py.vector_env", reason="the package ale_py is not installed")


def test_the_same_as_the_vector_environment_itself() -> None:
    """Same seeds and actions: the same frames, points and ends, except for the turn in which a copy begins anew."""
    game = make("atari:breakout?max_num_frames_per_episode=60", 4)
    game.reset(2)
    bare = ale_vectors.AtariVectorEnv("breakout", 4, max_num_frames_per_episode=60, reward_clipping=False)
    seen, _ = bare.reset(seed=(game._ledger.seeds >> np.uint64(33)).astype(np.int64))  # type: ignore[attr-defined]
    ended = np.zeros(4, bool)
    cuts = 0
    for _ in range(50):
        turn = game.turn()
        shown = np.arange(4) if ended.all() else np.flatnonzero(~ended)
        if ended.all():  # these begin without a turn, since nobody would have a row
            seen, _, terminated, truncated, _ = bare.step(np.zeros(4, np.int64))
        assert turn.copies.tolist() == shown.tolist()
        frames = turn.observation["observation"]
        assert frames.dtype == np.uint8 and frames.shape[1:] == (4, 84, 84)
        np.testing.assert_array_equal(frames, seen[shown])
        actions = np.zeros(4, np.int64)
        actions[shown] = random_actions(game, turn)
        outcome = game.step(actions[shown])
        seen, rewards, terminated, truncated, _ = bare.step(actions)
        np.testing.assert_array_equal(outcome.rewards[shown, 0], rewards[shown])
        np.testing.assert_array_equal(outcome.terminated[shown, 0], terminated[shown])
        np.testing.assert_array_equal(outcome.truncated[shown, 0], truncated[shown])
        ended = terminated | truncated
        cuts += int(truncated.sum())
        if truncated.any():
            assert outcome.final is not None
            np.testing.assert_array_equal(outcome.final.observation["observation"], seen[truncated])
    assert cuts >= 8


def test_frames_are_not_copied_while_all_play() -> None:
    game = make("atari:pong", 3)
    game.reset(1)
    game.step(np.zeros(3, np.int64))
    shown = game._banks[0].shown.observation["observation"]  # type: ignore[attr-defined]
    assert game.turn().observation["observation"] is shown


@pytest.mark.parametrize(
    "name", ["pong", "Pong", "PONG", "ms_pacman", "MsPacman", "ALE/MsPacman-v5", "PongNoFrameskip-v4"]
)
def test_names(name: str) -> None:
    game = make(f"atari:{name}")
    assert game.spec.name == f"atari:{name}" and ("pong" in game.spec.description) == ("ong" in name.lower())


def test_options() -> None:
    game = make("atari:pong?frame_skip=2&stack_num=3&img_height=40&img_width=50&full_action_space=true")
    role = game.spec.roles[0]
    assert role.observation["observation"] == spaces.Box(0, 255, (3, 40, 50), np.uint8)
    assert role.action == spaces.Discrete(18) and game.spec.longest == 54000
    paddle = make("atari:pong?continuous=true", 2)
    paddle.reset(1)
    assert paddle.turn().legal is None
    paddle.step(np.array([[1.0, 0.5, 0.0], [0.5, -3.0, 1.0]]))
    assert paddle.turn().plies.tolist() == [1, 1]


def test_points_are_the_games_own_unless_clipped() -> None:
    gains = {}
    for clip in ("false", "true"):
        game = make(f"atari:ms_pacman?reward_clipping={clip}", 2)
        game.reset(1)
        total = np.zeros(2)
        for _ in range(150):
            total += game.step(random_actions(game, game.turn())).rewards[:, 0]
        gains[clip] = total
    assert (gains["false"] >= 10 * gains["true"]).all() and (gains["true"] > 0).all()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("atari:breakot", "unknown Atari game 'breakot'; did you mean 'breakout'?"),
        ("atari:Pacman2-v5", "unknown Atari game 'pacman2'; did you mean '"),
        (
            "atari:pong?frameskip=4",
            "unknown option of 'atari:pong?frameskip=4' 'frameskip'; did you mean 'frame_",
        ),
        ("atari:pong?frame_skip=x", "option 'frame_skip' of 'atari:pong?frame_skip=x' must be int"),
        ("atari:pong?frame_skip=0", "'frame_skip' of 'atari:pong?frame_skip=0' must be at least 1, not 0"),
        ("atari:pong?stack_num=0", "'stack_num' of 'atari:pong?stack_num=0' must be at least 1"),
        ("atari:pong?img_height=0", "must be at least 1, not 0"),
        ("atari:pong?num_threads=-3", "must be at least 0, not -3"),
        ("atari:pong?repeat_action_probability=7", "must be 0 to 1, not 7"),
    ],
)
def test_wrong_names(name: str, said: str) -> None:
    with pytest.raises(UsageError) as told:
        make(name)
    assert said in str(told.value) and "\n" not in str(told.value)


def test_the_picture_is_the_last_frame() -> None:
    game = make("atari:pong")
    game.reset(1)
    for player in (None, 0):
        drawn = ElementTree.fromstring(game.picture(0, player))
        assert drawn.attrib["viewBox"] == "0 0 84 84"
