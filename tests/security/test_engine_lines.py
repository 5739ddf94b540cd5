"""Lines of engines' protocols: what a program says to our engines, and what an engine answers to us."""

from __future__ import annotations

import io
import random
import sys
from pathlib import Path

import numpy as np
import pytest
from attacks import attack, examples, harmless, odd_text
from hypothesis import strategies as st

from lanista.agents.as_gtp import GtpHost
from lanista.agents.as_uci import UciHost, limits_from
from lanista.agents.contestant import load_agent
from lanista.agents.engine import EngineAgent
from lanista.agents.kinds.uci import value_of
from lanista.envs.catalogue import make
from lanista.errors import UsageError

UCI = [
    "uci",
    "isready",
    "ucinewgame",
    "position",
    "startpos",
    "fen",
    "moves",
    "e2e4",
    "e7e5",
    "e7e8q",
    "stop",
    "setoption",
    "name",
    "value",
    "seed",
    "4k3/8/8/8/8/8/4P3/4K3",
    "w",
    "KQkq",
    "-",
    "0",
    "1",
    "\n",
    "\n",
    " ",
    "go",
    "infinite",
    "go nodes",
    "go depth",
    "go movetime 1",
    "wtime",
    "btime",
    "winc",
    "movestogo",
    "-9",
    "go movetime -1",
    "position startpos moves e2e4\n",
    "position fen 8/8/8/8/8/8/8/8 w - - 0 1\n",
    "go depth 1\n",
]
GTP = [
    "1",
    "99999",
    "protocol_version",
    "name",
    "version",
    "known_command",
    "list_commands",
    "boardsize",
    "clear_board",
    "komi",
    "play",
    "genmove",
    "undo",
    "showboard",
    "final_score",
    "time_settings",
    "time_left",
    "lanista-game",
    "black",
    "w",
    "A1",
    "e5",
    "pass",
    "resign",
    "5",
    "19",
    "nan",
    "inf",
    "-1e999",
    "0.5",
    "\n",
    "\n",
    " ",
    "#",
    "\t",
    "boardsize 5\n",
    "genmove b\n",
    "play w C3\n",
]


def hosted(kind: type[UciHost] | type[GtpHost], game: str, lines: str) -> list[str]:
    """What a host says to some lines, and to the greeting after them."""
    sink = io.StringIO()
    kind(
        "first-legal",
        io.StringIO(f"{lines}\n{'stop' if kind is UciHost else ''}\n{GREETING[kind]}\nquit\n"),
        sink,
        0,
        game,
    ).serve()
    return sink.getvalue().splitlines()


GREETING = {UciHost: "isready", GtpHost: "7 protocol_version"}
THANKS = {UciHost: "readyok", GtpHost: "=7 2"}


@pytest.mark.parametrize(
    ("kind", "game", "words"),
    [(UciHost, "chess", UCI), pytest.param(GtpHost, "go:size=5", GTP, marks=pytest.mark.thorough)],
)
@pytest.mark.parametrize(
    "count", [pytest.param(2, id="quick"), pytest.param(200, id="thorough", marks=pytest.mark.faults)]
)
def test_whatever_a_program_says_a_host_goes_on(
    kind: type[UciHost] | type[GtpHost], game: str, words: list[str], count: int
) -> None:
    """Each host has a process of its own for its agent, so that a few long conversations are held."""
    for seed in range(count):
        draw = random.Random(seed)
        said = "".join(
            "".join(draw.choice([*words, "²", "\uff19", "\x00", "9" * 5000]) + " " for _ in range(draw.randint(1, 6)))
            + "\n"
            for _ in range(150)
        )
        with harmless(programs=True, seconds=120):
            answers = hosted(kind, game, said)
        assert THANKS[kind] in answers[-5:], (seed, answers[-5:])


