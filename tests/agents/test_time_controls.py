"""Games by the clock: what the words say, who oversteps loses, who is slowed by the machine does not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lanista.agents.contestant import load_agent
from lanista.agents.engine import EngineAgent
from lanista.agents.host_time import heartbeat, use_of
from lanista.agents.isolate import IsolatedAgent
from lanista.agents.kinds.uci import UciLimits, _go
from lanista.agents.match import Played, Scheduled, play_games
from lanista.agents.time_control import Clocks, TimeControl, allotted, parse_time_control
from lanista.envs.catalogue import make
from lanista.envs.core import Agent, Array, Choice, Turn
from lanista.errors import UsageError

SLOW = Path(__file__).with_name("slow_agents.py")
FAKE = Path(__file__).with_name("fake_engine.py")


@pytest.fixture
def seated() -> Iterator[list[IsolatedAgent | EngineAgent]]:
    """Agents to be closed at the end."""
    agents: list[IsolatedAgent | EngineAgent] = []
    yield agents
    for agent in agents:
        agent.close()


def slow(kind: str, seconds: float, seated: list[IsolatedAgent | EngineAgent]) -> IsolatedAgent:
    agent = IsolatedAgent(kind, {"file": str(SLOW), "class": kind, "options": {"seconds": seconds}}, seconds=10)
    seated.append(agent)
    return agent


def play(
    agents: list[Agent], control: str, games: int = 1, game: str = "tictactoe", margin: float = 0.1
) -> list[Played]:
    schedule = [Scheduled((0, 1), seed, label=seed) for seed in range(games)]
    parts = play_games(game, agents, schedule, control=parse_time_control(control, margin))
    return sorted((one for part in parts for one in part), key=lambda one: one.scheduled.label)


@pytest.mark.parametrize(
    ("written", "control"),
    [
        ("move=0.1", TimeControl(move=0.1)),
        ("st=2", TimeControl(move=2)),
        ("60+0.6", TimeControl(begin=60, increment=0.6)),
        ("1:30+1", TimeControl(begin=90, increment=1)),
        ("40/60", TimeControl(begin=60, moves=40)),
        ("tc=40/1:00+.5", TimeControl(begin=60, moves=40, increment=0.5)),
        ("nodes=1000", TimeControl(nodes=1000)),
        ("10,nodes=5", TimeControl(begin=10, nodes=5)),
    ],
)
def test_time_controls_are_read_as_people_write_them(written: str, control: TimeControl) -> None:
    assert parse_time_control(written) == control
    assert parse_time_control(str(control)) == control, "and written so that they are read again"


@pytest.mark.parametrize(
    "written", ["", "soon", "0", "move=0", "move=-1", "nodes=0", "nodes=x", "3/", "1+2+3", "1 2", "+1"]
)
def test_what_is_no_time_control_is_refused_in_a_sentence(written: str) -> None:
    with pytest.raises(UsageError):
        parse_time_control(written)


def test_clocks_go_as_those_of_players_do() -> None:
    copy, player = np.array([0]), np.array([0])
    fischer = Clocks(TimeControl(begin=10, increment=2, margin=0.5), 1, 2)
    fischer.begin(copy)
    assert fischer.press(0, 0, 4) and fischer.left(0, 0) == 8 and fischer.left(0, 1) == 10
    assert fischer.shown(copy, player).tolist() == [[8, 2, 0, 10]]
    assert fischer.press(0, 0, 8.4) and fischer.left(0, 0) == 2, "within the margin nothing is owed"
    assert not fischer.press(0, 0, 2.6)
    periods = Clocks(TimeControl(begin=10, moves=2), 1, 2)
    periods.begin(copy)
    assert periods.press(0, 0, 1) and periods.shown(copy, player)[0, 2] == 1
    assert periods.press(0, 0, 2) and periods.left(0, 0) == 17 and periods.shown(copy, player)[0, 2] == 2
    fixed = Clocks(TimeControl(move=1, margin=0), 1, 2)
    fixed.begin(copy)
    assert fixed.press(0, 0, 0.2) and fixed.left(0, 0) == 1 and not fixed.press(0, 0, 1.01)
    assert fixed.shown(copy, player).tolist() == [[1, 0, 1, 1]]


def test_a_search_plans_with_less_than_it_has() -> None:
    def of(*clock: float) -> float:
        return allotted(np.array([clock], np.float32))

    assert 0.05 < of(0.1, 0, 1, 0.1) < 0.1
    assert of(60, 0, 0, 60) < 4 and of(60, 1, 0, 60) > of(60, 0, 0, 60)
    assert of(0.1, 5, 0, 1) < 0.1, "an increment comes after the move"
    left = 2.0
    for _ in range(100):
        left -= of(left, 0, 0, 1)
        assert left > 0


def test_engines_are_told_the_clock_in_their_own_words() -> None:
    clock = np.array([58.5, 0.6, 0, 60], np.float32)
    control = parse_time_control("60+0.6")
    assert _go(UciLimits(), control, clock, 0) == "go wtime 58500 btime 60000 winc 600 binc 600"
    assert _go(UciLimits(nodes=5), control, clock, 1) == "go wtime 60000 btime 58500 winc 600 binc 600 nodes 5"
    moves = np.array([30, 0, 12, 20], np.float32)
    assert _go(UciLimits(), parse_time_control("40/60"), moves, 0) == "go wtime 30000 btime 20000 movestogo 12"
    fixed = np.array([0.1, 0, 1, 0.1], np.float32)
    assert _go(UciLimits(), parse_time_control("move=0.1"), fixed, 0) == "go movetime 100"
    assert _go(UciLimits(nodes=9), parse_time_control("nodes=5"), None, 0) == "go nodes 5"
    assert _go(UciLimits(), None, None, 0) == "go movetime 100"


def test_who_sleeps_past_its_time_loses_and_each_moves_time_is_kept(seated: list[IsolatedAgent | EngineAgent]) -> None:
    (played,) = play([slow("Sleeps", 5, seated), load_agent("first-legal")], "move=0.3", margin=0.05)
    assert (played.reason, played.at_fault, played.returns) == ("time", 0, (-1, 1))
    assert len(played.seconds) == len(played.moves) + 1
    assert 0.35 < played.seconds[-1] < 1 and max(played.seconds[:-1]) < 0.3


@pytest.mark.parametrize("control", ["move=5", ""])
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (1, "actions must be (k,) integers, not float32"),
        (2, "actions must be (k,) integers, not int64 of shape"),
        (3, ", and of int64 of shape (1,) before"),
        (4, "left a row unanswered"),
    ],
)
def test_malformed_answers_lose_their_games_alone_with_a_clock_and_without(
    fault: int, reason: str, control: str, seated: list[IsolatedAgent | EngineAgent]
) -> None:
    agents: list[Agent] = [slow("Malformed", fault, seated), load_agent("first-legal"), load_agent("random")]
    schedule = [Scheduled((0, 1), 0, label=0), Scheduled((1, 2), 1, label=1), Scheduled((1, 0), 2, label=2)]
    clock = parse_time_control(control) if control else None
    found = sorted(
        (one for part in play_games("tictactoe", agents, schedule, control=clock) for one in part),
        key=lambda one: one.scheduled.label,
    )
    assert [one.at_fault for one in found] == [0, None, 1] and found[1].reason == "end"
    assert all(reason in found[number].reason for number in (0, 2)), [one.reason for one in found]


def test_a_users_agent_sees_its_clock_and_may_plan_by_it(seated: list[IsolatedAgent | EngineAgent]) -> None:
    (played,) = play([slow("Plans", 0, seated), load_agent("first-legal")], "move=0.4")
    assert played.reason == "end" and 0.19 < max(played.seconds) < 0.4


def test_by_a_clock_no_other_limit_holds(seated: list[IsolatedAgent | EngineAgent]) -> None:
    """What an agent may take for a move without one would end long thoughts of a long game."""
    loading = {"file": str(SLOW), "class": "Sleeps", "options": {"seconds": 0.6}}
    agent = IsolatedAgent("sleeps", loading, seconds=0.3)
    seated.append(agent)
    (played,) = play([agent, load_agent("first-legal")], "30")
    assert played.reason == "end" and 0.6 < max(played.seconds) < 3


class Claims:
    """Fails, and says that it was the machine, or that the game is void, or was given up."""

    name = "claims"

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        return Choice(np.zeros(len(turn), np.int64), failed={0: self.reason})


@pytest.mark.parametrize("reason", ["stalled host", "broken", "adjudicated: draw"])
def test_an_agents_own_words_are_no_ruling(reason: str) -> None:
    schedule = [Scheduled((0, 1), 1)]
    ((played,),) = play_games("tictactoe", [Claims(reason), load_agent("random")], schedule)
    assert (played.reason, played.at_fault, played.returns) == (f"said: {reason}", 0, (-1, 1))


class Naps:
    """A user's own class in this process, who naps at its second move."""

    name = "naps"

    def __init__(self, seconds: float) -> None:
        self.seconds, self.seen = seconds, 0

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        assert turn.legal is not None and turn.clock is not None and len(turn) == 1
        self.seen += 1
        if self.seen == 2:
            time.sleep(self.seconds)
        return Choice(turn.legal.argmax(axis=1), value=np.zeros(1, np.float32))


