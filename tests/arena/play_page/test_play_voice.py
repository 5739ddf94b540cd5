"""Moves by voice: what can be said, how what is heard is weighed, what voices never learnt from are heard to say."""

from __future__ import annotations

import asyncio
import base64
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("nicegui", reason="the page needs NiceGUI: pip install 'lanista[play]'")

from simulated_user import run
from test_play_pages import ADA, BOB, until

from lanista.arena.play import hearing
from lanista.arena.play.hearing import LONGEST, RATE, Ear, Guess, Heard, judged, samples_of
from lanista.arena.play.session import Rules, Seat
from lanista.arena.play.spoken import COMMANDS, Meaning, example, forms, grammar
from lanista.arena.play.table import Start, Table
from lanista.arena.play.views.voice_panel import Talk
from lanista.perception.data._cast import ENGINES, cast, written
from lanista.perception.data.spoken_moves import WORDS
from lanista.perception.voices import speak

MISSING = [engine for engine in ENGINES if shutil.which(engine) is None]
synthesisers = pytest.mark.skipif(bool(MISSING), reason=f"not on this machine: apt-get install {' '.join(MISSING)}")
ONE, OTHER = Meaning("4", 3), Meaning("5", 4)


def table(game: str, words: str = "", position: str | None = None) -> Table:
    found = Table(Start(game, 0, position))
    for word in words.split():
        found.step([found.parse_move(word)])
    return found


@pytest.mark.parametrize(
    ("move", "phrases"),
    [
        ("4", ("four", "column four")),
        ("d4", ("d four", "delta four")),
        ("T19", ("t nineteen", "tango nineteen")),
        ("a20", ()),
        ("z1", ()),
        ("pass", ("pass",)),
        ("liar", ()),
    ],
)
def test_moves_have_spoken_forms(move: str, phrases: tuple[str, ...]) -> None:
    assert forms(move) == phrases


def test_moves_from_square_to_square_are_said_by_both() -> None:
    assert {"e two e four", "echo two to echo four", "e two to echo four"} <= set(forms("e2e4"))
    assert "e seven e eight queen" in forms("e7e8q") and len(forms("a2xb3")) == 8
    chess = grammar(table("chess"), 0, ())
    assert chess["golf one foxtrot three"].words == "Nf3" and len({m.action for m in chess.values()}) == 20


@pytest.mark.parametrize("game", ["connect_four", "othello", "go:size=9", "hex", "chess", "breakthrough", "tictactoe"])
def test_every_legal_move_can_be_said_and_no_phrase_means_two(game: str) -> None:
    board = table(game)
    (player,) = board.movers()
    phrases = grammar(board, player, COMMANDS)
    moves = {meaning.action for meaning in phrases.values() if meaning.action >= 0}
    assert moves == set(board.legal(player))
    assert {word for phrase in phrases for word in phrase.split()} <= set(WORDS)
    assert phrases["take back"] == phrases["undo"] == Meaning("undo")
    assert phrases[example(board, player)].action >= 0


def test_what_is_not_legal_cannot_be_said() -> None:
    full = table("connect_four", "4 4 4 4 4 4")
    assert "column four" not in grammar(full, 0, ()) and "pass" not in grammar(full, 0, ())
    assert grammar(full, None, ["undo"]).keys() == {"undo", "take back"}


def test_meanings_share_their_phrases_probabilities() -> None:
    costs = [(ONE, -math.log(0.3)), (ONE, -math.log(0.3)), (OTHER, -math.log(0.05))]
    told = judged((("four", 0.9),), costs, None)
    assert told.verdict == "sure" and told.guesses[0] == Guess(ONE, pytest.approx(0.6 / 0.65))  # type: ignore[arg-type]
    assert [guess.meaning for guess in told.guesses] == [ONE, OTHER]
    assert judged((("four", 0.9),), [(ONE, 1.0), (OTHER, 1.5)], None).verdict == "unsure"
    assert judged((("four", 0.9),), [(ONE, 1.0), (OTHER, 9.0)], 0.5).verdict == "sure"
    assert judged((("hint", 0.9),), [(ONE, 5.0), (OTHER, 19.0)], 0.1).verdict == "unsure", "other words were likelier"
    assert judged((("hint", 0.9),), [(ONE, 1000.0)], 0.1).verdict == "nothing"


