"""Analyses: what an agent says of a game's positions, in one batch, and the blunders that are certain."""

from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lanista.agents.contestant import load_agent
from lanista.arena.analysis import analyse
from lanista.arena.store import Store
from lanista.arena.stored_games import StoredGame
from lanista.arena.tournament import tournament
from lanista.cli.main import main
from lanista.envs import make
from lanista.envs.core import Array, Choice, GameSpec, Turn, start_agent
from lanista.errors import UsageError

ENGINE = Path(__file__).parents[1] / "agents" / "fake_engine.py"
# Connect Four: first stacks the middle; second lays a row below, and misses at ply 6 to stop the column.
UNSTOPPED = (3, 0, 3, 0, 3, 1, 3)
# First misses its own four at ply 7, and does not stop the column of second, who then takes it.
MISSED = (3, 0, 3, 0, 3, 0, 6, 0)


def game(moves: tuple[int, ...], returns: tuple[float, float], opening: int = 0, **more: Any) -> StoredGame:
    return StoredGame(
        ("a", "b"), 0, 0, 7, moves[:opening], moves, returns, **{"reason": "end", "at_fault": None} | more
    )


class Counted:
    """Another agent, and how often it was asked about how many rows."""

    def __init__(self, contestant: str) -> None:
        self.agent: Any = load_agent(contestant)
        self.name = f"counted {contestant}"
        self.asked: list[int] = []

    def start(self, spec: GameSpec, seed: int) -> None:
        start_agent(self.agent, spec, seed)

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        self.asked.append(len(turn))
        choice: Choice = self.agent.act(turn, memory)
        return choice


def test_a_column_that_is_not_stopped_is_a_blunder() -> None:
    found = analyse("connect_four", 1, game(UNSTOPPED, (1.0, -1.0)), load_agent("minimax:depth=4"))
    assert found.chances[5] == 0.5 and found.chances[-2] > 0.97 and found.chances[-1] == 1.0
    (blunder,) = found.blunders
    assert (blunder.ply, blunder.player, blunder.move, blunder.preferred) == (6, 1, "2", "4")
    assert [each.move for each in blunder.alternatives] == ["4"] and blunder.loss > 0.45
    assert blunder.after < 0.03 and found.mean_loss(1) == pytest.approx(blunder.loss / 3, abs=0.02)
    assert found.mean_loss(0) < 0.02 and found.points == 1.0


def test_a_win_that_is_missed_is_named_though_it_ends_the_game() -> None:
    found = analyse("connect_four", 1, game(MISSED, (-1.0, 1.0)), load_agent("minimax:depth=4"))
    missed = found.blunders[-1]
    assert (missed.ply, missed.player, missed.alternatives[0].move) == (7, 0, "4")
    assert missed.alternatives[0].chance == 1.0 and missed.before > 0.97 and missed.after < 0.03
    assert found.chances[-1] == 0.0


def test_what_an_opening_did_is_nobodys_blunder() -> None:
    found = analyse("connect_four", 1, game(UNSTOPPED, (1.0, -1.0), opening=6), load_agent("minimax:depth=4"))
    assert not found.blunders and [move.opening for move in found.moves] == [True] * 6 + [False]


def test_a_game_that_a_fault_ended_is_judged_where_it_stands() -> None:
    broken_off = game(UNSTOPPED[:6], (-1.0, 1.0), reason="crashed: it did", at_fault=0)
    found = analyse("connect_four", 1, broken_off, load_agent("minimax:depth=4"))
    assert len(found.chances) == 7 and found.chances[-1] > 0.97 and found.points == 0.0


def test_all_positions_are_one_batch_and_all_alternatives_another() -> None:
    agent = Counted("othello")
    rng, board, moves = np.random.default_rng(5), make("othello", 1, restart=False), []
    board.reset([7])
    while len(turn := board.turn()):
        moves.append(int(rng.choice(np.flatnonzero(np.asarray(turn.legal)[0]))))
        outcome = board.step(np.array(moves[-1:]))
    returns = tuple(outcome.rewards[0].tolist())
    found = analyse("othello", 1, game(tuple(moves), (returns[0], returns[1])), agent)
    assert agent.asked[0] == len(moves) and len(agent.asked) == 2 and found.blunders
    one_by_one, player = make("othello", 1, restart=False), load_agent("othello")
    start_agent(player, one_by_one.spec, 0)
    one_by_one.reset([7])
    for ply, action in enumerate(moves):
        turn = one_by_one.turn()
        value = float(np.asarray(player.act(turn).value)[0])
        mine = found.moves[ply].before * 2 - 1
        assert mine == pytest.approx(min(1.0, max(-1.0, value)), abs=0.03)  # batches are computed in half precision
        one_by_one.step(np.array([action]))
    assert found.chances[-1] == (returns[0] + 1) / 2


