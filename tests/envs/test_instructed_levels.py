"""Levels that are told something else: what is understood, who judges it, and what the agent is shown of it."""

from __future__ import annotations

import logging
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lanista.envs import make
from lanista.envs.core import Array
from lanista.envs.doors._instruction_grammar import Act, Both, Thing, parsed
from lanista.envs.doors._level_rules import judge
from lanista.envs.doors.babyai import _levels, _make, language, senses
from lanista.envs.instructed import InstructedGame, Instruction, Sound
from lanista.errors import UsageError
from lanista.perception.inputs.words import UNKNOWN, token

pytest.importorskip("minigrid")
LEVEL = "babyai:GoToLocalS5N2"
LEFT, RIGHT, FORWARD, PICKUP, DROP, TOGGLE, DONE = range(7)
speaks = pytest.mark.skipif(
    not all(map(shutil.which, ("espeak-ng", "flite", "festival"))), reason="the synthesisers are not on this machine"
)


def begun(name: str, seed: int = 0) -> Any:
    game = make(name, 1, restart=False)
    game.reset([seed])
    return game


def level_of(game: Any) -> Any:
    """MiniGrid's own environment."""
    return game._banks[0].pool._envs[0].unwrapped


def things(game: Any) -> list[tuple[str, str]]:
    """Colour and kind of what lies in a level."""
    level = level_of(game)
    cells = [level.grid.get(x, y) for x in range(level.width) for y in range(level.height)]
    return [(cell.color, cell.type) for cell in cells if cell is not None and cell.type != "wall"]


def stand_before(game: Any, colour: str, kind: str) -> None:
    """Put the agent before a thing, turned so that one turn to the right faces it."""
    level = level_of(game)
    for x in range(level.width):
        for y in range(level.height):
            cell = level.grid.get(x, y)
            if cell is None or (cell.color, cell.type) != (colour, kind):
                continue
            for way, (dx, dy) in enumerate(((1, 0), (0, 1), (-1, 0), (0, -1))):
                at = (x - dx, y - dy)
                if 0 < at[0] < level.width - 1 and 0 < at[1] < level.height - 1 and level.grid.get(*at) is None:
                    level.agent_pos, level.agent_dir = at, (way - 1) % 4
                    return
    raise AssertionError(f"no way to a {colour} {kind}")


def play(game: Any, *actions: int) -> tuple[float, bool]:
    """The reward and whether the game is over, after these actions."""
    reward, over = 0.0, False
    for action in actions:
        outcome = game.step(np.array([action]))
        reward, over = reward + float(outcome.rewards[0, 0]), bool(outcome.finished[0])
    return reward, over


# --- what is understood