def test_an_agent_in_this_process_loses_on_time_too() -> None:
    one, other = play([Naps(0.6), load_agent("random")], "move=0.3", games=2)
    assert (one.reason, one.at_fault, len(one.seconds)) == ("time", 0, 3)
    assert other.reason == "end"


def test_searches_by_milliseconds_manage_their_time() -> None:
    agents = [load_agent("minimax:milliseconds=60000"), load_agent("mcts:milliseconds=60000")]
    for control, most in (("move=0.1", 0.1), ("0.5+0.02", 0.5)):
        (played,) = play(agents, control, game="connect_four", margin=0.2)
        assert played.reason == "end"
        assert max(played.seconds) < most + 0.2 and sum(played.seconds) > 0.05, "it does think, if others let it"


def test_nodes_bound_those_that_count_them() -> None:
    agents, schedule = [load_agent("mcts:simulations=400")] * 2, [Scheduled((0, 1), seed) for seed in range(3)]
    few, many = ([one.moves for one in play(agents, f"nodes={n}", 3, "connect_four")] for n in (3, 10_000))
    usual = [one.moves for part in play_games("connect_four", agents, schedule) for one in part]
    assert sorted(many) == sorted(usual) != sorted(few), "its own limit is the smaller one"
    with pytest.raises(UsageError, match="counts nodes"):
        play([load_agent("random")] * 2, "nodes=10")


