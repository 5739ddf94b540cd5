"""A browser without pictures: it reads the page's elements, presses buttons and makes moves over the page's socket."""

from __future__ import annotations

import asyncio
import html
import json
import re
import urllib.request
from http.client import HTTPException
from typing import Any

import socketio  # type: ignore[import-untyped]

PATIENCE = 60.0  # seconds for an answer
NO_GAME = "This game is not here"  # what the page of a game says where there is none


class GoneError(Exception):
    """The server does not answer any more."""


class Browser:
    """One tab."""

    def __init__(self, link: str) -> None:
        """Know the server.

        Args:
            link: of it, without a path.
        """
        self.link = link
        self.elements: dict[str, dict[str, Any]] = {}
        self.path = ""
        self._client, self._name = socketio.AsyncClient(reconnection=False), ""
        self._changed = asyncio.Event()

    async def open(self, path: str) -> None:
        """Load a page and connect its socket.

        Raises:
            GoneError: the server is.
        """
        await self.close()
        try:
            answer = await asyncio.to_thread(urllib.request.urlopen, self.link + path, None, PATIENCE)
            text = (await asyncio.to_thread(answer.read)).decode()
        except (OSError, ValueError, HTTPException) as error:
            raise GoneError from error
        told = re.search(r"parseElements\(String\.raw`(.*?)`\)", text, re.DOTALL)
        name = re.search(r"client_id['\"]?\s*[:=]\s*['\"]([\w-]+)", text)
        assert told is not None and name is not None, "the page names its elements and its client"
        self.elements, self._name, self.path = json.loads(html.unescape(told[1])), name[1], path
        self._client = socketio.AsyncClient(reconnection=False)
        self._client.on("*", self._heard)
        query = f"/?client_id={self._name}&next_message_id=0&implicit_handshake=true&tab_id=t&old_tab_id=&document_id=d"
        try:
            await self._client.connect(
                self.link + query, socketio_path="/_nicegui_ws/socket.io", transports=["websocket"], wait_timeout=60
            )
        except Exception as error:  # what breaks when a server dies is not one kind
            raise GoneError from error

    async def close(self) -> None:
        """Close the tab."""
        if self._client.connected:
            await self._client.disconnect()

    async def _heard(self, event: str, *told: Any) -> None:
        message = told[0] if told and isinstance(told[0], dict) else {}
        if event == "update":
            self.elements |= {number: each for number, each in message.items() if isinstance(each, dict)}
        elif event == "open":
            self.path = str(message.get("path", ""))
        self._changed.set()

    async def until(self, true: Any) -> None:
        """Wait for what the server does.

        Raises:
            GoneError: the server is, or takes too long.
        """
        waited = 0.0
        while not true():
            if not self._client.connected or waited > PATIENCE:
                raise GoneError
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), 0.1)
            except TimeoutError:
                waited += 0.1

    async def press(self, words: str) -> None:
        """Press the button with these words."""
        named = {key: each for key, each in self.elements.items() if each.get("text") == words}
        button = next(key for key, each in named.items() if any(on["type"] == "click" for on in each.get("events", ())))
        await self._emit(button, "click", [])

    @property
    def scene(self) -> dict[str, Any]:
        """What the board shows; empty where there is none."""
        found = [each["props"]["scene"] for each in self.elements.values() if "scene" in each.get("props", {})]
        return dict(found[0]) if found else {}

    async def shows_a_board(self) -> bool:
        """Whether the page of a game has a board, which may come after its other elements, or tells of none.

        Raises:
            GoneError: the server is.
        """
        await self.until(lambda: self.scene or NO_GAME in json.dumps(self.elements))
        return bool(self.scene)

    async def move(self, action: int) -> None:
        """Make a move on the board, and wait until it is shown."""
        before = self.scene["key"]
        board = next(key for key, each in self.elements.items() if "scene" in each.get("props", {}))
        await self._emit(board, "play", [action, before])
        await self.until(lambda: self.scene["key"] != before)

    async def _emit(self, element: str, event: str, told: list[Any]) -> None:
        listener = next(each for each in self.elements[element]["events"] if each["type"] == event)
        message = {"client_id": self._name, "id": int(element), "listener_id": listener["listener_id"],
                   "args": [json.dumps(each) for each in told]}  # fmt: skip
        try:
            await self._client.emit("event", message)
        except Exception as error:  # what breaks when a server dies is not one kind
            raise GoneError from error
