"""Atari games that are heard: the same pictures as without, and the sounds of the frames they show."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from random_play import random_actions

from lanista.envs import make
from lanista.envs.core import Array
from lanista.errors import UsageError

ale_py = pytest.importorskip("ale_py", reason="the package ale_py is not installed")
from lanista.envs.doors._atari_sound import CHUNK, SILENCE, resampled  # noqa: E402  needs no ale_py itself


def played(name: str, seed: int, steps: int, action: int | None = None) -> tuple[Array, Array, Array]:
    """Pictures, sounds and rewards of one copy, a row a turn; at random, or always the same action."""
    game = make(name, 1)
    game.reset([seed])
    pictures, sounds, rewards = [], [], []
    for _ in range(steps):
        turn = game.turn()
        pictures.append(turn.observation["observation"][0])
        sounds.append(turn.observation["sound"][0])
        chosen = random_actions(game, turn) if action is None else np.array([action])
        rewards.append(game.step(chosen).rewards[0, 0])
    return np.array(pictures), np.array(sounds), np.array(rewards)


def test_what_is_seen_and_heard() -> None:
    game = make("atari:pong?sound=true", 2)
    role = game.spec.roles[0]
    assert role.observation == spaces.Dict(
        {
            "observation": spaces.Box(0, 255, (4, 84, 84), np.uint8),
            "sound": spaces.Box(-32768, 32767, (2133,), np.int16),  # 16 frames, 0.267 s
        }
    )
    assert "8,000 samples a second" in game.spec.description
    game.reset(1)
    turn = game.turn()
    assert turn.observation["sound"].dtype == np.int16 and turn.observation["sound"].shape == (2, 2133)
    assert not turn.observation["sound"].any(), "no game has begun with a sound yet"


@pytest.mark.parametrize(
    ("options", "samples"), [("frame_skip=2&stack_num=3", 800), ("stack_num=1", 533), ("sound_frames=60", 8000)]
)
def test_how_long_is_heard(options: str, samples: int) -> None:
    assert make(f"atari:pong?sound=true&{options}").spec.roles[0].observation["sound"].shape == (samples,)


@pytest.mark.parametrize(
    ("rom", "options"),
    [
        ("pong", ""),
        ("breakout", "&episodic_life=true&max_num_frames_per_episode=300"),
        ("ms_pacman", "&grayscale=false&reward_clipping=true"),
        ("pong", "&frame_skip=1&stack_num=2&img_height=42&img_width=50"),
        ("kaboom", "&continuous=true&full_action_space=true&maxpool=false&frame_skip=3"),
    ],
)
def test_the_game_is_that_of_the_vector_environment(rom: str, options: str) -> None:
    """Without chance at the start: the same points and ends, and pictures that differ by rounding alone."""
    deaf: Any = make(f"atari:{rom}?noop_max=0{options}", 1, restart=False)
    heard: Any = make(f"atari:{rom}?noop_max=0{options}&sound=true", 1, restart=False)
    assert heard.spec.roles[0].action == deaf.spec.roles[0].action and heard.spec.longest == deaf.spec.longest
    ends = 0
    for game in (deaf, heard):
        game.reset(3)
    for _ in range(80):
        turn, other = deaf.turn(), heard.turn()
        seen = turn.observation["observation"].astype(int), other.observation["observation"].astype(int)
        assert np.abs(seen[0] - seen[1]).max() <= 1
        actions = random_actions(deaf, turn)
        first, second = deaf.step(actions), heard.step(actions)
        np.testing.assert_array_equal(first.rewards, second.rewards)
        np.testing.assert_array_equal(first.terminated, second.terminated)
        np.testing.assert_array_equal(first.truncated, second.truncated)
        assert deaf.lives(0) == heard.lives(0)
        if first.finished[0]:
            ends += 1
            break
    assert ends or rom != "breakout"


@pytest.mark.thorough
def test_games_begin_like_those_of_the_vector_environment() -> None:
    """The button, then some frames without it: as many different beginnings, and the same ones."""
    starts = []
    for sound in ("false", "true"):
        # Each console takes a tenth of a second, twice; one of four beginnings that nobody draws is missed in 3 %.
        game = make(f"atari:breakout?noop_max=4&stack_num=1&sound={sound}", 12, restart=False)
        game.reset(list(range(12)))
        starts.append(np.unique(game.turn().observation["observation"].astype(int), axis=0))
    deaf, heard = starts
    assert len(deaf) == len(heard) == 3
    for start in deaf:
        assert min(np.abs(start - other).max() for other in heard) <= 1


def test_a_bounce_is_heard_when_it_is_seen() -> None:
    """Pong's ball bounces at the side walls with one pitch and is lost with another, and it is silent in between."""
    _, sounds, rewards = played("atari:pong?sound=true&sound_frames=4", 1, 100, action=0)
    heard = np.abs(sounds).max(axis=1) > 5000
    lost = np.flatnonzero(rewards < 0)
    assert len(lost) >= 1 and heard[lost + 1].all(), "the point is heard in the frames in which it is lost"
    assert 0.05 < heard.mean() < 0.7
    assert not heard[:5].any(), "the ball has not been served"
    pitches = {int(np.abs(np.fft.rfft(sound.astype(float) - sound.mean())).argmax()) for sound in sounds[heard]}
    assert len(pitches) >= 2, "a wall and a lost ball sound different"


