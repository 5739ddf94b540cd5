"""What a browser may send to the page: addresses and headers at its guard, keys of real-time games, kept games."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest
from attacks import attack, damaged, examples, harmless, odd_json, taken_or_refused
from hypothesis import strategies as st

from lanista.arena.play.arcade.messages import BETWEEN, LENGTHS, from_browser, packed, taken
from lanista.arena.play.guard import Guard, Receive, Scope, Send
from lanista.arena.play.keeping import Keeper, from_plain, to_plain
from lanista.arena.play.roster import Roster
from lanista.arena.play.session import Seat, Session
from lanista.arena.play.table import Start
from lanista.envs.catalogue import make
from lanista.errors import UsageError


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers whatever comes through."""
    await send({"type": "http.response.start", "status": 200, "headers": []})


def answer(
    guard: Guard, path: str, query: bytes, headers: list[tuple[bytes, bytes]], kind: str = "http"
) -> MutableMapping[str, Any]:
    """The head of what a guard answers."""
    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b""}

    asyncio.run(guard({"type": kind, "path": path, "query_string": query, "headers": headers}, receive, send))
    return sent[0]


HOSTS = (
    b"localhost:1",
    b"[",
    b"[::1",
    b"]",
    b"[v1.x]",
    b"a@localhost",
    b"localhost:99999999",
    b"\xff",
    b"",
    b"localhost\\@evil",
)
VALUES = st.sampled_from(
    (*HOSTS, b"http://[", b"http://evil", b"null", b"9" * 5000, b"-1", b"cross-site", b"lanista_token=x; a")
)
NAMES = st.sampled_from(
    (b"host", b"Host", b"origin", b"content-length", b"cookie", b"sec-fetch-site", b"sec-fetch-mode", b"\xff")
)
HEADERS = st.lists(st.tuples(NAMES, VALUES | st.binary(max_size=20)), max_size=6)


@examples
def test_headers(examples: int) -> None:
    """Brackets in a host that hold no address, and lengths of thousands of digits, were errors of the server's own."""
    guards = (Guard(app), Guard(app, token="secret", loopback=False))

    def once(value: tuple[list[tuple[bytes, bytes]], bytes]) -> None:
        headers, query = value
        with harmless():
            assert answer(guards[0], "/", query, headers)["status"] in (200, 403)
            assert answer(guards[1], "/", query, headers)["status"] == 403, "nobody has guessed the token"

    attack(examples, st.tuples(HEADERS, st.binary(max_size=20) | st.just(b"token=&token=%ff")), once)
    for host in set(HOSTS) - {b"localhost:1", b"localhost:99999999", b"a@localhost"}:  # these are this machine's
        assert answer(guards[0], "/", b"", [(b"host", host)])["status"] == 403
    assert answer(guards[0], "/", b"", [(b"host", b"localhost"), (b"content-length", b"9" * 5000)])["status"] == 403


@pytest.mark.parametrize(
    "path", ["/\r\nset-cookie: a=b", "//evil.example/", "/\\evil.example", "/\n\n<script>", "/é", "/game/x y"]
)
def test_a_redirection_stays_here_and_adds_no_header(path: str) -> None:
    head = answer(Guard(app, token="secret", loopback=False), path, b"token=secret", [(b"host", b"h")])
    place = dict(head["headers"])[b"location"]
    assert head["status"] == 303 and place.startswith(b"/") and place[1:2] not in (b"/", b"\\")
    assert place.isascii() and not set(place) & set(b"\r\n <")


@examples
def test_messages_of_real_time_games(examples: int) -> None:
    def once(data: object) -> None:
        with harmless():
            passed = from_browser(data)
        assert passed is None or (passed == data and len(passed) == LENGTHS[passed[0]])

    attack(examples, st.binary(max_size=8) | st.none() | st.text() | st.lists(st.integers()), once)

    def between(parts: list[bytes]) -> None:
        heard, bodies = bytearray(), []
        with harmless(megabytes=64):
            try:
                for part in parts:
                    heard += part
                    bodies += [body for _, body in taken(heard)]
            except ValueError:
                return
        assert sum(map(len, bodies)) <= sum(map(len, parts))

    pieces = st.binary(max_size=30) | st.just(packed(1, b"abc")) | st.just(BETWEEN.pack(2**32 - 1, 0))
    attack(examples, st.lists(pieces, max_size=8), between)


def kept() -> dict[str, Any]:
    session = Session(Start("tictactoe", 0), (Seat("person", "Ann"), Seat("agent", "random")))
    session.replay((4, 0, 8))
    return json.loads(json.dumps(to_plain(session)))  # type: ignore[no-any-return]


@examples
def test_kept_games(examples: int, tmp_path: Path) -> None:
    """Files of open games, as a full disk or another user leaves them: a game that is whole, or none."""
    plain = kept()
    number = plain["number"]
    keeper = Keeper(tmp_path)
    keeper.keep(copy.deepcopy(plain))
    assert keeper.read_kept(number, 0.0) is not None
    path = tmp_path / "open" / f"{number}.json"

    def once(data: bytes) -> None:
        path.write_bytes(data)
        with harmless(tmp_path):
            keeper.read_kept(number, 0.0)
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            return
        if isinstance(document, dict):
            taken_or_refused(lambda: from_plain(document, 0.0), tmp_path)

    attack(examples, odd_json(plain) | damaged(json.dumps(plain).encode()), once)


ESCAPES = [
    "../../etc/passwd",
    "/etc/passwd",
    "..",
    ".",
    "",
    "a/../../b",
    "~root",
    "~",
    "%2e%2e",
    "runs/../../x",
    "\x00",
    "a\nb",
    "C:\\x",
    "py:/tmp/planted.py:Agent",
    "uci:/bin/sh",
    "gtp:sh -c id",
    "sb3:/tmp/model.zip",
    "hf:org/name",
    "http://127.0.0.1:1/",
    "network:path=/etc",
    "minimax:path=/etc",
    "minimax?depth=nan",
    "runs/x/checkpoints/../../..",
    "runs/x/checkpoints/²",
]


@pytest.mark.parametrize("name", ESCAPES)
def test_a_browser_names_no_path_and_no_program(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    roster, spec = Roster(), make("tictactoe").spec
    with harmless(tmp_path), pytest.raises(UsageError) as refusal:
        roster.check_contestant(name, "tictactoe", spec)
    assert "root:" not in str(refusal.value)
    assert roster.checkpoint(name, spec) is None
    assert Keeper(tmp_path).read_kept(name, 0.0) is None
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "name", ["gym:os:system", "gym:../x", "zoo:os/path", "atari:../../x", "openspiel:x(/etc/passwd)", "mnk:rows=1e9"]
)
def test_a_browser_names_no_module(name: str) -> None:
    with harmless(), pytest.raises(UsageError):
        Roster().check_game(name)


def test_runs_are_found_by_their_listed_names_alone(tmp_path: Path) -> None:
    """A link out of the folder of runs has a name like any other; a path has none."""
    from lanista.arena.play.runs import Runs

    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "config.toml").write_text('game = "tictactoe"\n')
    (outside / "log.txt").write_text("secret\n")
    runs = tmp_path / "runs"
    runs.mkdir()
    found = Runs(Roster(runs=runs))
    for name in ("../outside", str(outside), "..", "", "."):
        assert found.status(name) is None and found.rows(name) == [] and found.checkpoints(name) == []
        assert found.last_words(name) == []
