"""What the server refuses: strange hosts, other sites, missing tokens, large bodies; a flood waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import MutableMapping
from typing import Any

import pytest

from lanista.arena.play.guard import BURST, MOST_PICTURE, PICTURES, Guard, Receive, Scope, Send


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers whatever comes through, or counts a socket's events."""
    if scope["type"] == "websocket":
        scope["seen"] = 0
        while (await receive())["type"] != "websocket.disconnect":
            scope["seen"] += 1
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})


def ask(guard: Guard, headers: dict[str, str], query: str = "", kind: str = "http", path: str = "/") -> Any:
    """What a request is answered: the status or close code, and the headers."""
    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "websocket.disconnect"}

    scope: Scope = {
        "type": kind, "path": path, "query_string": query.encode(),
        "headers": [(key.encode(), value.encode()) for key, value in headers.items()],
    }  # fmt: skip
    asyncio.run(guard(scope, receive, send))
    first: MutableMapping[str, Any] = sent[0] if sent else {"status": 101}
    return first.get("status", first.get("code")), dict(first.get("headers", []))


OPENED = {"host": "localhost:8080", "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "127.0.0.1:8080"}, 200),
        ({"host": "localhost:8080", "origin": "http://localhost:8080"}, 200),
        ({"host": "[::1]:8080"}, 200),
        ({"host": "evil.example:8080"}, 403),
        ({"host": "127.0.0.1.evil.example"}, 403),
        ({}, 403),
        ({"host": "localhost:8080", "origin": "http://evil.example"}, 403),
        ({"host": "localhost:8080", "origin": "null"}, 403),
        ({"host": "localhost:8080", "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"}, 403),
        ({"host": "localhost:8080", "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, 200),
        (OPENED | {"sec-fetch-dest": "document"}, 200),
        (OPENED | {"sec-fetch-dest": "iframe"}, 403),
        ({"host": "localhost:8080", "content-length": "99999999"}, 403),
        ({"host": "localhost:8080", "content-length": "-1"}, 403),
    ],
)
def test_who_is_answered_on_this_machine(headers: dict[str, str], status: int) -> None:
    assert ask(Guard(app), headers)[0] == status


def test_only_a_picture_may_be_large() -> None:
    guard, host = Guard(app), {"host": "localhost:1"}
    for length, path, status in (
        (5_000_000, PICTURES, 200), (5_000_000, "/", 403), (MOST_PICTURE + 1, PICTURES, 403), (5_000_000, "/x", 403)
    ):  # fmt: skip
        assert ask(guard, host | {"content-length": str(length)}, path=path)[0] == status
    assert ask(guard, host | {"origin": "http://evil.example"}, path=PICTURES)[0] == 403


def test_a_socket_of_another_site_is_closed() -> None:
    assert ask(Guard(app), {"host": "localhost:1", "origin": "http://evil.example"}, kind="websocket")[0] == 4403
    assert ask(Guard(app), {"host": "localhost:1", "origin": "http://localhost:1"}, kind="websocket")[0] == 101


def test_other_machines_need_the_token_once() -> None:
    guard = Guard(app, token="secret", loopback=False)
    host = {"host": "box:8080"}
    assert ask(guard, host)[0] == 403 == ask(guard, host, "token=other")[0]
    assert ask(guard, host | {"cookie": "lanista_token=wrong; a=b"})[0] == 403
    assert ask(guard, host, kind="websocket")[0] == 4403
    status, headers = ask(guard, host, "token=secret", path="//evil.example/x")
    assert status == 303 and headers[b"location"] == b"/evil.example/x"
    cookie = headers[b"set-cookie"].decode()
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
    assert ask(guard, host | {"cookie": cookie.split(";")[0]})[0] == 200


def test_a_flood_waits_while_others_are_served() -> None:
    async def flood() -> tuple[float, float]:
        count = int(BURST) + 30

        def socket(events: int) -> Receive:
            left = iter([{"type": "websocket.receive"}] * events + [{"type": "websocket.disconnect"}])

            async def receive() -> MutableMapping[str, Any]:
                return next(left)

            return receive

        async def timed(events: int) -> float:
            async def send(message: MutableMapping[str, Any]) -> None:
                return None

            began = time.monotonic()
            await Guard(app)({"type": "websocket", "headers": [(b"host", b"localhost")]}, socket(events), send)
            return time.monotonic() - began

        slow, quick = await asyncio.gather(timed(count), timed(5))
        return slow, quick

    slow, quick = asyncio.run(flood())
    assert slow > 0.4 and quick < 0.2
