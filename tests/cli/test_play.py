"""A person at the terminal, whose words come through a pipe."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable

import pytest

from lanista.cli.main import main

Play = Callable[[str, str], str]


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Play:
    """Give the command's options and what the person types, a word a line; get what was shown."""

    def play(options: str, typed: str) -> str:
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{word}\n" for word in typed.split())))
        assert main(["play", "--terminal", *options.split()]) == 0
        out, err = capsys.readouterr()
        assert not err
        return out

    return play


def test_a_game_to_its_end(played: Play) -> None:
    """first-legal fills a3, b3, c3 and wins unless b3 is taken."""
    out = played("--game tictactoe --against first-legal", "b2 b3 b1 n")
    assert "you are player 1 of 2 against first-legal" in out
    assert "first-legal plays a3" in out
    assert out.splitlines()[-2:] == ["you win", "another game? [y/n] goodbye"]


def test_the_second_seat_and_a_loss(played: Play) -> None:
    out = played("--game tictactoe --against first-legal --seat second", "b2 b1")
    assert "you are player 2 of 2" in out
    assert out.index("first-legal plays a3") < out.index("your move")
    assert "first-legal plays c3" in out
    assert "you lose" in out


def test_another_game_begins_anew(played: Play) -> None:
    out = played("--game tictactoe --against first-legal", "b2 b3 b1 y b2 quit")
    assert out.count("first-legal plays a3") == 2
    assert out.rstrip().endswith("goodbye")


def test_help_lists_the_legal_moves_only(played: Play) -> None:
    out = played("--game tictactoe --against first-legal", "b2 ? quit")
    assert "moves: b3 c3 a2 c2 a1 b1 c1\n" in out


def test_what_is_no_move_or_not_legal_is_asked_again(played: Play) -> None:
    out = played("--game tictactoe --against first-legal", "d9 a3 b2 b2 quit")
    assert "'d9' is no move in tictactoe: write a cell from a1 to c3" in out
    assert "b2 is not legal now; moves: a2" in out
    assert out.count("first-legal plays") == 2, "only a3 and b2 were moves"


def test_a_takeback_goes_behind_the_answer(played: Play) -> None:
    out = played("--game tictactoe --against first-legal", "b2 undo b3 ? quit")
    assert out.count("first-legal plays a3") == 2
    assert "moves: c3 a2 b2" in out
    assert "there is no move of yours to take back" not in out


def test_there_may_be_nothing_to_take_back(played: Play) -> None:
    out = played("--game tictactoe --against first-legal --seat second", "undo quit")
    assert "there is no move of yours to take back" in out
    assert out.count("first-legal plays a3") == 1, "the agent's first move stays"


def test_the_end_of_the_input_is_polite(played: Play) -> None:
    assert played("--game tictactoe --against first-legal", "").rstrip().endswith("goodbye")


def test_an_agent_says_what_it_expects(played: Play) -> None:
    out = played("--game connect_four --against minimax:depth=2", "1 7 2 7 3 6 4")
    assert "(expects +" in out or "(expects -" in out
    assert "-0.00" not in out


def test_the_same_seed_gives_the_same_game(played: Play) -> None:
    games = [played(f"--game tictactoe --against random --seed {seed}", "b2 undo b2 quit") for seed in (1, 1, 2, 3, 4)]
    assert games[0] == games[1]
    assert len(set(games)) > 1


def test_a_game_of_another_library(played: Play) -> None:
    out = played("--game zoo:classic/tictactoe_v3 --against first-legal", "0 ? quit")
    assert "first-legal plays 1" in out
    assert "moves: 2 3 4 5 6 7 8\n" in out


def test_a_game_for_one(played: Play) -> None:
    """Down, down, right, right, down, right is the way over the ice to the goal, if it is not slippery."""
    out = played("--game gym:FrozenLake-v1?is_slippery=false --against random", "1 1 2 2 1 2")
    assert "you are player 1 of 1\n" in out
    assert "your score is 1" in out


def test_a_game_whose_moves_are_arrays_can_be_left(played: Play) -> None:
    out = played("--game gym:Pendulum-v1 --against random", "undo 1 quit")
    assert "there is no move of yours to take back" in out
    assert "moves of gym:Pendulum-v1 are arrays, not '1'" in out
    assert out.rstrip().endswith("goodbye")


@pytest.mark.parametrize(
    ("game", "opponent"),
    [("tictactoe", "tictactoe"), ("breakthrough", "minimax:depth=4"), ("liars_dice", "random")],
)
def test_whoever_names_nobody_meets_the_best_there_is(game: str, opponent: str, played: Play) -> None:
    assert f"you are player 1 of 2 against {opponent}" in played(f"--game {game}", "quit")