def test_engines_judge_by_the_values_they_tell(tmp_path: Path) -> None:
    rules = make("chess", 1).rules  # type: ignore[attr-defined]
    board, moves = make("chess", 1, restart=False), []
    board.reset([7])
    for word in ("e4", "e5", "Nf3"):
        moves.append(rules.parse_move(board.states[0], word))  # type: ignore[attr-defined]
        board.step(np.array(moves[-1:]))
    stored = game(tuple(moves), (0.0, 0.0), reason="adjudicated")
    found = analyse("chess", 1, stored, load_agent(f"uci:{sys.executable} -S {ENGINE} uci dies e2e5?seconds=20"))
    assert [move.preferred for move in found.moves] == ["Nf3", "Nc6", "Nf3"]
    assert found.moves[0].before == found.moves[1].before > 0.5 > found.chances[1]  # it always says 35 centipawns


@pytest.mark.parametrize(
    ("name", "by", "more", "says"),
    [
        ("connect_four", "random", {}, "random tells no values of positions"),
        ("go:size=5", f"gtp:{sys.executable} -S {ENGINE} gtp dies A1?seconds=20", {}, "tells no values of positions"),
        ("connect_four", "minimax:depth=2", {"bound": 0.0}, "more than 0 and at most 1"),
        ("kuhn_poker", "minimax:depth=2", {}, "needs to see the whole position"),
    ],
)
def test_who_cannot_judge_is_told(name: str, by: str, more: dict[str, Any], says: str) -> None:
    stored = game((0, 1), (0.0, 0.0), reason="adjudicated")
    with pytest.raises(UsageError, match=says):
        analyse(name, 1, stored, load_agent(by), **more)


def test_what_cannot_be_judged_is_told() -> None:
    agent = load_agent("minimax:depth=2")
    with pytest.raises(UsageError, match="without a move"):
        analyse("connect_four", 1, game((), (0.0, 0.0)), agent)
    with pytest.raises(UsageError, match="lanista verify"):
        analyse("connect_four", 1, game((0,) * 7, (0.0, 0.0)), agent)
    with pytest.raises(UsageError, match="games of two players are analysed"):
        analyse("gym:CartPole-v1", 1, game((0,), (1.0, 0.0)), agent)


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("analysis") / "t.sqlite"
    tournament("connect_four", ["random", "minimax:depth=2"], games=2, db=path, opening_plies=(2, 2))
    return path


def test_the_command_prints_draws_and_writes_json(db: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["analyse", str(db), "1", "--by", "minimax:depth=4", "--blunder", "0.05"]
    with Store(db, write=False) as store:
        stored = store.game(1)
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["moves"]) == len(found["chances"]) - 1 == len(stored.moves)
    assert found["blunders"] == sum(move["blunder"] for move in found["moves"]) > 0
    for form in ("svg", "png"):
        assert main([*words, "--picture", str(tmp_path / f"a.{form}")]) == 0
    said = capsys.readouterr().out
    assert said.count("blunder: ") == 2 * found["blunders"] and "minimax:depth=2 won" in said
    drawing = ElementTree.parse(tmp_path / "a.svg")
    texts = {text.strip() for element in drawing.iter() for text in [element.text or ""]}
    count = sum(move["blunder"] and stored.seats[move["player"]] == "random" for move in found["moves"])
    assert {f"random: {count} blunder{'s' * (count != 1)}", "opening"} <= texts
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["77"], "there is no game 77 in"),
        (["1", "--picture", "a.jpg"], "ends in .svg or .png"),
        (["1", "--by", "minmax"], "did you mean 'minimax'"),
    ],
)
def test_wrong_words_are_named(words: list[str], says: str, db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyse", str(db), *words]) == 2
    assert says in capsys.readouterr().err
