"""The server of an agent: bodies, headers and addresses of any kind; and what a server answers to a guest."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from attacks import attack, damaged, examples, harmless, odd_json
from hypothesis import strategies as st

pytest.importorskip("fastapi")
pytest.importorskip("httpx")
from fastapi.testclient import TestClient

from lanista.agents.agent_server import agent_app
from lanista.agents.http_messages import Answer, JsonArray, arrays_json, choice_of
from lanista.agents.wire import Message, pack, turn_arrays, turn_from, unpack
from lanista.envs.catalogue import make
from lanista.envs.core import Turn

GAME = "tictactoe"


def middle() -> Turn:
    game = make(GAME, 2)
    game.reset(0, openings=[[0], [4]])
    return game.turn()


def question() -> dict[str, Any]:
    arrays = {name: value.model_dump() for name, value in arrays_json(turn_arrays(middle(), None)).items()}
    return {"arrays": arrays, "moves": [[0], [4]]}


@pytest.fixture(scope="module")
def server() -> Iterator[TestClient]:
    """First-legal behind its server; what the server raises itself is raised here."""
    app = agent_app("first-legal", GAME)
    with TestClient(app) as client:
        assert client.post("/act", json=question()).status_code == 200
        yield client
    app.state.close()


@examples
def test_bodies(server: TestClient, examples: int) -> None:
    """It answers with a choice or says what is wrong; and answers the next as before."""
    whole = json.dumps(question()).encode()
    bodies = odd_json(question()) | damaged(whole) | st.binary(max_size=300)
    finished = odd_json({"games": [1, 2]})

    def once(asked: tuple[bytes, bytes, str]) -> None:
        body, over, kind = asked
        with harmless(programs=True):  # who fails to answer is begun anew
            told = server.post("/act", content=body, headers={"content-type": kind})
            ended = server.post("/finish", content=over)
        assert told.status_code in (200, 400, 422), told.text
        assert ended.status_code in (204, 400, 422), ended.text
        if told.status_code == 200:
            Answer.model_validate_json(told.content)

    kinds = st.sampled_from(
        ("application/json", "application/json", "text/plain", "multipart/form-data; boundary=x", "a/b")
    )
    attack(examples, st.tuples(bodies, finished, kinds), once)
    again = server.post("/act", json=question())
    assert again.status_code == 200 and len(Answer.model_validate_json(again.content).arrays["actions"].array()) == 2


@pytest.mark.parametrize("games", [[2**63], [-(2**63) - 1], [2**5000], [1.5], ["1"], [None], list(range(70_000))])
def test_games_that_are_none_are_refused(server: TestClient, games: list[object]) -> None:
    """A number beyond 64 bits was an error of the server's own."""
    text = json.dumps({"games": [0]}).replace(
        "0", ",".join("9" * 1500 if each == 2**5000 else json.dumps(each) for each in games)
    )
    assert server.post("/finish", content=text.encode()).status_code in (400, 422)


@pytest.mark.parametrize("length", ["9" * 30, "-1", "1e3", "", "0x10", "+1", "67108865"])
def test_lengths_that_are_none_are_refused(server: TestClient, length: str) -> None:
    assert server.post("/act", content=b"{}", headers={"content-length": length}).status_code == 413


def test_deep_bodies_are_refused(server: TestClient) -> None:
    for body in (b"[" * 200_000, b'{"arrays":' * 50_000, b'{"arrays": {"a": ' + b"[" * 9000 + b"]" * 9000 + b"}}"):
        with harmless():
            assert server.post("/act", content=body).status_code in (400, 422)


@examples
def test_addresses(server: TestClient, examples: int) -> None:
    paths = st.lists(
        st.sampled_from(("..", "%2e%2e", "etc", "passwd", "agent", "act", "%00", "", "static", "docs", "openapi.json"))
    )

    def once(parts: list[str]) -> None:
        path = "/" + "/".join(parts)
        with harmless():
            answer = server.get(f"{server.base_url}{path}")
        asked = answer.request.url.path  # the client itself takes `..` out, as browsers do
        assert answer.status_code in (404, 405) or asked.strip("/") in ("agent", "openapi.json") or "//" in path

    attack(examples, paths, once)


ANSWER = Answer(arrays={"actions": JsonArray.of(np.array([1, 1])), "value": JsonArray.of(np.zeros(2, np.float32))})


@examples
def test_what_a_server_answers(examples: int) -> None:
    """A guest takes a choice that fits, or none: only a ValueError, which is the row's failure."""
    turn = middle()

    def once(body: bytes) -> None:
        with harmless():
            try:
                choice = choice_of(Answer.model_validate_json(body), turn)
            except ValueError:
                return
        assert len(choice.actions) == 2

    plain = json.loads(ANSWER.model_dump_json())
    attack(examples, odd_json(plain) | damaged(json.dumps(plain).encode()), once)


@examples
def test_messages_of_an_agents_process(examples: int) -> None:
    """The pipe from a user's own class: what it writes there is not trusted."""
    whole = pack(Message("turn", turn_arrays(middle(), None), "a text"))[4:]

    def once(body: bytes) -> None:
        with harmless(), contextlib.suppress(ValueError):
            turn_from(unpack(body).arrays, None)

    once(whole)
    attack(examples, damaged(whole) | st.binary(max_size=200), once)
