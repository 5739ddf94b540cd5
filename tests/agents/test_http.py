"""Agents over HTTP: seated like any other, bounded on both sides, every fault of a server a recorded failure."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from lanista.agents.contestant import load_agent
from lanista.agents.http_messages import (
    MOST_BYTES,
    JsonArray,
    Question,
    arrays_json,
    turn_of,
)
from lanista.agents.kinds.http import HttpAgent
from lanista.agents.match import Played, Scheduled, play_games
from lanista.agents.wire import turn_arrays
from lanista.envs.catalogue import make, native_rules
from lanista.envs.core import Agent, Turn
from lanista.errors import UsageError

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")
GAME = "tictactoe"
ABOUT = json.dumps({"format": 1, "name": "fake", "game": GAME}).encode()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where minimax is served by the command line."""
    words = [sys.executable, "-m", "lanista", "serve-agent", "minimax:depth=3", "--game", GAME, "--port", "0"]
    server = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    line = server.stdout.readline()
    yield line.split()[-1]
    server.terminate()
    server.wait(10)
    server.stdout.close()


def play_all(agents: list[Agent]) -> list[Played]:
    schedule = [Scheduled(seats, seed, label=2 * seed + seats[0]) for seed in range(6) for seats in ((0, 1), (1, 0))]
    return [one for part in play_games(GAME, agents, schedule, seed=1) for one in part]


def middle() -> Turn:
    game = make(GAME, 4)
    game.reset(0, openings=[[0], [4], [4, 0], []])
    return game.turn()


def test_plays_whole_games(address: str) -> None:
    agent = load_agent(address)
    assert isinstance(agent, HttpAgent) and agent.name == address
    played = play_all([agent, load_agent("random")])
    agent.close()
    assert len(played) == 12 and {one.reason for one in played} == {"end"}
    assert sum(one.returns[one.scheduled.seats.index(0)] for one in played) >= 6


def test_a_choice_has_its_values_and_its_failures(address: str) -> None:
    agent = load_agent(f"{address}?seconds=20")
    assert isinstance(agent, HttpAgent) and agent.seconds == 20 and agent.name == f"{address}?seconds=20"
    agent.start(native_rules(GAME).spec, 0)
    choice = agent.act(middle())
    assert not choice.failed and choice.value is not None and choice.value.shape == (4,)
    many = agent.act(middle().take(np.arange(600) % 4))
    agent.close()
    assert many.actions.shape == (600,) and many.value is not None and many.value.shape == (600,)
    assert not many.failed


def asked(address: str, body: bytes, path: str = "/act", headers: dict[str, str] | None = None) -> tuple[int, str]:
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=20)
    connection.request("POST", path, body, headers or {"Content-Type": "application/json"})
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, text


def question(**changes: object) -> dict[str, object]:
    turn = middle()
    assert turn.public is not None
    moves = [turn.public.moves(row) for row in range(4)]
    asking: dict[str, object] = Question(arrays=arrays_json(turn_arrays(turn, None)), moves=moves).model_dump()
    return asking | changes


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"arrays": {}}, "1 to 4096 rows"),
        ({"moves": [[0]]}, "moves of 1 games for 4 rows"),
        ({"moves": [[0], [4], [4, 4], []]}, "illegal action"),
        ({"moves": [[0], [4], [4, 0], [1]]}, "do not lead to the turn"),
        ({"moves": [[-1], [4], [4, 0], []]}, "actions of one game"),
        ({"more": 1}, "Extra inputs are not permitted"),
    ],
)
def test_the_server_refuses_what_is_no_turn(changes: dict[str, object], words: str, address: str) -> None:
    status, text = asked(address, json.dumps(question(**changes)).encode())
    assert status == 422 and words in text


@pytest.mark.parametrize(
    ("name", "array", "words"),
    [
        ("players", [0, 0, 0, 7], "the players 0 to 1"),
        ("copies", [0, 1], "'copies' must be int64 of the shape (4,)"),
        ("legal", np.ones((4, 3), bool), "'legal' must be bool of the shape (4, 9)"),
        ("observation board", np.ones((4, 9), np.int8), "'observation board' must be"),
        ("draws", [1, 2, 3, 4], "'draws' must be uint64"),
    ],
)
def test_arrays_must_be_those_of_the_game(name: str, array: object, words: str) -> None:
    arrays = turn_arrays(middle(), None) | {name: np.asarray(array)}
    with pytest.raises(ValueError, match=re.escape(words)):
        turn_of(Question(arrays=arrays_json(arrays)), native_rules(GAME).spec)


