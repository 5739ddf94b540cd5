"""The words of a command line: help with examples that hold, errors that name what would be right."""

from __future__ import annotations

import importlib
import io
import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lanista.cli.games import SHOWN
from lanista.cli.main import commands, main, module_of, read_options

PROMISED = {
    "agents",
    "demo",
    "encoders",
    "games",
    "generate-game",
    "engine",
    "match",
    "play",
    "standings",
    "tournament",
    "train",
}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test leaves anything where the tests are run."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "full"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_the_promised_commands_are_there() -> None:
    assert set(commands()) >= PROMISED


@pytest.mark.parametrize("command", commands())
def test_help_has_an_example_and_every_option(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    out, err = capsys.readouterr()
    assert f"\n    lanista {command}" in out.partition("Example:\n")[2].join(["\n", ""])
    assert "--help" in out
    assert not err


@pytest.mark.parametrize("command", commands())
def test_the_examples_in_the_help_are_right(command: str) -> None:
    module = importlib.import_module(f"lanista.cli.{module_of(command)}")
    examples = [line.strip() for line in str(module.__doc__).splitlines() if line.startswith("    lanista ")]
    assert examples
    for example in examples:
        _, name, *words = shlex.split(example)
        other = importlib.import_module(f"lanista.cli.{module_of(name)}")
        assert read_options(other.Options, name, "", words) is not None, example


def test_the_outline_says_what_each_command_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    for command in commands():
        assert f"\n  {command} " in out
    assert "Train an agent by self-play." in out


def test_no_words_show_the_outline_and_are_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "usage: lanista COMMAND" in capsys.readouterr().out


RIGHT = "train tictactoe --steps 64 --out run"  # words to which one wrong one is added


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("trian", "unknown command 'trian'; did you mean 'train'?"),
        ("train conect_four --steps 64 --out run", "unknown game 'conect_four'; did you mean 'connect_four'?"),
        (f"{RIGHT} --stps 3", "unknown option of lanista train '--stps'; did you mean '--steps'?"),
        (f"{RIGHT} --set learning_rat=1", "unknown setting 'learning_rat'; did you mean 'learning_rate'?"),
        (f"{RIGHT} --set learning_rate", "--set takes key=value"),
        (f"{RIGHT} --set epochs=many", "the setting 'epochs' must be int, not 'many'"),
        (f"{RIGHT} --set steps=9", "'steps' is not set with --set"),
        (f"{RIGHT} --set encoder=bord_resnet", "unknown encoder 'bord_resnet'; did you mean 'board_resnet'?"),
        (f"{RIGHT} --set encoder=mlp:dpth=3", "did you mean 'depth'?"),
        (f"{RIGHT} --set anchors=randm", "unknown agent 'randm'; did you mean 'random'?"),
        (f"{RIGHT} --set opponents=randm", "unknown agent 'randm'; did you mean 'random'?"),
        (f"{RIGHT} --set out=x", "'out' is no setting"),
        (f"{RIGHT} --seed -1", "--seed must be 0 or more, not -1"),
        ("match random first-legal --game tictactoe --seed -1", "--seed must be 0 or more, not -1"),
        ("match --nosuch", "unknown option of lanista match '--nosuch'; known: --alpha, --balanced"),
        ("demo --minutes 0.01 --games 3 --out run", "--games must be even"),
        ("tournament random first-legal --game tictactoe --opening-plies -1 --db t.sqlite", "not 0 to -1"),
        ("ladder serve l.sqlite random --game tictactoe --opening-plies -1", "not 0 to -1"),
        ("record random --game tictactoe --out x.gif --fps nan", "--fps 0.01 to 1000"),
        ("import . --game tictactoe", "name the model to import"),
        (f"{RIGHT} --trainer rlib", "unknown trainer 'rlib'; did you mean 'rllib'?"),
        (f"{RIGHT} --config nowhere.toml", "there is no file nowhere.toml"),
        ("train tictactoe --steps many", "invalid literal for int() with base 10: 'many'; see lanista train --help"),
        ("train tictactoe --steps", "missing value for argument '--steps'"),
        ("train tictactoe --out run", "say how long to train"),
        ("train --steps 64", "say what to train on"),
        ("train --resume .", "is no run"),
        ("train tictactoe --resume .", "GAME is for a new run"),
        ("train --resume . --seed 3", "--seed is for a new run"),
        ("train tictactoe --steps 64 --out /proc/run", "cannot write to /proc/run"),
        ("match random --game tictactoe", "lanista match needs B; see lanista match --help"),
        ("match random first-legal", "lanista match needs --game GAME; see"),
        ("match random minmax:depth=2 --game tictactoe", "unknown agent 'minmax'; did you mean 'minimax'?"),
        ("match random minimax:dpth=2 --game tictactoe", "did you mean 'depth'?"),
        ("match random first-legal --game tictacto", "unknown game 'tictacto'; did you mean 'tictactoe'?"),
        ("match random first-legal --game tictactoe --games 3", "an even number"),
        ("match random random --game zoo:classic/rps_v2 --first-level 3", "--first-level is for games of one player"),
        ("match random --game openspiel:catch --first-level 3", "--first-level is for games that have levels"),
        ("match random --game gym:CartPole-v1 --openings book.txt", "openings are for games of two players"),
        ("tournament random first-legal --game gym:CartPole-v1 --time-control move=1", "are for games of two players"),
        ("match random --game gym:CartPole-v1 --games 0", "--games must be at least 1"),
        ("match random --game gym:CartPole-v1 --first-level -1", "--first-level cannot be -1"),
        ("train gym:CartPole-v1 --levels 5 --curriculum prl --steps 9", "did you mean 'plr'?"),
        ("train gym:CartPole-v1 --curriculum plr --steps 9", "say --levels N"),
        ("train tictactoe --levels 5 --steps 9", "tictactoe cannot choose one"),
        ("match random ./agent --game tictactoe", "there is no agent at './agent'"),
        ("tournament random first-legal", "lanista tournament needs --game GAME"),
        ("tournament random --game tictactoe", "at least two contestants"),
        ("tournament random first-legal --game tictactoe --format round_robn", "did you mean 'round_robin'?"),
        ("tournament random first-legal --game tictactoe --report no/t.html", "the report's folder no does not exist"),
        ("standings nowhere.sqlite", "there is no store nowhere.sqlite"),
        ("play --db nowhere/t.sqlite", "there is no folder nowhere for the store t.sqlite"),
        ("play --port 99999", "cannot listen on 127.0.0.1, port 99999"),
        ("play --host 192.0.2.1 --port 8111", "cannot listen on 192.0.2.1"),
        ("play --game nothere", "unknown game 'nothere'"),
        ("play --against nobody", "unknown agent 'nobody'"),
        ("play --terminal --seat thrid", "invalid choice 'thrid'"),
        ("play --terminal --game tictacto", "unknown game 'tictacto'; did you mean 'tictactoe'?"),
        ("agents everything", "unrecognized options: everything"),
        ("games qqxyz", "no game has 'qqxyz' in its name"),
        ("games zo:", "no game has 'zo:' in its name"),
        ("demo --minutes 0", "--minutes must be more than 0"),
        ("generate-game", "lanista generate-game needs --family NAME"),
        ("generate-game --family mkn", "unknown family 'mkn'; did you mean 'mnk'?"),
        ("generate-game --family mnk --count 0", "--count is at least 1, not 0"),
        ("generate-game --family hex --count 11", "the family hex has 10 variants, so --count cannot be 11"),
        ("generate-game --family mnk --games 7", "--games is an even number, two for each opening, not 7"),
        ("generate-game --family mnk --deep 2", "--shallow is at least 1 and less than --deep, not 2 with 2"),
        ("generate-game --family mnk --train-seconds -1", "--train-seconds is 0 or more, not -1"),
        ("generate-game --family mnk --keep -1", "--keep is 0 or more, not -1"),
        ("generate-game --family mnk --out /proc/new", "cannot write to /proc/new"),
    ],
)
def test_wrong_words_are_told_in_one_line(
    words: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words.split()) == 2
    out, err = capsys.readouterr()
    assert says in err
    assert err.startswith("lanista: ")
    assert err.count("\n") == 1
    assert not out
    assert not list(tmp_path.iterdir()), "wrong words leave nothing behind"


