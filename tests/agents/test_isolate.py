"""Agents in processes of their own: the same answers as without, every fault theirs alone, nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from living import alive

from lanista.agents.contestant import load_agent
from lanista.agents.isolate import IsolatedAgent, isolate
from lanista.agents.kinds.py import PyAgent
from lanista.agents.match import Played, Scheduled, play_games
from lanista.agents.wire import LENGTH, Message, pack, turn_arrays, turn_from, unpack
from lanista.envs.catalogue import make, native_rules
from lanista.envs.core import Agent
from lanista.errors import UsageError

FILE = Path(__file__).with_name("faulty_agents.py")
EXAMPLE = Path(__file__).parents[2] / "examples" / "my_agent.py"
FAULTS = {  # those that cost the process stand apart: after three of them in a row the rest is not asked
    "Raises": "crashed: ValueError: no idea",
    "Hangs": "gave no answer within 1.5 seconds",
    "Swallows": "crashed: MemoryError",
    "Exits": "exited with code 5",
    "Illegal": "illegal action 10000",
    "Aborts": "was killed by SIGABRT",
    "Objects": "crashed: ValueError: 'actions' is no plain array of numbers",
    "Scribbles": "answered with a damaged message",
    "Short": "malformed answer: gave actions of shape (0,) for 1 rows",
    "Declares": "answered with a message of 4294967295 bytes",
    "Nothing": "crashed: AttributeError",
    "BadPolicy": "malformed answer: gave a policy of shape (1, 3) for 7 actions",
    "BadValue": "malformed answer: gave values of shape (1, 2)",
}


@pytest.fixture
def seated() -> Iterator[list[IsolatedAgent]]:
    """Agents to be closed at the end."""
    agents: list[IsolatedAgent] = []
    yield agents
    for agent in agents:
        agent.close()


def own(name: str, options: str = "seconds=30", seated: list[IsolatedAgent] | None = None) -> IsolatedAgent:
    agent = load_agent(f"py:{FILE}:{name}?{options}")
    assert isinstance(agent, IsolatedAgent)
    if seated is not None:
        seated.append(agent)
    return agent


def play_all(game: str, agents: list[Agent], games: int = 4) -> list[Played]:
    schedule = [
        Scheduled(seats, seed, label=2 * seed + seats[0]) for seed in range(games) for seats in ((0, 1), (1, 0))
    ]
    played = [one for part in play_games(game, agents, schedule, seed=1) for one in part]
    return sorted(played, key=lambda one: one.scheduled.label)


@pytest.mark.parametrize(("contestant", "game"), [("random", "connect_four"), ("minimax:depth=2", "tictactoe")])
def test_plays_as_it_does_without(contestant: str, game: str, seated: list[IsolatedAgent]) -> None:
    isolated = isolate(contestant)
    seated.append(isolated)
    with_it = play_all(game, [isolated, load_agent("first-legal")])
    assert with_it == play_all(game, [load_agent(contestant), load_agent("first-legal")])


def test_a_class_gives_all_that_a_choice_has(seated: list[IsolatedAgent]) -> None:
    agent = own("Sound", "bias=3", seated)
    game = make("connect_four", 5)
    game.reset(1)
    agent.start(game.spec, 0)
    first = agent.act(game.turn())
    assert first.actions.tolist() == [0] * 5 and first.failed == {} and first.waiting is None
    assert first.policy is not None and np.allclose(first.policy, 1 / 7) and first.policy.dtype == np.float32
    assert first.value is not None and first.value.tolist() == [0.5] * 5
    assert first.memory is not None
    again = agent.act(game.turn(), first.memory)
    assert again.memory is not None and again.memory.tolist() == [2] * 5
    agent.finish(np.arange(3))


def test_public_is_there_when_it_is_asked_for(seated: list[IsolatedAgent]) -> None:
    played = play_all("tictactoe", [own("Looks", seated=seated), load_agent("random")], 1)
    assert {one.reason for one in played} == {"end"}


def test_a_fault_costs_its_game_alone(seated: list[IsolatedAgent]) -> None:
    names = ["sound", *FAULTS, "sound"]
    agent = own("Everything", f"seconds=1.5&memory=6000&faults={'-'.join(names)}", seated)
    schedule = [Scheduled((0, 0), seed, label=seed) for seed in range(len(names))]
    played = [one for part in play_games("connect_four", [agent], schedule, seed=1) for one in part]
    by_name = {names[one.scheduled.label]: one for one in played}
    assert len(played) == len(names) and len(by_name["sound"].moves) > 6
    assert {one.reason for one in played if names[one.scheduled.label] == "sound"} == {"end"}
    for name, reason in FAULTS.items():
        assert reason in by_name[name].reason
        assert by_name[name].at_fault == 0 and by_name[name].returns == (-1, 1)


def test_who_forks_answers_twice_and_is_ended(seated: list[IsolatedAgent]) -> None:
    agent = own("Forks", seated=seated)
    game = make("connect_four", 2)
    game.reset(0)
    agent.start(game.spec, 0)
    own_row = game.turn().take(np.array([1]))
    reasons: list[str] = []
    for _ in range(6):
        choice = agent.act(own_row)
        assert choice.failed or choice.actions.tolist() == [0]  # never the answer to another question
        reasons += choice.failed.values()
        time.sleep(0.1)  # in which the second answer comes
    assert len(reasons) >= 2 and set(reasons) == {"said more than it was asked for"}


@pytest.mark.thorough
def test_rows_after_several_deaths_are_not_asked(seated: list[IsolatedAgent]) -> None:
    agent = own("Hangs", "seconds=0.4", seated)
    game = make("connect_four", 2)
    game.reset(0)
    agent.start(game.spec, 0)
    began = time.monotonic()
    choice = agent.act(game.turn().take(np.array([0, 1, 1, 1, 1, 0])))
    assert sorted(choice.failed) == [1, 2, 3, 4, 5] and "not asked" in choice.failed[5]
    assert time.monotonic() - began < 15


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
def test_a_killed_parent_leaves_nobody(tmp_path: Path) -> None:
    (tmp_path / "forking.py").write_text(
        "import os, time\n"
        "class Forking:\n"
        "    def act(self, turn):\n"
        "        child = os.fork()\n"
        f"        open({str(tmp_path / 'pids')!r}, 'a').write(f'{{os.getpid()}} ')\n"
        "        time.sleep(600)\n"
    )
    program = (
        "from lanista.agents.contestant import load_agent; from lanista.envs.catalogue import make\n"
        f"agent = load_agent('py:{tmp_path}/forking.py:Forking?seconds=600'); game = make('tictactoe'); game.reset(0)\n"
        "agent.start(game.spec, 0); agent.act(game.turn())"
    )
    parent = subprocess.Popen([sys.executable, "-c", program])
    pids: list[int] = []
    until = time.monotonic() + 30
    while len(pids) < 2 and time.monotonic() < until:
        time.sleep(0.02)
        pids = [int(word) for word in (tmp_path / "pids").read_text().split()] if (tmp_path / "pids").exists() else []
    assert len(pids) == 2 and all(map(alive, pids))
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait(10)
    while any(map(alive, pids)) and time.monotonic() < until + 5:
        time.sleep(0.01)
    assert not any(map(alive, pids))


@pytest.mark.parametrize(
    ("contestant", "words"),
    [
        ("py:", "names no class; write it as in 'py:my_agent.py:MyAgent'"),
        (f"py:{FILE}", "names no class"),
        ("py:nowhere.py:MyAgent", "needs the file 'nowhere.py', which is not there"),
        (f"py:{FILE}:Sound?seconds=soon", "option 'seconds' of the agent"),
        (f"py:{FILE}:Sound?seconds=0", "seconds above 0"),
    ],
)
def test_wrong_words(contestant: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_agent(contestant)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Sond", "unknown class of '.*faulty_agents.py' 'Sond'; did you mean 'Sound'"),
        ("NoAgent", "'NoAgent' of '.*' is no agent: it has no method act"),
        ("Sound?bais=1", "unknown option of the agent 'Sound' 'bais'; did you mean 'bias'"),
        ("Unstartable", "RuntimeError: not today"),
        ("Sound?memory=20", "could not be started: it "),
    ],
)
def test_what_cannot_be_made_is_said_at_the_start(name: str, words: str, seated: list[IsolatedAgent]) -> None:
    agent = load_agent(f"py:{FILE}:{name}")
    assert isinstance(agent, IsolatedAgent)
    seated.append(agent)
    with pytest.raises(UsageError, match=words):
        agent.start(native_rules("tictactoe").spec, 0)


def test_an_isolated_contestant_says_what_is_wrong_with_its_game(seated: list[IsolatedAgent]) -> None:
    agent = isolate("minimax:depth=2")
    seated.append(agent)
    with pytest.raises(UsageError, match="minimax needs to see the whole position"):
        agent.start(native_rules("kuhn_poker").spec, 0)


def test_the_example_plays(seated: list[IsolatedAgent]) -> None:
    agent = load_agent(f"py:{EXAMPLE}:MyAgent")
    assert isinstance(agent, PyAgent) and agent.files == (EXAMPLE,)
    seated.append(agent)
    played = play_all("connect_four", [agent, load_agent("random")], 100)
    assert {one.reason for one in played} == {"end"}
    assert sum(one.returns[one.scheduled.seats.index(0)] for one in played) > 60


def test_messages_come_back_as_they_went() -> None:
    game = make("connect_four", 3)
    game.reset(4)
    turn = game.turn()
    memory = np.arange(6, dtype=np.float64).reshape(3, 2)
    sent = pack(Message("act", turn_arrays(turn, memory), json.dumps(["ü"])))
    assert LENGTH.unpack(sent[:4])[0] == len(sent) - 4
    message = unpack(sent[4:])
    read, remembered = turn_from(message.arrays, None)
    assert message.kind == "act" and json.loads(message.text) == ["ü"]
    assert remembered is not None and (remembered == memory).all()
    for name in ("copies", "players", "games", "plies", "draws", "legal"):
        assert (getattr(read, name) == getattr(turn, name)).all()
        assert getattr(read, name).dtype == getattr(turn, name).dtype
    assert read.observation["board"].dtype == turn.observation["board"].dtype
    assert (read.observation["board"] == turn.observation["board"]).all()


@given(st.binary(max_size=80))
def test_damaged_messages_are_refused(damage: bytes) -> None:
    try:
        message = unpack(damage)
    except ValueError:
        return
    assert sum(array.nbytes for array in message.arrays.values()) <= len(damage)


@given(st.integers(0, 200), st.integers(0, 255))
def test_a_changed_byte_is_refused_or_read_within_bounds(place: int, value: int) -> None:
    body = bytearray(pack(Message("choice", {"actions": np.arange(7), "value": np.zeros((7, 2), np.float32)}))[4:])
    body[place % len(body)] = value
    try:
        unpack(body)
    except ValueError:
        return


@pytest.mark.parametrize("child", [False, True])
def test_memory_is_that_of_its_children_too_and_is_looked_at_while_it_thinks(
    child: bool, seated: list[IsolatedAgent]
) -> None:
    file = FILE.with_name("slow_agents.py")
    loading = {"file": str(file), "class": "Swells", "options": {"megabytes": 700, "child": child}}
    agent = IsolatedAgent("swells", loading, seconds=20, memory=0)
    seated.append(agent)
    agent.start(make("tictactoe").spec, 0)
    agent._pipe._memory = 600 << 20  # of a process that was begun without a bound of its addresses, which comes first
    began = time.monotonic()
    (played,) = play_all("tictactoe", [agent, load_agent("first-legal")], 1)[:1]
    assert (played.reason, played.at_fault) == ("used more than 600 MB of memory", 0)
    assert time.monotonic() - began < 18


def test_arrays_of_a_message_are_aligned_and_the_question_comes_back() -> None:
    arrays = {"legal": np.ones((3, 7), bool), "draws": np.arange(3, dtype=np.uint64), "value": np.zeros(3)}
    sent = bytearray(pack(Message("act", arrays, "ü", 7)))
    message = unpack(memoryview(sent)[LENGTH.size :])
    assert (message.kind, message.text, message.question) == ("act", "ü", 7)
    for name, value in arrays.items():
        assert message.arrays[name].flags.aligned and (message.arrays[name] == value).all()