@pytest.mark.parametrize(
    "value",
    [
        {"type": "O", "shape": [1], "base64": "AAAAAAAAAAA="},
        {"type": "q", "shape": [2], "base64": "AAAAAAAAAAA="},
        {"type": "q", "shape": [2**32 - 1, 2**32 - 1], "base64": ""},
        {"type": "q", "shape": [1], "base64": "not base64!"},
    ],
)
def test_damaged_arrays_are_refused(value: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        JsonArray.model_validate(value).array()


def test_the_server_bounds_requests(address: str) -> None:
    assert asked(address, b"{}", headers={"Content-Length": str(MOST_BYTES + 1)})[0] == 413
    assert asked(address, b"nonsense")[0] == 422
    assert asked(address, b"{}", "/elsewhere")[0] == 404
    agent = load_agent(address)
    agent.start(native_rules(GAME).spec, 0)  # type: ignore[attr-defined]  # it goes on serving
    agent.close()  # type: ignore[attr-defined]


def head(length: int, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n".encode()


def drip(client: socket.socket) -> None:
    client.sendall(head(1000))
    for _ in range(200):
        client.sendall(b" ")
        time.sleep(0.02)


def flood(client: socket.socket) -> None:
    client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        client.sendall(b" " * (1 << 20))


def answering(body: bytes, status: str = "200 OK") -> Callable[[socket.socket], None]:
    return lambda client: client.sendall(head(len(body), status) + body)


def arrays(**parts: object) -> bytes:
    written = {name: JsonArray.of(value).model_dump() for name, value in parts.items()}
    return json.dumps({"arrays": written}).encode()


FAULTS: dict[str, tuple[Callable[[socket.socket], None], str]] = {
    "closes": (lambda client: None, "failed: "),
    "hangs": (lambda client: time.sleep(3), "gave no answer within 1 seconds"),
    "drips": (drip, "gave no answer within 1 seconds"),
    "floods": (flood, f"answered with more than {MOST_BYTES} bytes"),
    "no-http": (lambda client: client.sendall(b"hello\r\n\r\n"), "failed: hello"),
    "status": (answering(b"oops", "500 Sorry"), "answered with status 500: oops"),
    "nonsense": (answering(b"nonsense"), "answered with no Answer"),
    "no-actions": (answering(b'{"arrays": {}}'), "answered without actions"),
    "short": (answering(arrays(actions=[1])), "gave actions of shape (1,) for 4 rows"),
    "reasons": (answering(arrays(actions=[1] * 4, failed=[9])), "told 0 reasons for the failed rows [9]"),
    "policy": (answering(arrays(actions=[1] * 4, policy=np.ones((4, 2)))), "gave a policy of shape (4, 2)"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_servers_fault_is_its_failure(fault: str) -> None:
    answer, words = FAULTS[fault]
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for number in range(3):
                try:
                    client, _ = listening.accept()
                except OSError:
                    return
                with client:
                    client.recv(1 << 20)
                    with contextlib.suppress(OSError):
                        (answering(ABOUT) if number == 0 else answer)(client)

        threading.Thread(target=serve, daemon=True).start()
        limit = 1.0 if fault in ("hangs", "drips") else 20.0
        agent = HttpAgent(f"http://127.0.0.1:{listening.getsockname()[1]}", limit)
        agent.start(native_rules(GAME).spec, 0)
        choice = agent.act(middle())
        agent.close()
    assert sorted(choice.failed) == [0, 1, 2, 3]
    assert choice.failed[0].startswith("http agent: ") and words in choice.failed[0]


@pytest.mark.parametrize(
    ("contestant", "words"),
    [
        ("http://", "'http://' is no address of an agent; write it as in 'http://127.0.0.1:8700'"),
        ("http://localhost:many", "is no address of an agent"),
        ("http://me:secret@localhost", "is no address of an agent"),
        ("https://localhost?second=3", "did you mean 'seconds'"),
        ("http://[::1", "is no address of an agent"),
        ("http://localhost?seconds=0", "needs seconds above 0"),
        ("http://localhost?seconds=inf", "needs seconds above 0, at most 10000000, not inf"),
    ],
)
def test_wrong_words(contestant: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_agent(contestant)
    assert words in str(caught.value)


def test_who_is_not_there_or_plays_something_else_is_said_at_the_start(address: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(UsageError, match=r"no agent answers at .*refused; 'lanista serve-agent"):
        HttpAgent(f"http://127.0.0.1:{port}", 5).start(native_rules(GAME).spec, 0)
    with pytest.raises(UsageError, match="serves an agent for tictactoe, not for connect_four"):
        HttpAgent(address, 5).start(native_rules("connect_four").spec, 0)
