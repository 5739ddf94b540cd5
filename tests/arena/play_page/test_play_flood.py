"""Ten thousand malformed events over the page's sockets: nothing breaks, nothing is told of the server's inside."""

from __future__ import annotations

import asyncio
import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from page_server import Server

socketio = pytest.importorskip("socketio", reason="the page needs NiceGUI: pip install 'lanista[play]'")

SOCKETS, EVENTS = 20, 500


def nonsense(draws: np.random.Generator, depth: int = 0) -> Any:
    """Some plain value that no page sends."""
    kind = int(draws.integers(9 if depth < 3 else 6))
    if kind >= 6:
        many = range(int(draws.integers(5)))
        if kind == 6:
            return {str(nonsense(draws, 3)): nonsense(draws, depth + 1) for _ in many}
        return [nonsense(draws, depth + 1) for _ in many]
    numbers = [-1, 0, 1, 2**63, -(2**40), 1e308, 0.5, 3, 7]
    texts = ["", "node", "action", "../../etc/passwd", "py:x.py:X", "\x00", "<script>", "é" * 50, "9" * 400]
    values: list[Any] = [None, bool(draws.integers(2)), numbers[draws.integers(9)], texts[draws.integers(9)]]
    return values[kind] if kind < 4 else int(draws.integers(-5, 500))


async def flood(server: Server, number: int) -> list[str]:
    """Send nonsense as one client; give what came back."""
    page = urllib.request.urlopen(server.link("/?game=tictactoe")).read().decode()
    found = re.search(r"client_id['\"]?\s*[:=]\s*['\"]([\w-]+)", page)
    assert found is not None, "the page names its client"
    # What the page listens for: half of the nonsense goes there, in the form that a page has.
    known = re.findall(r"listener_id\W+([\w-]{36})", page)
    assert len(known) > 20
    client = socketio.AsyncClient()
    heard: list[str] = []
    client.on("*", lambda event, *args: heard.append(json.dumps([event, *args], default=str)))
    query = f"?client_id={found[1]}&next_message_id=0&implicit_handshake=true&tab_id=t&old_tab_id=&document_id=d"
    await client.connect(
        server.link("/") + query, socketio_path="/_nicegui_ws/socket.io", transports=["websocket"], wait_timeout=60
    )
    draws = np.random.default_rng(number)
    names = ["event", "handshake", "javascript_response", "log", "ack", "too_long_message", "nothing"]
    for _ in range(EVENTS):
        if not client.connected:
            break
        if draws.integers(3):
            message: Any = {
                "client_id": found[1], "id": int(draws.integers(200)),
                "listener_id": known[draws.integers(len(known))] if draws.integers(2) else str(nonsense(draws)),
                "args": [json.dumps(nonsense(draws)) for _ in range(draws.integers(3))] if draws.integers(4)
                else nonsense(draws),
            }  # fmt: skip
            await client.emit("event", message)
        else:
            await client.emit(names[draws.integers(len(names))], nonsense(draws))
    await asyncio.sleep(1)
    await client.disconnect()
    return heard


@pytest.mark.faults
def test_malformed_events_break_nothing(tmp_path: Path) -> None:
    server = Server(tmp_path)
    try:

        async def all_at_once() -> list[list[str]]:
            return await asyncio.gather(*(flood(server, number) for number in range(SOCKETS)))

        heard = asyncio.run(all_at_once())
        assert server.process.poll() is None
        assert sum(map(len, heard)) > SOCKETS, "the sockets are answered"
        assert not [each for lines in heard for each in lines if "Traceback" in each or ".py" in each]
        page = urllib.request.urlopen(server.link("/")).read().decode()
        assert "Lanista" in page and "Traceback" not in page
    finally:
        server.kill()