LINES = {
    UciHost: [
        "go movetime " + "9" * 400,
        "go wtime " + "9" * 4000 + " btime 1",
        "go nodes -" + "9" * 4000,
        "go depth " + "9" * 5000,
        "position fen " + "9" * 5000,
        "position fen 4k3/8/8/8/8/8/8/4K3 w - - " + "9" * 5000 + " 1\ngo depth 1",
        "position fen 4k3/8/8/8/8/8/8/4K3 w - - 0 " + "9" * 5000 + "\ngo depth 1",
        "setoption",
        "setoption name",
        "setoption name " + "a" * 100_000,
        "position startpos moves " + "e2e4 " * 10_000,
        "position",
        "x" * (1 << 21),
        "position fen k7/k7/8/8/8/8/8/8 w - - 0 1\ngo depth 1",
        "position fen 8/8/8/8/8/8/8/8 w - - 0 1\ngo depth 1",
    ],
    GtpHost: [
        "boardsize " + "9" * 5000,
        "boardsize ²",
        "boardsize \uff19",
        "boardsize 0",
        "boardsize 26",
        "komi nan",
        "komi inf",
        "komi 1e400",
        "komi " + "9" * 5000,
        "9" * 5000,
        "9" * 5000 + " name",
        "known_command",
        "play",
        "play b",
        "play b Z99",
        "play b A" + "9" * 5000,
        "genmove",
        "genmove red",
        "undo 1",
        "time_settings 0 " + "9" * 5000 + " 0",
        "time_left",
        "x" * (1 << 17),
        "komi 0.5,size=19",
        "boardsize 5,komi=3",
        "final_score 3",
        "showboard\x00",
    ],
}


@pytest.mark.parametrize(("kind", "game"), [(UciHost, "chess"), (GtpHost, "go:size=5")])
def test_hard_lines_do_not_end_a_host(kind: type[UciHost] | type[GtpHost], game: str) -> None:
    """Some of these ended it with an error of Python's own."""
    with harmless(programs=True, seconds=120):
        answers = hosted(kind, game, "\n".join(LINES[kind]))
    assert THANKS[kind] in answers[-5:], answers[-5:]
    if kind is UciHost:
        assert sum(each.startswith("bestmove") for each in answers) >= 3
    else:
        assert not any("=19" in each for each in answers)


@examples
def test_words_after_go(examples: int) -> None:
    names = ["depth", "nodes", "movetime", "wtime", "btime", "winc", "binc", "movestogo", "infinite", "1", "-5"]
    words = st.lists(st.sampled_from([*names, "9" * 400, "9" * 5000, "1.5", "x", "²"]), max_size=12)

    def once(said: list[str]) -> None:
        try:
            limits = limits_from(said, 0)
        except UsageError:
            return
        assert limits.seconds is None or limits.seconds == limits.seconds, "a number"

    attack(examples, words, once)


@examples
def test_values_that_an_engine_tells(examples: int) -> None:
    words = [
        "info ",
        "score ",
        "cp ",
        "mate ",
        "wdl ",
        "1 ",
        "-3 ",
        "1000 ",
        "9" * 400 + " ",
        "lowerbound ",
        "nan ",
        "0x1 ",
    ]

    def once(line: str) -> None:
        value = value_of(line)
        assert value is None or -1 <= value <= 1

    attack(examples, odd_text(words, 12), once)
    for said in ("9" * 400, "-" + "9" * 400, "9" * 5000):
        assert value_of(f"info score cp {said}") in (None, 1.0, -1.0)
        assert value_of(f"info wdl {said} 0 0") in (None, 1.0, -1.0)


BABBLER = Path(__file__).with_name("babbling_engine.py")


@pytest.mark.parametrize(("protocol", "game"), [("uci", "chess"), ("gtp", "go:size=5")])
@pytest.mark.parametrize(
    "count", [pytest.param(2, id="quick"), pytest.param(300, id="thorough", marks=pytest.mark.faults)]
)
def test_whatever_an_engine_answers_is_a_move_or_a_failure(protocol: str, game: str, count: int) -> None:
    table = make(game, 4)
    table.reset(0)
    turn = table.turn()
    for seed in range(count):
        agent = load_agent(f"{protocol}:{sys.executable} -S {BABBLER} {protocol} {seed}?seconds=0.5")
        assert isinstance(agent, EngineAgent)
        with harmless(programs=True, seconds=120):
            agent.start(table.spec, 0)
            try:
                choice = agent.act(turn)
            finally:
                agent.close()
        assert turn.legal is not None
        for row in range(len(turn)):
            assert row in choice.failed or turn.legal[row, choice.actions[row]]
        assert all(reason.isprintable() and len(reason) < 500 for reason in choice.failed.values()), choice.failed
        assert choice.value is None or np.isfinite(choice.value).all()