@pytest.mark.parametrize(
    ("words", "order"),
    [
        ("go to the red ball", Act("go to", Thing("ball", "red"))),
        ("Please, walk over to a box!", Act("go to", Thing("box"))),
        ("grab the gray object behind you", Act("pick up", Thing(None, "grey", "behind"))),
        ("you must fetch a key", Act("pick up", Thing("key"))),
        ("put a ball near the blue box", Act("put", Thing("ball"), Thing("box", "blue"))),
        ("open the door, then go to a key",
         Both(Act("open", Thing("door")), Act("go to", Thing("key")), "before")),
        ("open the door and then set a key next to the ball",
         Both(Act("open", Thing("door")), Act("put", Thing("key"), Thing("ball")), "before")),
        ("go to a key after you open a door and pick up a box",
         Both(Act("go to", Thing("key")), Both(Act("open", Thing("door")), Act("pick up", Thing("box")), "and"),
              "after")),
    ],
)  # fmt: skip
def test_what_is_meant(words: str, order: Act | Both) -> None:
    assert parsed(words) == order


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("dance with the red ball", "'dance with the red ball' is no instruction"),
        ("go to the orange ball", "unknown colour 'orange'"),
        ("go to the red bal", "did you mean 'ball'"),
        ("go to", "nothing stands after 'go to'"),
        ("put the ball on the box", "next to which other thing"),
        ("go to a ball then go to a box then go to a key", "more than two"),
    ],
)
def test_what_is_not_understood_is_said_in_one_sentence(words: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parsed(words)


@pytest.mark.parametrize("level", sorted(_levels()))
def test_the_mission_of_every_level_is_understood_and_can_be_judged_in_it(level: str) -> None:
    env = _make(_levels()[level], senses(), False)
    env.reset(seed=1)
    judge(env.unwrapped, parsed(env.instruction.words))
    env.close()  # type: ignore[no-untyped-call]


# --- who judges


def test_a_level_that_is_told_its_own_mission_goes_as_it_would_have() -> None:
    chance = np.random.default_rng(0)
    names = "GoToLocalS5N2 PickupLoc OpenDoorColor GoToDoor-5x5 Fetch-5x5-N2 PutNextS4N1 GoToSeqS5R2 PutNear-6x6-N2"
    for name in (f"babyai:{level}" for level in names.split()):
        for seed in range(2):
            plain, told = begun(name, seed), begun(name, seed)
            told.instruct(0, told.instruction(0).words)
            assert told.instruction(0).judged
            for _ in range(40):
                action = int(chance.integers(7))
                (reward, over), (other, ended) = play(plain, action), play(told, action)
                assert (reward, over) == (other, ended), (name, seed)
                if over:
                    break


def test_what_is_told_is_judged_and_the_levels_own_mission_no_more() -> None:
    game = begun(LEVEL, 3)
    own = game.instruction(0).words
    other = next(f"{colour} {kind}" for colour, kind in things(game) if f"{colour} {kind}" not in own)
    given = game.instruct(0, f"Go to the {other}")
    assert given == Instruction(f"Go to the {other}", own=False) and game.instruction(0) == given
    mine = re.sub("go to (the|a) ", "", own).split()
    stand_before(game, mine[0], mine[1])
    assert play(game, RIGHT) == (0.0, False), "the level's own thing"
    stand_before(game, *other.split())
    reward, over = play(game, RIGHT)
    assert over and reward > 0.9, "as after few steps of the time that begins when it is told"


def test_a_game_that_is_over_goes_on_with_what_is_told_then() -> None:
    game = begun(LEVEL, 3)
    first, second = things(game)
    game.instruct(0, "go to the {} {}".format(*first))
    stand_before(game, *first)
    assert play(game, RIGHT)[1] and len(game.turn()) == 0
    serial, where = game._ledger.games[0], tuple(level_of(game).agent_pos)
    game.instruct(0, "go to the {} {}".format(*second))
    assert len(game.turn()) == 1 and game.turn().games[0] == game._ledger.games[0] != serial
    assert where == tuple(level_of(game).agent_pos), "where it stood"
    stand_before(game, *second)
    reward, over = play(game, RIGHT)
    assert over and reward > 0.9
    game.instruct(0, None)
    assert game.instruction(0).own and len(game.turn()) == 1


def test_doors_of_minigrid_are_judged_when_the_agent_says_that_it_is_done() -> None:
    for right in (True, False):
        game = begun("babyai:GoToDoor-5x5", 2)
        doors = things(game)
        game.instruct(0, f"go to the {doors[0][0]} door")
        level = level_of(game)
        x, y = next((x, y) for x in range(5) for y in range(5)
                    if (cell := level.grid.get(x, y)) is not None and cell.type == "door"
                    and (cell.color == doors[0][0]) == right)  # fmt: skip
        level.agent_pos = (min(max(x, 1), 3), min(max(y, 1), 3))
        reward, over = play(game, DONE)
        assert over and (reward > 0.9) == right


def test_what_is_carried_can_be_put_down() -> None:
    game = begun("babyai:PutNextLocal", 0)
    level = level_of(game)
    pairs = [(cell, x, y) for x in range(level.width) for y in range(level.height)
             if (cell := level.grid.get(x, y)) is not None and cell.type != "wall"]  # fmt: skip
    carried, other = pairs[0][0], pairs[1]
    level.grid.set(pairs[0][1], pairs[0][2], None)
    level.carrying = carried
    given = game.instruct(0, f"put the {carried.color} {carried.type} next to the {other[0].color} {other[0].type}")
    assert given.judged, given.remarks
    free = next((dx, dy) for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1))
                if level.grid.get(other[1] + dx, other[2] + dy) is None
                and level.grid.get(other[1] + 2 * dx, other[2] + 2 * dy) is None)  # fmt: skip
    level.agent_pos = (other[1] + 2 * free[0], other[2] + 2 * free[1])
    level.agent_dir = ((1, 0), (0, 1), (-1, 0), (0, -1)).index((-free[0], -free[1]))
    reward, over = play(game, DROP)
    assert over and reward > 0