def test_the_sound_is_what_the_emulator_gives_for_every_frame_of_an_action() -> None:
    """The whole window against an emulator beside it, which is given the same actions frame by frame."""
    from ale_py import roms

    beside = ale_py.ALEInterface()
    beside.setFloat("repeat_action_probability", 0.0)
    beside.setBool("sound_obs", True)
    beside.loadROM(roms.get_rom_path("pong"))
    beside.reset_game()
    beside.act(1)  # the button, at the start
    frames = [np.full(CHUNK, SILENCE, np.uint8)] * 16
    game = make("atari:pong?sound=true&noop_max=0", 1)
    game.reset(1)
    sounding = 0
    for ply in range(60):
        game.step(np.array([ply % 6]))
        for _ in range(4):
            beside.act(beside.getMinimalActionSet()[ply % 6])
            frames = [*frames[1:], beside.getAudio()]
        expected = resampled(np.concatenate(frames)[None])
        np.testing.assert_array_equal(game.turn().observation["sound"], expected)
        sounding += int(expected.any())
    assert 10 < sounding < 60


def test_pitch_and_loudness_stay_as_they_are() -> None:
    """A tone of 1,000 Hz at the emulator's rate is one at 8,000 samples a second; one of 10,000 Hz is gone."""
    time = np.arange(60 * CHUNK) / (60 * CHUNK)
    for hertz, loud in ((1000, True), (10_000, False)):
        wave = (128 + 100 * np.sin(2 * np.pi * hertz * time)).round().astype(np.uint8)
        sound = resampled(wave[None])[0].astype(float)
        assert sound.shape == (8000,)
        if loud:
            assert np.abs(np.fft.rfft(sound)).argmax() == hertz and 24_000 < np.abs(sound[100:-100]).max() < 27_000
        else:
            assert np.abs(sound[100:-100]).max() < 400


def test_the_loudest_is_clipped_and_silence_stays_silent() -> None:
    square = np.where(np.arange(16 * CHUNK) // 32 % 2, 255, 0).astype(np.uint8)
    both = resampled(np.stack([square, np.full_like(square, SILENCE)]))
    assert both[0].min() == -32768 and both[0].max() == 32767, "no number has wrapped around"
    assert not both[1].any()


@pytest.mark.parametrize("options", ["", "&repeat_action_probability=0.25"])
def test_a_seed_decides_what_is_heard(options: str) -> None:
    name = f"atari:breakout?sound=true{options}"
    first, again, other = played(name, 5, 25), played(name, 5, 25), played(name, 6, 25)
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, two)
    assert any((one != two).any() for one, two in zip(first, other, strict=True))


def test_a_copy_that_has_played_begins_like_a_fresh_one() -> None:
    game = make("atari:breakout?sound=true", 2, restart=False)
    game.reset([1, 2])
    for _ in range(30):
        game.step(random_actions(game, game.turn()))
    game.reset([7], np.array([1]))
    fresh = make("atari:breakout?sound=true", 1, restart=False)
    fresh.reset([7])
    for _ in range(20):
        turn, other = game.turn(), fresh.turn()
        row = turn.copies.tolist().index(1)
        for name, value in other.observation.items():
            np.testing.assert_array_equal(turn.observation[name][row], value[0])
        game.step(np.array([1]), np.array([row]))
        fresh.step(np.array([1]))


def test_the_screen_that_people_see_goes_the_same_way() -> None:
    from lanista.envs.doors.atari import screen

    shown = screen("pong?sound=true&repeat_action_probability=0.2")
    game, people = make("atari:pong?sound=true&repeat_action_probability=0.2", 1), make(shown, 1)
    assert people.spec.roles[0].observation["observation"].shape == (1, 210, 160, 3)
    for each in (game, people):
        each.reset([4])
    for ply in range(40):
        gained = game.step(np.array([ply % 6])).rewards
        assert gained == sum(people.step(np.array([ply % 6])).rewards for _ in range(4))
    heard = people.turn().observation["sound"][0]
    assert (game.turn().observation["sound"][0, -heard.size :] != 0).any() == heard.any()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("sound=maybe", "option 'sound' of 'atari:pong?sound=maybe' must be bool"),
        ("sound_frames=8", "'atari:pong?sound_frames=8' is not heard, so that 'sound_frames' says nothing"),
        ("sound=true&sound_frames=3", "must be 4 to 600 frames of the console, not 3"),
        ("sound=true&frame_skip=8&sound_frames=6", "must be 8 to 600 frames of the console, not 6: an action lasts 8"),
        ("sound=true&sound_frames=601", "must be 4 to 600 frames of the console, not 601"),
        ("sound=true&frame_skip=0", "must be at least 1, not 0"),
        ("sound=true&soundframes=8", "did you mean 'sound_frames'?"),
    ],
)
def test_wrong_options(options: str, said: str) -> None:
    with pytest.raises(UsageError) as told:
        make(f"atari:pong?{options}")
    assert said in str(told.value) and "\n" not in str(told.value)
