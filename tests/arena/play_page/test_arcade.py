"""Games in real time: pads, two copies that go the same way, and messages."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("nicegui", reason="the page needs NiceGUI: pip install 'lanista[play]'")
pytest.importorskip("ale_py", reason="Atari needs ale-py: pip install 'lanista[atari]'")


from lanista.agents.artifact import save_agent
from lanista.agents.policy_network import build_network
from lanista.agents.saliency import saliency
from lanista.arena.play.arcade import messages
from lanista.arena.play.arcade.looking import shows_looks
from lanista.arena.play.arcade.machine import Machine
from lanista.arena.play.arcade.messages import ATTACH, KEYS, ORDER, RESTART, SEEN, SPEED
from lanista.arena.play.arcade.pads import keys_of, pad_of, screen_of
from lanista.arena.play.arcade.pictures import Pictures
from lanista.arena.play.arcade.players import check_real_time, offered, players_of
from lanista.arena.play.roster import Roster
from lanista.envs.catalogue import make
from lanista.errors import UsageError

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An agent for Pong that has learned nothing yet, as a run's folder."""
    folder = tmp_path_factory.mktemp("runs") / "pong"
    network = build_network(make("atari:pong").spec, "nature_cnn:dim=64").eval()
    save_agent(folder / "agent", network, "atari:pong", "float32", {})
    return folder


# --- pads


@pytest.mark.parametrize(
    ("game", "pressed", "action"),
    [
        ("atari:breakout", (), "NOOP"),
        ("atari:breakout", ("fire",), "FIRE"),
        ("atari:breakout", ("left", "fire"), "FIRE"),  # the console does not know both: they take turns
        ("atari:seaquest", ("up", "right", "fire"), "UPRIGHTFIRE"),
        ("atari:pong", ("up",), "RIGHT"),  # a paddle
        ("atari:pong", ("down", "fire"), "LEFTFIRE"),
        ("atari:pong?full_action_space=true", ("up", "left"), "UPLEFT"),
    ],
)
def test_keys_are_actions_of_the_console(game: str, pressed: tuple[str, ...], action: str) -> None:
    from lanista.envs.doors import atari

    pad = pad_of(game, make(game).spec)
    mask = sum(1 << pad.buttons.index(button) for button in pressed)
    assert atari.action_names(game.partition(":")[2])[pad.action(mask, 0)] == action
    assert pad.pace == 60 and not pad.waits


def test_other_games_have_the_keys_that_fit_them() -> None:
    cart = pad_of("gym:CartPole-v1", make("gym:CartPole-v1").spec)
    assert [cart.action(*pressed) for pressed in ((1, 1), (2, 1), (3, 1), (0, 1), (0, 0))] == [0, 1, 0, 0, 1]
    lake = pad_of("gym:FrozenLake-v1", make("gym:FrozenLake-v1").spec)
    assert lake.waits and [lake.action(1 << lake.buttons.index(way), 0) for way in ("left", "up")] == [0, 3]
    jack = pad_of("gym:Blackjack-v1", make("gym:Blackjack-v1").spec)
    assert jack.buttons == ("1", "2") and jack.waits
    alone, first, second = (keys_of(lake, place, people) for place, people in ((0, 1), (0, 2), (1, 2)))
    assert alone[0]["keys"] == ["ArrowLeft", "KeyA"]
    assert not {key for each in first for key in each["keys"]} & {key for each in second for key in each["keys"]}  # type: ignore[attr-defined]


# --- machines


@pytest.mark.parametrize("game", ["atari:breakout", "atari:boxing?repeat_action_probability=0.25"])
def test_the_screen_goes_the_way_of_the_game_that_agents_see(game: str) -> None:
    joint = "&" if "?" in game else "?"
    seen: Any = make(
        f"{game}{joint}stack_num=1&img_height=210&img_width=160&grayscale=false&maxpool=false", restart=False
    )
    screen: Any = screen_of(game, watched=True)
    draws = np.random.default_rng(0)
    for one in (seen, screen):
        one.reset([5])
    for _ in range(300):
        action = draws.integers(seen.spec.roles[0].action.n, size=1)
        gained, over = 0.0, False
        for _ in range(4):
            if not over:
                outcome = screen.step(action)
                gained, over = gained + outcome.rewards[0, 0], bool(outcome.finished[0])
        whole = seen.step(action)
        assert gained == whole.rewards[0, 0] and over == whole.finished[0]
        assert seen.lives(0) == screen.lives(0)
        if over:
            break
        np.testing.assert_array_equal(seen.pixels(0), screen.pixels(0))
    else:
        assert game.startswith("atari:boxing"), "lives are lost within so many steps"