# --- what the agent is shown


def test_words_that_no_mission_has_are_unknown_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    game = begun(LEVEL)
    with caplog.at_level(logging.WARNING):
        given = game.instruct(0, "go to the Velvet sofa")
        game.instruct(0, "a velvet sofa")
    assert given.unknown == ("Velvet", "sofa") and not given.judged
    assert any("unknown thing 'sofa'" in remark for remark in given.remarks)
    assert sum("Velvet, sofa" in record.message for record in caplog.records) == 1
    game.instruct(0, "go to the velvet sofa")
    shown = game.turn().observation["mission"][0]
    assert shown[:6].tolist() == [*map(token, ("go", "to", "the", UNKNOWN, UNKNOWN)), 0]
    known = language("BabyAI-GoToLocalS5N2-v0", "usual")
    assert {"go", "to", "the", "a", "red", "grey", "ball", "box", "key"} <= known and "door" not in known
    assert "walk" in language("BabyAI-GoToLocalS5N2-v0", "varied") and UNKNOWN not in known
    words = set().union(*(language(level, "varied") for level in ("BabyAI-GoToLocal-v0", "BabyAI-BossLevel-v0")))
    assert token(UNKNOWN) not in {token(word) for word in words}


def test_a_thing_that_is_not_there_is_named_with_those_that_are() -> None:
    game = begun(LEVEL, 3)
    absent = next(colour for colour in ("red", "blue", "purple", "grey") if colour not in dict(things(game)))
    given = game.instruct(0, f"go to the {absent} key")
    assert not given.judged and f"there is no {absent} key in this level; there is a" in given.remarks[0]
    for colour, kind in things(game):
        stand_before(game, colour, kind)
        assert play(game, RIGHT) == (0.0, False), "nothing ends what nobody judges"


def test_what_cannot_be_told_is_refused_and_changes_nothing() -> None:
    game = begun(LEVEL)
    before = game.instruction(0)
    for words, said in (("x" * 2001, "at most 2,000 characters, not 2,001"), (" ?! ", "has words"), ("", "has words")):
        with pytest.raises(UsageError, match=said):
            game.instruct(0, words)
    with pytest.raises(UsageError, match="words that were said are not known"):
        game.instruct(0, "", Sound(np.ones(8000, np.int16), 8000))
    assert game.instruction(0) == before
    given = game.instruct(0, "go " * 600)
    assert any("Of its 600 words the agent reads the first 64" in remark for remark in given.remarks)
    pytest.importorskip("pygame")
    with pytest.raises(UsageError, match="nothing can be told in gym:CartPole-v1"):
        begun("gym:CartPole-v1").instruct(0, "stand up")


def test_games_of_instructions_say_so_and_many_copies_are_told_apart() -> None:
    game: Any = make(LEVEL, 3)
    game.reset(0)
    assert isinstance(game, InstructedGame) and game.spec.instructed and not make("connect_four").spec.instructed
    before = game.turn().observation["mission"].copy()
    game.instruct(1, "go to the purple box")
    after = game.turn().observation["mission"]
    assert (after[[0, 2]] == before[[0, 2]]).all()
    assert after[1, :5].tolist() == [*map(token, ("go", "to", "the", "purple", "box"))]
    owns = [told.own for copy in range(3) if (told := game.instruction(copy)) is not None]
    assert owns == [True, False, True]


