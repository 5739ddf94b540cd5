"""An agent as a UCI engine: the protocol's words, prompt obedience, whole games under an outside manager."""

from __future__ import annotations

import io
import sys
import threading
import time
from pathlib import Path

import pytest

from lanista.agents.as_uci import UciHost, centipawns, limits_from
from lanista.agents.contestant import load_agent
from lanista.agents.engine import EngineAgent
from lanista.agents.kinds.uci import value_of
from lanista.agents.match import Scheduled, play_games
from lanista.agents.processes import find_program
from lanista.agents.thinker import Limits
from lanista.errors import UsageError

SLEEPER = "class Sleeper:\n    def act(self, turn):\n        import time\n        time.sleep(600)\n"


class Talk(io.StringIO):
    """What a host reads and writes: a script in which `...` waits for `bestmove`, and a number for so many seconds."""

    def __init__(self, script: list[str]) -> None:
        super().__init__()
        self._script = iter(script)
        self._heard = threading.Event()
        self.lines: list[str] = []
        self.seconds: list[float] = []  # from each `...` on until the move was there

    def readline(self, size: int | None = -1) -> str:  # type: ignore[override]
        for line in self._script:
            if line == "...":
                began = time.monotonic()
                assert self._heard.wait(60)
                self.seconds.append(time.monotonic() - began)
                self._heard.clear()
            elif line.replace(".", "").isdecimal():
                time.sleep(float(line))
            else:
                return line + "\n"
        return ""

    def write(self, text: str) -> int:
        self.lines += text.splitlines()
        if "bestmove" in text:
            self._heard.set()
        return len(text)

    def said(self, begin: str) -> list[str]:
        return [line for line in self.lines if line.startswith(begin)]


def talk(contestant: str, *script: str) -> Talk:
    both = Talk(list(script))
    UciHost(contestant, both, both).serve()
    return both


def test_a_scripted_dialogue() -> None:
    heard = talk(
        "minimax:depth=2",
        "uci",
        "isready",
        "joho debug on",
        "nonsense",
        "",
        "ucinewgame",
        "position startpos moves e2e4 e7e5 f1c4 b8c6 d1h5 g8f6",
        "go depth 1",
        "...",
        "position fen 7k/6pp/8/8/8/8/8/R6K w - - 0 1",
        "setoption name Depth value 3",
        "go",
        "...",
        "go depth many",
        "setoption name Depht value 3",
        "setoption name depth value deep",
        "position fen 7k/8 w - - 0 1",
        "position startpos moves e2e5",
        "position startpos moves f2f3 e7e5 g2g4 d8h4",
        "go depth 1",
        "...",
        "quit",
    )
    assert heard.lines[:2] == ["id name Lanista minimax:depth=2", "id author the Lanista project"]
    assert "option name depth type spin default 2 min 0 max 1000000" in heard.lines
    assert heard.lines.index("uciok") < heard.lines.index("readyok")
    assert heard.said("bestmove") == ["bestmove h5f7", "bestmove a1a8", "bestmove (none)"]
    infos = heard.said("info depth")
    assert [line.split()[2] for line in infos] == ["1", "1", "2", "3"]
    assert all(line.endswith(("pv h5f7", "pv a1a8")) for line in infos)
    assert all((value_of(line) or 0) > 0.99 for line in infos)
    assert [line[:50] for line in heard.said("info string")] == [
        "info string 'go depth' needs a whole number, not '",
        "info string there is no option 'Depht'; there are:",
        "info string option 'depth' is int, not 'deep'",
        "info string '7k/8 w - - 0 1' is no position of che",
        "info string 'e2e5' is no legal move here",
    ]


def test_stop_and_quit_are_obeyed_at_once(tmp_path: Path) -> None:
    (tmp_path / "sleeper.py").write_text(SLEEPER)
    sleeper = f"py:{tmp_path}/sleeper.py:Sleeper?seconds=900"
    began = time.monotonic()
    heard = talk(
        sleeper, "go", "0.3", "stop", "...", "position startpos moves e2e4", "go movetime 100", "...", "go", "quit"
    )
    assert time.monotonic() - began < 15
    assert heard.said("bestmove")[:2] == ["bestmove a2a3", "bestmove a7a5"]
    assert len(heard.said("info string the agent was killed by SIGKILL")) >= 2


def test_infinite_ends_with_stop_alone() -> None:
    heard = talk("minimax:depth=2", "isready", "go infinite", "1", "isready", "stop", "...", "quit")
    deepest = max(int(line.split()[2]) for line in heard.said("info depth"))
    assert deepest > 2
    assert heard.lines.index("readyok", heard.lines.index("readyok") + 1) < len(heard.lines) - 1
    assert heard.lines[-1].startswith("bestmove")


