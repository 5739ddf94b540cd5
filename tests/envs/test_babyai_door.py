"""BabyAI's levels through the door: what is told, by whom, in which words; the levels are as they were."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import gymnasium
import numpy as np
import pytest

from lanista.envs import make
from lanista.envs.core import Game
from lanista.envs.doors.babyai import _make, drawn, senses
from lanista.errors import UsageError
from lanista.perception.data._instructions import UNSEEN, VARIED, rephrased
from lanista.perception.inputs.words import token

pytest.importorskip("minigrid")
LEVEL = "babyai:GoToLocalS5N2"
BOSS = "put the red box next to a grey door, then open a purple door after you pick up a key and go to the yellow box"
speaks = pytest.mark.skipif(
    not all(map(shutil.which, ("espeak-ng", "flite", "festival"))),
    reason="no speech synthesiser here: apt-get install espeak-ng flite festival",
)


def begun(name: str, copies: int = 4, seed: int = 0) -> Game:
    game = make(name, copies)
    game.reset(seed)
    return game


def test_the_level_and_its_mission_are_minigrids_own() -> None:
    plain, shown = gymnasium.make("BabyAI-GoToLocalS5N2-v0"), _make("BabyAI-GoToLocalS5N2-v0", senses(), False)
    chance = np.random.default_rng(0)
    for seed in range(8):
        known, mine = plain.reset(seed=seed)[0], shown.reset(seed=seed)[0]
        over = False
        while not over:
            assert mine["mission"] == known["mission"]
            assert np.array_equal(mine["map"], known["image"].transpose(2, 0, 1))
            action = int(chance.integers(7))
            known, *rest = plain.step(action)
            mine, *others = shown.step(action)
            assert rest[:3] == others[:3]
            over = bool(rest[1] or rest[2])


def test_the_mission_is_kept_for_the_game() -> None:
    game = begun(LEVEL)
    first = game.turn().observation["mission"].copy()
    assert game.spec.static == {"mission"}
    for _ in range(3):
        outcome = game.step(np.zeros(4, np.int64))
        assert not outcome.finished.any()
        assert np.array_equal(game.turn().observation["mission"], first)


def test_the_same_seed_gives_the_same_level_however_it_is_shown() -> None:
    plain = begun(LEVEL)
    blank, varied = begun(f"{LEVEL}?mission=none"), begun(f"{LEVEL}?phrasing=varied")
    assert set(blank.spec.roles[0].observation) == {"map"}
    for _ in range(30):
        shown = [game.turn().observation["map"].copy() for game in (plain, blank, varied)]
        assert np.array_equal(shown[0], shown[1]) and np.array_equal(shown[0], shown[2])
        for game in (plain, blank, varied):
            game.step(np.full(4, 2))


def test_pixels_show_what_symbols_name() -> None:
    symbols, pixels = begun(LEVEL), begun(f"{LEVEL}?map=pixels")
    assert symbols.turn().observation["map"].shape == (4, 3, 7, 7)
    drawn = pixels.turn().observation["map"]
    assert drawn.shape == (4, 3, 56, 56) and drawn.dtype == np.uint8
    kinds: dict[bytes, set[bytes]] = {}
    for copy in range(4):
        for row in range(7):
            for column in range(7):
                if (row, column) == (6, 3):
                    continue  # where the agent itself stands
                cell = symbols.turn().observation["map"][copy, :, column, row]
                tile = drawn[copy, :, 8 * row : 8 * row + 8, 8 * column : 8 * column + 8]
                kinds.setdefault(cell.tobytes(), set()).add(tile.tobytes())
    assert len(kinds) > 3
    for one, tiles in kinds.items():
        assert all(not tiles & others for other, others in kinds.items() if other != one)


@pytest.mark.parametrize("level", ["MiniGrid-ObstructedMaze-2Dlh-v0", "BabyAI-BossLevel-v0", "MiniGrid-LavaGapS6-v0"])
def test_pixels_are_minigrids_own_to_the_last(level: str) -> None:
    environment = gymnasium.make(level, disable_env_checker=True).unwrapped
    chance = np.random.default_rng(0)
    carried = 0
    for seed in range(4):
        observation, _ = environment.reset(seed=seed)
        for _ in range(60):
            wanted = environment.get_frame(tile_size=8, agent_pov=True)  # type: ignore[attr-defined]
            assert np.array_equal(drawn(observation["image"]), wanted)
            carried += environment.carrying is not None  # type: ignore[attr-defined]
            observation, *_ = environment.step(chance.choice([0, 1, 2, 2, 2, 3, 3, 5]))
    assert carried or "Lava" in level


def test_other_words_are_of_whole_phrases_and_unseen_ones_never_varied() -> None:
    chance = np.random.default_rng(0)
    assert rephrased(BOSS, "usual", chance) == BOSS
    varied = {rephrased(BOSS, "varied", chance) for _ in range(200)}
    unseen = {rephrased(BOSS, "unseen", chance) for _ in range(200)}
    assert len(varied) > 50 and len(unseen) > 20 and not varied & unseen
    for text in varied | unseen:
        assert re.search(r"the red box .* a grey door", text) and text.endswith("the yellow box")
    for phrase in VARIED:
        assert not set(VARIED[phrase]) & set(UNSEEN[phrase])
        assert not any(word == phrase for word in UNSEEN[phrase])


def test_no_two_words_of_instructions_are_one() -> None:
    words = set(re.findall(r"\w+", " ".join(" ".join(each) for each in (*VARIED.values(), *UNSEEN.values()))))
    words |= set(re.findall(r"\w+", f"{BOSS} ball green blue before behind left right front on your in of"))
    assert len({token(word) for word in words}) == len(words)


@speaks
def test_a_mission_is_said_by_several_voices_and_another_one_sounds_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANISTA_DATA", str(tmp_path))
    game = make(f"{LEVEL}?mission=both&speakers=3&noise=false&voices=valid", 24)
    game.reset(0)
    shown = game.turn().observation
    assert shown["speech"].shape == (24, 20_000) and shown["speech"].dtype == np.int16
    said: dict[bytes, set[bytes]] = {}
    for text, sound in zip(shown["mission"], shown["speech"], strict=True):
        assert np.abs(sound).max() > 3000, "nothing is silent"
        said.setdefault(text.tobytes(), set()).add(sound.tobytes())
    assert all(len(sounds) <= 3 for sounds in said.values()) and max(map(len, said.values())) > 1
    assert sum(map(len, said.values())) == len(set().union(*said.values())), "no two missions sound the same"
    again = make(f"{LEVEL}?mission=both&speakers=3&noise=false&voices=valid", 24)
    again.reset(0)
    assert np.array_equal(again.turn().observation["speech"], shown["speech"])
    noisy = make(f"{LEVEL}?mission=speech&speakers=3&voices=valid", 24)
    noisy.reset(0)
    assert len({sound.tobytes() for sound in noisy.turn().observation["speech"]}) == 24


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("GoToLocl", "did you mean 'GoToLocal"),
        ("GoToLocal?mission=spech", "did you mean 'speech'"),
        ("GoToLocal?map=pixel", "did you mean 'pixels'"),
        ("GoToLocal?phrasing=odd", "phrasing"),
        ("GoToLocal?voice=test", "did you mean 'voices'"),
        ("GoToLocal?mission=speech&seconds=0.1", "0.5 to 30"),
    ],
)
def test_wrong_words_are_told(words: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        make(f"babyai:{words}")