@pytest.mark.parametrize("shown", ["symbols", "pixels"])
def test_the_view_says_where_in_the_level_each_cell_lies(shown: str) -> None:
    game = begun(f"{LEVEL}?map={shown}", 5)
    chance = np.random.default_rng(1)
    level = level_of(game)
    for _ in range(12):
        play(game, int(chance.integers(3)))
        if not len(game.turn()):
            game.reset([int(chance.integers(100))])
            level = level_of(game)
        view = game.view(0)
        assert view.size == (level.height, level.width) and view.places.shape == (7, 7, 2)
        seen = level.gen_obs()["image"]
        for x in range(7):
            for y in range(7):
                row, column = view.places[x, y] if shown == "symbols" else view.places[y, x]
                if seen[x, y, 0] == 0 or (x, y) == (3, 6):
                    continue  # not seen; where it stands itself
                cell = level.grid.get(column, row)
                assert tuple(seen[x, y]) == ((1, 0, 0) if cell is None else tuple(cell.encode()))
        at = view.places[3, 6] if shown == "symbols" else view.places[6, 3]
        assert tuple(at) == (level.agent_pos[1], level.agent_pos[0])


# --- what it hears


def wave(rate: int, seconds: float = 1.0) -> Array:
    """A hum that swells, (samples,) float32."""
    time = np.arange(round(rate * seconds)) / rate
    swelling: Array = (0.3 * np.sin(2 * np.pi * 440 * time) * np.minimum(1, 4 * time)).astype(np.float32)
    return swelling


@speaks
def test_a_recording_goes_to_an_agent_that_hears_and_typed_words_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANISTA_DATA", str(tmp_path))
    game = begun(f"{LEVEL}?mission=speech&speakers=1", 3)
    first = game.turn().observation["speech"][0].copy()
    assert np.array_equal(game.instruction(0).heard, first) and game.instruction(0).rate == 8000
    colour, kind = things(game)[0]
    words = f"go to the {colour} {kind}"
    plain = game.instruct(0, words, Sound(wave(8000), 8000))
    heard = game.turn().observation["speech"][0].copy()
    assert plain.judged and np.array_equal(plain.heard, heard) and not np.array_equal(heard, first)
    loud = np.abs(heard.astype(int)).max() / 32767
    assert 0.65 < loud < 0.75, "brought to the usual loudness"
    # The same at another rate, on two channels, as whole numbers.
    stereo = np.stack([wave(48_000), wave(48_000)], 1)
    game.instruct(0, words, Sound((stereo * 32767).astype(np.int16), 48_000))
    again = game.turn().observation["speech"][0]
    size = np.linalg.norm(heard.astype(float)) * np.linalg.norm(again.astype(float))
    spectra = [np.abs(np.fft.rfft(each.astype(float))) for each in (heard, again)]
    assert size > 0 and np.dot(*spectra) / np.prod([np.linalg.norm(each) for each in spectra]) > 0.95
    clipped = game.instruct(0, "", Sound(np.clip(20 * wave(16_000, 4.0), -1, 1), 16_000))
    assert not clipped.judged and "was not understood" in clipped.remarks[0]
    assert any("clipped" in remark for remark in clipped.remarks)
    assert any("the loudest 2.5 of them" in remark for remark in clipped.remarks)
    for silent in (np.zeros(8000, np.float32), np.zeros(0, np.int16), np.full(800, np.nan, np.float32)):
        with pytest.raises(UsageError, match="nothing is heard"):
            game.instruct(0, words, Sound(silent, 8000))
    with pytest.raises(UsageError, match="this is no sound"):
        game.instruct(0, words, Sound(wave(8000), 7))
    typed = game.instruct(0, words)
    assert typed.judged and np.abs(typed.heard.astype(int)).max() > 3000
    assert any("seconds to say" in remark for remark in game.instruct(0, "go to the red ball and " * 8).remarks)