def test_a_full_disk_fails_before_training_starts(full_disk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(f"train tictactoe --steps 64 --out {full_disk}/run".split()) == 2
    assert "1 MB are free, 200 MB are needed" in capsys.readouterr().err


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "tictactoe", "--steps", "64", "--set", "epochs", "--debug"]) == 2
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.splitlines()[-1].startswith("lanista: --set takes key=value")


FAILING = """
import gymnasium


class Failing(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(0, 1, (2,))
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, seed=None, options=None):
        return self.observation_space.sample() * 0, {}

    def step(self, action):
        raise OSError("the\\nwire is cut")


gymnasium.register("Failing-v0", Failing)
"""


def test_a_failure_that_is_nobodys_words_exits_with_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "failing_game.py").write_text(FAILING)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.StringIO("1\n"))
    assert main(["play", "--terminal", "--game", "gym:failing_game:Failing-v0", "--against", "random"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("lanista: RuntimeError: the environment of gym:failing_game:Failing-v0 failed")
    assert "--debug shows more" in err
    assert err.count("\n") == 1


def test_a_reader_that_goes_away_is_no_error() -> None:
    program = f"{sys.executable} -m lanista games --json | head -c 1"
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True)
    assert done.stdout == "{"
    assert not done.stderr


def test_listings_parse_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["games", "--json"]) == 0
    games = json.loads(capsys.readouterr().out)
    assert {"connect_four", "tictactoe", "mnk"} <= {game["name"] for game in games["games"]}
    assert {"gym", "zoo"} <= {door["name"] for door in games["doors"]}
    assert next(game for game in games["games"] if game["name"] == "mnk")["options"]["gravity"] is False
    assert main(["agents", "--json"]) == 0
    kinds = {kind["name"]: kind for kind in json.loads(capsys.readouterr().out)["kinds"]}
    assert kinds["minimax"]["options"] == {"depth": None, "nodes": None, "milliseconds": None, "table": 64}
    assert kinds["mcts"]["options"]["exploration"] == 1.4
    assert kinds["network"]["options"]["path"] is None
    assert main(["encoders", "--json"]) == 0
    encoders = {encoder["name"]: encoder for encoder in json.loads(capsys.readouterr().out)["encoders"]}
    assert encoders["board_resnet"]["options"]["channels"] == 32