@pytest.mark.thorough
def test_the_console_of_a_person_plays_the_same_game() -> None:
    from lanista.envs.doors import atari

    lasted: list[int] = []
    for seed in (1, 2):
        played: Any = atari.console("breakout?noop_max=0")
        seen: Any = screen_of("atari:breakout?noop_max=0", watched=True)
        for one in (played, seen):
            one.reset([seed])
        np.testing.assert_array_equal(played.pixels(0), seen.pixels(0))
        for frame in range(2000):
            action = np.array([frame // 7 % 4])
            mine, its = played.step(action), seen.step(action)
            assert (mine.rewards, mine.finished) == (its.rewards, its.finished) and played.lives(0) == seen.lives(0)
            if mine.finished[0]:
                break
            if not frame % 10:
                np.testing.assert_array_equal(played.pixels(0), seen.pixels(0))
        lasted.append(frame)
    assert lasted[0] == lasted[1]  # without the first frames of doing nothing, chance plays no part
    other: Any = atari.console("breakout")
    starts = [other.reset([seed]) or other.pixels(0).tobytes() for seed in range(6)]
    assert len(set(starts)) > 1  # and with them it does


def test_an_agent_decides_every_fourth_frame_and_sees_what_it_was_trained_on(agent: Path) -> None:
    machine = Machine("atari:pong", [str(agent)], 1)
    machine.begin(3)
    decided = []
    for frame in range(40):
        before = machine.decision
        machine.frame([0])
        if machine.decision is not before:
            decided.append(frame)
    assert decided == list(range(0, 40, 4))
    assert machine.decision is not None and machine.decision.turn.observation["observation"].shape == (1, 4, 84, 84)
    assert machine.picture().shape == (210, 160, 3) and machine.pace == 60
    machine.close()


def test_a_person_moves_the_racket_and_loses_a_game() -> None:
    machine = Machine("atari:pong?max_num_frames_per_episode=400", [""], 1)
    machine.begin(3)
    start = machine.picture().copy()
    pad = machine.pads[0]
    assert pad is not None
    for _ in range(12):
        machine.frame([1 << pad.buttons.index("up")])
    moved = machine.picture().copy()
    green = (start == np.array([92, 186, 92])).all(2), (moved == np.array([92, 186, 92])).all(2)
    assert np.nonzero(green[1])[0].mean() < np.nonzero(green[0])[0].mean() - 5  # its own racket is higher
    while not machine.over:
        machine.frame([0])
    assert machine.over == "the time is up" and machine.score[0] < 0
    machine.begin(4)
    assert machine.score == [0.0] and not machine.over
    machine.close()


def test_what_the_console_says_is_heard_with_its_frame() -> None:
    """As often as the ball is lost there is a sound, in this very frame; between bounces it is silent."""
    machine = Machine("atari:pong", [""], 1)
    machine.begin(3)
    assert machine.sounds
    said = []
    for _ in range(400):
        before = machine.score[0]
        machine.frame([0])
        sound = machine.sound()
        assert sound is not None and sound.shape == (512,) and sound.dtype == np.uint8
        said.append(bool((sound != 128).any()))
        assert machine.score[0] == before or said[-1]
    assert machine.score[0] < 0 and 0.05 < np.mean(said) < 0.5
    machine.close()
    if find_spec("pygame") is not None:
        silent = Machine("gym:CartPole-v1", [""], 1)
        silent.begin(3)
        assert not silent.sounds and silent.sound() is None
        silent.close()


def test_an_agent_that_hears_is_watched_and_heard(tmp_path: Path) -> None:
    name = "atari:pong?sound=true&stack_num=1"
    network = build_network(make(name).spec, "auto").eval()
    save_agent(tmp_path / "agent", network, name, "float32", {})
    machine = Machine("atari:pong", [str(tmp_path)], 1)
    machine.begin(3)
    said = []
    for _ in range(200):
        machine.frame([0])
        sound = machine.sound()
        said.append(sound is not None and bool((sound != 128).any()))
    assert machine.sounds and any(said) and not all(said)
    assert machine.decision is not None and machine.picture().shape == (210, 160, 3)
    assert machine.decision.turn.observation["sound"].shape == (1, 533) and shows_looks(machine.decision.agent)
    _, heat = saliency(network, machine.decision.turn, 0, machine.decision.action, copies=2)
    assert heat.shape == (84, 84) and heat.max() == 1
    machine.close()


def test_a_person_and_an_agent_play_together() -> None:
    pytest.importorskip("mpe2")
    machine = Machine("zoo:mpe2/simple_push_v3", ["", "random"], 1)
    machine.begin(0)
    first = machine.picture().copy()
    for _ in range(5):
        machine.frame([1 << 0, 0])
    assert not np.array_equal(first, machine.picture()) and len(machine.score) == 2
    machine.close()


def test_two_players_of_the_console() -> None:
    pytest.importorskip("multi_agent_ale_py", reason="two-player Atari needs: pip install multi-agent-ale-py")
    machine = Machine("zoo:atari/pong_v3", ["", "random"], 1)
    machine.begin(0)
    up = 1 << machine.pads[0].buttons.index("up")  # type: ignore[union-attr]
    green = np.array([92, 186, 92])
    heights = []
    for pressed in (0, up):
        for _ in range(20):
            machine.frame([pressed, 0])
        heights.append(np.nonzero((machine.picture()[34:194] == green).all(2))[0].mean())
    assert heights[1] < heights[0] - 5  # the racket goes up
    while not any(machine.score):
        machine.frame([0, 0])
    assert sum(machine.score) == 0 and machine.pace == 60
    machine.close()


def test_what_cannot_be_played_is_said(agent: Path) -> None:
    with pytest.raises(UsageError, match="no keys"):
        Machine("gym:Pendulum-v1", [""], 0)
    with pytest.raises(UsageError, match="does not fit"):
        Machine("atari:breakout", [str(agent)], 0)
    with pytest.raises(UsageError, match="waits for moves"):
        check_real_time("connect_four", make("connect_four").spec)


def test_an_agent_of_the_same_game_with_other_options_is_listed(agent: Path) -> None:
    roster = Roster(runs=agent.parent)
    spec = make("atari:pong").spec
    names = [name for name, _ in players_of(roster, "atari:pong?noop_max=3", spec)]
    assert names[0] == agent.as_posix() and "random" in names
    assert agent.as_posix() not in dict(players_of(roster, "atari:breakout", make("atari:breakout").spec))
    assert ("atari:pong", "Pong") in offered()


# --- messages


def test_pictures_are_png_files() -> None:
    image = pytest.importorskip("PIL.Image")
    import io

    pixels = np.random.default_rng(0).integers(0, 256, (21, 16, 3)).astype(np.uint8)
    made = Pictures()
    for each in (pixels, pixels[::-1], pixels[:5]):
        read = np.asarray(image.open(io.BytesIO(made.png(each))))
        np.testing.assert_array_equal(read, each)


def test_only_what_a_page_sends_is_taken() -> None:
    good = [bytes((KEYS, 0, 3, 0)), bytes((SEEN, 1, 0, 0, 0)), bytes((ORDER, SPEED, 50)), bytes((ORDER, RESTART, 0))]
    assert [messages.from_browser(each) for each in good] == good
    bad: list[object] = [
        b"", "text", None, bytes(3), bytes((KEYS, 0, 3)), bytes((KEYS, 99, 0, 0)), bytes((SEEN,) * 9), b"x" * 10**6,
        bytes((ORDER, SPEED, 255)), bytes((ORDER, ATTACH, 0)), bytes((9, 0, 0)),
    ]  # fmt: skip
    assert [messages.from_browser(each) for each in bad] == [None] * len(bad)
    draws = np.random.default_rng(0)
    taken = [draws.bytes(int(draws.integers(1, 7))) for _ in range(10_000)]
    heard = bytearray(b"".join(messages.packed(kind, each) for kind, each in enumerate(good)) + b"\x05\0\0\0\1begun")
    heard, rest = heard[:-3], heard[-3:]
    assert list(messages.taken(heard)) == list(enumerate(good))
    assert list(messages.taken(heard + rest)) == [(1, b"begun")]
    with pytest.raises(ValueError, match="a message of"):
        list(messages.taken(bytearray(b"\xff" * 5)))
    lengths = {len(each) for each in taken if messages.from_browser(each) is not None}
    assert lengths <= {3, 4, 5}