def test_what_a_browser_sends_is_sound_or_nothing() -> None:
    wave = np.arange(-100, 100, dtype="<i2")
    packed = base64.b64encode(wave.tobytes()).decode()
    found = samples_of(packed)
    assert found is not None and found.tolist() == wave.tolist()
    assert samples_of(base64.b64encode(b"\0" * 2 * round(LONGEST * RATE)).decode()) is not None
    for wrong in (None, 3, [packed], "not base64!", "é", "A" * 200_000, packed[:-1]):
        assert samples_of(wrong) is None, wrong


@synthesisers
def test_unseen_voices_are_heard_in_a_game() -> None:
    """By voices of the tests' cast; silence and noise are no moves."""
    ear, right, asked, wrong = Ear(), 0, 0, 0
    board = table("connect_four", "4 4")
    phrases = grammar(board, 0, ["undo", "hint", "resign", "new game"])
    said = ["column four", "seven", "undo", "take back", "column two", "hint"]
    for voice in cast("test")[:3]:
        for text, wave in zip(said, speak([written(each) for each in said], voice, RATE), strict=True):
            heard = ear.hear((wave * 32767).astype(np.int16), phrases)
            best = heard.guesses[0].meaning if heard.guesses else None
            asked += heard.verdict != "sure"
            right += best == phrases[text]
            wrong += heard.verdict == "sure" and best != phrases[text]
    assert right >= 15 and wrong <= 1, (right, asked, wrong)
    assert ear.hear(np.zeros(RATE, np.int16), phrases) == Heard("silence")
    assert ear.hear(np.full(100, 9000, np.int16), phrases) == Heard("silence")
    noise = np.random.default_rng(0).normal(0, 3000, RATE).astype(np.int16)
    assert ear.hear(noise, phrases).verdict != "sure"


class Told(Ear):
    """An ear that is told what it hears, to test what the page does with it."""

    def __init__(self, *heard: tuple[str, float]) -> None:
        super().__init__()
        self.left = list(heard)

    def hear(self, samples: np.ndarray, grammar: Any) -> Heard:
        phrase, chance = self.left.pop(0)
        other = next(meaning for meaning in grammar.values() if meaning != grammar[phrase])
        guesses = (Guess(grammar[phrase], chance), Guess(other, 1 - chance))
        words = tuple((word, chance) for word in phrase.split())
        return Heard("sure" if chance >= hearing.SURE else "unsure", words, guesses)


def test_what_is_heard_is_done_or_asked_back(tmp_path: Path) -> None:
    async def work(user: Any, house: Any) -> None:
        house.ear = Told(("column four", 0.97), ("two", 0.6), ("yes", 0.99), ("undo", 1.0), ("five", 0.5))
        session = house.new_game("connect_four", (ADA, BOB), Rules(), 1)
        await user.open(f"/game/{session.number}")
        packed = base64.b64encode(np.full(2000, 900, "<i2").tobytes()).decode()

        async def say() -> None:
            user.find(Talk).trigger("utterance", packed)
            await asyncio.sleep(0.05)

        def words() -> list[str]:
            return [node.word for node in session.tree.line(session.live)]

        await say()
        await until(lambda: words() == ["4"])
        await user.should_see("Heard: 4, 97 %")
        await say()
        await user.should_see("Which one?")
        assert words() == ["4"]
        await say()
        await until(lambda: words() == ["4", "2"])
        await say()
        await until(lambda: words() == ["4"])
        await say()
        await user.should_see("Neither")
        user.find("5, 50 %").click()
        await until(lambda: words() == ["4", "5"])
        wrongs: list[Any] = [None, "", "x", [], {"a": 1}, 7]
        for wrong in wrongs:
            user.find(Talk).trigger("utterance", wrong)
            user.find(Talk).trigger("trouble", wrong)
        await asyncio.sleep(0.05)
        assert words() == ["4", "5"]

    run(tmp_path, work)


def test_a_resignation_is_asked_back(tmp_path: Path) -> None:
    async def work(user: Any, house: Any) -> None:
        house.ear = Told(("resign", 0.99), ("no", 0.99), ("resign", 0.99), ("yes", 0.99))
        session = house.new_game("tictactoe", (ADA, Seat("agent", "random")), Rules(), 1)
        await user.open(f"/game/{session.number}")
        packed = base64.b64encode(np.full(2000, 900, "<i2").tobytes()).decode()
        for asked in (True, False, True):
            user.find(Talk).trigger("utterance", packed)
            await user.should_see("Really resign?" if asked else "Resign")
            await asyncio.sleep(0.05)
            assert not session.over
        user.find(Talk).trigger("utterance", packed)
        await until(lambda: session.over)

    run(tmp_path, work)