@pytest.mark.parametrize(("protocol", "game"), [("uci", "chess"), ("gtp", "go:size=5")])
def test_an_engine_that_hangs_loses_on_time(
    protocol: str, game: str, seated: list[IsolatedAgent | EngineAgent]
) -> None:
    first = {"chess": "g1f3", "go:size=5": "A2"}[game]
    engine = load_agent(f"{protocol}:{sys.executable} -S {FAKE} {protocol} hangs {first}?seconds=20")
    sound = load_agent(f"{protocol}:{sys.executable} -S {FAKE} {protocol} none none?seconds=20")
    assert isinstance(engine, EngineAgent) and isinstance(sound, EngineAgent)
    seated += [engine, sound]
    (played,) = play([sound, engine], "0.4+0.1", game=game)
    assert (played.reason, played.at_fault) == ("time", 1) and len(played.seconds) == 2
    assert 0.5 < played.seconds[-1] < 1.5


def busy(core: int, count: int) -> list[subprocess.Popen[bytes]]:
    """Processes that want all of a processor."""
    code = f"import os; os.sched_setaffinity(0, {{{core}}})\nwhile True: pass"
    return [subprocess.Popen([sys.executable, "-S", "-c", code]) for _ in range(count)]


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how long a process waited for a processor")
def test_who_is_starved_by_a_busy_core_does_not_lose_but_who_sleeps_or_computes_there_does(
    seated: list[IsolatedAgent | EngineAgent],
) -> None:
    core = min(os.sched_getaffinity(0))
    starved, sleeper, greedy = slow("Computes", 0.15, seated), slow("Sleeps", 5, seated), slow("Computes", 1, seated)
    other = load_agent("first-legal")
    (played,) = play([starved, other], "move=2", margin=0)
    assert played.at_fault is None, "alone it has time enough, but for what else runs on this machine"
    process = starved._pipe._process
    assert process is not None
    os.sched_setaffinity(process.pid, {core})
    for agent in (sleeper, greedy):  # now, while nobody disturbs them
        agent.start(make("tictactoe").spec, 0)
    rivals = busy(core, 4)
    try:
        (kept,) = play([starved, other], "move=0.25", margin=0)
        (asleep,), (late,) = (play([agent, other], "move=0.25", margin=0) for agent in (sleeper, greedy))
    finally:
        for rival in rivals:
            rival.kill()
            rival.wait()
    # A machine that is kind to it for once lets it end its game.
    assert kept.at_fault is None and kept.reason in ("stalled host", "end")
    assert kept.returns == (0, 0) or kept.reason == "end"
    assert (asleep.reason, asleep.at_fault) == ("time", 0)
    assert (late.reason, late.at_fault) == ("time", 0)


