"""Outside engines by UCI and GTP: whole games, every fault of an engine, and no process left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from living import alive

from lanista.agents import processes
from lanista.agents.adjudication import share_of
from lanista.agents.contestant import load_agent
from lanista.agents.engine import EngineAgent
from lanista.agents.kinds.uci import value_of
from lanista.agents.match import Played, Scheduled, play_games
from lanista.agents.processes import find_program
from lanista.agents.told_games import ToldGames
from lanista.envs.batched import BatchedGame
from lanista.envs.catalogue import make, native_rules
from lanista.envs.core import Agent, Turn
from lanista.envs.games._chess_notation import uci
from lanista.errors import UsageError

FAKE = Path(__file__).with_name("fake_engine.py")
FAULTS = {
    "swells": "used more than 150 MB of memory",
    "dies": "exited with code 3",
    "crashes": "was killed by SIGABRT",
    "hangs": "gave no move within 0.8 seconds",
    "mumbles": "gave no move within 0.8 seconds",
    "floods": "flooded its output with more than",
    "floods-a-line": "flooded its output with a line",
    "closes": "closed its output",
    "nonsense": "illegal move '¿?'",
    "illegal": "illegal move",
}
UCI_FAULTS = FAULTS | {"empty": "'bestmove' without a move"}
GTP_FAULTS = FAULTS | {"nonsense": "illegal move '¿? maybe'", "empty": "illegal move ''", "resigns": "resigned"}
OPENINGS = {  # of four games; the second lets the engine commit its fault at once
    "chess": (["e2e4", "h7h6"], ["e2e4", "a7a6"], ["d2d4", "h7h5"], ["a2a3", "h7h6"]),
    "go:size=5": (["C3", "C5"], ["C3", "A5"], ["C1", "C5"], ["E1", "E5"]),
}
WORD = {"chess": "a7a6", "go:size=5": "A5"}


@pytest.fixture
def seated() -> Iterator[list[EngineAgent]]:
    """Engines to be closed at the end."""
    engines: list[EngineAgent] = []
    yield engines
    for engine in engines:
        engine.close()


def fake(protocol: str, fault: str = "none", word: str = "none", options: str = "seconds=20") -> EngineAgent:
    agent = load_agent(f"{protocol}:{sys.executable} -S {FAKE} {protocol} {fault} {word}?{options}")
    assert isinstance(agent, EngineAgent)
    return agent


def opening(game: str, words: list[str]) -> tuple[int, ...]:
    table = make(game)
    table.reset(0)
    rules = native_rules(game)
    actions = []
    for word in words:
        turn = table.turn()
        assert turn.legal is not None and turn.public is not None
        write = rules.print_engine_move or rules.print_move
        told = ToldGames(rules, write).words_of(turn.public.positions()[0], turn.legal[0])
        actions.append(told[word])
        table.step(np.array(actions[-1:]))
    return tuple(actions)


def four(game: str) -> Turn:
    table = make(game, 4)
    table.reset(0, openings=[opening(game, words) for words in OPENINGS[game]])
    return table.turn()


def play_all(game: str, agents: list[Agent], games: int = 2) -> list[Played]:
    schedule = [Scheduled(seats, seed, label=seed) for seed in range(games) for seats in ((0, 1), (1, 0))]
    return [one for part in play_games(game, agents, schedule, seed=1) for one in part]


@pytest.mark.parametrize(("protocol", "game"), [("uci", "chess"), ("gtp", "go:size=5")])
@pytest.mark.parametrize("processes", [1, 3])
def test_plays_whole_games(protocol: str, game: str, processes: int, seated: list[EngineAgent]) -> None:
    engine = fake(protocol, options=f"seconds=20&processes={processes}")
    seated.append(engine)
    schedule = [Scheduled((0, 0), seed, opening(game, words)) for seed, words in enumerate([[], *OPENINGS[game]])]
    played = [one for part in play_games(game, [engine], schedule) for one in part]
    assert len(played) == 5 and {one.reason for one in played} == {"end"}
    if game == "chess":
        assert all(one.returns == (0, 0) and 8 <= len(one.moves) <= 10 for one in played)


@pytest.mark.parametrize(
    ("protocol", "game", "fault", "reason"),
    [
        *(("uci", "chess", fault, reason) for fault, reason in UCI_FAULTS.items()),
        *(("gtp", "go:size=5", fault, reason) for fault, reason in GTP_FAULTS.items()),
    ],
)
def test_a_fault_costs_its_game_alone(
    protocol: str, game: str, fault: str, reason: str, seated: list[EngineAgent], monkeypatch: pytest.MonkeyPatch
) -> None:
    if fault == "closes":  # it goes on, however long it is waited for; others need that time to end
        monkeypatch.setattr(processes, "SECONDS_TO_END", 0.3)
    options = {"hangs": "seconds=0.8", "mumbles": "seconds=0.8", "swells": "seconds=20&memory=150"}
    engine = fake(protocol, fault, WORD[game], options.get(fault, "seconds=20"))
    seated.append(engine)
    engine.start(native_rules(game).spec, 0)
    began = time.monotonic()
    for _ in range(2):  # again with what was begun anew
        turn = four(game)
        choice = engine.act(turn)
        assert list(choice.failed) == [1] and choice.failed[1].startswith(f"{protocol} engine: ")
        assert reason in choice.failed[1] and len(choice.failed[1]) < 120
        assert turn.legal is not None
        for row in (0, 2, 3):
            assert turn.legal[row, choice.actions[row]] and (choice.actions[row] or game != "chess")
    assert time.monotonic() - began < 15


def test_a_value_that_was_not_told_is_not_even(seated: list[EngineAgent]) -> None:
    engine = fake("uci", "untold", "a7a6")
    seated.append(engine)
    engine.start(native_rules("chess").spec, 0)
    value = engine.act(four("chess")).value
    assert value is not None and np.isnan(value).tolist() == [False, True, False, False]


def test_a_fault_loses_a_scheduled_game_with_its_reason(seated: list[EngineAgent]) -> None:
    engine = fake("uci", "dies", "a7a6")
    seated.append(engine)
    schedule = [
        Scheduled(seats, 0, opening("chess", words)) for words in OPENINGS["chess"][:2] for seats in ((0, 1), (1, 0))
    ]
    played = [one for part in play_games("chess", [engine, load_agent("first-legal")], schedule) for one in part]
    lost = [one for one in played if one.reason == "uci engine: exited with code 3"]
    assert len(lost) == 1 and lost[0].at_fault == 0 and lost[0].returns == (-1, 1)
    assert lost[0].scheduled.opening == schedule[2].opening and lost[0].scheduled.seats == (0, 1)


def test_an_engine_that_starts_no_more_is_given_up(tmp_path: Path, seated: list[EngineAgent]) -> None:
    script = tmp_path / "engine"
    script.write_text(f"#!/bin/sh\nmkdir {tmp_path}/begun && exec {sys.executable} -S {FAKE} uci dies a7a6\n")
    script.chmod(0o755)
    engine = load_agent(f"uci:{script}")
    assert isinstance(engine, EngineAgent)
    seated.append(engine)
    engine.start(native_rules("chess").spec, 0)
    choice = engine.act(four("chess").take(np.array([0, 1, 2, 3, 0, 2, 0])))
    assert (
        choice.failed[2] == "uci engine: exited with code 1"
        and choice.failed[6] == "uci engine: does not start any more"
    )
    assert sorted(choice.failed) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(("remember", "thoughts"), [(0, [1, 1, 1]), (1, [1, 2, 3])])
def test_a_process_remembers_its_game_if_it_may(remember: int, thoughts: list[int], seated: list[EngineAgent]) -> None:
    engine = fake("uci", options=f"seconds=20&processes=3&remember={remember}")
    seated.append(engine)
    table = make("chess", 3)
    for seed in (0, 1):  # of the games before it remembers nothing
        table.reset(seed)
        engine.start(table.spec, 0)
        for many in thoughts:
            choice = engine.act(table.turn())
            assert choice.value is not None
            assert choice.value == pytest.approx([share_of(35 * many)] * 3, abs=1e-6)
            table.step(choice.actions)


def test_many_processes_begin_at_once(seated: list[EngineAgent]) -> None:
    engine = fake("uci", options="seconds=20&processes=8")
    seated.append(engine)
    table = make("chess", 8)
    table.reset(0)
    engine.start(table.spec, 0)
    assert engine.act(table.turn()).failed == {}


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
@pytest.mark.parametrize("thread", [False, True])
def test_a_killed_parent_leaves_no_engine(thread: bool) -> None:
    program = f"""
