"""Games by name, and what a user is told whose words were wrong."""

from __future__ import annotations

import subprocess
import sys

import pytest

from lanista.envs import doors, games, make
from lanista.envs.catalogue import native_rules
from lanista.errors import UsageError


def test_games_and_doors_are_the_files() -> None:
    assert {"connect_four", "tictactoe", "mnk"} <= set(games())
    assert {"zoo", "gym"} <= set(doors())
    assert not [name for name in games() + doors() if name.startswith("_")]


def test_importing_a_game_does_not_cover_the_functions() -> None:
    """The packages of games and doors have the names of the functions that list them."""
    code = "import lanista.envs as e; e.make('tictactoe'); e.make('gym:CartPole-v1'); print(e.games(), e.doors())"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "tictactoe" in told.stdout and "gym" in told.stdout


def test_names() -> None:
    assert make("connect-four").spec.name == "connect_four"
    assert make("mnk:rows=4,columns=5,k=3").spec.name == "mnk:rows=4,columns=5,k=3,gravity=false"
    assert native_rules("tictactoe") is native_rules("tictactoe"), "compiled once a process"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("conect_four", "unknown game 'conect_four'; did you mean 'connect_four'?"),
        ("", "unknown game ''; known: "),
        ("zo:classic/chess_v6", "unknown game 'zo'; did you mean 'zoo:'?"),
        ("mnk:row=3", "unknown option of the game 'mnk' 'row'; did you mean 'rows'?"),
        ("mnk:name=connect_four", "unknown option of the game 'mnk' 'name'"),
        ("mnk:rows=three", "option 'rows' of the game 'mnk' must be int, not 'three'"),
        ("mnk:gravity=1", "option 'gravity' of the game 'mnk' must be bool, not '1'"),
        ("mnk:rows", "'rows' is no option; write key=value"),
        ("mnk:rows=0", "mnk needs rows and columns of 1 to 26"),
        ("mnk:rows=3,columns=3,k=4", "k at most the longer"),
        ("tictactoe:size=3", "the game 'tictactoe' takes no options, so not 'size'"),
    ],
)
def test_wrong_names(name: str, said: str) -> None:
    with pytest.raises(UsageError) as told:
        make(name)
    assert said in str(told.value)
    assert "\n" not in str(told.value)


def test_wrong_numbers() -> None:
    with pytest.raises(UsageError, match="at least one copy, not 0"):
        make("tictactoe", copies=0)
    with pytest.raises(UsageError, match="through a door"):
        make("gym:CartPole-v1", random_share=0.5, random_plies=3)