STOPPED = """
import json, os, subprocess, sys
from lanista.agents.contestant import load_agent
from lanista.agents.isolate import IsolatedAgent
from lanista.agents.match import Scheduled, play_games
from lanista.agents.time_control import parse_time_control
from lanista.envs import make
me, found = os.getpid(), []
for nap in (0.5, 30):
    agent = IsolatedAgent("sleeps", {"file": sys.argv[1], "class": "Sleeps", "options": {"seconds": nap}}, seconds=20)
    agent.start(make("tictactoe").spec, 0)
    code = f"import os, time; time.sleep(.3); os.kill({me}, 19); time.sleep(1.5); os.kill({me}, 18)"
    stopper = subprocess.Popen([sys.executable, "-S", "-c", code])
    control = parse_time_control("move=0.8", 0.1)
    for part in play_games("tictactoe", [agent, load_agent("first-legal")], [Scheduled((0, 1), 1)], control=control):
        found += [[one.reason, one.at_fault, max(one.seconds)] for one in part]
    stopper.wait()
    agent.close()
print(json.dumps(found))
"""


@pytest.mark.thorough
def test_a_stop_of_the_whole_program_costs_nobody_a_game_but_who_never_answers() -> None:
    """As by Ctrl-Z, in the middle of a move; the game is played again, or the time until it goes on does not count."""
    result = subprocess.run([sys.executable, "-c", STOPPED, str(SLOW)], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    (fair, lost) = json.loads(result.stdout)
    assert fair[:2] == ["end", None] and fair[2] < 0.9
    assert lost[:2] == ["time", 0]


def test_what_a_process_used_is_told_with_that_of_its_children() -> None:
    hungry = "x = bytearray(80_000_000)\nwhile True: pass"
    code = f"import subprocess, sys\nsubprocess.run([sys.executable, '-S', '-c', {hungry!r}])"
    process = subprocess.Popen([sys.executable, "-S", "-c", code], start_new_session=True)
    try:
        until = time.monotonic() + 20
        while (use := use_of(process.pid)).processor < 0.5 and time.monotonic() < until:
            time.sleep(0.05)
        assert use.processor >= 0.5 and use.memory > 80_000_000
    finally:
        os.killpg(process.pid, 9)
        process.wait()
    assert use_of(process.pid).processor == 0
    now = time.monotonic()
    assert heartbeat().stalled(now - 0.001, now) <= 0.001


def test_what_a_network_prepares_is_not_its_time() -> None:
    """It takes a quicker form after some calls, which takes longer than this move."""
    schedule = [Scheduled((0, 1), 1)]
    agents = [load_agent("connect_four"), load_agent("first-legal")]
    control = parse_time_control("move=0.02", 0.05)
    ((played,),) = play_games("connect_four", agents, schedule, control=control)
    assert played.at_fault is None