def test_time_bounds_the_depth() -> None:
    script = ["isready", "setoption name depth value 30", "go movetime 400", "...", "go wtime 3000 btime 10", "..."]
    heard = talk("minimax:depth=2", *script, "quit")
    assert all(seconds < 1.5 for seconds in heard.seconds) and heard.seconds[0] < 0.9


def test_games_go_on_after_our_rules_end_them() -> None:
    knights = "g1f3 g8f6 f3g1 f6g8 " * 4
    script = [f"position startpos moves {knights}e2e4", "go", "..."]
    script += ["position fen 7k/8/8/8/8/8/8/R6K w - - 120 90 moves a1a2", "go", "..."]
    heard = talk("random", *script, "quit")
    assert len(heard.said("bestmove")) == 2 and not heard.said("info string")
    assert "bestmove (none)" not in heard.lines


def test_no_move_is_told_for_a_position_that_is_none() -> None:
    heard = talk("random", "position fen 7k/8/8/8/8/8/8/7K w - - 0 1", "go", "...", "position startpos", "go", "...")
    assert "the game is over in this position" in heard.said("info string")[0]
    first, second = heard.said("bestmove")
    assert first == "bestmove (none)" and second != first


@pytest.mark.parametrize(
    ("words", "player", "limits"),
    [
        ("", 0, Limits()),
        ("depth 3 nodes 50", 0, Limits(3, 50)),
        ("infinite", 1, Limits(infinite=True)),
        ("movetime 250", 1, Limits(seconds=0.25)),
        ("wtime 30000 btime 60000 winc 0 binc 500", 0, Limits(seconds=1.0)),
        ("wtime 30000 btime 60000 winc 0 binc 500", 1, Limits(seconds=2.4)),
        ("wtime 100 btime 100 binc 5000", 1, Limits(seconds=0.05)),
        ("wtime -20 btime 100", 0, Limits(seconds=0.01)),
        ("wtime 1000 btime 100 movestogo 4", 0, Limits(seconds=0.25)),
    ],
)
def test_limits(words: str, player: int, limits: Limits) -> None:
    assert limits_from(words.split(), player) == limits


@pytest.mark.parametrize("pawns", [-900, -35, 0, 120, 400])
def test_centipawns_are_read_back(pawns: int) -> None:
    value = value_of(f"info score cp {pawns}")
    assert value is not None and centipawns(value) == pawns
    assert centipawns(1.0) == 10_000 and centipawns(-1.0) == -10_000


def test_what_cannot_be_an_engine_is_said() -> None:
    for contestant, game, words in [
        ("minimx", "chess", "did you mean 'minimax'"),
        ("random", "go:size=9", "UCI is for chess, not for go:size=9; try --protocol gtp"),
        ("random", "kuhn_poker", "no board game of two players who see all of it"),
        ("random", "ches", "did you mean 'chess'"),
    ]:
        with pytest.raises(UsageError, match=words):
            UciHost(contestant, io.StringIO(), io.StringIO(), game=game)


def test_our_engine_plays_for_our_own_client() -> None:
    engine = load_agent(f"uci:{sys.executable} -m lanista engine minimax:depth=2?depth=1&seconds=60")
    assert isinstance(engine, EngineAgent)
    played = [
        one for part in play_games("chess", [engine, load_agent("random")], [Scheduled((0, 1), 3)]) for one in part
    ]
    engine.close()
    assert played[0].reason == "end" and played[0].returns[0] >= 0


@pytest.mark.thorough
def test_whole_games_under_an_outside_manager() -> None:
    chess = pytest.importorskip("chess")
    manager = pytest.importorskip("chess.engine")
    if find_program("stockfish") is None:
        pytest.skip("stockfish is not installed")
    command = [sys.executable, "-m", "lanista", "engine", "minimax:depth=2"]
    with (
        manager.SimpleEngine.popen_uci(command, timeout=120) as ours,
        manager.SimpleEngine.popen_uci(str(find_program("stockfish"))) as other,
    ):
        for first, limit in enumerate([manager.Limit(depth=1), manager.Limit(white_clock=9, black_clock=9)]):
            board = chess.Board()
            while not board.is_game_over() and board.ply() < 300:
                mine = board.ply() % 2 == first
                board.push((ours if mine else other).play(board, limit if mine else manager.Limit(nodes=1)).move)
            assert board.is_game_over()
        score = ours.analyse(chess.Board("7k/6pp/8/8/8/8/8/R6K w - - 0 1"), manager.Limit(depth=2))["score"]
        assert score.white().score() > 1000