import threading, time
from lanista.agents.line_process import LineProcess
engine = LineProcess(["{sys.executable}", "-S", "{FAKE}", "uci", "hangs", "e2e4"])
if {thread}:
    worker = threading.Thread(target=engine.begin)  # the engine must outlive it
    worker.start(); worker.join(); time.sleep(0.2)
else:
    engine.begin()
engine.send("position startpos moves e2e4", "go", seconds=600, what="move")
print(engine._process.pid, flush=True)
time.sleep(600)
"""
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    time.sleep(0.2)
    assert alive(child)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait(10)
    parent.stdout.close()
    until = time.monotonic() + 5
    while alive(child) and time.monotonic() < until:
        time.sleep(0.01)
    assert not alive(child)


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
def test_closing_leaves_no_zombie(seated: list[EngineAgent]) -> None:
    engine = fake("uci")
    engine.start(native_rules("chess").spec, 0)
    process = engine._processes[0]._process
    assert process is not None and alive(process.pid)
    engine.close()
    assert not Path(f"/proc/{process.pid}").exists()
    engine.start(native_rules("chess").spec, 0)
    process = engine._processes[0]._process
    del engine
    assert process is not None and not Path(f"/proc/{process.pid}").exists()


@pytest.mark.parametrize(
    ("contestant", "words"),
    [
        ("uci:", "'uci:' names no program; write it as in 'uci:stockfish'"),
        ("gtp:", "as in 'gtp:gnugo'"),
        ("uci:'stockfish", "No closing quotation"),
        ("uci:no-such-engine?nodes=1", "needs the program 'no-such-engine', which is not here"),
        ("uci:/nowhere/stockfish", "apt-get install stockfish"),
        (f"uci:{sys.executable}?nodes=many", "nodes is a whole number of at least 0, not 'many'"),
        (f"gtp:{sys.executable}?seconds=0", "needs seconds above 0, at most 10000000, not 0"),
        (f"uci:{sys.executable}?seconds=nan", "needs seconds above 0"),
        (f"uci:{sys.executable}?processes=0", "processes is a whole number of at least 1, not '0'"),
        (f"uci:{sys.executable}?nodes", "'nodes' is no option; write key=value"),
        (f"gtp:{sys.executable}?Skill=1", "GTP has no options, so not 'Skill'"),
    ],
)
def test_wrong_words(contestant: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_agent(contestant)
    assert words in str(caught.value)


def test_what_does_not_fit_is_said_at_the_start() -> None:
    chess, go = native_rules("chess").spec, native_rules("go:size=5").spec
    with pytest.raises(UsageError, match="did you mean 'Skill Level'"):
        fake("uci", options="Skil Level=3").start(chess, 0)
    with pytest.raises(UsageError, match="plays chess; it cannot play go:size=5"):
        fake("uci").start(go, 0)
    with pytest.raises(UsageError, match="square boards"):
        fake("gtp").start(native_rules("connect_four").spec, 0)
    with pytest.raises(UsageError, match="does not speak GTP: it answered 'list_commands'"):
        load_agent(f"gtp:{sys.executable} -S -u -c print(1);input()").start(go, 0)  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match="was not started"):
        fake("uci").act(four("chess"))


def test_its_name_makes_it_again(seated: list[EngineAgent]) -> None:
    engine = fake("uci", options="depth=3&Skill Level=2")
    again = load_agent(engine.name)
    assert isinstance(again, EngineAgent) and again.name == engine.name and again.limits == engine.limits
    assert FAKE in again.files


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("info depth 1 score cp 0", 0.0),
        ("info depth 1 score cp 400 nodes 20", 9 / 11),
        ("info depth 3 score mate 2 pv a1a2", 1.0),
        ("info depth 3 score mate -2", -1.0),
        ("info depth 3 score cp 10 wdl 300 500 200", 0.1),
        ("info score", None),
        ("info score cp much", None),
        ("info score wdl", None),
        ("info string score", None),
    ],
)
def test_values(line: str, value: float | None) -> None:
    assert value_of(line) == (None if value is None else pytest.approx(value))


def test_positions_that_were_set_up_are_told_by_fen(seated: list[EngineAgent]) -> None:
    if find_program("stockfish") is None:
        pytest.skip("stockfish is not installed")
    engine = load_agent("uci:stockfish?depth=6")
    assert isinstance(engine, EngineAgent)
    seated.append(engine)
    before_mate = ["e2e4", "e7e5", "d1h5", "b8c6", "f1c4", "g8f6"], ["f2f3", "e7e5", "g2g4"]
    source = make("chess", 2)
    source.reset(0, openings=[opening("chess", words) for words in before_mate])
    public = source.turn().public
    table = make("chess", 2)
    assert public is not None and isinstance(table, BatchedGame)
    table.set_positions(public.positions())
    engine.start(table.spec, 0)
    choice = engine.act(table.turn())
    words = [uci(table.states[copy], int(choice.actions[copy])) for copy in (0, 1)]
    assert words == ["h5f7", "d8h4"] and table.moves(0) == []
    assert choice.value is not None and choice.value.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("program", "contestant", "game"),
    [
        ("stockfish", "uci:stockfish?nodes=50&Hash=1", "chess"),
        ("fairy-stockfish", "uci:fairy-stockfish?nodes=50&Hash=1", "chess"),
        ("gnuchess", "uci:gnuchess?depth=1&OwnBook=false&seconds=20", "chess"),
        ("gnugo", "gtp:gnugo --mode gtp --level 0", "go:size=5"),
    ],
)
def test_engines_beat_random_players(program: str, contestant: str, game: str, seated: list[EngineAgent]) -> None:
    if find_program(program) is None:
        pytest.skip(f"{program} is not installed")
    engine = load_agent(contestant)
    assert isinstance(engine, EngineAgent)
    seated.append(engine)
    played = play_all(game, [engine, load_agent("random")])
    assert {one.reason for one in played} == {"end"}
    assert sum(one.returns[one.scheduled.seats.index(0)] for one in played) >= 3
    again = sorted(play_all(game, [engine, load_agent("random")]), key=lambda one: one.scheduled.label)
    first = sorted(played, key=lambda one: one.scheduled.label)
    assert [one.moves for one in again] == [one.moves for one in first] or program == "gnuchess"