def test_games_are_searched_behind_every_door(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["games", "connect_four", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [game["name"] for game in found["games"]] == ["connect_four"] and not found["nearest"]
    (four,) = found["games"]
    assert (four["players"], four["kind"], four["native"]) == (2, "turn-based", True)
    assert four["modalities"] == {"board": [2, 6, 7]}
    doors = {door["name"]: door["ids"] for door in found["doors"]}
    assert doors["zoo"] == ["zoo:classic/connect_four_v3"] and "gym" not in doors
    assert main(["games", "CartPole"]) == 0
    out = capsys.readouterr().out
    assert "  gym:CartPole-v1\n" in out and "connect_four" not in out
    assert main(["games", "conect_for"]) == 0
    out = capsys.readouterr().out
    assert "nothing has 'conect_for' in its name" in out and "connect_four  2 turn-based" in out
    assert main(["games", "zoo:", "--json"]) == 0
    (zoo,) = json.loads(capsys.readouterr().out)["doors"]
    assert len(zoo["ids"]) > SHOWN and "zoo:classic/chess_v6" in zoo["ids"]


def test_a_door_without_its_library_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for module, door, game in (
        ("ale_py", "atari", "pong"),
        ("envpool", "envpool", "Pong-v5"),
        ("pyspiel", "openspiel", "hex"),
    ):
        monkeypatch.setitem(sys.modules, module, None)
        said = f"needs the package '{module}', which is not installed: pip install \"lanista[{door}]\""
        assert main(["games", f"{door}:"]) == 2
        assert said in capsys.readouterr().err
        assert main(["match", "random", "random", "--game", f"{door}:{game}", "--games", "2"]) == 2
        assert said in capsys.readouterr().err
        assert main(["games", "tictactoe"]) == 0
        assert f"not searched: '{door}:' {said}" in capsys.readouterr().out


def test_listings_are_what_a_person_would_write(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["games"]) == main(["agents"]) == main(["encoders"]) == 0
    out = capsys.readouterr().out
    for written in ("mnk:rows=6,columns=7,k=4,gravity=false ", "minimax:depth=4 ", "board_resnet:channels=32,"):
        assert f"\n  {written}" in out
