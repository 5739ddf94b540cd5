"""An agent as a GTP engine: the protocol's words, and whole games of Go and others against other engines."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from lanista.agents.as_gtp import GtpHost
from lanista.agents.contestant import load_agent
from lanista.agents.engine import EngineAgent
from lanista.agents.match import Scheduled, play_games
from lanista.agents.processes import find_program
from lanista.errors import UsageError


def talk(contestant: str, game: str, *script: str, seconds: float = 600) -> list[str]:
    """The answers to commands."""
    sink = io.StringIO()
    GtpHost(contestant, io.StringIO("\n".join(script) + "\n"), sink, game=game, seconds=seconds).serve()
    text = sink.getvalue()
    assert text.endswith("\n\n")
    return text[:-2].split("\n\n")


def test_a_dialogue_as_gogui_has_it() -> None:
    answers = talk(
        "first-legal",
        "go:size=9",
        "1 protocol_version",
        "name",
        "# a remark",
        "",
        "known_command genmove\t# is it?",
        "known_command gogui-analyze_commands",
        "boardsize 5",
        "clear_board",
        "komi 0.5",
        "time_settings 0 10 1",
        "7 genmove b",
        "play W c3",
        "showboard",
        "genmove black",
        "undo",
        "play white B5",
        "final_score",
        "time_left b 10 0",
        "quit",
        "name",
    )
    assert answers[:6] == ["=1 2", "= Lanista", "= true", "= false", "= ", "= "]
    assert answers[8] == "=7 A5" and answers[9] == "= "
    assert answers[10].splitlines()[:2] == ["= ", " 5 X . . . ."] and " 3 . . O . ." in answers[10]
    assert answers[11:13] == ["= B5", "= "]
    assert answers[13:] == ["= ", "= W+1.5", "= ", "= "]  # nothing is answered after quit


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("foo", "?3 unknown command"),
        ("play b Z9", "?3 illegal move"),
        ("play b C3", "?3 illegal move"),
        ("play green C4", "?3 syntax error"),
        ("play b", "?3 syntax error"),
        ("genmove", "?3 syntax error"),
        ("boardsize 77", "?3 unacceptable size: go needs a size of 3 to 19, not 77"),
        ("boardsize big", "?3 syntax error"),
        ("komi cheap", "?3 syntax error"),
        ("komi 0.3", "?3 unacceptable komi: go's komi is a number of halves of points up to 25, not 0.3"),
        ("time_settings 1 2", "?3 syntax error"),
    ],
)
def test_errors(command: str, answer: str) -> None:
    assert talk("random", "go:size=5", "play b C3", f"3 {command}", "undo", "undo")[1:] == [
        answer,
        "= ",
        "? cannot undo",
    ]


@pytest.mark.thorough
def test_komi_keeps_the_game_and_colours_may_move_twice() -> None:
    answers = talk("random", "go:size=5", "play b A1", "play b B1", "komi 1", "final_score", "play w pass", "genmove w")
    assert answers[:4] == ["= ", "= ", "= ", "= B+24"]
    assert answers[4:] == ["= ", "= pass"]  # black's pass in between has ended the game


def test_go_is_counted_after_two_passes_and_may_go_on() -> None:
    script = ["play b C3", "play w pass", "play b pass", "genmove w", "final_score", "play w A1", "undo", "genmove w"]
    assert talk("random", "go:size=5", *script) == ["= ", "= ", "= ", "= pass", "= B+17.5", "= ", "= ", "= pass"]


def test_other_board_games() -> None:
    script = [
        "play b a3",
        "boardsize 3",
        "play b a3",
        "play w b3",
        "play b a2",
        "genmove w",
        "genmove b",
        "final_score",
    ]
    answers = talk("minimax:depth=4", "tictactoe", *script, "genmove w", "komi 2", "boardsize 4")
    assert answers[5] == "= a1" and answers[7] == "? cannot score"
    assert answers[-2:] == ["? unacceptable komi", "? unacceptable size"]
    with pytest.raises(UsageError, match="no board game"):
        talk("random", "leduc_poker", "name")


def test_an_agent_that_fails_is_refused(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("class Own:\n    def act(self, turn):\n        raise ValueError('no idea')\n")
    answers = talk(f"py:{tmp_path}/own.py:Own", "go:size=5", "genmove b", "play b C3")
    assert answers == ["? the agent failed: crashed: ValueError: no idea", "= "]


def test_our_engine_plays_gnu_go() -> None:
    if find_program("gnugo") is None:
        pytest.skip("gnugo is not installed")
    ours = load_agent(f"gtp:{sys.executable} -m lanista engine random --protocol gtp --game go:size=5?seconds=60")
    other = load_agent("gtp:gnugo --mode gtp --level 0")
    assert isinstance(ours, EngineAgent) and isinstance(other, EngineAgent)
    schedule = [Scheduled(seats, 0) for seats in ((0, 1), (1, 0))]
    played = [one for part in play_games("go:size=5", [ours, other], schedule) for one in part]
    assert {one.reason for one in played} == {"end"}
    assert all(one.returns[one.scheduled.seats.index(1)] == 1 for one in played)
    ours.close()
    other.close()
