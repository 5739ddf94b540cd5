"""The gym door against Gymnasium's own loop, and on environments that are cut off, raise, or have unusual spaces."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from typing import Any, ClassVar

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from random_play import random_actions

from lanista.agents.policy_network import PolicyNetwork
from lanista.envs import make
from lanista.errors import UsageError
from lanista.perception.inputs.words import MOST_WORDS, token
from lanista.training.settings import new_networks, read_settings


class Odd(gymnasium.Env[Any, Any]):
    """Dictionary observations, an action for every kind of space, and a step that raises at count 3 if asked to."""

    metadata: dict[str, Any] = {"render_modes": []}
    actions: ClassVar[dict[str, spaces.Space[Any]]] = {
        "discrete": spaces.Discrete(3, start=-1),
        "multi": spaces.MultiDiscrete(np.array([[2, 3], [4, 2]])),
        "binary": spaces.MultiBinary(4),
        "box": spaces.Box(np.array([[-1, 0]]), np.array([[1, 5]]), dtype=np.float64),
        "text": spaces.Text(3),
    }

    def __init__(self, kind: str = "discrete", raises: bool = False) -> None:
        inner = spaces.Dict({"place": spaces.Tuple((spaces.Discrete(3), spaces.Discrete(2)))})
        image = spaces.Box(0, 255, (4, 4, 3), np.uint8)
        self.observation_space = spaces.Dict({"image": image, "self": inner, "flags": spaces.MultiBinary(2)})
        self.action_space = self.actions[kind]
        self.raises = raises
        self.unplugged = False
        self.got: list[Any] = []
        self._image = np.zeros((4, 4, 3), np.uint8)  # shown again and again, as some environments do

    def see(self) -> dict[str, Any]:
        self._image[:] = self.count
        place = (self.count % 3, self.count % 2)
        return {"image": self._image, "self": {"place": place}, "flags": np.array([1, 0], np.int8)}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        assert not self.unplugged, "this environment is not to be used again"
        self.count = 0
        return self.see(), {"action_mask": np.array([1, 0, 1], np.int8)} if self.raises else {}

    def step(self, action: Any) -> Any:
        assert self.action_space.contains(action), action
        self.got.append(action)
        self.count += 1
        if self.raises and self.count == 3:
            self.unplugged = True
            raise OSError("unplugged")
        return self.see(), 0.5, self.count == 7, False, {}


def make_odd(**options: Any) -> gymnasium.Env[Any, Any]:
    return Odd(**options)


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    gymnasium.register("test/Odd-v0", make_odd, max_episode_steps=5)
    gymnasium.register("test/Long-v0", make_odd)
    gymnasium.register("test/Both-v0", make_odd, max_episode_steps=7)
    gymnasium.register("test/Missing-v0", "no_such_package.envs:Env")
    yield
    for name in ("test/Odd-v0", "test/Long-v0", "test/Both-v0", "test/Missing-v0"):
        del gymnasium.registry[name]


@pytest.mark.parametrize("name", ["CartPole-v1", "Pendulum-v1", "FrozenLake-v1"])
def test_the_same_as_gymnasiums_own_loop(name: str) -> None:
    """Each copy is the environment itself: same seed and actions, same observations, rewards and ends."""
    game = make(f"gym:{name}", 3)
    game.reset(2)
    envs = [gymnasium.make(name) for _ in range(3)]
    whole = 0
    seen: list[Any] = [None] * 3
    for _ in range(250):
        turn = game.turn()
        for copy, env in enumerate(envs):
            if turn.plies[copy] == 0:
                # Each copy is seeded once, and goes on with its own random stream.
                first = seen[copy] is None
                seed = int(game._ledger.seeds[copy]) >> 33 if first else None  # type: ignore[attr-defined]
                seen[copy], _ = env.reset(seed=seed)
            shown = turn.observation["observation"][copy]
            np.testing.assert_array_equal(shown, spaces.flatten(env.observation_space, seen[copy]))
        actions = random_actions(game, turn)
        outcome = game.step(actions)
        for copy, env in enumerate(envs):
            action = int(actions[copy]) if isinstance(env.action_space, spaces.Discrete) else actions[copy]
            seen[copy], reward, terminated, truncated, _ = env.step(action)
            assert outcome.rewards[copy, 0] == np.float32(reward)
            assert bool(outcome.terminated[copy, 0]) == terminated
            assert bool(outcome.truncated[copy, 0]) == (truncated and not terminated)
            whole += terminated or truncated
    assert whole >= 3


class Told(gymnasium.Env[Any, Any]):
    """A picture, larger than it is deep, and what to do in words."""

    def __init__(self) -> None:
        picture, said = spaces.Box(0, 255, (5, 6, 3), np.uint8), spaces.Text(40)
        self.observation_space = spaces.Dict({"picture": picture, "said": said})
        self.action_space = spaces.Discrete(2)

    def see(self) -> dict[str, Any]:
        return {"picture": np.arange(90, dtype=np.uint8).reshape(5, 6, 3), "said": f"Take {self.count} red balls, now!"}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        self.count = 0
        return self.see(), {}

    def step(self, action: Any) -> Any:
        self.count += 1
        return self.see(), 0.0, False, self.count == 4, {}


def test_pictures_have_their_channels_first_and_texts_are_their_words() -> None:
    gymnasium.register("test/Told-v0", lambda **options: Told(**options))
    try:
        game = make("gym:test/Told-v0", 2)
        game.reset(0)
        game.step(np.zeros(1, np.int64), np.array([1]))
        shown = game.turn().observation
        assert shown["picture"].shape == (2, 3, 5, 6)
        np.testing.assert_array_equal(shown["picture"][1].transpose(1, 2, 0), np.arange(90).reshape(5, 6, 3))
        for row, count in ((0, "0"), (1, "1")):
            known = [token(word) for word in ("take", count, "RED", "balls", "now")]
            assert shown["said"][row].tolist() == known + [0] * (MOST_WORDS - 5)
        for _ in range(9):
            final = game.step(np.zeros(2, np.int64)).final
            if final is not None and len(final):
                assert final.observation["said"][0, 1] == token("4") and final.observation["picture"].shape[1] == 3
                break
        else:
            raise AssertionError("no game was cut off")
        network = new_networks(game.spec, read_settings("gym:test/Told-v0", changes={"encoder": "auto"}))
        assert isinstance(network, PolicyNetwork)
        assert network.fusion.encoders["said"].name == "text_gru"
        with torch.no_grad():
            logits, _ = network({name: torch.from_numpy(value) for name, value in shown.items()}, None)
        assert logits.shape == (2, 2) and bool((logits[0] != logits[1]).any()), "the words are not read"
    finally:
        del gymnasium.registry["test/Told-v0"]


def test_no_two_words_of_minigrids_and_babyais_missions_are_one() -> None:
    language = """
        go to put pick up open the a an next then after you and front of behind on your left right red green blue
        purple yellow grey door ball box key object goal get avoid lava fetch must use unlock room matching at end
        hallway traverse rooms in corner gap through square reach it drop toggle match"""
    words = re.findall(r"\w+", language)
    assert len({token(word) for word in words}) == len(words)


def test_minigrid_needs_only_its_name() -> None:
    pytest.importorskip("minigrid")
    game = make("gym:MiniGrid-GoToObject-6x6-N2-v0", 3)
    game.reset(5)
    shown = game.turn().observation
    assert {name: value.shape for name, value in shown.items()} == {
        "direction": (3, 4), "image": (3, 3, 7, 7), "mission": (3, MOST_WORDS),
    }  # fmt: skip
    assert (shown["mission"][:, 0] == token("go")).all()


def test_cut_off_games_show_where_they_stood() -> None:
    game = make("gym:test/Odd-v0", 2)
    game.reset(1)
    game.step(np.zeros(1, np.int64), np.array([0]))
    for ply in range(4):
        turn = game.turn()
        assert turn.plies.tolist() == [ply + 1, ply]
        outcome = game.step(np.zeros(2, np.int64))
    final = outcome.final
    assert final is not None and outcome.truncated.tolist() == [[True], [False]] and not outcome.terminated.any()
    assert (final.copies.tolist(), final.plies.tolist(), final.games.tolist()) == ([0], [5], [0])
    assert (final.observation["image"] == 5).all(), "not what the restarted game shows in the same array"
    assert final.legal is not None and final.legal.all()
    assert outcome.finished.tolist() == [True, False]
    after = game.turn()
    assert after.plies.tolist() == [0, 4] and (after.observation["image"][0] == 0).all()
    assert (turn.observation["image"][0] == 4).all(), "an old turn is not overwritten"
    outcome = game.step(np.zeros(2, np.int64))
    assert outcome.truncated.tolist() == [[False], [True]]


def test_an_end_at_the_time_limit_is_an_end() -> None:
    game = make("gym:test/Both-v0", 1)
    game.reset(1)
    for _ in range(7):
        outcome = game.step(np.zeros(1, np.int64))
    assert outcome.terminated.all() and not outcome.truncated.any() and outcome.final is None


def test_observations_of_every_kind() -> None:
    game = make("gym:test/Long-v0", 1)
    game.reset(1)
    game.step(np.zeros(1, np.int64))
    seen = game.turn().observation
    assert set(seen) == {"image", "self.place", "flags"}
    assert seen["image"].dtype == np.uint8 and seen["image"].shape == (1, 3, 4, 4)
    assert seen["self.place"].tolist() == [[0, 1, 0, 0, 1]]
    assert seen["flags"].tolist() == [[1, 0]]
    assert game.spec.longest is None and make("gym:test/Odd-v0").spec.longest == 5
    lake = make("gym:FrozenLake-v1?is_slippery=false")
    lake.reset(1)
    lake.step(np.array([2]))
    assert lake.turn().observation["observation"][0].nonzero()[0].tolist() == [1]


@pytest.mark.parametrize(
    ("kind", "action", "got"),
    [
        ("discrete", 0, -1),
        ("discrete", 2, 1),
        ("multi", [1, 2, 3, 0], [[1, 2], [3, 0]]),
        ("binary", [1, 0, 0, 1], [1, 0, 0, 1]),
        ("box", [[0.5, 4.0]], [[0.5, 4.0]]),
        ("box", [[-7.0, 9.0]], [[-1.0, 5.0]]),
    ],
)
def test_actions_of_every_kind(kind: str, action: Any, got: Any) -> None:
    game = make(f"gym:test/Long-v0?kind={kind}", 2)
    game.reset(1)
    turn = game.turn()
    assert turn.legal is None if kind == "box" else turn.legal is not None and turn.legal.all()
    game.step(np.array([action, action]))
    (played,) = game._banks[0].pool._envs[1].unwrapped.got  # type: ignore[attr-defined]
    np.testing.assert_array_equal(played, got)


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("discrete", 3), ("discrete", -1), ("discrete", 0.5), ("multi", [2, 0, 0, 0]), ("multi", [0, 0, -1, 0]),
        ("multi", [0, 0, 0]), ("binary", [2, 0, 0, 0]), ("box", [[np.nan, 0.0]]), ("box", [[1.0]]),
    ],
)  # fmt: skip
def test_wrong_actions(kind: str, wrong: Any) -> None:
    game = make(f"gym:test/Long-v0?kind={kind}", 1)
    game.reset(1)
    with pytest.raises(ValueError, match="illegal"):
        game.step(np.array([wrong]))
    assert game.turn().plies.tolist() == [0]


def test_an_environment_that_raises_voids_its_own_game_only() -> None:
    game = make("gym:test/Long-v0?raises=true", 2)
    game.reset(1)
    assert game.turn().legal.tolist() == [[True, False, True]] * 2  # type: ignore[union-attr]
    game.step(np.array([2]), np.array([1]))
    game.step(np.zeros(2, np.int64))
    outcome = game.step(np.zeros(2, np.int64))
    assert outcome.broken.tolist() == [False, True] and not outcome.finished.any()
    assert outcome.rewards.tolist() == [[0.5], [0.0]]
    assert game.turn().plies.tolist() == [2, 0] and game.turn().games.tolist() == [0, 2]
    frozen = make("gym:test/Long-v0?raises=true", 2, restart=False)
    frozen.reset(1)
    for _ in range(3):
        outcome = frozen.step(np.zeros(len(frozen.turn()), np.int64))
    assert outcome.broken.all() and len(frozen.turn()) == 0
    frozen.reset()
    assert frozen.turn().plies.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gym:CartPol-v1", "unknown Gymnasium environment 'CartPol-v1'; did you mean 'CartPole-v1'?"),
        ("gym:CartPole", "did you mean 'CartPole-v"),
        ("gym:CartPole-v1?sutton_barto=true", "did you mean 'sutton_barto_reward'?"),
        ("gym:CartPole-v1?sutton_barto_reward", "write key=value"),
        ("gym:no_such_module:CartPole-v1", "No module named 'no_such_module'"),
        ("gym::CartPole-v1", "'gym::CartPole-v1' cannot be made: Empty module name"),
        ("gym:.x:CartPole-v1", "'gym:.x:CartPole-v1' cannot be made: "),
        ("gym:test/Missing-v0", "No module named 'no_such_package'"),
        ("gym:test/Long-v0?kind=text", "neither Discrete, MultiDiscrete nor Box"),
        ("gym:test/Long-v0?kind=nothing", "'gym:test/Long-v0?kind=nothing' cannot be made: 'nothing'"),
    ],
)
def test_wrong_names(name: str, said: str) -> None:
    with pytest.raises(UsageError) as told:
        make(name)
    assert said in str(told.value) and "\n" not in str(told.value)


def test_a_module_that_registers_its_environments_is_imported() -> None:
    game = make("gym:gymnasium.envs:CartPole-v1")
    game.reset(1)
    assert game.spec.name == "gym:gymnasium.envs:CartPole-v1" and game.spec.longest == 500


def test_pictures() -> None:
    image = "{http://www.w3.org/2000/svg}image"
    game = make("gym:CartPole-v1", 2)
    game.reset(1)
    drawn = ElementTree.fromstring(game.picture(0))
    assert drawn.find(image) is not None and drawn.attrib["viewBox"] == "0 0 600 400"
    blind = make("gym:test/Long-v0", 1)
    blind.reset(1)
    assert ElementTree.fromstring(blind.picture(0)).find(image) is None
    assert "flags: [1 0]" in blind.text(0)
